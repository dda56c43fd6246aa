"""Which keys do which command: the table's own, with what the user changed on top.

Two commands may share a key when their scopes are apart: a key of a tool means the tool's command while that tool is in
hand, and the window's own at all other times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.commands.table import WINDOW, Command

_MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")


@dataclass(frozen=True)
class Conflict:
    """``commands``: ids, in the order of the table, that all want ``key`` in ``scope``."""

    key: str
    scope: str
    commands: tuple[str, ...]


def normal(key: str) -> str:
    """A key in its one spelling: ``ctrl+shift+z`` is ``Ctrl+Shift+Z``. Raises ValueError for a key that is none."""
    head, plus, last = key.strip().rpartition("+")
    if plus and not last and (not head or head.endswith("+")):  # the plus key itself: "Ctrl++"
        head, last = head.removesuffix("+"), "+"
    parts = [part.strip().capitalize() for part in head.split("+") if part.strip()]
    if not last or set(parts) - set(_MODIFIERS):
        raise ValueError(f"{key!r} is no key; write it like Ctrl+Shift+Z")
    last = last.strip()
    last = last.upper() if len(last) == 1 else last[:1].upper() + last[1:]
    return "+".join([name for name in _MODIFIERS if name in parts] + [last])


class Keymap:
    """``changed``: keys by command id instead of the table's; an empty list takes a command's keys away.

    Ids that the table does not know (of a newer SiamLabel) are kept and mean nothing.
    """

    def __init__(self, commands: Iterable[Command], changed: Mapping[str, Sequence[str]]) -> None:
        self._commands = {command.id: command for command in commands}
        self._changed = {id_: tuple(normal(key) for key in keys) for id_, keys in changed.items()}

    def keys(self, command_id: str) -> tuple[str, ...]:
        """The keys of a command, the one to show first."""
        changed = self._changed.get(command_id)
        return self._commands[command_id].keys if changed is None else changed

    def is_changed(self, command_id: str) -> bool:
        return command_id in self._changed

    def changed(self) -> dict[str, tuple[str, ...]]:
        """What to keep in the settings."""
        return dict(self._changed)

    def with_keys(self, command_id: str, keys: Iterable[str] | None) -> Keymap:
        """Another map in which a command has these keys; None restores the table's."""
        changed = {id_: keys for id_, keys in self._changed.items() if id_ != command_id}
        wanted = None if keys is None else tuple(dict.fromkeys(normal(key) for key in keys))
        own = self._commands[command_id].keys
        if wanted is not None and wanted != tuple(normal(key) for key in own):
            changed[command_id] = wanted
        return Keymap(self._commands.values(), changed)

    def users(self, key: str, scope: str) -> tuple[str, ...]:
        """The commands that ``key`` would do in ``scope``."""
        wanted = normal(key)
        return tuple(
            id_
            for id_, command in self._commands.items()
            if command.scope == scope and wanted in map(normal, self.keys(id_))
        )

    def conflicts(self) -> list[Conflict]:
        """Keys that more than one command of a scope claims."""
        claims: dict[tuple[str, str], list[str]] = defaultdict(list)
        for id_, command in self._commands.items():
            for key in self.keys(id_):
                claims[normal(key), command.scope].append(id_)
        return [Conflict(key, scope, tuple(ids)) for (key, scope), ids in claims.items() if len(ids) > 1]

    def active(self, scope: str) -> dict[str, tuple[str, ...]]:
        """The keys of every command while ``scope`` is in force: its own, and what they leave of the window's."""
        own = {id_: self.keys(id_) for id_, command in self._commands.items() if command.scope == scope}
        taken = {normal(key) for keys in own.values() for key in keys} if scope != WINDOW else set()
        return {
            id_: own[id_]
            if id_ in own
            else tuple(key for key in self.keys(id_) if normal(key) not in taken)
            if command.scope == WINDOW
            else ()
            for id_, command in self._commands.items()
        }
