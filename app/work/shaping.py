"""Reshaping tracks: the session's methods for what `app.work.surgery` means as an edit. Each is one undo step."""

from __future__ import annotations

from app.model.tracks import Observation, Track
from app.words import tr
from app.work import surgery
from app.work.correcting import Correcting
from app.work.corrections import gaps_at
from app.work.errors import SessionError


class Shaping(Correcting):
    """The part of the session that cuts and joins."""

    clipboard: Observation | None
    """A copied box, to be pasted on other frames and objects."""

    def select_all(self) -> None:
        """Select all objects that are shown."""
        self.select(*(track.id for track in self.document.tracks.values() if track.visible))

    def interpolate_gap(self) -> None:
        """Draw straight lines through the gap around this frame; on a keyframe, through both gaps beside it."""
        track = self._unlocked()
        gesture = self.new_gesture()
        for left, right in gaps_at(track, self.frame):
            self.commit(surgery.interpolated(track, left, right), tr("Interpolate the gap"), gesture)

    def split_track(self) -> int:
        """From this frame on the selected object is a new one, which is selected. Answers with its id."""
        track = self._unlocked()
        new = self.document.next_id
        self.commit(surgery.split(self.document, track.id, self.frame), tr("Split the object"))
        self.select(new)
        return new

    def merge_tracks(self) -> None:
        """Make one object of the two selected ones; the one with the lower id stays."""
        keep, other = self._two()
        self.commit(surgery.merged(self.document, keep, other), tr("Merge the objects"))
        self.select(keep)

    def swap_tracks(self) -> None:
        """The two selected objects exchange their frames from this one on."""
        a, b = self._two()
        self.commit(surgery.swapped(self.document, a, b, self.frame), tr("Swap the objects"))

    def extend_track(self) -> None:
        """Copy the last box before this frame up to it."""
        self.commit(surgery.extended(self._unlocked(), self.frame), tr("Extend the object"))

    def simplify_track(self, tolerance: float = 2.0) -> None:
        """Keep as few keyframes of the selected object as hold every box within ``tolerance`` px."""
        track = self._unlocked()
        before = len(track.frames)
        self.commit(surgery.simplified(track, tolerance), tr("Simplify the object"))
        keys = len(self.document.tracks[track.id].keyframes())
        self.events.message(
            tr("{keys} keyframes hold {before} frames within {tolerance:g} px").format(
                keys=keys, before=before, tolerance=tolerance
            )
        )

    def delete_range(self, first: int, last: int, *, protected: bool = False) -> None:
        """Forget the selected object on the frames ``first`` to ``last``, both inside.

        ``protected``: also where people vouch for it.
        """
        edit = surgery.range_deleted(self._unlocked(), first, last, protected=protected)
        self.commit(edit, tr("Delete a range of boxes"))
        self.events.message(tr("Deleted on {count} frames").format(count=len(edit.frames)))

    def copy_box(self) -> None:
        """Remember the selected object's box (and mask) on this frame."""
        here = self.here
        if here is None or not here.present:
            raise SessionError(tr("There is no box to copy on this frame"))
        self.clipboard = here

    def paste_box(self) -> None:
        """Put the copied box on this frame: of the selected object, or of a new one when none is selected."""
        if self.clipboard is None or self.clipboard.box is None:
            raise SessionError(tr("Copy a box first (Ctrl+C)"))
        if self.selection:
            self.set_box(self.clipboard.box)
        else:
            self.add_object(self.clipboard.box)

    def propagate_box(self, count: int = 10) -> None:
        """Copy the selected object's box to the next ``count`` frames; to those before when it is negative."""
        edit = surgery.propagated(self._unlocked(), self.frame, count, self.frame_count)
        self.commit(edit, tr("Copy the box on"))
        self.events.message(tr("Copied to {count} frames").format(count=len(edit.frames)))

    def _unlocked(self) -> Track:
        return self.document.tracks[self._editable()]

    def _two(self) -> tuple[int, int]:
        if len(self.selection) != 2:
            raise SessionError(tr("Select two objects first: Ctrl+click boxes or lines of the list"))
        first, second = sorted(self.selection)
        return self._editable(first), self._editable(second)
