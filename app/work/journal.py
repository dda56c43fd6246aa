"""The journal: what was done since the last save, on disk within a second, so that a crash costs next to nothing.

One SQLite file per open document: the document as it was at the last save (or at the start), then every applied edit.
A thread of its own writes. It takes all edits that wait, commits them in one transaction and waits for the disk
(``synchronous=FULL``), then rests for `REST` seconds: so the window never waits for a disk, a drag's sixty edits per
second cost five commits, and what ``kill -9`` or a power cut can take is the last `REST` seconds plus one disk write.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.model.document import Document
from app.model.edits import Edit, EditError, apply
from app.words import tr
from app.work.journal_file import (
    SCHEMA,
    SUFFIX,
    JournalError,
    delete,
    folder_under,
    is_in_use,
    is_passing,
    move,
    open_journal,
    transaction,
)
from app.work.packing import Base, Entry, Row, latest
from app.work.packing import packed as bytes_of

log = logging.getLogger(__name__)

REST = 0.2
"""Seconds between two commits."""
RETRY = 2.0
"""Seconds between two attempts while the disk refuses."""

_PAGE = 4096  # bytes of an SQLite database that holds nothing
_YEAR_3000 = 32503680000.0  # seconds; a time beyond it is damage
_ABANDONED = 60.0  # seconds after which a journal without content is rubbish, not one that is just being made


@dataclass(frozen=True)
class Leftover:
    """The journal of a process that ended without saving or discarding.

    ``project`` is None for a document never saved; ``video`` is its path or empty; ``when`` the last edit (local time
    zone); ``edits`` how many were made since the last save.
    """

    path: Path
    project: Path | None
    video: str
    when: datetime
    edits: int


class Journal:
    """Records one document; made by `create`. Its methods are for the thread that owns the document.

    ``on_error`` is called once per outage (disk full, folder gone), from the journal's thread or the caller's; the
    edits wait in memory and are written when the disk takes them again.
    """

    def __init__(self, path: Path, on_error: Callable[[JournalError], object]) -> None:
        self.path = path
        self._on_error = on_error
        self._state = threading.Condition()
        self._waiting: list[Base | Entry] = []  # packed by the journal's thread: a large edit takes its time
        self._given = 0  # items handed over so far
        self._durable = 0  # items on disk, or made obsolete by a later base
        self._hurry = False
        self._closing = False
        self._keep = True
        self._gap = False  # the owner's thread: since a base that cannot be stored
        self._broken = False  # the journal's thread: since an edit that cannot be
        self._seq = 0
        self._thread = threading.Thread(target=self._write_all, name="siamlabel-journal", daemon=True)

    @classmethod
    def create(
        cls,
        home: Path,
        doc: Document,
        project: Path | None,
        *,
        dirty: bool = False,
        packed: bytes | None = None,
        on_error: Callable[[JournalError], object] = log.error,
    ) -> Journal:
        """Begin a journal in a folder under ``home`` (the state folder) with ``doc`` as it is now.

        ``project`` is the file that ``doc`` came from. ``dirty`` says that ``doc`` already differs from it (it was
        recovered or imported), so that it is offered for recovery even when no edit follows. ``packed``: see `rebase`.
        Never raises for the disk's sake: that goes to ``on_error``.
        """
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}-{secrets.token_hex(3)}{SUFFIX}"
        journal = cls(folder_under(home) / name, on_error)
        journal.rebase(doc, project, dirty=dirty, packed=packed)
        journal._thread.start()
        return journal

    def record(self, edit: Edit) -> None:
        """Write down an applied edit, which nobody changes any more; returns at once. For `History.subscribe`."""
        if not self._gap:
            self._give(Entry(time.time(), edit))

    def rebase(self, doc: Document, project: Path | None, *, dirty: bool = False, packed: bytes | None = None) -> None:
        """Begin anew after a save: ``doc`` is now at ``project`` and the edits so far are obsolete.

        ``dirty``: edits were made while the save was under way, ``doc`` is ahead of the file. ``packed``: what `pack`
        made of ``doc``, in a worker where it is large.
        """
        body = self._encode(doc) if packed is None else packed
        self._gap = body is None
        if body is not None:
            unsaved = dirty or (project is None and bool(doc.tracks))
            video = doc.video.path if doc.video else ""
            self._give(Base(str(project.absolute()) if project else None, video, unsaved, time.time(), body))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything recorded so far is on disk; False when it is not after ``timeout`` seconds."""
        with self._state:
            wanted = self._given
            self._hurry = True
            self._state.notify_all()
            return self._state.wait_for(lambda: self._durable >= wanted or not self._thread.is_alive(), timeout) and (
                self._durable >= wanted
            )

    def close(self) -> None:
        """Write what waits and let go of the file, which stays as a leftover unless it holds nothing unsaved."""
        self._end(keep=True)

    def discard(self) -> None:
        """Let go of the file and delete it: the work was saved, or the user does not want it."""
        self._end(keep=False)

    def _end(self, *, keep: bool) -> None:
        with self._state:
            self._closing = True
            self._keep = keep
            self._state.notify_all()
        self._thread.join()
        if not keep:
            delete(self.path)

    def _encode(self, what: Edit | Document) -> bytes | None:
        try:
            return bytes_of(what)
        except (ValueError, TypeError, OverflowError) as error:
            # Nothing after a gap could be replayed, so recording pauses until the next base.
            said = tr("Autosave pauses until the next save: an edit cannot be stored ({error}).")
            self._tell(said.format(error=error))
            return None

    def _give(self, item: Base | Entry) -> None:
        with self._state:
            if self._closing:
                raise RuntimeError("the journal is closed")
            if isinstance(item, Base):
                self._waiting.clear()
            self._waiting.append(item)
            self._given += 1
            self._state.notify_all()

    # ---- the journal's thread

    def _write_all(self) -> None:
        db: sqlite3.Connection | None = None
        batch: list[Base | Row] = []
        failing = False
        while True:
            with self._state:
                self._state.wait_for(lambda b=batch: self._waiting or self._closing or b)
                waiting, self._waiting = self._waiting, []
                self._hurry = False
                upto = self._given
                closing, keep = self._closing, self._keep
            if closing and not keep:
                break
            batch = latest([*batch, *self._rows(waiting)])
            if batch:
                try:
                    db = db or open_journal(self.path)
                    self._write(db, batch)
                    batch = []
                    failing = False
                except (sqlite3.Error, OSError) as error:
                    with contextlib.suppress(sqlite3.Error):
                        if db is not None:
                            db.close()
                    db = None
                    if not failing:
                        self._report(error)
                    failing = True
            with self._state:
                if not failing:
                    self._durable = upto
                self._state.notify_all()
                if closing:
                    break
                self._state.wait_for(lambda: self._closing or self._hurry, RETRY if failing else REST)
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()
        with self._state:
            self._state.notify_all()

    def _rows(self, waiting: list[Base | Entry]) -> Iterator[Base | Row]:
        """What waits, as it is written; without what follows an edit that cannot be, up to the next base."""
        for item in waiting:
            if isinstance(item, Base):
                self._broken = False
                yield item
            elif not self._broken:
                body = self._encode(item.edit)
                self._broken = body is None
                if body is not None:
                    yield Row(item.at, body)

    def _write(self, db: sqlite3.Connection, batch: list[Base | Row]) -> None:
        seq = self._seq
        with transaction(db):
            for item in batch:
                if isinstance(item, Base):
                    db.execute("delete from base")
                    db.execute("delete from edits")
                    crc = zlib.crc32(item.document)
                    row = (item.project, item.video, item.unsaved, item.at, item.document, crc)
                    db.execute("insert into base values (?, ?, ?, ?, ?, ?)", row)
                    seq = 0
                else:
                    seq += 1
                    db.execute(
                        "insert into edits values (?, ?, ?, ?)", (seq, item.at, item.body, zlib.crc32(item.body))
                    )
        self._seq = seq
        if isinstance(batch[0], Base):
            db.execute("pragma wal_checkpoint(truncate)")

    def _report(self, error: Exception) -> None:
        what = tr("Autosave cannot write to {parent}: {error}.").format(parent=self.path.parent, error=error)
        advice = tr("Save the project yourself and make room there; autosave goes on by itself as soon as it can.")
        self._tell(f"{what} {advice}")

    def _tell(self, said: str) -> None:
        try:
            self._on_error(JournalError(said))
        except Exception:
            log.exception("the report that autosave fails has failed")


def leftovers(home: Path) -> list[Leftover]:
    """Journals under ``home`` of processes that are dead and that hold unsaved work, newest first.

    Tidies up on the way: journals with nothing to recover are deleted, unreadable ones get the ending ``.damaged``.
    """
    found: list[Leftover] = []
    for path in folder_under(home).glob(f"*{SUFFIX}"):
        try:
            left = _inspect(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError, JournalError) as error:
            if is_in_use(error):
                continue  # its process lives
            if is_passing(error):
                log.warning("the journal %s cannot be read now: %s", path, error)
                continue
            log.warning("the journal %s cannot be read (%s); it is set aside as .damaged", path, error)
            move(path, path.with_name(path.name + ".damaged"))
            continue
        except OSError:
            continue  # gone meanwhile
        if left is not None:
            found.append(left)
    return sorted(found, key=lambda left: left.when, reverse=True)


def recover(leftover: Leftover) -> Document:
    """The document as it was at the last edit that reached the disk; of a damaged journal, all up to the damage.

    The journal stays where it is: call `forget` once the document is safe in a journal of its own (see
    `Journal.flush`) or in a project. Raises `JournalError` when not even its beginning can be read.
    """
    path = leftover.path
    if not path.exists():
        raise JournalError(tr("The journal {path} is gone; there is nothing to recover.").format(path=path))
    try:
        with contextlib.closing(open_journal(path, make=False)) as db:
            if db.execute("pragma user_version").fetchone()[0] > SCHEMA:
                raise JournalError(
                    tr("The journal {path} was made by a newer SiamLabel. Update SiamLabel to recover it.").format(
                        path=path
                    )
                )
            row = db.execute("select document, crc from base").fetchone()
            if row is None or not isinstance(row[0], bytes) or zlib.crc32(row[0]) != row[1]:
                raise JournalError(
                    tr("The journal {path} is damaged at its beginning and cannot be recovered.").format(path=path)
                )
            doc = msgspec.msgpack.decode(row[0], type=Document)
            _replay(db, doc, path)
            return doc
    except (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        if is_in_use(error):
            raise JournalError(tr("The journal {path} is in use by another SiamLabel.").format(path=path)) from error
        raise JournalError(tr("The journal {path} cannot be read: {error}.").format(path=path, error=error)) from error


def forget(leftover: Leftover) -> None:
    """Delete a leftover: it was recovered, or the user does not want it."""
    delete(leftover.path)


def _replay(db: sqlite3.Connection, doc: Document, path: Path) -> None:
    """Apply the edits in order, up to the first that is damaged, missing or does not fit."""
    done = 0
    try:
        rows = db.execute("select seq, body, crc from edits order by seq")
        while (row := rows.fetchone()) is not None:
            seq, body, crc = row
            if seq != done + 1 or not isinstance(body, bytes) or zlib.crc32(body) != crc:
                raise sqlite3.DatabaseError(f"edit {done + 1} is missing or damaged")
            apply(msgspec.msgpack.decode(body, type=Edit), doc)
            done += 1
    except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError, EditError) as error:
        log.warning("the journal %s is damaged (%s); recovered the %d edits before that", path, error, done)


def _inspect(path: Path) -> Leftover | None:
    about = path.stat()
    if not about.st_size:
        if time.time() - about.st_mtime > _ABANDONED:
            delete(path)
        return None
    with contextlib.closing(open_journal(path, make=False)) as db:
        if db.execute("pragma user_version").fetchone()[0] > SCHEMA:
            return None
        if about.st_size <= _PAGE and not db.execute("select count(*) from sqlite_master").fetchone()[0]:
            row, edits, last, whole = None, 0, None, True
        else:
            row = db.execute("select project, video, unsaved, at from base").fetchone()
            edits, last, whole = _count(db)
    if row is None and whole and not edits:  # its process died before it could write anything
        delete(path)
        return None
    match row:
        case (str() | None as project, str() as video, int() as unsaved, float() as at) if 0 < at < _YEAR_3000:
            pass
        case _:
            raise JournalError(tr("its first row is damaged"))
    if not unsaved and not edits:
        if not whole:
            raise JournalError(tr("its edits are damaged"))
        delete(path)
        return None
    when = datetime.fromtimestamp(at if last is None else last, UTC).astimezone()
    return Leftover(path, Path(project) if project else None, video, when, edits)


def _count(db: sqlite3.Connection) -> tuple[int, float | None, bool]:
    """How many edits there are, when the last one was made, and whether all could be read."""
    edits, last = 0, None
    try:
        for (at,) in db.execute("select at from edits order by seq"):
            if not isinstance(at, float) or not 0 < at < _YEAR_3000:
                return edits, last, False
            edits, last = edits + 1, at
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return edits, last, False
    return edits, last, True
