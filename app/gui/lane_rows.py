"""The rows of the timeline: name and colour in the gutter, then an image one pixel high, remade when it changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from app.gui import theme
from app.gui.span import Span
from app.work import overview as codes
from app.work.overview import Lanes

GUTTER = 136
ROW = 22
BAR = 10


@dataclass(frozen=True)
class Row:
    """What the gutter says of a lane."""

    track: int
    label: str
    colour: str
    visible: bool


def x_of(span: Span, width: int, frame: float) -> float:
    """Widget x of the left edge of a frame, in a widget ``width`` pixels wide."""
    return GUTTER + (frame - span.start) * (width - GUTTER) / (span.stop - span.start)


class RowPainter:
    """Paints lanes and keeps their images."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._lanes = Lanes()
        self._images: dict[int, tuple[tuple[object, ...], QImage, list[QPointF], list[tuple[float, float, int]]]] = {}

    def reset(self, lanes: Lanes) -> None:
        """The lanes of another document."""
        self._lanes = lanes
        self._images.clear()

    def keep(self, tracks: Iterable[int]) -> None:
        """Forget the images of all other tracks."""
        self._images = {track: self._images[track] for track in tracks if track in self._images}

    def paint(self, painter: QPainter, row: Row, top: int, width: int, selected: bool, t: theme.Tokens) -> None:
        """Paint a lane with its gutter at widget y ``top``, ``width`` pixels wide."""
        if selected:
            wash = QColor(t.accent)
            wash.setAlpha(36)
            painter.fillRect(QRect(0, top, width, ROW), wash)
        painter.setPen(QPen(QColor(t.grid), 0))
        painter.drawLine(0, top + ROW - 1, width, top + ROW - 1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(row.colour))
        painter.drawRoundedRect(QRectF(8, top + 6, 10, 10), 3, 3)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QColor(t.text if row.visible else t.muted))
        name = painter.fontMetrics().elidedText(row.label, Qt.TextElideMode.ElideRight, GUTTER - 36)
        painter.drawText(QRect(26, top, GUTTER - 34, ROW), Qt.AlignmentFlag.AlignVCenter, name)
        lane = self._lanes.lanes.get(row.track)
        if lane is None:
            return
        image, diamonds, states = self._image(row.track, lane, width, t)
        painter.setOpacity(1.0 if row.visible else 0.4)
        span = self._span
        area = QRectF(GUTTER, top + (ROW - BAR) // 2, width - GUTTER, BAR)
        if not image.isNull():
            if span.stop - span.start <= image.width() and image.width() < area.width():
                left = x_of(span, width, math.floor(span.start))
                area = QRectF(left, area.top(), x_of(span, width, math.floor(span.start) + image.width()) - left, BAR)
            painter.save()
            painter.setClipRect(QRectF(GUTTER - 6, top, width - GUTTER + 6, ROW), Qt.ClipOperation.IntersectClip)
            painter.drawImage(area, image)
            colours = {codes.LOST: t.danger, codes.OCCLUDED: t.warning, codes.OUT_OF_VIEW: t.muted}
            for x, wide, state in states:
                colour = QColor(colours[state])
                height = 4 if state == codes.LOST else 3
                y = area.top() + BAR - height if state == codes.OCCLUDED else area.center().y() - height / 2
                painter.fillRect(QRectF(x, y, wide, height), colour)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(t.panel), 1))
            painter.setBrush(QColor(t.text))
            for at in diamonds:
                painter.drawPolygon(_diamond(at.x(), top + ROW / 2))
            painter.restore()
        painter.setOpacity(1.0)

    def _image(
        self, track: int, lane: codes.Lane, whole_width: int, t: theme.Tokens
    ) -> tuple[QImage, list[QPointF], list[tuple[float, float, int]]]:
        width = max(1, whole_width - GUTTER)
        key = (lane.version, self._span.start, self._span.stop, width, t.dark)
        known = self._images.get(track)
        if known is not None and known[0] == key:
            return known[1], known[2], known[3]
        strip = lane.strip(self._span.start, self._span.stop, width)
        table = np.zeros((5, 4), np.uint8)
        for number, colour in (
            (codes.IMPORTED, t.source_imported),
            (codes.INTERPOLATED, t.source_interpolated),
            (codes.TRACKER, t.source_tracker),
            (codes.MANUAL, t.source_manual),
        ):
            rgb = QColor(colour)
            table[number] = rgb.blue(), rgb.green(), rgb.red(), 255
        absent = (strip.state == codes.LOST) | (strip.state == codes.OUT_OF_VIEW)
        pixels = np.ascontiguousarray(table[np.where(absent, 0, strip.source)])
        columns = len(pixels)
        image = QImage(pixels.tobytes(), columns, 1, columns * 4, QImage.Format.Format_ARGB32).copy()
        whole = columns != width or self._span.stop - self._span.start <= width
        first = math.floor(self._span.start)

        def x_at(column: int) -> float:
            return x_of(self._span, whole_width, first + column) if whole else GUTTER + float(column)

        marks = np.where(strip.state > codes.VISIBLE, strip.state, 0)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], marks, [0])).astype(int)))
        states = [
            (x_at(int(a)), max(1.0, x_at(int(b)) - x_at(int(a))), int(marks[a])) for a, b in pairwise(edges) if marks[a]
        ]
        half = (x_at(1) - x_at(0)) / 2
        diamonds: list[QPointF] = []
        for column in np.flatnonzero(strip.keys):
            x = x_at(int(column)) + half
            if not diamonds or x - diamonds[-1].x() >= 4:
                diamonds.append(QPointF(x, 0))
        self._images[track] = (key, image, diamonds, states)
        return image, diamonds, states


def _diamond(x: float, y: float, r: float = 4.5) -> QPolygonF:
    return QPolygonF([QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)])
