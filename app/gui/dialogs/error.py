"""What went wrong, with everything a bug report needs; one window per distinct error."""

from __future__ import annotations

import hashlib
import traceback

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app import diagnostics
from app.gui import theme
from app.gui.notices import details_of
from app.words import tr


def fingerprint(error: BaseException) -> str:
    """The same for errors of one kind from one place, whatever their text says."""
    places = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    return hashlib.sha256("\n".join([type(error).__name__, *(places or [str(error)])]).encode()).hexdigest()[:16]


def report(error: BaseException) -> str:
    """The details as text: error, traceback, versions and folders. Built without Qt, so it works when Qt does not."""
    environment = "\n".join(f"{name}: {value}" for name, value in diagnostics.environment_report().items())
    return f"{details_of(error)}\n\n{environment}\n"


class ErrorDialog(QDialog):
    """Headline, details, copy, and the log one click away."""

    def __init__(self, error: BaseException, headline: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("SiamLabel")
        self.setMinimumSize(640, 400)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = QLabel(headline)
        title.setObjectName("title")
        title.setWordWrap(True)
        text = QLabel(str(error) or type(error).__name__)
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details = QPlainTextEdit(report(error))
        self.details.setReadOnly(True)
        self.details.setTabChangesFocus(True)
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setAccessibleName(tr("Details"))
        buttons = QDialogButtonBox()
        self.copy_button = buttons.addButton(tr("Copy details"), QDialogButtonBox.ButtonRole.ActionRole)
        log_button = buttons.addButton(tr("Open the log"), QDialogButtonBox.ButtonRole.ActionRole)
        close_button = buttons.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        for button in (self.copy_button, log_button):
            button.setAutoDefault(False)
        self.copy_button.clicked.connect(self._copy)
        log_button.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(diagnostics.paths().log.parent)))
        )
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 2] * 4)
        column.setSpacing(theme.GRID * 2)
        column.addWidget(title)
        column.addWidget(text)
        column.addWidget(self.details, 1)
        column.addWidget(buttons)
        close_button.setDefault(True)  # not before: with a style sheet Tab would pass over the others

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.details.toPlainText())
        self.copy_button.setText(tr("Copied"))


class ErrorDesk:
    """Opens one dialog per distinct error; the same one again is only logged."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._open: dict[str, ErrorDialog] = {}
        self._seen: set[str] = set()

    def show(self, error: BaseException, headline: str = "") -> ErrorDialog:
        """The dialog of this error, brought to the front when it is open already."""
        key = fingerprint(error)
        self._seen.add(key)
        dialog = self._open.get(key)
        if dialog is None:
            dialog = self._open[key] = ErrorDialog(error, headline or tr("Something went wrong"), self._parent)
            dialog.finished.connect(lambda _: self._open.pop(key, None))
            dialog.show()
        else:
            dialog.raise_()
        return dialog

    def show_once(self, error: BaseException, headline: str) -> ErrorDialog | None:
        """`show`, unless this error had its dialog before."""
        return None if fingerprint(error) in self._seen else self.show(error, headline)
