"""A crop is a value: pixels, boxes and heat maps go through it and come back to the same place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker import crops
from tracker.api import Box, Crop, MaskPatch

FILL = np.array([9, 99, 199], np.uint8)


@given(
    st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 900), st.sampled_from([127, 255]),
    st.tuples(st.floats(-900, 900), st.floats(-900, 900), st.floats(0.1, 500), st.floats(0.1, 500)),
)  # fmt: skip
def test_boxes_return_from_a_crop_unchanged(x: float, y: float, side: float, size: int, values: tuple) -> None:
    crop = Crop(Box(x, y, side, side), size)
    box = Box(*values)
    assert crop.to_image(crop.to_crop(box)) == pytest.approx(box, abs=1e-6)


@settings(max_examples=40)
@given(st.integers(-40, 120), st.integers(-40, 120), st.integers(2, 90))
def test_a_crop_of_its_own_size_is_the_slice_and_the_fill(cx: int, cy: int, side: int) -> None:
    image = np.random.default_rng(3).integers(0, 255, (80, 100, 3), np.uint8)
    pixels, crop = crops.cut(image, cx, cy, side, side, FILL)
    padded = np.full((80 + 400, 100 + 400, 3), FILL, np.uint8)
    padded[200:280, 200:300] = image
    x, y = int(crop.rect.x) + 200, int(crop.rect.y) + 200
    assert crop.rect.w == side
    assert np.array_equal(pixels, padded[y : y + side, x : x + side])


@pytest.mark.parametrize("side", [60, 255, 400])
def test_what_lies_in_the_image_lies_where_the_crop_says(side: int) -> None:
    image = np.zeros((500, 700, 3), np.uint8)
    box = Box(330, 215, 12, 8)
    cv2.rectangle(image, (330, 215), (341, 222), (255, 255, 255), -1)
    pixels, crop = crops.cut(image, 340, 230, side, 255, FILL)
    rows, columns = np.nonzero(pixels[..., 0] > 127)
    seen = Box.from_corners(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert seen == pytest.approx(crop.to_crop(box), abs=0.6 * crop.scale + 0.6)


def test_a_crop_that_misses_the_image_is_all_fill() -> None:
    pixels, _ = crops.cut(np.zeros((20, 20, 3), np.uint8), -500, 0, 50, 127, FILL)
    assert (pixels == FILL).all()
    assert pixels.shape == (127, 127, 3)


def test_mask_patch_lands_on_the_full_image() -> None:
    patch = MaskPatch(3, 1, np.array([[True, False], [True, True]]))
    full = patch.full(4, 6)
    assert full.sum() == 3
    assert full[1, 3]
    assert not full[1, 4]
    assert full[2, 3:5].all()
