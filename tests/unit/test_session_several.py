"""Runs of several objects, runs that fill, ranges, and the commands that reshape tracks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from session_fakes import FRAMES, FakeTrackers, square, write_clip
from test_session_gaps import WRONG, rest, right, told

from app.commands import run
from app.model.edits import SetFrames
from app.model.tracks import Observation, Source
from app.session import Session, SessionError
from app.settings import Settings
from tracker.api import Box

Make = Callable[..., Session]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    sessions: list[Session] = []

    def make(*, trackers: FakeTrackers | None = None, **more: object) -> Session:
        clip = write_clip(tmp_path / "clip.mkv")
        session = Session(Settings(tracker="fake", **more), create_tracker=trackers or FakeTrackers())  # type: ignore[arg-type]
        sessions.append(session)
        session.wait(session.open(clip))
        return session

    yield make
    for session in sessions:
        session.close(discard=True)


def boxes(session: Session, track: int) -> dict[int, Box | None]:
    return {f: o.box for f, o in sorted(session.document.tracks[track].frames.items())}


def three(session: Session) -> None:
    """Objects 1, 2 and 3 on frame 0, the second with a keyframe on 12; all are selected."""
    for _ in range(3):
        session.add_object(square(0))
    session.commit(SetFrames(2, {12: Observation(box=square(12), keyframe=True)}), "Key")
    session.select(1, 2, 3)


def test_several_objects_go_together_each_to_its_own_end_in_one_step(make: Make):
    session = make()
    three(session)
    messages = told(session)
    session.wait(session.track())
    everywhere = {f: square(f) for f in range(FRAMES)}
    assert boxes(session, 1) == boxes(session, 3) == everywhere
    assert boxes(session, 2) == {f: square(f) for f in range(13)}
    assert messages[-1] == "3 objects tracked to where they had to go"
    assert session.history.steps[-1] == "Track"
    session.undo()
    assert [list(boxes(session, t)) for t in (1, 2, 3)] == [[0], [0, 12], [0]]


def test_status_and_live_items_are_those_of_each(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    three(session)
    job = session.track()
    gate.release(9)
    session.wait(lambda: session.run is not None and session.run.done == 3)
    assert session.run is not None
    assert session.run.tracks == (1, 2, 3)
    assert [(o.track, o.frame, o.score) for o in session.run.objects] == [(t, 3, 0.9) for t in (1, 2, 3)]
    assert [item.track for item in session.lives] == [1, 2, 3]
    assert session.live_here is not None
    gate.release(100)
    session.wait(job)
    assert session.lives == ()


def test_objects_share_a_batch(make: Make):
    batches: list[int] = []

    class Counting(FakeTrackers):
        def __call__(self, name: str, device: str, **options: object):
            tracker = super().__call__(name, device, **options)
            step = tracker.step

            def counted(image, targets, *, want_mask=True):
                batches.append(len(targets))
                return step(image, targets, want_mask=want_mask)

            tracker.step = counted  # type: ignore[method-assign]
            return tracker

    session = make(trackers=Counting())
    three(session)
    session.wait(session.track())
    assert batches == [3] * 11 + [2] * (FRAMES - 12)


def test_a_correction_of_one_leaves_the_others_going(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    three(session)
    job = session.track()
    gate.release(9)
    session.wait(lambda: session.run is not None and session.run.done == 3)
    session.set_box(square(2), track=3, frame=2)
    assert session.run is not None
    assert not session.run.background
    gate.release(500)
    session.wait(job)
    rest(session)
    assert list(boxes(session, 1)) == list(range(FRAMES))
    assert session.document.tracks[3].frames[2].keyframe
    assert list(boxes(session, 3)) == list(range(FRAMES)), "tracked on from the correction, to where it was to go"


def test_objects_that_cannot_go_are_left_out_and_it_is_said_when_none_can(make: Make):
    session = make()
    session.add_object(square(0))
    session.seek(FRAMES - 1)
    session.add_object(square(FRAMES - 1))
    session.select(1, 2)
    session.seek(0)
    session.wait(session.track())
    assert right(session, range(FRAMES))
    assert list(boxes(session, 2)) == [FRAMES - 1]
    session.seek(FRAMES - 1)
    with pytest.raises(SessionError, match="last frame"):
        session.track()


def some(session: Session) -> None:
    """Object 1 with a keyframe on 0, wrong boxes of a tracker on 5 to 9, and of an import on 20."""
    session.add_object(square(0))
    wrong: dict[int, Observation | None] = {f: Observation(box=WRONG, source=Source.TRACKER) for f in range(5, 10)}
    session.commit(SetFrames(1, wrong | {20: Observation(box=WRONG, source=Source.IMPORTED)}), "Some")


def test_by_default_a_run_fills_what_is_missing(make: Make):
    session = make()
    some(session)
    session.wait(session.track())
    kept = {5, 6, 7, 8, 9, 20}
    assert {f for f, box in boxes(session, 1).items() if box == WRONG} == kept
    assert right(session, set(range(FRAMES)) - kept)


def test_a_run_that_fills_ends_where_nothing_is_missing_beyond(make: Make):
    session = make()
    session.add_object(square(0))
    rest_of: dict[int, Observation | None] = {
        f: Observation(box=WRONG, source=Source.TRACKER) for f in range(10, FRAMES)
    }
    session.commit(SetFrames(1, rest_of), "Some")
    messages = told(session)
    session.wait(session.track())
    assert messages[-1] == "Filled up to frame 9; what lies beyond has boxes"
    with pytest.raises(SessionError, match="Ctrl\\+Shift\\+T tracks them again"):
        session.track()


def test_tracking_again_replaces_what_nobody_verified(make: Make):
    session = make()
    some(session)
    session.seek(7)
    session.change_settings(retrack_on_correction=False)
    session.toggle_keyframe()
    session.seek(0)
    session.wait(run("track.again", session, None))  # type: ignore[arg-type]
    assert right(session, range(7))
    assert boxes(session, 1)[7] == boxes(session, 1)[8] == WRONG, "up to the keyframe"


def test_a_range_passes_keyframes_which_stay_and_correct_the_run(make: Make):
    trackers = FakeTrackers(drift=5, teachable=True)
    session = make(trackers=trackers)
    some(session)
    session.commit(SetFrames(1, {12: Observation(box=square(12), keyframe=True)}), "Key")
    key = session.document.tracks[1].frames[12]
    session.wait(run("track.range", session, None, first=0, last=25))  # type: ignore[arg-type]
    assert session.document.tracks[1].frames[12] is key
    assert right(session, (*range(6), *range(12, 26))), "it had drifted from 6 to 11"
    assert boxes(session, 1)[8] != square(8)
    assert max(boxes(session, 1)) == 25
    assert trackers.made["auto"].taught == [square(12)]
    with pytest.raises(SessionError, match="one frame"):
        session.track_range(3, 3)


def test_a_range_backward(make: Make):
    session = make()
    session.seek(30)
    session.add_object(square(30))
    session.wait(session.track_range(30, 20))
    assert list(boxes(session, 1)) == list(range(20, 31))


def test_passes_that_disagree_are_told_with_the_frame(make: Make):
    """The tracker sees the square too low after 20 steps: each pass is right on its own side of the gap."""
    session = make(trackers=FakeTrackers(drift=20))
    session.add_object(square(0))
    session.commit(SetFrames(1, {34: Observation(box=square(34), keyframe=True)}), "Key")
    messages = told(session)
    session.seek(3)
    session.wait(session.track_gap())
    seen = session.document.tracks[1].frames
    assert right(session, range(35)), "each frame is that of the nearer keyframe"
    assert seen[5].signals["disagreement"] == 1
    assert seen[5].signals["closure"] == 0
    assert messages[-1] == "Gap 0-34 tracked from both sides, they disagree most at frame 1 (IoU 0)"


def test_the_commands_that_reshape_each_make_one_step(make: Make):
    session = make()
    session.add_object(square(0))
    session.wait(session.track())
    ui = None
    steps = len(session.history.steps)

    def do(command: str, **params: object) -> None:
        nonlocal steps
        run(command, session, ui, **params)  # type: ignore[arg-type]
        steps += 1
        assert len(session.history.steps) == steps

    session.seek(18)
    do("object.split")
    assert session.selected == 2
    assert list(boxes(session, 2)) == list(range(18, FRAMES))
    session.select(1, 2)
    do("object.swap")
    assert list(boxes(session, 1)) == list(range(FRAMES))
    assert boxes(session, 2) == {}
    do("object.merge")
    assert session.selected == 1
    assert list(session.document.tracks) == [1]
    do("object.simplify", tolerance=1.0)
    assert session.document.tracks[1].keyframes() == [0, FRAMES - 1]
    do("object.delete_range", first=20, last=30)
    assert boxes(session, 1).keys() == {*range(20), *range(31, FRAMES)}
    session.seek(25)
    do("object.extend")
    assert session.here is not None
    assert session.here.box == square(19)
    session.seek(19)
    run("object.copy", session, ui)  # type: ignore[arg-type]
    session.seek(27)
    session.change_settings(retrack_on_correction=False)
    do("object.paste")
    assert session.here.box == square(19)
    do("object.propagate", count=2)
    assert boxes(session, 1)[29] == square(19)
    session.select()
    session.seek(3)
    do("object.paste")
    assert session.selected == 3
    for _ in range(9):
        session.undo()
    assert right(session, range(FRAMES))


def test_what_cannot_be_reshaped_says_why(make: Make):
    session = make()
    session.add_object(square(0))
    for act, words in (
        (session.split_track, "nothing to split"),
        (session.merge_tracks, "two objects"),
        (session.paste_box, "Copy a box first"),
        (session.interpolate_gap, "keyframe on both sides"),
    ):
        with pytest.raises(SessionError, match=words):
            act()
    session.toggle("locked")
    for act in (session.split_track, session.extend_track, session.simplify_track, session.propagate_box):
        with pytest.raises(SessionError, match="locked"):
            act()
