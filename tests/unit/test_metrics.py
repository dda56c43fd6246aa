from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tracker.evaluation import masks, metrics

finite = st.floats(-500, 500)
sides = st.floats(0.5, 500)


@st.composite
def box_rows(draw, min_size=1, max_size=12):
    n = draw(st.integers(min_size, max_size))
    corner = draw(hnp.arrays(float, (n, 2), elements=finite))
    size = draw(hnp.arrays(float, (n, 2), elements=sides))
    return np.hstack([corner, size])


def rows(*boxes):
    return np.array(boxes, float)


def test_success_is_strict_over_21_thresholds():
    # IoU .5 exceeds 0, .05 ... .45 (10 thresholds) and not .5; IoU 1 exceeds all but 1; IoU 0 exceeds none
    assert metrics.success_auc(np.array([0.5])) == pytest.approx(10 / 21)
    assert metrics.success_auc(np.array([1.0])) == pytest.approx(20 / 21)
    assert metrics.success_auc(np.array([0.0])) == 0
    assert metrics.success_auc(np.array([0.5, 1.0, 0.0])) == pytest.approx(10 / 21)
    assert len(metrics.THRESHOLDS) == 21


def test_the_curve_at_hand_worked_overlaps():
    curve = metrics.success_curve(np.array([0.1, 0.3, 0.6, 0.9]), (0.0, 0.3, 0.5, 0.95))
    assert curve.tolist() == [1.0, 0.5, 0.5, 0.0]


def test_overlap_of_hand_worked_boxes():
    truth = rows((0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10), (5, 5, 2, 2))
    predicted = rows((5, 0, 10, 10), (10, 0, 10, 10), (2, 2, 5, 4), (np.nan,) * 4)
    assert metrics.overlaps(predicted, truth) == pytest.approx([1 / 3, 0, 0.2, 0])


def test_precision_counts_the_limit_itself():
    truth = rows((0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10))
    predicted = rows((12, 16, 10, 10), (12.01, 16, 10, 10), (-5, -5, 20, 20), (np.nan,) * 4)
    errors = metrics.centre_errors(predicted, truth)
    assert errors == pytest.approx([20, np.hypot(12.01, 16), 0, np.inf])
    assert metrics.precision(errors) == 0.5


def test_region_similarity_of_hand_worked_masks():
    a = np.zeros((4, 6), bool)
    b = a.copy()
    assert masks.region_similarity(a, b) == 1.0
    a[:, :3] = True
    assert masks.region_similarity(a, b) == 0.0
    b[:, 2:4] = True
    assert masks.region_similarity(a, b) == pytest.approx(4 / 16)


@given(box_rows())
def test_a_perfect_tracker_reaches_20_of_21(truth):
    assert metrics.success_auc(metrics.overlaps(truth, truth)) == pytest.approx(20 / 21)
    assert metrics.precision(metrics.centre_errors(truth, truth)) == 1.0


@given(box_rows(3, 3), box_rows(3, 3))
def test_bounds_and_symmetry(a, b):
    overlap = metrics.overlaps(a, b)
    assert ((overlap >= 0) & (overlap <= 1)).all()
    assert metrics.overlaps(b, a) == pytest.approx(overlap)
    assert metrics.centre_errors(a, b) == pytest.approx(metrics.centre_errors(b, a))
    assert 0 <= metrics.success_auc(overlap) <= 20 / 21 + 1e-12
    curve = metrics.success_curve(overlap)
    assert (np.diff(curve) <= 0).all()


@given(box_rows(4, 4), box_rows(4, 4), finite, finite, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_overlap_does_not_see_where_the_picture_lies_or_how_large_it_is(a, b, dx, dy, scale):
    move = np.array([dx, dy, 0, 0])
    assert metrics.overlaps((a + move) * scale, (b + move) * scale) == pytest.approx(metrics.overlaps(a, b), abs=1e-9)
    assert metrics.centre_errors(a + move, b + move) == pytest.approx(metrics.centre_errors(a, b), abs=1e-9)


@given(hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 1)), st.randoms())
def test_the_order_of_frames_does_not_matter(overlap, random):
    shuffled = overlap.tolist()
    random.shuffle(shuffled)
    assert metrics.success_auc(np.array(shuffled)) == pytest.approx(metrics.success_auc(overlap))


@given(hnp.arrays(bool, (5, 7)), hnp.arrays(bool, (5, 7)))
def test_region_similarity_is_symmetric_bounded_and_one_only_when_equal(a, b):
    value = masks.region_similarity(a, b)
    assert value == masks.region_similarity(b, a)
    assert 0 <= value <= 1
    assert (value == 1) == bool((a == b).all())
