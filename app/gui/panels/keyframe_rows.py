"""The rows of the keyframes' list: the model that follows the document, and how one row is painted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPixmap
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.gui import theme
from app.gui.panels.thumbs import THUMB_H, THUMB_W, paint_ground, paint_picture
from app.model.tracks import Observation, Source, State, Track
from app.words import mark, tr

FRAME = Qt.ItemDataRole.UserRole
MANY = 64
"""Rows that come and go one by one; when there are more, the list is made anew."""
ROW_W, ROW_H = THUMB_W * 5 // 8, THUMB_H * 5 // 8
SOURCES = {
    Source.MANUAL: mark("by hand"),
    Source.TRACKER: mark("tracker"),
    Source.INTERPOLATED: mark("interpolated"),
    Source.IMPORTED: mark("imported"),
}
STATES = {
    State.VISIBLE: "",
    State.OCCLUDED: mark("occluded"),
    State.OUT_OF_VIEW: mark("out of view"),
    State.LOST: mark("lost"),
}
Index = QModelIndex | QPersistentModelIndex


def in_words(seen: Observation) -> str:
    """Source, state and whether somebody verified it, in one line."""
    parts = (tr(SOURCES[seen.source]), tr(STATES[seen.state]), tr("verified") if seen.verified else "")
    return " · ".join(part for part in parts if part)


class KeyframesModel(QAbstractListModel):
    """One row per frame that a person vouches for, ascending."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[int] = []
        self._track: Track | None = None
        self.here = -1

    def show(self, track: Track | None, frames: np.ndarray) -> None:
        """Another object; ``frames`` (n,) ascending."""
        self.beginResetModel()
        self._track, self.frames = track, frames.tolist() if track is not None else []
        self.endResetModel()

    def follow(self, track: Track | None, frames: np.ndarray, touched: Collection[int]) -> None:
        """The same object after a change of the frames ``touched``: rows stay where they are as far as they can."""
        if track is None:
            self.show(None, frames)
            return
        self._track = track
        old = np.asarray(self.frames, frames.dtype)
        gone, new = np.setdiff1d(old, frames, True), np.setdiff1d(frames, old, True)
        if len(gone) + len(new) > MANY:
            self.show(track, frames)
            return
        for frame in gone.tolist():
            at = bisect_left(self.frames, frame)
            self.beginRemoveRows(QModelIndex(), at, at)
            del self.frames[at]
            self.endRemoveRows()
        for frame in new.tolist():
            at = bisect_left(self.frames, frame)
            self.beginInsertRows(QModelIndex(), at, at)
            self.frames.insert(at, frame)
            self.endInsertRows()
        if len(touched) <= MANY:
            for frame in touched:
                self._repaint(bisect_left(self.frames, frame))
        elif self.frames:
            self.dataChanged.emit(self.index(0), self.index(len(self.frames) - 1))

    def set_here(self, frame: int) -> int | None:
        """Where the picture is; answers with its row, None between two."""
        if frame != self.here:
            for row in (bisect_left(self.frames, self.here), bisect_left(self.frames, frame)):
                self._repaint(row - 1)
                self._repaint(row)
            self.here = frame
        at = bisect_left(self.frames, frame)
        return at if at < len(self.frames) and self.frames[at] == frame else None

    def _repaint(self, row: int) -> None:
        if 0 <= row < len(self.frames):
            self.dataChanged.emit(self.index(row), self.index(row))

    def between(self, row: int) -> bool:
        """Whether the picture is between this row and the next one."""
        after = self.frames[row + 1] if row + 1 < len(self.frames) else None
        return self.frames[row] < self.here and (after is None or self.here < after)

    def seen(self, row: int) -> Observation | None:
        return None if self._track is None else self._track.at(self.frames[row])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.frames)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = index.row()
        if not 0 <= row < len(self.frames):
            return None
        if role == FRAME:
            return self.frames[row]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            seen = self.seen(row)
            frame = tr("frame {frame}").format(frame=self.frames[row])
            return f"{frame}, {in_words(seen)}" if seen is not None else None
        return None


class KeyframeRow(QStyledItemDelegate):
    """Picture, frame, what it is; the one on show has a bar at its left, a line says between which two one is."""

    def __init__(self, picture: Callable[[int], QPixmap | None], parent: QWidget) -> None:
        super().__init__(parent)
        self._of = picture

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, ROW_H + theme.GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = theme.current().tokens
        model = index.model()
        assert isinstance(model, KeyframesModel)
        frame, seen = model.frames[index.row()], model.seen(index.row())
        if seen is None:
            return
        rect: QRect = option.rect  # type: ignore[attr-defined]
        painter.save()
        paint_ground(painter, option)
        if frame == model.here:
            painter.fillRect(rect.x(), rect.y(), 3, rect.height(), QColor(tokens.accent))
        elif model.between(index.row()):
            painter.fillRect(rect.x(), rect.bottom() - 1, rect.width(), 2, QColor(tokens.accent))
        room = QRectF(rect.x() + 8, rect.y() + 4, ROW_W, ROW_H)
        paint_picture(painter, room, self._of(frame))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        left = room.right() + 8
        painter.setPen(QColor(tokens.accent if frame == model.here else tokens.text))
        painter.setFont(theme.fixed_font(12, bold=True))
        number = max(QFontMetricsF(painter.font()).horizontalAdvance("0" * len(str(model.frames[-1]))), 16.0)
        painter.drawText(QRectF(left, rect.y(), number, rect.height()), middle, str(frame))
        painter.setFont(theme.fixed_font(12))
        painter.setPen(QColor(tokens.muted))
        text = QRectF(left + number + 12, rect.y(), rect.right() - left - number - 36, rect.height())
        shown = painter.fontMetrics().elidedText(in_words(seen), Qt.TextElideMode.ElideRight, int(text.width()))
        painter.drawText(text, middle, shown)
        icon = "verified" if seen.verified else "keyframe" if seen.keyframe else None
        if icon is not None:
            tint = tokens.good if seen.verified else tokens.muted
            theme.icon(icon, tint).paint(painter, rect.right() - 22, rect.y() + (rect.height() - 16) // 2, 16, 16)
        painter.restore()
