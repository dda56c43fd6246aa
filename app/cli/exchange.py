"""``convert`` and ``formats``: labels from any format to any other on the command line."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from app.formats.base import Format, Preflight
    from app.model.document import VideoRef


def convert(
    source: Annotated[Path, Parameter(name="IN")],
    out: Annotated[Path, Parameter(name="OUT")],
    *,
    to: str,
    from_: Annotated[str, Parameter(name="--from")] = "",
    option: Annotated[list[str] | None, Parameter(name=["--option", "-o"], negative=())] = None,
    reading: Annotated[list[str] | None, Parameter(name=["--reading", "-r"], negative=())] = None,
    video: Path | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Convert labels from one format to another, with a list of what is lost and a proof.

    Parameters
    ----------
    source
        A project, or a file or folder in any format of `formats`; of a file about several clips FILE/CLIP, or the
        clip that is called like the video.
    out
        The file or folder to write. An earlier export there is replaced once the new one is proven.
    to
        The format to write, or siamlabel for a project.
    from_
        The format of IN, where it is not recognised or could be several.
    option
        An option of the format to write, as name=value; may be given several times. See `formats FORMAT`.
    reading
        An option at reading IN, as name=value, for the few formats that have one. See `formats FORMAT`.
    video
        The video or folder of images that the labels are about, where IN does not say or hold it.
    dry_run
        Say what would be written and lost, and write nothing.
    """
    from app import diagnostics
    from app.formats import base
    from app.formats.conversion import converting, fitted, preflight
    from app.formats.detect import PROJECT, detect, read_about
    from app.formats.detect import reading as reading_of
    from app.formats.options import parse_options
    from app.media import open_media

    console = Console()
    chosen = None if to == PROJECT else base.get(to)
    if chosen is None and option:
        raise base.FormatError("a project has no options", remedy="Leave --option out.")
    params = parse_options(chosen, option or []) if chosen else None
    found = from_ or detect(source)
    how = None
    if reading:
        kind = reading_of(found)
        if kind is None:
            raise base.FormatError(f"there is nothing to choose when {found} is read", remedy="Leave --reading out.")
        how = parse_options(base.get(found), reading, kind)
    with console.status(f"Reading {source.name}"):
        about = _reference(video) if video else None
        doc = fitted(read_about(source, about, found, how), about)
        if to == PROJECT and doc.video is not None and not doc.video.fingerprint and _at_hand(doc.video):
            doc = fitted(doc, _reference(Path(doc.video.path)))
    _say(console, f"{source}: {PROJECT if found == PROJECT else base.get(found).title}")
    _show(console, preflight(doc, to, params))
    if dry_run:
        return 0
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    steps = converting(doc, out, to, params, partial(open_media, cache_dir=diagnostics.paths().cache))
    with Progress(*columns, console=console) as progress, closing(steps):
        bar = progress.add_task(f"Writing {out.name}", total=1.0)
        while True:
            try:
                progress.update(bar, completed=next(steps))
            except StopIteration as end:
                report = end.value
                progress.update(bar, completed=1.0)
                break
    pictures = f", {report.pictures} pictures" if report.pictures else ""
    _say(console, f"Written to {report.written[0]}{pictures}; read back and compared.")
    if chosen is not None:
        _say(console, f"Report: {report.written[-1]}")
    return 0


def formats(
    format_: Annotated[str, Parameter(name="FORMAT")] = "", *, markdown: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """List the formats with what they keep; of one format also its options.

    Parameters
    ----------
    format_
        The format to tell more about.
    markdown
        Print the text of docs/formats.md.
    """
    from app.formats import base, table

    console = Console()
    if markdown:
        print(table.markdown(base.formats(plugins=False).values()), end="")
    elif format_:
        _show_format(console, base.get(format_))
    else:
        listing = Table(show_header=False, box=None, padding=(0, 2, 1, 0))
        listing.add_column(style="bold", no_wrap=True)
        for name, known in base.formats().items():
            kept, partly, lost = table.grouped(known.holds)
            parts = (("keeps", kept), ("in part", partly), ("loses", lost))
            told = [f"{word} {', '.join(aspects)}" for word, aspects in parts if aspects]
            listing.add_row(name, f"{known.title}: {'; '.join(told)}")
        console.print(listing)
        for problem in base.problems():
            _say(console, problem)
    return 0


def _show_format(console: Console, known: Format) -> None:
    from app.formats.aspects import LOST, Aspect
    from app.formats.detect import reading as reading_of
    from app.formats.options import options_of

    listing = Table(title=known.title, title_justify="left", show_header=False, box=None)
    for aspect in Aspect:
        listing.add_row(aspect.value, known.holds.get(aspect, LOST))
    console.print(listing)
    reading = reading_of(known.id)
    for heading, kind in (("Options", known.params), ("Options at reading (--reading)", reading)):
        if kind is None:
            continue
        options = Table(title=heading, title_justify="left")
        for title in ("name", "values", "default", "what"):
            options.add_column(title, no_wrap=title == "name")
        for option in options_of(known, kind):
            options.add_row(option.name, option.values, option.default, option.hint)
        console.print(options)


def _show(console: Console, told: Preflight) -> None:
    _say(console, "  " + ", ".join(f"{what} {count}" for what, count in told.counts.items()))
    for loss in told.losses:
        _say(console, f"  - {loss}")
    if not told.losses:
        _say(console, "  Nothing is lost.")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def _at_hand(video: VideoRef) -> bool:
    return Path(video.path).is_absolute() and Path(video.path).exists()


def _reference(path: Path) -> VideoRef:
    """What a document says about the video at ``path``. Raises `MediaError`."""
    from app import diagnostics
    from app.media import probe
    from app.model.document import VideoRef

    info = probe(path.absolute(), diagnostics.paths().cache)
    return VideoRef(str(path.absolute()), info.fingerprint, info.frames, info.width, info.height, info.fps)
