"""Unsaved work of a session that ended without saving, offered on the next start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QDate, QLocale
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.gui import theme
from app.words import language, tr, trn
from app.work.journal import Leftover


class RecoverDialog(QDialog):
    """``chosen`` is the leftover to open, None for none. What is discarded here is gone at once."""

    def __init__(
        self, found: Sequence[Leftover], forget: Callable[[Leftover], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Recover unsaved work"))
        self.setMinimumWidth(560)
        self.chosen: Leftover | None = None
        self._found = list(found)
        self._forget = forget
        title = QLabel(tr("SiamLabel ended without saving"))
        title.setObjectName("title")
        text = QLabel(tr("Nothing is lost. Choose what to go on with; the rest is offered again at the next start."))
        text.setWordWrap(True)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Unsaved work"))
        for leftover in self._found:
            QListWidgetItem(describe(leftover), self.list)
        self.list.setCurrentRow(0)
        self.list.setMinimumHeight(96)
        self.list.itemDoubleClicked.connect(self._recover)
        buttons = QDialogButtonBox()
        self.recover_button = buttons.addButton(tr("Recover"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.recover_button.setDefault(True)
        self.discard_button = buttons.addButton(tr("Discard"), QDialogButtonBox.ButtonRole.DestructiveRole)
        buttons.addButton(tr("Not now"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._recover)
        buttons.rejected.connect(self.reject)
        self.discard_button.clicked.connect(self._discard)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 2] * 4)
        column.setSpacing(theme.GRID * 2)
        for part in (title, text, self.list, buttons):
            column.addWidget(part)

    def _recover(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            self.chosen = self._found[row]
            self.accept()

    def _discard(self) -> None:
        row = self.list.currentRow()
        if row < 0:
            return
        self._forget(self._found.pop(row))
        self.list.takeItem(row)
        if not self._found:
            self.reject()


def describe(leftover: Leftover) -> str:
    """Name, place, time and number of edits of a leftover."""
    of = Path(leftover.project or leftover.video or tr("unsaved work"))
    when = leftover.when
    edits = trn("{count} edit", "{count} edits", leftover.edits).format(count=leftover.edits)
    day = QLocale(language()).toString(QDate(when.year, when.month, when.day), "d MMMM")
    return f"{of.name}\n{day}, {when:%H:%M} · {edits} · {of.parent}"
