"""The clips of a collection: how far each one is; a double click goes there, a tick says that it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListView, QMenu, QToolButton, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.dropping import dropped_paths
from app.gui.panels.clip_rows import ClipCells, ClipRows
from app.session import Session
from app.words import tr

Ask = Callable[[], list[Path]]
COUNT_AFTER = 700
"""Milliseconds between a change of the labels and new figures of the open clip; a run changes them all the time."""


class ClipsPanel(QWidget):
    """``action(id)`` gives the actions of the command table; ``ask_videos()`` and ``ask_folders()`` what to add."""

    def __init__(
        self,
        session: Session,
        action: Callable[[str], QAction],
        ask_videos: Ask,
        ask_folders: Ask,
        on_error: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._session, self._on_error = session, on_error
        self.rows = ClipRows(session, self._tick)
        self.list = QListView()
        self.list.setObjectName("clips")
        self.list.setModel(self.rows)
        self.list.setAccessibleName(tr("Clips"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setItemDelegate(ClipCells(self.list))
        self.list.activated.connect(lambda index: self._try(lambda: session.go_to_clip(index.row())))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.hint = QLabel(
            tr("Several clips to label?\nFile, Open a folder of clips,\nor drop videos and folders on the window."),
            self.list.viewport(),
        )
        self.hint.setObjectName("muted")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        QVBoxLayout(self.list.viewport()).addWidget(self.hint)
        self.count = QLabel()
        self.count.setObjectName("muted")
        self.next = QToolButton()
        self.next.setDefaultAction(action("go.next_unfinished"))
        self.next.setAutoRaise(True)
        self.add = QToolButton()
        self.add.setText(tr("Add…"))
        self.add.setToolTip(tr("Add clips to the collection, or drop them here"))
        self.add.setAutoRaise(True)
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        choices = QMenu(self.add)
        choices.addAction(tr("Videos…"), lambda: self.add_paths(ask_videos()))
        choices.addAction(tr("Folders…"), lambda: self.add_paths(ask_folders()))
        self.add.setMenu(choices)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.count, 1)
        head.addWidget(self.next)
        head.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        for event in (session.events.clips, session.events.opened):
            event.connect(self.refresh)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(COUNT_AFTER)
        self._soon.timeout.connect(self._count)
        session.events.document.connect(lambda _: self._changed())
        theme.current().changed.connect(self.list.viewport().update)
        self.refresh()

    def refresh(self) -> None:
        """Follow the collection."""
        collection, here = self._session.collection, self._session.clip
        self.rows.refresh()
        if here is not None and self.list.currentIndex().row() != here:
            chosen = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(self.rows.index(here), chosen)
            self.list.scrollTo(self.rows.index(here))
        self._changed()
        self._tell_count()
        for button in (self.add, self.next):
            button.setVisible(collection is not None)
        self.hint.setVisible(not self.rows.rowCount())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._changed()

    def _changed(self) -> None:
        """The open clip has other labels: its mark changes now, its figures soon, if anybody looks."""
        self.rows.touch()
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _count(self) -> None:
        if self.isVisible():
            self.rows.count()

    def add_paths(self, paths: list[Path]) -> None:
        """Add videos and what folders hold to the collection that is open."""
        if paths:
            self._try(lambda: self._session.add_clips(paths))

    def _tell_count(self) -> None:
        collection = self._session.collection
        clips = collection.clips if collection is not None else ()
        done = sum(clip.done for clip in clips)
        said = tr("{done} of {count} done").format(done=done, count=len(clips))
        self.count.setText(said if collection is not None else "")

    def _tick(self, number: int, done: bool) -> None:
        self._try(lambda: self._session.set_clip_done(number, done))

    def _menu(self, at: QPoint) -> None:
        index, collection = self.list.indexAt(at), self._session.collection
        if not index.isValid() or collection is None:
            return
        number = index.row()
        missing = collection.clips[number].video in self._session.missing
        menu = QMenu(self)
        title = tr("Locate…") if missing else tr("Go there")
        menu.addAction(title, lambda: self._try(lambda: self._session.go_to_clip(number)))
        menu.addAction(tr("Remove from the list"), lambda: self._try(lambda: self._session.remove_clip(number)))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(at))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            self._on_error(error)

    # --- dropping: on this panel, clips are added; the window opens them instead ------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._session.collection is None or not dropped_paths(event):
            event.ignore()
            return
        event.acceptProposedAction()
        self.count.setText(tr("Drop to add"))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._tell_count()

    def dropEvent(self, event: QDropEvent) -> None:
        self._tell_count()
        event.acceptProposedAction()
        self.add_paths(dropped_paths(event))
