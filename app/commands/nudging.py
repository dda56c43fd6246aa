"""Moving and sizing the selected box by keys: Alt with the arrows, a pixel or ten at a time."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, has_box
from app.session import Session
from app.words import mark

FAR = 10
"""Image pixels of a far nudge; a near one is a single pixel."""

_MOVES = (
    ("Left", -1, 0, mark("Move the box left by 1 px"), mark("Move the box left by 10 px")),
    ("Right", 1, 0, mark("Move the box right by 1 px"), mark("Move the box right by 10 px")),
    ("Up", 0, -1, mark("Move the box up by 1 px"), mark("Move the box up by 10 px")),
    ("Down", 0, 1, mark("Move the box down by 1 px"), mark("Move the box down by 10 px")),
)
_SIZES = (
    ("Left", "narrower", -1, 0, mark("Make the box narrower by 1 px"), mark("Make the box narrower by 10 px")),
    ("Right", "wider", 1, 0, mark("Make the box wider by 1 px"), mark("Make the box wider by 10 px")),
    ("Up", "lower", 0, -1, mark("Make the box lower by 1 px"), mark("Make the box lower by 10 px")),
    ("Down", "higher", 0, 1, mark("Make the box higher by 1 px"), mark("Make the box higher by 10 px")),
)


def _move(dx: int, dy: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.nudge(dx, dy)


def _grow(dw: int, dh: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.nudge(dw=dw, dh=dh)


COMMANDS: tuple[Command, ...] = (
    *(
        Command(f"object.nudge_{key.lower()}{tail}", titles[far > 1], (f"{keys}+{key}",), "Object",
                _move(x * far, y * far), has_box, in_menu=False)
        for tail, keys, far in (("", "Alt", 1), ("_far", "Alt+Shift", FAR))
        for key, x, y, *titles in _MOVES
    ),
    *(
        Command(f"object.{name}{tail}", titles[far > 1], (f"{keys}+{key}",), "Object",
                _grow(x * far, y * far), has_box, in_menu=False)
        for tail, keys, far in (("", "Ctrl+Alt", 1), ("_far", "Ctrl+Alt+Shift", FAR))
        for key, name, x, y, *titles in _SIZES
    ),
)  # fmt: skip
