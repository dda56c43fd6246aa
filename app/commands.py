"""The command table: one line adds a command to menus, keys, help and the headless tests.

A command that needs to know more (which file?) names what to ask in ``ask``; the window asks and passes the answer as
parameters to ``do``. So every command also runs headless. What only a window can do (fit, zoom) goes to the `Ui`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app.model.tracks import State
from app.session import Session


class Ui(Protocol):
    """What only a window can do. Headless callers pass a fake."""

    def fit(self) -> None:
        """Show the whole picture."""
        ...

    def zoom(self, factor: float) -> None:
        """Zoom about the centre of the view."""
        ...

    def show_keys(self) -> None:
        """The sheet of keys."""
        ...

    def quit(self) -> None:
        """Close the window, asking about unsaved work."""
        ...


When = Callable[[Session], bool]


@dataclass(frozen=True)
class Command:
    """One thing the user can do.

    ``keys``: portable names (``Ctrl+Shift+Z``), the first is the one shown. ``when``: whether it can be done now.
    ``do(session, ui, **params)``: does it. ``ask``: what the window has to ask for before (``open``, ``save_as``,
    ``export``), giving ``params``. ``hint``: one sentence for tooltips and help.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    do: Callable[..., object]
    when: When = lambda session: True
    ask: str | None = None
    hint: str = ""


def _open(session: Session) -> bool:
    return session.is_open


def _selected(session: Session) -> bool:
    return session.selected is not None


def _has_observation(session: Session) -> bool:
    return session.here is not None


def _has_box(session: Session) -> bool:
    return session.here is not None and session.here.present


def _idle_selected(session: Session) -> bool:
    return session.selected is not None and session.run is None


def _busy(session: Session) -> bool:
    return session.drawing or session.run is not None or session.playing or bool(session.selection)


def _steps(count: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.step(count)


COMMANDS: tuple[Command, ...] = (
    Command("file.open", "Open…", ("Ctrl+O",), "File", lambda s, ui, **p: s.open(**p), ask="open",
            hint="Open a video, a folder of images or a project"),
    Command("file.sample", "Open the sample clip", (), "File", lambda s, ui: s.open(None),
            hint="A short clip to try everything on"),
    Command("file.save", "Save", ("Ctrl+S",), "File", lambda s, ui: s.save(), _open,
            hint="Save the project, beside the video unless it has another place"),
    Command("file.save_as", "Save as…", ("Ctrl+Shift+S",), "File", lambda s, ui, **p: s.save(**p), _open, "save_as",
            hint="Save the project under another name"),
    Command("file.export", "Export…", ("Ctrl+E",), "File", lambda s, ui, **p: s.export(**p), _open, "export",
            hint="Write the labels as COCO or VOT"),
    Command("file.quit", "Quit", ("Ctrl+Q",), "File", lambda s, ui: ui.quit()),
    Command("edit.undo", "Undo", ("Ctrl+Z",), "Edit", lambda s, ui: s.undo(), lambda s: s.history.can_undo),
    Command("edit.redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Edit", lambda s, ui: s.redo(),
            lambda s: s.history.can_redo),
    Command("object.new", "New object", ("N",), "Object", lambda s, ui: s.begin_drawing(), _open,
            hint="Then drag a box around it"),
    Command("object.redraw", "Draw its box again", ("Shift+N",), "Object", lambda s, ui: s.begin_drawing(redraw=True),
            lambda s: s.is_open and _selected(s), hint="Then drag the box of the selected object on this frame"),
    Command("object.keyframe", "Toggle keyframe", ("K",), "Object", lambda s, ui: s.toggle_keyframe(),
            _has_observation, hint="A keyframe is never overwritten by a tracker, and a run ends before it"),
    Command("object.occluded", "Occluded", ("Q",), "Object",
            lambda s, ui: s.set_state(State.VISIBLE if s.here.state is State.OCCLUDED else State.OCCLUDED), _has_box,
            hint="The object is here but hidden; again: it can be seen"),
    Command("object.out_of_view", "Out of view", ("O",), "Object", lambda s, ui: s.set_state(State.OUT_OF_VIEW),
            _selected, hint="The object is not in this frame"),
    Command("object.delete_box", "Delete this frame's box", ("Del",), "Object", lambda s, ui: s.delete_box(),
            _has_observation, hint="The other frames of the object stay"),
    Command("object.delete", "Delete the object", ("Shift+Del",), "Object", lambda s, ui: s.remove_track(), _selected,
            hint="With all its frames; can be undone"),
    Command("track.forward", "Track forward", ("T",), "Track", lambda s, ui, **p: s.track(1, **p), _idle_selected,
            hint="Until the next keyframe, the end, or until the object is lost"),
    Command("track.backward", "Track backward", ("Shift+T",), "Track", lambda s, ui, **p: s.track(-1, **p),
            _idle_selected, hint="Towards the start of the clip"),
    Command("track.stop", "Stop or cancel", ("Esc",), "Track", lambda s, ui: s.escape(), _busy,
            hint="Leaves drawing, stops the run (keeping what it did), pauses, lets go of the selection"),
    Command("go.next", "Next frame", ("Right", "F"), "Go", _steps(1), _open),
    Command("go.previous", "Previous frame", ("Left", "D"), "Go", _steps(-1), _open),
    Command("go.forward", "Ten frames on", ("Shift+Right", "Shift+F"), "Go",
            lambda s, ui: s.step(s.settings.jump), _open, hint="As many as the settings say"),
    Command("go.back", "Ten frames back", ("Shift+Left", "Shift+D"), "Go",
            lambda s, ui: s.step(-s.settings.jump), _open, hint="As many as the settings say"),
    Command("go.first", "First frame", ("Home",), "Go", lambda s, ui: s.step(-s.frame), _open),
    Command("go.last", "Last frame", ("End",), "Go", lambda s, ui: s.step(s.frame_count), _open),
    Command("go.play", "Play or pause", ("Space",), "Go", lambda s, ui: s.set_playing(not s.playing), _open,
            hint="At the rate of the video"),
    Command("view.heat", "Next heat map", ("H",), "View", lambda s, ui: s.cycle_heat(),
            hint="Off, fused, classification, attention, mask"),
    Command("view.fit", "Fit the picture", ("Ctrl+0",), "View", lambda s, ui: ui.fit(), _open),
    Command("view.zoom_in", "Zoom in", ("Ctrl+=", "Ctrl++"), "View", lambda s, ui: ui.zoom(1.25), _open),
    Command("view.zoom_out", "Zoom out", ("Ctrl+-",), "View", lambda s, ui: ui.zoom(0.8), _open),
    Command("help.keys", "Keys", ("F1",), "Help", lambda s, ui: ui.show_keys(), hint="All commands and their keys"),
)  # fmt: skip

BY_ID = {command.id: command for command in COMMANDS}


def run(command_id: str, session: Session, ui: Ui, **params: Any) -> object:
    """Do a command if it can be done now; answers with what it gave, None when it cannot."""
    command = BY_ID[command_id]
    return command.do(session, ui, **params) if command.when(session) else None
