"""Edits by hand: what each gesture leaves behind, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from session_fakes import FRAMES, FakeTrackers, picture, square, write_clip

from app.model.document import COLOURS, Change
from app.model.tracks import Source, State
from app.session import Mode, Session, SessionError
from app.settings import Settings
from tracker.api import Box


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv")


@pytest.fixture
def session(clip: Path) -> Iterator[Session]:
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.wait(session.open(clip))
    yield session
    session.close(discard=True)


def test_a_new_object_is_a_selected_manual_keyframe(session: Session):
    session.seek(4)
    session.begin_drawing()
    track = session.add_object(Box(-5, -5, 15, 15), "cat")
    assert session.here is not None
    assert (session.here.box, session.here.source, session.here.keyframe) == (Box(0, 0, 10, 10), Source.MANUAL, True)
    assert (session.selected, session.mode) == (track, Mode.IDLE)
    assert session.document.tracks[track].frames.keys() == {4}


def test_labels_carry_over_and_colours_differ(session: Session):
    first, second, third = (
        session.add_object(square(0)),
        session.add_object(square(0), "dog"),
        session.add_object(square(0)),
    )
    tracks = session.document.tracks
    assert [tracks[t].label for t in (first, second, third)] == ["object", "dog", "dog"]
    assert [tracks[t].colour for t in (first, second, third)] == list(COLOURS[:3])
    session.remove_track(second)
    assert tracks[session.add_object(square(0))].colour == COLOURS[1], "a colour that is free again is used first"


@pytest.mark.parametrize("box", [Box(200, 200, 5, 5), Box(5, 5, 0, 9), Box(5, 5, 0.4, 9), Box(float("nan"), 0, 1, 1)])
def test_a_box_without_a_pixel_is_refused(session: Session, box: Box):
    with pytest.raises(SessionError, match="covers nothing of the picture"):
        session.add_object(box)
    assert not session.document.tracks


def test_a_drag_is_one_undo_step(session: Session):
    session.add_object(square(0))
    gesture = session.new_gesture()
    for dx in range(1, 6):
        session.set_box(Box(4 + dx, 20, 12, 12), gesture=gesture)
    assert session.history.steps == ("New object", "Place the box")
    session.undo()
    assert session.here is not None
    assert session.here.box == square(0)


def test_correcting_a_tracker_frame_makes_it_manual_and_drops_its_mask(session: Session):
    session.add_object(square(0))
    session.wait(session.track())
    session.seek(9)
    assert session.here is not None
    assert session.here.mask is not None
    session.set_box(square(9))
    assert (session.here.source, session.here.keyframe, session.here.mask, session.here.score) == (
        Source.MANUAL, True, None, None,
    )  # fmt: skip


def test_deleting_a_box_leaves_the_other_frames(session: Session):
    session.add_object(square(0))
    session.wait(session.track())
    session.seek(9)
    session.delete_box()
    assert session.here is None
    assert len(session.document.tracks[1].frames) == FRAMES - 1
    with pytest.raises(SessionError, match="nothing on this frame"):
        session.delete_box()


def test_the_keyframe_flag_protects_a_tracker_frame(session: Session):
    session.add_object(square(0))
    session.wait(session.track())
    session.seek(9)
    session.toggle_keyframe()
    assert session.here is not None
    assert (session.here.keyframe, session.here.protected, session.here.source) == (True, True, Source.TRACKER)
    session.toggle_keyframe()
    assert not session.here.protected


def test_states_by_hand(session: Session):
    session.add_object(square(0))
    session.set_state(State.OCCLUDED)
    assert session.here is not None
    assert (session.here.state, session.here.present) == (State.OCCLUDED, True)
    session.set_state(State.OUT_OF_VIEW)
    assert (session.here.box, session.here.protected) == (None, True)
    with pytest.raises(SessionError, match="no box on this frame"):
        session.set_state(State.VISIBLE)
    session.seek(3)
    session.set_state(State.OUT_OF_VIEW)
    assert session.here.state is State.OUT_OF_VIEW


def test_properties_of_a_track(session: Session):
    session.add_object(square(0))
    session.set_track(1, label="cat", colour="#123456", visible=False)
    track = session.document.tracks[1]
    assert (track.label, track.colour, track.visible) == ("cat", "#123456", False)
    session.undo()
    assert (track.label, track.visible) == ("object", True)
    with pytest.raises(SessionError, match="Select one object"):
        session.set_track(7, label="x")


def test_without_a_selection_keys_say_what_to_do(session: Session):
    for act in (session.delete_box, session.toggle_keyframe, session.remove_track, session.track):
        with pytest.raises(SessionError, match="Select one object"):
            act()
    with pytest.raises(SessionError, match="Select the object"):
        session.begin_drawing(redraw=True)


def test_the_selection_never_names_what_is_gone(session: Session):
    told: list[frozenset[int]] = []
    session.events.selection.connect(lambda: told.append(session.selection))
    session.add_object(square(0))
    session.select(1, 99)
    assert session.selection == {1}
    session.undo()
    assert session.selection == frozenset()
    assert told == [frozenset({1}), frozenset()]


def test_views_hear_of_every_change_with_what_it_touched(session: Session):
    changes: list[Change] = []
    session.events.document.connect(changes.append)
    session.add_object(square(0))
    session.set_box(Box(1, 1, 5, 5), frame=7)
    session.undo()
    assert [c.structure for c in changes] == [True, False, False]
    assert changes[1].frames == changes[2].frames == {1: range(7, 8)}


def test_seeking_stays_inside_and_shows_the_newest_request(session: Session):
    shown: list[int] = []
    session.events.shown.connect(lambda frame: shown.append(frame.index))
    for frame in (3, 9, 500):
        session.seek(frame)
    assert session.frame == FRAMES - 1
    session.wait(lambda: session.shown is not None and session.shown.index == FRAMES - 1)
    assert session.shown is not None
    assert (session.shown.image == picture(FRAMES - 1)).all()
    assert shown[-1] == FRAMES - 1
    session.seek(-4)
    assert session.frame == 0


def test_a_cached_frame_is_shown_at_once(session: Session):
    session.wait(lambda: {0, 1, 2} <= set(session.cached_frames()))
    session.seek(2)
    assert session.shown is not None
    assert session.shown.index == 2
