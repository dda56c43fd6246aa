"""The command palette: find a command by typing some of its letters, see its keys, do it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.commands import COMMANDS, Command
from app.gui import theme
from app.gui.actions import Actions, name_of, native
from app.words import tr

WIDTH, ROWS = 560, 10
_KEYS = Qt.ItemDataRole.UserRole + 1


class Palette(QDialog):
    """Commands that cannot be done now are listed too, greyed, so that one learns that they are there."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._actions = actions
        self.setWindowTitle(tr("Commands"))
        self.setObjectName("palette")
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("What do you want to do?"))
        self.search.setAccessibleName(tr("Find a command"))
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Commands"))
        self.list.setItemDelegate(_Row(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda _: self._do())
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID] * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self.search)
        column.addWidget(self.list)
        self._fill("")
        height = self.list.sizeHintForRow(0) * ROWS + 4
        self.list.setFixedHeight(height)
        self.setFixedWidth(min(WIDTH, parent.width() - 4 * theme.GRID))
        self.adjustSize()
        at = parent.mapToGlobal(parent.rect().topLeft())
        self.move(at.x() + (parent.width() - self.width()) // 2, at.y() + 9 * theme.GRID)

    def _fill(self, text: str) -> None:
        self.list.clear()
        ranked = sorted(
            ((fit, n, command) for n, command in enumerate(COMMANDS) if (fit := match(text, command)) is not None),
            key=lambda found: found[:2],
        )
        for _, _, command in ranked:
            item = QListWidgetItem(f"{tr(command.group)}: {name_of(command)}")
            item.setData(Qt.ItemDataRole.UserRole, command.id)
            item.setData(_KEYS, "   ".join(native(key) for key in self._actions.keymap.keys(command.id)))
            item.setToolTip(tr(command.hint))
            if not self._actions[command.id].isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        rows = range(self.list.count())
        able = next((row for row in rows if self.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled), -1)
        self.list.setCurrentRow(able)

    def _do(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        action = self._actions[item.data(Qt.ItemDataRole.UserRole)]
        self.close()  # first, for the command may open a dialog of its own
        action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._do()
                return True
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                self.list.event(event)
                return True
        return super().eventFilter(watched, event)


def match(text: str, command: Command) -> int | None:
    """How well a command fits what was typed, 0 best; None when it does not.

    Every word must begin a word of group, title or hint; in the title counts more. A word may also be the letters that
    the title's words begin with.
    """
    wanted = text.casefold().split()
    title = name_of(command).casefold().split()
    initials = "".join(word[0] for word in title)
    rest = f"{tr(command.group)} {tr(command.hint)}".casefold().split()
    worst = 0
    for word in wanted:
        if any(known.startswith(word) for known in title):
            continue
        if len(word) > 1 and initials.startswith(word):
            worst = max(worst, 1)
        elif any(known.startswith(word) for known in rest):
            worst = max(worst, 2)
        else:
            return None
    return worst


class _Row(QStyledItemDelegate):
    """The name to the left, the keys to the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:  # type: ignore[override]
        return QSize(0, 28)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:  # type: ignore[override]
        super().paint(painter, option, index)  # type: ignore[arg-type]
        keys = index.data(_KEYS)  # type: ignore[attr-defined]
        if not keys:
            return
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        tokens = theme.current().tokens
        painter.setPen(tokens.text if chosen else tokens.muted)
        painter.setFont(theme.fixed_font(12))
        room: QRect = option.rect.adjusted(0, 0, -theme.GRID, 0)  # type: ignore[attr-defined]
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, keys)
        painter.restore()
