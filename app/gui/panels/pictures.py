"""What the tracker's panel shows: pictures with maps and marks laid over them, the score, the signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui import theme
from app.gui.canvas.layers import heat_image, look_alike, outline
from app.words import tr
from tracker.api import Box, HeatMap, Peak, Verdict

LINE = 18
"""Height of a line of signals in logical pixels."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels (h, w, 3) uint8 BGR of the image's square ``rect``, and what lies over them, all in image pixels."""

    pixels: np.ndarray
    rect: Box
    heat: HeatMap | None = None
    opacity: float = 0.5
    peaks: tuple[Peak, ...] = ()
    part: Box | None = None


class Thumbnail(QWidget):
    """A square picture with its caption below; a dashed square while there is none."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self._caption = caption
        self.picture: Picture | None = None
        self._base: tuple[np.ndarray, int, QImage] | None = None
        self._heat: tuple[np.ndarray, float, QImage] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(132)
        self.setMaximumHeight(156)
        self.setAccessibleName(caption)

    def sizeHint(self) -> QSize:
        return QSize(120, 140)

    def show_picture(self, picture: Picture | None) -> None:
        if picture is not self.picture:
            self.picture = picture
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        side = min(self.width(), self.height() - 20)
        if self.picture is None:
            painter.setPen(QPen(QColor(t.border), 1, Qt.PenStyle.DashLine))
            painter.drawRect(QRectF(0.5, 0.5, side - 1, side - 1))
        else:
            painter.save()
            painter.setClipRect(0, 0, side, side)
            painter.drawImage(0, 0, self._pixels(self.picture.pixels, side))
            self._paint_over(painter, self.picture, side)
            painter.restore()
        painter.setPen(QColor(t.muted))
        painter.setFont(theme.fixed_font(11))
        painter.drawText(QRectF(0, side + 2, self.width(), 18), Qt.AlignmentFlag.AlignLeft, self._caption)

    def _paint_over(self, painter: QPainter, picture: Picture, side: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scale = side / picture.rect.w

        def at(x: float, y: float) -> QPointF:
            return QPointF((x - picture.rect.x) * scale, (y - picture.rect.y) * scale)

        def rect(box: Box) -> QRectF:
            return QRectF(at(box.x, box.y), at(box.x2, box.y2))

        if picture.heat is not None:
            painter.drawImage(rect(picture.heat.rect), self._heat_of(picture.heat, round(picture.opacity, 2)))
        if picture.part is not None:
            outline(painter, rect(picture.part), QColor("#ffffff"), 1.5, None)
        if len(picture.peaks) > 1:
            look_alike(painter, at(picture.peaks[1].x, picture.peaks[1].y), 5.0)
        if picture.peaks:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((QColor(0, 0, 0, 140), 3.5), (QColor("#ffffff"), 1.75)):
                painter.setPen(QPen(colour, width))
                painter.drawEllipse(at(picture.peaks[0].x, picture.peaks[0].y), 4.5, 4.5)

    def _pixels(self, pixels: np.ndarray, side: int) -> QImage:
        size = max(1, round(side * self.devicePixelRatioF()))
        if self._base is None or self._base[0] is not pixels or self._base[1] != size:
            how = cv2.INTER_AREA if size < pixels.shape[0] else cv2.INTER_LINEAR
            shown = cv2.cvtColor(cv2.resize(pixels, (size, size), interpolation=how), cv2.COLOR_BGR2RGB)
            image = QImage(shown.data, size, size, shown.strides[0], QImage.Format.Format_RGB888).copy()
            image.setDevicePixelRatio(self.devicePixelRatioF())
            self._base = pixels, size, image
        return self._base[2]

    def _heat_of(self, heat: HeatMap, opacity: float) -> QImage:
        if self._heat is None or self._heat[0] is not heat.values or self._heat[1] != opacity:
            self._heat = heat.values, opacity, heat_image(heat.values, opacity)
        return self._heat[2]


class ScoreBar(QWidget):
    """Confidence as a bar and a number, in the colour of the verdict."""

    def __init__(self) -> None:
        super().__init__()
        self._score: float | None = None
        self._verdict: Verdict | None = None
        self.setFixedHeight(20)
        self.setAccessibleName(tr("Confidence"))

    def set_score(self, score: float | None, verdict: Verdict | None) -> None:
        if (score, verdict) != (self._score, self._verdict):
            self._score, self._verdict = score, verdict
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(0, self.height() / 2 - 3, self.width() - 44, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(t.grid))
        painter.drawRoundedRect(track, 3, 3)
        if self._score is not None:
            painter.setBrush(QColor(verdict_colour(self._verdict, t)))
            filled = QRectF(track)
            filled.setWidth(max(6.0, track.width() * min(1.0, max(0.0, self._score))))
            painter.drawRoundedRect(filled, 3, 3)
        painter.setPen(QColor(t.text if self._score is not None else t.muted))
        painter.setFont(theme.fixed_font(12, bold=self._score is not None))
        text = "–" if self._score is None else f"{self._score:.2f}"
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(self.width() - 40, 0, 40, self.height()), flags, text)


class SignalTable(QWidget):
    """The tracker's signals as names and numbers in two columns; its height stays when values come and go."""

    ROWS = 3

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, float] = {}
        self.setFixedHeight(self.ROWS * LINE)
        self.setAccessibleName(tr("Signals"))

    def show_values(self, values: Mapping[str, float]) -> None:
        if values != self.values:
            self.values = dict(values)
            self.setToolTip("<br>".join(f"{_words(name)}: {value:.3f}" for name, value in self.values.items()))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.setFont(theme.fixed_font(11))
        metrics = QFontMetricsF(painter.font())
        width = (self.width() - 2 * theme.GRID) / 2
        for n, (name, value) in enumerate(list(self.values.items())[: 2 * self.ROWS]):
            cell = QRectF((n % 2) * (width + 2 * theme.GRID), n // 2 * LINE, width, LINE)
            number = f"{value:.2f}"
            painter.setPen(QColor(t.text))
            painter.drawText(cell, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
            room = cell.width() - metrics.horizontalAdvance(number) - 4
            painter.setPen(QColor(t.muted))
            text = metrics.elidedText(_words(name), Qt.TextElideMode.ElideRight, room)
            painter.drawText(cell, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def verdict_colour(verdict: Verdict | None, t: theme.Tokens) -> str:
    return {Verdict.UNCERTAIN: t.warning, Verdict.LOST: t.danger}.get(verdict, t.good) if verdict else t.muted
