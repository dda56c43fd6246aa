"""Runs of the tracker."""

from __future__ import annotations

from app.commands.table import Command, idle_selected
from app.session import Session


def busy(session: Session) -> bool:
    return session.drawing or session.run is not None or session.playing or bool(session.selection)


COMMANDS: tuple[Command, ...] = (
    Command("track.forward", "Track forward", ("T",), "Track", lambda s, ui, **p: s.track(1, **p), idle_selected,
            hint="Until the next keyframe, the end, or until the object is lost"),
    Command("track.backward", "Track backward", ("Shift+T",), "Track", lambda s, ui, **p: s.track(-1, **p),
            idle_selected, hint="Towards the start of the clip"),
    Command("track.stop", "Stop or cancel", ("Esc",), "Track", lambda s, ui: s.escape(), busy,
            hint="Leaves drawing, stops the run (keeping what it did), pauses, lets go of the selection"),
)  # fmt: skip
