"""The canvas: picture, layers and the tool in hand. It shows what it is given and knows no session."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui import theme
from app.gui.canvas.layers import Layers
from app.gui.canvas.picture import Picture
from app.gui.canvas.tools import THRESHOLD, Tool
from app.gui.canvas.viewport import Viewport
from app.scene import Primitive
from app.words import tr
from tracker.api import Box

LENS = 176
"""Side of the magnifier in logical pixels."""
LENS_ZOOM = 6.0
"""Logical pixels per image pixel in it, at least."""
WHEEL = 1.0018
"""Zoom per unit of wheel angle: a notch of 120 is a factor of 1.24."""


class Canvas(QWidget):
    """Pan with the middle button or by dragging empty ground, zoom at the cursor with the wheel."""

    hovered = Signal(object)
    """(x, y) in image pixels under the cursor, or None when it left the picture."""
    zoomed = Signal(float)
    """Scale in logical pixels per image pixel."""
    painted = Signal()
    menu_wanted = Signal(object)
    """Global position of a right click."""

    def __init__(self, tool: Tool) -> None:
        super().__init__()
        self.view = Viewport()
        self.layers = Layers()
        self.tool = tool
        self._picture = Picture()
        self._scene: tuple[Primitive, ...] = ()
        self._drag: QPointF | None = None
        self._clicked_at: QPointF | None = None
        self._pressed = False
        self._note = ""
        self._magnifier = False
        self._cursor_at: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 200)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Picture"))
        theme.current().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(960, 600)

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the picture in image pixels; (0, 0) without one."""
        return self._picture.size

    @property
    def scene(self) -> tuple[Primitive, ...]:
        return self._scene

    def set_image(self, image: np.ndarray | None) -> None:
        """Show a frame: (h, w, 3) uint8 BGR, read only; None for none. A frame of another size is fitted."""
        before = self._picture.size
        self._picture.set(image)
        if self._picture.size != before:
            self.fit()
        self.update()

    def set_scene(self, scene: tuple[Primitive, ...]) -> None:
        """What to draw over the picture, in image coordinates, back to front."""
        if scene != self._scene:
            self._scene = scene
            self.update()

    def prepare(self, image: np.ndarray, scene: tuple[Primitive, ...]) -> None:
        """Make what showing this frame and scene will take, as they would be seen now."""
        if (image.shape[1], image.shape[0]) == self.image_size:
            ratio = self.devicePixelRatioF()
            self._picture.prepare(image, self.view, self._size(), ratio)
            self.layers.prepare(scene, self.view, QRectF(self.rect()), ratio)

    def set_note(self, text: str) -> None:
        """A line of text over the picture (such as why a frame cannot be shown); empty for none."""
        if text != self._note:
            self._note = text
            self.update()

    def set_tool(self, tool: Tool) -> None:
        """Take another tool in hand; the gesture of the old one, if any, is cancelled."""
        if tool is not self.tool:
            self.tool.cancel("another tool")
            self._pressed = False
            self.tool = tool
            self.setCursor(tool.cursor)
            self.update()

    def cancel_gesture(self) -> bool:
        """Give up the drag or the polygon that is under way; True when there was one."""
        if not self._pressed and not self.tool.pending:
            return False
        self._pressed = False
        self.tool.cancel("cancelled")
        self.update()
        return True

    @property
    def gesturing(self) -> bool:
        """Whether a mouse drag of a tool is under way."""
        return self._pressed

    # --- zoom and pan -------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """The whole picture in the middle."""
        self.view.fit(self.image_size, self._size())
        self._moved()

    def centre_on(self, box: Box) -> None:
        """Keep the zoom and bring the middle of a box to the middle of the canvas."""
        before = self.view.x, self.view.y
        self.view.centre_on(box.cx, box.cy, self._size())
        if (self.view.x, self.view.y) != before:
            self._moved()

    def set_magnifier(self, on: bool) -> None:
        """Whether a lens follows the cursor."""
        if on != self._magnifier:
            self._magnifier = on
            self.update()

    def zoom(self, factor: float) -> None:
        """Zoom about the middle of the canvas."""
        self.view.zoom_at(self.width() / 2, self.height() / 2, factor)
        self._moved()

    def actual_size(self) -> None:
        """One image pixel on one device pixel, about the middle."""
        self.zoom(1 / (self.view.scale * self.devicePixelRatioF()))

    def _size(self) -> tuple[int, int]:
        return self.width(), self.height()

    def _moved(self) -> None:
        self.zoomed.emit(self.view.scale)
        self.update()

    def to_image(self, at: QPointF) -> tuple[float, float]:
        return self.view.to_image(at.x(), at.y())

    # --- events -------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.view.fitted:
            self.fit()
        else:
            self.view.pan(0, 0, self.image_size, self._size())
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.image_size == (0, 0):
            return
        at = event.position()
        self.view.zoom_at(at.x(), at.y(), WHEEL ** event.angleDelta().y())
        self.view.pan(0, 0, self.image_size, self._size())
        self._moved()
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            at = event.position()
            self.view.zoom_at(at.x(), at.y(), 1 + event.value())
            self._moved()
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.image_size == (0, 0):
            return
        if event.button() == Qt.MouseButton.MiddleButton:
            self._start_pan(event.position())
        elif event.button() == Qt.MouseButton.LeftButton:
            if self.tool.start(self, event.position(), event.modifiers()):
                self._pressed = True
            else:
                self._clicked_at = event.position()
                self._start_pan(event.position())
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._cursor_at = event.position()
        if self._drag is not None:
            if self._clicked_at is not None:
                if (at - self._clicked_at).manhattanLength() < THRESHOLD:
                    return
                self._clicked_at = None
            self.view.pan(at.x() - self._drag.x(), at.y() - self._drag.y(), self.image_size, self._size())
            self._drag = at
            self._moved()
        elif self._pressed:
            self.tool.move(self, at, event.modifiers())
            self.update()
        elif self.image_size != (0, 0):
            self.setCursor(self.tool.hover(self, at))
            if self.tool.paints_hover or self._magnifier:
                self.update()
        self._tell(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() in (Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton):
            self._drag = None
            if self._clicked_at is not None:
                self.tool.click(self, event.position())
                self._clicked_at = None
            self.setCursor(self.tool.hover(self, event.position()))
        elif self._pressed and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = False
            self.tool.finish(self, event.position(), event.modifiers())
            self.setCursor(self.tool.hover(self, event.position()))
        elif event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(event.globalPosition().toPoint())
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # keys belong to the command table

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setCursor(self.tool.cursor)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.tool.leave()
        self._cursor_at = None
        self.hovered.emit(None)
        self.update()
        super().leaveEvent(event)

    def _start_pan(self, at: QPointF) -> None:
        self._drag = at
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def _tell(self, at: QPointF) -> None:
        x, y = self.to_image(at)
        width, height = self.image_size
        self.hovered.emit((x, y) if 0 <= x < width and 0 <= y < height else None)

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(t.canvas))
        if self.image_size == (0, 0):
            return
        self._picture.paint(painter, self.view, self._size(), self.devicePixelRatioF())
        picture = QRectF(*self.view.box(Box(0, 0, *self.image_size)))
        self.layers.paint(painter, self._scene, self.view, QRectF(self.rect()), picture)
        self.tool.paint(painter, self)
        if self._magnifier and self._cursor_at is not None:
            self._paint_lens(painter, self._cursor_at, t)
        if self._note:
            self._paint_note(painter, t)
        self.painted.emit()

    def _paint_lens(self, painter: QPainter, at: QPointF, t: theme.Tokens) -> None:
        """Beside the cursor, on the side where there is room; the cross marks the point under the cursor."""
        ratio = self.devicePixelRatioF()
        zoom = max(LENS_ZOOM, 2 * self.view.scale) * ratio
        image = self._picture.lens(*self.to_image(at), round(LENS * ratio), zoom)
        image.setDevicePixelRatio(ratio)
        left = at.x() + 24 if at.x() + 24 + LENS < self.width() else at.x() - 24 - LENS
        top = at.y() + 24 if at.y() + 24 + LENS < self.height() else at.y() - 24 - LENS
        room = QRectF(left, top, LENS, LENS)
        painter.drawImage(room, image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(t.border))
        painter.drawRect(room)
        for colour, width in ((QColor(0, 0, 0, 130), 3.0), (QColor("#ffffff"), 1.0)):
            painter.setPen(QPen(colour, width))
            middle = room.center()
            painter.drawLine(middle - QPointF(10, 0), middle + QPointF(10, 0))
            painter.drawLine(middle - QPointF(0, 10), middle + QPointF(0, 10))

    def _paint_note(self, painter: QPainter, t: theme.Tokens) -> None:
        painter.setFont(theme.fixed_font(13))
        room = QRectF(self.rect()).adjusted(24, 24, -24, -24)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        box = painter.boundingRect(room, int(flags), self._note).adjusted(-12, -8, 12, 8)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(t.border))
        painter.setBrush(QColor(t.panel))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(t.text))
        painter.drawText(box.adjusted(12, 8, -12, -8), int(flags), self._note)
