"""The JSON that COCO's labels are in: a file, or one in an archive that is read without unpacking it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from app.formats.base import FormatError
from app.formats.one_file import BROKEN_ARCHIVE, check_size, first_bytes
from app.formats.several import the_one
from app.words import tr

_HEAD = 1 << 16
_LOOKED_AT = 100


def begins_as_coco(head: bytes) -> bool:
    """Whether the first kilobytes of a file are those of COCO, and of none of its relatives as we write them."""
    ours = b'"siamlabel":"bbox' in head
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and (
        b'"flavour":"' not in head and (ours or b'"images"' in head or (b'"annotations"' in head and b'"bbox"' in head))
    )


def looks_like_it(path: Path) -> bool:
    """Whether ``path`` is a COCO file, or an archive with one; never raises."""
    head = first_bytes(path, _HEAD)
    return bool(_inside(path)) if head.startswith(b"PK") else begins_as_coco(head)


def content(path: Path, wanted: str) -> tuple[bytes, str]:
    """The JSON in ``path``, and ``wanted`` (of `app.formats.several`) less the name in the archive that it begins with.

    Raises `FormatError` for an archive with none and for one that cannot be read; `SeveralClipsError` for several.
    """
    if not first_bytes(path, 2).startswith(b"PK"):
        try:
            check_size(path.stat().st_size, path)
            return path.read_bytes(), wanted
        except OSError as error:
            what = tr("cannot be read ({error})").format(error=error.strerror or error)
            raise FormatError(what, path, remedy=tr("Check the path.")) from None
    names = _inside(path)
    if not names:
        raise FormatError(tr("the archive holds no COCO file"), path, remedy=tr("Choose a COCO export, or unpack it."))
    told = next((name for name in names if wanted == name or wanted.startswith(f"{name}/")), "")
    name = told or names[the_one(path, "", names, "")]
    rest = wanted.removeprefix(told).lstrip("/")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as file:
            check_size(archive.getinfo(name).file_size, path)
            return file.read(), rest  # no more than the size that was checked
    except BROKEN_ARCHIVE as error:
        raise FormatError(
            tr("the archive cannot be read ({error})").format(error=error),
            path,
            remedy=tr("Unpack it, or export again."),
        ) from None


def _inside(path: Path) -> list[str]:
    """The names of the COCO files in an archive; never raises."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.lower().endswith(".json"))[:_LOOKED_AT]
            return [name for name in names if begins_as_coco(_head(archive, name))]
    except BROKEN_ARCHIVE:
        return []


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(_HEAD)
