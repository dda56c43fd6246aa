"""Regions as VOT writes them: special codes, rectangles, polygons and run-length masks.

A region is a box (4,) ``x, y, w, h``, a polygon (K, 2), or a `MaskPatch`, in image pixels. Polygon corners keep the
numbers of the file.
"""

from __future__ import annotations

import re

import numpy as np

from tracker.api import Box, MaskPatch

Region = np.ndarray | MaskPatch
"""(4,) float64 box, (K, 2) float64 polygon with K >= 3, or a mask."""

UNKNOWN, INITIALISED, FAILED = 0, 1, 2
"""VOT's special codes of a frame: no answer (skipped), the tracker was started here, it failed here."""


def parse(line: str) -> Region | int | None:
    """The region of one line; an int is a special code, None an absent target (nan or an empty mask).

    Raises ValueError when the line is none of VOT's forms.
    """
    text = line.strip()
    if text.startswith("m"):
        return _parse_mask(text[1:])
    values = np.array([float(word) for word in re.split(r"[,;\s]+", text.strip(" ,;"))])
    if np.isnan(values).any():
        return None
    if np.isinf(values).any():
        raise ValueError("a number is infinite")
    if len(values) == 1 and values[0] in (UNKNOWN, INITIALISED, FAILED):
        return int(values[0])
    if len(values) == 4:
        return values
    if len(values) >= 6 and len(values) % 2 == 0:
        return values.reshape(-1, 2)
    raise ValueError(f"{len(values)} numbers are neither a code, a rectangle nor a polygon")


def write(region: Region | int | None) -> str:
    """The line that `parse` reads back as the same region."""
    if isinstance(region, int):
        return str(region)
    if region is None:
        return "nan,nan,nan,nan"
    if isinstance(region, MaskPatch):
        return _write_mask(region)
    return ",".join(map(repr, region.ravel().tolist()))


def bounding_box(region: Region) -> Box:
    """The smallest upright rectangle around a region. Raises ValueError for an empty mask."""
    if isinstance(region, MaskPatch):
        rows, columns = np.flatnonzero(region.bits.any(axis=1)), np.flatnonzero(region.bits.any(axis=0))
        if not len(rows):
            raise ValueError("an empty mask has no bounding box")
        x, y = region.x + int(columns[0]), region.y + int(rows[0])
        return Box(x, y, int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1))
    if region.ndim == 1:
        return Box(*region.tolist())
    low, high = region.min(axis=0), region.max(axis=0)
    return Box.from_corners(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def patch(mask: np.ndarray) -> MaskPatch | None:
    """A mask (H, W) bool cut to what it holds; None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return MaskPatch(x, y, mask[y : int(rows[-1]) + 1, x : int(columns[-1]) + 1])


def start_box(region: Region) -> Box:
    """The upright box to start a tracker with: a polygon's bounding box shrunk to the polygon's area.

    The field starts its trackers so on VOT (pysot, ``get_axis_aligned_bbox``): same centre of corners, same aspect as
    the bounding box, same area as the polygon, one pixel added to either side.
    """
    around = bounding_box(region)
    if isinstance(region, MaskPatch) or region.ndim == 1 or around.area <= 0:
        return around
    x, y = region.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    share = float(np.sqrt(area / around.area))
    centre = region.mean(axis=0)
    return Box.from_centre(float(centre[0]), float(centre[1]), share * around.w + 1, share * around.h + 1)


def _parse_mask(text: str) -> MaskPatch | None:
    numbers = [int(word) for word in text.split(",")]
    if len(numbers) < 4 or min(numbers[2:]) < 0:
        raise ValueError("a mask is m<x>,<y>,<w>,<h>,<runs>")
    x, y, width, height, *runs = numbers
    if sum(runs) > width * height:
        raise ValueError("the runs of the mask are longer than its rectangle")
    bits = np.zeros(width * height, bool)
    filled = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    bits[: len(filled)] = filled
    return MaskPatch(x, y, bits.reshape(height, width)) if bits.any() else None


def _write_mask(mask: MaskPatch) -> str:
    flat = mask.bits.ravel()
    if not flat.any():
        return "m0,0,0,0,0"
    edges = np.flatnonzero(np.diff(flat, prepend=False))  # the first run is of zeros, maybe of none
    runs = np.diff(edges, prepend=0, append=len(flat))
    height, width = mask.bits.shape
    return f"m{mask.x},{mask.y},{width},{height}," + ",".join(map(str, runs.tolist()))
