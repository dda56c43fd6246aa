"""Interpolation between keyframes, and keyframes instead of boxes on every frame."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.geometry import Box
from app.model.interpolate import between, interpolated
from app.model.simplify import SLACK, simplify

places = st.floats(-1e4, 1e4)
sides = st.floats(0, 1e4)
boxes = st.builds(Box, places, places, sides, sides)


@st.composite
def walks(draw: st.DrawFn) -> dict[int, Box]:
    """Boxes that stand still, glide, jump and tremble, on frames with and without gaps."""
    dice = Random(draw(st.integers(0, 2**32)))
    box = [100.0, 50.0, 30.0, 20.0]
    speed = [0.0] * 4
    out = {}
    frame = dice.randrange(100)
    for _ in range(draw(st.integers(0, 120))):
        if dice.random() < 0.1:
            speed = [dice.choice((0.0, dice.uniform(-5, 5))) for _ in range(4)]
        shake = dice.choice((0.0, 0.3, 0.0))
        box = [v + s for v, s in zip(box, speed, strict=True)]
        x, y, w, h = (v + dice.uniform(-shake, shake) for v in box)
        out[frame] = Box(x, y, max(w, 0.0), max(h, 0.0))
        frame += 1 if dice.random() < 0.95 else dice.randint(2, 9)
    return out


def error(a: Box, b: Box) -> float:
    """The largest distance of an edge in px."""
    return max(abs(a.x - b.x), abs(a.y - b.y), abs(a.x2 - b.x2), abs(a.y2 - b.y2))


@given(boxes, boxes, st.floats(0, 1))
def test_between_stays_between(a: Box, b: Box, at: float) -> None:
    found = between(a, b, at)
    for p, q, value in zip(a, b, found, strict=True):
        assert min(p, q) - 1e-9 <= value <= max(p, q) + 1e-9
    assert found.w >= 0
    assert found.h >= 0
    assert between(a, b, 0) == a
    assert between(a, b, 1) == b
    assert between(a, a, at) == a


def test_between_by_hand() -> None:
    assert between(Box(0, 10, 4, 8), Box(8, 10, 0, 16), 0.25) == Box(2, 10, 3, 10)


def test_interpolated_by_hand() -> None:
    keys = {7: Box(4, 0, 2, 2), 3: Box(0, 0, 2, 2)}
    assert interpolated(keys) == {frame: Box(frame - 3, 0, 2, 2) for frame in range(3, 8)}
    assert list(interpolated(keys)) == [3, 4, 5, 6, 7]
    assert interpolated({}) == {}
    assert interpolated({5: Box(1, 2, 3, 4)}) == {5: Box(1, 2, 3, 4)}


@given(walks(), st.floats(0, 5))
def test_what_is_kept_stays_within_the_tolerance(frames: dict[int, Box], tolerance: float) -> None:
    kept = simplify(frames, tolerance)
    assert kept == sorted(set(kept))
    assert set(kept) <= frames.keys()
    if frames:
        assert (kept[0], kept[-1]) == (min(frames), max(frames))
    filled = interpolated({frame: frames[frame] for frame in kept})
    assert all(error(filled[frame], box) <= tolerance + 2 * SLACK for frame, box in frames.items())


@given(boxes, boxes, st.integers(1, 3000), st.integers(0, 10**6))
def test_a_straight_line_needs_its_ends_alone(a: Box, b: Box, length: int, start: int) -> None:
    frames = interpolated({start: a, start + length: b})
    assert simplify(frames, 0) == [start, start + length]


def test_a_corner_is_kept() -> None:
    frames = interpolated({0: Box(0, 0, 9, 9), 40: Box(80, 0, 9, 9), 90: Box(80, 5, 9, 9)})
    assert simplify(frames, 0) == [0, 40, 90]
    assert simplify(frames, 100) == [0, 90]


def test_an_edge_counts_not_the_centre() -> None:
    frames = {0: Box(0, 0, 9, 9), 1: Box(0, 0, 11, 9), 2: Box(0, 0, 9, 9)}
    assert simplify(frames, 1.9) == [0, 1, 2]
    assert simplify(frames, 2) == [0, 2]


def test_few_frames_are_all_kept() -> None:
    assert simplify({}, 1) == []
    assert simplify({4: Box(0, 0, 1, 1)}, 1) == [4]
    assert simplify({9: Box(0, 0, 1, 1), 4: Box(0, 0, 1, 1)}, 1) == [4, 9]


@pytest.mark.parametrize("tolerance", [-0.1, float("nan")])
def test_an_impossible_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance"):
        simplify({}, tolerance)
