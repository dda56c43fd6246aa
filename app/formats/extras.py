"""What an observation says beside its box, as JSON that other tools pass over: one writing for every JSON format.

Only what is not usual is written: a visible object of an imported file has an empty entry. Absent frames, which those
formats know no entry for, are listed as runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec

from app.formats.base import MAX_FRAMES, MAX_PIXELS
from app.formats.keys import Filler
from app.formats.names import colour_or
from app.model.document import COLOURS, Attribute, Comment, Document, Label, VideoRef
from app.model.tracks import AttributeValue, Observation, Source, State
from app.words import tr

Fail = Callable[[str, str], NoReturn]
"""Called with the place in the file and what is wrong; raises."""


class Extras(msgspec.Struct, omit_defaults=True):
    """What we add to an entry of a frame."""

    state: State = State.VISIBLE
    source: Source = Source.IMPORTED
    verified: bool = False
    keyframe: bool = False
    score: float | None = None
    cover: int | None = None
    signals: dict[str, float] = {}
    attributes: dict[str, AttributeValue] = {}


class Run(msgspec.Struct, omit_defaults=True):
    """Absent frames that say the same, ``first`` and ``last`` inside."""

    first: int
    last: int
    says: Extras = msgspec.field(default_factory=Extras)


class Definitions(msgspec.Struct, omit_defaults=True):
    """A label as we add it to a file."""

    name: str
    colour: str
    attributes: tuple[Attribute, ...] = ()

    @classmethod
    def of(cls, label: Label) -> Definitions:
        return cls(label.name, label.colour, label.attributes)


class OurTrack(msgspec.Struct, omit_defaults=True):
    """What we add to a track; ``id`` and ``attributes`` where the format has no place for them."""

    colour: str = ""
    ignored: bool = False
    absent: list[Run] = []
    id: int = 0
    attributes: dict[str, AttributeValue] = {}


class OurVideo(msgspec.Struct, omit_defaults=True):
    """The clip as we describe it in a file of another tool."""

    name: str
    frames: int
    width: int
    height: int
    fps: float = 0.0
    fingerprint: str = ""

    def checked(self) -> VideoRef:
        """Raises ValueError for what no clip is."""
        if not 0 <= self.frames <= MAX_FRAMES or self.width < 1 or self.height < 1:
            raise ValueError(f"a clip of {self.frames} frames of {self.width} x {self.height} pixels is impossible")
        if self.width * self.height > MAX_PIXELS:
            raise ValueError(f"a picture of {self.width} x {self.height} pixels is not supported")
        fps = self.fps if self.fps >= 0 else 0.0
        return VideoRef(self.name, self.fingerprint, self.frames, self.width, self.height, fps)


class OurFile(msgspec.Struct, omit_defaults=True):
    """What we add to a file."""

    video: OurVideo | None = None
    labels: list[Definitions] = []
    comments: list[Comment] = []

    def named(self, names: list[str]) -> list[Label]:
        """The labels of these names: ours where they are known, else with a colour of their own."""
        known = {label.name: label for label in self.labels}
        out = []
        for order, name in enumerate(names):
            ours = known.get(name)
            colour = colour_or(ours.colour if ours is not None else "", COLOURS[order % len(COLOURS)])
            out.append(Label(name, colour, ours.attributes if ours is not None else ()))
        return out

    def put_comments(self, doc: Document, frames: int, fail: Fail) -> None:
        """Put the comments into ``doc``, whose tracks are there; ``fail`` is called for one that is impossible."""
        for comment in self.comments:
            where = f"siamlabel.comments, id {comment.id}"
            if comment.id in doc.comments or comment.id in doc.tracks:
                fail(where, tr("the id is used twice"))
            if comment.frame >= frames or (comment.track is not None and comment.track not in doc.tracks):
                fail(where, tr("it is about a frame or a track that is not there"))
            doc.comments[comment.id] = comment


def extras_of(obs: Observation) -> Extras:
    """All that ``obs`` says beside box and mask."""
    return Extras(**{name: getattr(obs, name) for name in Extras.__struct_fields__})


def observed(extras: Extras, fail: Fail, where: str, **region: Any) -> Observation:
    """The observation of ``region`` (box, mask) that ``extras`` belong to; ``fail`` is called when it is impossible."""
    if extras.state in (State.OUT_OF_VIEW, State.LOST):
        region = {}
    try:
        return Observation(**region, **{name: getattr(extras, name) for name in Extras.__struct_fields__})
    except ValueError as error:
        return fail(where, str(error))


def absent_runs(frames: Mapping[int, Observation]) -> list[Run]:
    """The absent ones among ``frames`` (ascending) as runs."""
    runs: list[Run] = []
    for frame, obs in frames.items():
        if obs.box is not None:
            continue
        says = extras_of(obs)
        if runs and runs[-1].last == frame - 1 and runs[-1].says == says:
            runs[-1].last = frame
        else:
            runs.append(Run(frame, frame, says))
    return runs


def add_absent(
    frames: dict[int, Observation], runs: list[Run], length: int | None, filler: Filler, fail: Fail, where: str
) -> None:
    """Put the observations that ``runs`` say into ``frames``."""
    for run in runs:
        if not 0 <= run.first <= run.last < (MAX_FRAMES if length is None else length):
            fail(
                where,
                tr("absent frames {first} to {last} are not frames of the clip").format(first=run.first, last=run.last),
            )
        if run.says.state not in (State.OUT_OF_VIEW, State.LOST):
            fail(where, tr("'{state}' is no state of an absent object").format(state=run.says.state))
        filler.take(run.last - run.first + 1)
        obs = observed(run.says, fail, where)
        for frame in range(run.first, run.last + 1):
            if frame in frames:
                fail(where, tr("frame {frame} is there twice").format(frame=frame))
            frames[frame] = obs


def plain_values(given: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """The attributes of another tool that we have a place for: text, flags and finite numbers."""
    out: dict[str, AttributeValue] = {}
    for name, value in given.items():
        if isinstance(value, bool | str | int) or (isinstance(value, float) and math.isfinite(value)):
            out[name] = value
    return out
