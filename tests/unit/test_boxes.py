"""Geometry of anchors and boxes: the golden figures of the field and the properties that any IoU has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import boxes
from tracker.api import Box
from tracker.config import NetConfig

SIZES = st.floats(0.5, 2000)
PLACES = st.floats(-3000, 3000)
BOXES = st.tuples(PLACES, PLACES, SIZES, SIZES)


@pytest.mark.parametrize(("size", "side"), [((64, 64), 128.0), ((104, 32), 131.15), ((40, 80), 118.32)])
def test_context_side_is_the_published_one(size: tuple[int, int], side: float) -> None:
    assert boxes.context_side(*size) == pytest.approx(side, abs=0.005)


def test_anchor_shapes_are_the_published_ones() -> None:
    expected = [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]
    assert boxes.anchor_shapes(NetConfig()).tolist() == expected


def test_anchors_lie_on_the_response_grid() -> None:
    centres = boxes.cell_centres(NetConfig())
    assert centres[12] == 127.5  # the middle of 255 px between pixel edges, pixel 127's centre
    assert np.all(np.diff(centres) == 8)
    grid = boxes.anchors(NetConfig())
    assert grid.shape == (5, 25, 25, 4)
    assert grid[2, 3, 7].tolist() == [centres[7], centres[3], 64, 64]


@given(BOXES, BOXES)
def test_iou_is_symmetric_bounded_and_one_only_for_equals(a: tuple, b: tuple) -> None:
    forward, back = float(boxes.iou(np.array(a), np.array(b))), float(boxes.iou(np.array(b), np.array(a)))
    assert forward == pytest.approx(back)
    assert 0 <= forward <= 1 + 1e-9
    assert float(boxes.iou(np.array(a), np.array(a))) == pytest.approx(1)


def test_iou_of_half_overlap_empty_and_absent() -> None:
    a = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 0, 0], [np.nan] * 4])
    b = np.array([[1, 0, 2, 2], [2, 0, 2, 2], [0, 0, 0, 0], [0, 0, 1, 1]])
    assert boxes.iou(a, b) == pytest.approx([1 / 3, 0, 0, 0])


@given(BOXES)
def test_clipping_keeps_centre_and_size_within_the_image(values: tuple) -> None:
    out = boxes.clip_to_image(Box(*values), 480, 640)
    assert -1e-6 <= out.cx <= 640 + 1e-6
    assert -1e-6 <= out.cy <= 480 + 1e-6
    assert 10 - 1e-6 <= out.w <= 640 + 1e-6
    assert 10 - 1e-6 <= out.h <= 480 + 1e-6
