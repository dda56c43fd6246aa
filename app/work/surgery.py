"""Cutting, joining and reshaping tracks. Pure: a document in, an edit out.

What nobody vouches for may be rewritten; what a person said (`Observation.protected`) changes only where the person now
says so of that very frame: by splitting, merging, swapping, or deleting with ``protected``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from app.model.document import Document
from app.model.edits import AddTrack, Edit, Group, RemoveTrack, SetComment, SetFrames
from app.model.interpolate import between
from app.model.simplify import simplify
from app.model.tracks import Observation, Source, Track, unprotected
from app.words import tr
from app.work.editing import next_colour
from app.work.errors import SessionError


def interpolated(track: Track, left: int, right: int) -> SetFrames:
    """Boxes on a straight line from frame ``left`` to frame ``right``, which both have one, on the frames between them.

    Raises `SessionError` when one of them has no box.
    """
    a, b = track.at(left), track.at(right)
    if a is None or b is None or a.box is None or b.box is None or not (a.present and b.present):
        raise SessionError(
            tr("A line needs a box on both keyframes, {left} and {right}").format(left=left, right=right)
        )
    length = right - left
    boxes = {f: between(a.box, b.box, (f - left) / length) for f in range(left + 1, right)}
    line = {f: Observation(box=box, source=Source.INTERPOLATED) for f, box in boxes.items()}
    return SetFrames(track.id, unprotected(track, line))


def split(doc: Document, track: int, frame: int) -> Group:
    """From ``frame`` on the object is another one: a new track with the same label takes over.

    Raises `SessionError` when one of the two would be empty.
    """
    old = doc.tracks[track]
    later = {f: seen for f, seen in old.frames.items() if f >= frame}
    if not later or len(later) == len(old.frames):
        raise SessionError(tr("There is nothing to split here: the object has frames on one side of this one only"))
    new = doc.new_track(old.label, next_colour(doc))
    new.visible, new.ignored = old.visible, old.ignored
    new.frames.update(later)
    new.attributes.update(old.attributes)
    return Group((SetFrames(track, dict.fromkeys(later)), AddTrack(new)))


def merged(doc: Document, keep: int, other: int) -> Group:
    """Two tracks are one object: ``other`` goes into ``keep``, with its comments.

    Where both have something on a frame, what a person vouches for wins, then what has a box, then ``keep``.
    """
    a, b = doc.tracks[keep], doc.tracks[other]
    taken = {f: seen for f, seen in b.frames.items() if f not in a.frames or _rank(seen) > _rank(a.frames[f])}
    edits: list[Edit] = [SetFrames(keep, dict(taken))] if taken else []
    for comment in doc.comments.values():
        if comment.track == other:
            edits.append(SetComment(comment.id, msgspec.structs.replace(comment, track=keep)))
    return Group((*edits, RemoveTrack(other)))


def swapped(doc: Document, a: int, b: int, frame: int) -> Group:
    """From ``frame`` on, the two objects were mistaken for one another: they exchange their frames.

    Raises `SessionError` when neither has any there.
    """
    first, second = doc.tracks[a].frames, doc.tracks[b].frames
    frames = [f for f in {*first, *second} if f >= frame]
    if not frames:
        raise SessionError(tr("Neither object has frames from here on"))
    return Group(
        (
            SetFrames(a, {f: second.get(f) for f in frames}),
            SetFrames(b, {f: first.get(f) for f in frames}),
        )
    )


def extended(track: Track, frame: int) -> SetFrames:
    """The last box before ``frame`` holds up to it: copies between them, and a keyframe by hand on ``frame``.

    Raises `SessionError` when there is no box before, or a person vouches for ``frame`` already.
    """
    here = track.at(frame)
    if here is not None and here.protected:
        raise SessionError(tr("This frame is a keyframe already"))
    before = [f for f, seen in track.frames.items() if f < frame and seen.present]
    if not before:
        raise SessionError(tr("The object has no box before this frame; draw one (Shift+N)"))
    last = max(before)
    box = track.frames[last].box
    copies = {f: Observation(box=box, source=Source.INTERPOLATED) for f in range(last + 1, frame)}
    return SetFrames(track.id, unprotected(track, copies) | {frame: Observation(box=box, keyframe=True)})


def simplified(track: Track, tolerance: float) -> SetFrames:
    """As few keyframes as keep every box within ``tolerance`` px, on every edge; the frames between them interpolated.

    What a person vouches for stays as it is, and so do absences, changes of state, and masks. Raises `SessionError`
    when nothing would change.
    """
    new: dict[int, Observation | None] = {}
    for stretch in _stretches(track):
        boxes = {f: box for f in stretch if (box := track.frames[f].box) is not None}
        kept = simplify(boxes, tolerance)
        new |= {f: msgspec.structs.replace(track.frames[f], keyframe=True) for f in kept}
        for left, right in pairwise(kept):
            for f in range(left + 1, right):
                line = between(boxes[left], boxes[right], (f - left) / (right - left))
                new[f] = msgspec.structs.replace(
                    track.frames[f], box=line, source=Source.INTERPOLATED, score=None, signals={}
                )
    new = {f: seen for f, seen in new.items() if not (old := track.frames[f]).protected and seen != old}
    if not new:
        raise SessionError(tr("There is nothing to simplify: no boxes that nobody vouches for"))
    return SetFrames(track.id, new)


def range_deleted(track: Track, first: int, last: int, *, protected: bool = False) -> SetFrames:
    """The frames ``first`` to ``last``, both inside, are forgotten.

    Those that people vouch for go with ``protected`` only.
    Raises `SessionError` when there is nothing in the range.
    """
    low, high = sorted((first, last))
    gone: dict[int, Observation | None]
    gone = {f: None for f, seen in track.frames.items() if low <= f <= high and (protected or not seen.protected)}
    if not gone:
        said = (
            tr("The object has nothing on the frames {low} to {high}")
            if protected
            else tr("The object has nothing but what people vouch for on the frames {low} to {high}")
        )
        raise SessionError(said.format(low=low, high=high))
    return SetFrames(track.id, gone)


def propagated(track: Track, frame: int, count: int, frames: int) -> SetFrames:
    """The box of ``frame`` is copied to the ``count`` frames after it (before it when negative), within the clip.

    What a person vouches for stays. Raises `SessionError` without a box on ``frame``, or without room for a copy.
    """
    here = track.at(frame)
    if here is None or not here.present:
        raise SessionError(tr("The object has no box on this frame; draw one first (Shift+N)"))
    low, high = sorted((frame, frame + count))
    copy = Observation(box=here.box, mask=here.mask, source=Source.INTERPOLATED, state=here.state)
    wanted = {f: copy for f in range(max(low, 0), min(high, frames - 1) + 1) if f != frame}
    free = unprotected(track, wanted)
    if not free:
        raise SessionError(
            tr("There is no frame to copy the box to: the clip ends here, or people vouch for the frames")
        )
    return SetFrames(track.id, free)


def _rank(seen: Observation) -> tuple[bool, bool]:
    return seen.protected, seen.present


def _stretches(track: Track) -> Iterable[list[int]]:
    """Frames in a row with boxes, of one state, between protected frames, which end one stretch and begin the next."""
    run: list[int] = []
    for frame in sorted(f for f, seen in track.frames.items() if seen.present):
        seen = track.frames[frame]
        if run and (frame != run[-1] + 1 or seen.state is not track.frames[run[-1]].state):
            yield run
            run = []
        run.append(frame)
        if seen.protected and len(run) > 1:
            yield run
            run = [frame]
    if run:
        yield run
