"""Few keyframes instead of a box on every frame, as close to the boxes as asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.model.geometry import Box

SLACK = 1e-6
"""Pixels added to every tolerance, so that the rounding of floats on a straight line costs no keyframe."""

_FIRST_LOOK = 32


def simplify(frames: Mapping[int, Box], tolerance: float) -> list[int]:
    """The frames to keep as keyframes, ascending; the first and the last are always among them.

    Straight lines between the kept boxes (`app.model.interpolate.between`) stay within ``tolerance`` px of every box in
    ``frames``, on every edge. From each keyframe the next one is the farthest that allows this. Frames that are missing
    between two others are interpolated like any: split ``frames`` at the gaps that are to stay. Time grows with the
    number of frames, hardly more. Raises ValueError for a tolerance that is negative or not a number.
    """
    if not tolerance >= 0:
        raise ValueError(f"a tolerance of {tolerance} px is impossible")
    times = np.array(sorted(frames), np.float64)
    if len(times) < 3:
        return [int(t) for t in times]
    boxes = np.array([frames[int(t)] for t in times], np.float64)
    edges = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    kept = [0]
    while kept[-1] < len(times) - 1:
        kept.append(_farthest(times, edges, kept[-1], tolerance + SLACK))
    return [int(times[at]) for at in kept]


def _farthest(times: np.ndarray, edges: np.ndarray, start: int, tolerance: float) -> int:
    """Position of the last frame that a line from ``start`` may end on.

    ``times``: (n,); ``edges``: (n, 4) left, top, right, bottom. Each frame leaves a cone of slopes, for each edge, that
    pass it within the tolerance; a line may end where its slope lies in what is left of all cones before. The look
    ahead doubles while any slope is left.
    """
    best = start + 1
    low, high = np.full(4, -np.inf), np.full(4, np.inf)
    begin, look = start + 1, _FIRST_LOOK
    while begin < len(times):
        stop = min(begin + look, len(times))
        run = (times[begin:stop] - times[start])[:, None]
        rise = edges[begin:stop] - edges[start]
        lows = np.maximum.accumulate(np.vstack([low, (rise - tolerance) / run]))
        highs = np.minimum.accumulate(np.vstack([high, (rise + tolerance) / run]))
        slope = rise / run
        reached = ((lows[:-1] <= slope) & (slope <= highs[:-1])).all(axis=1).nonzero()[0]
        if len(reached):
            best = begin + int(reached[-1])
        low, high = lows[-1], highs[-1]
        if (low > high).any():
            break
        begin, look = stop, look * 2
    return best
