"""The history: every step that can be taken back or done again; a click goes to that state."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.gui import theme
from app.session import Session
from app.words import tr

SHOWN = 500
"""Steps on each side that are listed; undo itself has no limit."""
_STEPS = Qt.ItemDataRole.UserRole
"""How many steps away from the present state: below zero to undo, above to redo."""


class HistoryPanel(QWidget):
    """Oldest first; what was undone is listed below the present state, muted."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._shown: tuple[object, ...] = ()
        self.list = QListWidget()
        self.list.setAccessibleName(tr("History"))
        self.list.itemClicked.connect(lambda item: self._go(item.data(_STEPS)))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        column.addWidget(self.list)
        for event in (session.events.opened, session.events.document):
            event.connect(lambda *_: self.refresh())
        self.refresh()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.refresh()

    def refresh(self) -> None:
        """List the steps; costs nothing while nobody looks."""
        if not self.isVisible():
            return
        history = self._session.history
        done, undone = history.steps[-SHOWN:], history.undone[:SHOWN]
        if (done, undone) == self._shown:
            return
        self._shown = done, undone
        with QSignalBlocker(self.list):
            self.list.clear()
            self._add(tr("As it was opened") if len(history.steps) <= SHOWN else "…", -len(done))
            for n, title in enumerate(done, 1):
                self._add(title, n - len(done))
            for n, title in enumerate(undone, 1):
                self._add(title, n)
        self.list.setCurrentRow(len(done))
        self.list.scrollToItem(self.list.item(len(done)))

    def _add(self, title: str, steps: int) -> None:
        item = QListWidgetItem(title)
        item.setData(_STEPS, steps)
        if steps > 0:
            item.setForeground(theme.colour(theme.current().tokens.muted))
        self.list.addItem(item)

    def _go(self, steps: int) -> None:
        for _ in range(abs(steps)):
            self._session.undo(here=True) if steps < 0 else self._session.redo(here=True)
