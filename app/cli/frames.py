"""``export-frames``: exactly the wanted frames of a video, as pictures or as a clip."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from app.model.document import Document


def export_frames(
    source: Annotated[Path, Parameter(name="IN")],
    out: Annotated[Path, Parameter(name="OUT")],
    *,
    format_: Annotated[str, Parameter(name=["--format", "-f"])] = "jpg",
    frames: str = "",
    every: int = 1,
    numbering: str = "plain",
    quality: int = 95,
    rate: float = 0.0,
    video: Path | None = None,
) -> int:
    """Write frames of a video exactly as SiamLabel numbers them.

    Parameters
    ----------
    source
        A video, a folder of images, or labels in any format of `formats` (a project, for example).
    out
        The folder of the pictures, or the clip.
    format_
        jpg, png (exact) or mp4 (a clip with nothing but these frames, at a constant rate).
    frames
        labelled, keyframes, all, or ranges like 0-99,120 (from 0, both ends inside). Labelled where there are labels,
        else all.
    every
        Keep only each n-th of them.
    numbering
        Name the pictures as a data set does: plain (from 0), vot, lasot, got10k, otb, uav123, trackingnet, mot, coco,
        davis, youtube-vis, yolo or voc.
    quality
        Of JPEG pictures, 1 to 100.
    rate
        Frames per second of a clip; the video's where it is 0.
    video
        The video that the labels are about, where they do not say where it lies.
    """
    import msgspec

    from app import diagnostics
    from app.media import open_media, probe
    from app.work.errors import SessionError
    from app.work.frame_export import FrameParams, wanted
    from app.work.frame_export import export_frames as export

    console = Console()
    given = {"kind": format_, "numbering": numbering, "quality": quality, "rate": rate}
    try:
        params = msgspec.convert(given, FrameParams)
    except msgspec.ValidationError as error:
        raise SessionError(f"These options are not possible: {error}; see main.py export-frames --help") from None
    doc, media = _source(source, video)
    cache = diagnostics.paths().cache
    chosen = wanted(doc, probe(media, cache).frames, frames or ("labelled" if doc else "all"), every)
    steps = export(media, out, chosen, params, partial(open_media, cache_dir=cache))
    with Progress(console=console) as progress, closing(steps):
        bar = progress.add_task(f"Writing {out.name}", total=1.0)
        while True:
            try:
                progress.update(bar, completed=next(steps))
            except StopIteration as end:
                report = end.value
                progress.update(bar, completed=1.0)
                break
    console.print(f"{report.frames} frames written to {report.out}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"Which is which: {report.table}", highlight=False, soft_wrap=True, markup=False)
    return 0


def _source(source: Path, video: Path | None) -> tuple[Document | None, Path]:
    """The labels in ``source``, None when it is the video itself, and the video. Raises `SessionError`."""
    from app.formats.detect import candidates, read
    from app.work.errors import SessionError

    if not source.exists():
        raise SessionError(f"{source} does not exist; check the path")
    if not candidates(source):
        return None, video or source
    doc = read(source)
    media = video or Path(doc.video.path if doc.video else "")
    if not (media.is_absolute() or video) or not media.exists():
        raise SessionError(f"The video that {source} is about is not at hand; say where it is with --video")
    return doc, media
