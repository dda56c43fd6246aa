"""Masks by hand: what a stroke, a polygon, a fill mean as a mask. Pure: a mask in, a mask out.

Points are (x, y) in image pixels, edges on pixel borders: the middle of the first pixel is (0.5, 0.5). Holes and
several parts stay what they are; None stands for a mask without pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco

from app.model.masks import Mask
from tracker.api import Box

Points = Sequence[tuple[float, float]]
_SHIFT = 4
"""Bits after the binary point of the coordinates that OpenCV draws with."""


def brushed(
    mask: Mask | None, size: tuple[int, int], points: Points, radius: float, *, erase: bool = False
) -> Mask | None:
    """``mask`` with a stroke of a round brush of ``radius`` image pixels added or taken away; ``size``: (w, h)."""
    import cv2  # a session without masks by hand need not load it

    stroke = np.zeros((size[1], size[0]), np.uint8)
    scaled = _fixed(points)
    thickness = max(1, round(2 * radius))
    if len(points) > 1:
        cv2.polylines(stroke, [scaled.reshape(-1, 1, 2)], False, 1, thickness, cv2.LINE_8, _SHIFT)
    for x, y in (scaled[0], scaled[-1]):
        cv2.circle(stroke, (int(x), int(y)), round(max(radius, 0.5) * (1 << _SHIFT)), 1, -1, cv2.LINE_8, _SHIFT)
    return _joined(mask, size, stroke > 0, erase)


def polygon(mask: Mask | None, size: tuple[int, int], points: Points, *, erase: bool = False) -> Mask | None:
    """``mask`` with the inside of a polygon added or taken away. Fewer than three points change nothing.

    By COCO's rule, as when one is read from a file; OpenCV's would add half a pixel all around.
    """
    if len(points) < 3:
        return mask
    corners: list[Any] = [[float(v) for point in points for v in point]]
    outline: Any = coco.frPyObjects(corners, size[1], size[0])
    return _joined(mask, size, Mask(size[1], size[0], outline[0]["counts"]).decode(), erase)


def filled(mask: Mask | None, size: tuple[int, int], at: tuple[float, float], *, erase: bool = False) -> Mask | None:
    """The hole at ``at`` filled, or with ``erase`` the part of the mask there taken away; unchanged off either."""
    x, y = int(np.floor(at[0])), int(np.floor(at[1]))
    if mask is None or not (0 <= x < size[0] and 0 <= y < size[1]):
        return mask
    bits = mask.decode()
    if bits[y, x] != erase:
        return mask
    import cv2

    region = (bits if erase else ~bits).astype(np.uint8)
    _, labels = cv2.connectedComponents(region, connectivity=8 if erase else 4)
    chosen = labels == labels[y, x]
    border = np.concatenate([chosen[0], chosen[-1], chosen[:, 0], chosen[:, -1]])
    if not erase and border.any():  # the ground itself is no hole
        return mask
    return _joined(mask, size, chosen, erase)


def of_box(box: Box, size: tuple[int, int]) -> Mask | None:
    """The pixels whose middle is in ``box``."""
    bits = np.zeros((size[1], size[0]), bool)
    left, right = (min(max(round(v), 0), size[0]) for v in (box.x, box.x2))
    top, bottom = (min(max(round(v), 0), size[1]) for v in (box.y, box.y2))
    bits[top:bottom, left:right] = True
    return Mask.encode(bits) if bits.any() else None


def _fixed(points: Points) -> np.ndarray:
    """(n, 2) int32 in OpenCV's fixed point; its pixel (0, 0) has its middle at our (0.5, 0.5)."""
    return np.round((np.asarray(points, float).reshape(-1, 2) - 0.5) * (1 << _SHIFT)).astype(np.int32)


def _joined(mask: Mask | None, size: tuple[int, int], area: np.ndarray, erase: bool) -> Mask | None:
    before = np.zeros((size[1], size[0]), bool) if mask is None else mask.decode()
    after = before & ~area if erase else before | area
    return Mask.encode(after) if after.any() else None
