"""A project's video is missing or another one: say where it is now."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from app.gui import theme
from app.work.errors import RelinkError


class RelinkDialog(QDialog):
    """After acceptance ``video`` is the file to use, and ``anyway`` whether its content may differ."""

    def __init__(self, error: RelinkError, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find the video")
        self.setMinimumWidth(560)
        self.video: Path | None = None
        self.anyway = False
        self._error = error
        title = QLabel("The video is missing" if error.found is None else "This is another video")
        title.setObjectName("title")
        text = QLabel(str(error))
        text.setWordWrap(True)
        v = error.video
        facts = QLabel(f"Wanted: {Path(v.path).name}, {v.frames} frames, {v.width} × {v.height}, {v.fps:g} fps")
        facts.setObjectName("muted")
        facts.setWordWrap(True)
        buttons = QDialogButtonBox()
        self.find_button = buttons.addButton("Find the video…", QDialogButtonBox.ButtonRole.ActionRole)
        self.find_button.setDefault(True)
        self.anyway_button = buttons.addButton("Use this one anyway", QDialogButtonBox.ButtonRole.ActionRole)
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
        chosen, _ = QFileDialog.getOpenFileName(self, "Where is the video now?", str(self._error.project.parent))
        if chosen:
            self.video = Path(chosen)
            self.accept()

    def _use(self) -> None:
        self.video, self.anyway = self._error.found, True
        self.accept()
