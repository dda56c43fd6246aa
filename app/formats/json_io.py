"""JSON files, decoded into the types that a format expects."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import TypeVar

import msgspec

from app.formats.base import MAX_BYTES, FormatError

T = TypeVar("T")


def decode(path: Path, kind: type[T] | UnionType, what: str, *, strict: bool = True) -> T:
    """The content of a file as ``kind``. Raises `FormatError` naming the key; it says ``what`` the file should be.

    Not ``strict``: numbers may be texts, and whole ones written as 5.0.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FormatError(f"the file has {size >> 20} MB", path, remedy=f"At most {MAX_BYTES >> 20} MB are read.")
        return msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=kind, strict=strict)
    except OSError as error:
        raise FormatError(f"cannot be read ({error.strerror or error})", path, remedy="Check the path.") from None
    except msgspec.ValidationError as error:
        found, _, where = str(error).partition(" - at ")
        raise FormatError(found, path, where.strip("`"), f"Check that this is {what}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FormatError(
            f"this is no valid JSON ({error})", path, remedy="Export the file again, or repair it at that byte."
        ) from None
