"""The guided tour in the window: every step by the gesture that it asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from session_fakes import FakeTrackers, square, write_clip

from app.commands import BY_ID
from app.gui import tour as tour_window
from app.gui.application import begin
from app.gui.tour_places import put
from app.media import probe
from app.settings import Settings
from app.work import opening
from app.work.tour import STEPS, Guide

HIDDEN = range(12, 22)
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def guest(make_user, tmp_path: Path, monkeypatch):
    """A window whose sample is the small clip, in which the square is hidden for a while."""
    sample = write_clip(tmp_path / "shipped.mkv", hidden=HIDDEN)
    monkeypatch.setattr(opening, "SAMPLE", str(sample))
    monkeypatch.setattr(opening.diagnostics, "resource", lambda name: Path(name))
    assert probe(sample, tmp_path).frames == 36
    near = {"draw": 0, "correct": 26, "mask": 30}
    steps = tuple(
        replace(step, frame=near[step.id], box=square(near[step.id])) if step.id in near else step for step in STEPS
    )
    monkeypatch.setattr(tour_window, "Guide", lambda session: Guide(session, steps))
    return make_user(FakeTrackers(teachable=True), Settings(lost_after=3))


def start(user) -> None:
    user.window.start_page.tour_button.click()
    user.wait(lambda: user.window.touring.card.isVisible() and user.session.shown is not None)


def at(user) -> str:
    guide = user.window.touring.guide
    assert guide is not None
    return guide.step.id if guide.step is not None else ""


def in_the_way(user) -> bool:
    touring = user.window.touring
    return touring.ring.isVisible() and touring.ring.geometry().intersects(touring.card.geometry())


def test_the_whole_tour_by_real_gestures(guest, tmp_path):
    user, window = guest, guest.window
    start(user)
    card = window.touring.card
    assert card.progress.text() == "1 of 7"
    assert "<b>N</b>" in card.text.text()
    assert user.session.project is None
    assert not user.session.dirty
    assert not in_the_way(user)

    user.draw(square(0))
    assert at(user) == "track"
    assert window.side.below.current == "tracker"
    assert not in_the_way(user)

    user.track()
    user.wait(lambda: at(user) == "pause")
    assert window.pause_bar.isVisible()
    user.wait(lambda: window.touring.ring.geometry().intersects(QRect(bar_at(user), window.pause_bar.size())))
    assert not in_the_way(user)

    user.key(Qt.Key.Key_Q)
    user.wait(lambda: at(user) == "correct")
    user.wait(lambda: user.session.run is None)
    lanes = window.timeline.lane_view
    QTest.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(round(lanes.x_of(26.5)), 10))
    user.wait(lambda: user.session.shown is not None and user.session.shown.index == 26)
    user.key(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    user.drag((square(26).x - 1, 19), (square(26).x2, 33))
    user.wait(lambda: at(user) == "review")
    assert not user.session.retracking
    assert window.side.above.current == "review"

    user.key(Qt.Key.Key_BracketRight)
    user.key(Qt.Key.Key_Return)
    assert at(user) == "mask"
    user.at_frame(30)
    user.key(Qt.Key.Key_M)
    user.drag((square(30).cx, 26), (square(30).cx + 4, 26))
    assert at(user) == "mask"
    user.key(Qt.Key.Key_M)
    user.wait(lambda: at(user) == "export")
    assert not in_the_way(user)

    user.key(Qt.Key.Key_E, CTRL)
    dialog = window.exporting.dialog
    dialog.path.setText(str(tmp_path / "out.json"))
    dialog.export_button.click()
    user.wait(lambda: at(user) == "")
    dialog.close_button.click()
    assert card.title.text() == "That was the tour"
    assert not card.end.isVisible()
    card.skip.click()
    assert not card.isVisible()
    assert window.touring.guide is None


def bar_at(user) -> QPoint:
    return user.window.pause_bar.mapTo(user.window, QPoint(0, 0))


def test_the_buttons_go_on_back_and_out(guest):
    start(guest)
    card = guest.window.touring.card
    assert not card.back.isEnabled()
    card.skip.click()
    assert card.progress.text() == "2 of 7"
    card.back.click()
    assert card.progress.text() == "1 of 7"
    card.end.click()
    assert not card.isVisible()
    assert guest.session.is_open, "what is open stays"


def test_the_card_can_be_reached_by_keys(guest):
    start(guest)
    window, card = guest.window, guest.window.touring.card
    window.activateWindow()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Tab)
    assert card.end.hasFocus()
    QTest.keyClick(card.end, Qt.Key.Key_Tab)
    assert card.skip.hasFocus(), "there is no way back from the first step"
    QTest.keyClick(card.skip, Qt.Key.Key_Space)
    assert card.progress.text() == "2 of 7"
    assert card.accessibleName() == "2 of 7: Let it be followed"


def test_escape_leaves_a_drawing_first_and_the_tour_last(guest):
    start(guest)
    card = guest.window.touring.card
    guest.key(Qt.Key.Key_N)
    guest.key(Qt.Key.Key_Escape)
    assert not guest.session.drawing
    assert card.isVisible()
    guest.draw(square(0))
    guest.key(Qt.Key.Key_Escape)
    assert guest.session.selected is None
    assert card.isVisible()
    guest.key(Qt.Key.Key_Escape)
    assert not card.isVisible()


def test_work_that_is_not_saved_is_asked_about_first(guest, clip):
    guest.open(clip)
    guest.draw(square(0))
    guest.window.actions_.trigger(BY_ID["help.tour"])
    assert guest.asked == ["unsaved"]
    guest.wait(lambda: guest.window.touring.guide is not None)


def test_another_clip_ends_the_tour(guest, clip):
    start(guest)
    guest.window.documents.open(clip)
    guest.wait(lambda: guest.session.title == clip.name)
    assert not guest.window.touring.card.isVisible()


def test_the_sample_of_the_tour_is_nobodys_project(guest, tmp_path):
    """A project of the sample that the user saved stays closed and as it is."""
    mine = opening.default_project(Path(opening.SAMPLE))
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    start(guest)
    assert guest.session.project is None
    guest.draw(square(0))
    guest.wait(lambda: at(guest) == "track")
    guest.key(Qt.Key.Key_S, CTRL)
    guest.wait(lambda: guest.session.project is not None)
    assert guest.session.project != mine
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("target", [QRect(20, 20, 100, 60), QRect(700, 400, 90, 90), QRect(300, 100, 200, 300), None])
def test_a_card_is_put_where_it_covers_nothing(target: QRect | None):
    area = QRect(0, 0, 800, 500)
    free = [target] if target is not None else []
    spot = put(QSize(250, 150), area, target, free)
    room = QRect(spot, QSize(250, 150))
    assert area.contains(room)
    assert not any(room.intersects(other) for other in free)


def test_a_newcomer_is_asked_over_the_sample(guest):
    begin(guest.window, None)
    guest.wait(lambda: guest.window.notices.isVisible())
    assert "New here?" in guest.window.notices.text.text()
    guest.window.notices.answers[0].click()
    guest.wait(lambda: guest.window.touring.card.isVisible())
    assert not guest.window.notices.isVisible()
