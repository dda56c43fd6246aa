"""Runs of the tracker."""

from __future__ import annotations

from app.commands.table import Command, idle_selected
from app.session import PAUSED, Session


def busy(session: Session) -> bool:
    return (
        session.drawing
        or session.run is not None
        or session.playing
        or session.mask_tool is not None
        or session.pause is not None
        or bool(session.selection)
    )


def _one_idle(session: Session) -> bool:
    return session.selected is not None and idle_selected(session)


def _paused(session: Session) -> bool:
    return session.pause is not None and (session.run is None or session.run.background)


COMMANDS: tuple[Command, ...] = (
    Command("track.forward", "Track forward", ("T",), "Track", lambda s, ui, **p: s.track(1, **p), idle_selected,
            hint="Until the next keyframe, the end, or until the object is lost; several selected objects go together"),
    Command("track.backward", "Track backward", ("Shift+T",), "Track", lambda s, ui, **p: s.track(-1, **p),
            idle_selected, hint="Towards the start of the clip"),
    Command("track.gap", "Track the gap from both sides", ("Ctrl+T",), "Track", lambda s, ui: s.track_gap(), _one_idle,
            hint="Forward from the keyframe before, backward from the one after, and both fused"),
    Command("track.again", "Track forward again", ("Ctrl+Shift+T",), "Track",
            lambda s, ui, **p: s.track(1, **{"mode": "replace"} | p), idle_selected,
            hint="Replaces what nobody has verified, up to the next keyframe"),
    Command("track.range", "Track a range…", ("Alt+T",), "Track", lambda s, ui, **p: s.track_range(**p), idle_selected,
            "range", hint="From one frame to another; keyframes on the way stay and correct the run"),
    Command("track.accept", "Accept and go on", ("Enter", "Return"), "Track", lambda s, ui: s.accept(), _paused,
            hint="What the paused run shows is right; a lost object is sought on", scope=PAUSED),
    Command("track.interpolate", "Interpolate the gap", ("I",), "Track", lambda s, ui: s.interpolate_gap(), _one_idle,
            hint="Straight lines between the keyframes on both sides of this frame"),
    Command("track.stop", "Stop or cancel", ("Esc",), "Track", lambda s, ui: s.escape(), busy,
            hint="Leaves drawing, stops the run (keeping what it did), pauses, lets go of the selection"),
)  # fmt: skip
