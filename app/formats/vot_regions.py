"""Regions as VOT's tools write them, a line each, and polygons as they fill them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.formats.rle import vot_mask
from app.model.geometry import Box
from app.model.masks import Mask, mask_iou
from tracker.api import MaskPatch

UNKNOWN, START, FAILURE = 0, 1, 2
"""Codes in place of a region; the latter two occur in results alone."""

MAX_STEPS = 1 << 22
"""Rows that all edges of one polygon may cross together."""

_TRIES = 3  # until the outline of a filled outline is itself


@dataclass(frozen=True)
class Region:
    """``box`` with or without ``mask``, or neither: then ``code``, which is None when the object is absent."""

    box: Box | None = None
    mask: Mask | None = None
    code: int | None = None


def parse_region(line: str, size: tuple[int, int] | None) -> Region:
    """A region on a picture of ``size`` (width, height). Raises `ValueError` in words for people.

    Polygons are filled; one without area, and a flat box, counts as unknown. Without ``size`` a polygon is its bounding
    box alone and a mask is an error.
    """
    if line.startswith("m"):
        if size is None:
            raise ValueError("a mask needs the picture's size")
        mask = vot_mask(line, size[1], size[0])
        return Region() if mask is None else Region(mask.box, mask)
    try:
        values = [float(token) for token in line.split(",")]
    except ValueError:
        raise ValueError(f"'{line[:40]}' is no region") from None
    if len(values) != 1 and (len(values) < 4 or len(values) % 2):
        raise ValueError(f"a region has 1, 4, 6, 8, ... numbers, not {len(values)}")
    if len(values) > 1 and any(map(math.isnan, values)):
        return Region()
    return numbered(values, size)


def numbered(values: list[float], size: tuple[int, int] | None) -> Region:
    """The region of 1, 4, 6, 8, ... numbers: a code, a box or the corners of a polygon. Raises as `parse_region`."""
    if not all(map(math.isfinite, values)):
        raise ValueError("a region is made of finite numbers")
    if len(values) == 1:
        return Region(code=int(values[0]))
    if len(values) > 4:
        return _polygon(np.array(values).reshape(-1, 2), size)
    box = Box(*values)
    if box.w < 0 or box.h < 0 or not math.isfinite(sum(box)):
        raise ValueError("width and height must not be negative, nor the numbers huge")
    return Region(box) if box.w > 0 and box.h > 0 else Region(code=UNKNOWN)


def polygon_text(points: np.ndarray) -> str:
    """``x1,y1,x2,y2,...`` of (n, 2) whole numbers."""
    return ",".join(map(str, points.ravel().tolist()))


def settled(mask: Mask) -> Mask | None:
    """The mask nearest to ``mask`` that has a `contour`; None when there is none.

    Holes and all parts but the largest are gone; so are some bays, since the toolkit fills from side to side where
    a row has an outermost corner.
    """
    tried = [mask, _convex_rows(mask)]
    for way in (1, -1):
        again: Mask | None = mask
        for _ in range(_TRIES):
            points = None if again is None else _around(again)
            again = None if points is None else fill(points[::way], mask.height, mask.width)
            tried.append(again)
    good = [one for one in tried if one is not None and contour(one) is not None]
    return max(good, key=lambda one: mask_iou(one, mask), default=None)


def contour(mask: Mask) -> np.ndarray | None:
    """A polygon that is filled as exactly ``mask``, (n, 2) int, through its outermost pixels; None when there is none.

    Never four corners: those are how data sets write a box that is turned.
    """
    for ring in (_around(mask), _sides(mask)):
        for points in () if ring is None else (ring, ring[::-1]):
            if (np.ptp(points, axis=0) > 0).all() and fill(points, mask.height, mask.width) == mask:
                return np.concatenate([points, points[:1]]) if len(points) == 4 else points
    return None


def _around(mask: Mask) -> np.ndarray | None:
    """The outermost pixels of the largest part, (n, 2); None when there are less than three corners."""
    patch = mask.patch()
    if patch is None:
        return None
    import cv2  # half a second to import, and only polygons need it

    rings, _ = cv2.findContours(patch.bits.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ring = max(rings, key=cv2.contourArea).reshape(-1, 2) + np.array((patch.x, patch.y))
    return ring if len(ring) >= 3 else None


def _ends(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and last column of each row, (h,) each; every row has one."""
    return bits.argmax(axis=1), bits.shape[1] - 1 - bits[:, ::-1].argmax(axis=1)


def _sides(mask: Mask) -> np.ndarray | None:
    """Down the left ends of the rows and up the right ones; None with an empty row in between."""
    patch = mask.patch()
    if patch is None or not patch.bits.any(axis=1).all():
        return None
    left, right = _ends(patch.bits)
    rows = np.arange(len(left))
    ring = np.concatenate([np.stack([left, rows], 1), np.stack([right, rows], 1)[::-1]])
    ring += np.array((patch.x, patch.y))
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    ring = ring[(before != after).any(axis=1)]  # nothing turns at the others
    return ring if len(ring) >= 3 else None


def _convex_rows(mask: Mask) -> Mask | None:
    """The largest part of a mask, each row filled from its first pixel to its last."""
    patch = mask.patch()
    if patch is None:
        return None
    import cv2

    _, numbers, sizes, _ = cv2.connectedComponentsWithStats(patch.bits.astype(np.uint8))
    bits = numbers == 1 + sizes[1:, cv2.CC_STAT_AREA].argmax()
    rows = bits.any(axis=1)
    left, right = _ends(bits)
    column = np.arange(bits.shape[1])
    full = (column >= left[:, None]) & (column <= right[:, None]) & rows[:, None]
    return Mask.from_patch(MaskPatch(patch.x, patch.y, full), mask.height, mask.width)


def fill(points: np.ndarray, height: int, width: int) -> Mask | None:
    """The pixels that the VOT toolkit fills for a polygon, (n, 2) x, y: corners rounded, edges inside.

    None when none is in the picture. Raises `ValueError` for a polygon that is too large.
    """
    if not np.isfinite(points).all() or np.abs(points).max() > 1e9:
        raise ValueError("a polygon is made of sensible numbers")
    corners = np.round(points.astype(np.float32)).astype(np.float64)
    left = corners[:, 0].min()
    x, y = corners[:, 0] - left, corners[:, 1]
    before = np.roll(np.arange(len(corners)), 1)
    first = np.maximum(np.minimum(y, y[before]), 0).astype(np.int64)
    last = np.minimum(np.maximum(y, y[before]), height - 1).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    total = int(count.sum())
    if total > MAX_STEPS:
        raise ValueError(f"a polygon of {len(points)} corners is too large")
    edge = np.repeat(np.arange(len(corners)), count)
    row = first[edge] + np.arange(total) - np.repeat(np.cumsum(count) - count, count)
    rise = y[before] - y
    steep = np.where(rise[edge] == 0, 1, rise[edge])
    at = np.where(rise[edge] == 0, x[edge], x[edge] + (row - y[edge]) / steep * (x[before] - x)[edge]).astype(np.int64)
    order = np.lexsort((at, row))
    at, row = at[order] + int(left), row[order]
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    spans = [span for part in np.split(np.stack([at, row], 1), starts[1:]) for span in _spans(part)] if total else []
    return _painted(spans, height, width)


def _spans(nodes: np.ndarray) -> list[tuple[int, int, int]]:
    """Row, first and last column of what lies between the nodes of one row, (n, 2) column, row, as the toolkit pairs.

    Two nodes at one place count once, but for the last two.
    """
    columns, row = nodes[:, 0].tolist(), int(nodes[0, 1])
    out, at = [], 0
    while at < len(columns) - 1:
        if columns[at] == columns[at + 1] and at < len(columns) - 2:
            at += 1
            continue
        out.append((row, columns[at], columns[at + 1]))
        at += 2
    return out


def _painted(spans: list[tuple[int, int, int]], height: int, width: int) -> Mask | None:
    """The mask of spans of rows, both ends inside; None when none of them is in the picture."""
    inside = [(row, max(a, 0), min(b, width - 1)) for row, a, b in spans if b >= 0 and a < width]
    if not inside:
        return None
    top, x = min(span[0] for span in inside), min(span[1] for span in inside)
    bits = np.zeros((max(span[0] for span in inside) - top + 1, max(span[2] for span in inside) - x + 1), bool)
    for row, a, b in inside:
        bits[row - top, a - x : b - x + 1] = True
    return Mask.from_patch(MaskPatch(x, top, bits), height, width)


def _polygon(points: np.ndarray, size: tuple[int, int] | None) -> Region:
    """Four corners are a box that is turned, and keep the box around them; other polygons have that of their pixels."""
    (x1, y1), (x2, y2) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    if not (x2 > x1 and y2 > y1):
        return Region(code=UNKNOWN)
    box = Box.from_corners(x1, y1, x2, y2)
    if not math.isfinite(sum(box)):
        raise ValueError("the numbers must not be huge")
    mask = fill(points, size[1], size[0]) if size else None
    if mask is None:
        return Region(box)
    return Region(box if len(points) == 4 else mask.box, mask)
