from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import PATIENCE, journaled, only, prefix, seen, some_work
from model_strategies import documents, edits

from app.model import Document, EditError, SetFrames, SetLabels, VideoRef
from app.model.document import Label
from app.work.journal import Journal, JournalError, Leftover, forget, leftovers, recover


@settings(max_examples=25)
@given(
    documents(), st.lists(st.tuples(edits(), st.sampled_from(["", "", "undo", "redo", "flush", "save"])), max_size=8)
)
def test_replaying_a_journal_gives_the_document(tmp_path_factory, base, actions) -> None:
    home = tmp_path_factory.mktemp("state")
    history, journal = journaled(home, base, dirty=True)
    for edit, then in actions:
        try:
            history.commit(edit)
        except EditError:
            continue
        if then == "undo":
            history.undo()
        elif then == "redo":
            history.undo()
            history.redo()
        elif then == "flush":
            assert journal.flush(PATIENCE)
        elif then == "save":
            history.mark_saved()
            journal.rebase(history.document, None, dirty=True)
    journal.close()
    assert recover(only(home)) == history.document


def test_a_leftover_says_what_it_is(tmp_path) -> None:
    project = tmp_path / "work.siamlabel"
    doc = Document(VideoRef("/films/a.mp4", "f", 9, 7, 5, 25.0))
    before = time.time()
    journal = Journal.create(tmp_path, doc, project)
    journal.record(SetLabels((Label("a", "#000000"),)))
    journal.close()
    left = only(tmp_path)
    assert (left.project, left.video, left.edits) == (project, "/films/a.mp4", 1)
    assert before <= left.when.timestamp() <= time.time()
    assert left.when.tzinfo is not None
    assert recover(left).labels == [Label("a", "#000000")]
    assert recover(left).video == doc.video
    forget(left)
    assert leftovers(tmp_path) == []
    assert list((tmp_path / "journals").iterdir()) == []


def test_the_newest_leftover_comes_first(tmp_path) -> None:
    for name in "ab":
        journal = Journal.create(tmp_path, Document(), None)
        journal.record(SetLabels((Label(name, "#000000"),)))
        journal.close()
    assert [recover(left).labels[0].name for left in leftovers(tmp_path)] == ["b", "a"]


def test_there_is_nothing_to_recover_in_a_new_home(tmp_path) -> None:
    assert leftovers(tmp_path / "nowhere") == []


def test_a_journal_in_use_is_nobodys_leftover(tmp_path) -> None:
    history, journal = journaled(tmp_path)
    some_work(history)
    assert journal.flush(PATIENCE)
    assert leftovers(tmp_path) == []
    with pytest.raises(JournalError, match="in use by another SiamLabel"):
        recover(Leftover(journal.path, None, "", datetime.now(UTC), 1))
    journal.close()
    assert only(tmp_path).edits == 21


def test_discarding_leaves_nothing(tmp_path) -> None:
    history, journal = journaled(tmp_path)
    some_work(history)
    assert journal.flush(PATIENCE)
    journal.discard()
    assert list((tmp_path / "journals").iterdir()) == []
    history, journal = journaled(tmp_path)
    journal.discard()  # perhaps before the first write
    assert list((tmp_path / "journals").iterdir()) == []


def test_saving_makes_the_edits_so_far_obsolete(tmp_path) -> None:
    history, journal = journaled(tmp_path)
    some_work(history)
    journal.rebase(history.document, tmp_path / "work.siamlabel")
    journal.close()
    assert leftovers(tmp_path) == []  # and it is tidied up
    assert list((tmp_path / "journals").iterdir()) == []


def test_edits_after_a_save_are_recovered_on_top_of_it(tmp_path) -> None:
    history, journal = journaled(tmp_path)
    some_work(history)
    assert journal.flush(PATIENCE)
    journal.rebase(history.document, tmp_path / "work.siamlabel")
    history.commit(SetFrames(1, {99: seen(99)}))
    journal.close()
    left = only(tmp_path)
    assert (left.project, left.edits) == (tmp_path / "work.siamlabel", 1)
    assert recover(left) == history.document


def test_a_recovered_document_that_was_not_touched_is_still_offered(tmp_path) -> None:
    doc = Document(tracks={}, next_id=5)
    Journal.create(tmp_path, doc, tmp_path / "work.siamlabel", dirty=True).close()
    left = only(tmp_path)
    assert left.edits == 0
    assert recover(left) == doc


def test_a_clean_start_leaves_nothing_to_recover(tmp_path) -> None:
    Journal.create(tmp_path, Document(), None).close()
    assert leftovers(tmp_path) == []


def test_recording_into_a_closed_journal_is_a_mistake(tmp_path) -> None:
    journal = Journal.create(tmp_path, Document(), None)
    journal.close()
    journal.close()
    with pytest.raises(RuntimeError, match="closed"):
        journal.record(SetLabels(()))


CHILD = """
import sys, time
from pathlib import Path
from app.model import *
from app.work.journal import Journal
home, project = Path(sys.argv[1]), None
history = History(Document())
journal = Journal.create(home, history.document, project)
history.subscribe(lambda edit, _: journal.record(edit))
history.commit(AddTrack(history.document.new_track()))
assert journal.flush(60)
for n in range(10**9):
    history.commit(SetFrames(1, {n: Observation(Box(n, 0, 1, 1))}), "Track", "run-1")
    print(time.time(), flush=True)
    time.sleep(0.004)
"""


def test_kill_9_costs_at_most_one_second_of_edits(tmp_path, root) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    with child, child.stdout:
        when = [float(next(child.stdout))]
        while when[-1] - when[0] < 2.5:
            when.append(float(next(child.stdout)))
        assert leftovers(tmp_path) == []  # its process lives
        killed = time.time()
        child.kill()
        when += [float(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    left = only(tmp_path)  # its process is dead
    doc = recover(left)
    kept = len(doc.tracks[1].frames)
    assert doc == prefix(kept + 1)
    assert left.edits == kept + 1
    lost = [moment for moment in when[kept:] if moment < killed - 1.0]
    assert not lost
    forget(left)
    assert leftovers(tmp_path) == []
