"""The file that a journal is: an SQLite database which one process at a time can have open.

Who is alive: SQLite in exclusive mode holds the operating system's lock on the file for as long as the process lives.
The system lets go of it at the moment of death, whatever the cause, so there is no process id to be reused, and it is
the same on Linux, macOS and Windows.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".journal"
SCHEMA = 1

_TABLES = """
create table if not exists base (project text, video text, unsaved integer, at real, document blob, crc integer);
create table if not exists edits (seq integer primary key, at real, body blob, crc integer);
"""
_FILES = ("", "-wal", "-shm", "-journal")  # what SQLite puts beside a database
_PASSING = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class JournalError(Exception):
    """The journal cannot be written, or a leftover one cannot be read; the message says why and what to do."""


def folder_under(home: Path) -> Path:
    return home / "journals"


def open_journal(path: Path, *, make: bool = True) -> sqlite3.Connection:
    """A connection that keeps every other process away from the file until it is closed or its process dies."""
    if make:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        db.execute("pragma locking_mode=exclusive")
        if make:
            db.execute("pragma journal_mode=wal")
            db.execute("pragma synchronous=full")
            db.execute(f"pragma user_version={SCHEMA}")
            db.executescript(f"begin;{_TABLES}commit;")  # a process killed in between would leave half a journal
    except BaseException:
        db.close()
        raise
    return db


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("rollback")
        raise


def is_in_use(error: Exception) -> bool:
    """Whether ``error`` means that a living process has the journal open."""
    return _code(error) == sqlite3.SQLITE_BUSY


def is_passing(error: Exception) -> bool:
    """Whether ``error`` lies with the disk or its permissions, not with the content of the journal."""
    return _code(error) in _PASSING


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension


def move(path: Path, to: Path) -> None:
    for ending in _FILES:
        with contextlib.suppress(OSError):
            path.with_name(path.name + ending).replace(to.with_name(to.name + ending))


def delete(path: Path) -> None:
    for ending in _FILES:
        with contextlib.suppress(OSError):
            path.with_name(path.name + ending).unlink(missing_ok=True)
