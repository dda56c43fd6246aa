"""What a correction leads to: the two gaps beside it, and only those, are tracked again. Pure.

Between the correction and the next keyframe on a side, both passes are walked and fused. Where no keyframe follows,
the earlier run is continued to where it came, or was going: that side has one end only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.model.document import Document, Frames
from app.model.tracks import Observation, Source, Track
from app.words import tr
from app.work.choice import TrackerChoice
from app.work.errors import SessionError
from app.work.planning import reached
from app.work.requests import SETTLE, Aim, GapRequest, Part, Reason, TrackRequest


@dataclass(frozen=True)
class Correction:
    """A box that was drawn by hand on ``frame``. ``sides``: the directions still to be tracked, in that order.

    ``goal``: where (exclusive) the run that it interrupted was going in the direction of the first side. ``was``: what
    a tracker had said there, which is how far off its pass had come. ``gesture``: the step of undo that it belongs to.
    """

    track: int
    frame: int
    sides: tuple[int, ...] = (1, -1)
    goal: int | None = None
    was: Observation | None = None
    gesture: str | None = None


@dataclass(frozen=True)
class Means:
    """What runs are made with."""

    run: int
    media: Path
    tracker: TrackerChoice
    device: str
    masks: bool
    lost_after: int | None
    uncertain_after: int | None


def parts(doc: Document, correction: Correction, means: Means, passes: Passes | None = None) -> tuple[Part, ...]:
    """The walks that a correction asks for; empty when there is nothing beside it to track again."""
    track = doc.tracks.get(correction.track)
    here = track.at(correction.frame) if track is not None else None
    if track is None or track.locked or here is None or here.box is None or not here.protected:
        return ()
    found: list[Part] = []
    for nth, step in enumerate(correction.sides):
        key = track.next_keyframe(correction.frame, step)
        if key is not None:
            left, right = sorted((correction.frame, key))
            if right - left > 1 and not filled_by_line(track, left, right):
                request = gap(track, left, right, means, settle=SETTLE, passes=passes)
                if request.made is not None and correction.was is not None and right == correction.frame:
                    request = replace(request, made=request.made | {right: correction.was})
                found.append(request)
            continue
        goal, known = correction.goal if nth == 0 else None, {}
        if goal is None and (last := reached(track, correction.frame, step)) is not None:
            goal = last + step
            ahead = {f: track.frames[f].box for f in range(correction.frame + step, goal, step)}
            known = {f: box for f, box in ahead.items() if box is not None}
        if goal is not None and (goal - correction.frame) * step > 1:
            one = Aim(
                track.id, correction.frame, goal, here.box, Reason.UNTIL, taught=True, mode="replace", known=known
            )
            found.append(
                TrackRequest(
                    means.run, means.media, step, means.tracker, means.device, (one,), means.masks, means.lost_after,
                    means.uncertain_after,
                )
            )  # fmt: skip
    return tuple(found)


def gaps_at(track: Track, frame: int) -> list[tuple[int, int]]:
    """The gap around a frame as (left keyframe, right keyframe); both gaps beside it when it is a keyframe itself.

    Raises `SessionError` when there is none: keyframes on both sides are needed, with frames between them.
    """
    here = track.at(frame)
    left, right = track.next_keyframe(frame, -1), track.next_keyframe(frame, +1)
    if here is not None and here.protected:
        pairs = [(frame, right), (left, frame)]
    else:
        pairs = [(left, right)]
    found = [(a, b) for a, b in pairs if a is not None and b is not None and b - a > 1]
    if not found:
        raise SessionError(
            tr("A gap needs a keyframe on both sides of it; draw the box on a later frame too (Shift+N)")
        )
    return found


def gap(
    track: Track, left: int, right: int, means: Means, *, settle: int | None = None, passes: Passes | None = None
) -> GapRequest:
    """The walk through the gap between two keyframes. Raises `SessionError` when neither of them has a box."""
    a, b = track.frames[left], track.frames[right]
    if not a.present and not b.present:
        raise SessionError(
            tr("The object has no box on the keyframes {left} and {right}; there is nothing to start from").format(
                left=left, right=right
            )
        )
    made = passes.through(track, left, right, means.tracker) if passes is not None and a.present else None
    return GapRequest(
        means.run, means.media, track.id, left, right, a.box if a.present else None, b.box if b.present else None,
        means.tracker, means.device, means.masks, settle, made,
    )  # fmt: skip


def filled_by_line(track: Track, left: int, right: int) -> bool:
    """Whether a gap was filled by interpolation: whoever corrects it wants the line drawn anew, not a tracker."""
    inside = [track.frames[f] for f in range(left + 1, right) if f in track.frames]
    return bool(inside) and all(seen.source is Source.INTERPOLATED for seen in inside)


class Passes:
    """Which frames of the document are what one forward walk from one keyframe has left there, and nothing else since.

    So the pass from the left need not be walked twice after a correction. Main lane only; forgotten at every close.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[int, TrackerChoice, set[int]]] = {}

    def note(self, written: Mapping[int, Collection[int]], parts: Iterable[Part]) -> None:
        """A run with these parts has written these frames, by track."""
        for track, frames in written.items():
            self.touched(track, frozenset(frames))
            for part in parts:
                if isinstance(part, TrackRequest) and part.step > 0:
                    for aim in part.aims:
                        if aim.track == track and aim.memory is None and aim.mode != "range":
                            self._note(aim, part.tracker, frames)

    def _note(self, aim: Aim, tracker: TrackerChoice, frames: Collection[int]) -> None:
        inside = {f for f in frames if aim.start < f < aim.stop}
        if not inside:
            return
        known = self._made.get(aim.track)
        if known is None or known[:2] != (aim.start, tracker):
            known = self._made[aim.track] = aim.start, tracker, set()
        known[2].update(inside)

    def touched(self, track: int, frames: Frames) -> None:
        """Someone else wrote frames of a track."""
        known = self._made.get(track)
        if known is not None:
            known[2].difference_update(frames)

    def clear(self) -> None:
        self._made.clear()

    def through(self, track: Track, left: int, right: int, tracker: TrackerChoice) -> dict[int, Observation] | None:
        """What a forward walk from ``left`` has made of the whole gap up to ``right``; None when it has not."""
        known = self._made.get(track.id)
        if known is None or known[:2] != (left, tracker):
            return None
        frames = range(left + 1, right)
        if not all(f in known[2] and f in track.frames for f in frames):
            return None
        return {f: track.frames[f] for f in frames}
