"""Mouse tools: small objects with start, move, finish and cancel. They show a drag and commit once, at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.gui import theme
from app.gui.canvas.layers import GRIP, grip_centres
from app.model import geometry
from app.model.geometry import Handle
from app.scene import Grip, Rect
from tracker.api import Box

if TYPE_CHECKING:
    from app.gui.canvas.view import Canvas

THRESHOLD = 3.0
"""Logical pixels before a press becomes a drag, so that a click never moves a box."""
REACH = 3.0
"""Logical pixels beside a handle that still grab it."""
LEAST = 2.0
"""Smallest side of a drawn box in image pixels."""


class Hands(Protocol):
    """What tools do to the document; boxes are in image pixels of the picture on show."""

    def hold(self) -> None:
        """A gesture begins: the picture must stand still now."""
        ...

    def select(self, track: int | None) -> None: ...

    def toggle(self, track: int) -> None:
        """Take an object into the selection, or out of it."""
        ...

    def place(self, track: int, box: Box) -> None: ...

    def draw(self, box: Box) -> None: ...


class Tool:
    """Does nothing; the base of the others. Positions are in widget pixels."""

    cursor = Qt.CursorShape.ArrowCursor
    paints_hover = False
    pending = False
    """Whether something was begun that Esc gives up, although no button is held."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands

    def start(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> bool:
        """A press; False leaves the drag to the canvas, which pans."""
        return False

    def move(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        """The drag goes on."""

    def finish(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        """The release."""

    def cancel(self, reason: str) -> None:
        """The drag is given up; nothing was changed."""

    def click(self, canvas: Canvas, at: QPointF) -> None:
        """A press on empty ground that did not become a drag."""

    def hover(self, canvas: Canvas, at: QPointF) -> Qt.CursorShape:
        """The cursor for a place."""
        return self.cursor

    def leave(self) -> None:
        """The mouse left the canvas."""

    def paint(self, painter: QPainter, canvas: Canvas) -> None:
        """Draw the gesture over everything."""


_RESIZE = {
    "nw": Qt.CursorShape.SizeFDiagCursor,
    "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor,
    "sw": Qt.CursorShape.SizeBDiagCursor,
    "n": Qt.CursorShape.SizeVerCursor,
    "s": Qt.CursorShape.SizeVerCursor,
    "e": Qt.CursorShape.SizeHorCursor,
    "w": Qt.CursorShape.SizeHorCursor,
}


class SelectTool(Tool):
    """Click selects, dragging a box moves it, dragging a handle resizes it, empty ground pans."""

    def __init__(self, hands: Hands) -> None:
        super().__init__(hands)
        self._canvas: Canvas | None = None
        self._pressed_at = QPointF()
        self._track = 0
        self._box = Box(0, 0, 0, 0)
        self._handle: Handle | None = None
        self._moved: Box | None = None
        self._fixed = False
        """Whether the press chose an object without taking hold of it."""

    def start(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> bool:
        grip = grip_at(canvas, at)
        hit = grip[0] if grip else rect_at(canvas, at)
        if hit is None:
            return False
        if keys & Qt.KeyboardModifier.ControlModifier:
            self.hands.toggle(hit.track)
            self._canvas, self._track, self._moved, self._fixed = canvas, hit.track, None, True
            return True
        self.hands.hold()
        self._fixed = False
        self._canvas, self._pressed_at, self._moved = canvas, at, None
        self._track, self._box, self._handle = hit.track, hit.box, grip[1] if grip else None
        self.hands.select(hit.track)
        return True

    def move(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        if self._fixed or (self._moved is None and QLineF(at, self._pressed_at).length() < THRESHOLD):
            return
        dx = (at.x() - self._pressed_at.x()) / canvas.view.scale
        dy = (at.y() - self._pressed_at.y()) / canvas.view.scale
        width, height = canvas.image_size
        if self._handle:
            box = geometry.resize_by_handle(self._box, self._handle, dx, dy, LEAST)
            box = geometry.clip(box, width, height) or self._box
        else:
            b = self._box
            dx = min(max(dx, -b.x), width - b.x2) if b.w <= width else dx
            dy = min(max(dy, -b.y), height - b.y2) if b.h <= height else dy
            box = geometry.move(b, dx, dy)
        self._moved = box
        canvas.layers.moved = (self._track, box)

    def finish(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        box, self._moved = self._moved, None
        canvas.layers.moved = None
        if box is not None and box != self._box:
            self.hands.place(self._track, box)

    def cancel(self, reason: str) -> None:
        self._moved = None
        if self._canvas is not None:
            self._canvas.layers.moved = None

    def click(self, canvas: Canvas, at: QPointF) -> None:
        self.hands.select(None)

    def hover(self, canvas: Canvas, at: QPointF) -> Qt.CursorShape:
        grip = grip_at(canvas, at)
        if grip:
            return _RESIZE[grip[1]]
        hit = rect_at(canvas, at)
        if hit is None:
            return Qt.CursorShape.ArrowCursor
        return Qt.CursorShape.SizeAllCursor if hit.selected else Qt.CursorShape.PointingHandCursor

    def paint(self, painter: QPainter, canvas: Canvas) -> None:
        if self._moved is not None:
            _readout(painter, canvas, self._moved)


class DrawTool(Tool):
    """Drag a box; crosshair and size help to hit the edges."""

    cursor = Qt.CursorShape.CrossCursor
    paints_hover = True

    def __init__(self, hands: Hands, colour: str = "#ffffff") -> None:
        super().__init__(hands)
        self.colour = colour
        self._from: tuple[float, float] | None = None
        self._at: QPointF | None = None
        self._box: Box | None = None

    def start(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> bool:
        self.hands.hold()
        self._from, self._at, self._box = canvas.to_image(at), at, None
        return True

    def move(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        assert self._from is not None
        self._at = at
        box = geometry.from_points(*self._from, *canvas.to_image(at))
        self._box = geometry.clip(box, *canvas.image_size)

    def finish(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        self.move(canvas, at, keys)
        box, self._box, self._from = self._box, None, None
        if box is not None and box.w >= LEAST and box.h >= LEAST and box.w * canvas.view.scale >= THRESHOLD:
            self.hands.draw(box)

    def cancel(self, reason: str) -> None:
        self._from = self._box = None

    def hover(self, canvas: Canvas, at: QPointF) -> Qt.CursorShape:
        self._at = at
        return self.cursor

    def leave(self) -> None:
        self._at = None

    def paint(self, painter: QPainter, canvas: Canvas) -> None:
        if self._at is not None:
            x, y = int(self._at.x()) + 0.5, int(self._at.y()) + 0.5
            lines = [QLineF(x, 0, x, canvas.height()), QLineF(0, y, canvas.width(), y)]
            painter.setPen(QPen(QColor(0, 0, 0, 110), 3))
            painter.drawLines(lines)
            painter.setPen(QPen(QColor(255, 255, 255, 200), 1))
            painter.drawLines(lines)
        if self._box is not None:
            rect = QRectF(*canvas.view.box(self._box))
            fill = QColor(self.colour)
            fill.setAlpha(40)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(0, 0, 0, 110), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
            painter.setPen(QPen(QColor(self.colour), 1.5))
            painter.setBrush(fill)
            painter.drawRect(rect)
            _readout(painter, canvas, self._box)


def _readout(painter: QPainter, canvas: Canvas, box: Box) -> None:
    """Width and height in image pixels, below the box or inside the canvas where that is off screen."""
    rect = QRectF(*canvas.view.box(box))
    text = f"{box.w:.0f} × {box.h:.0f}"
    painter.setFont(theme.fixed_font(12, bold=True))
    width = painter.fontMetrics().horizontalAdvance(text) + 12
    tag = QRectF(rect.right() - width, rect.bottom() + GRIP + 2, width, 20)
    if tag.bottom() > canvas.height() - 4:
        tag.moveBottom(rect.top() - GRIP)
    tag.moveLeft(min(max(4.0, tag.left()), canvas.width() - width - 4))
    tag.moveTop(min(max(4.0, tag.top()), canvas.height() - 24.0))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(16, 18, 20, 215))
    painter.drawRoundedRect(tag, 4, 4)
    painter.setPen(QColor("#ffffff"))
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)


def grip_at(canvas: Canvas, at: QPointF) -> tuple[Rect, Handle] | None:
    """The handle under the cursor and the box it belongs to."""
    tracks = {p.track for p in canvas.scene if isinstance(p, Grip)}
    for p in canvas.scene:
        if isinstance(p, Rect) and p.track in tracks:
            best: tuple[float, Handle] | None = None
            for handle, (x, y) in grip_centres(*canvas.view.box(p.box)).items():
                away = max(abs(at.x() - x), abs(at.y() - y))
                if away <= GRIP / 2 + REACH and (best is None or away < best[0]):
                    best = away, handle
            if best is not None:
                return p, best[1]
    return None


def rect_at(canvas: Canvas, at: QPointF) -> Rect | None:
    """The box under the cursor: the smallest one, so that a small target inside a large one can be picked."""
    x, y = canvas.to_image(at)
    slack = 4 / canvas.view.scale
    hits = [
        p
        for p in canvas.scene
        if isinstance(p, Rect) and p.box.x - slack <= x <= p.box.x2 + slack and p.box.y - slack <= y <= p.box.y2 + slack
    ]
    return min(hits, key=lambda p: p.box.area, default=None)
