"""Small pictures of objects on far frames, decoded beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.media import MediaError, Reader
from tracker.api import Box

CONTEXT = 1.8
"""A thumbnail shows this many times the box, so that one sees what is around it."""


@dataclass(frozen=True)
class Wish:
    """A picture wanted of ``box`` (image pixels) on ``frame``; without a box, of the whole frame."""

    track: int
    frame: int
    box: Box | None


def thumbnails(
    open_reader: Callable[[Path], Reader], media: Path, wishes: Sequence[Wish], width: int, height: int
) -> Generator[tuple[Wish, np.ndarray], None, None]:
    """(wish, (height, width, 3) uint8 BGR) one by one, in the order of the frames; a frame that fails is left out.

    Raises `MediaError` when the video cannot be opened.
    """
    with open_reader(media) as reader:
        for wish in sorted(wishes, key=lambda wish: wish.frame):
            try:
                image = reader.get(wish.frame).image
            except MediaError:
                continue
            yield wish, cut(image, wish.box, width, height)


def cut(image: np.ndarray, box: Box | None, width: int, height: int) -> np.ndarray:
    """The surroundings of ``box`` in (h, w, 3) uint8 as (height, width, 3), outlined; grey beyond."""
    import cv2  # only where pictures are wanted

    rows, columns = image.shape[:2]
    if box is None:
        cx, cy, span = columns / 2, rows / 2, max(columns, rows * width / height)
    else:
        cx, cy, span = box.cx, box.cy, CONTEXT * max(box.w, box.h * width / height, 24.0)
    scale = width / span
    matrix = np.array([[scale, 0, width / 2 - cx * scale], [0, scale, height / 2 - cy * scale]])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.warpAffine(image, matrix, (width, height), flags=how & 7, borderValue=(60, 60, 60))
    if box is not None:
        a = (round((box.x - cx) * scale + width / 2), round((box.y - cy) * scale + height / 2))
        b = (round((box.x2 - cx) * scale + width / 2), round((box.y2 - cy) * scale + height / 2))
        cv2.rectangle(small, a, b, (0, 0, 0), 3)
        cv2.rectangle(small, a, b, (255, 255, 255), 1)
    return small
