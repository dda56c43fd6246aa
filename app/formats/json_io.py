"""JSON files, decoded into the types that a format expects."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import TypeVar

import msgspec

from app.formats.base import MAX_BYTES, FormatError
from app.words import tr

T = TypeVar("T")


def decode(path: Path, kind: type[T] | UnionType, what: str, *, strict: bool = True) -> T:
    """The content of a file as ``kind``. Raises `FormatError` naming the key; it says ``what`` the file should be.

    Not ``strict``: numbers may be texts, and whole ones written as 5.0.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FormatError(
                tr("the file has {size} MB").format(size=size >> 20),
                path,
                remedy=tr("At most {MAX_BYTES} MB are read.").format(MAX_BYTES=MAX_BYTES >> 20),
            )
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None
    return decoded(data, path, kind, what, strict=strict)


def decoded(data: bytes, path: Path, kind: type[T] | UnionType, what: str, *, strict: bool = True) -> T:
    """`decode` of what was read from ``path``."""
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=kind, strict=strict)
    except msgspec.ValidationError as error:
        found, _, where = str(error).partition(" - at ")
        raise FormatError(found, path, where.strip("`"), tr("Check that this is {what}.").format(what=what)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FormatError(
            tr("this is no valid JSON ({error})").format(error=error),
            path,
            remedy=tr("Export the file again, or repair it at that byte."),
        ) from None
