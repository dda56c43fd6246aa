"""Masks as polygons on pixel borders, and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.outline import around, as_box, corners, filled, is_one_ring, joined, outline, outlines, parts, turned
from app.model.geometry import Box
from app.model.masks import Mask


@st.composite
def bits(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    return seed.random(shape) < draw(st.sampled_from((0.05, 0.5, 0.9, 0.99, 1.0)))


def area(ring: np.ndarray) -> float:
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


@given(bits())
def test_every_part_and_every_hole_has_its_ring(picture: np.ndarray) -> None:
    rings = outlines(Mask.encode(picture))
    assert sum(map(area, rings)) == picture.sum()
    parts, _ = cv2.connectedComponents(picture.astype(np.uint8), connectivity=4)
    assert sum(area(ring) > 0 for ring in rings) == parts - 1


@given(bits())
def test_a_ring_filled_is_the_part_without_its_holes(picture: np.ndarray) -> None:
    height, width = picture.shape
    _, parts = cv2.connectedComponents(picture.astype(np.uint8), connectivity=4)
    for ring in outlines(Mask.encode(picture)):
        if area(ring) < 0:
            continue
        found = filled([ring], height, width)
        assert found is not None
        there = found.decode()
        assert there.sum() == area(ring)
        inside = np.unique(parts[there & picture])
        assert any(there[parts == number].all() for number in inside)
        assert around(ring) == found.box


@given(bits())
def test_parts_with_their_holes_are_the_mask_again(picture: np.ndarray) -> None:
    rings = parts(Mask.encode(picture))
    found = joined(rings, *picture.shape)
    assert (found is None) == (not picture.any())
    assert found is None or np.array_equal(found.decode(), picture)
    count, _ = cv2.connectedComponents(picture.astype(np.uint8), connectivity=4)
    assert len(rings) == count - 1
    assert all(area(first) > 0 and all(area(hole) < 0 for hole in holes) for first, *holes in rings)


@pytest.mark.parametrize("corner", [False, True])
def test_a_turned_box_is_the_box_around_it(corner: bool) -> None:
    assert turned(Box(1, 2, 4, 2), 360, corner=corner) == Box(1, 2, 4, 2)
    around_it = Box(-1, 2, 2, 4) if corner else Box(2, 1, 2, 4)
    assert turned(Box(1, 2, 4, 2), 90, corner=corner) == pytest.approx(around_it)


@given(bits())
def test_one_ring_is_known_without_finding_it(picture: np.ndarray) -> None:
    mask = Mask.encode(picture)
    assert is_one_ring(mask) == (len(outlines(mask)) == 1)


@given(bits())
def test_one_ring_says_all_of_a_mask(picture: np.ndarray) -> None:
    ring = outline(Mask.encode(picture))
    if ring is None:
        assert not picture.any()
        return
    assert (np.diff(ring, axis=0) != 0).any(axis=1).all()  # pycocotools cannot walk an edge without length
    assert area(ring) == picture.sum()
    found = filled([ring], *picture.shape)
    assert found is not None
    assert np.array_equal(found.decode(), picture)


def test_one_ring_says_all_of_a_large_mask_with_far_parts() -> None:
    """Bridges of any slope cancel out, also where not every corner is looked at for the shortest."""
    picture = np.zeros((700, 1100), np.uint8)
    for number, (x, y, radius) in enumerate(
        [(300, 300, 250), (320, 280, 120), (330, 290, 40), (1050, 600, 30), (9, 650, 3)]
    ):
        cv2.circle(picture, (x, y), radius, number % 2 ^ 1 if number < 3 else 1, -1)
    ring = outline(Mask.encode(picture > 0))
    assert ring is not None
    found = filled([ring], *picture.shape)
    assert found is not None
    assert np.array_equal(found.decode(), picture > 0)


@given(bits())
def test_a_filled_outline_is_its_own_outline(picture: np.ndarray) -> None:
    ring = outline(Mask.encode(picture))
    if ring is None:
        assert not picture.any()
        return
    mask = filled([ring], *picture.shape)
    assert mask is not None
    again = outline(mask)
    assert again is not None
    assert np.array_equal(again, ring)
    assert as_box(ring) is None


def test_pixels_that_touch_at_a_corner_are_apart() -> None:
    rings = outlines(Mask.encode(np.eye(2, dtype=bool)))
    assert [ring.tolist() for ring in rings] == [
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        [[1, 1], [2, 1], [2, 2], [1, 2]],
    ]


def test_an_empty_mask_has_no_outline() -> None:
    assert outlines(Mask.encode(np.zeros((3, 3), bool))) == []
    assert filled([], 3, 3) is None


@given(st.integers(0, 3), st.booleans(), st.floats(0.1, 50), st.floats(0.1, 50))
def test_a_box_is_known_again_from_any_corner(start: int, turned: bool, w: float, h: float) -> None:
    box = Box(2.5, 3.25, w, h)
    points = np.roll(corners(box), start, axis=0)
    found = as_box(points[::-1] if turned else points)
    assert found == pytest.approx(box)


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0), (2, 0), (2, 2), (0, 1)],
        [(0, 0), (2, 2), (2, 0), (0, 2)],
        [(0, 0), (2, 0), (2, 0), (0, 0)],
        [(0, 0), (2, 0), (2, 2)],
    ],
)
def test_other_polygons_are_no_boxes(points: list[tuple[int, int]]) -> None:
    assert as_box(np.array(points, float)) is None


@pytest.mark.parametrize("ring", [[(0, 0), (1, 1)], [(0, 0), (1e9, 0), (0, 1)], [(0, 0), (np.nan, 0), (0, 1)]])
def test_impossible_polygons_are_refused(ring: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="polygon"):
        filled([np.array(ring)], 10, 10)
