"""The document: what a project is about. It changes through `app.model.history.History.commit` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from app.model.tracks import Colour, Track

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2", "#9f9fff")
"""Track colours in order of use, told apart with any kind of colour vision (Okabe and Ito, and a violet)."""

Count = Annotated[int, msgspec.Meta(ge=0)]


class VideoRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The video a document is about: absolute path, number of frames, size in pixels, nominal frames per second."""

    path: str
    fingerprint: str
    frames: Count
    width: Count
    height: Count
    fps: Annotated[float, msgspec.Meta(ge=0)]


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of objects."""

    name: str
    colour: Colour


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """Video, labels and tracks. ``tracks`` is keyed by id; ``next_id`` only ever grows, so no id is used twice."""

    video: VideoRef | None = None
    labels: list[Label] = []
    tracks: dict[int, Track] = {}
    next_id: int = 1

    def copy(self) -> Document:
        """An independent document for a worker; what is immutable is shared."""
        tracks = {id_: track.copy() for id_, track in self.tracks.items()}
        return Document(self.video, list(self.labels), tracks, self.next_id)

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
    ``structure``: tracks came, went or changed name, colour or visibility, or labels changed. ``video``: another one.
    """

    tracks: frozenset[int] = frozenset()
    frames: Mapping[int, Frames] = field(default_factory=dict)
    structure: bool = False
    video: bool = False

    def merge(self, other: Change) -> Change:
        """Both changes as one."""
        frames = dict(self.frames)
        for track, theirs in other.frames.items():
            frames[track] = _join(frames[track], theirs) if track in frames else theirs
        return Change(self.tracks | other.tracks, frames, self.structure or other.structure, self.video or other.video)


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
