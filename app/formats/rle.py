"""Masks as run lengths in other orders and writings than the compressed COCO string that a `Mask` holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco

from app.model.masks import Mask
from tracker.api import MaskPatch


def mask_from_runs(height: int, width: int, runs: np.ndarray) -> Mask:
    """The mask of uncompressed column-major COCO runs, (n,) ints, zeros first. Raises `ValueError`."""
    _check(runs, height * width)
    if (runs[1:] == 0).any():  # the same pixels have shorter runs
        return Mask.encode(_fill(runs, height * width).reshape(width, height).T)
    rle: Any = coco.frPyObjects({"size": [height, width], "counts": runs.tolist()}, height, width)
    return Mask(height, width, rle["counts"])


def runs_of(mask: Mask) -> list[int]:
    """The uncompressed column-major COCO runs of a mask, zeros first; the inverse of `mask_from_runs`."""
    return mask.runs().tolist()


def same_mask(a: Mask | None, b: Mask | None) -> bool:
    """Whether two masks have the same pixels; equal strings need no decoding."""
    if a is None or b is None:
        return a is b
    if (a.height, a.width) != (b.height, b.width):
        return False
    return a.counts == b.counts or bool(np.array_equal(a.decode(), b.decode()))


def vot_text(mask: Mask) -> str:
    """``m<x>,<y>,<w>,<h>,<runs>``: row-major runs of the tight crop, zeros first; an empty mask is ``m0,0,0,0,0``."""
    patch = mask.patch()
    if patch is None:
        return "m0,0,0,0,0"
    (h, w), flat = patch.bits.shape, patch.bits.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size])))
    if flat[0]:
        runs = np.concatenate(([0], runs))
    return f"m{patch.x},{patch.y},{w},{h}," + ",".join(map(str, runs.tolist()))


def vot_mask(text: str, height: int, width: int) -> Mask | None:
    """The mask of `vot_text` on an image of ``height`` x ``width``; None for an empty one.

    Raises `ValueError` when the text is malformed or the mask reaches outside the image.
    """
    try:
        numbers = np.array([int(token) for token in text[1:].split(",")], np.int64)
    except (ValueError, OverflowError):
        raise ValueError("a mask is 'm' and whole numbers with commas between") from None
    if numbers.size < 4:
        raise ValueError("a mask needs at least x, y, width and height")
    x, y, w, h = (int(n) for n in numbers[:4])
    runs = numbers[4:]
    if w == 0 and h == 0:
        return None
    if w <= 0 or h <= 0 or x < 0 or y < 0 or x + w > width or y + h > height:
        raise ValueError(f"the mask's box {x},{y},{w},{h} does not lie in the image of {width} x {height} pixels")
    crop = _fill(runs, w * h).reshape(h, w)
    if not crop.any():
        return None
    return Mask.from_patch(MaskPatch(x, y, crop), height, width)


def _fill(runs: np.ndarray, size: int) -> np.ndarray:
    """(size,) bool of runs that begin with zeros. Raises `ValueError` unless they fill it exactly."""
    _check(runs, size)
    return np.repeat(np.arange(runs.size) % 2 == 1, runs)


def _check(runs: np.ndarray, size: int) -> None:
    if runs.size == 0 or runs.min() < 0 or runs.max() > size or int(runs.sum()) != size:
        raise ValueError(f"the run lengths do not fill {size} pixels")
