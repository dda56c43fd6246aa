"""Buttons to walk and play, where we are, and what the colours of the timeline mean."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFontMetrics, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.gui import theme
from app.gui.steady import SteadyLabel
from app.words import tr

GetAction = Callable[[str], QAction]


class Legend(QWidget):
    """A swatch and a word for each source, a diamond for keyframes, a bar for lost."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Legend of the timeline"))
        theme.current().changed.connect(self.update)

    def _parts(self) -> list[tuple[str, str, str]]:
        t = theme.current().tokens
        return [
            ("bar", t.source_manual, tr("Manual")),
            ("bar", t.source_tracker, tr("Tracker")),
            ("bar", t.source_interpolated, tr("Interpolated")),
            ("bar", t.source_imported, tr("Imported")),
            ("key", t.text, tr("Keyframe")),
            ("thin", t.danger, tr("Lost")),
            ("thin", t.warning, tr("Occluded")),
            ("thin", t.muted, tr("Out of view")),
        ]

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.fixed_font(11))
        return QSize(sum(metrics.horizontalAdvance(text) + 32 for _, _, text in self._parts()), 24)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.fixed_font(11))
        x = self.width() - self.sizeHint().width() if self.width() > self.sizeHint().width() else 0
        middle = self.height() / 2
        for kind, colour, text in self._parts():
            width = painter.fontMetrics().horizontalAdvance(text)
            if x + width + 20 > self.width():
                break
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            if kind == "key":
                points = [(5, -4.5), (9.5, 0), (5, 4.5), (0.5, 0)]
                painter.drawPolygon(QPolygonF([QPointF(x + a, middle + b) for a, b in points]))
            else:
                height = 8 if kind == "bar" else 3
                painter.drawRoundedRect(QRectF(x, middle - height / 2, 10, height), 1.5, 1.5)
            painter.setPen(QColor(t.muted))
            painter.drawText(QRectF(x + 16, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += width + 32


class TransportBar(QWidget):
    """``action(id)`` gives the actions of the command table; ids that the table lacks are a mistake and raise."""

    BUTTONS = ("go.first", "go.back", "go.previous", "go.play", "go.next", "go.forward", "go.last")

    def __init__(self, action: GetAction, buttons: tuple[str, ...] = BUTTONS) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        row.setSpacing(2)
        for name in buttons:
            button = QToolButton()
            button.setDefaultAction(action(name))
            button.setAutoRaise(True)
            button.setIconSize(QSize(18, 18))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        self.frame = SteadyLabel(104, theme.fixed_font(13, bold=True))
        self.time = SteadyLabel(84, theme.fixed_font(12))
        self.time.setObjectName("muted")
        self.note = QLabel()
        self.note.setObjectName("muted")
        self.note.setFont(theme.fixed_font(12))
        row.addSpacing(theme.GRID)
        row.addWidget(self.frame)
        row.addWidget(self.time)
        row.addWidget(self.note)
        row.addWidget(Legend(), 1)

    def show_position(self, frame: int, frames: int, seconds: float) -> None:
        """0-based frame, number of frames, and the frame's own time stamp."""
        self.frame.setText(f"{frame} / {max(0, frames - 1)}" if frames else "–")
        self.time.setText(clock(seconds) if frames else "")

    def show_note(self, text: str) -> None:
        """A short remark such as dropped frames."""
        if self.note.text() != text:
            self.note.setText(text)


def clock(seconds: float) -> str:
    """``h:mm:ss.mmm`` with hours only where there are any."""
    whole, milli = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return (f"{hours}:{minute:02d}" if hours else f"{minute}") + f":{second:02d}.{milli:03d}"
