"""What stands in place of the picture while nothing is open: what to do, in order of likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.actions import Actions
from app.words import tr


class StartPage(QWidget):
    """Open, drop, try the sample, or go on with something recent."""

    opened = Signal(object)
    """A recent path that was clicked."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._over = False
        self._busy = False
        self.title = QLabel(tr("Open a video to label"))
        self.title.setObjectName("title")
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.text = QLabel(tr("Drop a video, a folder of images or a project here, or"))
        self.text.setObjectName("muted")
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.open_button = _button(actions["file.open"], tr("Open…"))
        self.open_button.setDefault(True)
        self.sample_button = _button(actions["file.sample"], tr("Open the sample clip"))
        self.tour_button = _button(actions["help.tour"], tr("Take the tour (two minutes)"))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GRID)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.sample_button)
        buttons.addWidget(self.tour_button)
        buttons.addStretch(1)
        self._heading = QLabel(tr("Recent"))
        self._heading.setObjectName("heading")
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        recent = QVBoxLayout()
        recent.addWidget(self._heading)
        recent.addLayout(self._list)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addLayout(recent)
        across.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 6] * 4)
        column.setSpacing(theme.GRID * 2)
        column.addStretch(2)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(buttons)
        column.addSpacing(theme.GRID * 2)
        column.addLayout(across)
        column.addStretch(3)
        theme.current().changed.connect(self.update)
        self.set_recent([])

    def set_recent(self, paths: Sequence[Path]) -> None:
        while (item := self._list.takeAt(0)) is not None:
            entry = item.widget()
            if entry is not None:
                entry.deleteLater()
        self._heading.setVisible(bool(paths))
        for path in paths:
            entry = QToolButton()
            entry.setText(f"{path.name}   —   {_short(path.parent)}")
            entry.setIcon(theme.icon("folder" if path.is_dir() else "film", theme.current().tokens.muted))
            entry.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            entry.setIconSize(QSize(16, 16))
            entry.setToolTip(str(path))
            entry.clicked.connect(lambda _=False, p=path: self.opened.emit(p))
            self._list.addWidget(entry, 0, Qt.AlignmentFlag.AlignLeft)

    def show_busy(self, text: str) -> None:
        """Something is being opened; an empty text when no longer."""
        self.title.setText(text or tr("Open a video to label"))
        for part in (self.text, self.open_button, self.sample_button, self.tour_button):
            part.setVisible(not text)

    def show_drop(self, over: bool) -> None:
        """A file is held over the window."""
        if over != self._over:
            self._over = over
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(t.canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(t.accent if self._over else t.border), 2 if self._over else 1.5)
        pen.setDashPattern([6, 5])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 12, 12)


def _button(action: QAction, text: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(action.toolTip())
    button.clicked.connect(action.trigger)
    return button


def _short(folder: Path, most: int = 48) -> str:
    text = str(folder)
    return text if len(text) <= most else "…" + text[-most:]
