"""Where things lie on the canvas, to the pixel, at any zoom and device pixel ratio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from session_fakes import square

from app.gui.application import prepare
from app.gui.canvas.layers import Layers, grip_centres, heat_table
from app.gui.canvas.picture import Picture
from app.gui.canvas.tools import SelectTool
from app.gui.canvas.view import Canvas
from app.gui.canvas.viewport import KEEP, Viewport
from app.scene import Dash, Ghost, Heat, Label, MaskFill, Rect
from tracker.api import Box, MaskPatch

sizes = st.integers(1, 4000)
points = st.floats(-2000, 2000)


@given(sizes, sizes, st.integers(50, 3000), st.integers(50, 3000))
def test_fit_shows_the_whole_picture_in_the_middle(width, height, room_w, room_h):
    view = Viewport()
    view.fit((width, height), (room_w, room_h))
    left, top, w, h = view.box(Box(0, 0, width, height))
    assert left >= -1e-6 or view.scale == pytest.approx(0.02)
    assert left + w / 2 == pytest.approx(room_w / 2)
    assert top + h / 2 == pytest.approx(room_h / 2)


@given(points, points, st.floats(0.1, 10))
def test_the_point_under_the_cursor_stays_when_zooming(x, y, factor):
    view = Viewport(1.5, 20, -30)
    before = view.to_image(x, y)
    view.zoom_at(x, y, factor)
    assert view.to_image(x, y) == pytest.approx(before, abs=1e-6)
    assert view.to_widget(*view.to_image(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(st.lists(st.tuples(points, points), max_size=8))
def test_panning_never_loses_the_picture(moves):
    view = Viewport()
    view.fit((640, 480), (800, 600))
    for dx, dy in moves:
        view.pan(dx, dy, (640, 480), (800, 600))
    left, top, w, h = view.box(Box(0, 0, 640, 480))
    assert left + w >= KEEP - 1e-6
    assert left <= 800 - KEEP + 1e-6
    assert top + h >= KEEP - 1e-6
    assert top <= 600 - KEEP + 1e-6


def render(paint, size=(200, 150), dpr=1.0):
    image = QImage(int(size[0] * dpr), int(size[1] * dpr), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(dpr)
    image.fill(QColor("#000000"))
    painter = QPainter(image)
    paint(painter)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return pixels[..., :3].copy()  # BGR


@pytest.mark.parametrize("dpr", [1.0, 1.5, 2.0])
def test_image_pixels_land_on_their_device_pixels(qapp, dpr):
    source = np.zeros((12, 16, 3), np.uint8)
    source[4, 5] = (10, 200, 30)
    picture = Picture()
    picture.set(source)
    view = Viewport(8.0, 20.0, 10.0, False)
    seen = render(lambda p: picture.paint(p, view, (200, 150), dpr), dpr=dpr)
    left, top = round((20 + 5 * 8) * dpr), round((10 + 4 * 8) * dpr)
    side = round(8 * dpr)
    assert (seen[top : top + side, left : left + side] == (10, 200, 30)).all()
    assert seen.any(axis=2).sum() == side * side


def test_a_minified_picture_is_averaged_not_sampled(qapp):
    source = np.zeros((100, 100, 3), np.uint8)
    source[:, ::2] = 255  # stripes of one pixel: sampling would give black or white
    picture = Picture()
    picture.set(source)
    seen = render(lambda p: picture.paint(p, Viewport(0.5, 10, 10), (200, 150), 1.0))
    assert np.abs(seen[12:58, 12:58].astype(int) - 127).max() < 12


def test_a_heat_map_covers_its_rectangle_exactly(qapp):
    prepare(qapp)
    values = np.zeros((5, 5), np.float32)
    values[2, 3] = 1
    view = Viewport(2.0, 10.0, 20.0)
    scene = (Heat(values, Box(10, 5, 50, 50), "fused", 1.0),)
    seen = render(lambda p: Layers().paint(p, scene, view, QRectF(0, 0, 200, 150), QRectF(0, 0, 200, 150)))
    hot = np.unravel_index(seen.astype(int).sum(2).argmax(), seen.shape[:2])
    # the middle of cell (2, 3) of five over 50 image pixels, at scale 2
    assert hot[1] == pytest.approx(10 + 2 * (10 + 35), abs=3)
    assert hot[0] == pytest.approx(20 + 2 * (5 + 25), abs=3)
    assert not seen[:, : 10 + 2 * 10 - 2].any()
    assert not seen[:, 10 + 2 * 60 + 2 :].any()


def test_weak_answers_are_clear_and_strong_ones_as_opaque_as_asked():
    table = heat_table(0.5)
    assert table[0] >> 24 < 20
    assert table[255] >> 24 == 128


def test_a_mask_fills_its_pixels(qapp):
    prepare(qapp)
    bits = np.zeros((4, 6), bool)
    bits[1:3, 2:5] = True
    scene = (MaskFill(MaskPatch(10, 20, bits), "#ff0000", 1.0, 1),)
    view = Viewport(1.0, 0.0, 0.0)
    seen = render(lambda p: Layers().paint(p, scene, view, QRectF(0, 0, 200, 150), QRectF(0, 0, 200, 150)))
    rows, columns = np.nonzero(seen[..., 2] > 128)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (21, 22, 12, 14)


@pytest.mark.parametrize("box", [Box(95, 70, 6, 6), Box(20, 30, 100, 60), Box(0, 0, 200, 20), Box(0, 130, 30, 20)])
def test_labels_and_handles_leave_small_targets_free(qapp, box):
    """What is inside the box stays visible: only its border is painted over."""
    prepare(qapp)
    scene = (Rect(box, "#ff8800", Dash.SOLID, 1, True), Label("object 1", box, "#ff8800", 1, True))
    seen = render(lambda p: Layers().paint(p, scene, Viewport(), QRectF(0, 0, 200, 150), QRectF(0, 0, 200, 150)))
    inner = seen[int(box.y) + 3 : int(box.y2) - 3, int(box.x) + 3 : int(box.x2) - 3]
    assert not inner.any()
    assert seen.any()


def test_small_boxes_have_their_handles_outside():
    assert set(grip_centres(50, 50, 10, 10)) == {"nw", "ne", "se", "sw"}
    assert all(not 46 < x < 64 or not 46 < y < 64 for x, y in grip_centres(50, 50, 10, 10).values())
    assert len(grip_centres(50, 50, 100, 100)) == 8


class Nothing:
    def hold(self): ...
    def select(self, track): ...
    def place(self, track, box): ...
    def draw(self, box): ...


def test_the_wheel_zooms_at_the_cursor_and_fit_brings_back(qtbot, qapp):
    prepare(qapp)
    canvas = Canvas(SelectTool(Nothing()))
    qtbot.addWidget(canvas)
    canvas.resize(640, 400)
    canvas.show()
    canvas.set_image(np.zeros((100, 200, 3), np.uint8))
    at = QPointF(300, 180)
    before = canvas.to_image(at)
    wheel = QWheelEvent(
        at, at, QPointF(0, 0).toPoint(), QPointF(0, 120).toPoint(), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    canvas.wheelEvent(wheel)
    assert canvas.to_image(at) == pytest.approx(before)
    assert not canvas.view.fitted
    canvas.fit()
    assert canvas.view.fitted
    canvas.resize(800, 500)
    assert canvas.view.box(Box(0, 0, 200, 100))[2] == pytest.approx(800 - 32)


def test_the_camera_follows_the_object(user):
    user.draw(square(0))
    user.session.set_box(square(9), frame=9)
    user.window.canvas.zoom(3)
    user.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    for frame in (0, 9):
        user.at_frame(frame)
        user.wait(lambda f=frame: abs(user.at(square(f).cx, square(f).cy).x() - user.window.canvas.width() / 2) <= 1)
    assert user.window.canvas.view.scale > 1


def test_the_lens_shows_the_pixels_under_the_cursor(user):
    image = user.window.canvas._picture.lens(square(0).x + 0.5, square(0).y + 0.5, 60, 6.0)
    inside, outside = image.pixelColor(31, 31), image.pixelColor(24, 24)
    assert inside.red() == 255
    assert outside.red() == 60
    user.key(Qt.Key.Key_Z)
    assert user.session.settings.magnifier
    user.move(20, 20)
    assert not user.window.canvas.grab().isNull()


def test_neighbouring_boxes_are_shown_before_and_after(user):
    user.draw(square(0))
    for frame in (4, 5, 6):
        user.session.set_box(square(frame), frame=frame)
    user.at_frame(5)
    user.key(Qt.Key.Key_G)
    ghosts = lambda: [(p.box, p.after) for p in user.window.canvas.scene if isinstance(p, Ghost)]  # noqa: E731
    user.wait(lambda: ghosts() == [(square(4), False), (square(6), True)])
