"""Writing so that a reader finds either the old content or the new, never half of one.

Everything is made in a *part*: a hidden sibling of the target on the same disk. A last rename puts it in place.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_SHOWN = 80  # characters of the target's name in the names beside it


def sibling(target: Path, kind: str = "part") -> Path:
    """A free hidden name beside ``target``; nothing is created there."""
    return target.with_name(f".{target.name[:_SHOWN]}.{secrets.token_hex(4)}.{kind}")


@contextlib.contextmanager
def fsync_open(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing bytes; a clean leave waits until the disk has them. Raises `OSError`."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` and wait until the disk has it. Raises `OSError`."""
    with fsync_open(path) as file:
        file.write(data)


def sync_folder(folder: Path) -> None:
    """Make the renames inside ``folder`` durable where the system can (Windows cannot, and need not)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def replace_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step; on any failure the earlier file is untouched. Raises `OSError`."""
    part = sibling(path)
    try:
        write_bytes(part, data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A part for ``target``, removed on leaving unless `put_in_place` has moved it away. Parents are made.

    What an interrupted `put_in_place` left behind is put right first, see `tidy`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    tidy(target)
    part = sibling(target)
    try:
        yield part
    finally:
        remove(part)


def put_in_place(part: Path, target: Path) -> None:
    """Rename ``part`` (file or folder) to ``target``, replacing what is there.

    A folder cannot be replaced in one step everywhere, so the old one steps aside first and comes back if the second
    rename fails. Raises `OSError`.
    """
    if not part.is_dir():
        part.replace(target)
    elif not target.exists():
        part.rename(target)
    else:
        aside = sibling(target, "old")
        target.rename(aside)
        try:
            part.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        # The new folder is in place: a leftover that cannot be removed (a file open on Windows) is no failed export.
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(target.parent)


def tidy(target: Path) -> None:
    """Put right what a `put_in_place` of a folder leaves when the process dies in the middle of it.

    With ``target`` there, what stepped aside for it is removed. Without, the newest of it comes back as ``target``.
    Raises `OSError`.
    """
    if len(target.name) > _SHOWN:
        return  # the names of such folders tell no longer whose they are
    name = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.old")
    aside = [path for path in target.parent.iterdir() if name.fullmatch(path.name) and path.is_dir()]
    if aside and not target.exists():
        aside.sort(key=lambda path: path.stat().st_mtime)
        aside.pop().rename(target)
    for path in aside:
        remove(path)


def remove(path: Path) -> None:
    """Delete a file or a folder that this module made, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
