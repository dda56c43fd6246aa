"""What formats with a file for each frame share: a folder of text files, one of pictures, and a note beside them.

The note, ``siamlabel.json``, says what such formats have no place for: the clip, the colours of its labels, and which
frame each file is about. Other tools ignore it, and folders without one are read, too.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from app.formats.atomic import write_bytes
from app.formats.base import Aspect, FormatError, Picture, Preflight, scaled
from app.formats.compare import differences
from app.formats.extras import OurVideo
from app.formats.names import plain, stem
from app.formats.per_frame_read import NOTE, Note
from app.formats.pictures import check_pictures, write_pictures
from app.formats.selection import Choice, Extra, Selection, select
from app.model.document import Document, VideoRef
from app.model.tracks import Observation, Track
from app.words import tr

Seen = list[tuple[Track, Observation]]
"""What is to be seen on a frame, in the order of the tracks."""


class PerFrameParams(Choice, frozen=True, kw_only=True):
    """Options of formats with a file for each frame."""

    clip: Annotated[
        bool, msgspec.Meta(title="Clip to the picture", description="Training tools skip pictures with boxes outside")
    ] = True
    frames: Annotated[
        Literal["labelled", "all"],
        msgspec.Meta(title="Frames", description="Those that carry a label (also that nothing is there), or all"),
    ] = "labelled"
    with_frames: Annotated[bool, msgspec.Meta(title="Pictures", description="Write the pictures as JPEG, too")] = False
    jpeg_quality: Annotated[int, msgspec.Meta(title="JPEG quality", ge=1, le=100)] = 95


class Kept(Document):
    """What is kept, and which frames carry a label: those where nothing is to be seen have a file, too."""

    labelled: frozenset[int] = frozenset()


class PerFrame(ABC):
    """A format with a text file for each frame; what is special about one is in the methods that its file overrides."""

    id: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str] = ""
    folder: ClassVar[bool] = True
    params: type[msgspec.Struct] = PerFrameParams
    holds: ClassVar[Mapping[Aspect, str]]
    keeps: ClassVar[Collection[Extra]] = ()
    texts: ClassVar[str]
    """Folder of the text files, ``/`` between parts."""
    ending: ClassVar[str]
    pictures: ClassVar[str]

    @abstractmethod
    def reduced(self, doc: Document, params: Any, tally: Counter[str]) -> Document:
        """The document as the files will say it; losses are counted in ``tally`` under keys of `sentences`."""

    sentences: ClassVar[Mapping[str, str]]

    @abstractmethod
    def text(self, kept: Document, params: Any, picture: str, seen: Seen) -> bytes:
        """The file of a frame. ``picture``: the name of its picture."""

    @abstractmethod
    def besides(self, kept: Document, stems: Mapping[int, str]) -> dict[str, bytes]:
        """Files beside those of the frames, by name; ``/`` between parts."""

    @abstractmethod
    def read(self, path: Path) -> Document:
        """See `Format.read`."""

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """See `Format.recognises`."""

    def plan(self, doc: Document, params: Any) -> Preflight:
        chosen, tally, _ = self._chosen(doc, params)
        counts = chosen.preflight(masks=tally["masks"] > 0, losses=[]).counts
        losses = [tr(text).format(n=tally[key]) for key, text in self.sentences.items() if tally[key]]
        if params.with_frames:
            losses.append(tr("Frame pictures are written as JPEG, which alters pixels slightly."))
        return Preflight(counts, chosen.losses() + losses)

    def keep(self, doc: Document, params: Any) -> Document:
        kept = self._chosen(doc, params)[2]
        if not kept.tracks:
            raise FormatError(tr("there is no box to write"), remedy=tr("Label a frame, or choose tracks."))
        return kept

    def _chosen(self, doc: Document, params: Any) -> tuple[Selection, Counter[str], Document]:
        chosen = select(doc, params, self.keeps)
        tally: Counter[str] = Counter()
        labelled = {frame for track in chosen.document.tracks.values() for frame in track.frames}
        absent = sum(not obs.present for track in chosen.document.tracks.values() for obs in track.frames.values())
        tally["absent"] = absent
        tally["never" if params.frames == "all" else "left_out"] = chosen.video.frames - len(labelled)
        kept = self.reduced(chosen.document.copy(), params, tally)
        return chosen, tally, Kept(kept.video, kept.labels, kept.tracks, kept.next_id, labelled=frozenset(labelled))

    def wants_pictures(self, params: Any) -> bool:
        return params.with_frames

    def may_replace(self, out: Path) -> str:
        """Only an empty folder or an earlier export makes way, never a data set or what holds anything else."""
        there = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
        if not there:
            return ""
        if NOTE not in there:
            return tr("the folder exists and is no export of SiamLabel")
        ours = {NOTE, *self.besides(Document(), {})}
        kinds = ((self.texts, self.ending), (self.pictures, ".jpg"))
        for name in sorted(there - ours):
            folder, ending = PurePosixPath(name).parent.as_posix(), PurePosixPath(name).suffix
            if (folder, ending) not in kinds:
                return tr("the folder holds '{name}', which is no part of an export to {title}").format(
                    name=name, title=self.title
                )
        return ""

    def write(
        self, kept: Document, part: Path, params: Any, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`. Single files are not waited for: there are many, and the proof reads them all."""
        video = kept.video
        assert video is not None
        by_frame = _by_frame(kept)
        labelled = kept.labelled if isinstance(kept, Kept) else by_frame.keys()
        frames = sorted(labelled) if params.frames == "labelled" else range(video.frames)
        stems = dict(zip(frames, _stems(video, names, frames), strict=True))
        texts = part.joinpath(*self.texts.split("/"))
        texts.mkdir(parents=True)
        share = 0.3 if pictures is not None else 1.0
        written = []
        for done, (frame, name) in enumerate(stems.items()):
            content = self.text(kept, params, f"{name}.jpg", by_frame.get(frame, []))
            (texts / f"{name}{self.ending}").write_bytes(content)
            written.append(f"{self.texts}/{name}{self.ending}")
            if done % 200 == 199:
                yield share * done / len(stems)
        about = OurVideo(stem(video), video.frames, video.width, video.height, video.fps, video.fingerprint)
        note = Note(about, [label.colour for label in kept.labels], list(stems), list(stems.values()))
        for name, content in {**self.besides(kept, stems), NOTE: msgspec.json.encode(note)}.items():
            target = part.joinpath(*name.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(target, content)
            written.append(name)
        if pictures is not None:
            folder = part.joinpath(*self.pictures.split("/"))
            steps = write_pictures(
                [folder], lambda f: f"{stems[f]}.jpg", video, pictures, params.jpeg_quality, wanted=stems.keys()
            )
            files = yield from scaled(steps, share, 1.0)
            written += [f"{self.pictures}/{name}" for name in files]
        return written

    def proof(self, part: Path, kept: Document, params: Any) -> Generator[float, None, list[str]]:
        found = differences(kept, self.read(part))
        yield 0.5
        if params.with_frames:
            assert kept.video is not None
            note = msgspec.json.decode((part / NOTE).read_bytes(), type=Note)
            stems = dict(zip(note.frames, note.files, strict=True))
            folder = part.joinpath(*self.pictures.split("/"))
            steps = check_pictures([folder], lambda frame: f"{stems[frame]}.jpg", kept.video, stems.keys())
            found += yield from scaled(steps, 0.5, 1.0)
        return found


def _by_frame(kept: Document) -> dict[int, Seen]:
    """What is to be seen on each frame, where there is anything."""
    out: dict[int, Seen] = {}
    for track in kept.tracks.values():
        for frame, obs in track.frames.items():
            if obs.present:
                out.setdefault(frame, []).append((track, obs))
    return out


def _stems(video: VideoRef, names: Sequence[str], frames: Sequence[int]) -> list[str]:
    """File names without their ending: those of the pictures of an image folder, else the clip's and the number."""
    given = [PurePosixPath(names[frame]).stem for frame in frames] if names else []
    safe = [re.sub(r"[^\w.-]+", "_", plain(name)) for name in given]
    if given and safe == given and len(set(map(str.lower, given))) == len(given):
        return given
    return [f"{stem(video)}_{frame:06d}" for frame in frames]
