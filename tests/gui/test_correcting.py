"""Corrections and pauses in the window, as a user meets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from session_fakes import FRAMES, FakeTrackers, square, write_clip

from app.gui.dialogs.params import ParamsDialog
from app.model.edits import SetFrames
from app.model.tracks import Observation, Source, State
from app.scene import mode_line
from app.settings import Settings
from tracker.api import Box

HIDDEN = range(12, 22)


@pytest.fixture
def lost(make_user, tmp_path: Path):
    """A window whose run has lost the square at frame 12."""
    user = make_user(FakeTrackers(teachable=True), Settings(lost_after=3))
    user.open(write_clip(tmp_path / "holed.mkv", hidden=HIDDEN))
    user.draw(square(0))
    user.track()
    user.wait(lambda: user.session.shown.index == 12)
    return user


def idle(user) -> bool:
    return user.session.run is None and not user.session.retracking


def test_a_drag_corrects_and_both_gaps_beside_it_are_tracked_again(user):
    user.draw(square(0))
    wrong = {f: Observation(box=Box(60, 40, 10, 10), source=Source.TRACKER) for f in range(8, 30)}
    user.track()
    key: dict[int, Observation | None] = {30: Observation(box=square(30), keyframe=True)}
    user.session.commit(SetFrames(1, wrong | key), "Drift")
    user.at_frame(15)
    user.drag((65, 45), (square(15).cx, square(15).cy))
    assert user.session.document.tracks[1].frames[15].source is Source.MANUAL
    user.wait(lambda: idle(user))
    frames = user.session.document.tracks[1].frames
    for f in (*range(1, 8), 12, 20, 29):
        assert frames[f].box == pytest.approx(square(f), abs=2), f
    assert user.session.frame == 15
    assert "Gap 0-15 tracked from both sides" in user.window.status.message.text()
    user.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert frames[15].box == frames[20].box == Box(60, 40, 10, 10), "one undo takes back both"


def test_a_pause_asks_over_the_picture(lost):
    bar = lost.window.pause_bar
    assert bar.isVisible()
    assert bar.title.text() == "object 1 lost at frame 12"
    assert bar.reason.text() == "score 0.10"
    assert bar.buttons["track.accept"].text() == "Look on  Enter"
    assert "Drag a new box" in mode_line(lost.session.status)


def test_a_drag_in_the_picture_answers_the_pause_and_the_run_goes_on(lost):
    lost.at_frame(23)
    box = square(23)
    lost.drag((box.x, box.y), (box.x2, box.y2))
    lost.wait(lambda: idle(lost))
    assert not lost.window.pause_bar.isVisible()
    assert list(lost.session.document.tracks) == [1]
    assert lost.session.document.tracks[1].frames[23].keyframe
    assert lost.session.document.tracks[1].frames[FRAMES - 1].box == square(FRAMES - 1)


def test_enter_goes_on(lost):
    lost.key(Qt.Key.Key_Return)
    lost.wait(lambda: idle(lost))
    assert not lost.window.pause_bar.isVisible()
    assert lost.session.document.tracks[1].frames[FRAMES - 1].box == square(FRAMES - 1)


@pytest.mark.parametrize(
    ("button", "state"), [("object.out_of_view", State.OUT_OF_VIEW), ("object.occluded", State.OCCLUDED)]
)
def test_a_click_says_where_it_is_and_the_run_goes_on(lost, button: str, state: State):
    lost.window.pause_bar.buttons[button].click()
    lost.wait(lambda: idle(lost))
    assert lost.session.document.tracks[1].frames[12].state is state
    assert lost.session.document.tracks[1].frames[FRAMES - 1].box == square(FRAMES - 1)


def test_leaving_the_pause_keeps_what_there_is(lost):
    lost.window.pause_bar.buttons["track.stop"].click()
    assert not lost.window.pause_bar.isVisible()
    assert not lost.session.drawing
    assert max(lost.session.document.tracks[1].frames) == 14


def test_ctrl_t_tracks_the_gap(user):
    user.draw(square(0))
    user.session.commit(SetFrames(1, {20: Observation(box=square(20), keyframe=True)}), "Key")
    user.at_frame(10)
    user.key(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    user.wait(lambda: idle(user))
    frames = user.session.document.tracks[1].frames
    assert all(frames[f].box == pytest.approx(square(f)) for f in range(1, 21))
    assert "they agree" in user.window.status.message.text()


def test_ranges_are_asked_for_in_a_small_form(user):
    shown: list[ParamsDialog] = []

    def fill(dialog: ParamsDialog):
        shown.append(dialog)
        dialog.form.controls["last"].setValue(9)
        return dialog.form.values()

    user.window.ranges.show = fill
    user.draw(square(0))
    user.key(Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    user.wait(lambda: idle(user))
    assert shown[0].windowTitle() == "Track a range"
    assert sorted(user.session.document.tracks[1].frames) == list(range(10))
    user.key(Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert shown[1].form.values() == {"first": 9, "last": 9, "protected": False}
    assert sorted(user.session.document.tracks[1].frames) == list(range(9))
    shown[0].deleteLater()


def test_several_objects_are_chosen_by_ctrl_click_and_in_the_list_and_tracked_together(user):
    for x in (0, 10):
        user.session.add_object(Box(4 + x, 20 + 2 * x, 12, 12))
    canvas, table = user.window.canvas, user.window.tracks_panel.table
    user.wait(lambda: len(canvas.scene) >= 2)
    QTest.mouseClick(
        canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, user.at(square(0).cx, square(0).cy)
    )
    assert user.session.selection == {1, 2}
    assert {index.row() for index in table.selectionModel().selectedRows()} == {0, 1}
    assert "2 objects" in mode_line(user.session.status)
    user.track()
    assert [len(track.frames) for track in user.session.document.tracks.values()] == [FRAMES, FRAMES]
    table.selectRow(1)
    assert user.session.selection == {2}
    user.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert user.session.selection == {1, 2}
    user.key(Qt.Key.Key_M, Qt.KeyboardModifier.AltModifier)
    assert list(user.session.document.tracks) == [1]
    table.selectionModel().clearSelection()
