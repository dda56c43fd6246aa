"""The file that CVAT's labels are in: plain, in a folder, or in an archive that is read without unpacking it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.formats.base import FormatError
from app.formats.one_file import BROKEN_ARCHIVE, check_size, first_bytes
from app.words import tr

INSIDE = "annotations.xml"


def looks_like_it(path: Path) -> bool:
    """Whether the beginning of a file (or of the one in an archive) is that of CVAT's XML; never raises."""
    head = first_bytes(path / INSIDE if path.is_dir() else path)
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive, archive.open(_inside(archive)) as file:
                head = file.read(4096)
        except BROKEN_ARCHIVE:
            return False
    return b"<annotations" in head


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The annotations of a file or an archive. Raises `FormatError`, and what `zipfile` raises."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            try:
                name = _inside(archive)
            except KeyError:
                raise FormatError(
                    tr("the archive holds no {name}").format(name=INSIDE),
                    path,
                    remedy=tr("Choose a CVAT export."),
                ) from None
            check_size(archive.getinfo(name).file_size, path)
            with archive.open(name) as file:
                yield file  # reads no more than the size that was checked
        return
    check_size(path.stat().st_size, path)
    with path.open("rb") as file:
        yield file


def _inside(archive: zipfile.ZipFile) -> str:
    """The name of the annotations in an archive. Raises KeyError."""
    for name in archive.namelist():
        if name.rpartition("/")[2] == INSIDE:
            return name
    raise KeyError(INSIDE)
