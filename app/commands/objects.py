"""What the hand says about an object."""

from __future__ import annotations

from app.commands.table import Command, Ui, has_box, has_observation, is_open, selected
from app.model.tracks import State
from app.session import Session


def _answers(session: Session) -> bool:
    """Whether what is said of the selected object answers a paused run."""
    return session.pause is not None and session.pause.aim.track == session.selected


def _toggle_occluded(session: Session, ui: Ui) -> None:
    here = session.here
    hidden = here is not None and here.state is State.OCCLUDED
    session.set_state(State.VISIBLE if hidden else State.OCCLUDED)


def _two(session: Session) -> bool:
    return len(session.selection) == 2


COMMANDS: tuple[Command, ...] = (
    Command("object.new", "New object", ("N",), "Object", lambda s, ui: s.begin_drawing(), is_open,
            hint="Then drag a box around it"),
    Command("object.redraw", "Draw its box again", ("Shift+N",), "Object", lambda s, ui: s.begin_drawing(redraw=True),
            lambda s: s.is_open and selected(s), hint="Then drag the box of the selected object on this frame"),
    Command("object.keyframe", "Toggle keyframe", ("K",), "Object", lambda s, ui: s.toggle_keyframe(),
            has_observation, hint="A keyframe is never overwritten by a tracker, and a run ends before it"),
    Command("object.occluded", "Occluded", ("Q",), "Object",
            _toggle_occluded, lambda s: has_box(s) or _answers(s),
            hint="The object is here but hidden; again: it can be seen. A paused run takes it as an answer"),
    Command("object.out_of_view", "Out of view", ("O",), "Object", lambda s, ui: s.set_state(State.OUT_OF_VIEW),
            selected, hint="The object is not in this frame. A paused run takes it as an answer and goes on looking"),
    Command("object.hide", "Hide or show", ("H",), "Object", lambda s, ui: s.toggle("visible"), selected,
            hint="In the picture; its labels stay"),
    Command("object.lock", "Lock or unlock", ("L",), "Object", lambda s, ui: s.toggle("locked"), selected,
            hint="Neither the hand nor a tracker changes a locked object"),
    Command("object.ignored", "Ignored region", (), "Object", lambda s, ui: s.toggle("ignored"), selected,
            hint="Not an object, but a part of the picture that evaluation leaves out"),
    Command("object.select_all", "Select all objects", ("Ctrl+A",), "Object", lambda s, ui: s.select_all(),
            lambda s: bool(s.document.tracks), hint="Those that are shown; Ctrl+click takes one in or out"),
    Command("object.copy", "Copy the box", ("Ctrl+C",), "Object", lambda s, ui: s.copy_box(), has_box,
            hint="To paste it on another frame or object"),
    Command("object.paste", "Paste the box", ("Ctrl+V",), "Object", lambda s, ui: s.paste_box(),
            lambda s: s.is_open and s.clipboard is not None,
            hint="On this frame: of the selected object, or of a new one when none is selected"),
    Command("object.propagate", "Copy the box on…", ("Ctrl+B",), "Object", lambda s, ui, **p: s.propagate_box(**p),
            has_box, "copies", hint="To the next frames, or to those before"),
    Command("object.extend", "Extend to this frame", ("Alt+E",), "Object", lambda s, ui: s.extend_track(), selected,
            hint="The last box before this frame holds up to it"),
    Command("object.split", "Split here", ("Alt+S",), "Object", lambda s, ui: s.split_track(), selected,
            hint="From this frame on it is another object"),
    Command("object.merge", "Merge the two objects", ("Alt+M",), "Object", lambda s, ui: s.merge_tracks(), _two,
            hint="They are one; what people vouch for wins where both have a box"),
    Command("object.swap", "Swap from here on", ("Alt+X",), "Object", lambda s, ui: s.swap_tracks(), _two,
            hint="The two were mistaken for one another: they exchange their frames from this one on"),
    Command("object.simplify", "Simplify…", ("Alt+K",), "Object", lambda s, ui, **p: s.simplify_track(**p), selected,
            "tolerance", hint="As few keyframes as hold every box within a tolerance"),
    Command("object.delete_range", "Delete a range of boxes…", ("Ctrl+Del",), "Object",
            lambda s, ui, **p: s.delete_range(**p), selected, "delete_range",
            hint="Keyframes in it stay unless asked for"),
    Command("object.delete_box", "Delete this frame's box", ("Del",), "Object", lambda s, ui: s.delete_box(),
            has_observation, hint="The other frames of the object stay"),
    Command("object.delete", "Delete the object", ("Shift+Del",), "Object", lambda s, ui: s.remove_track(), selected,
            hint="With all its frames; can be undone"),
)  # fmt: skip
