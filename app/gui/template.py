"""The exemplar as trackers of this family see it, for the eyes."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.api import Box

SIZE = 127
CONTEXT = 0.5


def cut_template(image: np.ndarray, box: Box) -> np.ndarray:
    """The square around ``box`` with half its mean side of context on each side, (127, 127, 3) uint8 BGR.

    Outside the image the image's mean colour, as in the field.
    """
    pad = CONTEXT * (box.w + box.h)
    side = max(1.0, float(np.sqrt((box.w + pad) * (box.h + pad))))
    scale = SIZE / side
    matrix = np.array([[scale, 0, SIZE / 2 - box.cx * scale], [0, scale, SIZE / 2 - box.cy * scale]])
    mean = tuple(float(v) for v in cv2.mean(image)[:3])
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderValue=mean)
