"""Squares cut from the picture as trackers of this family see them, for the eyes."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.api import Box, Crop

SIZE = 127
CONTEXT = 0.5


def template_square(box: Box) -> Box:
    """The square around ``box`` with half its mean side of context on each side."""
    pad = CONTEXT * (box.w + box.h)
    side = max(1.0, float(np.sqrt((box.w + pad) * (box.h + pad))))
    return Box.from_centre(box.cx, box.cy, side, side)


def cut(image: np.ndarray, square: Box, size: int = SIZE) -> np.ndarray:
    """``square`` of the image as (size, size, 3) uint8 BGR; outside the image its mean colour, as in the field."""
    scale = Crop(square, size).scale
    matrix = np.array([[scale, 0, -square.x * scale], [0, scale, -square.y * scale]])
    mean = tuple(float(v) for v in cv2.mean(image)[:3])
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=mean)
