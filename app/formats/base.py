"""What every format shares: the protocol, preflight and report, and the one road an export takes.

The road: copy -> `Format.keep` (the document as this format can say it, with every loss named) -> write into a part
-> read the part back and compare it with what was meant -> put it in place. A failure or a cancel anywhere leaves the
earlier export untouched.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np

from app.formats import atomic, plugged
from app.formats.aspects import KEPT as KEPT
from app.formats.aspects import LOST as LOST
from app.formats.aspects import Aspect
from app.formats.known import FORMATS
from app.formats.names import leads_away, plain, short
from app.model.document import Document
from app.words import tr
from tracker.plugins import PluginError

ROUNDING = 0.0005
"""Pixels: coordinates are written with three decimals, so each of x, y, w and h may move by this much."""

MAX_BYTES = 1 << 30
"""Largest text file that is read, in bytes."""

MAX_PIXELS = 1 << 28
"""Largest image that is read about: 16 384 x 16 384. A larger claim is refused before memory is asked for."""

MAX_FRAMES = 100_000_000
"""Longest video that is read about; 38 days at 30 fps."""

PICTURES = (".jpg", ".png")
"""Endings of files that a report counts instead of naming them one by one."""

Progress = Callable[[float], None]
T = TypeVar("T")


class FormatError(Exception):
    """A file cannot be written or read; the message names the file, the line or key, and the remedy."""

    def __init__(self, what: str, path: Path | None = None, where: str = "", remedy: str = "") -> None:
        what, where, remedy = short(tr(what)), short(where), tr(remedy)  # constants come as they are marked
        place = ", ".join(part for part in (str(path) if path else "", where) if part)
        text = f"{place}: {what}" if place else what[:1].upper() + what[1:]
        text = text if text.endswith((".", "!", "?")) else text + "."
        super().__init__(f"{text} {remedy}".strip())


class ExportMismatchError(FormatError):
    """What was written reads back as something else; nothing was put in place. ``report`` lists the differences."""

    def __init__(self, path: Path, report: ExportReport) -> None:
        more = len(report.differences) - 3
        shown = "; ".join(report.differences[:3]) + (tr("; and {more} more").format(more=more) if more > 0 else "")
        super().__init__(
            tr("reading the export back gave something else: {shown}").format(shown=shown),
            path,
            remedy="The earlier export was kept. Please report this, it is a fault of SiamLabel or of the disk.",
        )
        self.report = report


class Preflight(msgspec.Struct, frozen=True):
    """What an export will hold, known before writing.

    ``counts``: frames, tracks, boxes, masks, absent, occluded, unverified (in this order, for display).
    ``losses``: one sentence for each thing that the format or the chosen options do not keep.
    """

    counts: dict[str, int]
    losses: list[str]


class ExportReport(msgspec.Struct, frozen=True):
    """What an export did. ``written``: the export, its parts, the report; frame pictures are only counted."""

    format: str
    written: list[Path]
    preflight: Preflight
    verified: bool
    differences: list[str]
    pictures: int = 0


class Picture(Protocol):
    """One decoded frame: ``index`` 0-based, ``image`` (height, width, 3) uint8 BGR."""

    @property
    def index(self) -> int: ...
    @property
    def image(self) -> np.ndarray: ...


class FrameReader(Protocol):
    """The part of a media reader that an export needs. Readers of image folders also have ``files``, a path a frame."""

    def iter(self, start: int, stop: int, step: int = 1) -> Iterator[Picture]: ...


OpenFrames = Callable[[Path], AbstractContextManager[FrameReader]]
"""Opens the video in the thread that exports; `app.media` provides it, handed in so that the two rooms stay apart."""


class Format(Protocol):
    """One file format, both ways. ``folder``: an export is a folder; else a file with ``suffix``.

    ``holds``: for every `Aspect` whether it is `KEPT`, `LOST`, or in a few words what becomes of it.
    """

    id: str
    title: str
    suffix: str
    folder: bool
    params: type[msgspec.Struct]
    holds: Mapping[Aspect, str]

    def recognises(self, path: Path) -> bool:
        """Whether ``path`` looks like this format, by names and the first kilobytes; never raises."""
        ...

    def plan(self, doc: Document, params: Any) -> Preflight:
        """Counts and losses of an export; cheap, writes nothing."""
        ...

    def keep(self, doc: Document, params: Any) -> Document:
        """The document as this format will say it: exactly what `read` must find, boxes within `ROUNDING`.

        Raises `FormatError` when there is nothing that could be written.
        """
        ...

    def write(
        self, kept: Document, part: Path, params: Any, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """Write ``kept`` (a result of `keep`) to ``part``. Yields progress in 0..1.

        Returns the names of the files of a folder, relative to it. ``names``: those of the pictures when the video is a
        folder of images, one a frame, else empty. ``pictures``: all frames in order, when asked for.
        """
        ...

    def wants_pictures(self, params: Any) -> bool: ...

    def proof(self, part: Path, kept: Document, params: Any) -> Generator[float, None, list[str]]:
        """Read ``part`` and return what differs from ``kept``, a sentence each. Yields progress in 0..1."""
        ...

    def may_replace(self, out: Path) -> str:
        """Why the existing ``out`` must not be replaced, or an empty text."""
        ...

    def read(self, path: Path) -> Document:
        """The document in a file or folder. Raises `FormatError`; never writes anything."""
        ...


def formats(*, plugins: bool = True) -> dict[str, Format]:
    """All formats by id, in the order in which to offer them; those of plug-ins last, without any that are broken."""
    found = {name: _load(where) for name, where in FORMATS.items()}
    for name in plugged.names(FORMATS) if plugins else ():
        with suppress(FormatError):
            found[name] = get(name)
    return found


def get(format_id: str) -> Format:
    """One format. Raises `FormatError` for an unknown id, naming those there are, and for a broken plug-in."""
    if format_id in FORMATS:
        return _load(FORMATS[format_id])
    others = plugged.names(FORMATS)
    if format_id not in others:
        raise FormatError(
            tr("there is no format '{format_id}'").format(format_id=format_id),
            remedy=tr("Known are: {value}.").format(value=", ".join((*FORMATS, *others))),
        )
    try:
        return plugged.load(format_id)
    except PluginError as error:
        raise FormatError(str(error)) from error


def problems() -> list[str]:
    """A sentence for each plug-in that brings no usable format."""
    return plugged.problems(FORMATS)


def _load(where: str) -> Format:
    module, name = where.split(":")
    return getattr(importlib.import_module(module), name)


def plan(doc: Document, format_id: str, params: msgspec.Struct | None = None) -> Preflight:
    """Counts and losses of an export with ``params`` (the format's defaults when None). Writes nothing."""
    chosen = get(format_id)
    return chosen.plan(doc, _checked_params(chosen, params))


def export(
    doc: Document,
    media_path: Path | str | None,
    format_id: str,
    out: Path | str,
    params: msgspec.Struct | None = None,
    open_frames: OpenFrames | None = None,
) -> Generator[float, None, ExportReport]:
    """Export ``doc`` to ``out``; a generator of progress in 0..1 that returns the `ExportReport`.

    The document is copied here and now, so call this in the document's lane and iterate wherever you like. Closing the
    generator cancels and cleans up. ``open_frames`` opens ``media_path`` when the options ask for frame pictures.
    Raises `FormatError` (and what ``open_frames`` raises), at once or while iterating; `ExportMismatchError`
    when the proof fails.
    """
    chosen = get(format_id)
    params = _checked_params(chosen, params)
    target = Path(out).expanduser().resolve()
    media = Path(media_path) if media_path else None
    _guard(chosen, target, media)
    if chosen.wants_pictures(params) and (open_frames is None or media is None):
        raise FormatError(tr("frames were asked for, but the video is not at hand"), remedy=tr("Open the video first."))
    return _export(chosen, doc.copy(), media, target, params, open_frames)


def run_export(
    doc: Document,
    media_path: Path | str | None,
    format_id: str,
    out: Path | str,
    params: msgspec.Struct | None = None,
    progress: Progress | None = None,
    open_frames: OpenFrames | None = None,
) -> ExportReport:
    """`export` to its end in this thread; ``progress`` is called with 0..1. Raises as `export` does."""
    steps = export(doc, media_path, format_id, out, params, open_frames)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return end.value
        if progress is not None:
            progress(done)


def report_path(out: Path) -> Path:
    """Where the report of the export ``out`` lies: ``<name>.report.json`` beside it."""
    return out.with_name(out.name + ".report.json")


def scaled(steps: Generator[float, None, T], start: float, stop: float) -> Generator[float, None, T]:
    """``steps`` with its progress mapped from 0..1 to ``start``..``stop``."""
    with closing(steps):
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                return end.value
            yield start + (stop - start) * min(max(done, 0.0), 1.0)


def read_text(path: Path) -> str:
    """A text file in UTF-8 (a byte order mark is dropped). Raises `FormatError`."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FormatError(
                tr("the file has {size} MB").format(size=size >> 20),
                path,
                remedy=tr("At most {MAX_BYTES} MB are read.").format(MAX_BYTES=MAX_BYTES >> 20),
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            tr("byte {start} is not UTF-8 text").format(start=error.start),
            path,
            remedy=tr("Save the file in UTF-8, or check it is the right one."),
        ) from None
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None


def _export(
    chosen: Format, doc: Document, media: Path | None, target: Path, params: Any, open_frames: OpenFrames | None
) -> Generator[float, None, ExportReport]:
    yield 0.0
    try:
        preflight = chosen.plan(doc, params)
        kept = chosen.keep(doc, params)
        with atomic.staging(target) as part, atomic.staging(report_path(target)) as report_part:
            with _reader(doc, media, open_frames, chosen.wants_pictures(params)) as (named, pictures):
                names = yield from scaled(chosen.write(kept, part, params, named, pictures), 0.0, 0.7)
            differences = yield from scaled(chosen.proof(part, kept, params), 0.7, 0.98)
            texts = [name for name in names if not name.endswith(PICTURES)]
            report = ExportReport(
                format=chosen.id,
                written=[target, *(target / name for name in texts), report_path(target)],
                preflight=preflight,
                verified=not differences,
                differences=differences,
                pictures=len(names) - len(texts),
            )
            if differences:
                raise ExportMismatchError(target, msgspec.structs.replace(report, written=[]))
            atomic.write_bytes(report_part, _report_json(report, target))
            yield 0.99
            _guard(chosen, target, media)  # the disk may have changed while we wrote
            atomic.put_in_place(part, target)
            _place_report(report_part, target)
    except OSError as error:
        raise FormatError(
            tr("cannot be written ({error})").format(error=error.strerror or error),
            target,
            remedy=tr(
                "The earlier export was kept. Check the free space and the permissions, or choose another place."
            ),
        ) from error
    yield 1.0
    return report


@contextmanager
def _reader(
    doc: Document, media: Path | None, open_frames: OpenFrames | None, wanted: bool
) -> Iterator[tuple[list[str], Iterator[Picture] | None]]:
    """Picture names of an image folder (``<folder>/<file>``; none for a video), and the frames if ``wanted``."""
    if open_frames is None or media is None or doc.video is None or not (wanted or media.is_dir()):
        yield [], None
        return
    with open_frames(media) as reader:
        names = [f"{media.name}/{file.name}" for file in getattr(reader, "files", ())]
        if len(names) != doc.video.frames or any(leads_away(name) or plain(name) != name for name in names):
            names = []
        yield names, reader.iter(0, doc.video.frames, 1) if wanted else None


def _place_report(part: Path, target: Path) -> None:
    try:
        atomic.put_in_place(part, report_path(target))
    except OSError as error:
        raise FormatError(
            tr("the report could not be put beside the export ({error})").format(error=error.strerror or error),
            report_path(target),
            remedy=tr("The export itself is complete and was checked."),
        ) from error


def _checked_params(chosen: Format, params: msgspec.Struct | None) -> msgspec.Struct:
    if params is None:
        return chosen.params()
    if not isinstance(params, chosen.params):
        raise FormatError(
            tr("{title} takes {name}, not {name2}").format(
                title=chosen.title, name=chosen.params.__name__, name2=type(params).__name__
            )
        )
    return params


def _guard(chosen: Format, target: Path, media: Path | None) -> None:
    """Refuse targets whose replacement would destroy what is no export."""
    if media is not None and (target == media.resolve() or target in media.resolve().parents):
        raise FormatError(tr("the export would overwrite the video"), target, remedy=tr("Choose another place."))
    if not target.exists():
        return
    if chosen.folder != target.is_dir():
        kind = tr("a file") if chosen.folder else tr("a folder")
        raise FormatError(tr("{kind} of this name exists").format(kind=kind), target, remedy=tr("Choose another name."))
    reason = chosen.may_replace(target)
    if reason:
        raise FormatError(reason, target, remedy=tr("Choose a new or an empty place."))


def _report_json(report: ExportReport, target: Path) -> bytes:
    data = {
        "format": report.format,
        "export": target.name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": report.preflight.counts,
        "losses": report.preflight.losses,
        "rounding_px": ROUNDING,
        "verified": report.verified,
        "differences": report.differences,
        "pictures": report.pictures,
        "files": [path.relative_to(target).as_posix() for path in report.written[1:-1]],
    }
    return msgspec.json.format(msgspec.json.encode(data), indent=2)
