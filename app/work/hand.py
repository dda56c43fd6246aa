"""What the hand of the annotator does to the document: one method per gesture, each one undo step."""

from __future__ import annotations

import itertools
from typing import Literal

import msgspec

from app.model.document import Change, Document
from app.model.edits import Edit, SetTrack
from app.model.history import History
from app.model.tracks import Observation, State
from app.words import tr
from app.work import editing
from app.work.errors import SessionError
from app.work.navigator import Navigator
from app.work.wording import state_words
from tracker.api import Box


class Hand(Navigator):
    """The editing half of the session. ``selection``: ids of the selected tracks."""

    history: History
    selection: frozenset[int]
    next_label: str | None
    """The label that the next new object gets; None for that of the newest object."""
    drawing: bool
    redraw: bool
    """Whether the box being drawn belongs to the selected track instead of a new one."""
    _gestures = itertools.count(1)

    @property
    def document(self) -> Document:
        return self.history.document

    @property
    def dirty(self) -> bool:
        """Whether there is work that is not saved."""
        return self.history.dirty

    @property
    def selected(self) -> int | None:
        """The track that keys act on: the only selected one."""
        return next(iter(self.selection)) if len(self.selection) == 1 else None

    @property
    def here(self) -> Observation | None:
        """What is known about the selected track on the current frame."""
        return self.document.tracks[self.selected].at(self.frame) if self.selected is not None else None

    def select(self, *tracks: int) -> None:
        """Select these tracks and no others; unknown ones are ignored."""
        chosen = frozenset(tracks) & self.document.tracks.keys()
        if chosen != self.selection:
            self.selection = chosen
            self.events.selection()

    def go_to_keyframe(self, direction: int) -> None:
        """Go to the next keyframe (the one before when ``direction`` < 0) of the selected tracks, else of any."""
        tracks = [self.document.tracks[id_] for id_ in self.selection] or list(self.document.tracks.values())
        found = [at for track in tracks if (at := track.next_keyframe(self.frame, direction)) is not None]
        if not found:
            raise SessionError(
                tr("There is no keyframe after this frame")
                if direction > 0
                else tr("There is no keyframe before this frame")
            )
        self.set_playing(False)
        self.seek(min(found) if direction > 0 else max(found))

    def nudge(self, dx: float = 0.0, dy: float = 0.0, dw: float = 0.0, dh: float = 0.0) -> None:
        """Move the selected box by image pixels, or make it wider and higher; nudges in a row are one undo step."""
        track, here = self._track(), self.here
        if here is None or here.box is None:
            raise SessionError(tr("The object has no box on this frame; draw one first (Shift+N)"))
        x, y, w, h = here.box
        box = Box(x + dx, y + dy, max(1.0, w + dw), max(1.0, h + dh))
        self.set_box(box, track, gesture=f"nudge-{track}-{self.frame}")

    def begin_drawing(self, *, redraw: bool = False) -> None:
        """The next drag draws a new object's box, or with ``redraw`` a new box of the selected track."""
        self.require_open()
        if redraw and self.selected is None:
            raise SessionError(tr("Select the object whose box is to be drawn again"))
        self.set_playing(False)
        self.drawing, self.redraw = True, redraw
        self.events.mode(self.mode)

    def end_drawing(self) -> None:
        if self.drawing:
            self.drawing = self.redraw = False
            self.events.mode(self.mode)

    def new_gesture(self) -> str:
        """An id for the edits of one gesture (a drag), which make one undo step."""
        return f"gesture-{next(self._gestures)}"

    def commit(self, edit: Edit, title: str, gesture: str | None = None) -> Change:
        """The one door for edits. A change by hand of the track that a run is writing ends the run."""
        return self.history.commit(edit, title, gesture)

    def add_object(self, box: Box, label: str | None = None) -> int:
        """A new object with ``box`` (image pixels) on this frame; it is selected. Answers with its id."""
        self.require_open()
        edit = editing.added(self.document, self.frame, box, label or self.next_label)
        self.commit(edit, tr("New {label}").format(label=edit.track.label))
        self.end_drawing()
        self.select(edit.track.id)
        return edit.track.id

    def set_box(self, box: Box, track: int | None = None, frame: int | None = None, gesture: str | None = None) -> None:
        """Say by hand where a track (the selected one) is on a frame (this one): a manual keyframe."""
        at = self.frame if frame is None else frame
        edit = editing.placed(self.document, self._editable(track), at, box)
        self.commit(edit, tr("Place the box"), gesture)
        self.end_drawing()

    def delete_box(self) -> None:
        """Forget the selected track on this frame, and on this frame only."""
        self.commit(editing.cleared(self.document, self._editable(), self.frame), tr("Delete the box of this frame"))

    def toggle_keyframe(self) -> None:
        self.commit(editing.keyframe_toggled(self.document, self._editable(), self.frame), tr("Toggle the keyframe"))

    def set_state(self, state: State) -> None:
        """Say how the selected object is to be seen on this frame."""
        edit = editing.state_set(self.document, self._editable(), self.frame, state)
        self.commit(edit, tr("Mark as {state}").format(state=state_words(state)))

    def remove_track(self, track: int | None = None) -> None:
        self.commit(editing.removed(self.document, self._editable(track)), tr("Delete the object"))

    def set_track(
        self, track: int, *, label: str | None = None, colour: str | None = None, visible: bool | None = None
    ) -> None:
        """Rename, recolour (``#rrggbb``), show or hide a track."""
        self.commit(SetTrack(self._track(track), label, colour, visible), tr("Change the object"))

    def toggle(self, name: Literal["visible", "locked", "ignored"], track: int | None = None) -> None:
        """Switch a property of a track on or off."""
        chosen = self._track(track)
        value = not getattr(self.document.tracks[chosen], name)
        said = {
            "visible": tr("Show the object") if value else tr("Hide the object"),
            "locked": tr("Lock the object") if value else tr("Unlock the object"),
            "ignored": tr("Make it an ignored region") if value else tr("Make it an object again"),
        }
        self.commit(msgspec.structs.replace(SetTrack(chosen), **{name: value}), said[name])

    def undo(self) -> None:
        """Take back the last step. Taking back the run that goes on ends it."""
        self.runs.flush()
        title = self.history.undo_title
        if self.history.undo() is not None:
            self.events.message(tr("Undone: {title}").format(title=title))

    def redo(self) -> None:
        title = self.history.redo_title
        if self.history.redo() is not None:
            self.events.message(tr("Redone: {title}").format(title=title))

    def _editable(self, track: int | None = None) -> int:
        """A track that gestures may change. Raises `SessionError` for a locked one."""
        chosen = self._track(track)
        if self.document.tracks[chosen].locked:
            raise SessionError(
                tr("{label} {track} is locked; press L to unlock it").format(
                    label=self.document.tracks[chosen].label, track=chosen
                )
            )
        return chosen

    def _track(self, track: int | None = None) -> int:
        chosen = self.selected if track is None else track
        if chosen is None or chosen not in self.document.tracks:
            raise SessionError(tr("Select one object first: click its box or its line in the list"))
        return chosen
