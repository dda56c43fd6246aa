"""Moving and sizing the selected box by keys: Alt with the arrows, a pixel or ten at a time."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, has_box
from app.session import Session

FAR = 10
"""Image pixels of a far nudge; a near one is a single pixel."""

_WAYS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
_SIZES = {"Left": "narrower", "Right": "wider", "Up": "lower", "Down": "higher"}


def _move(dx: int, dy: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.nudge(dx, dy)


def _grow(dw: int, dh: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.nudge(dw=dw, dh=dh)


COMMANDS: tuple[Command, ...] = (
    *(
        Command(f"object.nudge_{key.lower()}{tail}", f"Move the box {key.lower()} by {far} px", (f"{keys}+{key}",),
                "Object", _move(x * far, y * far), has_box, in_menu=False)
        for tail, keys, far in (("", "Alt", 1), ("_far", "Alt+Shift", FAR))
        for key, (x, y) in _WAYS.items()
    ),
    *(
        Command(f"object.{name}{tail}", f"Make the box {name} by {far} px", (f"{keys}+{key}",), "Object",
                _grow(_WAYS[key][0] * far, _WAYS[key][1] * far), has_box, in_menu=False)
        for tail, keys, far in (("", "Ctrl+Alt", 1), ("_far", "Ctrl+Alt+Shift", FAR))
        for key, name in _SIZES.items()
    ),
)  # fmt: skip
