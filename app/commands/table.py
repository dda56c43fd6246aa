"""What a command is. One line in a group's module adds one to menus, keys, help and the headless tests.

A command that needs to know more (which file?) names what to ask in ``ask``; the window asks and passes the answer as
parameters to ``do``. So every command also runs headless. What only a window can do (fit, zoom) goes to the `Ui`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.session import Session


class Ui(Protocol):
    """What only a window can do. Headless callers pass a fake."""

    def fit(self) -> None:
        """Show the whole picture."""
        ...

    def zoom(self, factor: float) -> None:
        """Zoom about the centre of the view."""
        ...

    def finish_shape(self) -> None:
        """Close the polygon that is being drawn."""
        ...

    def actual_size(self) -> None:
        """One image pixel on one screen pixel."""
        ...

    def show_keys(self) -> None:
        """The sheet of keys, where they can be changed."""
        ...

    def show_palette(self) -> None:
        """The palette: find a command by typing."""
        ...

    def show_tour(self) -> None:
        """The guided tour, on the sample clip."""
        ...

    def show_log(self) -> None:
        """The folder with the log file."""
        ...

    def show_settings(self) -> None:
        """The settings."""
        ...

    def quit(self) -> None:
        """Close the window, asking about unsaved work."""
        ...


When = Callable[[Session], bool]

WINDOW = "window"
"""The scope of keys that always hold, unless a tool in hand has another use for them."""


@dataclass(frozen=True)
class Command:
    """One thing the user can do.

    ``keys``: portable names (``Ctrl+Shift+Z``), the first is the one shown. ``when``: whether it can be done now.
    ``do(session, ui, **params)``: does it. ``ask``: what the window has to ask for before (``open``, ``save_as``,
    ``export``), giving ``params``. ``hint``: one sentence for tooltips and help. ``scope``: where its keys hold, the
    whole `WINDOW` or while a tool is in hand (`Session.scope`). ``in_menu``: small steps are for keys and the
    palette alone.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    do: Callable[..., object]
    when: When = lambda session: True
    ask: str | None = None
    hint: str = ""
    scope: str = WINDOW
    in_menu: bool = True


def is_open(session: Session) -> bool:
    return session.is_open


def selected(session: Session) -> bool:
    return session.selected is not None


def has_observation(session: Session) -> bool:
    return session.here is not None


def has_box(session: Session) -> bool:
    return session.here is not None and session.here.present


def idle_selected(session: Session) -> bool:
    """Whether a run can be asked for: of the selected objects, while none goes on that was asked for by hand."""
    return bool(session.selection) and (session.run is None or session.run.background)
