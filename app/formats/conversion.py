"""From any format to any other, project files among them: read, fit to the video, export with proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import msgspec

from app.formats.base import ExportMismatchError, ExportReport, FormatError, OpenFrames, Preflight, export, plan
from app.formats.compare import differences
from app.formats.detect import PROJECT, read_about
from app.formats.project import SUFFIX, load_project, save_project
from app.model.document import Document, VideoRef
from app.model.tracks import State
from app.words import tr


def convert(
    source: Path | str,
    out: Path | str,
    to: str,
    *,
    source_format: str = "",
    params: msgspec.Struct | None = None,
    video: VideoRef | None = None,
    open_frames: OpenFrames | None = None,
    progress: Callable[[float], None] | None = None,
) -> ExportReport:
    """Read ``source`` and write it to ``out`` in the format ``to`` (or as a project, `PROJECT`), with proof.

    ``source_format``: detected when empty. ``params``: the target's options. ``video``: the clip that the labels are
    about, where ``source`` does not say its size, or to correct what it says. ``open_frames``: opens the clip for
    frame pictures. ``progress`` is called with 0..1. Raises `FormatError` or `ProjectError`; ``out`` is untouched then.
    """
    steps = converting(fitted(read_about(source, video, source_format), video), out, to, params, open_frames)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return end.value
        if progress is not None:
            progress(done)


def preflight(doc: Document, to: str, params: msgspec.Struct | None = None) -> Preflight:
    """Counts and losses of writing ``doc`` as ``to``, which may be a project. Raises `FormatError`."""
    return _project_preflight(doc) if to == PROJECT else plan(doc, to, params)


def converting(
    doc: Document,
    out: Path | str,
    to: str,
    params: msgspec.Struct | None = None,
    open_frames: OpenFrames | None = None,
) -> Generator[float, None, ExportReport]:
    """Write ``doc`` as ``to``; a generator of progress in 0..1 that returns the report. Raises as `convert` does."""
    if to == PROJECT:
        return _as_project(doc, Path(out).expanduser().absolute())
    media = Path(doc.video.path) if doc.video is not None else None
    at_hand = media is not None and media.is_absolute() and media.exists() and open_frames is not None
    return export(doc, media if at_hand else None, to, out, params, open_frames if at_hand else None)


def fitted(doc: Document, video: VideoRef | None) -> Document:
    """``doc``, about ``video`` where one is given. Raises `FormatError` when its labels cannot be about that video."""
    if video is None:
        return doc
    told = doc.video
    if told is not None and (told.width, told.height) != (video.width, video.height):
        what = tr("the video has {width} x {height} pixels, the labels are about {width2} x {height2}").format(
            width=video.width, height=video.height, width2=told.width, height2=told.height
        )
        raise FormatError(what, Path(video.path), remedy=tr("Give the video that was labelled."))
    last = max((frame for track in doc.tracks.values() for frame in track.frames), default=-1)
    if last >= video.frames:
        raise FormatError(
            tr("the video has {frames} frames, but there are labels up to frame {last}").format(
                frames=video.frames, last=last
            ),
            Path(video.path),
            remedy=tr("Give the video that was labelled."),
        )
    doc.video = video
    return doc


def _project_preflight(doc: Document) -> Preflight:
    if doc.video is None:
        raise FormatError(tr("nothing says which clip the labels are about"), remedy=tr("Give the video (--video)."))
    seen = [obs for track in doc.tracks.values() for obs in track.frames.values()]
    counts = Counter[str](
        frames=doc.video.frames,
        tracks=len(doc.tracks),
        boxes=sum(obs.present for obs in seen),
        masks=sum(obs.mask is not None for obs in seen),
        absent=sum(not obs.present for obs in seen),
        occluded=sum(obs.state is State.OCCLUDED for obs in seen),
        unverified=sum(not obs.protected for obs in seen),
        ignored=sum(track.ignored for track in doc.tracks.values()),
    )
    there = bool(doc.video.fingerprint) and Path(doc.video.path).exists()
    return Preflight(dict(counts), [] if there else [tr("The video is not at hand: SiamLabel will ask where it is.")])


def _as_project(doc: Document, out: Path) -> Generator[float, None, ExportReport]:
    if out.suffix.lower() != SUFFIX:
        raise FormatError(
            tr("a project ends in {SUFFIX}").format(SUFFIX=SUFFIX),
            out,
            remedy=tr("Name it {stem}{SUFFIX}.").format(stem=out.stem, SUFFIX=SUFFIX),
        )
    told = _project_preflight(doc)

    def work() -> Generator[float, None, ExportReport]:
        yield 0.0
        out.parent.mkdir(parents=True, exist_ok=True)
        save_project(doc, out)
        yield 0.7
        found = differences(doc, load_project(out), rounding=0.0)
        report = ExportReport(PROJECT, [out], told, not found, found)
        if found:
            raise ExportMismatchError(out, report)
        yield 1.0
        return report

    return work()
