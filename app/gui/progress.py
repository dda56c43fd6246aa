"""One bar for long work: what goes on, how far it is, and a way to end it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from app.gui import theme
from app.gui.elided import ElidedLabel
from app.words import tr

PATIENCE = 500
"""Milliseconds that work may take before anyone is told."""


class WorkBar(QWidget):
    """Shows the newest of the works that go on, once it has gone on for `PATIENCE`."""

    def __init__(self, cancel: Callable[[str], object], cancellable: Callable[[str], bool]) -> None:
        """``cancel`` ends the work of a title; ``cancellable`` says whether that is possible."""
        super().__init__()
        self._cancel, self._cancellable = cancel, cancellable
        self._going: dict[str, float] = {}
        self.title = ElidedLabel()
        self.title.setObjectName("muted")
        self.title.setMinimumWidth(120)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(96, 8)
        self.bar.setAccessibleName(tr("Progress"))
        self.button = QToolButton()
        self.button.setText(tr("Cancel"))
        self.button.clicked.connect(self._end)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.GRID, 0)
        row.setSpacing(theme.GRID)
        for widget in (self.title, self.bar, self.button):
            row.addWidget(widget)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE)
        self._soon.timeout.connect(self._appear)
        self.hide()

    def tell(self, title: str, share: float | None) -> None:
        """Work is so far (0 to 1, 0 when it cannot be said), or has ended (None)."""
        if share is None:
            self._going.pop(title, None)
            if not self._going:
                self._soon.stop()
                self.hide()
                return
        else:
            if not self._going:
                self._soon.start()
            self._going[title] = share
        if self.isVisible():
            self._fill()

    def _appear(self) -> None:
        if self._going:
            self._fill()
            self.show()

    def _fill(self) -> None:
        title, share = next(reversed(self._going.items()))
        self.title.setText(title)
        self.bar.setRange(0, 1000 if share else 0)  # without an end it runs to and fro
        self.bar.setValue(round(share * 1000))
        self.button.setVisible(self._cancellable(title))
        self.button.setEnabled(True)

    def _end(self) -> None:
        self.button.setEnabled(False)
        self._cancel(next(reversed(self._going), ""))
