"""A gap tracked from both sides becomes one answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.fusing import fuse_boxes, fuse_masks, shares

NAN = [np.nan] * 4
ONES = np.ones(3)


def row(*xs: float) -> np.ndarray:
    return np.array([[x, 0.0, 20.0, 20.0] if np.isfinite(x) else NAN for x in xs]).reshape(-1, 4)


def test_sides_that_agree_are_averaged_by_their_distance_from_their_keyframes() -> None:
    share = shares(row(0, 0, 0), row(4, 4, 4), ONES, ONES)
    assert share == pytest.approx([0.75, 0.5, 0.25])
    assert fuse_boxes(row(0, 0, 0), row(4, 4, 4), share)[:, 0] == pytest.approx([1, 2, 3])


def test_the_surer_side_counts_more() -> None:
    share = shares(row(0, 0, 0), row(4, 4, 4), ONES, 0.5 * ONES)
    assert share == pytest.approx([0.75 / 0.875, 0.5 / 0.75, 0.25 / 0.625])


def test_sides_that_disagree_are_never_averaged_and_change_over_once() -> None:
    forward, backward = row(0, 0, 200, 0, 200, 200), row(300, 300, 0, 300, 0, 0)
    # the scores would have it forward, backward, forward, ...: one place for the change is chosen
    share = shares(forward, backward, np.array([1, 0.2, 1, 0.9, 0.1, 0.1]), np.array([0.1, 0.3, 0.1, 0.1, 0.9, 0.9]))
    assert share.tolist() == [1, 1, 1, 1, 0, 0]
    assert fuse_boxes(forward, backward, share)[:, 0].tolist() == [0, 0, 200, 0, 0, 0]


def test_one_side_alone_answers_where_the_other_had_lost_the_target() -> None:
    share = shares(row(0, np.nan, np.nan), row(np.nan, 8, np.nan), ONES, ONES)
    assert share[:2].tolist() == [1, 0]
    assert np.isnan(share[2])
    fused = fuse_boxes(row(0, np.nan, np.nan), row(np.nan, 8, np.nan), share)
    assert fused[:2, 0].tolist() == [0, 8]
    assert np.isnan(fused[2]).all()


def test_an_empty_gap_and_unequal_lengths() -> None:
    assert shares(row(), row(), np.zeros(0), np.zeros(0)).shape == (0,)
    with pytest.raises(ValueError, match="length"):
        shares(row(0), row(0, 0), np.ones(1), np.ones(2))


numbers = st.one_of(st.floats(-50, 50), st.just(np.nan))
confidences = st.floats(0, 1)


@given(st.lists(st.tuples(numbers, numbers, confidences, confidences), min_size=1, max_size=30))
def test_any_gap_is_symmetric_in_time_and_bounded(frames: list[tuple[float, ...]]) -> None:
    a, b, sa, sb = map(np.array, zip(*frames, strict=True))
    share = shares(row(*a), row(*b), sa, sb)
    known = np.isfinite(a) | np.isfinite(b)
    assert (np.isfinite(share) == known).all()
    assert ((share[known] >= 0) & (share[known] <= 1)).all()
    fused = fuse_boxes(row(*a), row(*b), share)
    low, high = np.fmin(a, b), np.fmax(a, b)
    assert (fused[known, 0] >= low[known] - 1e-9).all()
    assert (fused[known, 0] <= high[known] + 1e-9).all()
    together = known & (np.abs(a - b) < 5)  # the place of a change-over may be a tie, averages are not
    mirrored = shares(row(*b[::-1]), row(*a[::-1]), sb[::-1], sa[::-1])[::-1]
    assert (1 - mirrored)[together] == pytest.approx(share[together])


def square(left: int, right: int) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[10:30, left:right] = True
    return mask


def test_the_outline_of_two_masks_lies_between_theirs() -> None:
    fused = fuse_masks(square(10, 30), square(18, 38), 0.5)
    columns = np.flatnonzero(fused[20])
    assert (columns[0], columns[-1] + 1) == pytest.approx((14, 34), abs=1)
    nearer = np.flatnonzero(fuse_masks(square(10, 30), square(18, 38), 0.75)[20])
    assert (nearer[0], nearer[-1] + 1) == pytest.approx((12, 32), abs=1)


def test_equal_masks_stay_and_empty_ones_do_not_count() -> None:
    mask, none = square(10, 30), np.zeros((40, 60), bool)
    assert (fuse_masks(mask, mask, 0.3) == mask).all()
    for share in (0.0, 0.4, 1.0):
        assert (fuse_masks(mask, none, share) == mask).all()
    assert (fuse_masks(none, mask, 0.4) == mask).all()
    assert (fuse_masks(~none, ~none, 0.5) == ~none).all()
