"""Which format a file or folder is in, by what each format recognises; reading anything that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from app.formats.base import Format, FormatError, formats, get
from app.formats.pictures import NoSizeError
from app.formats.project import FORMAT as PROJECT
from app.formats.project import SUFFIX, load_project
from app.formats.several import SeveralClipsError, member_of
from app.model.document import Document, VideoRef
from app.words import tr

__all__ = ["PROJECT", "candidates", "detect", "guess", "read", "read_about", "reading"]


def candidates(path: Path) -> list[str]:
    """The ids of the formats that ``path`` may be in, `PROJECT` among them; cheap, never raises."""
    path, _ = member_of(path)
    if path.is_file() and path.suffix.lower() == SUFFIX:
        return [PROJECT]
    return [name for name, known in formats().items() if _recognises(known, path)]


def detect(path: Path | str) -> str:
    """The id of the one format that ``path`` is in, or `PROJECT`. Raises `FormatError` for none and for several."""
    path = Path(path)
    if not member_of(path)[0].exists():
        raise FormatError(tr("there is no such file or folder"), path, remedy=tr("Check the path."))
    found = candidates(path)
    if len(found) == 1:
        return found[0]
    if found:
        raise FormatError(
            tr("this may be {found}").format(found=" or ".join(found)),
            path,
            remedy=tr("Say which of them it is (--from)."),
        )
    known = ", ".join((PROJECT, *formats()))
    raise FormatError(
        tr("the format is not recognised"),
        path,
        remedy=tr("Choose the file or folder that holds the labels. Known are: {known}.").format(known=known),
    )


def reading(format_id: str) -> type[msgspec.Struct] | None:
    """What there is to choose when a format is read; None for most, whose files say everything themselves."""
    return None if format_id == PROJECT else getattr(get(format_id), "reading", None)


def read(path: Path | str, format_id: str = "", how: msgspec.Struct | None = None) -> Document:
    """The document in a project or in a file or folder of a format, which is detected when ``format_id`` is empty.

    ``how``: one of the format's `reading`, its defaults when None. Raises `FormatError` or `ProjectError`; nothing is
    written.
    """
    path = Path(path)
    chosen = format_id or detect(path)
    if chosen == PROJECT:
        return load_project(path)
    known = get(chosen)
    kind = reading(chosen)
    if how is None or kind is None:
        return known.read(path)
    if not isinstance(how, kind):
        raise FormatError(
            tr("{title} is read with {name}, not {name2}").format(
                title=known.title, name=kind.__name__, name2=type(how).__name__
            )
        )
    as_told: Callable[[Path, msgspec.Struct], Document] = known.read_as  # type: ignore[attr-defined]
    return as_told(path, how)


def read_about(
    path: Path | str, video: VideoRef | None, format_id: str = "", how: msgspec.Struct | None = None
) -> Document:
    """As `read`; of a file about several clips the one that is called like ``video``, which also gives its size."""
    try:
        return read(path, format_id, how)
    except NoSizeError:
        if video is None:
            raise
        return get(format_id or detect(path)).read_on(Path(path), video)  # type: ignore[attr-defined]
    except SeveralClipsError as several:
        mine = several.about(video) if video is not None else None
        if mine is None:
            raise
    return read(mine, format_id, how)


def guess(found: Document, here: Document, format_id: str) -> tuple[msgspec.Struct, str] | None:
    """How ``found`` is better read, judged by what is labelled ``here``, and why, in words; None: as it was."""
    judge: Callable[[Document, Document], tuple[msgspec.Struct, str] | None] | None = (
        None if reading(format_id) is None else getattr(get(format_id), "guess", None)
    )
    return judge(found, here) if judge is not None else None


def _recognises(known: Format, path: Path) -> bool:
    try:
        return known.recognises(path)
    except Exception:  # it promises not to raise, but a plug-in that does must not hide the others
        return False
