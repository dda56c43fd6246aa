"""One answer of two: a gap between keyframes that was tracked from both sides.

Either answer is best beside the keyframe that it started from, so each counts by its distance from there and by its
score. Where both see the target in the same place they are averaged. Where they do not, an average would lie between
two things and on none: one is followed, and in a stretch of such frames there is one change-over at most, since a
tracker that has gone astray seldom comes back.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from tracker.boxes import iou

AGREE = 0.4
"""IoU from which on two boxes show the same thing."""
LEAST = 0.05
"""Score that an answer has at least: one that is there says more than none."""


def shares(
    forward: np.ndarray, backward: np.ndarray, forward_scores: np.ndarray, backward_scores: np.ndarray
) -> np.ndarray:
    """How much of each frame's answer is the one from before, (n,) float64 in [0, 1]; nan where neither side has one.

    ``forward``, ``backward``: (n, 4) boxes ``x, y, w, h`` of the n frames that lie between two keyframes, both in
    order of time, tracked from the one before and from the one after; nan rows where that side had lost the target.
    ``forward_scores``, ``backward_scores``: (n,) confidences in [0, 1]. Where the sides disagree the share is 0 or 1.
    Raises `ValueError` when the lengths differ.
    """
    n = len(forward)
    lengths = {n, len(backward), len(forward_scores), len(backward_scores)}
    if lengths != {n}:
        raise ValueError(f"boxes and scores of one gap differ in length: {sorted(lengths)}")
    here, there = np.isfinite(forward).all(axis=1), np.isfinite(backward).all(axis=1)
    way = np.arange(1, n + 1) / (n + 1)
    first = np.where(here, (1 - way) * np.clip(np.nan_to_num(forward_scores), LEAST, 1), 0.0)
    second = np.where(there, way * np.clip(np.nan_to_num(backward_scores), LEAST, 1), 0.0)
    with np.errstate(invalid="ignore"):
        out = first / (first + second)
    apart = ~(iou(forward, backward) >= AGREE)
    for start, end in _stretches(apart):
        before = np.r_[0.0, np.cumsum(first[start:end])]
        after = np.r_[0.0, np.cumsum(second[start:end][::-1])][::-1]
        change = start + int(np.argmax(before + after))
        out[start:end] = np.arange(start, end) < change
    out[here & ~there], out[there & ~here], out[~here & ~there] = 1.0, 0.0, np.nan
    return out


def fuse_boxes(forward: np.ndarray, backward: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Boxes (n, 4) of a gap: ``forward`` by its ``share`` (n,), ``backward`` by the rest; see `shares`."""
    part = np.asarray(share, np.float64)[:, None]
    mixed = forward * part + backward * (1 - part)
    return np.where(part == 1, forward, np.where(part == 0, backward, mixed))


def fuse_masks(forward: np.ndarray, backward: np.ndarray, share: float) -> np.ndarray:
    """One mask of two of the same picture part: (h, w) bool each; ``share`` in [0, 1] is the first one's.

    Every pixel's signed distances from both outlines are averaged: an outline half-way between, where a vote of two
    would always be the stronger one's. An empty mask has no outline; the other then counts alone.
    """
    if share >= 1 or not backward.any():
        return forward.copy()
    if share <= 0 or not forward.any():
        return backward.copy()
    return share * _distance(forward) + (1 - share) * _distance(backward) > 0


def _stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Runs of True as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _distance(mask: np.ndarray) -> np.ndarray:
    """Distance from the outline in pixels, positive inside, (h, w) float32; never 0."""

    def far(part: Any) -> np.ndarray:
        return cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 5)

    if mask.all():  # the outline is the picture's border
        return far(np.pad(mask, 1))[1:-1, 1:-1]
    return np.where(mask, far(mask) - 0.5, 0.5 - far(~mask))
