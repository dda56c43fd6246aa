"""What commands about ranges ask for: the structs that dialogs are made from and headless callers may fill in."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.work.frame_export import FrameParams


class TrackRange(msgspec.Struct):
    """A run from ``first`` to ``last``, both inside; backward when ``last`` is less."""

    first: Annotated[int, Meta(title="From frame", ge=0)] = 0
    last: Annotated[int, Meta(title="To frame", ge=0, description="An earlier frame tracks backward")] = 0
    mode: Annotated[Literal["fill", "replace", "range"], Meta(title="Writes")] = "range"


class DeleteRange(msgspec.Struct):
    """Frames to forget, ``first`` to ``last``, both inside."""

    first: Annotated[int, Meta(title="From frame", ge=0)] = 0
    last: Annotated[int, Meta(title="To frame", ge=0)] = 0
    protected: Annotated[bool, Meta(title="Also what people vouch for")] = False


class Copies(msgspec.Struct):
    """How often a box is copied on; backward when negative."""

    count: Annotated[int, Meta(title="Frames", ge=-10_000, le=10_000, description="Backward when negative")] = 10


class Tolerance(msgspec.Struct):
    """How far a box may be off, on any edge."""

    tolerance: Annotated[float, Meta(title="Tolerance (px)", ge=0, le=1000)] = 2.0


class FramesWanted(FrameParams, frozen=True, kw_only=True):
    """Which frames to write, and how."""

    frames: Annotated[str, Meta(title="Frames", description="labelled, keyframes, all, or ranges like 0-99,120")] = (
        "labelled"
    )
    every: Annotated[int, Meta(title="Every n-th of them", ge=1, le=100_000)] = 1
