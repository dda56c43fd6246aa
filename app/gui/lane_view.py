"""Ruler and lanes: where each object is known, from whom, and where the playhead stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui import theme
from app.gui.lane_rows import GUTTER, ROW, Row, RowPainter, x_of
from app.gui.span import Span
from app.words import tr
from app.work.overview import Lanes

RULER = 24
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class LaneView(QWidget):
    """Paints ruler, cached range and one lane per track. A lane is an image one pixel high, remade when it changed."""

    scrubbed = Signal(int)
    """A frame the user points at, while pressing or dragging."""
    picked = Signal(int)
    """The track whose lane was clicked."""
    chosen = Signal(tuple)
    """All tracks that are selected after a click with Ctrl or Shift."""
    span_changed = Signal()

    def __init__(self, span: Span, label_of_frame: Callable[[int], str]) -> None:
        super().__init__()
        self._span = span
        self._label = label_of_frame
        self._painter = RowPainter(span)
        self._rows: list[Row] = []
        self._selected: frozenset[int] = frozenset()
        self._anchor: int | None = None
        """The track from which a click with Shift reaches."""
        self._frame = 0
        self._cached: np.ndarray = np.zeros(0, bool)
        self._ruler_key: tuple[object, ...] | None = None
        self._ruler_picture = QPixmap()
        self._top = 0
        self._dragging = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(RULER + ROW)
        self.setAccessibleName(tr("Timeline"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        theme.current().changed.connect(self.update)

    # --- what to show -------------------------------------------------------------------------------------------

    def set_lanes(self, lanes: Lanes) -> None:
        """The lanes of another document."""
        self._painter.reset(lanes)
        self.update()

    def set_rows(self, rows: list[Row]) -> None:
        self._rows = rows
        self._painter.keep(row.track for row in rows)
        self._clamp()
        self.update()

    def set_selected(self, *tracks: int) -> None:
        """Which tracks are selected; when none of the new ones is in sight, the topmost of them is brought there."""
        chosen = frozenset(tracks)
        if chosen == self._selected:
            return
        new, self._selected = chosen - self._selected, chosen
        self._anchor = next(iter(new)) if len(chosen) == 1 and new else self._anchor
        tops = [n * ROW for n, row in enumerate(self._rows) if row.track in new]
        room = self.height() - RULER
        if tops and not any(self._top <= y and y + ROW <= self._top + room for y in tops):
            self._top = max(0, tops[0] + ROW - room)
        self.update()

    def set_frame(self, frame: int) -> None:
        """Move the playhead; only the two columns it leaves and enters are painted again."""
        if frame == self._frame:
            return
        old, self._frame = self._frame, frame
        for n in (old, frame):
            self.update(self._column(n).adjusted(-32, 0, 32, 0))

    def set_cached(self, frames: np.ndarray) -> None:
        """Which frames sit in the cache: bool (frames,)."""
        if not np.array_equal(frames, self._cached):
            self._cached = frames
            self.update(QRect(GUTTER, RULER - 4, self.width() - GUTTER, 4))

    def refresh(self, tracks: Collection[int]) -> None:
        """Paint again the lanes of these tracks."""
        for n, row in enumerate(self._rows):
            if row.track in tracks:
                self.update(QRect(0, RULER + n * ROW - self._top, self.width(), ROW))

    # --- frames and pixels --------------------------------------------------------------------------------------

    def x_of(self, frame: float) -> float:
        """Widget x of the left edge of a frame."""
        return x_of(self._span, self.width(), frame)

    def frame_at(self, x: float) -> int:
        share = (x - GUTTER) / max(1, self.width() - GUTTER)
        frame = math.floor(self._span.start + share * (self._span.stop - self._span.start))
        return min(self._span.frames - 1, max(0, frame))

    def _column(self, frame: int) -> QRect:
        x = self.x_of(frame)
        return QRect(int(x) - 1, 0, int(self.x_of(frame + 1) - x) + 3, self.height())

    def content_height(self) -> int:
        """Height at which every lane is in sight."""
        return RULER + ROW * max(1, len(self._rows))

    def _clamp(self) -> None:
        self._top = max(0, min(self._top, self.content_height() - self.height()))

    # --- events -------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._clamp()
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        position = event.position()
        row = self._row_at(position.y())
        if row is not None and event.modifiers() & (_CTRL | _SHIFT):
            self.chosen.emit(self._with(row.track, event.modifiers()))
            return
        if row is not None:
            self._anchor = row.track
            self.picked.emit(row.track)
        if position.x() >= GUTTER:
            self._dragging = True
            self.scrubbed.emit(self.frame_at(position.x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self.scrubbed.emit(self.frame_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragging = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.position().y() < RULER:
            self._span.reset(self._span.frames)
            self.span_changed.emit()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        sideways = delta.x() or (delta.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self._span.pan(-sideways / 1200 * (self._span.stop - self._span.start))
            self.span_changed.emit()
        elif event.position().x() < GUTTER:
            self._top -= delta.y() // 4
            self._clamp()
            self.update()
        else:
            share = (event.position().x() - GUTTER) / max(1, self.width() - GUTTER)
            here = self._span.start + share * (self._span.stop - self._span.start)
            self._span.zoom_at(here, 1.0015 ** delta.y())
            self.span_changed.emit()
        event.accept()

    def _with(self, track: int, held: Qt.KeyboardModifier) -> tuple[int, ...]:
        """What a click with a modifier selects: with Shift all from the anchor to ``track``, with Ctrl one more or one
        less, with both the former besides what is selected."""
        order = [row.track for row in self._rows]
        if held & _SHIFT and self._anchor in order:
            first, last = sorted((order.index(self._anchor), order.index(track)))
            reached = frozenset(order[first : last + 1])
            chosen = self._selected | reached if held & _CTRL else reached
        else:
            self._anchor = track
            chosen = self._selected ^ {track}
        return tuple(one for one in order if one in chosen)

    def _row_at(self, y: float) -> Row | None:
        n = int((y - RULER + self._top) // ROW)
        return self._rows[n] if y >= RULER and 0 <= n < len(self._rows) else None

    # --- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(t.panel))
        painter.setFont(theme.fixed_font(11))
        painter.setClipRect(QRect(0, RULER, self.width(), self.height() - RULER))
        first = self._top // ROW
        last = min(len(self._rows), (self._top + self.height() - RULER) // ROW + 1)
        for n in range(first, last):
            top = RULER + n * ROW - self._top
            if event.rect().intersects(QRect(0, top, self.width(), ROW)):
                row = self._rows[n]
                self._painter.paint(painter, row, top, self.width(), row.track in self._selected, t)
        if not self._rows and self._span.open:
            painter.setPen(QColor(t.muted))
            room = QRect(GUTTER + 8, RULER, self.width() - GUTTER - 16, ROW)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, tr("No objects yet"))
        painter.setClipping(False)
        painter.drawPixmap(0, 0, self._ruler(t))
        self._paint_cached(painter, t)
        if self._span.open:
            self._paint_playhead(painter, t)

    def _ruler(self, t: theme.Tokens) -> QPixmap:
        """The ruler as a picture, made anew when the span, the width or the theme changes."""
        dpr = self.devicePixelRatioF()
        key = (self._span.start, self._span.stop, self._span.open, self.width(), dpr, t.dark)
        if key != self._ruler_key:
            made = QPixmap(round(self.width() * dpr), round(RULER * dpr))
            made.setDevicePixelRatio(dpr)
            painter = QPainter(made)
            painter.setFont(theme.fixed_font(11))
            self._paint_ruler(painter, t)
            painter.end()
            self._ruler_picture, self._ruler_key = made, key
        return self._ruler_picture

    def _paint_ruler(self, painter: QPainter, t: theme.Tokens) -> None:
        painter.fillRect(QRect(0, 0, self.width(), RULER), QColor(t.window))
        if not self._span.open:
            return
        per_frame = (self.width() - GUTTER) / (self._span.stop - self._span.start)
        step = next((s for s in _STEPS if s * per_frame >= 72), _STEPS[-1])
        small = next((s for s in _STEPS if s * per_frame >= 8 and step % s == 0), step)
        painter.setClipRect(QRect(GUTTER, 0, self.width() - GUTTER, RULER))
        painter.setPen(QPen(QColor(t.border), 0))
        begin = int(self._span.start) // small * small
        for frame in range(begin, int(self._span.stop) + 1, small):
            x = self.x_of(frame + 0.5)
            painter.drawLine(QPointF(x, RULER - (9 if frame % step == 0 else 6)), QPointF(x, RULER - 4))
        painter.setPen(QColor(t.muted))
        for frame in range(int(self._span.start) // step * step, int(self._span.stop) + 1, step):
            x = self.x_of(frame + 0.5)
            box = QRectF(x - 36, 0, 72, 14)
            if box.left() < GUTTER:
                box.moveLeft(GUTTER + 2)
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft, str(frame))
            else:
                box.moveRight(min(box.right(), self.width() + 24.0))
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, str(frame))
        painter.setClipping(False)
        painter.setPen(QPen(QColor(t.border), 0))
        painter.drawLine(0, RULER - 1, self.width(), RULER - 1)

    def _paint_cached(self, painter: QPainter, t: theme.Tokens) -> None:
        if len(self._cached) and self._span.open:
            painter.setClipRect(QRect(GUTTER, 0, self.width() - GUTTER, RULER))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(t.good))
            edges = np.flatnonzero(np.diff(np.concatenate(([0], self._cached.view(np.int8), [0]))))
            for a, b in zip(edges[::2], edges[1::2], strict=True):
                if b >= self._span.start and a <= self._span.stop:
                    left = self.x_of(float(a))
                    painter.drawRect(QRectF(left, RULER - 3, self.x_of(float(b)) - left, 2))
            painter.setClipping(False)

    def _paint_playhead(self, painter: QPainter, t: theme.Tokens) -> None:
        left, right = self.x_of(self._frame), self.x_of(self._frame + 1)
        if right < GUTTER or left > self.width():
            return
        if right - left >= 4:
            wash = QColor(t.text)
            wash.setAlpha(28)
            painter.fillRect(QRectF(left, RULER, right - left, self.height() - RULER), wash)
        x = (left + right) / 2
        painter.setPen(QPen(QColor(t.text), 1))
        painter.drawLine(QPointF(x, 14), QPointF(x, self.height()))
        text = self._label(self._frame)
        painter.setFont(theme.fixed_font(11, bold=True))
        width = painter.fontMetrics().horizontalAdvance(text) + 12
        tag = QRectF(x - width / 2, 1, width, 15)
        tag.moveLeft(min(max(tag.left(), float(GUTTER)), self.width() - width - 1.0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(t.text))
        painter.drawRoundedRect(tag, 4, 4)
        painter.setPen(QColor(t.panel))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)


def gutter_point(row: int) -> QPoint:
    """A point in the gutter of a row, for tests and tours."""
    return QPoint(GUTTER // 2, RULER + row * ROW + ROW // 2)
