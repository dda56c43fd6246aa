"""The keyframes of the selected object in the window, walked through and mended as a user does it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from session_fakes import FRAMES, FakeTrackers, square

from app.gui.panels.thumbs import BATCH
from app.model.edits import SetFrames
from app.model.tracks import Observation, Source, State
from tracker.api import Box


@pytest.fixture
def keyed(make_user, clip):
    """A tracked object with keyframes at 0, 10 and 20, the panel open."""
    user = make_user(FakeTrackers(rich=True))
    user.open(clip)
    track = user.draw(square(0))
    keys = {f: Observation(square(f), keyframe=True) for f in (10, 20)}
    user.session.commit(SetFrames(track, dict(keys)), "Keys")
    user.window.side.below.show_panel("keyframes")
    return user


def rows(user) -> list[str]:
    model = user.window.keyframes_panel.model
    return [model.index(n).data() for n in range(model.rowCount())]


def pick(user, row: int) -> None:
    """A click on a row."""
    view = user.window.keyframes_panel.list
    middle = view.visualRect(view.model().index(row)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=middle)


def test_an_empty_panel_says_what_to_do(user):
    panel = user.window.keyframes_panel
    user.window.side.below.show_panel("keyframes")
    assert panel.hint.isVisible()
    assert "Press N and draw a box" in panel.hint.text()
    assert not panel.list.isVisible()
    track = user.draw(square(0))
    assert not panel.hint.isVisible()
    assert rows(user) == ["frame 0, by hand"]
    user.session.commit(SetFrames(track, {0: Observation(square(0), source=Source.TRACKER)}), "Nobody's")
    assert "No frame of this object" in panel.hint.text()
    user.session.select()
    assert "Select one object" in panel.hint.text()


def test_each_keyframe_is_a_row_and_the_list_follows_the_document(keyed):
    session = keyed.session
    assert rows(keyed) == ["frame 0, by hand", "frame 10, by hand", "frame 20, by hand"]
    hidden = Observation(square(5), source=Source.TRACKER, state=State.OCCLUDED, verified=True)
    session.commit(SetFrames(1, {5: hidden}), "Verify")
    assert rows(keyed)[1] == "frame 5, tracker · occluded · verified"
    keyed.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(rows(keyed)) == 3
    many = {f: Observation(square(f), keyframe=True) for f in range(21, 30)}
    session.commit(SetFrames(1, dict(many)), "Keys")
    assert keyed.window.keyframes_panel.count.text() == "12 keyframes"
    other = session.add_object(Box(50, 40, 10, 10))
    assert rows(keyed) == ["frame 0, by hand"]
    session.select(1)
    assert len(rows(keyed)) == 12
    session.remove_track(1)
    assert rows(keyed) == []
    session.select(other)
    assert rows(keyed) == ["frame 0, by hand"]


def test_while_nobody_looks_nothing_is_listed_and_later_it_is_right(keyed):
    keyed.window.side.below.show_panel("tracker")
    keyed.session.commit(SetFrames(1, {30: Observation(square(30), keyframe=True)}), "Key")
    assert len(rows(keyed)) == 3
    keyed.window.side.below.show_panel("keyframes")
    assert len(rows(keyed)) == 4


def test_a_click_and_arrows_with_enter_go_there(keyed):
    session, view = keyed.session, keyed.window.keyframes_panel.list
    pick(keyed, 1)
    assert session.frame == 10
    assert keyed.window.keyframes_panel.model.here == 10
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert session.frame == 10, "an arrow only picks a row"
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert session.frame == 20
    assert not session.document.tracks[1].at(20).verified, "Enter in the list is no verdict"


def test_the_row_follows_the_picture(keyed):
    panel = keyed.window.keyframes_panel
    keyed.key(Qt.Key.Key_R)
    assert panel.list.currentIndex().row() == 1
    keyed.key(Qt.Key.Key_Right)
    assert [panel.model.between(n) for n in range(3)] == [False, True, False]


def test_keys_mean_the_row_in_hand(keyed):
    view = keyed.window.keyframes_panel.list
    pick(keyed, 0)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_K)
    assert keyed.session.frame == 10, "one sees what becomes of it"
    assert not keyed.session.document.tracks[1].at(10).keyframe
    QTest.keyClick(view, Qt.Key.Key_Delete)
    frames = keyed.session.document.tracks[1].frames
    assert 10 not in frames
    assert 0 in frames


def test_the_buttons_act_on_the_row(keyed):
    panel = keyed.window.keyframes_panel
    pick(keyed, 1)
    panel.buttons[2].click()
    assert 10 not in keyed.session.document.tracks[1].frames


def test_the_gap_to_the_next_keyframe_is_tracked_again(keyed):
    panel, session = keyed.window.keyframes_panel, keyed.session
    pick(keyed, 1)
    panel.retrack.click()
    keyed.wait(lambda: session.run is None and len(session.document.tracks[1].frames) > 10)
    assert sorted(session.document.tracks[1].frames) == [0, *range(10, 21)]
    pick(keyed, 2)
    panel.retrack.click()
    keyed.wait(lambda: session.run is None)
    assert FRAMES - 1 in session.document.tracks[1].frames, "after the last one, on to the end"


def test_the_context_menu_names_the_gap(keyed):
    panel = keyed.window.keyframes_panel
    panel.list.customContextMenuRequested.emit(panel.list.visualRect(panel.model.index(0)).center())
    menu = next(m for m in panel.findChildren(QMenu) if m.isVisible())
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["Go there", "Track the gap to frame 10 again", "Toggle keyframe", "Delete this frame's box"]
    menu.actions()[-1].trigger()
    assert rows(keyed)[0] == "frame 10, by hand"
    menu.close()


def test_the_head_shows_the_template_beside_the_newest_correction(keyed):
    head, session = keyed.window.keyframes_panel.head, keyed.session
    assert head.template.caption == "First box · 0"
    assert head.correction.caption == "Newest correction · 20"
    keyed.at_frame(10)
    keyed.drag((square(10).cx, square(10).cy), (square(10).cx + 3, square(10).cy))
    assert head.correction.caption == "Newest correction · 10"
    keyed.wait(lambda: session.run is None and not session.retracking)
    assert head.template.caption == "Template", "the run has told"
    keyed.at_frame(0)
    head.correction.click()
    assert session.frame == 10


def test_pictures_are_made_for_the_rows_one_sees(make_user, clip):
    user = make_user()
    user.open(clip)
    track = user.draw(square(0))
    many = {f: Observation(Box(1, 1, 5, 5), keyframe=True) for f in range(1, FRAMES)}
    user.session.commit(SetFrames(track, dict(many)), "Keys")
    assert user.window.thumbs.count == 0, "nobody looks yet"
    user.window.side.below.show_panel("keyframes")
    user.wait(lambda: user.window.thumbs.count >= 4)
    assert user.window.thumbs.count < BATCH
    user.window.keyframes_panel.list.scrollToBottom()
    before = user.window.thumbs.count
    user.wait(lambda: user.window.thumbs.count > before)
