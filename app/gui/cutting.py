"""A search region cut from the picture, for frames whose own pixels the run no longer has."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.api import Crop


def cut(image: np.ndarray, crop: Crop) -> np.ndarray:
    """``crop`` of the image as (size, size, 3) uint8 BGR; outside the image its mean colour, as in the field."""
    scale, square = crop.scale, crop.rect
    matrix = np.array([[scale, 0, -square.x * scale], [0, scale, -square.y * scale]])
    mean = tuple(float(v) for v in cv2.mean(image)[:3])
    return cv2.warpAffine(image, matrix, (crop.size, crop.size), flags=cv2.INTER_LINEAR, borderValue=mean)
