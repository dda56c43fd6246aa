"""Boxes between boxes: the linear interpolation that CVAT, DIVE, Label Studio and our own gaps share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from app.model.geometry import Box


def between(a: Box, b: Box, at: float) -> Box:
    """The box at the share ``at`` (0..1) of the way from ``a`` to ``b``; every edge moves on a straight line.

    Exactly ``a`` at 0 and ``b`` at 1, exactly both where they agree; sides never turn negative.
    """
    return Box(*(_line(p, q, at) for p, q in zip(a, b, strict=True)))


def interpolated(keys: Mapping[int, Box]) -> dict[int, Box]:
    """A box for every frame from the first to the last of ``keys``, ascending; the keys themselves are among them.

    Frames numbered from far apart give a long result: whoever takes the numbers from a file bounds them first.
    """
    frames = sorted(keys)
    out: dict[int, Box] = {}
    for left, right in pairwise(frames):
        a, b, length = keys[left], keys[right], right - left
        out[left] = a
        for frame in range(left + 1, right):
            out[frame] = between(a, b, (frame - left) / length)
    if frames:
        out[frames[-1]] = keys[frames[-1]]
    return out


def _line(p: float, q: float, at: float) -> float:
    """From the nearer end, which keeps both ends exact."""
    return p + (q - p) * at if at < 0.5 else q - (q - p) * (1 - at)
