"""Rectangles fitted to masks: SiamMask's three answers."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from tracker.api import MaskPatch
from tracker.inference.masks import rectangle


def rotated(cx: float, cy: float, w: float, h: float, degrees: float, at: tuple[int, int] = (10, 20)) -> MaskPatch:
    """A filled rotated rectangle, pixel by pixel, its patch starting at ``at``."""
    y, x = np.mgrid[0:160, 0:200] + 0.5
    x, y = x - cx, y - cy
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    bits = (np.abs(x * cos + y * sin) <= w / 2) & (np.abs(y * cos - x * sin) <= h / 2)
    return MaskPatch(*at, bits)


def overlap(polygon: np.ndarray, mask: MaskPatch) -> float:
    canvas = np.zeros(mask.bits.shape, np.uint8)
    corners = np.round((polygon - (mask.x, mask.y)) * 16 - 8).astype(np.int32)
    cv2.fillConvexPoly(canvas, corners, 1, shift=4)
    inter = (canvas.astype(bool) & mask.bits).sum()
    return inter / ((canvas > 0).sum() + mask.bits.sum() - inter)


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))


def test_the_axis_rectangle_is_the_masks_bounds() -> None:
    bits = np.zeros((60, 80), bool)
    bits[12:40, 20:70] = True
    found = rectangle(MaskPatch(100, 50, bits), "axis")
    assert found is not None
    assert (found.min(0).tolist(), found.max(0).tolist()) == ([120, 62], [170, 90])


@pytest.mark.parametrize("degrees", [0, 17, 45, -30, 80])
@pytest.mark.parametrize("kind", ["min-area", "optimised"])
def test_a_rotated_rectangle_is_found_again(degrees: int, kind: str) -> None:
    mask = rotated(100, 80, 90, 40, degrees)
    found = rectangle(mask, kind)  # type: ignore[arg-type]
    assert found is not None
    assert found.mean(0) == pytest.approx([110, 100], abs=1)
    assert overlap(found, mask) > 0.93


def test_the_optimised_rectangle_overlaps_a_limbed_shape_better_than_the_smallest() -> None:
    """A body with a thin arm: the smallest rectangle must hold the arm, the best one need not."""
    bits = np.zeros((160, 200), bool)
    bits[60:120, 40:100] = True
    bits[85:90, 100:180] = True
    mask = MaskPatch(0, 0, bits)
    smallest, best = rectangle(mask, "min-area"), rectangle(mask, "optimised")
    assert smallest is not None
    assert best is not None
    assert overlap(best, mask) > overlap(smallest, mask) + 0.2
    assert area(best) < area(smallest)


def test_only_the_largest_part_counts_and_crumbs_are_no_answer() -> None:
    bits = np.zeros((80, 80), bool)
    bits[10:40, 10:40] = True
    bits[70:75, 70:75] = True
    found = rectangle(MaskPatch(0, 0, bits), "axis")
    assert found is not None
    assert found.max() == 40
    bits[10:40, 10:40] = False
    assert rectangle(MaskPatch(0, 0, bits), "min-area") is None
    assert rectangle(MaskPatch(0, 0, np.zeros((0, 0), bool)), "optimised") is None
