"""Masks as polygons on pixel borders, and polygons as masks, for formats that know no run lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco

from app.model.geometry import Box
from app.model.masks import Mask

FAR = 4
"""A polygon may reach this many pictures away: the C code that fills it walks along every edge, pixel by pixel."""

_PAIRS = 10_000
"""Pairs of corners looked at for the shortest bridge; of more, every second or third one and so on."""


def outlines(mask: Mask) -> list[np.ndarray]:
    """The borders of all parts of a mask: a closed ring each, (n, 2) int64 corners x, y on pixel borders.

    Clockwise (on the screen) around a part, the other way around a hole; pixels that touch at a corner alone are parts
    of their own. Filling a ring by `filled` gives exactly the part, its holes filled.
    """
    patch = mask.patch()
    if patch is None:
        return []
    solid = np.pad(patch.bits, 1).astype(np.int8)
    level = _runs(np.diff(solid, axis=0)[:, 1:-1])  # top borders +1, walked to the right; bottom borders the other way
    upright = _runs(np.diff(solid, axis=1)[1:-1].T)[:, [1, 0, 3, 2, 4]]  # left borders +1, walked upwards
    upright[:, 4] *= -1
    ways: list[dict[tuple[int, int], dict[int, tuple[int, int]]]] = [{}, {}]
    for axis, runs in enumerate((level, upright)):
        for x1, y1, x2, y2, way in runs.tolist():
            start, end = ((x1, y1), (x2, y2)) if way > 0 else ((x2, y2), (x1, y1))
            ways[axis].setdefault(start, {})[way] = end
    rings = []
    while ways[0]:
        start = next(iter(ways[0]))
        rings.append(_ring(ways, start) + np.array((patch.x, patch.y)))
    return rings


def parts(mask: Mask) -> list[list[np.ndarray]]:
    """The rings of each part of a mask: first the one around it, then those of its holes; exact, see `joined`."""
    patch = mask.patch()
    if patch is None:
        return []
    import cv2  # half a second to import, and few formats need it

    _, numbers = cv2.connectedComponents(patch.bits.astype(np.uint8), connectivity=4)
    found: dict[int, list[np.ndarray]] = {}
    for ring in outlines(mask):
        (x, y), right = ring[0] - (patch.x, patch.y), ring[1, 0] > ring[0, 0]
        number = int(numbers[y, x] if right else numbers[y - 1, x - 1])  # of the pixel on the ring's right-hand side
        if _area(ring) > 0:
            found.setdefault(number, []).insert(0, ring)
        else:
            found.setdefault(number, []).append(ring)
    return list(found.values())


def joined(rings: list[list[np.ndarray]], height: int, width: int) -> Mask | None:
    """The mask of what `parts` gives: inside the first ring of each part and outside its others; None for no pixels.

    Raises ValueError as `filled` does.
    """
    for part in rings:
        _check(part, height, width)
    solid = filled([part[0] for part in rings if len(part) == 1], height, width)
    pierced = [part for part in rings if len(part) > 1]
    if not pierced:
        return solid
    bits = solid.decode() if solid is not None else np.zeros((height, width), bool)
    for first, *holes in pierced:  # in a crop as large as the part: there may be many
        left, top = np.maximum(np.floor(first.min(axis=0)), 0).astype(int).tolist()
        right, bottom = np.minimum(np.ceil(first.max(axis=0)), (width, height)).astype(int).tolist()
        if left < right and top < bottom:
            inside, cut = (
                _fill([ring - (left, top) for ring in of], bottom - top, right - left) for of in ([first], holes)
            )
            bits[top:bottom, left:right] |= inside & ~cut
    return Mask.encode(bits) if bits.any() else None


def outline(mask: Mask) -> np.ndarray | None:
    """One ring that says all of a mask, see `bridged`, (n, 2); None for an empty one. `filled` makes it the mask again.

    A mask that is a plain rectangle gets a fifth corner in the middle of its first edge, which tells it from a box.
    """
    rings = sorted(outlines(mask), key=lambda ring: -abs(_area(ring)))  # small ones find a large one near
    if not rings:
        return None
    ring = bridged(rings)
    if len(ring) == 4:
        return np.concatenate([ring[:1], (ring[:1] + ring[1:2]) / 2, ring[1:]])
    return ring


def is_one_ring(mask: Mask) -> bool:
    """Whether `outlines` gives a single ring: one part, no holes. Much cheaper than finding them."""
    patch = mask.patch()
    if patch is None:
        return False
    import cv2

    solid = np.pad(patch.bits, 1).astype(np.uint8)
    parts, _ = cv2.connectedComponents(solid, connectivity=4)
    around, _ = cv2.connectedComponents(1 - solid, connectivity=8)
    return parts == 2 and around == 2  # each counts what it does not number as one


def bridged(rings: Sequence[np.ndarray]) -> np.ndarray:
    """The rings of `outlines`, at least one of them, as a single one: bridges of no width lead from each to the next.

    A bridge is walked there and back, so that it encloses nothing, whether a reader counts crossings or turns. (n, 2).
    """
    whole = rings[0]
    for ring in rings[1:]:
        step = 1 + len(whole) * len(ring) // _PAIRS
        x, y = np.subtract.outer(whole[::step, 0], ring[:, 0]), np.subtract.outer(whole[::step, 1], ring[:, 1])
        at, there = divmod(int(np.argmin(x * x + y * y)), len(ring))
        at *= step
        turned = np.roll(ring, -there, axis=0)
        if (whole[at] == turned[0]).all():  # they touch: no edge without length, which pycocotools cannot walk
            whole = np.concatenate([whole[: at + 1], turned[1:], turned[:1], whole[at + 1 :]])
        else:
            whole = np.concatenate([whole[: at + 1], turned, turned[:1], whole[at:]])
    return whole


def corners(box: Box) -> np.ndarray:
    """A box as a polygon, (4, 2), clockwise from the top left."""
    return np.array([(box.x, box.y), (box.x2, box.y), (box.x2, box.y2), (box.x, box.y2)])


def as_box(points: np.ndarray) -> Box | None:
    """The box that `corners` made ``points`` of, from whichever corner they start; None for any other polygon."""
    if points.shape != (4, 2):
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    on_corners = ((points == low) | (points == high)).all()
    turned = (points != np.roll(points, 1, axis=0)).sum(axis=1)
    if not on_corners or (turned != 1).any() or (points[0] == points[2]).any():
        return None
    return Box.from_corners(*map(float, (*low, *high)))


def around(points: np.ndarray) -> Box:
    """The tight box around a polygon."""
    return Box.from_corners(*map(float, (*points.min(axis=0), *points.max(axis=0))))


def turned(box: Box, degrees: float, *, corner: bool = False) -> Box:
    """The box around ``box`` turned clockwise (on the screen) about its centre, or its top left ``corner``."""
    if degrees % 360 == 0:
        return box
    angle = math.radians(degrees)
    x, y = (box.x, box.y) if corner else (box.cx, box.cy)
    away = corners(box) - (x, y)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return around(away @ turn + (x, y))


def filled(rings: list[np.ndarray], height: int, width: int) -> Mask | None:
    """The pixels inside any of the polygons, each (n, 2); None when there are none.

    Raises ValueError for a polygon of less than three corners, or one that reaches far outside the picture.
    """
    _check(rings, height, width)
    if not rings:
        return None
    mask = Mask(height, width, _rle(rings, height, width)["counts"])
    return mask if mask.area else None


def _check(rings: list[np.ndarray], height: int, width: int) -> None:
    for ring in rings:
        if ring.ndim != 2 or ring.shape[1:] != (2,) or len(ring) < 3:
            raise ValueError("a polygon has at least three corners")
        if not np.isfinite(ring).all() or np.abs(ring).max() > FAR * max(height, width):
            raise ValueError("a polygon reaches far outside the picture")


def _rle(rings: list[np.ndarray], height: int, width: int) -> Any:
    flat: Any = [ring.astype(np.float64).ravel().tolist() for ring in rings]
    return coco.merge(coco.frPyObjects(flat, height, width))


def _fill(rings: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """(height, width) bool: inside any of the polygons."""
    return Mask(height, width, _rle(rings, height, width)["counts"]).decode()


def _runs(steps: np.ndarray) -> np.ndarray:
    """Straight runs of equal steps other than zero along the rows: (n, 5) x1, y1, x2, y2, step."""
    around_it = np.pad(steps, ((0, 0), (1, 1)))
    changed = around_it[:, 1:] != around_it[:, :-1]
    rows, first = np.nonzero(changed[:, :-1] & (steps != 0))
    _, last = np.nonzero(changed[:, 1:] & (steps != 0))
    return np.stack([first, rows, last + 1, rows, steps[rows, first]], axis=1).astype(np.int64)


def _ring(ways: list[dict[tuple[int, int], dict[int, tuple[int, int]]]], start: tuple[int, int]) -> np.ndarray:
    """Follow one border from ``start`` back to it, taking its runs out of ``ways``; a right turn where two lead on."""
    ring = [start]
    here, axis, way = start, 0, next(iter(ways[0][start]))
    while True:
        here = _take(ways[axis], here, way)
        axis = 1 - axis
        if here == start:
            return np.array(ring, np.int64)
        ring.append(here)
        there = ways[axis][here]
        # Walking right (+1) a right turn leads down (+1); walking down it leads left (-1).
        right = way if axis == 1 else -way
        way = right if right in there else -right


def _take(ways: dict[tuple[int, int], dict[int, tuple[int, int]]], at: tuple[int, int], way: int) -> tuple[int, int]:
    there = ways[at]
    end = there.pop(way)
    if not there:
        del ways[at]
    return end


def _area(ring: np.ndarray) -> float:
    """Area inside, in pixels; negative around a hole."""
    x, y = ring[:, 0], ring[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
