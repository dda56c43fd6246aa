"""DAVIS's figures of masks: region similarity J and contour accuracy F, as davis2017-evaluation defines them.

A contour is the pixels that differ from their right, lower or lower right neighbour. Predicted and true contours match
where they lie within .008 of the picture's diagonal, rounded up, of each other; F is the harmonic mean of the share
of predicted contour that is matched and the share of true contour that is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

TOLERANCE = 0.008
"""Of the picture's diagonal."""
BINS = 4
"""Quarters of a clip; decay is the mean of the first less that of the last."""


@dataclass(frozen=True)
class Statistics:
    """Of one clip. ``recall``: share of frames above .5; ``decay``: first quarter's mean less the last quarter's."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True)
class MaskScore:
    """One tracker on one clip; ``frames`` that counted. `both` is J&F, the mean of the two means."""

    j: Statistics
    f: Statistics
    frames: int

    @property
    def both(self) -> float:
        return (self.j.mean + self.f.mean) / 2


def region_similarity(predicted: np.ndarray, truth: np.ndarray) -> float:
    """J of one frame: IoU of two masks, both (H, W) bool; 1 when both are empty."""
    union = np.count_nonzero(predicted | truth)
    return np.count_nonzero(predicted & truth) / union if union else 1.0


def contour_accuracy(predicted: np.ndarray, truth: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """F of one frame: two masks, both (H, W) bool; 1 when neither has a contour, 0 when one alone has.

    ``tolerance``: share of the diagonal, or pixels from 1 on.
    """
    radius = tolerance if tolerance >= 1 else math.ceil(tolerance * math.hypot(*truth.shape))
    disk = _disk(int(radius))
    found, wanted = contour(predicted), contour(truth)
    precision = _share(found, cv2.dilate(wanted.astype(np.uint8), disk) > 0, wanted)
    recall = _share(wanted, cv2.dilate(found.astype(np.uint8), disk) > 0, found)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask (H, W) bool that differ from their right, lower or lower right neighbour: (H, W) bool.

    Beyond the border lies what lies on it, so a mask cut by the border has no contour there.
    """
    wide = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    out = (mask ^ wide[:-1, 1:]) | (mask ^ wide[1:, :-1])
    out[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return out


def statistics(values: np.ndarray) -> Statistics:
    """Mean, recall and decay of a clip's per-frame values (N,), N > 0."""
    edges = np.floor(np.linspace(1, len(values), BINS + 1) + 1e-10 + 0.5).astype(int) - 1
    first, last = values[edges[0] : edges[1] + 1], values[edges[BINS - 1] : edges[BINS] + 1]
    return Statistics(float(values.mean()), float((values > 0.5).mean()), float(first.mean() - last.mean()))


def score(j: np.ndarray, f: np.ndarray) -> MaskScore | None:
    """A clip's figures from J and F of each frame (N,), nan where there is nothing to compare; None without frames.

    The official protocol leaves out a clip's first frame, which is given, and its last: leave them nan.
    """
    known = ~np.isnan(j) & ~np.isnan(f)
    if not known.any():
        return None
    return MaskScore(statistics(j[known]), statistics(f[known]), int(known.sum()))


def _share(contour_: np.ndarray, near: np.ndarray, other: np.ndarray) -> float:
    """Share of a contour that lies near the other; an empty one is right if the other is empty, too, or precise."""
    total = np.count_nonzero(contour_)
    if not total:
        return 1.0
    return np.count_nonzero(contour_ & near) / total if other.any() else 0.0


def _disk(radius: int) -> np.ndarray:
    """Pixels within ``radius`` of the middle one: (2 radius + 1, 2 radius + 1) uint8."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)
