"""Hand-worked figures: the profiles of one pass, DAVIS's masks, loss detection."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tracker.api import TrackerError
from tracker.data.sequences import Sequence
from tracker.evaluation import loss, masks
from tracker.evaluation.profiles import PROFILES, Curves, get, measure

BOX = [10.0, 10.0, 20.0, 20.0]
SHAPE = (200, 300)


class Clip(Sequence):
    """A clip without pictures, 100 px wide and high."""

    @property
    def size(self) -> tuple[int, int]:  # type: ignore[override]
        return 100, 100


def clip(*rows: list[float], **more) -> Clip:
    return Clip("clip", Path("none"), np.array(rows, float), **more)


def figures(profile: str, predicted: list[list[float]], sequence: Sequence) -> Curves:
    found = measure(np.array(predicted, float), sequence, get(profile))
    assert found is not None
    return found


def square(x: int, y: int, side: int = 60) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[y : y + side, x : x + side] = True
    return mask


@pytest.mark.parametrize("profile", PROFILES)
def test_a_perfect_tracker(profile):
    found = figures(profile, [BOX] * 4, clip(*[BOX] * 4))
    assert found.auc == pytest.approx(100 / 101 if profile == "got10k" else 20 / 21)
    assert (found.at_pixels, found.normalised_figure, found.ao, found.sr75) == (1, 1, 1, 1)
    assert found.frames == (3 if profile == "got10k" else 4)


@pytest.mark.parametrize(
    ("profile", "share", "near", "frames"),
    [
        ("otb", 1, 1, 3),
        ("lasot_pysot", 0.75, 0.75, 4),
        ("lasot_pytracking", 0.75, 0.75, 4),
        ("uav123", 0.75, 1, 4),
        ("trackingnet", 1, 1, 3),
    ],
)
def test_what_becomes_of_a_frame_without_the_target(profile, share, near, frames):
    gone = clip(BOX, BOX, [math.nan] * 4, BOX)
    flagged = clip(*[BOX] * 4, absent=np.array([False, False, True, False]))
    for sequence in (gone, flagged):
        found = figures(profile, [BOX] * 4, sequence)
        assert found.auc == pytest.approx(share * 20 / 21)
        assert (found.ao, found.at_pixels, found.frames) == (share, near, frames)


def test_an_answer_without_area_is_carried_on_by_pytracking_alone():
    answers = [BOX, BOX, [0, 0, 0, 0], BOX]
    for profile, share in (("otb", 0.75), ("lasot_pysot", 0.75), ("lasot_pytracking", 1), ("uav123", 1)):
        assert figures(profile, answers, clip(*[BOX] * 4)).ao == share


def test_normalised_precision_is_a_value_or_a_mean():
    # the centre is .25 of the width away: outside .20, and within 26 of the 51 thresholds .25, .26 … .50
    moved = [[15.0, 10, 20, 20]]
    assert figures("otb", moved, clip(BOX)).normalised_figure == 0
    assert figures("trackingnet", moved, clip(BOX)).normalised_figure == pytest.approx(26 / 51)


def test_got10k_cuts_to_the_image_and_leaves_out_what_is_covered():
    # the first frame never counts; the second overlaps by 1/3 .. the answer's part outside the image is cut off
    truth = [BOX, [-10, 0, 20, 20], BOX, BOX]
    answers = [BOX, [-50, 0, 60, 20], [20.0, 10, 20, 20], [10, 10, 20, 10]]
    sequence = clip(*truth, cover=np.array([1, 1, 0.5, 0]))
    found = figures("got10k", answers, sequence)
    assert found.frames == 2
    assert found.ao == pytest.approx((1 + 1 / 3) / 2)
    assert (found.sr50, found.sr75) == (0.5, 0.5)


def test_sr_is_strict():
    half = [10.0, 10, 20, 10]
    found = figures("got10k", [BOX, half, BOX], clip(*[BOX] * 3))
    assert (found.sr50, found.sr75) == (0.5, 0.5)


def test_an_unknown_profile_lists_the_known():
    with pytest.raises(TrackerError, match="otb, lasot_pysot"):
        get("mine")


@pytest.mark.parametrize(("shift", "f"), [(0, 1.0), (3, 1.0), (4, 126 / 240)])
def test_j_and_f_of_a_shifted_square(shift, f):
    # .008 of the diagonal of 200 x 300 is 2.9 px, rounded up 3: a shift of 3 is still a perfect contour; at 4, of the
    # 240 contour pixels those of the vertical sides are too far, save 7 of the one that crosses the other's outline,
    # and of the horizontal sides all but the two foremost of 121 stay near: 126
    assert masks.region_similarity(square(50 + shift, 50), square(50, 50)) == pytest.approx((60 - shift) / (60 + shift))
    assert masks.contour_accuracy(square(50 + shift, 50), square(50, 50)) == pytest.approx(f)


def test_f_of_nothing():
    nothing = np.zeros(SHAPE, bool)
    assert masks.contour_accuracy(nothing, nothing) == 1
    assert masks.contour_accuracy(square(50, 50), nothing) == masks.contour_accuracy(nothing, square(50, 50)) == 0


def _nearest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2)).min(axis=1)


@given(hnp.arrays(bool, (12, 15)), hnp.arrays(bool, (12, 15)), st.integers(1, 4))
def test_f_is_that_of_measured_distances(a, b, radius):
    found, wanted = np.argwhere(masks.contour(a)), np.argwhere(masks.contour(b))
    if not len(found) or not len(wanted):
        return
    precision, recall = (_nearest(found, wanted) <= radius).mean(), (_nearest(wanted, found) <= radius).mean()
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0
    assert masks.contour_accuracy(a, b, radius) == pytest.approx(f)
    assert masks.contour_accuracy(b, a, radius) == pytest.approx(f)


def test_mean_recall_and_decay():
    # quarters of eight frames overlap by their ends, as the official code cuts them: 0-2 and 5-7
    found = masks.statistics(np.array([1, 1, 1, 0.8, 0.6, 0.5, 0.4, 0.3]))
    assert found.mean == pytest.approx(0.7)
    assert found.recall == 5 / 8, "above .5, not at it"
    assert found.decay == pytest.approx(1 - 0.4)


def test_loss_detection_by_hand():
    # frames 0 (start) … 11; absent 4-6 and 9; LOST is said on 2 (false pause), 5-7 and nowhere else
    absent = np.isin(np.arange(12), (4, 5, 6, 9))
    verdicts = ["lost" if frame in (2, 5, 6, 7) else "visible" for frame in range(12)]
    truth = np.tile(BOX, (12, 1))
    answers = truth.copy()
    answers[8] = [60, 60, 5, 5]  # still astray on the frame after it speaks again
    answers[10:] = [60, 60, 5, 5]
    found = loss.score(verdicts, answers, truth, ~absent, absent, 0)
    assert (found.hits, found.said, found.absent, found.present) == (2, 4, 4, 7)
    assert (found.precision, found.recall, found.f) == (0.5, 0.5, 0.5)
    assert found.pauses == 1, "LOST that began while the target was gone is no false pause"
    assert found.pauses_per_thousand == pytest.approx(1000 / 7)
    assert (found.returns, found.waits, found.wait) == (2, (), None)
    answers[8] = BOX
    again = loss.score(verdicts, answers, truth, ~absent, absent, 0)
    assert again.waits == (1,), "not at 7, where it still said LOST, but at 8"
    both = loss.pooled([found, again])
    assert (both.absent, both.returns, both.waits) == (8, 4, (1,))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_loss_counts_are_bounded(frames):
    absent = np.array([gone for gone, _ in frames])
    verdicts = ["lost" if said else "visible" for _, said in frames]
    truth = np.tile(BOX, (len(frames), 1))
    found = loss.score(verdicts, truth, truth, ~absent, absent, 0)
    assert found.absent + found.present == len(frames) - 1
    assert found.hits <= min(found.said, found.absent)
    assert len(found.waits) <= found.returns
    assert found.f is None or 0 <= found.f <= 1
