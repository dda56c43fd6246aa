"""Selecting several objects by the heads of their lanes, in step with the list of objects and the picture."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.gui.lane_view import GUTTER, gutter_point
from app.gui.panels.tracks import LABEL
from app.scene import Rect
from tracker.api import Box

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def four(user):
    """A window with four objects; their ids."""
    ids = [user.draw(Box(4 + 22 * n, 8, 16, 14)) for n in range(4)]
    user.session.select()
    return user, ids


def click(user, row: int, held: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(user.window.timeline.lane_view, Qt.MouseButton.LeftButton, held, gutter_point(row))


def seen(user) -> tuple[set[int], set[int], set[int]]:
    """What session, list and picture say is selected."""
    table = user.window.tracks_panel.table
    rows = {user.window.tracks_panel.model.track_at(index.row()) for index in table.selectionModel().selectedRows()}
    user.wait(lambda: not user.window.showing._soon.isActive())
    drawn = {one.track for one in user.window.canvas._scene if isinstance(one, Rect) and one.selected}
    return set(user.session.selection), rows, drawn


def test_ctrl_takes_one_in_or_out_and_shift_all_up_to_there(four):
    user, (a, b, c, d) = four
    steps = [
        (0, NONE, {a}), (2, CTRL, {a, c}), (0, CTRL, {c}), (3, SHIFT, {a, b, c, d}), (1, NONE, {b}),
        (3, SHIFT, {b, c, d}), (2, SHIFT, {b, c}), (0, CTRL, {a, b, c}), (0, CTRL, {b, c}), (3, NONE, {d}),
        (1, CTRL | SHIFT, {b, c, d}), (3, NONE, {d}), (3, CTRL, set()),
    ]  # fmt: skip
    for row, held, wanted in steps:
        click(user, row, held)
        assert seen(user) == (wanted, wanted, wanted), (row, held)


def test_the_list_and_the_lanes_share_the_selection(four):
    user, (a, b, c, _) = four
    panel = user.window.tracks_panel
    panel.table.selectRow(panel.model.row_of(a))
    click(user, 2, SHIFT)  # from the one that was chosen in the list
    assert seen(user)[0] == {a, b, c}
    at = panel.table.visualRect(panel.model.index(panel.model.row_of(b), LABEL)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, CTRL, at)
    assert seen(user) == ({a, c}, {a, c}, {a, c})


def test_a_click_with_a_modifier_in_a_lane_does_not_go_to_another_frame(four):
    user, (a, b, *_) = four
    click(user, 0)
    beside = gutter_point(1) + QPoint(GUTTER + 200, 0)
    QTest.mouseClick(user.window.timeline.lane_view, Qt.MouseButton.LeftButton, CTRL, beside)
    assert (user.session.frame, user.session.selection) == (0, {a, b})


def test_selected_lanes_are_tracked_together(four):
    user, (_, b, c, _) = four
    click(user, 1)
    click(user, 2, SHIFT)
    user.track()
    assert all(len(user.session.document.tracks[one].frames) > 1 for one in (b, c))
