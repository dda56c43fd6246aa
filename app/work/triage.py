"""Reviewing: where to look next, and how much is left."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator

from app.work.overview import Lane, Lanes, Stretch


class Triage:
    """Questions to the lanes of a document; answers stay right as the lanes follow it."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def left(self, tracks: Collection[int] = ()) -> tuple[int, int]:
        """Stretches of suspicious frames, and frames in them; of all tracks when none are named."""
        every = [stretch for lane in self._of(tracks) for stretch in lane.stretches()]
        return len(every), sum(stretch.stop - stretch.start for stretch in every)

    def worst_first(self, limit: int = 500, tracks: Collection[int] = ()) -> list[Stretch]:
        """The stretches with the most doubt first; among equals the longer one, then the earlier one."""
        every = [stretch for lane in self._of(tracks) for stretch in lane.stretches()]
        return sorted(every, key=lambda s: (-s.doubt, s.start - s.stop, s.start, s.track))[:limit]

    def next(self, frame: int, track: int | None, direction: int = 1) -> Stretch | None:
        """The stretch whose worst frame comes next after (``frame``, ``track``), or before it; None at the end.

        Frames first, then tracks: several objects that are suspicious on one frame come one after the other.
        """
        here = frame, -1 if track is None else track
        best: Stretch | None = None
        for lane in self._of(()):
            found = lane.stretches()
            at = (bisect_left if direction > 0 else bisect_right)(found, frame, key=lambda s: s.worst)
            near = found[max(0, at - 2) : at + 2]
            for stretch in near:
                there = stretch.worst, stretch.track
                if (there > here) if direction > 0 else (there < here):
                    taken = None if best is None else (best.worst, best.track)
                    if taken is None or ((there < taken) if direction > 0 else (there > taken)):
                        best = stretch
        return best

    def around(self, frame: int, track: int) -> Stretch | None:
        """The stretch of a track that holds a frame."""
        lane = self._lanes.lanes.get(track)
        found = [] if lane is None else lane.stretches()
        at = bisect_right(found, frame, key=lambda s: s.start) - 1
        return found[at] if at >= 0 and frame < found[at].stop else None

    def _of(self, tracks: Collection[int]) -> Iterator[Lane]:
        return (lane for id_, lane in self._lanes.lanes.items() if not tracks or id_ in tracks)
