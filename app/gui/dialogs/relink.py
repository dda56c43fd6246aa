"""A project's video is missing or another one: say where it is now."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from app.gui import theme
from app.words import tr
from app.work.errors import RelinkError


class RelinkDialog(QDialog):
    """After acceptance ``video`` is the file to use, and ``anyway`` whether its content may differ."""

    def __init__(self, error: RelinkError, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Find the video"))
        self.setMinimumWidth(560)
        self.video: Path | None = None
        self.anyway = False
        self._error = error
        title = QLabel(tr("The video is missing") if error.found is None else tr("This is another video"))
        title.setObjectName("title")
        text = QLabel(str(error))
        text.setWordWrap(True)
        v = error.video
        facts = QLabel(
            tr("Wanted: {name}, {frames} frames, {width} × {height}, {fps:g} fps").format(
                name=Path(v.path).name, frames=v.frames, width=v.width, height=v.height, fps=v.fps
            )
        )
        facts.setObjectName("muted")
        facts.setWordWrap(True)
        buttons = QDialogButtonBox()
        self.find_button = buttons.addButton(tr("Find the video…"), QDialogButtonBox.ButtonRole.ActionRole)
        self.find_button.setDefault(True)
        self.anyway_button = buttons.addButton(tr("Use this one anyway"), QDialogButtonBox.ButtonRole.ActionRole)
        self.anyway_button.setVisible(error.found is not None)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.find_button.clicked.connect(self._find)
        self.anyway_button.clicked.connect(self._use)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 2] * 4)
        column.setSpacing(theme.GRID * 2)
        for part in (title, text, facts, buttons):
            column.addWidget(part)

    def _find(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Where is the video now?"), str(self._error.project.parent))
        if chosen:
            self.video = Path(chosen)
            self.accept()

    def _use(self) -> None:
        self.video, self.anyway = self._error.found, True
        self.accept()
