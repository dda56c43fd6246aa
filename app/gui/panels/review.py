"""The review: suspicious places, the worst first, each with a picture; a click goes there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QColor, QPainter, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.gui.panels.thumbs import THUMB_H, THUMB_W, Thumbs, paint_ground, paint_picture
from app.model.document import Document
from app.session import Session
from app.words import tr, trn
from app.work.overview import Stretch, doubt
from app.work.thumbnails import Wish

SOON = 200
"""Milliseconds that changes are gathered for before the list is made anew."""
STRETCH = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class ReviewModel(QAbstractListModel):
    """One row per stretch. The data are texts for readers of screens, the delegate paints the same."""

    def __init__(self) -> None:
        super().__init__()
        self._doc = Document()
        self._rows: list[Stretch] = []

    def show(self, doc: Document, rows: list[Stretch]) -> None:
        if doc is self._doc and rows == self._rows:
            return
        self.beginResetModel()
        self._doc, self._rows = doc, rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self._rows):
            return None
        stretch = self._rows[index.row()]
        if role == STRETCH:
            return stretch
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return ", ".join(self.words(stretch))
        return None

    def words(self, stretch: Stretch) -> tuple[str, str, str]:
        """Object, frames, reason."""
        track = self._doc.tracks.get(stretch.track)
        seen = None if track is None else track.at(stretch.worst)
        name = f"{track.label} {track.id}" if track is not None else ""
        last = stretch.stop - 1
        frames = (
            tr("frame {start}").format(start=stretch.start)
            if stretch.start == last
            else tr("frames {start} to {last}").format(start=stretch.start, last=last)
        )
        return name, frames, doubt(seen)[1] if seen is not None else ""

    def colour(self, stretch: Stretch) -> str:
        track = self._doc.tracks.get(stretch.track)
        return track.colour if track is not None else "#808080"


class ReviewPanel(QWidget):
    """``action(id)`` gives the actions of the command table."""

    counted = Signal(int)
    """How many places are left."""

    def __init__(self, session: Session, action: Callable[[str], QAction], thumbs: Thumbs) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._thumbs = thumbs
        self.model = ReviewModel()
        self.count = QLabel()
        self.count.setObjectName("muted")
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.count, 1)
        for name in ("review.previous", "review.next", "review.verify", "review.verify_stretch"):
            button = QToolButton()
            button.setDefaultAction(action(name))
            button.setIconSize(QSize(16, 16))
            button.setAutoRaise(True)
            head.addWidget(button)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Row(self._picture, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(tr("Suspicious places, the worst first"))
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.clicked.connect(self._go)
        self.list.activated.connect(self._go)
        self._hint = QLabel(self.list.viewport())
        self._hint.setObjectName("muted")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inner = QVBoxLayout(self.list.viewport())
        inner.setContentsMargins(theme.GRID * 2, 0, theme.GRID * 2, 0)
        inner.addWidget(self._hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self.refresh)
        events = session.events
        events.opened.connect(self.refresh)
        thumbs.arrived.connect(self.list.viewport().update)
        events.document.connect(lambda _: self._later())
        self.refresh()

    def refresh(self) -> None:
        """Make the list anew."""
        session = self._session
        rows = session.triage.worst_first()
        self.model.show(session.document, rows)
        places, frames = session.triage.left()
        self.count.setText(
            tr("{frames} in {places}").format(
                frames=trn("{count} frame", "{count} frames", frames).format(count=frames),
                places=trn("{count} place", "{count} places", places).format(count=places),
            )
            if places
            else ""
        )
        self._hint.setVisible(not rows)
        if not session.is_open:
            self._hint.setText(tr("No video is open."))
        elif any(track.frames for track in session.document.tracks.values()):
            self._hint.setText(tr("Nothing suspicious is left. Export the labels with Ctrl+E."))
        else:
            self._hint.setText(tr("What the tracker is not sure of will be listed here, the worst first."))
        self.counted.emit(places)

    def _later(self) -> None:
        if not self._soon.isActive():  # a run changes the document all the time; the list must not wait for its end
            self._soon.start()

    def _go(self, index: QModelIndex) -> None:
        stretch = index.data(STRETCH)
        if stretch is not None:
            self._session.set_playing(False)
            self._session.select(stretch.track)
            self._session.seek(stretch.worst)

    def _picture(self, stretch: Stretch) -> QPixmap | None:
        """The picture of a place; asked for when it is first painted."""
        track = self._session.document.tracks.get(stretch.track)
        seen = None if track is None else track.at(stretch.worst)
        return self._thumbs.of(Wish(stretch.track, stretch.worst, None if seen is None else seen.box))


class _Row(QStyledItemDelegate):
    """Picture, name, frames and reason, and a bar that says how bad it is."""

    def __init__(self, picture: Callable[[Stretch], QPixmap | None], parent: QListView) -> None:
        super().__init__(parent)
        self._of = picture

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, THUMB_H + theme.GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = theme.current().tokens
        stretch: Stretch = index.data(STRETCH)
        model = index.model()
        assert isinstance(model, ReviewModel)
        rect: QRect = option.rect  # type: ignore[attr-defined]
        painter.save()
        paint_ground(painter, option)
        room = QRectF(rect.x() + 4, rect.y() + 4, THUMB_W, THUMB_H)
        paint_picture(painter, room, self._of(stretch))
        bad = stretch.doubt / 255
        painter.fillRect(
            QRectF(room.left(), room.bottom() - 3, room.width() * bad, 3),
            QColor(tokens.danger if bad > 0.9 else tokens.warning),
        )
        name, frames, why = model.words(stretch)
        text = QRectF(room.right() + 8, room.top(), rect.right() - room.right() - 12, room.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(model.colour(stretch)))
        painter.drawRoundedRect(QRectF(text.left(), text.top() + 4, 10, 10), 3, 3)
        line = painter.fontMetrics().height()
        painter.setPen(QColor(tokens.text))
        _line(painter, text.adjusted(16, 0, 0, 0), 0, line, name)
        painter.setPen(QColor(tokens.muted))
        painter.setFont(theme.fixed_font(12))
        _line(painter, text, 1, line, frames)
        _line(painter, text, 2, line, why)
        painter.restore()


def _line(painter: QPainter, room: QRectF, number: int, height: int, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(QRectF(room.left(), room.top() + number * height, room.width(), height), shown)
