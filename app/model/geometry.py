"""Pure helpers on boxes in the one convention: ``x, y, w, h``, float image pixels, 0-based, edges on pixel borders."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from tracker.api import Box

__all__ = ["HANDLES", "Box", "Handle", "clip", "from_points", "iou", "is_valid", "move", "resize_by_handle", "union"]

Handle = Literal["nw", "n", "ne", "e", "se", "s", "sw", "w"]
HANDLES: tuple[Handle, ...] = ("nw", "n", "ne", "e", "se", "s", "sw", "w")
"""The eight grips of a box, clockwise from the top left corner; named by compass direction, north is up."""


def is_valid(box: Box) -> bool:
    """Whether all four numbers are finite and the box has an area."""
    return all(map(math.isfinite, box)) and box.w > 0 and box.h > 0


def clip(box: Box, width: float, height: float) -> Box | None:
    """The part of ``box`` inside an image of ``width`` x ``height`` pixels; None when nothing of it is inside."""
    x1, y1 = max(box.x, 0.0), max(box.y, 0.0)
    x2, y2 = min(box.x2, float(width)), min(box.y2, float(height))
    return Box.from_corners(x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None


def move(box: Box, dx: float, dy: float) -> Box:
    """The box shifted by (dx, dy) image pixels."""
    return Box(box.x + dx, box.y + dy, box.w, box.h)


def from_points(ax: float, ay: float, bx: float, by: float) -> Box:
    """The box spanned by two opposite corners given in any order, as a mouse drag gives them."""
    return Box.from_corners(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))


def resize_by_handle(box: Box, handle: Handle, dx: float, dy: float, min_size: float = 1.0) -> Box:
    """Drag one grip by (dx, dy) image pixels; the opposite side stays where it is.

    A side is never pushed closer than ``min_size`` to the opposite one: the box does not turn inside out. A box that
    is already smaller than that may keep its size.
    """
    x1, y1, x2, y2 = box.x, box.y, box.x2, box.y2
    narrowest, lowest = min(min_size, box.w), min(min_size, box.h)
    if "w" in handle:
        x1 = min(x1 + dx, x2 - narrowest)
    if "e" in handle:
        x2 = max(x2 + dx, x1 + narrowest)
    if "n" in handle:
        y1 = min(y1 + dy, y2 - lowest)
    if "s" in handle:
        y2 = max(y2 + dy, y1 + lowest)
    return Box.from_corners(x1, y1, x2, y2)


def union(boxes: Iterable[Box]) -> Box | None:
    """The smallest box around all of them; None when there are none."""
    boxes = list(boxes)
    if not boxes:
        return None
    x1, y1 = min(b.x for b in boxes), min(b.y for b in boxes)
    x2, y2 = max(b.x2 for b in boxes), max(b.y2 for b in boxes)
    return Box.from_corners(x1, y1, x2, y2)


def iou(a: Box, b: Box) -> float:
    """Intersection over union in [0, 1]; 0 when either has no area."""
    w = min(a.x2, b.x2) - max(a.x, b.x)
    h = min(a.y2, b.y2) - max(a.y, b.y)
    if w <= 0 or h <= 0:
        return 0.0
    shared = w * h
    return shared / (a.area + b.area - shared)
