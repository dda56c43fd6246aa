"""The clips of a collection: how far each one is; a double click goes there, a tick says that it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.model.collection import Clip
from app.session import Session
from app.words import tr

_NUMBER = Qt.ItemDataRole.UserRole
_SHARE = Qt.ItemDataRole.UserRole + 1
BAR = 3
"""Height of the bar of progress."""


class ClipsPanel(QWidget):
    """``action(id)`` gives the actions of the command table; ``ask()`` which videos to add."""

    def __init__(
        self,
        session: Session,
        action: Callable[[str], QAction],
        ask: Callable[[], list[Path]],
        on_error: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._ask, self._on_error = session, ask, on_error
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Clips"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Bar(self.list))
        self.list.itemActivated.connect(lambda item: self._try(lambda: session.go_to_clip(item.data(_NUMBER))))
        self.list.itemChanged.connect(self._ticked)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.hint = QLabel(
            tr("Several videos to label?\nFile, Open a folder of videos,\nor drop the videos on the window."),
            self.list.viewport(),
        )
        self.hint.setObjectName("muted")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        QVBoxLayout(self.list.viewport()).addWidget(self.hint)
        self.count = QLabel()
        self.count.setObjectName("muted")
        self.add = QToolButton()
        self.add.setText(tr("Add…"))
        self.add.setToolTip(tr("Add videos to the collection"))
        self.add.setAutoRaise(True)
        self.add.clicked.connect(self._add)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.count, 1)
        head.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        for event in (session.events.clips, session.events.opened):
            event.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Make the list anew."""
        collection, here = self._session.collection, self._session.clip
        clips = collection.clips if collection is not None else ()
        unsaved = self._session.unsaved_clips
        with QSignalBlocker(self.list):
            self.list.clear()
            for number, clip in enumerate(clips):
                missing = clip.video in self._session.missing
                item = QListWidgetItem(f"{clip.name}{' *' if clip.video in unsaved else ''}\n{told(clip, missing)}")
                item.setData(_NUMBER, number)
                item.setData(_SHARE, clip.share)
                item.setToolTip(
                    tr("{video}\n{share:.0%} of the frames are labelled, {verified} verified").format(
                        video=clip.video, share=clip.share, verified=clip.verified
                    )
                )
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if clip.done else Qt.CheckState.Unchecked)
                if missing:
                    item.setForeground(theme.colour(theme.current().tokens.muted))
                if number == here:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
                self.list.addItem(item)
            if here is not None:
                self.list.setCurrentRow(here)
        done = sum(clip.done for clip in clips)
        self.count.setText(
            tr("{done} of {count} done").format(done=done, count=len(clips)) if collection is not None else ""
        )
        self.add.setVisible(collection is not None)
        self.hint.setVisible(not clips)

    def _ticked(self, item: QListWidgetItem) -> None:
        done = item.checkState() is Qt.CheckState.Checked
        number = item.data(_NUMBER)
        self._try(lambda: self._session.set_clip_done(number, done))

    def _add(self) -> None:
        chosen = self._ask()
        if chosen:
            self._try(lambda: self._session.add_clips(chosen))

    def _menu(self, at: QPoint) -> None:
        item, collection = self.list.itemAt(at), self._session.collection
        if item is None or collection is None:
            return
        number = item.data(_NUMBER)
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


def told(clip: Clip, missing: bool) -> str:
    """How far a clip is, in one line; figures are those of its last save."""
    if missing:
        return tr("missing · double click to locate")
    parts = [tr("{frames} frames").format(frames=clip.frames)] if clip.frames else [tr("not opened yet")]
    if clip.objects:
        parts.append(f"{clip.share:.0%}")
    if clip.suspicious:
        parts.append(tr("{suspicious} suspicious").format(suspicious=clip.suspicious))
    return " · ".join(parts)


class _Bar(QStyledItemDelegate):
    """Two lines of text and, below them, the share of frames that are labelled."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), size.height() + BAR + 5)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        rect: QRect = option.rect  # type: ignore[attr-defined]
        tokens = theme.current().tokens
        bar = QRectF(rect.left() + 28, rect.bottom() - BAR - 2, rect.width() - 36, BAR)
        painter.fillRect(bar, theme.colour(tokens.border))
        bar.setWidth(bar.width() * float(index.data(_SHARE) or 0.0))
        painter.fillRect(bar, theme.colour(tokens.accent))
