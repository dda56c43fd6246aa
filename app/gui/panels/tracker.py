"""The tracker: which one, where it runs, how it fares, and what it sees."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.settings import HEAT_KINDS, Settings
from tracker.api import Prediction, TrackerInfo, Verdict

SetOption = Callable[[str, object], None]
"""Takes the name of a setting and its new value."""

HEAT_TITLES = {
    "off": "Off",
    "fused": "Fused score",
    "classification": "Classification",
    "attention": "Attention",
    "mask": "Mask probability",
}
VERDICTS = {Verdict.TRACKED: "Tracked", Verdict.UNCERTAIN: "Uncertain", Verdict.LOST: "Lost"}


class Thumbnail(QWidget):
    """A square picture with its caption below; a dashed square while there is none."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self._caption = caption
        self._pixels: np.ndarray | None = None
        self._image = QImage()
        self._made_for: tuple[int, int] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(84)
        self.setMaximumHeight(156)
        self.setAccessibleName(caption)

    def sizeHint(self) -> QSize:
        return QSize(120, 140)

    def set_pixels(self, pixels: np.ndarray | None) -> None:
        """(h, w, 3) uint8 BGR, or None."""
        if pixels is not self._pixels:
            self._pixels = pixels
            self._made_for = None
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        side = min(self.width(), self.height() - 20)
        square = QRectF(0.5, 0.5, side - 1, side - 1)
        if self._pixels is None:
            pen = painter.pen()
            pen.setColor(QColor(t.border))
            pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawRect(square)
        else:
            pixels = max(1, round(side * self.devicePixelRatioF()))
            if self._made_for != (id(self._pixels), pixels):
                how = cv2.INTER_AREA if pixels < self._pixels.shape[0] else cv2.INTER_LINEAR
                shown = cv2.cvtColor(cv2.resize(self._pixels, (pixels, pixels), interpolation=how), cv2.COLOR_BGR2RGB)
                image = QImage(shown.data, pixels, pixels, shown.strides[0], QImage.Format.Format_RGB888).copy()
                image.setDevicePixelRatio(self.devicePixelRatioF())
                self._image, self._made_for = image, (id(self._pixels), pixels)
            painter.drawImage(0, 0, self._image)
        painter.setPen(QColor(t.muted))
        painter.setFont(theme.fixed_font(11))
        painter.drawText(QRectF(0, side + 2, self.width(), 18), Qt.AlignmentFlag.AlignLeft, self._caption)


class ScoreBar(QWidget):
    """Confidence as a bar and a number, in the colour of the verdict."""

    def __init__(self) -> None:
        super().__init__()
        self._score: float | None = None
        self._verdict: Verdict | None = None
        self.setFixedHeight(20)
        self.setAccessibleName("Confidence")

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


def verdict_colour(verdict: Verdict | None, t: theme.Tokens) -> str:
    return {Verdict.UNCERTAIN: t.warning, Verdict.LOST: t.danger}.get(verdict, t.good) if verdict else t.muted


class TrackerPanel(QWidget):
    """Choices leave through ``set_option``; what is shown comes from `show_settings` and `show_prediction`."""

    def __init__(self, infos: Sequence[TrackerInfo], set_option: SetOption) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._set_option = set_option
        self.tracker = QComboBox()
        for info in infos:
            self.tracker.addItem(info.name, info.name)
            self.tracker.setItemData(self.tracker.count() - 1, info.title, Qt.ItemDataRole.ToolTipRole)
        self._aliases = {alias: info.name for info in infos for alias in info.aliases}
        self.tracker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.tracker.setMinimumContentsLength(12)
        self.tracker.setAccessibleName("Tracker")
        self.device = QComboBox()
        devices = [("Automatic", "auto"), ("CPU", "cpu"), ("CUDA", "cuda")]
        for title, name in devices + ([("MPS", "mps")] if sys.platform == "darwin" else []):
            self.device.addItem(title, name)
        self.device.setAccessibleName("Device")
        self.masks = QCheckBox("Masks")
        self.masks.setToolTip("Compute a mask on every frame, where the tracker can; without, tracking is faster")
        self.heat = QComboBox()
        for kind in HEAT_KINDS:
            self.heat.addItem(HEAT_TITLES[kind], kind)
        self.heat.setAccessibleName("Heat map")
        self.heat.setToolTip("The response map laid over the search region while tracking (H goes to the next)")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(5, 100)
        self.opacity.setAccessibleName("Heat-map opacity")
        self.opacity.setToolTip("Opacity of the heat map")
        self.speed = QLabel("–")
        self.speed.setObjectName("value")
        self.where = QLabel("")
        self.where.setObjectName("muted")
        self.score = ScoreBar()
        self.verdict = QLabel("Not tracking")
        self.verdict.setObjectName("value")
        self.reason = QLabel("")
        self.reason.setObjectName("muted")
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.reason.setFixedHeight(2 * self.reason.fontMetrics().lineSpacing() + 2)  # nothing jumps when it is filled
        self.template = Thumbnail("Template")
        self.search = Thumbnail("Search region")
        self._build()
        self.tracker.activated.connect(lambda _: set_option("tracker", self.tracker.currentData()))
        self.device.activated.connect(lambda _: set_option("device", self.device.currentData()))
        self.masks.clicked.connect(lambda on: set_option("masks", on))
        self.heat.activated.connect(lambda _: set_option("heat_kind", self.heat.currentData()))
        self.opacity.valueChanged.connect(lambda value: set_option("heat_opacity", value / 100))

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID)
        grid.setVerticalSpacing(theme.GRID // 2 + 2)
        grid.setColumnStretch(1, 1)
        device = QHBoxLayout()
        device.setSpacing(theme.GRID)
        device.addWidget(self.device, 1)
        device.addWidget(self.masks)
        heat = QHBoxLayout()
        heat.addWidget(self.heat, 1)
        speed = QHBoxLayout()
        speed.addWidget(self.speed)
        speed.addStretch(1)
        speed.addWidget(self.where)
        rows: list[tuple[str, QWidget | QHBoxLayout]] = [
            ("Model", self.tracker),
            ("Device", device),
            ("Heat map", heat),
            ("Opacity", self.opacity),
            ("Speed", speed),
            ("Score", self.score),
            ("Verdict", self.verdict),
        ]
        for n, (title, part) in enumerate(rows):
            name = QLabel(title)
            name.setObjectName("muted")
            grid.addWidget(name, n, 0)
            if isinstance(part, QWidget):
                grid.addWidget(part, n, 1)
            else:
                grid.addLayout(part, n, 1)
        grid.addWidget(self.reason, len(rows), 1)
        heading = QLabel("Tracker")
        heading.setObjectName("heading")
        pictures = QHBoxLayout()
        pictures.setSpacing(theme.GRID)
        pictures.addWidget(self.template, 1)
        pictures.addWidget(self.search, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        column.setSpacing(theme.GRID)
        column.addWidget(heading)
        column.addLayout(grid)
        column.addLayout(pictures, 1)

    def show_settings(self, settings: Settings) -> None:
        """Put every control where the settings are."""
        with (
            QSignalBlocker(self.tracker),
            QSignalBlocker(self.device),
            QSignalBlocker(self.heat),
            QSignalBlocker(self.opacity),
            QSignalBlocker(self.masks),
        ):
            name = self._aliases.get(settings.tracker, settings.tracker)
            self.tracker.setCurrentIndex(self.tracker.findData(name))
            self.device.setCurrentIndex(self.device.findData(settings.device))
            self.heat.setCurrentIndex(self.heat.findData(settings.heat_kind))
            self.opacity.setValue(round(settings.heat_opacity * 100))
            self.opacity.setEnabled(settings.heat_kind != "off")
            self.masks.setChecked(settings.masks)

    def show_run(self, device: str, fps: float) -> None:
        """Where the run goes on and how fast; fps 0 while it starts."""
        self.speed.setText(f"{fps:.0f} fps" if fps else "starting…")
        self.where.setText(f"on {device.upper()}" if device != "auto" else "")

    def show_idle(self) -> None:
        self.speed.setText("–")
        self.where.setText("")

    def show_prediction(self, prediction: Prediction | None, search: np.ndarray | None = None) -> None:
        """What the tracker said of the frame on show, and the search region's pixels; None when it said nothing."""
        t = theme.current().tokens
        if prediction is None:
            self.score.set_score(None, None)
            self._say("No answer here", t.muted, "")
            self.search.set_pixels(None)
            return
        self.score.set_score(prediction.score, prediction.verdict)
        self._say(VERDICTS[prediction.verdict], verdict_colour(prediction.verdict, t), prediction.reason)
        self.search.set_pixels(search)

    def show_stored(self, score: float | None, verdict: Verdict | None, reason: str) -> None:
        """What the document keeps of a frame whose maps are gone."""
        t = theme.current().tokens
        self.score.set_score(score, verdict)
        text = VERDICTS[verdict] if verdict else reason or "–"
        self._say(text, verdict_colour(verdict, t), reason if verdict else "")
        self.search.set_pixels(None)

    def show_template(self, pixels: np.ndarray | None) -> None:
        self.template.set_pixels(pixels)

    def _say(self, text: str, colour: str, reason: str) -> None:
        if self.verdict.text() != text or self.verdict.property("tint") != colour:
            self.verdict.setText(text)
            self.verdict.setProperty("tint", colour)
            self.verdict.setStyleSheet(f"color: {colour}")
        if self.reason.text() != reason:
            self.reason.setText(reason)
