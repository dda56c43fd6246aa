"""What is left of a journal when its file or its disk is not what it should be."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import PATIENCE, journaled, only, prefix, seen, some_work

from app.model import AddTrack, Document, SetFrames, SetLabels
from app.model.document import Label
from app.work import journal as journal_module
from app.work.journal import Journal, JournalError, forget, leftovers, recover


def work_left_behind(home: Path) -> Document:
    history, journal = journaled(home)
    some_work(history, 300)
    journal.close()
    return history.document


@pytest.mark.parametrize("harm", ["delete from edits where seq=100", "update edits set body=x'00' where seq=100"])
@pytest.mark.expected_logs("is damaged .*recovered the 99 edits before")
def test_of_a_damaged_journal_the_part_before_the_damage_is_recovered(tmp_path, harm) -> None:
    work_left_behind(tmp_path)
    left = only(tmp_path)
    with sqlite3.connect(left.path) as db:
        db.execute(harm)
    db.close()
    assert recover(left) == prefix(99)


@pytest.mark.expected_logs("is damaged .*recovered the 1 edits before")
def test_an_edit_that_does_not_fit_ends_the_recovery(tmp_path) -> None:
    history, journal = journaled(tmp_path)
    history.commit(AddTrack(history.document.new_track()))
    journal.record(SetFrames(77, {}))
    history.commit(SetFrames(1, {0: seen(0)}))
    journal.close()
    assert recover(only(tmp_path)) == prefix(1)


@pytest.mark.expected_logs("is damaged", "cannot be read")
@given(st.floats(0.3, 1), st.binary(min_size=1, max_size=64))
@settings(max_examples=20)
def test_scribbling_over_the_tail_never_costs_more_than_the_tail(tmp_path_factory, where, octets) -> None:
    home = tmp_path_factory.mktemp("state")
    work_left_behind(home)
    path = next((home / "journals").iterdir())
    data = bytearray(path.read_bytes())
    at = int(where * (len(data) - len(octets)))
    data[at : at + len(octets)] = octets
    path.write_bytes(data)
    for left in leftovers(home):
        try:
            doc = recover(left)
        except JournalError:
            continue
        assert doc == prefix(len(doc.tracks[1].frames) + 1 if doc.tracks else 0)


@pytest.mark.expected_logs("cannot be read .*set aside as .damaged")
def test_rubbish_is_set_aside_once(tmp_path) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    (folder / "x.journal").write_bytes(b"no database at all" * 100)
    assert leftovers(tmp_path) == []
    assert [p.name for p in folder.iterdir()] == ["x.journal.damaged"]
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    "harm",
    [
        "update base set at='noon'",
        "update base set at=1e300",
        "update base set video=cast(x'ff' as text)",
        "delete from base",
        "drop table edits",
        "update edits set at=null where seq=1",
    ],
)
@pytest.mark.expected_logs("set aside as .damaged")
def test_a_journal_that_cannot_be_understood_is_never_deleted(tmp_path, harm) -> None:
    project = tmp_path / "work.siamlabel"
    journal = Journal.create(tmp_path, Document(), project)
    journal.record(SetLabels(()))
    journal.close()
    with sqlite3.connect(journal.path) as db:
        db.execute(harm)
    db.close()
    assert leftovers(tmp_path) == []
    assert [p.name for p in journal.path.parent.iterdir()] == [journal.path.name + ".damaged"]


def test_a_process_that_died_before_its_first_write_leaves_nothing(tmp_path) -> None:
    journal = Journal.create(tmp_path, Document(), None)
    journal.close()
    with sqlite3.connect(journal.path) as db:
        db.execute("delete from base")
    db.close()
    assert leftovers(tmp_path) == []
    assert not journal.path.exists()


def test_a_journal_that_is_just_being_made_is_left_alone(tmp_path) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    fresh, old = folder / "fresh.journal", folder / "old.journal"
    fresh.touch()
    old.touch()
    os.utime(old, (0, 0))
    assert leftovers(tmp_path) == []
    assert list(folder.iterdir()) == [fresh]


def test_a_journal_whose_beginning_is_damaged_says_so(tmp_path) -> None:
    work_left_behind(tmp_path)
    left = only(tmp_path)
    with sqlite3.connect(left.path) as db:
        db.execute("update base set document=x'80'")
    db.close()
    with pytest.raises(JournalError, match="damaged at its beginning"):
        recover(left)


def test_a_journal_of_a_newer_version_is_neither_touched_nor_read(tmp_path) -> None:
    work_left_behind(tmp_path)
    left = only(tmp_path)
    with sqlite3.connect(left.path) as db:
        db.execute("pragma user_version=2")
    db.close()
    assert leftovers(tmp_path) == []
    assert left.path.exists()
    with pytest.raises(JournalError, match="newer SiamLabel"):
        recover(left)


def test_a_journal_that_went_away_says_so(tmp_path) -> None:
    work_left_behind(tmp_path)
    left = only(tmp_path)
    forget(left)
    with pytest.raises(JournalError, match="is gone"):
        recover(left)


# ---- a disk that refuses


class Disk:
    """Lets `Journal` open its database on a disk that is full (``pages`` is the size it may reach) until `free`."""

    def __init__(self, monkeypatch, pages: int) -> None:
        self.pages = pages
        self.connect = sqlite3.connect
        self.reports: list[str] = []
        self.reported = threading.Event()
        monkeypatch.setattr(sqlite3, "connect", self.open)
        monkeypatch.setattr(journal_module, "RETRY", 0.02)
        monkeypatch.setattr(journal_module, "REST", 0.02)

    def open(self, *args, **kwargs) -> sqlite3.Connection:
        db = self.connect(*args, **kwargs)
        if self.pages:
            db.execute(f"pragma max_page_count={self.pages}")
        return db

    def free(self) -> None:
        self.pages = 0

    def report(self, error: JournalError) -> None:
        self.reports.append(str(error))
        self.reported.set()


def test_a_full_disk_is_reported_once_and_costs_nothing_when_it_recovers(tmp_path, monkeypatch) -> None:
    disk = Disk(monkeypatch, pages=8)
    history, journal = journaled(tmp_path, on_error=disk.report)
    history.commit(AddTrack(history.document.new_track()))
    for frame in range(1000):
        history.commit(SetFrames(1, {frame: seen(frame)}))
    assert disk.reported.wait(PATIENCE)
    assert not journal.flush(0.2)  # several more attempts fail, silently
    history.commit(SetFrames(1, {0: None}))
    assert len(disk.reports) == 1
    assert "full" in disk.reports[0]
    assert "Save the project" in disk.reports[0]
    disk.free()
    assert journal.flush(PATIENCE)
    journal.close()
    assert recover(only(tmp_path)) == history.document
    assert len(disk.reports) == 1


def test_a_save_ends_what_a_full_disk_could_not_take(tmp_path, monkeypatch) -> None:
    disk = Disk(monkeypatch, pages=8)
    history, journal = journaled(tmp_path, on_error=disk.report)
    some_work(history, 1000)
    assert disk.reported.wait(PATIENCE)
    journal.rebase(Document(), None)  # much smaller: fits
    assert journal.flush(PATIENCE)
    journal.close()


def test_a_folder_that_cannot_be_made_is_reported_not_raised(tmp_path) -> None:
    (tmp_path / "file").touch()
    reports: list[str] = []
    journal = Journal.create(tmp_path / "file", Document(), None, on_error=lambda e: reports.append(str(e)))
    journal.record(SetLabels(()))
    journal.close()
    assert len(reports) == 1
    assert str(tmp_path / "file") in reports[0]
    assert not journal.flush(0)


@pytest.mark.expected_logs("Autosave cannot write")
def test_without_a_callback_the_failure_is_logged(tmp_path) -> None:
    (tmp_path / "file").touch()
    Journal.create(tmp_path / "file", Document(), None).close()


@pytest.mark.expected_logs("the report that autosave fails has failed")
def test_a_report_that_fails_does_not_end_autosave(tmp_path, monkeypatch) -> None:
    disk = Disk(monkeypatch, pages=8)

    def explode(error: JournalError) -> None:
        disk.report(error)
        raise ZeroDivisionError

    history, journal = journaled(tmp_path, on_error=explode)
    some_work(history, 1000)
    assert disk.reported.wait(PATIENCE)
    disk.free()
    assert journal.flush(PATIENCE)
    journal.close()


def test_an_edit_that_cannot_be_stored_pauses_autosave_until_the_next_save(tmp_path) -> None:
    reports: list[str] = []
    history, journal = journaled(tmp_path, on_error=lambda e: reports.append(str(e)))
    history.commit(SetLabels((Label("good", "#000000"),)))
    history.commit(SetLabels((Label("\udcff", "#000000"),)))
    history.commit(SetLabels((Label("good", "#ffffff"),)))
    assert journal.flush(PATIENCE)
    assert len(reports) == 1
    assert "pauses until the next save" in reports[0]
    journal.rebase(history.document, None)
    history.commit(SetLabels((Label("better", "#ffffff"),)))
    journal.close()
    assert recover(only(tmp_path)) == history.document
