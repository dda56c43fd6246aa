"""Mouse tools for masks: brush, eraser, polygon, fill. They show the stroke and commit once, at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.gui.canvas.tools import THRESHOLD, Tool
from app.work.painting import MaskTool

if TYPE_CHECKING:
    from app.gui.canvas.view import Canvas

CLOSE = 8.0
"""Logical pixels around the first corner of a polygon within which a click closes it."""
_ERASE = QColor(30, 30, 30, 150)


class MaskHands(Protocol):
    """What mask tools do to the document; points are in image pixels of the picture on show."""

    def hold(self) -> None: ...

    def brush(self, points: list[tuple[float, float]], erase: bool) -> None: ...

    def outline(self, points: list[tuple[float, float]], erase: bool) -> None: ...

    def fill(self, at: tuple[float, float], erase: bool) -> None: ...


class PaintTool(Tool):
    """One tool with four heads, as the session says (``which``); ``radius`` of the brush in image pixels."""

    cursor = Qt.CursorShape.BlankCursor
    paints_hover = True

    def __init__(
        self, hands: MaskHands, which: Callable[[], MaskTool], radius: Callable[[], float], colour: Callable[[], str]
    ) -> None:
        self.mask_hands = hands
        self._which = which
        self._radius = radius
        self._colour = colour
        self._points: list[tuple[float, float]] = []
        self._erase = False
        self._at: QPointF | None = None
        self._stroking = False

    @property
    def pending(self) -> bool:
        """Whether a polygon was begun and not closed."""
        return bool(self._points) and not self._stroking

    def start(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> bool:
        which, shift = self._which(), bool(keys & Qt.KeyboardModifier.ShiftModifier)
        self.mask_hands.hold()
        self._at = at
        if which is MaskTool.POLYGON:
            self._add_corner(canvas, at, shift)
            return True
        self._erase = (which is MaskTool.ERASER) != shift
        self._points = [canvas.to_image(at)]
        self._stroking = True
        return True

    def move(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        self._at = at
        if self._stroking and self._which() is not MaskTool.FILL:
            self._points.append(canvas.to_image(at))

    def finish(self, canvas: Canvas, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        if not self._stroking:
            return
        points, self._points, self._stroking = self._points, [], False
        if self._which() is MaskTool.FILL:
            self.mask_hands.fill(points[0], self._erase)
        else:
            self.mask_hands.brush(points, self._erase)

    def close(self) -> None:
        """Close the polygon that was begun."""
        points, self._points = self._points, []
        if len(points) >= 3:
            self.mask_hands.outline(points, self._erase)

    def cancel(self, reason: str) -> None:
        self._points, self._stroking = [], False

    def hover(self, canvas: Canvas, at: QPointF) -> Qt.CursorShape:
        self._at = at
        brushing = self._which() in (MaskTool.BRUSH, MaskTool.ERASER)
        return Qt.CursorShape.BlankCursor if brushing else Qt.CursorShape.CrossCursor

    def leave(self) -> None:
        self._at = None

    def paint(self, painter: QPainter, canvas: Canvas) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        which = self._which()
        if which is MaskTool.POLYGON:
            self._paint_polygon(painter, canvas)
            return
        width = max(1.0, 2 * self._radius() * canvas.view.scale)
        if self._stroking and which is not MaskTool.FILL:
            pen = QPen(self._tint(), width)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            line = [QPointF(*canvas.view.to_widget(*point)) for point in self._points]
            painter.drawPolyline(QPolygonF(line)) if len(line) > 1 else painter.drawPoint(line[0])
        if self._at is not None and which is not MaskTool.FILL:
            _ring(painter, self._at, width / 2)

    def _add_corner(self, canvas: Canvas, at: QPointF, erase: bool) -> None:
        self._stroking = False
        if not self._points:
            self._erase = erase
        else:
            first, last = (QPointF(*canvas.view.to_widget(*self._points[n])) for n in (0, -1))
            twice = QLineF(at, last).length() < THRESHOLD  # a double click ends where it is
            if len(self._points) >= 3 and (twice or QLineF(at, first).length() < CLOSE):
                self.close()
                return
            if twice:
                return
        self._points.append(canvas.to_image(at))

    def _paint_polygon(self, painter: QPainter, canvas: Canvas) -> None:
        corners = [QPointF(*canvas.view.to_widget(*point)) for point in self._points]
        if not corners:
            return
        shape = [*corners, self._at] if self._at is not None else corners
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._tint())
        painter.drawPolygon(QPolygonF(shape))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor("#ffffff"), 1.25)):
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(QPolygonF(shape))
        for n, corner in enumerate(corners):
            _ring(painter, corner, 4.5 if n == 0 else 2.5)

    def _tint(self) -> QColor:
        if self._erase:
            return _ERASE
        tint = QColor(self._colour())
        tint.setAlpha(120)
        return tint


def _ring(painter: QPainter, at: QPointF, radius: float) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor("#ffffff"), 1.25)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(at, radius, radius)
