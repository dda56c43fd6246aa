"""VOT's protocols on hand-made runs: overlaps, resets, accuracy, robustness, expected average overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import boxes
from tracker.api import Box, MaskPatch, Prediction, TrackerError
from tracker.data import raster, regions
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation import expected, multi_start, supervised, vot_raw
from tracker.evaluation.supervised import Trajectory

SIZE = (100, 80)


class Still(Sequence):
    """A clip whose target never moves; its pictures are black but for their number."""

    def frames(self):  # type: ignore[override]
        for index in range(len(self.truth)):
            image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            image[0, 0, 0] = index
            yield image


def still(frames: int, **more) -> Still:
    return Still("clip", Path("none"), np.tile([10.0, 10, 20, 20], (frames, 1)), **more)


class Scripted:
    """Answers by the number of the picture: a share of overlap, or `TrackerError` for None."""

    name: str = "scripted"
    device: str = "cpu"

    def __init__(self, *overlaps: float | None, jitter: bool = False) -> None:
        self.overlaps, self.jitter, self.started, self.steps = overlaps, jitter, [], 0

    def start(self, image, box):
        self.started.append((int(image[0, 0, 0]), box))
        return self

    def step(self, image, *, want_mask=True):
        share = self.overlaps[int(image[0, 0, 0])]
        if share is None:
            raise TrackerError("it broke")
        self.steps += 1
        shrink = self.steps % 2 if self.jitter else 0
        return Prediction(Box(10, 10, 20 * share - shrink, 20) if share else Box(60, 50, 5, 5), 1.0)


def tracker_of(*overlaps: float | None, jitter: bool = False) -> Any:
    return Scripted(*overlaps, jitter=jitter)


def parsed(line: str) -> Any:
    return regions.parse(line)


def drain(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def boxes_in(limit=40.0):
    side = st.floats(4, limit)
    return st.tuples(st.floats(0, 40), st.floats(0, 30), side, side).map(lambda values: np.array(values))


def test_overlap_in_pixels_of_hand_worked_regions():
    a = np.array([10.0, 10, 10, 10])
    assert raster.overlap(a, a, SIZE) == 1
    assert raster.overlap(a, np.array([15.0, 10, 10, 10]), SIZE) == pytest.approx(1 / 3)
    assert raster.overlap(a, np.array([20.0, 10, 10, 10]), SIZE) == 0
    square = np.array([[10.0, 10], [19, 10], [19, 19], [10, 19]])
    assert raster.overlap(a, square, SIZE) == 1, "a polygon fills its outline, too"
    diamond = np.array([[5.0, 0], [10, 5], [5, 10], [0, 5]])
    assert raster.rasterise(diamond, (0, 0, 11, 11)).sum() == 61  # 1 + 3 + 5 + 7 + 9 + 11 + 9 + … + 1
    assert raster.overlap(MaskPatch(10, 10, np.ones((10, 5), bool)), a, SIZE) == 0.5


def test_overlap_is_bounded_to_the_image():
    beyond = np.array([-10.0, 0, 20, 10])
    assert raster.overlap(beyond, np.array([0.0, 0, 10, 10]), SIZE) == 1
    assert raster.overlap(np.array([-30.0, 0, 20, 10]), np.array([-30.0, 0, 20, 10]), SIZE) == 0
    assert raster.overlap(np.full(4, np.nan), beyond, SIZE) == 0


@given(boxes_in(), boxes_in())
def test_rasterised_and_exact_overlap_differ_by_the_outlines_at_most(a, b):
    found = raster.overlap(a, b, (1000, 1000))
    assert found == raster.overlap(b, a, (1000, 1000))
    union = a[2] * a[3] + b[2] * b[3] - boxes.iou(a, b) * (a[2] * a[3] + b[2] * b[3]) / (1 + boxes.iou(a, b))
    outline = 2 * (a[2] + a[3] + b[2] + b[3]) + 8
    assert abs(found - float(boxes.iou(a, b))) <= 2 * outline / union


@given(st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2), st.tuples(*[st.integers(0, 30)] * 4))
def test_whole_numbered_boxes_overlap_exactly(first, second):
    a, b = np.array(first, float), np.add(second, (0.0, 0, 1, 1))
    assert raster.overlap(a, b, (100, 100)) == pytest.approx(float(boxes.iou(a, b)))
    mask = MaskPatch(first[0], first[1], np.ones((first[3], first[2]), bool))
    assert raster.overlap(mask, b, (100, 100)) == pytest.approx(float(boxes.iou(a, b)))


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=5), st.integers(-3, 9))
def test_regions_come_back_from_their_lines(rows, x):
    mask = MaskPatch(x, 2, np.array(rows))
    back = regions.parse(regions.write(mask))
    if mask.bits.any():
        assert isinstance(back, MaskPatch)
        assert (back.x, back.y) == (x, 2)
        assert np.array_equal(back.bits, mask.bits)
    else:
        assert back is None


def test_lines_of_vot():
    assert parsed("2") == regions.FAILED
    assert np.array_equal(parsed("1,2,3,4"), [1, 2, 3, 4])
    polygon = parsed("0,0,4,0,4,2,0,2")
    assert np.array_equal(polygon, [[0, 0], [4, 0], [4, 2], [0, 2]])
    assert regions.bounding_box(polygon) == Box(0, 0, 4, 2)
    assert regions.start_box(polygon) == Box(-0.5, -0.5, 5, 3), "the field's box: one pixel wider"
    mask = parsed("m3,4,2,2,1,2,1")
    assert np.array_equal(mask.bits, [[False, True], [True, False]])
    assert parsed("nan,nan,nan,nan") is None
    for wrong in ("1,2,3", "m1,2,2,2,9", "a", "5", "m1,2"):
        with pytest.raises(ValueError):  # noqa: PT011 - the reader makes the sentence
            regions.parse(wrong)


def test_a_failure_is_followed_by_a_start_five_frames_later():
    tracker = tracker_of(1, 1, 0, 1, 1, 1, 1, 1, 1, 1)
    run = drain(supervised.run_once(tracker, still(10)))
    codes = [answer if isinstance(answer, int) else "box" for answer in run.answers]
    assert codes == [1, "box", 2, 0, 0, 0, 0, 1, "box", "box"]
    assert [frame for frame, _ in tracker.started] == run.starts == [0, 7]
    assert run.failures == [2]


def test_a_tracker_that_breaks_has_failed():
    run = drain(supervised.run_once(tracker_of(1, None, *[1] * 8), still(10)))
    assert (run.failures, run.starts, run.errors) == ([1], [0, 6], ("it broke",))


def test_a_start_waits_for_a_region():
    clip = still(10)
    clip.truth[7] = np.nan
    run = drain(supervised.run_once(tracker_of(1, 1, 0, *[1] * 7), clip))
    assert run.starts == [0, 8]


def test_the_same_answers_three_times_are_enough():
    assert len(drain(supervised.run(tracker_of(*[1] * 6), still(6)))) == 3
    assert len(drain(supervised.run(tracker_of(*[1] * 6, jitter=True), still(6)))) == 15


def test_accuracy_leaves_out_ten_frames_from_a_start_and_every_code():
    # frame 0 starts; 1-9 burn in; 10-11 count with .5; 12 fails; 17 starts; 27-29 count with 1
    tracker = tracker_of(*[1] * 10, 0.5, 0.5, 0, *[1] * 17)
    clip = still(30)
    score = supervised.score(drain(supervised.run(tracker, clip)), clip)
    assert np.flatnonzero(score.counted[0]).tolist() == [10, 11, 27, 28, 29]
    assert score.accuracy == pytest.approx((0.5 * 2 + 3) / 5)
    whole = supervised.summary({"clip": score})
    assert (whole.robustness, whole.failures) == pytest.approx((100 / 30, 1))
    assert whole.reliability == pytest.approx(np.exp(-1))
    assert whole.eao.value is None, "no fragment is as long as the interval"


def test_the_published_robustness():
    assert round(supervised.per_hundred(59, 21356) / 1, 3) == 0.276
    assert round(supervised.per_hundred(50, 21356), 3) == 0.234
    assert round(supervised.per_hundred(42, 21455), 3) == 0.196


def test_fragments_and_their_curve_by_hand():
    # started at 0, fails at 3, started at 5 (2 later), ends with the clip
    overlaps = np.array([np.nan, 0.8, 0.4, 0, np.nan, np.nan, 0.6, 0.2])
    pieces = expected.fragments(overlaps, [0, 5], [3], skip=2)
    assert [piece.tolist() for piece in pieces] == [[0, 0.8, 0.4, 0, 0, np.inf], [0, 0.6, 0.2]]
    found = expected.curve(pieces, [1, 1], 8)
    # length 2: mean of .8 and .6; 3: of .6 and .4; beyond: the failed one alone, 1.2 / (N - 1)
    assert found.tolist() == pytest.approx([1, 0.7, 0.5, 1.2 / 3, 1.2 / 4, 1.2 / 5, 1.2 / 6, 1.2 / 7])
    legacy = expected.expected(pieces, [1, 1], 8, (2, 3))
    toolkit = expected.expected(pieces, [1, 1], 8, (2, 3), "toolkit")
    assert legacy.value == pytest.approx((0.7 + 0.5) / 2)
    assert toolkit.value == pytest.approx((0.5 + 0.4) / 2), "one frame later"


def test_a_failure_in_the_last_frames_is_padded_by_the_toolkit_alone():
    overlaps = np.array([np.nan, 0.5, 0])
    (legacy,) = expected.fragments(overlaps, [0], [2])
    (toolkit,) = expected.fragments(overlaps, [0], [2], variant="toolkit")
    assert legacy.tolist() == [0, 0.5, 0]
    assert toolkit.tolist() == [0, 0.5, 0, np.inf]
    assert np.isnan(expected.curve([legacy], [1], 5)[3:]).all()
    assert expected.curve([toolkit], [1], 5)[3:].tolist() == pytest.approx([0.5 / 3, 0.5 / 4])


def test_weights_make_repeated_runs_count_once():
    one, other = np.array([0, 1.0]), np.array([0, 0.0])
    assert expected.curve([one, one, other], [0.5, 0.5, 1], 2)[1] == pytest.approx(0.5)


def test_a_perfect_tracker_expects_one():
    clip = still(400)
    score = supervised.score([Trajectory([1, *[np.array([10.0, 10, 20, 20])] * 399], np.full(400, np.nan))], clip)
    whole = supervised.summary({"clip": score})
    assert (whole.accuracy, whole.robustness, whole.eao.value) == pytest.approx((1, 0, 1))


def test_anchors_run_both_ways_and_are_made_where_there_are_none():
    anchors = np.zeros(10)
    anchors[[0, 4, 9]] = 1, 1, -1
    found = multi_start.starts(still(10, anchors=anchors))
    assert [(start.frame, start.backward) for start in found] == [(0, False), (4, False), (9, True)]
    assert [len(start.frames(10)) for start in found] == [10, 6, 10]
    made = multi_start.starts(still(120))
    assert [(start.frame, start.backward) for start in made] == [(0, False), (50, False), (100, True)]
    clip = still(10, anchors=anchors)
    clip.truth[4] = np.nan
    with pytest.raises(SequenceError, match=r"frame 4 .*anchor\.value"):
        multi_start.starts(clip)


def test_a_run_backwards_sees_the_frames_backwards():
    seen = []

    class Watching(Scripted):
        def step(self, image, *, want_mask=True):
            seen.append(int(image[0, 0, 0]))
            return super().step(image)

    watching: Any = Watching(*[1] * 130)
    anchors = np.zeros(130)
    anchors[120] = -1
    clip = still(130, anchors=anchors)
    (run,) = drain(multi_start.run(watching, clip, masks=False))
    assert seen == list(range(119, -1, -1))
    assert len(run.answers) == 121


def test_multi_start_figures_by_hand():
    assert multi_start.progress_of(np.array([1.0] * 3 + [0.1] * 10), np.ones(13, bool)) == 3
    assert multi_start.progress_of(np.array([1.0] * 3 + [0.1] * 9), np.ones(12, bool)) == 12
    hidden = np.ones(13, bool)
    hidden[7] = False
    assert multi_start.progress_of(np.array([1.0] * 3 + [0.0] * 10), hidden) == 13, (
        "a frame without target ends a streak"
    )
    failed = multi_start.MultiStartScore((np.array([0, 0.8, 0.4, *[0] * 10]),), (3,), 20, None)
    assert failed.accuracy == pytest.approx(0.4)
    assert failed.robustness == pytest.approx(3 / 13)
    held = multi_start.MultiStartScore((np.array([0, 1.0, 1.0]),), (3,), 10, None)
    whole = multi_start.summary({"a": failed, "b": held})
    assert whole.accuracy == pytest.approx((1.2 + 2) / 6)
    assert whole.robustness == pytest.approx((20 * 3 / 13 + 10) / 30)
    # length 1: (.8 + 1) / 2, 2: (.6 + 1) / 2, from 3 on the failed run alone, beyond its 13 frames over j - 1
    curve = multi_start.expected([failed, held], (1, 15)).curve
    assert curve[1:4] == pytest.approx((0.9, 0.8, 0.4))
    assert curve[12:15] == pytest.approx((1.2 / 12, 1.2 / 12, 1.2 / 13))


def test_trajectories_come_back_as_they_went(tmp_path):
    clip = still(10)
    runs = drain(supervised.run(tracker_of(1, 1, None, *[1] * 7), clip))
    names = ["001", "002", "003"]
    vot_raw.save(tmp_path, "group/clip", names, runs)
    assert sorted(path.name for path in (tmp_path / "group" / "clip").glob("*_001*")) == [
        "clip_001.txt",
        "clip_001_error.txt",
        "clip_001_time.value",
    ]
    back = vot_raw.load(tmp_path, "group/clip", [(name, 10) for name in names])
    assert all(supervised.same(a, b) and a.errors == b.errors for a, b in zip(runs, back, strict=True))
    assert np.array_equal(back[0].seconds, runs[0].seconds, equal_nan=True)
    (tmp_path / "group" / "clip" / "clip_002.txt").write_text("1\nrubbish\n")
    assert len(vot_raw.load(tmp_path, "group/clip", [(name, 10) for name in names])) == 1
