"""The frame as a crisp QImage for one viewport, remade only when frame or viewport change."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import cv2
import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from app.gui.canvas.viewport import Viewport

NEAREST_ABOVE = 2.0
"""Device pixels per image pixel from where pixels are shown as squares."""


class Made(NamedTuple):
    """A frame as it is seen, and where on the widget; ``source`` and ``buffer`` are what it is made of and borrows."""

    source: np.ndarray
    buffer: np.ndarray
    image: QImage
    at: QPointF


class Picture:
    """Resamples the part of the frame that is seen straight to device pixels.

    Averaged when minified (no shimmer), bilinear up to 2x, square pixels above.
    """

    def __init__(self) -> None:
        self._source: np.ndarray | None = None
        self._made: OrderedDict[tuple[Any, ...], Made] = OrderedDict()

    def set(self, image: np.ndarray | None) -> None:
        """Take a frame: (h, w, 3) uint8 BGR, kept by reference and never written to; None for no picture."""
        self._source = image
        if image is None:
            self._made.clear()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in image pixels; (0, 0) without a picture."""
        return (0, 0) if self._source is None else (self._source.shape[1], self._source.shape[0])

    def paint(self, painter: QPainter, view: Viewport, widget: tuple[int, int], dpr: float) -> None:
        """Draw the seen part. ``widget`` is its logical size, ``dpr`` device pixels per logical pixel."""
        if self._source is None:
            return
        made = self.prepare(self._source, view, widget, dpr)
        painter.drawImage(made.at, made.image)

    def prepare(self, source: np.ndarray, view: Viewport, widget: tuple[int, int], dpr: float) -> Made:
        """Make what painting this frame will take; the last two are kept: the one on show and the next."""
        key = (id(source), view.scale, view.x, view.y, widget, dpr)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _make(source, view, widget, dpr)
            while len(self._made) > 2:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return made

    def lens(self, x: float, y: float, side: int, zoom: float) -> QImage:
        """A square of ``side`` device pixels about an image point, ``zoom`` device pixels per image pixel; pixels are
        squares. Null without a picture."""
        if self._source is None:
            return QImage()
        back = np.array([[1 / zoom, 0, x - side / (2 * zoom)], [0, 1 / zoom, y - side / (2 * zoom)]], np.float64)
        back[:, 2] += 0.5 / zoom - 0.5  # from the middle of the first pixel there to pixel indices here
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        shown = cv2.warpAffine(self._source, back, (side, side), flags=flags, borderValue=(40, 40, 40))
        buffer = cv2.cvtColor(shown, cv2.COLOR_BGR2BGRA)
        return QImage(buffer.data, side, side, buffer.strides[0], QImage.Format.Format_RGB32).copy()


def _make(source: np.ndarray, view: Viewport, widget: tuple[int, int], dpr: float) -> Made:
    height, width = source.shape[:2]
    s = view.scale * dpr
    left, top = view.x * dpr, view.y * dpr
    if s < 1:
        size = max(1, round(width * s)), max(1, round(height * s))
        # Halving and then bilinear averages nearly as well as areas of any size do, at a fifth of their cost.
        shown = source
        while size[0] * 2 <= shown.shape[1] and size[1] * 2 <= shown.shape[0]:
            half = shown.shape[1] // 2, shown.shape[0] // 2
            shown = cv2.resize(shown, half, interpolation=cv2.INTER_AREA)
        shown = cv2.resize(shown, size, interpolation=cv2.INTER_LINEAR)
        x0, y0 = round(left), round(top)
    else:
        # The device rectangle that the picture covers on the widget, whole pixels, then one exact affine map.
        x0, y0 = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
        x1 = min(int(np.ceil(widget[0] * dpr)), int(np.ceil(left + width * s)))
        y1 = min(int(np.ceil(widget[1] * dpr)), int(np.ceil(top + height * s)))
        if x1 <= x0 or y1 <= y0:
            return Made(source, source, QImage(), QPointF())
        # Only the source pixels that are seen enter the map: far zooms of large frames stay cheap.
        sx0, sy0 = max(0, int((x0 - left) / s) - 2), max(0, int((y0 - top) / s) - 2)
        sx1, sy1 = min(width, int((x1 - left) / s) + 3), min(height, int((y1 - top) / s) + 3)
        part = source[sy0:sy1, sx0:sx1]
        shift_x = (x0 + 0.5 - left) / s - 0.5 - sx0
        shift_y = (y0 + 0.5 - top) / s - 0.5 - sy0
        back = np.array([[1 / s, 0, shift_x], [0, 1 / s, shift_y]], np.float64)
        how = cv2.INTER_NEAREST if s > NEAREST_ABOVE else cv2.INTER_LINEAR
        shown = cv2.warpAffine(
            part, back, (x1 - x0, y1 - y0), flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    buffer = cv2.cvtColor(shown, cv2.COLOR_BGR2BGRA)
    made = QImage(buffer.data, buffer.shape[1], buffer.shape[0], buffer.strides[0], QImage.Format.Format_RGB32)
    made.setDevicePixelRatio(dpr)
    return Made(source, buffer, made, QPointF(x0 / dpr, y0 / dpr))
