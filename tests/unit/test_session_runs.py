"""Tracking runs as the session lives through them: undo, corrections, edits elsewhere, stopping, closing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_fakes import FRAMES, FakeTrackers, square, write_clip

from app.media import Frame, MediaError, open_media
from app.model.edits import AddTrack
from app.model.tracks import Observation, Source, State
from app.session import Mode, Session, SessionError
from app.settings import CommitMode, Settings
from tracker.api import Box

Make = Callable[..., Session]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Opens the clip in a session with a fake tracker; every session is closed in the end."""
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


@pytest.fixture
def open_clip(tmp_path: Path) -> Iterator[Session]:
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    yield session
    session.close(discard=True)


def frames_of(session: Session, track: int = 1) -> list[int]:
    return sorted(session.document.tracks[track].frames)


def test_a_run_is_one_undo_step(make: Make):
    session = make()
    session.add_object(square(0), "box")
    session.wait(session.track())
    assert frames_of(session) == list(range(FRAMES))
    assert session.document.tracks[1].frames[20].box == square(20)
    assert session.history.steps == ("New box", "Track")
    session.undo()
    assert frames_of(session) == [0]
    session.redo()
    assert frames_of(session) == list(range(FRAMES))


def test_the_picture_follows_the_run_and_the_status_is_told(make: Make):
    session = make()
    session.add_object(square(0))
    statuses, lives = [], []
    session.events.run.connect(statuses.append)
    session.events.live.connect(lives.append)
    session.wait(session.track())
    assert session.frame == FRAMES - 1
    assert session.shown is not None
    assert session.shown.index == FRAMES - 1
    assert statuses[0].phase == "loading"
    assert statuses[-1] is None
    assert statuses[-2].device == "cpu", "what auto has come to mean"
    assert lives[-1].frame == FRAMES - 1
    assert statuses[-2].done == statuses[-2].total == FRAMES - 1
    assert statuses[-2].score == 0.9
    assert statuses[-2].fps > 0
    assert (session.run, session.live, session.mode) == (None, None, Mode.IDLE)


def test_seeking_by_hand_lets_go_of_the_run(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    job = session.track()
    gate.release(5)
    session.wait(lambda: session.run is not None and session.run.frame == 5)
    assert session.frame == 5
    session.seek(2)
    gate.release(FRAMES)
    session.wait(job)
    assert session.frame == 2
    assert session.follow, "the next run is followed again"


def test_stop_keeps_what_was_computed_within_one_frame(make: Make):
    gate = threading.Semaphore(0)
    trackers = FakeTrackers(gate=gate)
    session = make(trackers=trackers)
    session.add_object(square(0))
    messages: list[str] = []
    session.events.message.connect(messages.append)
    job = session.track()
    gate.release(7)
    session.wait(lambda: session.run is not None and session.run.frame == 7)
    session.stop()
    assert session.run is not None
    assert session.run.phase == "stopping"
    gate.release(FRAMES)
    session.wait(job)
    assert frames_of(session) in ([*range(8)], [*range(9)])
    assert len(trackers.made["auto"].stepped) <= 8
    assert messages[-1] == f"Stopped at frame {frames_of(session)[-1]}"
    session.undo()
    assert frames_of(session) == [0]


def test_a_run_ends_before_a_protected_frame_and_replaces_the_tracker_s(make: Make):
    session = make()
    session.add_object(square(0))
    session.wait(session.track())
    session.seek(10)
    session.set_box(Box(50, 40, 5, 5))
    session.seek(20)
    session.toggle_keyframe()
    kept = session.document.tracks[1].frames[20]
    assert kept.source is Source.TRACKER
    session.seek(10)
    session.set_box(square(10))
    job = session.track()
    session.wait(job)
    assert job.value is not None
    assert job.value.reason == "keyframe"
    assert session.frame == 19
    assert session.document.tracks[1].frames[20] is kept
    session.seek(10)
    messages: list[str] = []
    session.events.message.connect(messages.append)
    session.wait(session.track(-1, mode="replace"))
    assert messages[-1] == "Tracked up to the keyframe at 0"


def test_a_correction_ends_the_run_and_late_results_are_dropped(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate), retrack_on_correction=False)
    session.add_object(square(0))
    job = session.track()
    gate.release(9)
    session.wait(lambda: session.run is not None and session.run.frame == 9)
    before = frames_of(session)
    session.seek(5)
    session.set_box(Box(1, 1, 4, 4))
    assert session.run is None
    gate.release(FRAMES)
    session.wait(job)
    session.pump()
    assert frames_of(session) == sorted({*before, 5})
    assert session.document.tracks[1].frames[5].box == Box(1, 1, 4, 4)
    gate.release(FRAMES)
    session.wait(session.track())
    assert frames_of(session)[-1] == FRAMES - 1
    assert session.document.tracks[1].frames[5].box == Box(1, 1, 4, 4)


def test_other_tracks_may_be_edited_while_a_run_goes_on(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    other = session.add_object(Box(1, 1, 9, 9))
    session.select(1)
    job = session.track()
    gate.release(5)
    session.wait(lambda: len(frames_of(session)) > 1 or (session.run is not None and session.run.frame == 5))
    session.set_box(Box(2, 2, 9, 9), track=other, frame=3)
    session.set_track(1, label="renamed")
    assert session.run is not None
    gate.release(FRAMES)
    session.wait(job)
    assert frames_of(session) == list(range(FRAMES))
    assert frames_of(session, other) == [0, 3]


@pytest.mark.parametrize("how", ["undo", "remove"])
def test_undoing_or_removing_what_a_run_writes_ends_it(make: Make, how: str):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    job = session.track()
    gate.release(5)
    session.wait(lambda: session.run is not None and session.run.frame == 5)
    session.undo() if how == "undo" else session.remove_track()
    assert session.run is None
    gate.release(FRAMES)
    session.wait(job)
    session.pump()
    assert frames_of(session) == [0] if how == "undo" else not session.document.tracks


def test_a_loss_is_shown_and_t_goes_on(make: Make):
    session = make(hidden=tuple(range(12, 22)), lost_after=3)
    session.add_object(square(0))
    messages: list[str] = []
    session.events.message.connect(messages.append)
    session.wait(session.track())
    assert messages[-1].startswith("Lost at frame 12: score 0.10")
    assert session.frame == 12
    states = {f: o.state for f, o in session.document.tracks[1].frames.items()}
    assert [f for f, state in states.items() if state is State.LOST] == [12, 13, 14]
    assert all(session.document.tracks[1].frames[f].box is None for f in (12, 13, 14))
    session.wait(session.track())
    frames = session.document.tracks[1].frames
    assert frames[15].state is State.LOST
    assert frames[FRAMES - 1].box == square(FRAMES - 1)


@given(
    protected=st.sets(st.integers(0, FRAMES - 1), min_size=1, max_size=6),
    proposed=st.sets(st.integers(0, FRAMES - 1), max_size=12),
    start=st.integers(0, FRAMES - 1),
    direction=st.sampled_from([1, -1]),
    mode=st.sampled_from(["fill", "replace"]),
)
@settings(max_examples=25)
def test_a_run_fills_its_gap_and_leaves_everything_else_alone(
    open_clip: Session, protected: set[int], proposed: set[int], start: int, direction: int, mode: CommitMode
):
    """Whatever hands and trackers left on a track, a run writes from its start to the next protected frame only."""
    session = open_clip
    by_hand = {f: Observation(box=Box(1, 1, 5, 5)) for f in protected | {start}}
    by_tracker = {f: Observation(box=Box(2, 2, 5, 5), source=Source.TRACKER) for f in proposed}
    track = session.document.new_track()
    track.frames.update(by_tracker | by_hand)
    session.commit(AddTrack(track), "Make")
    session.select(track.id)
    before = dict(session.document.tracks[track.id].frames)
    ahead = [f for f in protected if (f - start) * direction > 0]
    stop = min(ahead, key=lambda f: abs(f - start)) if ahead else (FRAMES if direction > 0 else -1)
    written = [f for f in range(start + direction, stop, direction) if mode == "replace" or f not in by_tracker]
    session.seek(start)
    try:
        session.wait(session.track(direction, mode=mode))
    except SessionError:
        assert not written
    after = session.document.tracks[track.id].frames
    assert {f: after[f].box for f in written} == {f: square(f) for f in written}
    assert {f: o for f, o in after.items() if f not in written} == {f: o for f, o in before.items() if f not in written}
    if written:
        session.undo()
    assert session.document.tracks[track.id].frames == before
    session.remove_track()


def test_a_frame_that_cannot_be_read_ends_the_run_and_what_was_done_stays(make: Make, tmp_path: Path):
    class Damaged:
        def __init__(self, path: Path) -> None:
            self._reader = open_media(path)

        def __enter__(self) -> Damaged:
            return self

        def __exit__(self, *exc: object) -> None:
            self._reader.close()

        def iter(self, start: int, stop: int, step: int) -> Iterator[Frame]:
            for frame in self._reader.iter(start, stop, step):
                if frame.index == 6:
                    raise MediaError("frame 6 of clip.mkv cannot be decoded")
                yield frame

    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers(), open_reader=Damaged)  # type: ignore[arg-type]
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    session.add_object(square(0))
    job = session.track()
    session.wait(lambda: job.ended)
    assert [str(e) for e in errors] == ["frame 6 of clip.mkv cannot be decoded"]
    assert frames_of(session) == [*range(6)]
    assert session.frame == 5
    session.close(discard=True)


def test_a_second_run_is_refused_while_one_goes_on(make: Make):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    job = session.track()
    with pytest.raises(SessionError, match="Esc"):
        session.track()
    session.stop()
    gate.release(FRAMES)
    session.wait(job)


def test_a_broken_tracker_is_reported_once_and_what_it_did_stays(make: Make):
    session = make(trackers=FakeTrackers(fail_at=6))
    session.add_object(square(0))
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.track()
    session.wait(lambda: job.ended)
    assert [str(e) for e in errors] == ["the tracker broke"]
    assert frames_of(session) == [*range(6)]
    assert session.run is None


def test_an_unknown_tracker_is_reported(make: Make):
    session = make()
    session.change_settings(tracker="nonsense")
    session.add_object(square(0))
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.track()
    session.wait(lambda: job.ended)
    assert "nonsense" in str(errors[0])


def go(session: Session, frame: int) -> None:
    """Go there and wait for the picture."""
    session.seek(frame)
    session.wait(lambda: session.shown is not None and session.shown.index == frame)


def test_work_that_is_not_wanted_stays_so_when_a_run_was_going_on(make: Make):
    gate = threading.Semaphore(9)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    session.track()
    session.wait(lambda: session.run is not None and session.run.done >= 5)
    session.abandon()
    gate.release(100)
    session.close()
    assert not session.leftovers()


def test_heat_maps_of_a_finished_run_are_remembered_until_the_frame_changes(make: Make):
    session = make()
    session.add_object(square(0))
    session.wait(session.track())
    go(session, 7)
    assert session.live_here is not None
    assert session.live_here.frame == 7
    session.set_box(Box(3, 3, 9, 9))
    assert session.live_here is None
    session.undo()
    go(session, 8)
    assert session.live_here is not None
    session.undo()
    assert session.live_here is None


def test_closing_during_a_run_keeps_what_was_computed(make: Make, tmp_path: Path):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    session.track()
    gate.release(6)
    session.wait(lambda: session.run is not None and session.run.frame == 6)
    document = session.document
    gate.release(FRAMES)
    session.close()
    assert set(range(7)) <= document.tracks[1].frames.keys()
    assert not [t for t in threading.enumerate() if t.name.startswith("lane-")]
    session.close()


def test_opening_another_video_during_a_run_ends_it(make: Make, tmp_path: Path):
    gate = threading.Semaphore(0)
    session = make(trackers=FakeTrackers(gate=gate))
    session.add_object(square(0))
    job = session.track()
    gate.release(3)
    session.wait(lambda: session.run is not None and session.run.frame == 3)
    other = write_clip(tmp_path / "other.mkv", frames=5)
    opened = session.open(other)
    gate.release(FRAMES)
    session.wait(opened)
    session.wait(job)
    session.pump()
    assert session.run is None
    assert session.frame_count == 5
    assert not session.document.tracks
