"""The history: every step that can be taken back or done again, in all clips; a click goes to that state."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.gui import theme
from app.session import Session
from app.words import tr

SHOWN = 500
"""Steps on each side that are listed; undo itself has no limit."""
_WHEN = Qt.ItemDataRole.UserRole
"""When the step began; 0 for the state before all of them."""


class HistoryPanel(QWidget):
    """Oldest first; what was undone is listed below the present state, muted. The steps of a collection stand below the
    names of their clips."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._shown: tuple[object, ...] = ()
        self.list = QListWidget()
        self.list.setAccessibleName(tr("History"))
        self.list.itemClicked.connect(self._go)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        column.addWidget(self.list)
        for event in (session.events.opened, session.events.document, session.events.clips):
            event.connect(lambda *_: self.refresh())
        self.refresh()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.refresh()

    def refresh(self) -> None:
        """List the steps; costs nothing while nobody looks."""
        if not self.isVisible():
            return
        done, undone = self._session.steps()
        listed = [(step, False) for step in done[-SHOWN:]] + [(step, True) for step in undone[:SHOWN]]
        clips = self._session.collection.clips if self._session.collection else ()
        names = {step.clip: clips[step.clip].name for step, _ in listed if step.clip is not None}
        shown = listed, names
        if shown == self._shown:
            return
        self._shown = shown
        with QSignalBlocker(self.list):
            self.list.clear()
            before = done[-SHOWN - 1].when if len(done) > SHOWN else 0
            now = self._add("…" if before else tr("As it was opened"), before)
            for clip, steps in groupby(listed, key=lambda one: one[0].clip):
                self._head(clip, names)
                for step, gone in steps:
                    item = self._add(step.title, step.when, muted=gone)
                    now = now if gone else item
        self.list.setCurrentItem(now)
        self.list.scrollToItem(now)

    def _head(self, clip: int | None, names: dict[int, str]) -> None:
        """The name of the clip that the next steps are of."""
        if clip is None:
            return
        item = QListWidgetItem(names[clip])
        font = item.font()
        font.setBold(True)
        item.setFont(font)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setForeground(theme.colour(theme.current().tokens.muted))
        self.list.addItem(item)

    def _add(self, title: str, when: int, *, muted: bool = False) -> QListWidgetItem:
        item = QListWidgetItem(title)
        item.setData(_WHEN, when)
        if muted:
            item.setForeground(theme.colour(theme.current().tokens.muted))
        self.list.addItem(item)
        return item

    def _go(self, item: QListWidgetItem) -> None:
        when = item.data(_WHEN)
        if when is not None:
            self._session.travel(when)
