"""Masks as pictures of widget size: where they lie, what is tint and what is border, at any scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from app.gui.canvas.mask_images import mask_image
from tracker.api import MaskPatch

ROOM = QRectF(0, 0, 120, 100)


def seen(patch: MaskPatch, scale: float, x: float, y: float, *, fill=1.0, border=False, ratio=1.0) -> np.ndarray:
    """Red and alpha of what is drawn on an empty widget, (h, w, 2) in device pixels."""
    image = QImage(round(120 * ratio), round(100 * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    made = mask_image(patch, (scale, x, y), ROOM, ratio, "#ff0000", fill, border)
    if made is not None:
        painter = QPainter(image)
        painter.drawImage(made.at, made.image)
        painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return pixels[..., [2, 3]].copy()


@given(
    x=st.integers(-20, 100), y=st.integers(-20, 90), w=st.integers(3, 30), h=st.integers(3, 30),
    scale=st.sampled_from([1.0, 2.0, 3.0, 7.0]),
)  # fmt: skip
def test_tint_covers_what_the_mask_covers(x: int, y: int, w: int, h: int, scale: float) -> None:
    """A rectangle's middle and sides; a blur that finds borders rounds its corners off."""
    alpha = seen(MaskPatch(5, 3, np.ones((h, w), bool)), scale, x, y)[..., 1]
    left, top, right, bottom = x + 5 * scale, y + 3 * scale, x + (5 + w) * scale, y + (3 + h) * scale
    columns, rows = np.arange(120) + 0.5, np.arange(100) + 0.5
    inside = ((columns > left) & (columns < right))[None] & ((rows > top) & (rows < bottom))[:, None]
    assert (alpha[inside] >= 128).all()
    outside = ((columns < left - 1) | (columns > right + 1))[None] | ((rows < top - 1) | (rows > bottom + 1))[:, None]
    assert not alpha[outside].any()
    deep = ((columns > left + 3) & (columns < right - 3))[None] & ((rows > top + 3) & (rows < bottom - 3))[:, None]
    assert (alpha[deep] == 255).all()


def test_what_is_out_of_the_room_is_not_made() -> None:
    patch = MaskPatch(0, 0, np.ones((10, 10), bool))
    for x, y in ((-11, 0), (121, 0), (0, -11), (0, 101)):
        assert mask_image(patch, (1.0, x, y), ROOM, 1.0, "#ff0000", 1.0, True) is None
    made = mask_image(patch, (64.0, -300, -300), ROOM, 1.0, "#ff0000", 1.0, True)
    assert made is not None
    assert made.image.width() <= 130
    assert made.image.height() <= 110


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_border_is_a_line_with_a_rim_where_the_mask_ends(ratio: float) -> None:
    patch = MaskPatch(0, 0, np.ones((40, 40), bool))
    red, alpha = np.moveaxis(seen(patch, 1.0, 30, 30, fill=0.25, border=True, ratio=ratio), -1, 0)
    row = round(50 * ratio)
    line = slice(round(29.5 * ratio), round(30.5 * ratio))
    assert (alpha[row, line] > 240).all()
    assert (red[row, line] > 240).all()
    middle = round(50 * ratio)
    assert (red[row, middle], alpha[row, middle]) == pytest.approx((64, 64), abs=1)
    rim = round(28.25 * ratio)
    assert 20 < alpha[row, rim] < 110
    assert red[row, rim] < alpha[row, rim]
    assert alpha[row, round(26.5 * ratio)] == 0


@pytest.mark.parametrize("scale", [0.05, 0.2, 0.5, 0.8, 1.0, 4.0])
def test_thin_and_tiny_masks_stay(scale: float) -> None:
    bits = np.zeros((60, 60), bool)
    bits[:, 10] = True
    assert seen(MaskPatch(0, 0, bits), scale, 20, 20, border=True)[..., 1].max() > 60
    assert seen(MaskPatch(0, 0, np.ones((2, 3), bool)), max(scale, 0.5), 20, 20, border=True)[..., 1].max() > 60


def test_holes_stay_holes() -> None:
    bits = np.ones((40, 40), bool)
    bits[15:25, 15:25] = False
    alpha = seen(MaskPatch(0, 0, bits), 1.0, 10, 10)[..., 1]
    assert alpha[30, 30] == 0
    assert alpha[20, 20] == 255
