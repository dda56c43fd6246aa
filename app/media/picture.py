"""From a decoded picture to displayed BGR pixels: colour, rotation, size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

TRANSPOSE, FLIP_X, FLIP_Y = 1, 2, 4
"""Bits of an orientation: first swap rows and columns, then mirror left-right, then top-bottom."""

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


def orientation(frame: VideoFrame) -> int:
    """How the file asks for its pictures to be shown, as a set of the bits above (the nearest multiple of 90 degrees).

    The display matrix maps a stored point (p, q) to (a p + c q, b p + d q), y pointing down.
    """
    data = next((d for d in cast("Iterable[SideData]", frame.side_data) if d.type is Type.DISPLAYMATRIX), None)
    if data is None:
        return 0
    matrix = np.frombuffer(bytes(data), np.int32)
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return TRANSPOSE | (FLIP_X if c < 0 else 0) | (FLIP_Y if b < 0 else 0)
    return (FLIP_X if a < 0 else 0) | (FLIP_Y if d < 0 else 0)


class Painter:
    """Turns decoded pictures of any pixel format into displayed BGR arrays of one size; not thread-safe."""

    def __init__(self, width: int, height: int, orientation: int) -> None:
        """``width``, ``height`` of the displayed picture, in pixels."""
        self._orientation = orientation
        self._stored = (height, width) if orientation & TRANSPOSE else (width, height)
        self._reformatter = VideoReformatter()

    def bgr(self, frame: VideoFrame) -> np.ndarray:
        """(height, width, 3) uint8 BGR, read-only, C-contiguous.

        A stream may change its picture size midway; such pictures are scaled to the first one's size, so that labels
        keep one frame of reference.
        """
        width, height = self._stored
        # A file that does not name its colours means BT.709 in HD and BT.601 below, as players agree.
        hd = frame.colorspace == _UNSPECIFIED and min(width, height) >= 720
        converted = self._reformatter.reformat(
            frame, width, height, "bgr24", src_colorspace=Colorspace.ITU709 if hd else None, threads=1
        )
        image = np.ascontiguousarray(turn(converted.to_ndarray(), self._orientation))
        image.flags.writeable = False
        return image


def turn(image: np.ndarray, orientation: int) -> np.ndarray:
    """``image`` (height, width, 3) as displayed under ``orientation``."""
    if not orientation:
        return image
    import cv2  # strided copies in numpy cost ten times as much; only turned videos pay for the import

    if orientation & TRANSPOSE:
        image = cv2.transpose(image)
    if orientation & (FLIP_X | FLIP_Y):
        code = {FLIP_X: 1, FLIP_Y: 0, FLIP_X | FLIP_Y: -1}[orientation & (FLIP_X | FLIP_Y)]
        image = cv2.flip(image, code)
    return image


def picture_bytes(frame: VideoFrame) -> int:
    """Bytes that a decoded picture holds on to."""
    return sum(plane.buffer_size for plane in frame.planes)
