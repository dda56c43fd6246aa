"""Cutting square regions out of frames: the one place where image pixels become network pixels."""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

from tracker.api import Box, Crop, Image

Sampling = Literal["area", "bilinear"]


def snapped(cx: float, cy: float, side: float, size: int, sampling: Sampling) -> tuple[int, int, int, int]:
    """The square of whole pixels that is cut: left, top, side, and the whole number by which it is averaged first."""
    factor = max(1, round(side) // size) if sampling == "area" else 1
    n = max(2, factor * round(side / factor))
    if sampling == "area":
        return round(cx - n / 2), round(cy - n / 2), n, factor
    # floor(c - (n + 1) / 2 + 1 / 2) of the centre's index, which is half a pixel less than ours
    return math.floor(cx - (n + 1) / 2), math.floor(cy - (n + 1) / 2), n, factor


def cut(
    image: Image, cx: float, cy: float, side: float, size: int, fill: np.ndarray, sampling: Sampling = "area"
) -> tuple[np.ndarray, Crop]:
    """Cut the square of ``side`` image pixels around (cx, cy) and resample it to ``size`` x ``size``.

    The region is snapped to whole pixels, so the returned `Crop` is exact. Outside the image the colour is ``fill``
    (3,) uint8 (reference A.1). ``area``: large regions are first averaged over whole pixels, since bilinear sampling
    would alias. ``bilinear``: the papers' code, to the pixel, aliasing included.
    Returns pixels (size, size, 3) uint8 BGR, contiguous, and the crop.
    """
    height, width = image.shape[:2]
    x0, y0, n, factor = snapped(cx, cy, side, size, sampling)
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x0 + n, width), min(y0 + n, height)
    crop = Crop(Box(x0, y0, n, n), size)
    if right <= left or bottom <= top:
        return np.full((size, size, 3), fill, np.uint8), crop
    patch = image[top:bottom, left:right]
    if patch.shape[:2] != (n, n):
        patch = cv2.copyMakeBorder(
            patch,
            top - y0,
            y0 + n - bottom,
            left - x0,
            x0 + n - right,
            cv2.BORDER_CONSTANT,
            value=[int(v) for v in fill],
        )
    if n == size:
        return np.ascontiguousarray(patch), crop
    if factor > 1:  # by a whole number, for which averaging is fast
        patch = cv2.resize(patch, (n // factor, n // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR), crop


def stretched(image: Image, region: Box, size: int, fill: np.ndarray) -> np.ndarray:
    """Resample a region to ``size`` x ``size``, each side by its own factor: (size, size, 3) uint8 BGR.

    Unlike `cut` it is not snapped to whole pixels. Outside the image the colour is ``fill`` (3,) uint8; large regions
    are averaged over whole pixels first.
    """
    height, width = image.shape[:2]
    left, top = max(0, math.floor(region.x) - 1), max(0, math.floor(region.y) - 1)
    patch = image[top : max(0, math.ceil(region.y2) + 1), left : max(0, math.ceil(region.x2) + 1)]
    if left >= width or top >= height or not patch.size:
        return np.full((size, size, 3), fill, np.uint8)
    rows, columns = patch.shape[:2]
    factor = max(1, int(min(region.w, region.h) / size))
    if factor > 1:
        small = max(1, columns // factor), max(1, rows // factor)
        patch = cv2.resize(patch, small, interpolation=cv2.INTER_AREA)
    across, down = size / region.w, size / region.h
    matrix = np.array(
        [
            [across * columns / patch.shape[1], 0, (left - region.x) * across],
            [0, down * rows / patch.shape[0], (top - region.y) * down],
        ]
    )
    # OpenCV puts coordinates at pixel centres, our convention at edges
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    border = [float(v) for v in fill]
    return cv2.warpAffine(
        patch, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )


def mean_colour(image: Image) -> np.ndarray:
    """Mean of each channel, (3,) uint8: the padding colour, taken once from a track's first frame."""
    return np.array(cv2.mean(image)[:3]).astype(np.uint8)
