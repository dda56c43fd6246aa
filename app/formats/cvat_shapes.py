"""A CVAT track as it stands in the file: shapes on some frames; and what they say about every frame, as CVAT reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import pairwise

from app.formats.keys import Filler
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import AttributeValue, Observation, Source, State

UNLABELLED = "unlabelled"
"""Our word in the attribute ``state`` of an outside shape: nobody said anything from here on."""

CONTINUED = "continued"
"""Our word in the attribute ``state`` of an outside shape: another piece of the object goes on here, if it is there."""

SOURCES = {
    "manual": Source.MANUAL,
    "auto": Source.TRACKER,
    "semi-auto": Source.INTERPOLATED,
    "file": Source.IMPORTED,
}
"""CVAT's words for who made a shape."""


@dataclass(frozen=True)
class Shape:
    """One element of a track, or of an image (then with a ``label``).

    ``state``: of an outside shape, one of ours or empty, as other files have it.
    """

    frame: int
    box: Box
    mask: Mask | None = None
    outside: bool = False
    occluded: bool = False
    keyframe: bool = True
    source: Source = Source.IMPORTED
    state: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    label: str = ""


def shapes_of(frames: Mapping[int, Observation], keys: Set[int], length: int) -> Iterator[Shape]:
    """The shapes that say what ``frames`` (ascending) say, of a clip of ``length`` frames.

    Present ones on ``keys`` only. An outside shape, with the box of its neighbour, ends each stretch. Nothing when
    there is no box at all.
    """
    box = next((obs.box for obs in frames.values() if obs.box is not None), None)
    if box is None:
        return
    before: tuple[int, Observation] | None = None
    for frame, obs in frames.items():
        if before is not None and frame > before[0] + 1:
            yield Shape(before[0] + 1, box, outside=True, state=UNLABELLED)
            before = None
        if obs.box is not None:
            if frame in keys:
                box = obs.box
                occluded = obs.state is State.OCCLUDED
                yield Shape(frame, box, obs.mask, False, occluded, True, obs.source, "", obs.attributes)
        elif before is None or before[1].box is not None or not _alike(before[1], obs):
            yield Shape(frame, box, None, True, False, True, obs.source, obs.state.value, obs.attributes)
        before = frame, obs
    if before is not None and before[0] + 1 < length:
        yield Shape(before[0] + 1, box, outside=True, state=UNLABELLED)


def pieces_of(shapes: list[Shape]) -> list[list[Shape]]:
    """The shapes of one object in pieces of one kind, as CVAT takes them: single masks, and stretches of boxes.

    Each ends with an outside shape, unless the clip ends there. A piece with a mask begins with it, for
    CVAT looks at no other shape of it: what was outside before stands behind it.
    """
    before: list[Shape] = []
    pieces: list[list[Shape]] = []
    for shape in shapes:
        if shape.outside:
            (pieces[-1] if pieces else before).append(shape)
        elif pieces and shape.mask is None and pieces[-1][0].mask is None:
            pieces[-1].append(shape)
        else:
            if pieces and not pieces[-1][-1].outside:
                pieces[-1].append(_closing(pieces[-1][-1], shape.frame))
            pieces.append([shape])
    if pieces and before:
        pieces[0] = [*pieces[0], *before] if pieces[0][0].mask is not None else [*before, *pieces[0]]
    return pieces


def expand(shapes: list[Shape], length: int | None, filler: Filler) -> dict[int, Observation]:
    """What ``shapes`` (ascending, one a frame) say about every frame, as CVAT understands them.

    Between two shapes the box moves on a straight line, all else is that of the first; the last one holds to the end
    of the clip. An outside shape means out of view up to the next one; after the last one nobody said anything.
    """
    frames: dict[int, Observation] = {}
    for shape, after in pairwise([*shapes, None]):
        assert shape is not None
        stop = after.frame if after is not None else shape.frame + 1 if length is None else length
        if shape.outside:
            state = shape.state or (State.OUT_OF_VIEW.value if after is not None else UNLABELLED)
            if state not in (UNLABELLED, CONTINUED):
                filler.take(stop - shape.frame - 1)
                gone = Observation(source=shape.source, state=State(state), attributes=dict(shape.attributes))
                frames.update(dict.fromkeys(range(shape.frame, max(stop, shape.frame + 1)), gone))
            continue
        here = Observation(
            box=shape.box,
            mask=shape.mask,
            source=shape.source if shape.keyframe else Source.INTERPOLATED,
            state=State.OCCLUDED if shape.occluded else State.VISIBLE,
            keyframe=shape.keyframe,
            attributes=dict(shape.attributes),
        )
        frames[shape.frame] = here
        filler.fill(frames, shape.frame, stop, here, after.box if after is not None else None)
    return frames


def _closing(last: Shape, frame: int) -> Shape:
    return Shape(frame, last.box, outside=True, state=CONTINUED, source=last.source)


def _alike(a: Observation, b: Observation) -> bool:
    return (a.state, a.source, a.attributes) == (b.state, b.source, b.attributes)
