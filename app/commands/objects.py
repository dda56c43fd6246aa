"""What the hand says about an object."""

from __future__ import annotations

from app.commands.table import Command, has_box, has_observation, is_open, selected
from app.model.tracks import State

COMMANDS: tuple[Command, ...] = (
    Command("object.new", "New object", ("N",), "Object", lambda s, ui: s.begin_drawing(), is_open,
            hint="Then drag a box around it"),
    Command("object.redraw", "Draw its box again", ("Shift+N",), "Object", lambda s, ui: s.begin_drawing(redraw=True),
            lambda s: s.is_open and selected(s), hint="Then drag the box of the selected object on this frame"),
    Command("object.keyframe", "Toggle keyframe", ("K",), "Object", lambda s, ui: s.toggle_keyframe(),
            has_observation, hint="A keyframe is never overwritten by a tracker, and a run ends before it"),
    Command("object.occluded", "Occluded", ("Q",), "Object",
            lambda s, ui: s.set_state(State.VISIBLE if s.here.state is State.OCCLUDED else State.OCCLUDED), has_box,
            hint="The object is here but hidden; again: it can be seen"),
    Command("object.out_of_view", "Out of view", ("O",), "Object", lambda s, ui: s.set_state(State.OUT_OF_VIEW),
            selected, hint="The object is not in this frame"),
    Command("object.hide", "Hide or show", ("H",), "Object", lambda s, ui: s.toggle("visible"), selected,
            hint="In the picture; its labels stay"),
    Command("object.lock", "Lock or unlock", ("L",), "Object", lambda s, ui: s.toggle("locked"), selected,
            hint="Neither the hand nor a tracker changes a locked object"),
    Command("object.ignored", "Ignored region", (), "Object", lambda s, ui: s.toggle("ignored"), selected,
            hint="Not an object, but a part of the picture that evaluation leaves out"),
    Command("object.delete_box", "Delete this frame's box", ("Del",), "Object", lambda s, ui: s.delete_box(),
            has_observation, hint="The other frames of the object stay"),
    Command("object.delete", "Delete the object", ("Shift+Del",), "Object", lambda s, ui: s.remove_track(), selected,
            hint="With all its frames; can be undone"),
)  # fmt: skip
