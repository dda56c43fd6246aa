"""Masks as small pictures of widget size: tint and border in one pass over their pixels, however ragged they are."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage

from app.gui.canvas.picture import NEAREST_ABOVE
from tracker.api import MaskPatch

BLUR = 1.0
"""Logical pixels; a blurred mask tells how far from its border a pixel is, up to some three of these."""
LINE = 0.8
"""Half the width of the border's line, in logical pixels."""
RIM, RIM_ALPHA = 1.9, 0.3
"""Half the width of the dark rim around that line, to be seen on any ground, and how dark it is."""
INSIDE = np.uint8(140)
"""Of 255: what the blur leaves at least of pixels of the mask, a half and a little, so that small masks stay."""
THIN = 64
"""Of 255: how much of a pixel a mask must cover to count when it is shrunk; below a half, so that thin parts stay."""


class MaskImage:
    """A mask as it is painted: device pixels (which QImage borrows), and where they lie on the widget."""

    def __init__(self, pixels: np.ndarray, at: QPointF, ratio: float) -> None:
        self._pixels = pixels
        height, width = pixels.shape
        form = QImage.Format.Format_ARGB32_Premultiplied
        self.image = QImage(pixels.data, width, height, pixels.strides[0], form)
        self.image.setDevicePixelRatio(ratio)
        self.at = at


def mask_image(
    patch: MaskPatch,
    place: tuple[float, float, float],
    room: QRectF,
    ratio: float,
    colour: str,
    fill: float,
    border: bool,
) -> MaskImage | None:
    """What of a mask lies within ``room`` (widget pixels); None for nothing.

    ``place``: logical pixels per image pixel, and the widget position of the image's top left corner. ``ratio``: device
    pixels per logical pixel. ``fill``: opacity of the tint.
    """
    scale, left, top = (value * ratio for value in place)
    rows, columns = patch.bits.shape
    left, top = left + patch.x * scale, top + patch.y * scale
    margin = math.ceil(RIM * ratio) + 1
    x0, y0 = (math.floor(v) - margin for v in (max(left, room.left() * ratio), max(top, room.top() * ratio)))
    x1 = math.ceil(min(left + columns * scale, room.right() * ratio)) + margin
    y1 = math.ceil(min(top + rows * scale, room.bottom() * ratio)) + margin
    if x1 - x0 <= 2 * margin or y1 - y0 <= 2 * margin:
        return None
    shape = _resampled(patch.bits, scale, left - x0, top - y0, (x1 - x0, y1 - y0))
    blurred = cv2.GaussianBlur(shape, (0, 0), BLUR * ratio, borderType=cv2.BORDER_CONSTANT)
    near = np.maximum(blurred, np.minimum(shape, INSIDE))
    pixels = _table(colour, fill, border)[near]
    return MaskImage(pixels, QPointF(x0 / ratio, y0 / ratio), ratio)


def _resampled(bits: np.ndarray, scale: float, left: float, top: float, size: tuple[int, int]) -> np.ndarray:
    """The mask, 0 and 255, on ``size`` device pixels with its corner at (left, top); its border is smooth."""
    source = np.ascontiguousarray(bits).view(np.uint8) * np.uint8(255)
    while scale <= 0.5 and min(source.shape) > 1:
        rows, columns = source.shape
        source = cv2.copyMakeBorder(source, 0, rows % 2, 0, columns % 2, cv2.BORDER_CONSTANT)
        source = cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        source = cv2.threshold(source, 0, 255, cv2.THRESH_BINARY)[1]  # what is left of thin parts stays whole
        scale *= 2
    how = cv2.INTER_NEAREST if scale > NEAREST_ABOVE else cv2.INTER_LINEAR
    # from the middle of the first pixel there to pixel indices here
    back = np.array([[1 / scale, 0, (0.5 - left) / scale - 0.5], [0, 1 / scale, (0.5 - top) / scale - 0.5]])
    shape = cv2.warpAffine(source, back, size, flags=how | cv2.WARP_INVERSE_MAP)
    return cv2.threshold(shape, 127 if scale >= 1 else THIN, 255, cv2.THRESH_BINARY)[1]


@lru_cache(maxsize=64)
def _table(colour: str, fill: float, border: bool) -> np.ndarray:
    """(256,) uint32 ``0xAARRGGBB``, premultiplied, by the value of the blurred mask: outside, border, inside."""
    inside = np.linspace(-3.5, 3.5, 701)  # distance to the border in logical pixels
    value = [255 * (1 + math.erf(d / (BLUR * math.sqrt(2)))) / 2 for d in inside]
    distance = np.interp(np.arange(256), value, inside)
    distance[0] = -9.0
    tint = fill * np.clip(distance + 0.5, 0, 1)
    alpha, own = tint, tint  # of the pixel, and of the track's colour in it
    if border:
        rim = RIM_ALPHA * np.clip(RIM + 0.5 - np.abs(distance), 0, 1)
        line = np.clip(LINE + 0.5 - np.abs(distance), 0, 1)
        alpha = line + (1 - line) * (rim + (1 - rim) * alpha)
        own = line + (1 - line) * (1 - rim) * own
    parts = QColor(colour)
    table = np.zeros(256, np.uint32)
    for shift, part in ((24, alpha * 255), (16, own * parts.red()), (8, own * parts.green()), (0, own * parts.blue())):
        table |= np.round(part).astype(np.uint32) << np.uint32(shift)
    return table
