from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import documents, edits

from app.model import (
    AddTrack,
    Box,
    Document,
    Edit,
    EditError,
    History,
    Observation,
    SetFrames,
    SetLabels,
    SetTrack,
    SetVideo,
    Source,
    VideoRef,
    apply,
)
from app.model.document import Comment, Label
from app.model.edits import Group, SetComment
from app.model.prepared import prepare
from app.model.tracks import Track


def content(doc: Document) -> tuple:
    copied = doc.copy()
    return copied.video, copied.labels, copied.tracks


def seen(x: float) -> Observation:
    return Observation(Box(x, 0, 1, 1), source=Source.TRACKER)


@pytest.fixture
def history() -> History:
    history = History(Document())
    history.commit(AddTrack(history.document.new_track()), "New object")
    history.commit(AddTrack(history.document.new_track()), "New object")
    history.mark_saved()
    return history


@dataclass
class Naive:
    """The plainest history there is: it keeps the list of committed edits per step and replays them all, every time."""

    base: Document
    done: list[tuple[str | None, set[int], bool, list[tuple[int, Edit]]]] = field(default_factory=list)
    undone: list = field(default_factory=list)
    saved: list = field(default_factory=list)

    def content(self) -> tuple:
        doc = self.base.copy()
        for *_, step in self.done:
            for _, edit in step:
                apply(edit, doc)
        return content(doc)

    def order(self) -> list:
        return [[number for number, _ in edits] for *_, edits in self.done]

    def commit(self, number: int, edit: Edit, gesture: str | None, change) -> None:
        def apart(step) -> bool:
            return not (change.structure or change.video or step[2] or change.tracks & step[1])

        for at in range(len(self.done) - 1, -1, -1):
            name, tracks, video, edits = self.done[at]
            if gesture is not None and name == gesture:
                edits.append((number, edit))
                self.done[at] = (name, tracks | change.tracks, video or change.video, edits)
                if not all(apart(step) for step in self.undone):
                    self.undone.clear()
                return
            if not apart(self.done[at]):
                break
        self.undone.clear()
        self.done.append((gesture, set(change.tracks), change.video, [(number, edit)]))

    def turn(self, source: list, target: list) -> None:
        if source:
            _, *rest = source.pop()
            target.append((None, *rest))


actions = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), edits(), st.sampled_from([None, None, "a", "a", "b"])),
        st.sampled_from([("undo",), ("undo",), ("redo",), ("save",)]),
    ),
    max_size=14,
)


@given(documents(), actions)
def test_random_histories_equal_a_naive_model(base, several) -> None:
    naive = Naive(base.copy())
    history = History(base)
    mirror = base.copy()  # driven by the subscription alone, as the journal is
    history.subscribe(lambda edit, _: apply(edit, mirror))
    for number, action in enumerate(several):
        match action:
            case ("commit", edit, gesture):
                try:
                    change = history.commit(edit, f"step {number}", gesture)
                except EditError:
                    pass
                else:
                    naive.commit(number, edit, gesture, change)
            case ("undo",):
                assert (history.undo() is None) == (not naive.done)
                naive.turn(naive.done, naive.undone)
            case ("redo",):
                assert (history.redo() is None) == (not naive.undone)
                naive.turn(naive.undone, naive.done)
            case ("save",):
                history.mark_saved()
                naive.saved = naive.order()
        assert content(history.document) == naive.content()
        assert content(mirror) == content(history.document)
        assert history.dirty == (naive.order() != naive.saved)
        assert (history.can_undo, history.can_redo) == (bool(naive.done), bool(naive.undone))
        assert history.steps == tuple(f"step {edits[0][0]}" for *_, edits in naive.done)
        assert history.undo_title == (history.steps[-1] if naive.done else "")
        assert history.redo_title == (f"step {naive.undone[-1][-1][0][0]}" if naive.undone else "")
    while history.undo() is not None:
        pass
    assert content(history.document) == content(naive.base)
    while naive.done:
        naive.turn(naive.done, naive.undone)
    while history.redo() is not None:
        naive.turn(naive.undone, naive.done)
    assert content(history.document) == naive.content()


def test_a_drag_is_one_step(history) -> None:
    for x in range(50):
        history.commit(SetFrames(1, {4: seen(x)}), "Move", gesture="drag-1")
    assert history.steps == ("New object", "New object", "Move")
    assert history.undo().frames == {1: range(4, 5)}
    assert history.document.tracks[1].frames == {}
    history.redo()
    assert history.document.tracks[1].at(4) == seen(49)


def test_two_drags_are_two_steps(history) -> None:
    history.commit(SetFrames(1, {4: seen(1)}), "Move", gesture="drag-1")
    history.commit(SetFrames(1, {4: seen(2)}), "Move", gesture="drag-2")
    history.undo()
    assert history.document.tracks[1].at(4) == seen(1)


def test_a_long_run_is_one_compact_step(history) -> None:
    told: list[Edit] = []
    for start in range(0, 10_000, 8):
        history.commit(SetFrames(1, {f: seen(f) for f in range(start, start + 8)}), "Track", gesture="run-1")
    history.subscribe(lambda edit, _: told.append(edit))
    change = history.undo()
    assert change.frames == {1: range(10_000)}
    assert len(told) == 1
    assert isinstance(told[0], SetFrames)  # one edit, not 1 250
    assert not history.document.tracks[1].frames
    assert not history.dirty
    history.redo()
    assert len(history.document.tracks[1].frames) == 10_000


def test_editing_another_track_does_not_split_a_run(history) -> None:
    history.commit(SetFrames(1, {0: seen(0)}), "Track", gesture="run-1")
    history.commit(SetFrames(2, {0: seen(9)}), "Draw")
    history.commit(SetTrack(2, label="dog"), "Rename")
    history.commit(SetFrames(1, {1: seen(1)}), "Track", gesture="run-1")
    assert history.steps[2:] == ("Track", "Draw", "Rename")
    history.undo()
    history.undo()
    assert len(history.document.tracks[1].frames) == 2
    history.undo()
    assert len(history.document.tracks[1].frames) == 0


def test_a_correction_on_the_same_track_ends_the_run(history) -> None:
    history.commit(SetFrames(1, {0: seen(0)}), "Track", gesture="run-1")
    history.commit(SetFrames(1, {0: seen(5)}), "Correct")
    history.commit(SetFrames(1, {1: seen(1)}), "Track", gesture="run-1")
    assert history.steps[2:] == ("Track", "Correct", "Track")
    history.undo()
    history.undo()
    assert history.document.tracks[1].frames == {0: seen(0)}


def test_undo_ends_a_gesture(history) -> None:
    history.commit(SetFrames(1, {0: seen(0)}), "Track", gesture="run-1")
    history.undo()
    history.redo()
    history.commit(SetFrames(1, {1: seen(1)}), "Late", gesture="run-1")
    assert history.steps[2:] == ("Track", "Late")


def test_undo_and_redo_on_another_track_do_not_disturb_a_run(history) -> None:
    history.commit(SetFrames(1, {0: seen(0)}), "Track", gesture="run-1")
    history.commit(SetFrames(2, {0: seen(9)}), "Draw")
    history.mark_saved()
    history.undo()
    history.commit(SetFrames(1, {1: seen(1)}), "Track", gesture="run-1")
    assert history.redo_title == "Draw"
    history.redo()
    assert history.dirty  # what was saved lacks the second chunk
    assert history.document.tracks[2].at(0) == seen(9)
    history.commit(SetFrames(1, {2: seen(2)}), "Track", gesture="run-1")
    assert history.steps[2:] == ("Track", "Draw")
    history.undo()
    history.undo()
    assert not history.document.tracks[1].frames


def test_another_video_is_not_slipped_past(history) -> None:
    history.commit(SetFrames(1, {0: seen(0)}), "Track", gesture="run-1")
    history.commit(SetVideo(VideoRef("/v.mp4", "f", 9, 7, 5, 25.0)), "Relink")
    history.commit(SetFrames(1, {1: seen(1)}), "Track", gesture="run-1")
    assert history.steps[2:] == ("Track", "Relink", "Track")


def test_a_new_commit_forgets_what_was_undone(history) -> None:
    history.commit(SetTrack(1, label="a"), "A")
    history.undo()
    assert history.redo_title == "A"
    history.commit(SetTrack(1, label="b"), "B")
    assert not history.can_redo
    assert history.redo() is None


def test_a_failed_commit_changes_nothing(history) -> None:
    history.commit(SetTrack(1, label="a"), "A")
    history.undo()
    with pytest.raises(EditError):
        history.commit(SetTrack(7, label="b"), "B")
    assert history.can_redo
    assert not history.dirty


def test_undoing_back_to_the_saved_state_is_clean(history) -> None:
    assert not history.dirty
    history.commit(SetTrack(1, label="a"))
    assert history.dirty
    history.undo()
    assert not history.dirty
    history.undo()
    assert history.dirty
    history.redo()
    assert not history.dirty
    history.undo()
    history.commit(SetTrack(1, label="b"))  # the saved state cannot be reached any more
    history.undo()
    assert history.dirty


def test_saving_in_the_middle_of_a_run_does_not_split_it(history) -> None:
    history.commit(SetFrames(1, {0: seen(0)}), "Track", gesture="run-1")
    history.mark_saved()
    assert not history.dirty
    history.commit(SetFrames(1, {1: seen(1)}), "Track", gesture="run-1")
    assert history.dirty
    history.undo()
    assert history.dirty
    assert history.document.tracks[1].frames == {}


def test_a_recovered_document_is_dirty_until_it_is_saved() -> None:
    history = History(Document(), dirty=True)
    assert history.dirty
    history.mark_saved()
    assert not history.dirty


def test_subscribers_hear_of_undo_and_redo_until_they_leave(history) -> None:
    told: list[Edit] = []
    leave = history.subscribe(lambda edit, _: told.append(edit))
    history.commit(SetLabels((Label("a", "#000000"),)))
    history.undo()
    history.redo()
    leave()
    leave()
    history.undo()
    assert told == [SetLabels((Label("a", "#000000"),)), SetLabels(()), SetLabels((Label("a", "#000000"),))]


def test_a_failing_subscriber_does_not_keep_the_edit_from_the_others(history) -> None:
    told: list[Edit] = []

    def fail(edit, change) -> None:
        raise ZeroDivisionError

    history.subscribe(fail)
    history.subscribe(lambda edit, _: told.append(edit))
    with pytest.raises(ZeroDivisionError):
        history.commit(SetTrack(1, label="a"), "A")
    assert told == [SetTrack(1, label="a")]
    assert history.undo_title == "A"


def test_a_subscriber_must_not_change_the_document(history) -> None:
    history.subscribe(lambda edit, change: history.undo())
    with pytest.raises(RuntimeError, match="subscriber"):
        history.commit(SetTrack(1, label="a"))


def test_another_thread_must_not_change_the_document(history) -> None:
    failures: list[Exception] = []

    def elsewhere() -> None:
        try:
            history.commit(SetTrack(1, label="a"))
        except RuntimeError as error:
            failures.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "one thread only" in str(failures[0])
    assert history.document.tracks[1].label == "object"


@given(documents())
def test_what_was_prepared_on_a_copy_is_taken_as_if_it_were_committed(doc: Document) -> None:
    new = Track(doc.next_id, "new", "#00ff00", True, {3: Observation(Box(1, 2, 3, 4))})
    more = Comment(doc.next_id + 1, 0, "look", new.id)
    edit = Group((SetLabels((*doc.labels, Label("quite new", "#00ff00"))), AddTrack(new), SetComment(more.id, more)))
    ready = prepare(edit, doc.copy())
    taken, committed = History(doc.copy()), History(doc.copy())
    told: list[Edit] = []
    taken.subscribe(lambda edit, change: told.append(edit))
    assert taken.take(ready, "both") == committed.commit(edit, "both")
    assert (taken.document, taken.steps, told) == (committed.document, committed.steps, [edit])
    assert not ready.fits(taken.document)
    with pytest.raises(EditError):
        taken.take(ready)
    taken.commit(SetFrames(new.id, {3: None}))
    for turn in ("undo", "undo", "redo"):
        getattr(taken, turn)()
    assert taken.document == committed.document
    taken.undo()
    assert content(taken.document) == content(doc)
    assert ready.fits(taken.document)


def test_only_what_is_new_can_be_prepared() -> None:
    with pytest.raises(ValueError, match="new"):
        prepare(Group((SetFrames(1, {}),)), Document())
