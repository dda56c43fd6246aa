"""Segmentations as every format of the COCO family writes them: polygons, and run lengths in both encodings."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pycocotools import mask as coco_mask

from app.formats.outline import bridged, parts
from app.formats.rle import mask_from_runs, runs_of
from app.model.masks import Mask

Encoding = Literal["compressed", "numbers", "polygons"]


def segmentation_of(mask: Mask, encoding: Encoding, *, crowd: bool = False) -> dict[str, Any] | list[list[int]]:
    """What stands for a mask: run lengths, or a polygon for each part; `mask_of` makes the same mask of any of them.

    ``crowd``: of an ignored region, for which COCO has run lengths instead of polygons.
    """
    if encoding == "polygons" and not crowd:
        return [bridged(part).ravel().tolist() for part in parts(mask)]
    counts = mask.counts.decode("ascii") if encoding == "compressed" else runs_of(mask)
    return {"size": [mask.height, mask.width], "counts": counts}


def mask_of(segmentation: Any, height: int, width: int) -> Mask | None:
    """The mask of any COCO segmentation on a picture of ``height`` x ``width``; None for an empty one.

    Raises ValueError, TypeError or OverflowError; compressed run lengths are left to `app.model.masks.broken`.
    """
    if not segmentation:
        return None
    if isinstance(segmentation, list):
        flat = not isinstance(segmentation[0], list)  # as VIA writes its only polygon
        return _polygons([segmentation] if flat else segmentation, height, width)
    if not isinstance(segmentation, dict) or "counts" not in segmentation:
        raise ValueError("it is neither polygons nor run lengths")
    if segmentation.get("size") != [height, width]:
        raise ValueError(f"its size {segmentation.get('size')} is not the picture's [{height}, {width}]")
    counts = segmentation["counts"]
    if isinstance(counts, str):
        return Mask(height, width, counts.encode("ascii", "replace"))
    runs = np.asarray(counts)
    if runs.ndim != 1 or runs.dtype.kind not in "iu":
        raise ValueError("run lengths are whole numbers")
    return mask_from_runs(height, width, runs.astype(np.int64))


def _polygons(polygons: list[Any], height: int, width: int) -> Mask:
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon is an even count of at least six numbers")
        points = np.asarray(polygon)
        if points.dtype.kind not in "iuf" or not np.isfinite(points).all():
            raise ValueError("a polygon is a list of finite numbers")
        if np.abs(points).max() > 4 * max(height, width):  # the C code walks along every edge, pixel by pixel
            raise ValueError("a polygon reaches far outside the picture")
    rle: Any = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    return Mask(height, width, rle["counts"])
