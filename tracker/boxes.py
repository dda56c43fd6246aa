"""Box arithmetic on arrays, in the one convention: ``x, y, w, h``, pixel edges; numpy only."""

from __future__ import annotations

import math

import numpy as np

from tracker.api import Box
from tracker.config import NetConfig


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes.

    ``a``, ``b``: (..., 4) ``x, y, w, h``, broadcast against each other; returns (...) float64 in [0, 1].
    Empty or nan boxes overlap nothing (0).
    """
    a = np.asarray(a, np.float64)
    b = np.asarray(b, np.float64)
    w = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    h = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    inter = np.maximum(w, 0) * np.maximum(h, 0)
    union = a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - inter
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.where(union > 0, inter / union, 0.0)
    return np.minimum(np.nan_to_num(out, nan=0.0), 1.0)  # equal boxes come out a rounding error above 1


def context_side(w: float, h: float, context: float = 0.5) -> float:
    """Side of the square exemplar region around a ``w`` x ``h`` target, in image pixels (reference A.1: s_z)."""
    margin = context * (w + h)
    return math.sqrt((w + margin) * (h + margin))


def outline_side(w: float, h: float) -> float:
    """Side of the square around a ``w`` x ``h`` box in which its mask is drawn, in image pixels."""
    return max(1.9 * math.sqrt(w * h), 1.5 * max(w, h))


def anchor_shapes(config: NetConfig) -> np.ndarray:
    """Widths and heights of the anchors in crop pixels, (k, 2) float64 (reference A.3: 104x32 ... 32x96)."""
    shapes = []
    for ratio in config.anchor_ratios:
        w = int(math.sqrt(config.stride * config.stride / ratio))
        h = int(w * ratio)
        shapes.append((w * config.anchor_scale, h * config.anchor_scale))
    return np.array(shapes)


def cell_centres(config: NetConfig) -> np.ndarray:
    """Centres of the cells along one axis in crop pixels, (grid,) float64; the middle cell is the crop's centre."""
    middle = (config.grid - 1) / 2
    return config.search / 2 + (np.arange(config.grid) - middle) * config.stride


def anchors(config: NetConfig) -> np.ndarray:
    """All anchors as ``cx, cy, w, h`` in crop pixels: (k, grid, grid, 4) float32, rows then columns."""
    shapes = anchor_shapes(config)
    centres = cell_centres(config)
    out = np.empty((len(shapes), config.grid, config.grid, 4), np.float32)
    out[..., 0] = centres[None, None, :]
    out[..., 1] = centres[None, :, None]
    out[..., 2:] = shapes[:, None, None, :]
    return out


def clip_to_image(box: Box, height: int, width: int, smallest: float = 10.0) -> Box:
    """Keep the centre inside the image and the size between ``smallest`` and the image's (reference B.1, step 5)."""
    w = min(max(box.w, min(smallest, width)), width)
    h = min(max(box.h, min(smallest, height)), height)
    return Box.from_centre(min(max(box.cx, 0.0), width), min(max(box.cy, 0.0), height), w, h)
