from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.geometry import HANDLES, Box, clip, from_points, iou, is_valid, move, resize_by_handle, union

whole = st.integers(-50, 50).map(float)
boxes = st.builds(Box, whole, whole, st.integers(1, 60).map(float), st.integers(1, 60).map(float))


def test_a_valid_box_is_finite_and_has_an_area() -> None:
    assert is_valid(Box(-3, 4, 0.5, 2))
    assert not is_valid(Box(0, 0, 0, 2))
    assert not is_valid(Box(0, 0, 2, -1))
    assert not is_valid(Box(math.nan, 0, 2, 2))
    assert not is_valid(Box(0, 0, math.inf, 2))


def test_clipping_keeps_the_part_inside_the_image() -> None:
    assert clip(Box(-5, 2, 10, 10), 8, 6) == Box(0, 2, 5, 4)
    assert clip(Box(1, 1, 3, 3), 8, 6) == Box(1, 1, 3, 3)
    assert clip(Box(-10, 0, 10, 6), 8, 6) is None
    assert clip(Box(9, 9, 4, 4), 8, 6) is None


def test_a_drag_in_any_direction_spans_the_same_box() -> None:
    assert from_points(1, 2, 5, 8) == from_points(5, 8, 1, 2) == from_points(5, 2, 1, 8) == Box(1, 2, 4, 6)


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        ("nw", Box(12, 23, 28, 37)),
        ("n", Box(10, 23, 30, 37)),
        ("ne", Box(10, 23, 32, 37)),
        ("e", Box(10, 20, 32, 40)),
        ("se", Box(10, 20, 32, 43)),
        ("s", Box(10, 20, 30, 43)),
        ("sw", Box(12, 20, 28, 43)),
        ("w", Box(12, 20, 28, 40)),
    ],
)
def test_each_grip_moves_its_own_sides(handle, expected) -> None:
    assert resize_by_handle(Box(10, 20, 30, 40), handle, 2, 3) == expected


@given(boxes, st.sampled_from(HANDLES), whole, whole)
def test_a_resized_box_never_turns_inside_out_and_keeps_the_far_side(box, handle, dx, dy) -> None:
    new = resize_by_handle(box, handle, dx, dy, min_size=2)
    assert new.w >= min(2, box.w)
    assert new.h >= min(2, box.h)
    assert ("w" in handle) or new.x == box.x
    assert ("e" in handle) or new.x2 == box.x2
    assert ("n" in handle) or new.y == box.y
    assert ("s" in handle) or new.y2 == box.y2


@given(boxes, boxes)
def test_overlap_is_symmetric_and_bounded(a, b) -> None:
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1
    assert iou(a, a) == 1
    assert (iou(a, b) == 1) == (a == b)


@given(boxes, boxes, whole, whole)
def test_overlap_does_not_depend_on_the_place(a, b, dx, dy) -> None:
    assert iou(move(a, dx, dy), move(b, dx, dy)) == iou(a, b)


def test_overlap_of_known_boxes() -> None:
    assert iou(Box(0, 0, 2, 2), Box(1, 1, 2, 2)) == pytest.approx(1 / 7)
    assert iou(Box(0, 0, 2, 2), Box(2, 0, 2, 2)) == 0
    assert iou(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0


@given(st.lists(boxes, max_size=4))
def test_the_union_holds_every_box(several) -> None:
    around = union(several)
    if around is None:
        assert not several
        return
    assert all(around.x <= b.x and around.y <= b.y and around.x2 >= b.x2 and around.y2 >= b.y2 for b in several)
    assert around.x == min(b.x for b in several)
    assert around.y2 == max(b.y2 for b in several)
