"""Opening: from any path (video, image folder, project, nothing) to a document and a video that fit together."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app import diagnostics
from app.formats.project import load_project
from app.media import MediaInfo, probe
from app.model.collection import Clip
from app.model.document import Document, VideoRef
from app.model.history import Taken
from app.words import tr
from app.work.errors import RelinkError, SessionError
from app.work.journal import Journal, Leftover, forget, recover
from app.work.overview import Lanes
from app.work.packing import pack

SUFFIX = ".siamlabel"
SAMPLE = "sample/video.mp4"


@dataclass(frozen=True)
class Opened:
    """A document and its video. ``project``: the file it lives in, None when it was never saved.

    ``lanes`` and ``packed``: the document at a glance and as the journal keeps it, made here because a long one takes
    its time. ``relinked``: the reference to follow from now on, when the video moved. ``taken``: the step by which the
    document got labels on the way.
    """

    document: Document
    media: MediaInfo
    project: Path | None
    message: str
    lanes: Lanes
    packed: bytes | None
    relinked: VideoRef | None = None
    taken: Taken | None = None


def open_path(
    path: Path | None, cache: Path, video: Path | None = None, accept: bool = False, fresh: bool = False
) -> Generator[str, None, Opened]:
    """Open whatever ``path`` is; None is the sample clip. Yields words about what is going on.

    ``video``: where a project's video is now; ``accept``: take it even if it is another file;
    ``fresh``: do not look for a project beside a video.
    Raises `SessionError`, `RelinkError`, `MediaError`, `ProjectError`.
    """
    target = (diagnostics.resource(SAMPLE) if path is None else path).expanduser().absolute()
    if not target.exists():
        raise SessionError(tr("{target} does not exist; check the path").format(target=target))
    if target.suffix.lower() == SUFFIX and target.is_file():
        return (yield from _open_project(target, cache, video, accept))
    beside = default_project(target)
    media, ref = yield from _examine(target, cache)
    if beside.exists() and not fresh:
        doc = load_project(beside)
        if doc.video is not None and doc.video.fingerprint == ref.fingerprint:
            doc.video = msgspec.structs.replace(doc.video, path=ref.path)
            said = tr("Opened {beside}, the project of this video").format(beside=beside.name)
            return Opened(doc, media, beside, said, glance(doc, media.frames), pack(doc))
    fresh_one = Document(video=ref)
    said = tr("Opened {target}: press N and draw a box around an object").format(target=target.name)
    return Opened(fresh_one, media, None, said, glance(fresh_one, media.frames), pack(fresh_one))


def open_document(
    doc: Document, project: Path | None, cache: Path, video: Path | None = None, accept: bool = False
) -> Generator[str, None, Opened]:
    """Find the video of ``doc`` and check that it is the one that was labelled. Raises as `open_path`."""
    ref = doc.video
    name = project or Path(tr("the recovered work"))
    if ref is None:
        raise SessionError(tr("{name} names no video; open the video itself").format(name=name))
    found = video or Path(ref.path)
    if not found.exists():
        raise RelinkError(
            name,
            ref,
            None,
            tr("The video of {name} is not at {found}; say where it is now").format(name=name.name, found=found),
        )
    media, now = yield from _examine(found.absolute(), cache)
    if now.fingerprint != ref.fingerprint and not accept:
        raise RelinkError(
            name, ref, found,
            tr("{found} is not the video that was labelled in {name}: {difference}; say where it is").format(
                found=found, name=name.name, difference=_difference(ref, now)
            ),
        )  # fmt: skip
    moved = now if video is not None or now.fingerprint != ref.fingerprint else None
    return Opened(
        doc, media, project, tr("Opened {name}").format(name=name.name), glance(doc, media.frames), pack(doc), moved
    )


def open_leftover(
    leftover: Leftover, cache: Path, video: Path | None = None, accept: bool = False
) -> Generator[str, None, Opened]:
    """Open what a journal holds. Raises `JournalError`, and as `open_path`."""
    yield tr("Recovering unsaved work…")
    return (yield from open_document(recover(leftover), leftover.project, cache, video, accept))


def forget_when_safe(journal: Journal, leftover: Leftover) -> Generator[None, None, None]:
    """Delete a recovered leftover once ``journal`` has its work on disk."""
    yield
    if journal.flush(60):
        forget(leftover)


def unknown_video(path: str, fingerprint: str, frames: int) -> VideoRef:
    """What is known of a video that nobody has found yet: its picture size and rate are not."""
    return VideoRef(path=path, fingerprint=fingerprint, frames=frames, width=0, height=0, fps=0.0)


def glance(doc: Document, frames: int) -> Lanes:
    """The lanes of a document on a clip of so many frames."""
    lanes = Lanes()
    lanes.reset(doc, frames)
    return lanes


def default_project(video: Path) -> Path:
    """Where the labels of ``video`` are saved unless the user says otherwise: ``<stem>.siamlabel`` beside it.

    The sample and videos in folders that cannot be written have theirs among the user's documents.
    """
    name = (video.name if video.is_dir() else video.stem) + SUFFIX
    sample = diagnostics.resource(SAMPLE).parent
    if video.parent == sample or not os.access(video.parent, os.W_OK):
        told = Clip(str(video)).name  # says which clip it is where all lie in one folder
        name = f"sample{SUFFIX}" if video.parent == sample else name if told == video.name else told + SUFFIX
        return diagnostics.paths().documents / name
    return video.parent / name


def free_name(path: Path) -> Path:
    """``path``, or the first of ``stem-2``, ``stem-3``, ... that is not taken."""
    candidate, number = path, 2
    while candidate.exists():
        candidate, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return candidate


def _open_project(path: Path, cache: Path, video: Path | None, accept: bool) -> Generator[str, None, Opened]:
    yield tr("Reading {path}…").format(path=path.name)
    return (yield from open_document(load_project(path), path, cache, video, accept))


def _examine(path: Path, cache: Path) -> Generator[str, None, tuple[MediaInfo, VideoRef]]:
    yield tr("Indexing {path}…").format(path=path.name)
    info = probe(path, cache)
    ref = VideoRef(
        path=str(path), fingerprint=info.fingerprint, frames=info.frames, width=info.width, height=info.height,
        fps=info.fps,
    )  # fmt: skip
    return info, ref


def _difference(then: VideoRef, now: VideoRef) -> str:
    was = (then.frames, then.width, then.height)
    has = (now.frames, now.width, now.height)
    if was == has:
        return tr("same length and size, other content")
    return tr("{has} frames of {has2} x {has3} instead of {was} of {was2} x {was3}").format(
        has=has[0], has2=has[1], has3=has[2], was=was[0], was2=was[1], was3=was[2]
    )
