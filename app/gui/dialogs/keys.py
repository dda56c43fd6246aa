"""The sheet of keys, from the command table."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.commands import COMMANDS, Command
from app.gui import theme
from app.gui.actions import native

MOUSE = (
    ("Wheel", "Zoom at the cursor"),
    ("Drag", "A box or handle: correct it"),
    ("", "Empty ground: pan"),
    ("Middle drag", "Pan, whatever is below"),
    ("Timeline", "Drag scrubs, the wheel zooms,"),
    ("", "Shift with the wheel pans"),
)


class KeysDialog(QDialog):
    """All commands and their keys by group, and what the mouse does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        groups: dict[str, list[Command]] = {}
        for command in COMMANDS:
            if command.keys:
                groups.setdefault(command.group, []).append(command)
        columns = QHBoxLayout()
        columns.setSpacing(theme.GRID * 5)
        left, right = QVBoxLayout(), QVBoxLayout()
        heights = [0, 0]
        for name, commands in groups.items():
            side = 0 if heights[0] <= heights[1] else 1
            heights[side] += len(commands) + 2
            (left, right)[side].addWidget(_block(name, ((_keys(c), c.title.removesuffix("…")) for c in commands)))
        (left, right)[0 if heights[0] <= heights[1] else 1].addWidget(_block("Mouse", MOUSE))
        for column in (left, right):
            column.setSpacing(theme.GRID * 2)
            column.addStretch(1)
            columns.addLayout(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.GRID * 3] * 4)
        outer.setSpacing(theme.GRID * 2)
        outer.addLayout(columns)
        outer.addWidget(buttons)


def _keys(command: Command) -> str:
    t = theme.current().tokens
    style = f"background-color: {t.raised}; color: {t.text};"
    return " &nbsp;".join(f'<span style="{style}">&nbsp;{native(key)}&nbsp;</span>' for key in command.keys)


def _block(title: str, rows: Iterable[tuple[str, str]]) -> QWidget:
    block = QFrame()
    grid = QGridLayout(block)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(theme.GRID * 2)
    grid.setVerticalSpacing(theme.GRID // 2)
    grid.setColumnStretch(1, 1)
    heading = QLabel(title)
    heading.setObjectName("heading")
    grid.addWidget(heading, 0, 0, 1, 2)
    for n, (keys, what) in enumerate(rows, 1):
        key = QLabel(keys)
        key.setTextFormat(Qt.TextFormat.AutoText)
        key.setMinimumWidth(144)
        grid.addWidget(key, n, 0)
        grid.addWidget(QLabel(what), n, 1)
    return block
