"""The next step's picture is made ahead, and labels that change with every frame ask for no layout."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRectF
from PySide6.QtGui import QImage, QPainter

from app.gui import theme
from app.gui.canvas import layers
from app.gui.canvas import picture as pictures
from app.gui.canvas.picture import Picture
from app.gui.canvas.viewport import Viewport
from app.gui.steady import SteadyLabel
from app.scene import MaskFill
from tracker.api import MaskPatch


def test_the_frame_that_the_same_step_leads_to_is_ready(user):
    window = user.window
    session, seen = window.session, []
    prepare = window.canvas.prepare
    window.canvas.prepare = lambda image, scene: (seen.append(image), prepare(image, scene))
    user.wait(lambda: len(session.cached_frames()) > 6)
    for at, following in ((1, 2), (2, 3), (4, 6), (3, 2)):
        seen.clear()
        session.seek(at)
        user.wait(lambda: bool(seen))
        assert seen[-1] is session.at_hand(following).image


def test_a_prepared_frame_is_not_resampled_again(monkeypatch):
    made = []
    real = pictures._make
    monkeypatch.setattr(pictures, "_make", lambda *given: made.append(id(given[0])) or real(*given))
    frames = [np.full((40, 60, 3), n, np.uint8) for n in range(3)]
    picture, view = Picture(), Viewport(1.0, 0, 0)
    target = QImage(60, 40, QImage.Format.Format_RGB32)
    for n, frame in enumerate(frames):
        picture.set(frame)
        painter = QPainter(target)
        picture.paint(painter, view, (60, 40), 1.0)
        painter.end()
        assert (target.pixel(30, 20) & 255) == n
        if n < 2:
            picture.prepare(frames[n + 1], view, (60, 40), 1.0)
    assert made == [id(frame) for frame in frames]


def test_prepared_masks_are_painted_from_what_was_made(monkeypatch):
    made = []
    real = layers.mask_image
    monkeypatch.setattr(layers, "mask_image", lambda *given: made.append(1) or real(*given))
    scene = (MaskFill(MaskPatch(3, 4, np.ones((20, 20), bool)), "#ff0000", 0.5, 1, True),)
    drawn, room = layers.Layers(), QRectF(0, 0, 60, 40)
    drawn.prepare(scene, Viewport(1.0, 0, 0), room, 1.0)
    target = QImage(60, 40, QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(target)
    drawn.paint(painter, scene, Viewport(1.0, 0, 0), room, room)
    painter.end()
    assert made == [1]


class Layouts(QObject):
    """Counts how often a widget was asked to lay itself out."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def test_stepping_lays_nothing_out(user):
    window = user.window
    user.wait(lambda: len(window.session.cached_frames()) > 6)
    window.session.seek(1)
    user.qtbot.wait(50)
    layouts = Layouts()
    window.installEventFilter(layouts)
    for frame in (2, 3, 4, 5):
        window.session.seek(frame)
        user.wait(lambda frame=frame: window.session.shown.index == frame)
        user.qtbot.wait(10)
    assert layouts.count == 0


def test_a_steady_label_grows_for_what_it_cannot_hold(qapp):
    label = SteadyLabel(40, theme.fixed_font(12))
    label.setText("1")
    assert label.width() == 40
    label.setText("123456 / 1234567")
    assert label.width() >= label.fontMetrics().horizontalAdvance(label.text())
    label.setText("2")
    assert label.width() > 40  # nothing is pushed about twice
