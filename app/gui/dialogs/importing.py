"""What an import will bring, before it changes anything."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.gui.dialogs.form import Form
from app.words import tr, trn
from app.work.incoming import Incoming


class ImportDialog(QDialog):
    """Accepted when the labels are wanted. ``again`` asks to read them another way, and `show_incoming` follows."""

    again = Signal(object)

    def __init__(self, incoming: Incoming, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.incoming = incoming
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Import labels"))
        self.resize(480, 420)
        objects = len(incoming.tracks)
        boxes, masks = sum(one[1] for one in incoming.tracks), sum(one[2] for one in incoming.tracks)
        head = QLabel(tr("<b>{name}</b> ({format}) brings").format(name=incoming.path.name, format=incoming.format))
        self.summary = QLabel(
            tr("{objects}, {boxes}, {masks}").format(
                objects=trn("{count} object", "{count} objects", objects).format(count=objects),
                boxes=trn("{count} box", "{count} boxes", boxes).format(count=boxes),
                masks=trn("{count} mask", "{count} masks", masks).format(count=masks),
            )
        )
        self.summary.setObjectName("value")
        tree = QTreeWidget()
        tree.setAccessibleName(tr("Objects that come in"))
        tree.setHeaderLabels([tr("Object"), tr("Boxes"), tr("Masks")])
        tree.setRootIsDecorated(False)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for name, count, masked in incoming.tracks:
            item = QTreeWidgetItem(tree, [name, str(count), str(masked)])
            for column in (1, 2):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID * 2] * 4)
        column.setSpacing(theme.GRID)
        for widget in (head, self.summary):
            column.addWidget(widget)
        column.addWidget(tree, 1)
        if incoming.how is not None:
            self.form = Form(type(incoming.how), value=incoming.how)
            self.form.changed.connect(self._changed)
            column.addWidget(self.form)
        self._why = _line(incoming.why)
        self._why.setVisible(bool(incoming.why))
        column.addWidget(self._why)
        if incoming.labels:
            column.addWidget(_line(tr("New labels: {labels}").format(labels=", ".join(incoming.labels))))
        for note in incoming.notes:
            line = _line(note)
            line.setStyleSheet(f"color: {theme.current().tokens.warning}")
            column.addWidget(line)
        column.addWidget(
            _line(tr("They come in as new objects beside those that are there. One undo takes them back."))
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._take = take = buttons.addButton(tr("Import"), QDialogButtonBox.ButtonRole.AcceptRole)
        take.setDefault(True)
        take.setEnabled(not incoming.empty)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    def show_incoming(self, incoming: Incoming) -> None:
        """The same labels read another way: they are what will come in. What they bring is as much as before."""
        self.incoming = incoming
        self._take.setEnabled(not incoming.empty)

    def _changed(self) -> None:
        self._why.hide()
        self._take.setEnabled(False)
        how: msgspec.Struct = self.form.value()
        self.again.emit(how)


def _line(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setObjectName("muted")
    return label
