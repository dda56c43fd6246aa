"""The document: what a project is about. It changes through `app.model.history.History.commit` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec

from app.model.tracks import AttributeValue, Colour, FrameIndex, Track, TrackId

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2", "#9f9fff")
"""Track colours in order of use, told apart with any kind of colour vision (Okabe and Ito, and a violet)."""

Count = Annotated[int, msgspec.Meta(ge=0)]

SettingValue = bool | int | float | str
"""Of a setting that a project or a collection has of its own."""


class VideoRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The video a document is about: absolute path, number of frames, size in pixels, nominal frames per second."""

    path: str
    fingerprint: str
    frames: Count
    width: Count
    height: Count
    fps: Annotated[float, msgspec.Meta(ge=0)]


class AttributeKind(StrEnum):
    """What the values of an attribute are."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    FLAG = "flag"


class Attribute(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing to be said about the objects of a label.

    ``values``: the choices, for a choice alone. ``per_frame``: it is said of each frame, not of the whole track.
    ``lowest`` and ``highest``: the bounds of a number, both inside; None for no bound. Raises ValueError for a
    definition that contradicts itself.
    """

    name: str
    kind: AttributeKind = AttributeKind.TEXT
    values: tuple[str, ...] = ()
    default: AttributeValue | None = None
    per_frame: bool = False
    lowest: float | None = None
    highest: float | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("an attribute needs a name")
        if self.kind is AttributeKind.CHOICE and not self.values:
            raise ValueError(f"the attribute {self.name!r} is a choice without values")
        if self.default is not None and not self.accepts(self.default):
            raise ValueError(f"the attribute {self.name!r} does not accept its own default {self.default!r}")

    def accepts(self, value: AttributeValue) -> bool:
        """Whether ``value`` is one that this attribute can have."""
        match self.kind:
            case AttributeKind.FLAG:
                return isinstance(value, bool)
            case AttributeKind.TEXT:
                return isinstance(value, str)
            case AttributeKind.CHOICE:
                return value in self.values
            case AttributeKind.NUMBER:
                if isinstance(value, bool | str):
                    return False
                return (self.lowest is None or value >= self.lowest) and (self.highest is None or value <= self.highest)


class Label(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A class of objects, and what is to be said about each of them."""

    name: str
    colour: Colour
    attributes: tuple[Attribute, ...] = ()


class Comment(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A remark on a frame for whoever reviews it; about one track or about the picture as a whole (None)."""

    id: TrackId
    frame: FrameIndex
    text: str
    track: TrackId | None = None
    resolved: bool = False


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """Video, labels, tracks and comments, the latter two by id.

    ``next_id`` counts both and only ever grows, so no id is used twice. ``settings``: those that hold for this document
    in place of the user's, by name.
    """

    video: VideoRef | None = None
    labels: list[Label] = []
    tracks: dict[int, Track] = {}
    next_id: int = 1
    comments: dict[int, Comment] = {}
    settings: dict[str, SettingValue] = {}

    def copy(self) -> Document:
        """An independent document for a worker; what is immutable is shared."""
        tracks = {id_: track.copy() for id_, track in self.tracks.items()}
        return Document(self.video, list(self.labels), tracks, self.next_id, dict(self.comments), dict(self.settings))

    def new_track(self, label: str = "object", colour: str | None = None) -> Track:
        """A fresh empty track for an `AddTrack` edit (nothing changes here).

        Without ``colour`` it takes that of the label, or the next one of `COLOURS` when the label has none.
        """
        if colour is None:
            of_label = {known.name: known.colour for known in self.labels}
            colour = of_label.get(label, COLOURS[(self.next_id - 1) % len(COLOURS)])
        return Track(self.next_id, label, colour)


Frames = frozenset[int] | range


@dataclass(frozen=True)
class Change:
    """What an edit touched, for views to redraw no more than that.

    ``tracks``: ids of the tracks that differ. ``frames``: per track, the frames whose observation was written.
    ``structure``: tracks came, went or changed a property, or labels changed. ``video``: another one.
    ``comments``: some were written, changed or taken away. ``settings``: other ones hold for the document.
    """

    tracks: frozenset[int] = frozenset()
    frames: Mapping[int, Frames] = field(default_factory=dict)
    structure: bool = False
    video: bool = False
    comments: bool = False
    settings: bool = False

    def merge(self, other: Change) -> Change:
        """Both changes as one."""
        frames = dict(self.frames)
        for track, theirs in other.frames.items():
            frames[track] = _join(frames[track], theirs) if track in frames else theirs
        return Change(
            self.tracks | other.tracks,
            frames,
            self.structure or other.structure,
            self.video or other.video,
            self.comments or other.comments,
            self.settings or other.settings,
        )


def as_frames(frames: Iterable[int]) -> Frames:
    """The frames as a range when they are consecutive (a run's chunk), else as a set."""
    chosen = frozenset(frames)
    if not chosen:
        return range(0)
    first, last = min(chosen), max(chosen)
    return range(first, last + 1) if last - first + 1 == len(chosen) else chosen


def _join(a: Frames, b: Frames) -> Frames:
    if not a or not b:
        return a or b
    if isinstance(a, range) and isinstance(b, range) and a.start <= b.stop and b.start <= a.stop:
        return range(min(a.start, b.start), max(a.stop, b.stop))
    return as_frames((*a, *b))
