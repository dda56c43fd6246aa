"""The status line: the mode in words, what happened last, the place under the cursor, the zoom."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSizePolicy, QStatusBar

from app.gui import theme
from app.gui.elided import ElidedLabel
from app.gui.steady import SteadyLabel
from app.words import tr

MESSAGE = 7000
"""Milliseconds for which a message stands."""
HINT, NEWS = 3, 2
"""Shares of the room for the hint and for a message beside it: neither pushes the other out."""


class StatusLine(QStatusBar):
    """Numbers that change never push their neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        self.mode = ElidedLabel()
        self.message = ElidedLabel()
        self.message.setObjectName("muted")
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.message.hide()
        self.place, self.zoom, self.gauge = (SteadyLabel(width, theme.fixed_font(12)) for width in (80, 48, 120))
        self.gauge.setToolTip(tr("Speed of the run, frames kept ready, memory of SiamLabel"))
        self.gauge.setAccessibleName(tr("Gauge"))
        for label in (self.gauge, self.place, self.zoom):
            label.setObjectName("muted")
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.addWidget(self.mode, HINT)
        self.addPermanentWidget(self.message, NEWS)
        self.addPermanentWidget(self.gauge)
        self.addPermanentWidget(self.place)
        self.addPermanentWidget(self.zoom)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MESSAGE)
        self._timer.timeout.connect(self.quiet)

    def show_mode(self, line: str) -> None:
        """What the next key or click means."""
        if line != self.mode.text():
            self.mode.setText(line)

    def tell(self, text: str) -> None:
        """A sentence that stands for some seconds."""
        self.message.setText(text)
        self.message.setMaximumWidth(self.message.sizeHint().width())  # what it does not need is the hint's
        self.message.setVisible(bool(text))
        self._timer.start()

    def quiet(self) -> None:
        """What was told is over; the hint has its room."""
        self.message.clear()
        self.message.hide()

    def show_gauge(self, text: str) -> None:
        """Speed, frames and memory in a few words."""
        self.gauge.setText(text)

    def show_place(self, at: tuple[float, float] | None) -> None:
        """Image pixels under the cursor; None off the picture."""
        self.place.setText("" if at is None else f"{at[0]:.0f}, {at[1]:.0f}")

    def show_zoom(self, scale: float | None) -> None:
        """Screen pixels per image pixel; None without a picture."""
        self.zoom.setText("" if scale is None else f"{scale:.0%}")
