"""Mask probabilities onto the image, and the rectangles that VOT asks for (SiamMask sec. 3.3, reference B.3)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import cv2
import numpy as np

from tracker.api import HeatMap, MaskPatch

SMALLEST_AREA = 100
"""Contours below this many pixels are no answer; the regressed box is (reference A.6)."""
_POINTS = 3000
"""Mask pixels looked at while a rectangle is optimised; more only cost time."""


def draw_mask(heat: HeatMap, height: int, width: int, threshold: float) -> MaskPatch:
    """Warp mask probabilities onto the image and cut them at ``threshold``; the patch lies inside the image."""
    x0, y0 = max(0, math.floor(heat.rect.x)), max(0, math.floor(heat.rect.y))
    x1, y1 = min(width, math.ceil(heat.rect.x2)), min(height, math.ceil(heat.rect.y2))
    if x1 <= x0 or y1 <= y0:
        return MaskPatch(0, 0, np.zeros((0, 0), bool))
    cells = heat.values.shape[0] / heat.rect.w
    # pixel centres of the patch to cell centres of the map
    matrix = np.array(
        [
            [cells, 0, (x0 + 0.5 - heat.rect.x) * cells - 0.5],
            [0, cells, (y0 + 0.5 - heat.rect.y) * cells - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(heat.values, matrix, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return MaskPatch(x0, y0, drawn > threshold)


def rectangle(mask: MaskPatch, kind: Literal["axis", "min-area", "optimised"]) -> np.ndarray | None:
    """Corners (4, 2) float64 in image pixels of the rectangle around a mask's largest part; None when it is too small.

    ``axis``: its bounds. ``min-area``: the smallest rotated rectangle around it. ``optimised``: the rotated rectangle
    that overlaps the mask best, as VOT 2016 made its ground truth from masks; starts from the smallest one.
    """
    bits = mask.bits.astype(np.uint8)
    contours, _ = cv2.findContours(bits, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    if cv2.contourArea(outline) < SMALLEST_AREA:
        return None
    if kind == "axis":
        x, y, w, h = cv2.boundingRect(outline)
        found = ((x + w / 2, y + h / 2), (float(w), float(h)), 0.0)
    else:
        (cx, cy), (w, h), angle = cv2.minAreaRect(outline)
        # a contour runs through pixel centres: to the edges it is half a pixel more all round
        found = ((cx + 0.5, cy + 0.5), (w + 1, h + 1), angle)
    if kind == "optimised":
        part = np.zeros_like(bits)
        cv2.drawContours(part, [outline], -1, 1, cv2.FILLED)
        found = _optimised(part & bits, found)
    corners = cv2.boxPoints(found).astype(np.float64)
    return corners + np.array([mask.x, mask.y])


Rotated = tuple[tuple[float, float], tuple[float, float], float]


def _optimised(bits: np.ndarray, start: Rotated) -> Rotated:
    """Descent by moving one side or turning, with steps that halve, for the best overlap with ``bits``."""
    rows, columns = np.nonzero(bits)
    every = max(1, len(rows) // _POINTS)
    points = np.stack([columns[::every] + 0.5, rows[::every] + 0.5])
    area = len(rows)
    share = area / points.shape[1]

    def overlap(p: np.ndarray) -> float:
        x, y = points[0] - p[0], points[1] - p[1]
        cos, sin = math.cos(p[4]), math.sin(p[4])
        inside = (np.abs(x * cos + y * sin) <= p[2] / 2) & (np.abs(y * cos - x * sin) <= p[3] / 2)
        shared = share * np.count_nonzero(inside)
        return shared / (area + p[2] * p[3] - shared)

    best = np.array([*start[0], *start[1], math.radians(start[2])])
    score = overlap(best)
    step, turn = max(start[1]) / 4, math.radians(15)
    for _ in range(7):
        improved = True
        while improved:
            improved = False
            for tried in _neighbours(best, step, turn):
                if (now := overlap(tried)) > score + 1e-9:
                    best, score, improved = tried, now, True
        step, turn = step / 2, turn / 2
    return (float(best[0]), float(best[1])), (float(best[2]), float(best[3])), math.degrees(float(best[4]))


def _neighbours(p: np.ndarray, step: float, turn: float) -> Iterator[np.ndarray]:
    """Rectangles one move away from ``p`` (cx, cy, w, h, radians): one side in or out, or a turn.

    Moving a side, rather than centre and size apart, lets a rectangle let go of a limb on one side.
    """
    cos, sin = math.cos(p[4]), math.sin(p[4])
    for axis, (dx, dy) in enumerate(((cos, sin), (-sin, cos))):
        for end in (-1, 1):
            for change in (-step, step):
                if p[2 + axis] + change >= 1:
                    moved = p.copy()
                    moved[2 + axis] += change
                    moved[:2] += end * change / 2 * np.array([dx, dy])
                    yield moved
    for angle in (-turn, turn):
        yield p + np.array([0, 0, 0, 0, angle])
