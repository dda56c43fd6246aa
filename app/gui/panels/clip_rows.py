"""The rows of the list of clips: what each says, and its bar of progress. Made as they are looked at, for thousands."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.gui import theme
from app.model.collection import Clip
from app.session import Session
from app.words import tr, trn

CLIP = Qt.ItemDataRole.UserRole
"""The `Clip` of a row."""
NOTE = Qt.ItemDataRole.UserRole + 1
"""Its second line, and whether that is a warning."""
HERE = Qt.ItemDataRole.UserRole + 2
"""Whether it is the open one."""
BAR = 4
"""Height of the bar of progress in logical pixels."""
Index = QModelIndex | QPersistentModelIndex


class ClipRows(QAbstractListModel):
    """One row a clip, in the order of the collection; a tick leaves through ``set_done(number, done)``."""

    def __init__(self, session: Session, set_done: Callable[[int, bool], None]) -> None:
        super().__init__()
        self._session, self._set_done = session, set_done
        self._clips: tuple[Clip, ...] = ()
        self._live: Clip | None = None
        """The open clip with its figures as they are now."""

    def count(self) -> None:
        """Take the figures of the open clip from its labels, not from its last save."""
        here, lanes = self._session.clip, self._session.lanes
        if here is None:
            return
        labelled, vouched = lanes.coverage()
        clip = msgspec.structs.replace(self._clips[here], labelled=labelled, vouched=vouched, frames=lanes.frames)
        if clip != self._live:
            self._live = clip
            self.touch()

    def refresh(self) -> None:
        """Follow the collection."""
        collection = self._session.collection
        clips = collection.clips if collection is not None else ()
        if [clip.video for clip in clips] == [clip.video for clip in self._clips]:
            self._clips = clips
            if clips:
                self.dataChanged.emit(self.index(0), self.index(len(clips) - 1))
            return
        self.beginResetModel()
        self._clips = clips
        self.endResetModel()

    def touch(self) -> None:
        """The open clip has changed."""
        here = self._session.clip
        if here is not None:
            self.dataChanged.emit(self.index(here), self.index(here))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._clips)

    def flags(self, index: Index) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return usual | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self._clips):
            return None
        clip, session = self._clips[index.row()], self._session
        if self._live is not None and index.row() == session.clip and self._live.video == clip.video:
            live = self._live
            clip = msgspec.structs.replace(clip, labelled=live.labelled, vouched=live.vouched, frames=live.frames)
        if role == Qt.ItemDataRole.DisplayRole:
            unsaved = session.history.dirty if index.row() == session.clip else clip.video in session.unsaved_clips
            return f"{clip.name} *" if unsaved else clip.name
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if clip.done else Qt.CheckState.Unchecked
        if role == CLIP:
            return clip
        if role == NOTE:
            return told(clip, clip.video in session.missing, clip.video in session.failed)
        if role == HERE:
            return index.row() == session.clip
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(clip)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{clip.name}: {self.data(index, NOTE)[0]}"  # type: ignore[index]
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self._set_done(index.row(), Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def _tip(self, clip: Clip) -> str:
        lines = [clip.video]
        if clip.video in self._session.failed:
            lines.append(self._session.failed[clip.video])
        elif clip.frames:
            said = tr("{frames} frames, {labelled} of them labelled; a person vouches for {vouched}")
            lines.append(said.format(frames=clip.frames, labelled=clip.labelled, vouched=clip.vouched))
            lines.append(tr("Figures of clips that are not open are those of the last save"))
        elif clip.truths:
            lines.append(tr("Its labels come in when it is opened"))
        return "\n".join(lines)


def told(clip: Clip, missing: bool, failed: bool) -> tuple[str, bool]:
    """How far a clip is, in one line, by its last save; and whether that is a warning."""
    if missing:
        return tr("missing · double click to locate"), True
    if failed:
        return tr("failed · point here for the reason"), True
    if not clip.frames:
        return tr("not opened yet"), False
    parts = [trn("{count} frame", "{count} frames", clip.frames).format(count=clip.frames)]
    if clip.labelled:
        parts.append(tr("{share:.0%} verified").format(share=clip.share_vouched))
    if clip.suspicious:
        parts.append(tr("{suspicious} suspicious").format(suspicious=clip.suspicious))
    return " · ".join(parts), False


class ClipCells(QStyledItemDelegate):
    """Name and share of labelled frames, a line about it, and the bar: the solid part is what people vouch for."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.text = " "  # type: ignore[attr-defined]  # painted below; a text of some kind keeps the tick at the left

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = option.fontMetrics.height()  # type: ignore[attr-defined]
        return QSize(120, 2 * line + BAR + theme.GRID * 2 - 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        t = theme.current().tokens
        clip: Clip = index.data(CLIP)
        note, warns = index.data(NOTE)
        whole: QRect = option.rect  # type: ignore[attr-defined]
        rect = whole.adjusted(30, theme.GRID // 2, -theme.GRID, -theme.GRID // 2)
        font = QFont(option.font)  # type: ignore[attr-defined]
        metrics = QFontMetrics(font)
        line = metrics.height()
        painter.save()
        share = f"{clip.share:.0%}" if clip.frames else ""
        painter.setFont(font)
        painter.setPen(QColor(t.text if clip.share > 0 else t.muted))
        first = QRect(rect.left(), rect.top(), rect.width(), line)
        painter.drawText(first, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, share)
        first.setRight(first.right() - metrics.horizontalAdvance("100% "))
        font.setBold(bool(index.data(HERE)))
        painter.setFont(font)
        painter.setPen(QColor(t.muted if warns else t.text))
        name = QFontMetrics(font).elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, first.width())
        painter.drawText(first, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        font.setBold(False)
        painter.setFont(font)
        second = QRect(rect.left(), rect.top() + line, rect.width(), line)
        painter.setPen(QColor(t.warning if warns else t.muted))
        text = metrics.elidedText(note, Qt.TextElideMode.ElideRight, second.width())
        painter.drawText(second, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        self._bar(painter, clip, QRectF(rect.left(), rect.bottom() - BAR + 1, rect.width(), BAR))
        painter.restore()

    def _bar(self, painter: QPainter, clip: Clip, room: QRectF) -> None:
        t = theme.current().tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        pale = QColor(t.accent)
        pale.setAlpha(110)
        for share, colour in (
            (1.0, QColor(t.border)),
            (clip.share, pale),
            (clip.share_vouched, QColor(t.accent)),
        ):
            if share > 0:
                painter.setBrush(colour)
                part = QRectF(room.left(), room.top(), max(BAR, room.width() * share), room.height())
                painter.drawRoundedRect(part, BAR / 2, BAR / 2)
