"""The label set: names, colours and what is to be said about the objects of each label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QColorDialog,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.model.document import COLOURS, Attribute, AttributeKind, AttributeValue, Label
from app.words import mark, tr
from app.work import schema
from app.work.errors import SessionError

NAME, KIND, VALUES, DEFAULT, FRAME = range(5)
TITLES = (mark("Attribute"), mark("Kind"), mark("Values"), mark("Default"), mark("Per frame"))
KINDS = {AttributeKind.TEXT: mark("Text"), AttributeKind.CHOICE: mark("Choice"), AttributeKind.NUMBER: mark("Number"),
         AttributeKind.FLAG: mark("Yes or no")}  # fmt: skip
_OLD = Qt.ItemDataRole.UserRole
_COLOUR = Qt.ItemDataRole.UserRole + 1
_ATTRIBUTES = Qt.ItemDataRole.UserRole + 2


class LabelsDialog(QDialog):
    """``labels`` and ``renamed`` (old names by new) are the answer once it was accepted."""

    def __init__(self, labels: Sequence[Label], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Labels and attributes"))
        self.resize(820, 480)
        self.labels: tuple[Label, ...] = ()
        self.renamed: dict[str, str] = {}
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Labels"))
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.currentItemChanged.connect(self._show)
        self.list.setFixedWidth(240)
        self.table = QTableWidget(0, len(TITLES))
        self.table.setHorizontalHeaderLabels([tr(title) for title in TITLES])
        self.table.setAccessibleName(tr("Attributes of the label"))
        self.table.setTabKeyNavigation(False)  # Tab leaves it, the arrow keys go about in it
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(32)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(FRAME, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(KIND, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(KIND, 128)
        self.note = QLabel(tr("Double-click to rename. Keys 1 to 9 give the first nine labels."))
        self.note.setObjectName("muted")
        self.note.setWordWrap(True)
        self.remove, self.paint_ = QPushButton(tr("Remove")), QPushButton(tr("Colour…"))
        left = _buttons((tr("Add"), self.add_label), (self.paint_, self._colour), (self.remove, self._remove_label))
        right = _buttons((tr("Add attribute"), self.add_attribute), (tr("Remove attribute"), self._remove_attribute))
        lists, tables = QVBoxLayout(), QVBoxLayout()
        lists.addWidget(self.list, 1)
        lists.addLayout(left)
        tables.addWidget(self.table, 1)
        tables.addLayout(right)
        middle = QHBoxLayout()
        middle.setSpacing(theme.GRID * 2)
        middle.addLayout(lists)
        middle.addLayout(tables, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        for title, act in ((tr("Import…"), self._import), (tr("Save as file…"), self._write)):
            button = buttons.addButton(title, QDialogButtonBox.ButtonRole.ActionRole)
            button.setAutoDefault(False)
            button.clicked.connect(act)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.GRID * 2] * 4)
        outer.setSpacing(theme.GRID)
        outer.addLayout(middle, 1)
        outer.addWidget(self.note)
        outer.addWidget(buttons)
        self._fill(labels)

    # --- labels -------------------------------------------------------------------------------------------------

    def _fill(self, labels: Sequence[Label]) -> None:
        self._keep(self.list.currentItem())
        old = {item.text(): item.data(_OLD) for item in self._items()}
        self.list.clear()
        for label in labels:
            self._append(label, old.get(label.name, label.name))
        self.list.setCurrentRow(0)
        self._show(self.list.currentItem(), None)

    def _append(self, label: Label, old: str) -> QListWidgetItem:
        item = QListWidgetItem(_swatch(label.colour), label.name)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setData(_OLD, old)
        item.setData(_COLOUR, label.colour)
        item.setData(_ATTRIBUTES, msgspec.json.encode(label.attributes))
        self.list.addItem(item)
        return item

    def _items(self) -> list[QListWidgetItem]:
        return [item for n in range(self.list.count()) if (item := self.list.item(n)) is not None]

    def add_label(self) -> None:
        """A new label, its name to be typed."""
        taken = {item.text() for item in self._items()}
        number = next(n for n in range(1, len(taken) + 2) if f"label {n}" not in taken)
        used = [item.data(_COLOUR) for item in self._items()]
        item = self._append(Label(tr("label {number}").format(number=number), min(COLOURS, key=used.count)), "")
        self.list.setCurrentItem(item)
        self.list.editItem(item)

    def _remove_label(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            self.list.takeItem(row)

    def _colour(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        chosen = QColorDialog.getColor(QColor(item.data(_COLOUR)), self, tr("Colour of the label"))
        if chosen.isValid():
            item.setData(_COLOUR, chosen.name())
            item.setIcon(_swatch(chosen.name()))

    # --- attributes of the current label ------------------------------------------------------------------------

    def _show(self, item: QListWidgetItem | None, before: QListWidgetItem | None) -> None:
        if before is not None and before in self._items():
            self._keep(before)
        self.table.setRowCount(0)
        self.table.setEnabled(item is not None)
        self.remove.setEnabled(item is not None)
        self.paint_.setEnabled(item is not None)
        if item is not None:
            for attribute in msgspec.json.decode(item.data(_ATTRIBUTES), type=tuple[Attribute, ...]):
                self._row(attribute)

    def add_attribute(self) -> None:
        """A new row, its name to be typed."""
        if self.list.currentItem() is None:
            return
        self._row(Attribute(tr("attribute {number}").format(number=self.table.rowCount() + 1)))
        row = self.table.item(self.table.rowCount() - 1, NAME)
        assert row is not None
        self.table.editItem(row)

    def _remove_attribute(self) -> None:
        if self.table.currentRow() >= 0:
            self.table.removeRow(self.table.currentRow())

    def _row(self, attribute: Attribute) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        values = ", ".join(attribute.values)
        if attribute.kind is AttributeKind.NUMBER and None not in (attribute.lowest, attribute.highest):
            values = tr("{lowest:g} to {highest:g}").format(lowest=attribute.lowest, highest=attribute.highest)
        default = "" if attribute.default is None else str(attribute.default).lower() if isinstance(
            attribute.default, bool) else str(attribute.default)  # fmt: skip
        for column, text in ((NAME, attribute.name), (VALUES, values), (DEFAULT, default)):
            self.table.setItem(row, column, QTableWidgetItem(text))
        kind = QComboBox()
        for value, title in KINDS.items():
            kind.addItem(tr(title), value.value)
        kind.setCurrentIndex(list(KINDS).index(attribute.kind))
        kind.setAccessibleName(tr(TITLES[KIND]))
        self.table.setCellWidget(row, KIND, kind)
        before = self.table.cellWidget(row - 1, FRAME) if row else self.table
        per_frame = QCheckBox()
        per_frame.setAccessibleName(tr(TITLES[FRAME]))
        per_frame.setChecked(attribute.per_frame)
        self.table.setCellWidget(row, FRAME, per_frame)
        for first, second in ((before, kind), (kind, per_frame)):
            self.setTabOrder(first, second)

    def _keep(self, item: QListWidgetItem | None) -> None:
        """Put what the table says into the label; rows that contradict themselves stay in the table and raise."""
        if item is not None:
            item.setData(_ATTRIBUTES, msgspec.json.encode(self._attributes()))

    def _attributes(self) -> tuple[Attribute, ...]:
        return tuple(self._attribute(row) for row in range(self.table.rowCount()))

    def _attribute(self, row: int) -> Attribute:
        name, values, default = (
            (self.table.item(row, c) or QTableWidgetItem()).text() for c in (NAME, VALUES, DEFAULT)
        )
        combo, box = self.table.cellWidget(row, KIND), self.table.cellWidget(row, FRAME)
        assert isinstance(combo, QComboBox)
        assert isinstance(box, QCheckBox)
        return attribute_of(name, AttributeKind(combo.currentData()), values, default, per_frame=box.isChecked())

    # --- the answer ---------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Only a set without contradictions is an answer; the first one is told."""
        try:
            self._keep(self.list.currentItem())
            labels = self._labels()
            names = [label.name for label in labels]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(tr("the label {label!r} is there twice").format(label=twice))
        except ValueError as error:
            self.note.setText(f"<span style='color: {theme.current().tokens.danger}'>{str(error).capitalize()}.</span>")
            return
        self.labels = labels
        self.renamed = {
            item.data(_OLD): item.text() for item in self._items() if item.data(_OLD) not in ("", item.text())
        }
        super().accept()

    def _labels(self) -> tuple[Label, ...]:
        return tuple(
            Label(
                item.text().strip(), item.data(_COLOUR),
                msgspec.json.decode(item.data(_ATTRIBUTES), type=tuple[Attribute, ...]),
            )
            for item in self._items()
        )  # fmt: skip

    def _import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Labels from"), "", tr("Labels and projects (*.json *.siamlabel)")
        )
        if path:
            self.import_file(Path(path))

    def import_file(self, path: Path) -> None:
        """Add the labels of a file; nothing is changed before OK."""
        try:
            self._keep(self.list.currentItem())
            self._fill(schema.merged(self._labels(), schema.read(path)))
        except (SessionError, ValueError) as error:
            self.note.setText(f"<span style='color: {theme.current().tokens.danger}'>{error}</span>")

    def _write(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, tr("Save the label set"), "labels.json", tr("Labels (*.json)"))
        if not path:
            return
        try:
            self._keep(self.list.currentItem())
            schema.write(self._labels(), Path(path))
            self.note.setText(tr("Saved {path}").format(path=path))
        except (SessionError, ValueError) as error:
            self.note.setText(f"<span style='color: {theme.current().tokens.danger}'>{error}</span>")


def attribute_of(name: str, kind: AttributeKind, values: str, default: str, *, per_frame: bool) -> Attribute:
    """An attribute as typed: ``values`` by commas, or ``0 to 9`` for a number. Raises ValueError for nonsense."""
    name, default = name.strip(), default.strip()
    said: AttributeValue | None = None
    low = high = None
    choices: tuple[str, ...] = ()
    try:
        match kind:
            case AttributeKind.FLAG:
                if default and default not in ("true", "false", "yes", "no"):
                    raise ValueError
                said = default in ("true", "yes") if default else None
            case AttributeKind.NUMBER:
                if values.strip():
                    low, high = (float(part) for part in values.split()[::2])  # a word between, "to" in English
                said = float(default) if default else None
            case AttributeKind.CHOICE:
                choices = tuple(dict.fromkeys(part.strip() for part in values.split(",") if part.strip()))
                said = default or None
            case AttributeKind.TEXT:
                said = default or None
    except ValueError:
        said = (
            tr("the attribute {name!r} needs a default of true or false")
            if kind is AttributeKind.FLAG
            else tr("the attribute {name!r} needs values like 0 to 9 and a number")
        )
        raise ValueError(said.format(name=name)) from None
    return Attribute(name, kind, choices, said, per_frame, low, high)


def _buttons(*of: tuple[str | QPushButton, object]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.GRID // 2)
    for title, act in of:
        button = title if isinstance(title, QPushButton) else QPushButton(title)
        button.setAutoDefault(False)
        button.clicked.connect(act)  # type: ignore[arg-type]
        row.addWidget(button)
    row.addStretch(1)
    return row


def _swatch(colour: str) -> QIcon:
    pixmap = QPixmap(16, 16)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
