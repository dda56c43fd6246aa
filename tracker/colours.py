"""What colours the target has and its surroundings do not: a table learnt from one picture with a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVELS = 16
"""Steps of each channel."""
_DOUBT = 4.0
"""Pixels of a colour that must have been seen before the table takes sides."""


def learn(pixels: np.ndarray, figure: np.ndarray) -> np.ndarray:
    """For each colour from -1 (ground) to 1 (figure): (LEVELS ** 3,) float32.

    ``pixels`` (h, w, 3) uint8; ``figure`` (h, w) in [0, 1], how much of each pixel is the target. Counts are shared
    with the neighbouring colours, and figure and ground weigh the same however large they are.
    """
    places, weights = _places(pixels).ravel(), figure.ravel()
    counts = []
    for part in (weights, 1 - weights):
        count = np.bincount(places, part, LEVELS**3).reshape(LEVELS, LEVELS, LEVELS)
        for axis in range(3):
            edged = np.pad(count, [(1, 1) if i == axis else (0, 0) for i in range(3)], mode="edge")
            before, after = edged.take(range(LEVELS), axis), edged.take(range(2, LEVELS + 2), axis)
            count = (before + 2 * count + after) / 4
        counts.append(count * (figure.size / 2 / max(float(part.sum()), 1.0)))
    inside, around = counts
    return ((inside - around) / (inside + around + _DOUBT)).ravel().astype(np.float32)


def within(pixels: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """How much each 2 x 2 pixels look like what is in a box ``cx, cy, w, h`` rather than around it; see `likeness`."""
    cx, cy, w, h = box
    steps_y, steps_x = (np.arange(length) + 0.5 for length in pixels.shape[:2])
    figure = (np.abs(steps_y - cy) < h / 2)[:, None] & (np.abs(steps_x - cx) < w / 2)[None]
    return likeness(pixels, learn(pixels, figure.astype(np.float32)))


def likeness(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """How much each 2 x 2 pixels look like the figure by ``table``: (h, w, 3) uint8 -> (h / 2, w / 2) float32."""
    found = table[_places(pixels)]
    return (found[::2, ::2] + found[1::2, ::2] + found[::2, 1::2] + found[1::2, 1::2]) / 4


def _places(pixels: np.ndarray) -> np.ndarray:
    steps = (pixels >> 4).astype(np.int32)
    return (steps[..., 0] * LEVELS + steps[..., 1]) * LEVELS + steps[..., 2]
