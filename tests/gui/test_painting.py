"""Masks by hand through the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from session_fakes import square

from app.session import Mode
from app.work.painting import MaskTool


def bits(user):
    return user.session.here.mask.decode()


def test_m_takes_the_brush_and_a_drag_paints(user):
    user.draw(square(0))
    user.key(Qt.Key.Key_M)
    assert user.session.mode is Mode.MASKING
    assert "B brush" in user.window.status.mode.text()
    user.session.change_settings(brush=2.0)
    user.drag((20, 30), (40, 30))
    assert bits(user)[30, 30]
    assert not bits(user)[50, 30]
    user.key(Qt.Key.Key_E)
    assert user.session.mask_tool is MaskTool.ERASER
    user.drag((30, 20), (30, 40))
    assert not bits(user)[30, 30]
    assert bits(user)[30, 22]
    user.key(Qt.Key.Key_Escape)
    assert user.session.mode is Mode.IDLE


def test_the_tools_keys_are_the_windows_own_again_afterwards(user):
    user.draw(square(0))
    radius = user.session.settings.brush
    user.key(Qt.Key.Key_M)
    user.key(Qt.Key.Key_BracketRight)
    assert user.session.settings.brush > radius
    user.key(Qt.Key.Key_M)
    user.key(Qt.Key.Key_F)
    assert user.session.frame == 1


def test_corners_make_a_polygon_that_enter_closes_and_escape_gives_up(user):
    user.draw(square(0))
    user.key(Qt.Key.Key_M)
    user.key(Qt.Key.Key_P)
    for corner in ((50, 10), (70, 10), (70, 40)):
        user.press(*corner)
        user.release(*corner)
    user.key(Qt.Key.Key_Escape)
    assert user.session.here.mask is None
    assert user.session.mode is Mode.MASKING
    for corner in ((50, 10), (70, 10), (70, 40)):
        user.press(*corner)
        user.release(*corner)
    user.key(Qt.Key.Key_Return)
    assert bits(user)[20, 65]
    assert not bits(user)[35, 52]


def test_masks_can_be_hidden_and_shown_as_contours(user):
    user.draw(square(0))
    user.session.mask_from_box()
    fills = lambda: [p for p in user.window.canvas.scene if type(p).__name__ == "MaskFill"]  # noqa: E731
    user.wait(lambda: len(fills()) == 1)
    user.key(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    user.wait(lambda: not fills())
    user.key(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    user.session.change_settings(mask_style="contour")
    user.wait(lambda: bool(fills()) and not fills()[0].fill and fills()[0].outline)
