"""The one calm place for what went wrong: a strip over the picture, details one click away."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.gui import theme
from app.words import tr
from app.work.reasons import translated

LINGER = 8000
"""Milliseconds for which a mere hint stays."""


class NoticeBar(QWidget):
    """Shows the newest notice. Hints go by themselves, errors stay until they are closed."""

    def __init__(self, show_details: Callable[[Exception], object]) -> None:
        super().__init__()
        self._show_details = show_details
        self._error: Exception | None = None
        self._colour = ""
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.answers: tuple[QToolButton, ...] = ()
        self.details = QToolButton()
        self.details.setText(tr("Details…"))
        self.close_button = QToolButton()
        self.close_button.setToolTip(tr("Close"))
        self.close_button.setAccessibleName(tr("Close the notice"))
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID * 2, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        row.addWidget(self.text, 1)
        row.addWidget(self.details)
        row.addWidget(self.close_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.details.clicked.connect(self._open_details)
        self.close_button.clicked.connect(self.hide)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.hide()

    def _dress(self) -> None:
        self.close_button.setIcon(theme.icon("close"))
        self.update()

    def hint(self, text: str) -> None:
        """Something that cannot be done now, and what to do instead."""
        if self.isVisible() and self._error is not None:
            return  # an error must not be pushed away by a hint
        self._error = None
        self._show(text, "warning")
        self._timer.start(LINGER)

    def ask(self, text: str, answers: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        """A question with its answers as buttons, or news of work that goes on; stays until answered or closed."""
        self._error = None
        self._timer.stop()
        self._show(text, "accent", answers)

    def dismiss(self) -> None:
        """Close a question that has answered itself; an error stays."""
        if self._error is None:
            self.hide()

    def error(self, error: Exception) -> None:
        """Something failed; stays until it is closed."""
        self._error = error
        self._timer.stop()
        self._show(translated(str(error)) or type(error).__name__, "danger")

    def _show(self, text: str, colour: str, answers: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        self._colour = colour
        for button in self.answers:
            self._row.removeWidget(button)
            button.deleteLater()
        self.answers = tuple(self._answer(title, do) for title, do in answers)
        for first, second in pairwise((*self.answers, self.details, self.close_button)):
            self.setTabOrder(first, second)
        self.text.setText(text)
        self.details.setVisible(self._error is not None)
        self.show()
        self.update()

    def _answer(self, title: str, do: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setText(title)
        button.setObjectName("answer")
        button.clicked.connect(self.hide)
        button.clicked.connect(lambda: do())
        self._row.insertWidget(self._row.indexOf(self.details), button)
        return button

    def _open_details(self) -> None:
        if self._error is not None:
            self._show_details(self._error)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        colour = QColor({"danger": t.danger, "accent": t.accent}.get(self._colour, t.warning))
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(t.panel))
        wash = QColor(colour)
        wash.setAlpha(40)
        painter.fillRect(self.rect(), wash)
        painter.fillRect(0, 0, 4, self.height(), colour)


def details_of(error: BaseException) -> str:
    """The error with its traceback, for a bug report."""
    return "".join(traceback.format_exception(error)).strip()
