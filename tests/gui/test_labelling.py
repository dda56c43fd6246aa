"""The main job through the window's real widgets: draw, track, correct, undo, save, open again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from session_fakes import FRAMES, FakeTrackers, square

from app.gui.asking import Unsaved
from app.gui.canvas.layers import grip_centres
from app.model.tracks import Source
from app.scene import Grip, Heat, MaskFill, Rect, SearchRegion
from app.session import Mode
from tracker.api import Box

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_a_box_is_drawn_with_n_and_a_drag(user):
    user.key(Qt.Key.Key_N)
    assert user.session.mode is Mode.DRAWING
    assert "Esc cancels" in user.window.status.mode.text()
    box = square(0)
    user.drag((box.x, box.y), (box.x2, box.y2))
    assert user.session.mode is Mode.IDLE
    seen = user.session.here
    assert seen.source is Source.MANUAL
    assert seen.keyframe
    assert all(abs(a - b) < 0.5 for a, b in zip(seen.box, box, strict=True))
    assert user.window.tracks_panel.model.rowCount() == 1


def test_esc_gives_up_a_drag_and_then_drawing(user):
    user.key(Qt.Key.Key_N)
    user.press(10, 10)
    user.move(40, 40)
    user.key(Qt.Key.Key_Escape)
    assert not user.window.canvas.gesturing
    user.release(40, 40)
    assert not user.session.document.tracks
    user.key(Qt.Key.Key_Escape)
    assert user.session.mode is Mode.IDLE


def test_a_run_fills_the_lane_shows_its_heat_and_is_one_undo_step(user):
    track = user.draw(square(0))
    scenes = []
    user.session.events.live.connect(lambda item: scenes.append(user.window.canvas.scene))
    user.track()
    frames = user.session.document.tracks[track].frames
    assert len(frames) == FRAMES
    assert all(frames[i].source is Source.TRACKER for i in range(1, FRAMES))
    assert user.session.lanes.lanes[track].summary() == (FRAMES, 0, FRAMES - 1)
    assert any(isinstance(p, Heat) for p in user.window.canvas.scene)
    assert any(isinstance(p, SearchRegion) for p in user.window.canvas.scene)
    assert any(isinstance(p, MaskFill) for p in user.window.canvas.scene)
    user.key(Qt.Key.Key_Z, CTRL)
    assert len(user.session.document.tracks[track].frames) == 1
    user.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert len(user.session.document.tracks[track].frames) == FRAMES


def test_a_drag_of_the_box_corrects_the_frame_as_one_step(user):
    track = user.draw(square(0))
    user.track()
    user.at_frame(10)
    before = user.session.here.box
    user.drag((before.cx, before.cy), (before.cx + 6, before.cy + 4))
    after = user.session.here
    assert after.source is Source.MANUAL
    assert after.box.x == pytest.approx(before.x + 6, abs=0.5)
    assert after.box.y == pytest.approx(before.y + 4, abs=0.5)
    assert (after.box.w, after.box.h) == pytest.approx((before.w, before.h))
    assert user.session.document.tracks[track].frames[11].source is Source.TRACKER
    user.key(Qt.Key.Key_Z, CTRL)
    assert user.session.here.box == before


def test_a_handle_resizes_and_keeps_the_other_corner(user):
    user.draw(square(0))
    box = user.session.here.box
    x, y = grip_centres(*user.window.canvas.view.box(box))["se"]
    corner = user.window.canvas.to_image(QPointF(x, y))
    user.drag(corner, (corner[0] + 5, corner[1] + 3))
    after = user.session.here.box
    assert (after.x, after.y) == pytest.approx((box.x, box.y))
    assert after.w == pytest.approx(box.w + 5, abs=0.5)


def test_a_click_selects_without_changing_anything(user):
    track = user.draw(square(0))
    box = user.session.here
    user.drag((80, 50), (80, 50))  # a click on empty ground
    assert user.session.selected is None
    user.press(box.box.cx, box.box.cy)
    user.release(box.box.cx, box.box.cy)
    assert user.session.selected == track
    assert user.session.here == box


def test_keys_walk_mark_and_delete(user):
    user.draw(square(0))
    user.track()
    user.key(Qt.Key.Key_Home)
    for key, modifier, frame in [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 1),
        (Qt.Key.Key_F, Qt.KeyboardModifier.NoModifier, 2),
        (Qt.Key.Key_Right, SHIFT, 12),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 11),
        (Qt.Key.Key_D, SHIFT, 1),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, FRAMES - 1),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0),
    ]:
        user.key(key, modifier)
        assert user.session.frame == frame
    user.at_frame(5)
    user.key(Qt.Key.Key_K)
    assert user.session.here.keyframe
    user.key(Qt.Key.Key_Delete)
    assert user.session.here is None
    assert user.session.document.tracks[user.session.selected].at(6) is not None


def test_esc_stops_a_run_and_keeps_what_it_did(make_user, clip):
    gate = threading.Semaphore(5)
    user = make_user(FakeTrackers(gate=gate))
    user.open(clip)
    track = user.draw(square(0))
    user.key(Qt.Key.Key_T)
    user.wait(lambda: user.session.run is not None and user.session.run.frame == 5)
    assert "Esc stops" in user.window.status.mode.text()
    user.key(Qt.Key.Key_Escape)
    gate.release(1)
    user.wait(lambda: user.session.run is None)
    assert 5 <= len(user.session.document.tracks[track].frames) - 1 <= 6


def test_scrubbing_zooming_and_drawing_go_on_during_a_run(make_user, clip):
    gate = threading.Semaphore(3)
    user = make_user(FakeTrackers(gate=gate))
    user.open(clip)
    first = user.draw(square(0))
    user.key(Qt.Key.Key_T)
    user.wait(lambda: user.session.run is not None and user.session.run.frame == 3)
    view = user.window.timeline.lane_view
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPointF(view.x_of(20.5), 8).toPoint())
    user.wait(lambda: user.session.shown.index == 20)
    second = user.draw(Box(60, 5, 20, 10))
    assert list(user.session.document.tracks[second].frames) == [20]
    gate.release(100)
    user.wait(lambda: user.session.run is None)
    assert len(user.session.document.tracks[first].frames) == FRAMES
    assert user.session.frame == 20


def test_a_lost_target_says_so(make_user, tmp_path):
    from session_fakes import write_clip

    user = make_user()
    user.open(write_clip(tmp_path / "hidden.mkv", hidden=range(10, FRAMES)))
    track = user.draw(square(0))
    user.track()
    assert user.session.document.tracks[track].at(10).state == "lost"
    assert user.session.frame == 10
    user.wait(lambda: user.window.tracker_panel.verdict.text() == "Lost")
    assert "Lost at frame 10" in user.window.status.message.text()


def test_closing_during_a_run_is_clean_and_asks_once(make_user, clip, monkeypatch):
    gate = threading.Semaphore(2)
    user = make_user(FakeTrackers(gate=gate))
    user.open(clip)
    user.draw(square(0))
    user.key(Qt.Key.Key_T)
    user.wait(lambda: user.session.run is not None and user.session.run.frame == 2)
    stop = user.session.runs.stop
    # The worker sits in a step; it may go on once it was asked to stop, and must then leave within that frame.
    monkeypatch.setattr(user.session.runs, "stop", lambda: (stop(), gate.release(1)))
    assert user.window.close()
    assert user.asked == ["unsaved"]
    assert user.window.close()
    assert user.asked == ["unsaved"]


def test_cancel_keeps_the_window_open(user):
    user.draw(square(0))
    user.answer = Unsaved.CANCEL
    assert not user.window.close()
    assert user.session.is_open


def test_saved_work_is_there_when_the_video_is_opened_again(user, make_user, clip):
    user.draw(square(0))
    user.track()
    user.key(Qt.Key.Key_S, CTRL)
    user.wait(lambda: not user.session.dirty)
    assert user.window.close()
    assert user.asked == []
    again = make_user()
    again.open(clip)
    assert len(again.session.document.tracks[1].frames) == FRAMES
    assert again.window.session.lanes.lanes[1].summary()[0] == FRAMES
    assert any(isinstance(p, Rect) for p in again.window.canvas.scene)


def test_unsaved_work_is_offered_after_a_crash(user, make_user, monkeypatch):
    user.draw(square(0))
    user.session.close()  # as a crash would: nothing saved, nothing discarded
    again = make_user()
    monkeypatch.setattr("app.gui.documents.RecoverDialog.exec", lambda dialog: (dialog.recover_button.click(), True)[1])
    assert again.window.documents.offer_recovery()
    again.wait(lambda: again.session.is_open)
    assert len(again.session.document.tracks) == 1
    assert again.session.dirty


def test_handles_belong_to_the_selected_box_only(user):
    user.draw(square(0))
    user.draw(Box(50, 40, 30, 15))
    user.wait(lambda: {p.track for p in user.window.canvas.scene if isinstance(p, Grip)} == {2})


def test_dropping_a_file_opens_it(make_user, clip: Path):
    from PySide6.QtCore import QMimeData, QUrl
    from PySide6.QtGui import QDropEvent

    user = make_user()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(clip))])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    user.window.dropEvent(event)
    user.wait(lambda: user.session.is_open)
    assert user.window.stack.currentWidget() is user.window.canvas
