"""VOT's overlap: the share of common pixels of two regions drawn on the pixel grid, inside the image.

One rasteriser decides failures while running and overlaps when scoring; it follows the rules of the official toolkit
(reference F.2): coordinates are rounded to integers first; a rectangle ``x, y, w, h`` fills the columns ``x .. x+w-1``;
a polygon fills every pixel whose integer coordinates lie in it, its outline included, a span's ends rounded down.
Only the window of both regions inside the image is drawn, so the cost follows the target and not the picture.
"""

from __future__ import annotations

import numpy as np

from tracker.api import MaskPatch
from tracker.data.regions import Region

Window = tuple[int, int, int, int]
"""First column, first row, width and height in pixels."""


def overlap(a: Region, b: Region, size: tuple[int, int]) -> float:
    """Intersection over union in pixels of two regions inside an image of ``size`` (width, height), in [0, 1].

    Regions that lie outside the image altogether, or hold nan, overlap nothing.
    """
    spans = [_span(a), _span(b)]
    if None in spans:
        return 0.0
    corners = np.array([span for span in spans if span is not None])
    x1, y1 = np.maximum(corners[:, :2].min(axis=0), 0).tolist()
    x2, y2 = np.minimum(corners[:, 2:].max(axis=0), size).tolist()
    if x2 <= x1 or y2 <= y1:
        return 0.0
    window = (x1, y1, x2 - x1, y2 - y1)
    first, second = rasterise(a, window), rasterise(b, window)
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


def rasterise(region: Region, window: Window) -> np.ndarray:
    """The pixels of a region inside a window of the image: (height, width) bool."""
    x, y, width, height = window
    out = np.zeros((height, width), bool)
    if isinstance(region, MaskPatch):
        rows, columns = region.bits.shape
        x1, y1 = max(region.x, x), max(region.y, y)
        x2, y2 = min(region.x + columns, x + width), min(region.y + rows, y + height)
        if x2 > x1 and y2 > y1:
            bits = region.bits[y1 - region.y : y2 - region.y, x1 - region.x : x2 - region.x]
            out[y1 - y : y2 - y, x1 - x : x2 - x] = bits
    elif region.ndim == 1:
        left, top, w, h = np.round(region).astype(int).tolist()
        out[max(top - y, 0) : max(top + h - y, 0), max(left - x, 0) : max(left + w - x, 0)] = True
    else:
        _fill(out, np.round(region) - (x, y))
    return out


def _fill(out: np.ndarray, corners: np.ndarray) -> None:
    """Fill a polygon of whole-numbered ``corners`` (K, 2), even-odd, its outline included."""
    height, width = out.shape
    (x1, y1), (x2, y2) = corners.T, np.roll(corners, 1, axis=0).T
    rise = np.where(y1 == y2, 1.0, y2 - y1)
    low, high = np.minimum(y1, y2), np.maximum(y1, y2)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    at = np.floor(x1 + (rows - y1) * (x2 - x1) / rise)
    for crossed in ((low <= rows) & (rows < high), (low < rows) & (rows <= high)):
        # the first rule leaves out the lowest row of a shape, the second its topmost one
        crossings = np.sort(np.where(crossed, at, np.inf), axis=1)
        for left, right in zip(crossings.T[::2], crossings.T[1::2], strict=False):
            out |= (columns >= left[:, None]) & (columns <= right[:, None]) & np.isfinite(right)[:, None]


def _span(region: Region) -> tuple[int, int, int, int] | None:
    """Columns and rows that a region can touch, the ends exclusive; None for one with nan."""
    if isinstance(region, MaskPatch):
        rows, columns = region.bits.shape
        return region.x, region.y, region.x + columns, region.y + rows
    if not np.isfinite(region).all():
        return None
    whole = np.round(np.clip(region, -1e9, 1e9)).astype(int)
    if region.ndim == 1:
        x, y, w, h = whole.tolist()
        return x, y, x + max(w, 0), y + max(h, 0)
    (x1, y1), (x2, y2) = whole.min(axis=0).tolist(), whole.max(axis=0).tolist()
    return x1, y1, x2 + 1, y2 + 1
