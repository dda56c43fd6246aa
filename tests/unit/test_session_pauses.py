"""A run that pauses: the reason in words, and each of the answers with which it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from session_fakes import FRAMES, FakeTrackers, square, write_clip
from test_session_gaps import rest, right, told

from app.commands import BY_ID, run
from app.model.tracks import Source, State
from app.session import PAUSED, Mode, Session, SessionError
from app.settings import Settings
from app.work.requests import Reason
from tracker.api import Box

Make = Callable[..., Session]
HIDDEN = tuple(range(12, 22))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    sessions: list[Session] = []

    def make(*, hidden: tuple[int, ...] = (), trackers: FakeTrackers | None = None, **more: object) -> Session:
        clip = write_clip(tmp_path / "clip.mkv", hidden=hidden)
        session = Session(Settings(tracker="fake", **more), create_tracker=trackers or FakeTrackers())  # type: ignore[arg-type]
        sessions.append(session)
        session.wait(session.open(clip))
        return session

    yield make
    for session in sessions:
        session.close(discard=True)


def lost(make: Make, **more: object) -> Session:
    """A session whose run has lost the square at frame 12, after three frames."""
    session = make(hidden=HIDDEN, lost_after=3, **more)
    session.add_object(square(0))
    session.wait(session.track())
    assert session.pause is not None
    return session


def states(session: Session) -> dict[int, State]:
    return {f: o.state for f, o in sorted(session.document.tracks[1].frames.items()) if o.state is not State.VISIBLE}


def test_a_loss_pauses_with_the_reason_and_keys_of_its_own(make: Make):
    session = lost(make)
    pause = session.pause
    assert pause is not None
    assert (pause.frame, pause.last, pause.reason, pause.why) == (12, 14, Reason.LOST, "score 0.10")
    assert (session.mode, session.scope, session.frame) == (Mode.PAUSED, PAUSED, 12)
    assert session.status.pause is pause
    assert session.status.waiting == "object"
    assert BY_ID["track.accept"].when(session)


def test_enter_seeks_a_lost_object_on(make: Make):
    session = lost(make)
    session.wait(run("track.accept", session, None))  # type: ignore[arg-type]
    assert session.pause is None
    assert right(session, range(22, FRAMES))
    assert set(states(session)) == set(HIDDEN)
    with pytest.raises(SessionError, match="No run waits"):
        session.accept()


def test_esc_leaves_the_pause_and_then_the_selection(make: Make):
    session = lost(make)
    session.escape()
    assert (session.pause, session.mode, session.selected) == (None, Mode.IDLE, 1)
    session.escape()
    assert session.selected is None


def test_o_says_out_of_view_for_the_frames_that_were_lost_and_those_to_come(make: Make):
    session = lost(make)
    run("object.out_of_view", session, None)  # type: ignore[arg-type]
    session.wait(lambda: session.run is None)
    assert states(session) == dict.fromkeys(HIDDEN, State.OUT_OF_VIEW)
    frames = session.document.tracks[1].frames
    assert (frames[12].source, frames[12].keyframe) == (Source.MANUAL, True)
    assert (frames[13].source, frames[15].source) == (Source.INTERPOLATED, Source.TRACKER)
    assert right(session, range(22, FRAMES))


def test_q_says_hidden_with_the_last_box_and_goes_on(make: Make):
    session = lost(make)
    assert BY_ID["object.occluded"].when(session)
    run("object.occluded", session, None)  # type: ignore[arg-type]
    session.wait(lambda: session.run is None)
    frames = session.document.tracks[1].frames
    assert all(frames[f].state is State.OCCLUDED and frames[f].box == square(11) for f in (12, 13, 14))
    assert frames[12].keyframe
    assert right(session, range(22, FRAMES))


def test_a_drawn_box_corrects_and_the_run_goes_on_knowing_better(make: Make):
    trackers = FakeTrackers(teachable=True)
    session = lost(make, trackers=trackers)
    tracker = trackers.made["auto"]
    started = len(tracker.started)
    session.seek(23)
    session.set_box(square(23))
    assert session.mode is Mode.TRACKING, "this run was asked for, and the picture goes with it"
    rest(session)
    assert right(session, (*range(12), *range(22, FRAMES)))
    assert tracker.taught[0] == square(23)
    assert len(tracker.started) == started, "nothing of what was learnt is forgotten"
    assert session.pause is None
    assert session.frame == FRAMES - 1


def test_a_tracker_that_cannot_learn_starts_anew_from_the_drawn_box(make: Make):
    trackers = FakeTrackers()
    session = lost(make, trackers=trackers)
    session.seek(23)
    session.set_box(square(23))
    rest(session)
    assert right(session, range(22, FRAMES))
    assert trackers.made["auto"].started[1] == square(23)


def test_a_drawn_box_goes_on_also_when_gaps_are_not_tracked_again(make: Make):
    session = lost(make, retrack_on_correction=False)
    session.seek(23)
    session.set_box(square(23))
    rest(session)
    assert right(session, range(23, FRAMES))
    assert states(session)[14] is State.LOST, "the gap before it stays"
    assert 15 not in session.document.tracks[1].frames


def test_uncertainty_pauses_when_asked_for_and_enter_verifies(make: Make):
    session = make(trackers=FakeTrackers(unsure=range(8, 30)), pause_on="uncertain", uncertain_after=5)
    session.add_object(square(0))
    messages = told(session)
    session.wait(session.track())
    pause = session.pause
    assert pause is not None
    assert (pause.reason, pause.frame, pause.last) == (Reason.UNCERTAIN, 8, 12)
    assert messages[-1] == "Uncertain since frame 8: it looks odd"
    session.wait(session.accept())
    assert session.pause is None, "it goes on for as long as it is uncertain"
    assert session.document.tracks[1].frames[8].verified
    assert right(session, range(FRAMES))


@pytest.mark.parametrize("pause_on", ["lost", "never"])
def test_uncertainty_alone_does_not_pause(make: Make, pause_on: str):
    session = make(trackers=FakeTrackers(unsure=range(FRAMES)), pause_on=pause_on)
    session.add_object(square(0))
    session.wait(session.track())
    assert session.pause is None
    assert right(session, range(FRAMES))


def test_without_pauses_a_lost_object_is_sought_to_the_end(make: Make):
    session = make(hidden=HIDDEN, lost_after=3, pause_on="never")
    session.add_object(square(0))
    session.wait(session.track())
    assert session.pause is None
    assert right(session, range(22, FRAMES))


def test_any_change_of_the_object_ends_its_pause(make: Make):
    session = lost(make)
    session.seek(5)
    session.delete_box()
    assert session.pause is None


def test_a_pause_is_over_when_another_run_of_the_object_begins(make: Make):
    session = lost(make)
    session.seek(3)
    session.wait(session.track(1, mode="replace", until=8))
    assert session.pause is None


def test_the_run_goes_no_farther_than_it_was_to_go(make: Make):
    session = make(hidden=HIDDEN, lost_after=3)
    session.add_object(square(0))
    session.wait(session.track(until=25))
    session.wait(session.accept())
    assert max(session.document.tracks[1].frames) == 25


def test_backward_runs_pause_and_go_on_too(make: Make):
    session = make(hidden=HIDDEN, lost_after=3)
    session.seek(30)
    session.add_object(square(30))
    session.wait(session.track(-1))
    pause = session.pause
    assert pause is not None
    assert (pause.frame, pause.last) == (21, 19)
    run("object.out_of_view", session, None)  # type: ignore[arg-type]
    session.wait(lambda: session.run is None)
    assert states(session) == dict.fromkeys(HIDDEN, State.OUT_OF_VIEW)
    assert right(session, range(12))


def test_a_correction_during_a_run_teaches_it(make: Make):
    gate = threading.Semaphore(0)
    trackers = FakeTrackers(teachable=True, drift=5, gate=gate)
    session = make(trackers=trackers)
    session.add_object(square(0))
    session.track()
    gate.release(12)
    session.wait(lambda: session.run is not None and session.run.done == 12)
    session.seek(6)
    session.set_box(square(6))
    gate.release(500)
    rest(session)
    assert trackers.made["auto"].taught[0] == square(6)
    assert right(session, range(FRAMES)), "the run that was interrupted has come to its end"


def test_several_objects_pause_one_by_one_while_the_others_go_on(make: Make):
    session = make(hidden=HIDDEN, lost_after=3)
    session.add_object(square(0), "a")
    session.add_object(square(0), "b")
    session.select(1, 2)
    messages = told(session)
    session.wait(session.track())
    assert len(session.runs.pauses) == 2
    assert messages[-1] == "2 of 2 objects wait for an answer: a 1, b 2"
    session.wait(session.accept())
    assert session.pause is not None
    assert session.pause.aim.track == 2
    session.wait(session.accept())
    assert session.pause is None
    for track in (1, 2):
        frames = session.document.tracks[track].frames
        assert all(frames[f].box == square(f) for f in range(22, FRAMES))


def test_a_box_off_the_picture_is_refused_and_the_pause_stays(make: Make):
    session = lost(make)
    with pytest.raises(SessionError, match="covers nothing"):
        session.set_box(Box(500, 500, 5, 5))
    assert session.pause is not None
