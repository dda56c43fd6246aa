"""Comments for the review: a list in the order of the frames; a click goes there, a tick settles one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.session import Session
from app.words import tr

_ID = Qt.ItemDataRole.UserRole


class CommentsPanel(QWidget):
    """``action(id)`` gives the actions of the command table."""

    counted = Signal(int)
    """How many are not settled."""

    def __init__(
        self, session: Session, action: Callable[[str], QAction], on_error: Callable[[Exception], None]
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._on_error = on_error
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setAccessibleName(tr("Comments"))
        self.list.itemClicked.connect(lambda item: self._try(lambda: session.go_to_comment(item.data(_ID))))
        self.list.itemChanged.connect(self._changed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self._hint = QLabel(tr("Press C to leave a remark on a frame."), self.list.viewport())
        self._hint.setObjectName("muted")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        inner = QVBoxLayout(self.list.viewport())
        inner.addWidget(self._hint)
        self.count = QLabel()
        self.count.setObjectName("muted")
        add = QToolButton()
        add.setDefaultAction(action("label.comment"))
        add.setAutoRaise(True)
        head = QHBoxLayout()
        head.addWidget(self.count, 1)
        head.addWidget(add)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        session.events.opened.connect(self.refresh)
        session.events.document.connect(lambda change: self.refresh() if change.comments else None)
        self.refresh()

    def refresh(self) -> None:
        """Make the list anew."""
        doc = self._session.document
        said = sorted(doc.comments.values(), key=lambda one: (one.frame, one.id))
        with QSignalBlocker(self.list):
            self.list.clear()
            for one in said:
                track = doc.tracks.get(one.track) if one.track is not None else None
                about = f"{track.label} {track.id}" if track is not None else tr("picture")
                item = QListWidgetItem(
                    tr("{text}\nframe {frame} · {about}").format(text=one.text, frame=one.frame, about=about)
                )
                item.setData(_ID, one.id)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if one.resolved else Qt.CheckState.Unchecked)
                if one.resolved:
                    item.setForeground(theme.colour(theme.current().tokens.muted))
                self.list.addItem(item)
        open_ones = sum(not one.resolved for one in said)
        self.count.setText(
            tr("{open_ones} open, {count} settled").format(open_ones=open_ones, count=len(said) - open_ones)
            if said
            else ""
        )
        self._hint.setVisible(not said)
        self.counted.emit(open_ones)

    def _changed(self, item: QListWidgetItem) -> None:
        settled = item.checkState() is Qt.CheckState.Checked
        self._try(lambda: self._session.change_comment(item.data(_ID), resolved=settled))

    def _menu(self, at: QPoint) -> None:
        item = self.list.itemAt(at)
        if item is None:
            return
        id_ = item.data(_ID)
        menu = QMenu(self)
        menu.addAction(tr("Go there"), lambda: self._try(lambda: self._session.go_to_comment(id_)))
        menu.addAction(tr("Delete"), lambda: self._try(lambda: self._session.delete_comment(id_)))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(at))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            self._on_error(error)
