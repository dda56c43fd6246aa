"""The sheet of keys: all commands by group, searchable, each key to be changed here."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.commands import BY_ID, COMMANDS
from app.commands.keymap import Keymap
from app.commands.table import WINDOW
from app.gui import theme
from app.gui.actions import name_of, native
from app.gui.dialogs.palette import match
from app.words import mark, tr

MOUSE = (
    (mark("Wheel"), mark("Zoom at the cursor")),
    (mark("Drag a box or handle"), mark("Correct it")),
    (mark("Drag empty ground"), mark("Pan; with the middle button anywhere")),
    (mark("Right click"), mark("What can be done here")),
    (mark("Drag on the timeline"), mark("Scrub; the wheel zooms, Shift with the wheel pans")),
)
_ID = Qt.ItemDataRole.UserRole


class KeysDialog(QDialog):
    """``keymap`` is what is in force; `changed` tells of another one as soon as the user made it."""

    changed = Signal(object)

    def __init__(self, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keymap = keymap
        self.setWindowTitle(tr("Keys"))
        self.resize(680, 640)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find a command or a key"))
        self.search.setAccessibleName(tr("Find a command or a key"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(tr("Commands and their keys"))
        self.tree.setHeaderLabels([tr("Command"), tr("Keys")])
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(theme.GRID * 2)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.currentItemChanged.connect(lambda item, _: self._show(item))
        self._items: dict[str, QTreeWidgetItem] = {}
        self._fill()
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName(tr("New key"))
        for field in self.edit.findChildren(QLineEdit):
            field.setAccessibleName(self.edit.accessibleName())  # it has the focus
        self.edit.editingFinished.connect(self._typed)
        self.add = QPushButton(tr("Add key"))
        self.clear = QPushButton(tr("No key"))
        self.restore = QPushButton(tr("Restore"))
        self.restore.setToolTip(tr("The keys that this command has of old"))
        for button, act in ((self.add, self._add), (self.clear, self._clear), (self.restore, self._restore)):
            button.setAutoDefault(False)
            button.clicked.connect(act)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setMinimumHeight(self.note.fontMetrics().height() * 2)
        row = QHBoxLayout()
        row.setSpacing(theme.GRID)
        row.addWidget(QLabel(tr("Press a key")))
        row.addWidget(self.edit, 1)
        for button in (self.add, self.clear, self.restore):
            row.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.restore_all = buttons.addButton(tr("Restore all"), QDialogButtonBox.ButtonRole.ResetRole)
        self.restore_all.clicked.connect(lambda: self._take(Keymap(COMMANDS, {})))
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.GRID * 2] * 4)
        outer.setSpacing(theme.GRID)
        outer.addWidget(self.search)
        outer.addWidget(self.tree, 1)
        outer.addLayout(row)
        outer.addWidget(self.note)
        outer.addWidget(buttons)
        self._refresh()
        self._show(None)

    # --- the list -----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        groups: dict[str, QTreeWidgetItem] = {}
        for command in COMMANDS:
            if command.group not in groups:
                groups[command.group] = self._group(tr(command.group))
            item = QTreeWidgetItem(groups[command.group], [name_of(command), ""])
            item.setToolTip(0, tr(command.hint))
            item.setData(0, _ID, command.id)
            self._items[command.id] = item
        mouse = self._group(tr("Mouse"))
        for what, meaning in MOUSE:
            item = QTreeWidgetItem(mouse, [tr(meaning), tr(what)])
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.tree.expandAll()

    def _group(self, title: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self.tree, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        return group

    def _refresh(self) -> None:
        clashing = {id_ for conflict in self.keymap.conflicts() for id_ in conflict.commands}
        tokens = theme.current().tokens
        for id_, item in self._items.items():
            item.setText(1, "   ".join(native(key) for key in self.keymap.keys(id_)))
            font = item.font(1)
            font.setBold(self.keymap.is_changed(id_))
            item.setFont(1, font)
            item.setForeground(1, theme.colour(tokens.danger if id_ in clashing else tokens.text))

    def _filter(self, text: str) -> None:
        for id_, item in self._items.items():
            keys = item.text(1).casefold().split()
            seen = match(text, BY_ID[id_]) is not None or (bool(text) and text.casefold() in keys)
            item.setHidden(not seen)
        for n in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(n)
            assert group is not None
            rows = [row for k in range(group.childCount()) if (row := group.child(k)) is not None]
            group.setHidden(bool(text) and all(row.isHidden() for row in rows))

    # --- one command --------------------------------------------------------------------------------------------

    @property
    def _current(self) -> str | None:
        item = self.tree.currentItem()
        return item.data(0, _ID) if item is not None else None

    @property
    def _wanted(self) -> str:
        return self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _show(self, item: QTreeWidgetItem | None) -> None:
        chosen = self._current
        self.edit.clear()
        self.edit.setEnabled(chosen is not None)
        self.add.setEnabled(False)
        self.clear.setEnabled(chosen is not None and bool(self.keymap.keys(chosen)))
        self.restore.setEnabled(chosen is not None and self.keymap.is_changed(chosen))
        self.restore_all.setEnabled(bool(self.keymap.changed()))
        self.note.setText(tr("Choose a command to change its keys.") if chosen is None else tr(BY_ID[chosen].hint))

    def _typed(self) -> None:
        """Say who has the key already, before it is taken."""
        chosen, key = self._current, self._wanted
        self.add.setEnabled(chosen is not None and bool(key))
        if chosen is None or not key:
            return
        others = [id_ for id_ in self.keymap.users(key, BY_ID[chosen].scope) if id_ != chosen]
        self.add.setText(tr("Take key") if others else tr("Add key"))
        if others:
            names = ", ".join(f"“{name_of(BY_ID[id_])}”" for id_ in others)
            self.note.setText(
                tr("{key} belongs to {names}. Taking it leaves that command without this key.").format(
                    key=native(key), names=names
                )
            )
        elif BY_ID[chosen].scope == WINDOW:
            self.note.setText(tr("{key} is free.").format(key=native(key)))
        else:
            self.note.setText(tr("{key} is free while this tool is in hand.").format(key=native(key)))

    def _add(self) -> None:
        chosen, key = self._current, self._wanted
        if chosen is None or not key:
            return
        keymap = self.keymap
        for other in keymap.users(key, BY_ID[chosen].scope):
            if other != chosen:
                keymap = keymap.with_keys(other, [k for k in keymap.keys(other) if native(k) != native(key)])
        self._take(keymap.with_keys(chosen, [*keymap.keys(chosen), key]))

    def _clear(self) -> None:
        if self._current is not None:
            self._take(self.keymap.with_keys(self._current, ()))

    def _restore(self) -> None:
        """The command's own keys; those that another command took meanwhile come back from there."""
        chosen = self._current
        if chosen is None:
            return
        keymap = self.keymap
        own = {native(key) for key in BY_ID[chosen].keys}
        for key in BY_ID[chosen].keys:
            for other in keymap.users(key, BY_ID[chosen].scope):
                if other != chosen:
                    keymap = keymap.with_keys(other, [k for k in keymap.keys(other) if native(k) not in own])
        self._take(keymap.with_keys(chosen, None))

    def _take(self, keymap: Keymap) -> None:
        self.keymap = keymap
        self._refresh()
        self._show(self.tree.currentItem())
        self.changed.emit(keymap)
