"""The list of objects: colour, label, how much of the clip they cover, shown or hidden."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QLabel,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.model.document import Change, Document
from app.words import tr
from app.work.overview import Lanes

EYE, LABEL, FRAMES, SPAN = range(4)
Index = QModelIndex | QPersistentModelIndex
SetTrack = Callable[..., None]

MEASURED = 40
"""Rows whose text decides how wide a column is; measuring hundreds at every change of the document takes too long."""


class TracksModel(QAbstractTableModel):
    """One row per track, in the document's order. Edits leave through ``set_track(id, label=..., ...)``."""

    def __init__(self, set_track: SetTrack) -> None:
        super().__init__()
        self._doc: Document | None = None
        self._lanes = Lanes()
        self._set_track = set_track
        self._ids: list[int] = []

    def reset(self, doc: Document | None, lanes: Lanes) -> None:
        self.beginResetModel()
        self._doc, self._lanes = doc, lanes
        self._ids = list(doc.tracks) if doc else []
        self.endResetModel()

    def apply(self, doc: Document, change: Change) -> None:
        """Follow a change of the document."""
        if doc is not self._doc or (change.structure and list(doc.tracks) != self._ids):
            self.reset(doc, self._lanes)
            return
        rows = [row for row, number in enumerate(self._ids) if number in change.tracks]
        if rows:  # one range: at each that is told, the table measures its columns anew
            self.dataChanged.emit(self.index(rows[0], EYE), self.index(rows[-1], SPAN))

    def track_at(self, row: int) -> int | None:
        return self._ids[row] if 0 <= row < len(self._ids) else None

    def row_of(self, track: int | None) -> int:
        """-1 when the track is not listed."""
        return self._ids.index(track) if track in self._ids else -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return ("", tr("Label"), tr("Frames"), tr("Span"))[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if section in (FRAMES, SPAN) else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self._doc is None or not index.isValid():
            return None
        number = self._ids[index.row()]
        track = self._doc.tracks[number]
        column = index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            if column == LABEL:
                return track.label
            lane = self._lanes.lanes.get(number)
            if lane is None or column == EYE:
                return None
            present, first, last = lane.summary()
            if column == FRAMES:
                return str(present)
            return "–" if last < 0 else f"{first}–{last}"
        if role == Qt.ItemDataRole.UserRole:
            return track.visible if column == EYE else track.colour
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (FRAMES, SPAN):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and (column in (FRAMES, SPAN) or not track.visible):
            return QColor(theme.current().tokens.muted)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(number, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == EYE:
            return tr("shown") if track.visible else tr("hidden")
        return None

    def _tip(self, number: int, column: int) -> str:
        assert self._doc is not None
        track = self._doc.tracks[number]
        if column == EYE:
            return tr("Hide this object") if track.visible else tr("Show this object")
        if column == LABEL:
            return tr("Object {number}: double-click to rename, right-click for its colour").format(number=number)
        lane = self._lanes.lanes.get(number)
        present, first, last = lane.summary() if lane else (0, 0, -1)
        if last < 0:
            return tr("No frames yet")
        length = last - first + 1
        return tr("Present on {present} of the {length} frames from {first} to {last} ({share:.0%})").format(
            present=present, length=length, first=first, last=last, share=present / length
        )

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        number = self._ids[index.row()]
        if index.column() == LABEL and role == Qt.ItemDataRole.EditRole:
            name = str(value).strip()
            if name and self._doc is not None and name != self._doc.tracks[number].label:
                self._set_track(number, label=name)
                return True
        return False

    def toggle(self, index: Index) -> None:
        """Show or hide the track of a row."""
        assert self._doc is not None
        number = self._ids[index.row()]
        self._set_track(number, visible=not self._doc.tracks[number].visible)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == LABEL else flags


class _Cells(QStyledItemDelegate):
    """The eye as an icon, the colour as a rounded swatch before the label."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index.column() not in (EYE, LABEL):
            super().paint(painter, option, index)
            return
        bare = QStyleOptionViewItem(option)
        self.initStyleOption(bare, index)
        rect = QRectF(bare.rect)  # type: ignore[attr-defined]
        if index.column() == EYE:
            super().paint(painter, option, index)
            shown = bool(index.data(Qt.ItemDataRole.UserRole))
            t = theme.current().tokens
            image = theme.icon("eye" if shown else "eye-off", t.text if shown else t.muted)
            image.paint(painter, int(rect.center().x() - 8), int(rect.center().y() - 8), 16, 16)
            return
        shifted = QStyleOptionViewItem(option)
        shifted.rect = option.rect.adjusted(18, 0, 0, 0)  # type: ignore[attr-defined]
        fill = QStyleOptionViewItem(option)
        self.initStyleOption(fill, index)
        fill.text = ""  # type: ignore[attr-defined]
        widget = option.widget  # type: ignore[attr-defined]
        widget.style().drawControl(widget.style().ControlElement.CE_ItemViewItem, fill, painter, widget)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(str(index.data(Qt.ItemDataRole.UserRole))))
        painter.drawRoundedRect(QRectF(rect.left() + 4, rect.center().y() - 6, 12, 12), 3, 3)
        super().paint(painter, shifted, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(20, 0, 0, 0))  # type: ignore[attr-defined]


class TracksPanel(QWidget):
    """The table with its heading; an empty list says how to begin."""

    picked = Signal(int)
    """One object was chosen."""
    chosen = Signal(tuple)
    """Several were, or one was taken out: all that are chosen now."""

    def __init__(self, set_track: SetTrack) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._set_track = set_track
        self.model = TracksModel(set_track)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setItemDelegate(_Cells(self.table))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.table.setShowGrid(False)
        self.table.setIconSize(QSize(16, 16))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(28)
        self.table.setAccessibleName(tr("Objects"))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(LABEL, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(EYE, QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(32)
        header.setResizeContentsPrecision(MEASURED)
        header.resizeSection(EYE, 32)
        self._open = False
        self._hint = QLabel(tr("No video is open."), self.table.viewport())
        self._hint.setObjectName("muted")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inner = QVBoxLayout(self.table.viewport())
        inner.setContentsMargins(theme.GRID * 2, 0, theme.GRID * 2, 0)
        inner.addWidget(self._hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID * 1, theme.GRID, theme.GRID, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addWidget(self.table, 1)
        self.table.clicked.connect(self._clicked)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._rows_changed())
        self.table.customContextMenuRequested.connect(self._menu)
        self.model.modelReset.connect(self._show_hint)
        theme.current().changed.connect(self.table.viewport().update)
        self._quiet = False
        self._selected: tuple[int, ...] = ()

    def reset(self, doc: Document | None, lanes: Lanes) -> None:
        """Another document with its lanes; None for none."""
        self._open = doc is not None
        self.model.reset(doc, lanes)
        self.select(*self._selected)

    def apply(self, doc: Document, change: Change) -> None:
        """Follow a change of the document; the lanes have followed it already."""
        self.model.apply(doc, change)
        self.select(*self._selected)

    def select(self, *tracks: int) -> None:
        """Show which objects are selected, without telling anyone."""
        self._selected = tuple(sorted(tracks))
        rows = {row for track in tracks if (row := self.model.row_of(track)) >= 0}
        if rows == self._rows():
            return
        self._quiet = True
        wanted = QItemSelection()
        for row in rows:
            wanted.select(self.model.index(row, EYE), self.model.index(row, SPAN))
        current = self.model.index(min(rows), LABEL) if rows else QModelIndex()
        chooser = self.table.selectionModel()
        chooser.setCurrentIndex(current, QItemSelectionModel.SelectionFlag.NoUpdate)
        chooser.select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if rows:
            self.table.scrollTo(current)
        self._quiet = False

    def _rows(self) -> set[int]:
        return {index.row() for index in self.table.selectionModel().selectedRows()}

    def _clicked(self, index: QModelIndex) -> None:
        if index.column() == EYE:
            self.model.toggle(index)

    def _rows_changed(self) -> None:
        if self._quiet:
            return
        tracks = tuple(track for row in sorted(self._rows()) if (track := self.model.track_at(row)) is not None)
        if len(tracks) == 1:
            self.picked.emit(tracks[0])
        elif tracks:
            self.chosen.emit(tracks)

    def _show_hint(self) -> None:
        empty = self.model.rowCount() == 0
        self._hint.setVisible(empty)
        self._hint.setText(
            tr("Press N, then drag a box around the first object.") if self._open else tr("No video is open.")
        )

    def _menu(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        track = self.model.track_at(index.row())
        if track is None:
            return
        menu = QMenu(self)
        menu.addAction(tr("Rename…"), lambda: self.table.edit(self.model.index(index.row(), LABEL)))
        colour = str(self.model.index(index.row(), LABEL).data(Qt.ItemDataRole.UserRole))
        menu.addAction(tr("Colour…"), lambda: self._ask_colour(track, colour))
        menu.addAction(tr("Show or hide"), lambda: self.model.toggle(index))
        menu.exec(self.table.viewport().mapToGlobal(at))

    def _ask_colour(self, track: int, colour: str) -> None:
        chosen = QColorDialog.getColor(QColor(colour), self, tr("Colour of the object"))
        if chosen.isValid():
            self._set_track(track, colour=chosen.name())
