"""Keyframes for formats whose tools interpolate: few of them within a tolerance, or every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from app.formats.base import FormatError
from app.formats.selection import Choice
from app.model.geometry import Box
from app.model.interpolate import between
from app.model.simplify import simplify
from app.model.tracks import Observation, Source
from app.words import tr

MAX_FILLED = 2_000_000
"""Most frames that one file may ask to have filled in between its keyframes; a few lines could ask for any number."""


class KeyParams(Choice, frozen=True, kw_only=True):
    """Options of an export with keyframes."""

    keyframes: Annotated[
        Literal["within_tolerance", "every_frame"],
        msgspec.Meta(
            title="Keyframes",
            description="As few as a straight line between them allows, or one on every frame, which is slow to edit",
        ),
    ] = "within_tolerance"
    tolerance: Annotated[
        float,
        msgspec.Meta(title="Tolerance in pixels", description="How far an edge may be off between keyframes", ge=0),
    ] = 0.5


def stretches(frames: Mapping[int, Observation]) -> Iterator[list[int]]:
    """Runs of consecutive frames on which the object is present, ascending."""
    run: list[int] = []
    for frame in sorted(frame for frame, obs in frames.items() if obs.present):
        if run and frame != run[-1] + 1:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def key_frames(
    frames: Mapping[int, Observation], params: KeyParams, alike: Callable[[Observation, Observation], bool]
) -> set[int]:
    """The frames to write as keyframes; all that are present for ``every_frame``.

    Between two keyframes everything but the box is that of the first one: a frame that is not ``alike`` the one before
    is a keyframe. Where the object comes and goes there are keyframes on either side.
    """
    if params.keyframes == "every_frame":
        return {frame for frame, obs in frames.items() if obs.present}
    keys: set[int] = set()
    for run in stretches(frames):
        cuts = [run[0], *(b for a, b in pairwise(run) if not alike(frames[a], frames[b])), run[-1]]
        for start, stop in pairwise(cuts):
            piece = {frame: frames[frame].box or Box(0, 0, 0, 0) for frame in range(start, stop + 1)}
            keys.update(simplify(piece, params.tolerance))
        keys.add(run[0])
    return keys


def thinned(frames: Mapping[int, Observation], keys: set[int], params: KeyParams) -> dict[int, Observation]:
    """What a tool makes of ``frames`` that knows the present ones on ``keys`` only, ascending.

    The others become interpolated; with few keyframes the written ones read as keyframes, which marks them.
    """
    out = {frame: obs for frame, obs in frames.items() if not obs.present or frame in keys}
    if params.keyframes == "within_tolerance":
        out |= {frame: msgspec.structs.replace(out[frame], keyframe=True) for frame in keys}
        filler = Filler()
        for run in stretches(frames):
            for start, stop in pairwise(frame for frame in run if frame in keys):
                filler.fill(out, start, stop, out[start], out[stop].box)
    return dict(sorted(out.items()))


def written_keys(frames: Mapping[int, Observation], params: KeyParams) -> set[int]:
    """The keys that `thinned` was given, from what it made."""
    every = params.keyframes == "every_frame"
    return {frame for frame, obs in frames.items() if obs.present and (every or obs.keyframe)}


class Filler:
    """Fills frames between keyframes, and counts them: `FormatError` when a file asks for more than memory allows."""

    def __init__(self) -> None:
        self._left = MAX_FILLED

    def fill(self, frames: dict[int, Observation], start: int, stop: int, like: Observation, to: Box | None) -> None:
        """Put interpolated observations on the frames strictly between ``start`` and ``stop``.

        They are ``like`` the one at ``start``, whose box moves to ``to`` at ``stop`` on a straight line (None: it
        stays). Frames that are there already are left alone.
        """
        self.take(stop - start - 1)
        box = like.box
        if box is None:
            return
        still = msgspec.structs.replace(
            like, mask=None, source=Source.INTERPOLATED, keyframe=False, verified=False, score=None, signals={}
        )
        for frame in range(start + 1, stop):
            if frame in frames:
                continue
            if to is None or to == box:
                frames[frame] = still  # one for all: it cannot change
            else:
                there = between(box, to, (frame - start) / (stop - start))
                frames[frame] = Observation(
                    there, None, Source.INTERPOLATED, still.state, cover=still.cover, attributes=still.attributes
                )

    def take(self, count: int) -> None:
        """Count frames that are about to be filled."""
        self._left -= max(count, 0)
        if self._left < 0:
            raise FormatError(
                tr("the file asks for more than {MAX_FILLED:,} frames between its keyframes")
                .format(MAX_FILLED=MAX_FILLED)
                .replace(",", " "),
                remedy=tr("Check the frame numbers, or split the file."),
            )


def corners_rounded(box: Box) -> Box:
    """The box with its corners rounded to 0.001 px, as formats of corners write it."""
    return Box.from_corners(*(round(float(edge), 3) for edge in (box.x, box.y, box.x2, box.y2)))
