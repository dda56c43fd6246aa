"""Which format a file or folder is in, by what each format recognises; reading anything that is known."""

from __future__ import annotations

from pathlib import Path

from app.formats.base import Format, FormatError, formats, get
from app.formats.project import FORMAT as PROJECT
from app.formats.project import SUFFIX, load_project
from app.model.document import Document

__all__ = ["PROJECT", "candidates", "detect", "read"]


def candidates(path: Path) -> list[str]:
    """The ids of the formats that ``path`` may be in, `PROJECT` among them; cheap, never raises."""
    if path.is_file() and path.suffix.lower() == SUFFIX:
        return [PROJECT]
    return [name for name, known in formats().items() if _recognises(known, path)]


def detect(path: Path | str) -> str:
    """The id of the one format that ``path`` is in, or `PROJECT`. Raises `FormatError` for none and for several."""
    path = Path(path)
    if not path.exists():
        raise FormatError("there is no such file or folder", path, remedy="Check the path.")
    found = candidates(path)
    if len(found) == 1:
        return found[0]
    if found:
        raise FormatError(f"this may be {' or '.join(found)}", path, remedy="Say which of them it is (--from).")
    known = ", ".join((PROJECT, *formats()))
    raise FormatError(
        "the format is not recognised",
        path,
        remedy=f"Choose the file or folder that holds the labels. Known are: {known}.",
    )


def read(path: Path | str, format_id: str = "") -> Document:
    """The document in a project or in a file or folder of a format, which is detected when ``format_id`` is empty.

    Raises `FormatError` or `ProjectError`; nothing is written.
    """
    path = Path(path)
    chosen = format_id or detect(path)
    return load_project(path) if chosen == PROJECT else get(chosen).read(path)


def _recognises(known: Format, path: Path) -> bool:
    try:
        return known.recognises(path)
    except Exception:  # it promises not to raise, but a plug-in that does must not hide the others
        return False
