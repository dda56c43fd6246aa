"""Menus, tool bar and keys, all made from the one command table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.commands import BY_ID, COMMANDS, Command, Ui
from app.commands.keymap import Keymap
from app.gui import theme
from app.session import Session
from app.words import mark, tr

ICONS: Mapping[str, str] = {
    "file.open": "open",
    "file.sample": "film",
    "file.save": "save",
    "file.export": "export",
    "edit.undo": "undo",
    "edit.redo": "redo",
    "object.new": "add-object",
    "object.keyframe": "keyframe",
    "object.delete_box": "delete",
    "track.forward": "track-forward",
    "track.backward": "track-backward",
    "track.stop": "stop",
    "go.first": "first",
    "go.back": "skip-back",
    "go.previous": "step-back",
    "go.play": "play",
    "go.next": "step-forward",
    "go.forward": "skip-forward",
    "go.last": "last",
    "go.next_unfinished": "skip-forward",
    "review.next": "skip-forward",
    "review.previous": "skip-back",
    "review.verify": "check",
    "review.verify_stretch": "verified",
    "edit.settings": "settings",
    "help.palette": "search",
    "go.frame": "search",
    "go.next_keyframe": "keyframe-next",
    "go.previous_keyframe": "keyframe-previous",
    "object.hide": "eye-off",
    "object.lock": "lock",
    "view.heat": "heat",
    "view.fit": "fit",
    "view.zoom_in": "zoom-in",
    "view.zoom_out": "zoom-out",
    "help.keys": "keyboard",
}

SHORT = {"track.backward": mark("Track back")}
"""Titles on the tool bar, where they differ from those in the menu."""

ENDS_TYPING = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
"""Keys that end what is being typed somewhere: as commands they hold on the ground alone (`Actions.add_ground`)."""

Ask = Callable[[], dict[str, Any] | None]
"""Gathers the parameters of a command; None when the user thought better of it."""


class Actions(QObject):
    """One QAction per command. Errors of a command go to ``on_error``, never out of a slot.

    ``stop`` is what Esc does too, for the tool bar: it can be pressed only while a run goes on.
    """

    def __init__(
        self,
        session: Session,
        ui: Ui,
        asks: Mapping[str, Ask],
        on_error: Callable[[Exception], None],
        cancel_gesture: Callable[[], bool],
        window: QWidget,
    ) -> None:
        """``asks`` by what a command asks for, or by its id where the window has to ask something of its own.

        ``cancel_gesture`` gives up a mouse drag, if there is one: that is what Esc means then.
        """
        super().__init__(window)
        self._session = session
        self._window = window
        self._ui = ui
        self._asks = asks
        self._on_error = on_error
        self._cancel_gesture = cancel_gesture
        self._actions: dict[str, QAction] = {}
        self.keymap = Keymap(COMMANDS, session.settings.keys)
        self._scope = ""
        self._grounds: list[QWidget] = []
        for command in COMMANDS:
            action = QAction(tr(command.title), self)
            action.setIconText(tr(SHORT.get(command.id, command.title)).removesuffix("…"))
            action.triggered.connect(lambda _=False, c=command: self.trigger(c))
            self._actions[command.id] = action
        self.stop = QAction(tr("Stop"), self)
        self.stop.triggered.connect(lambda: self.trigger(BY_ID["track.stop"]))
        self._tint()
        theme.current().changed.connect(self._tint)
        session.events.settings.connect(lambda settings: self._take_keys())
        self.refresh()

    def add_ground(self, widget: QWidget) -> None:
        """A widget in which nothing is typed, so that Enter can be a command while it has the focus."""
        self._grounds.append(widget)
        self._set_keys()

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def trigger(self, command: Command) -> None:
        """Ask what has to be asked, then do it."""
        if command.id == "track.stop" and self._cancel_gesture():
            return
        if not command.when(self._session):
            return
        params: dict[str, Any] | None = {}
        try:
            ask = self._asks.get(command.ask or command.id)
            if ask is not None:
                params = ask()
            if params is not None:
                command.do(self._session, self._ui, **params)
        except Exception as error:
            self._on_error(error)

    def refresh(self) -> None:
        """Enable what can be done now, and give each command the keys that are its own now."""
        if self._session.scope != self._scope:
            self._scope = self._session.scope
            self._set_keys()
        for command in COMMANDS:
            self._actions[command.id].setEnabled(command.when(self._session))
        self.stop.setEnabled(self._session.run is not None)

    def show_playing(self, playing: bool) -> None:
        self._actions["go.play"].setIcon(theme.icon("pause" if playing else "play"))

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """A menu for each group, in the order of the table; answers with the menus by group."""
        menus: dict[str, QMenu] = {}
        for command in COMMANDS:
            if not command.in_menu:
                continue
            if command.group not in menus:
                menus[command.group] = bar.addMenu(tr(command.group))
            menus[command.group].addAction(self._actions[command.id])
        return menus

    def tip(self, command: Command) -> str:
        """The tooltip of a command."""
        keys = ", ".join(native(key) for key in self.keymap.keys(command.id))
        head = f"<b>{name_of(command)}</b>" + (f"&nbsp; {keys}" if keys else "")
        return head + (f"<br>{tr(command.hint)}" if command.hint else "")

    def _take_keys(self) -> None:
        if self._session.settings.keys != self.keymap.changed():
            self.keymap = Keymap(COMMANDS, self._session.settings.keys)
            self._set_keys()

    def _set_keys(self) -> None:
        active = self.keymap.active(self._scope)
        for command in COMMANDS:
            action = self._actions[command.id]
            keys = [QKeySequence(key) for key in active[command.id]]
            action.setShortcuts(keys)
            ends_typing = any(_stroke(key) in ENDS_TYPING for key in keys)
            context = Qt.ShortcutContext
            action.setShortcutContext(context.WidgetWithChildrenShortcut if ends_typing else context.WindowShortcut)
            for ground in self._grounds:
                ground.addAction(action) if ends_typing else ground.removeAction(action)
            self._window.removeAction(action) if ends_typing else self._window.addAction(action)
            action.setToolTip(self.tip(command))
        self.stop.setToolTip(self.tip(BY_ID["track.stop"]))

    def _tint(self) -> None:
        for name, icon in ICONS.items():
            self._actions[name].setIcon(theme.icon(icon))
        self.stop.setIcon(theme.icon("stop", theme.current().tokens.danger))
        self.show_playing(self._session.playing)


def _stroke(key: QKeySequence) -> Qt.Key | None:
    """The key itself, without modifiers."""
    strokes: Any = key  # the stubs do not know that it can be indexed
    return strokes[0].key() if key.count() else None


def name_of(command: Command) -> str:
    """Its title in the language of the window, without the dots that promise a dialog."""
    return tr(command.title).removesuffix("…")


def native(key: str) -> str:
    """A key of the table as this platform writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
