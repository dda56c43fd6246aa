"""Att-SiamMask's key part: which quarter of the target tells most, and how much each template cell then counts.

Att-SiamMask sec. 4.2 and 4.3, with the readings of reference D.2. The part is picked by texture (`select`), its weights
come from the network's own features (`attend`); both are done once, when a target is started.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from tracker import boxes
from tracker.api import Box, Exemplar, HeatMap, Image
from tracker.config import TrackConfig
from tracker.inference.engine import Engine, Square

SIDE, CELL, BINS = 64, 8, 9
"""The target is looked at in 64 x 64 pixels, 8 x 8 cells of 8 pixels, 9 unsigned orientations (D.2, point 2)."""
OFFSETS = tuple((row / 4, column / 4) for row in range(3) for column in range(3))
"""Corners (top, left) of the nine half-size windows as shares of the target's size, from top left to bottom right."""
CENTRE = 4
FLAT = 1e-3
"""Costs that differ by less than this share name no part; the centre is taken (D.2, point 4)."""
TEMPLATE_CELLS, FIRST_CELL, STRIDE = 7, 39.5, 8
"""Template cell n lies on exemplar pixel 39 + 8n, half a pixel more in edge coordinates (D.2, point 8)."""


class Choice(NamedTuple):
    """The chosen window: its number, its corner as shares of the whole, and what all nine cost (equation 6)."""

    window: int
    offset: tuple[float, float]
    costs: np.ndarray


def histograms(grey: np.ndarray) -> np.ndarray:
    """Orientation histograms of a grey picture (64, 64): (8, 8, 9) float64, magnitudes summed into unsigned bins.

    Central differences, and no normalisation over blocks: that would count the middle cells most often and choose the
    centre nearly always (D.2, point 2).
    """
    padded = np.pad(grey.astype(np.float64), 1, mode="edge")
    dx = padded[1:-1, 2:] - padded[1:-1, :-2]
    dy = padded[2:, 1:-1] - padded[:-2, 1:-1]
    angle = np.arctan2(dy, dx) % np.pi
    bins = np.minimum((angle * (BINS / np.pi)).astype(int), BINS - 1)
    cells = SIDE // CELL
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    place = ((row // CELL) * cells + column // CELL) * BINS + bins.ravel()
    return np.bincount(place, np.hypot(dx, dy).ravel(), cells * cells * BINS).reshape(cells, cells, BINS)


def select(grey: np.ndarray, fill: float = 0.0) -> Choice:
    """The window whose masking costs most structure: argmin of HOG(T) . HOG(T masked) over nine (equation 6).

    ``grey``: the target in (64, 64) pixels; ``fill``: the masking grey, black as printed.
    """
    whole = histograms(grey)
    costs = np.empty(len(OFFSETS))
    half = SIDE // 2
    for i, (top, left) in enumerate(OFFSETS):
        masked = grey.astype(np.float64)
        row, column = round(top * SIDE), round(left * SIDE)
        masked[row : row + half, column : column + half] = fill
        costs[i] = (whole * histograms(masked)).sum()
    flat = costs.max() - costs.min() <= FLAT * costs.max()
    index = CENTRE if flat else int(costs.argmin())
    return Choice(index, OFFSETS[index], costs)


def attend(
    engine: Engine, image: Image, box: Box, config: TrackConfig, fill: np.ndarray
) -> tuple[np.ndarray, Exemplar]:
    """Pick the key part of the target in ``box`` and weigh the template's cells by it.

    Returns the weights (7, 7) float32, 1 on average, and the exemplar with what people look at. The part is cut as a
    target of half the size and sought in the exemplar's own region at twice its scale, so that both keep the geometry
    that the network was trained on (equation 7; D.2, point 5).
    """
    net = engine.config
    side = boxes.context_side(box.w, box.h, config.context)
    pixels, (crop,) = engine.cut(image, [Square(box.cx, box.cy, side)], net.exemplar, [fill], config.sampling)
    exemplar = np.asarray(pixels[0])
    # the target itself by default; read as the patch, the centre window would be all of a square target (D.2, point 1)
    whole = box if config.part_from == "target" else crop.rect
    seen = _grey(exemplar, crop.to_crop(whole))
    top, left = select(seen, float(seen.mean()) if config.part_fill == "mean" else 0.0).offset
    part = Box(whole.x + left * whole.w, whole.y + top * whole.h, whole.w / 2, whole.h / 2)
    parts, _ = engine.cut(image, [Square(part.cx, part.cy, side / 2)], net.exemplar, [fill], config.sampling)
    around = [Square(box.cx, box.cy, side / 2 * net.search / net.exemplar)]
    regions, _ = engine.cut(image, around, net.search, [fill], config.sampling)
    weights = engine.part_attention(parts, regions)[0]
    first = FIRST_CELL - STRIDE / 2
    cells = crop.to_image(Box(first, first, TEMPLATE_CELLS * STRIDE, TEMPLATE_CELLS * STRIDE))
    shown = HeatMap(weights / max(float(weights.max()), 1e-6), cells)
    return weights, Exemplar(exemplar, crop, part, shown)


def _grey(pixels: np.ndarray, box: Box) -> np.ndarray:
    """What lies in ``box`` of a crop as (64, 64) float32 grey; beyond the crop its border repeats."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32)
    sx, sy = box.w / SIDE, box.h / SIDE
    matrix = np.array([[sx, 0, box.x + sx / 2 - 0.5], [0, sy, box.y + sy / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(grey, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
