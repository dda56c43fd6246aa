"""Tracks: what is known about one object, frame by frame, and where the knowledge comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from app.model.geometry import Box
from app.model.masks import Mask

Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")]
"""``#rrggbb``."""
FrameIndex = Annotated[int, msgspec.Meta(ge=0)]
"""0-based frame number in display order."""
TrackId = Annotated[int, msgspec.Meta(ge=1)]
Cover = Annotated[int, msgspec.Meta(ge=0, le=8)]
"""How much of an object can be seen, in GOT-10k's levels: 0 nothing, 1 to 15 % ... 7 less than all, 8 all."""
AttributeValue = bool | int | float | str
"""What an attribute of a track or a frame may be; `app.model.document.Attribute` says which fit."""


class Source(StrEnum):
    """Who said so."""

    MANUAL = "manual"
    TRACKER = "tracker"
    INTERPOLATED = "interpolated"
    IMPORTED = "imported"


class State(StrEnum):
    """How the object is to be seen in the frame."""

    VISIBLE = "visible"
    OCCLUDED = "occluded"
    OUT_OF_VIEW = "out_of_view"
    LOST = "lost"


class Observation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """One frame of one track.

    ``box`` in image pixels; absent when the object is out of view or lost. ``score`` is the confidence in [0, 1],
    ``signals`` are the tracker's drift signals, ``cover`` is how much can be seen (None: nobody said), ``attributes``
    the values that hold on this frame. Raises ValueError for a box that is not finite or has a negative side and for a
    score, signal or attribute that is not finite, so that nothing enters a document which a project file cannot hold.
    """

    box: Box | None = None
    mask: Mask | None = None
    source: Source = Source.MANUAL
    state: State = State.VISIBLE
    verified: bool = False
    keyframe: bool = False
    score: float | None = None
    signals: dict[str, float] = {}  # msgspec gives each observation its own
    cover: Cover | None = None
    attributes: dict[str, AttributeValue] = {}

    def __post_init__(self) -> None:
        box = self.box
        if box is not None:
            x, y, w, h = box
            if not math.isfinite(x + y + w + h):
                raise ValueError(f"box {tuple(box)} has a number that is not finite")
            if w < 0 or h < 0:
                raise ValueError(f"box {tuple(box)} has a negative side")
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError(f"score {self.score} is not finite")
        for name, value in self.signals.items():
            if not math.isfinite(value):
                raise ValueError(f"signal {name!r} is {value}, which is not finite")
        check_finite(self.attributes)
        if self.cover is not None and not 0 <= self.cover <= 8:
            raise ValueError(f"cover {self.cover} is not one of the levels 0 to 8")

    @property
    def present(self) -> bool:
        """Whether the object is in the picture and has a box."""
        return self.box is not None and (self.state is State.VISIBLE or self.state is State.OCCLUDED)

    @property
    def protected(self) -> bool:
        """Whether a person vouches for it: no tracking run may overwrite it."""
        return self.verified or self.keyframe or self.source is Source.MANUAL


def check_finite(attributes: Mapping[str, AttributeValue]) -> None:
    """Raises ValueError when an attribute is a number that is not finite."""
    for name, value in attributes.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"attribute {name!r} is {value}, which is not finite")


class Track(msgspec.Struct, forbid_unknown_fields=True):
    """One object. ``frames`` holds the labelled frames only; its order means nothing.

    ``attributes``: the values that hold for the whole track. ``ignored``: not an object but a region that evaluation is
    to leave out. ``locked``: neither gestures nor runs change it.
    """

    id: TrackId
    label: str
    colour: Colour
    visible: bool = True
    frames: dict[FrameIndex, Observation] = {}
    attributes: dict[str, AttributeValue] = {}
    ignored: bool = False
    locked: bool = False

    def at(self, frame: int) -> Observation | None:
        """What is known about ``frame``; None when it was never labelled."""
        return self.frames.get(frame)

    def keyframes(self) -> list[int]:
        """The frames a person vouches for (manual, verified or marked as keyframe), ascending."""
        return sorted(frame for frame, seen in self.frames.items() if seen.protected)

    def next_keyframe(self, frame: int, direction: int = +1) -> int | None:
        """The nearest protected frame strictly after ``frame`` (strictly before it when ``direction`` < 0)."""
        if direction < 0:
            return max((f for f, seen in self.frames.items() if f < frame and seen.protected), default=None)
        return min((f for f, seen in self.frames.items() if f > frame and seen.protected), default=None)

    def span(self) -> range:
        """From the first labelled frame to the last one, both inside; empty when there are none."""
        return range(min(self.frames), max(self.frames) + 1) if self.frames else range(0)

    def copy(self) -> Track:
        """An independent track; the observations, being immutable, are shared."""
        return msgspec.structs.replace(self, frames=dict(self.frames), attributes=dict(self.attributes))


def unprotected(track: Track, frames: Mapping[int, Observation | None]) -> dict[int, Observation | None]:
    """The part of ``frames`` that may be written without a person's consent: all but the protected frames of ``track``.

    A tracking run passes every chunk through this before it commits it. Nothing of a locked track may.
    """
    if track.locked:
        return {}
    known = track.frames
    return {f: new for f, new in frames.items() if (old := known.get(f)) is None or not old.protected}
