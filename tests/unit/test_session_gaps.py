"""Corrections: the gaps beside them are tracked again from both sides, in the background, and nothing else changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from session_fakes import FRAMES, FakeTrackers, square, write_clip

from app.model.edits import SetFrames, SetTrack
from app.model.tracks import Observation, Source, State
from app.session import Mode, Session, SessionError
from app.settings import Settings
from tracker.api import Box

Make = Callable[..., Session]
WRONG = Box(60, 40, 10, 10)


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


def told(session: Session) -> list[str]:
    messages: list[str] = []
    session.events.message.connect(messages.append)
    return messages


def rest(session: Session) -> None:
    """Wait until nothing goes on and nothing waits."""
    session.wait(lambda: session.run is None and not session.retracking)


def right(session: Session, frames: Iterable[int]) -> bool:
    """Whether the object lies on the square, but for rounding."""
    seen = session.document.tracks[1].frames
    return all(seen[f].box == pytest.approx(square(f)) for f in frames)


def drifted(session: Session) -> None:
    """An object with keyframes on 0 and 30, and a tracker's boxes between them that are wrong from 10 on."""
    session.add_object(square(0))
    wrong = {f: Observation(box=square(f) if f < 10 else WRONG, source=Source.TRACKER, score=0.9) for f in range(1, 30)}
    frames: dict[int, Observation | None] = {**wrong, 30: Observation(box=square(30), keyframe=True)}
    session.commit(SetFrames(1, frames), "Drift")


def test_the_gap_is_tracked_from_both_keyframes_and_told(make: Make):
    session = make()
    drifted(session)
    messages = told(session)
    session.seek(15)
    session.wait(session.track_gap())
    frames = session.document.tracks[1].frames
    assert right(session, range(31))
    assert all(frames[f].source is Source.TRACKER and not frames[f].protected for f in range(1, 30))
    assert all(frames[f].signals["disagreement"] == 0 and frames[f].signals["closure"] == 1 for f in range(1, 30))
    assert frames[12].mask is not None
    assert frames[12].mask.box == square(12)
    assert messages[-1] == "Gap 0-30 tracked from both sides, they agree (IoU 1)"
    assert session.frame == 15, "there is nothing to see elsewhere"
    session.undo()
    assert session.document.tracks[1].frames[12].box == WRONG


def test_a_gap_needs_two_keyframes_with_a_box(make: Make):
    session = make()
    session.add_object(square(0))
    session.seek(9)
    with pytest.raises(SessionError, match="keyframe on both sides"):
        session.track_gap()


def test_a_gap_that_ends_out_of_view_is_tracked_from_the_other_side(make: Make):
    session = make()
    session.add_object(square(0))
    session.seek(12)
    session.set_state(State.OUT_OF_VIEW)
    messages = told(session)
    session.seek(5)
    session.wait(session.track_gap())
    assert session.document.tracks[1].frames[11].box == square(11)
    assert session.document.tracks[1].frames[12].state is State.OUT_OF_VIEW
    assert "one side" in messages[-1]


def test_a_correction_tracks_both_gaps_beside_it_again_and_nothing_else(make: Make):
    session = make()
    drifted(session)
    other = session.add_object(Box(1, 1, 9, 9))
    far = {f: Observation(box=WRONG, source=Source.TRACKER) for f in range(31, FRAMES)}
    session.commit(SetFrames(1, dict(far)), "Beyond")
    session.select(1)
    messages = told(session)
    session.seek(12)
    session.set_box(square(12))
    assert session.run is not None
    assert session.run.background
    assert session.mode is Mode.IDLE, "nobody has to wait for it"
    rest(session)
    frames = session.document.tracks[1].frames
    assert right(session, range(31))
    assert {f: frames[f] for f in far} == far
    assert list(session.document.tracks[other].frames) == [0]
    assert messages[-1] == (
        "Gap 12-30 tracked from both sides, they agree (IoU 1); Gap 0-12 tracked from both sides, they agree (IoU 1)"
    )
    assert session.history.steps[-1] == "Place the box", "one step with what it led to"
    assert session.frame == 12, "the picture stays where the person works"


def test_without_a_keyframe_beyond_the_earlier_run_is_continued_to_where_it_came(make: Make):
    session = make()
    session.add_object(square(0))
    session.wait(session.track(until=20))
    session.seek(10)
    session.set_box(square(10))
    rest(session)
    frames = session.document.tracks[1].frames
    assert sorted(frames) == list(range(21)), "no farther than before"
    assert "closure" in frames[5].signals
    assert "closure" not in frames[15].signals


def test_the_first_pass_is_not_walked_twice(make: Make):
    trackers = FakeTrackers()
    session = make(trackers=trackers)
    session.add_object(square(0))
    session.wait(session.track())
    before = len(trackers.made["auto"].stepped)
    session.seek(30)
    session.set_box(square(30))
    rest(session)
    walked = len(trackers.made["auto"].stepped) - before
    assert walked == 5 + 12, "forward to the end, and backward until both passes agree"


def test_a_correction_where_nothing_was_tracked_starts_nothing(make: Make):
    session = make()
    session.add_object(square(0))
    session.set_box(Box(1, 1, 9, 9))
    assert session.run is None


def test_the_setting_turns_it_off_and_t_tracks_what_the_correction_made_doubtful(make: Make):
    session = make(retrack_on_correction=False)
    session.add_object(square(0))
    session.wait(session.track())
    frames = session.document.tracks[1].frames
    session.commit(SetFrames(1, {20: Observation(box=WRONG, source=Source.TRACKER)}), "Drift")
    session.seek(19)
    session.set_box(square(19))
    assert session.run is None
    session.wait(session.track())
    assert frames[20].box == square(20)


def test_a_gap_that_was_interpolated_is_interpolated_again(make: Make):
    session = make()
    session.add_object(Box(0, 0, 10, 10))
    session.seek(20)
    session.change_settings(retrack_on_correction=False)
    session.set_box(Box(40, 0, 10, 10))
    session.change_settings(retrack_on_correction=True)
    session.seek(10)
    session.interpolate_gap()
    session.set_box(Box(20, 20, 10, 10))
    rest(session)
    frames = session.document.tracks[1].frames
    assert frames[5].box == Box(10, 10, 10, 10)
    assert frames[15].box == Box(30, 10, 10, 10)
    assert frames[5].source is Source.INTERPOLATED


def test_what_a_person_edits_while_a_gap_is_tracked_stays_and_the_gap_is_tracked_beside_it(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    drifted(session)
    session.seek(12)
    session.set_box(square(12))
    gate.release(10)
    session.wait(lambda: session.run is not None and session.run.done == 10)
    session.set_box(Box(3, 3, 5, 5), frame=20)
    gate.release(500)
    rest(session)
    frames = session.document.tracks[1].frames
    assert frames[20].box == Box(3, 3, 5, 5)
    assert right(session, (*range(20), *range(21, 30)))


def test_a_locked_object_is_left_alone(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    drifted(session)
    session.seek(5)
    session.track_gap()
    session.wait(lambda: session.run is not None)
    session.commit(SetTrack(1, locked=True), "Lock")
    gate.release(500)
    rest(session)
    assert session.document.tracks[1].frames[15].box == WRONG
    with pytest.raises(SessionError, match="locked"):
        session.track_gap()


def test_a_run_by_hand_goes_first_and_the_rest_of_the_correction_follows(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    session.seek(20)
    session.set_box(square(20))
    assert session.run is not None
    assert session.run.background
    job = session.track()
    assert session.mode is Mode.TRACKING
    gate.release(500)
    session.wait(job)
    rest(session)
    assert right(session, range(FRAMES))


def test_one_undo_takes_back_a_correction_with_all_it_led_to(make: Make):
    session = make()
    drifted(session)
    before = dict(session.document.tracks[1].frames)
    session.seek(12)
    session.set_box(square(12))
    rest(session)
    assert right(session, range(31))
    session.undo()
    assert session.document.tracks[1].frames == before
    assert session.run is None
    session.redo()
    assert right(session, range(31))


def test_undo_while_the_gaps_are_tracked_takes_the_correction_back(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    drifted(session)
    session.seek(12)
    session.set_box(square(12))
    gate.release(3)
    session.wait(lambda: session.run is not None and session.run.done == 3)
    session.undo()
    gate.release(500)
    rest(session)
    assert session.document.tracks[1].frames[12].box == WRONG


def test_esc_stops_the_work_in_the_background(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    drifted(session)
    session.seek(12)
    session.set_box(square(12))
    session.escape()
    gate.release(500)
    rest(session)
    assert session.document.tracks[1].frames[15].box == WRONG


def test_a_run_that_is_continued_ends_where_it_agrees_with_what_was_there(make: Make):
    session = make()
    session.add_object(square(0))
    session.wait(session.track())
    odd: dict[int, Observation | None] = {f: Observation(box=WRONG, source=Source.TRACKER) for f in (11, 12)}
    mark = {30: Observation(box=Box(65, 21, 11, 11), source=Source.TRACKER, score=0.123)}
    session.commit(SetFrames(1, odd | mark), "Drift")
    messages = told(session)
    session.seek(10)
    session.set_box(square(10))
    rest(session)
    assert right(session, range(30))
    assert session.document.tracks[1].frames[30].score == 0.123, "what was right is not tracked again"
    assert "Tracked again to frame 24, what lies beyond stays" in messages[-1]


def test_a_tracker_that_fails_in_the_background_says_so_once(make: Make):
    session = make()
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    drifted(session)
    session.change_settings(tracker="nonsense")
    for frame in (12, 14, 16):
        session.set_box(square(frame), frame=frame)
        rest(session)
    assert len(errors) == 1
    session.change_settings(tracker="fake")
    session.set_box(square(18), frame=18)
    rest(session)
    assert right(session, range(16, 30))


def test_nothing_is_tracked_again_when_the_work_is_not_wanted(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    drifted(session)
    session.set_box(square(12), frame=12)
    session.abandon()
    gate.release(500)
    rest(session)
    assert session.document.tracks[1].frames[15].box == WRONG


def test_a_run_that_is_continued_and_lost_leaves_the_boxes_that_were_there(make: Make):
    session = make(hidden=tuple(range(14, FRAMES)), lost_after=3)
    session.add_object(square(0))
    earlier: dict[int, Observation | None] = {f: Observation(box=WRONG, source=Source.TRACKER) for f in range(1, 30)}
    session.commit(SetFrames(1, earlier), "Earlier")
    messages = told(session)
    session.seek(10)
    session.set_box(square(10))
    rest(session)
    frames = session.document.tracks[1].frames
    assert right(session, range(14))
    assert all(frames[f].box == WRONG for f in range(14, 30))
    assert session.pause is None
    assert "Tracked again to frame 13, what lies beyond stays" in messages[-1]
