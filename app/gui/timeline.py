"""The timeline: lanes over the confidence curve of the selected object, one span of frames for both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.lane_view import GUTTER, LaneView, Row
from app.gui.span import Span
from app.gui.steady import SteadyLabel
from app.model.document import Change, Document
from app.words import tr
from app.work.overview import Lanes

CURVE = 56


class Curve(pg.PlotWidget):
    """Confidence over time, 0..1, as wide as the lanes. The lowest score of a pixel is shown: dips never vanish."""

    scrubbed = Signal(float)
    """A click or drag, as a share 0..1 of the width."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self._span = span
        self.setFixedHeight(CURVE)
        self.setFrameShape(QFrame.Shape.NoFrame)
        for part in (self, self.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it has no keys of its own
        self.setAccessibleName(tr("Confidence curve"))
        item = self.getPlotItem()
        assert item is not None
        item.hideAxis("left")
        item.hideAxis("bottom")
        item.hideButtons()
        item.setMenuEnabled(False)
        item.layout.setContentsMargins(0, 0, 0, 0)  # type: ignore[attr-defined]  # it keeps a pixel free, which would shift the curve
        view = item.getViewBox()
        view.setMouseEnabled(False, False)
        view.setDefaultPadding(0)
        view.setYRange(-0.04, 1.06, padding=0)
        view.disableAutoRange()
        self._half = pg.InfiniteLine(0.5, angle=0)
        self._line = pg.PlotCurveItem(connect="finite", antialias=True)
        self._head = pg.InfiniteLine(0, angle=90)
        for part in (self._half, self._line, self._head):
            item.addItem(part)
        theme.current().changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        t = theme.current().tokens
        self.setBackground(t.panel)
        fine = self.devicePixelRatioF()  # its pens are as wide as that many pixels of the screen
        self._half.setPen(pg.mkPen(t.grid, width=fine, style=Qt.PenStyle.DashLine))
        self._line.setPen(pg.mkPen(t.source_tracker, width=1.5 * fine))
        self._head.setPen(pg.mkPen(t.text, width=fine))

    def set_data(self, x: np.ndarray, score: np.ndarray) -> None:
        self._line.setData(x, score)

    def set_frame(self, frame: int) -> None:
        self._head.setVisible(self._span.open)
        self._head.setPos(frame + 0.5)

    def follow(self) -> None:
        """Show what the lanes show."""
        self.getViewBox().setXRange(self._span.start, self._span.stop, padding=0)

    def mousePressEvent(self, ev) -> None:
        if ev.buttons() & Qt.MouseButton.LeftButton:
            self.scrubbed.emit(ev.position().x() / max(1, self.width()))

    def mouseMoveEvent(self, ev) -> None:
        self.mousePressEvent(ev)

    def mouseReleaseEvent(self, ev) -> None:
        ev.accept()

    def wheelEvent(self, ev) -> None:
        ev.ignore()


class Timeline(QWidget):
    """Lanes and curve. It is told what changed; it draws that."""

    scrubbed = Signal(int)
    picked = Signal(int)
    chosen = Signal(tuple)
    """Several objects were chosen, or none any more."""

    def __init__(self, label_of_frame: Callable[[int], str] = str) -> None:
        super().__init__()
        self._lanes = Lanes()
        self._span = Span()
        self._selected: int | None = None
        self.lane_view = LaneView(self._span, label_of_frame)
        self.curve = Curve(self._span)
        self._score = SteadyLabel(GUTTER, self.font())
        self._score.setObjectName("muted")
        self._score.setText(tr("Confidence"))
        self._score.setContentsMargins(8, 0, 0, 0)
        low = QHBoxLayout()
        low.setContentsMargins(0, 0, 0, 0)
        low.setSpacing(0)
        low.addWidget(self._score)
        low.addWidget(self.curve, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.lane_view, 1)
        column.addLayout(low)
        self.lane_view.scrubbed.connect(self.scrubbed)
        self.lane_view.picked.connect(self.picked)
        self.lane_view.chosen.connect(self.chosen)
        self.lane_view.span_changed.connect(self._span_moved)
        self.curve.scrubbed.connect(self._scrub_curve)
        self.curve.follow()
        self.curve.set_frame(0)

    # --- told by the window -------------------------------------------------------------------------------------

    def reset(self, doc: Document, frames: int, lanes: Lanes) -> None:
        """Another document with its lanes; ``frames`` is the clip's length."""
        self._lanes = lanes
        self.lane_view.set_lanes(lanes)
        self._span.reset(frames)
        self._set_rows(doc)
        self.lane_view.set_cached(np.zeros(frames, bool))
        self.lane_view.set_frame(0)
        self.curve.set_frame(0)
        self._span_moved()

    def apply(self, doc: Document, change: Change) -> None:
        """Redraw the lanes that a change touched."""
        if change.structure:
            self._set_rows(doc)
        self.lane_view.refresh(change.tracks)
        if self._selected in change.tracks:
            self._redraw_curve()

    def set_selected(self, *tracks: int) -> None:
        """Which objects are selected; the curve is that of the only one."""
        self._selected = tracks[0] if len(tracks) == 1 else None
        self.lane_view.set_selected(*tracks)
        self._redraw_curve()

    def set_frame(self, frame: int) -> None:
        if self._span.reveal(frame):
            self._span_moved()
        self.lane_view.set_frame(frame)
        self.curve.set_frame(frame)

    def set_score(self, score: float | None) -> None:
        """The selected object's confidence on the current frame."""
        self._score.setText(tr("Confidence") if score is None else tr("Confidence  {score:.2f}").format(score=score))

    def set_cached(self, frames: np.ndarray) -> None:
        self.lane_view.set_cached(frames)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._redraw_curve()  # it is aggregated to the pixels there are

    # --- inside -------------------------------------------------------------------------------------------------

    def _set_rows(self, doc: Document) -> None:
        self.lane_view.set_rows([Row(k, f"{k}  {v.label}", v.colour, v.visible) for k, v in doc.tracks.items()])

    def _span_moved(self) -> None:
        self.lane_view.update()
        self.curve.follow()
        self._redraw_curve()

    def _redraw_curve(self) -> None:
        lane = self._lanes.lanes.get(self._selected) if self._selected is not None else None
        if lane is None:
            self.curve.set_data(np.zeros(0), np.zeros(0))
        else:
            width = max(1, self.curve.width())
            self.curve.set_data(*lane.curve(self._span.start, self._span.stop, width))

    def _scrub_curve(self, share: float) -> None:
        frame = int(self._span.start + share * (self._span.stop - self._span.start))
        self.scrubbed.emit(min(self._span.frames - 1, max(0, frame)))
