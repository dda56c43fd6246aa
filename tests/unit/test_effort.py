"""The simulated annotator and the keyframes it is compared with."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import boxes
from tracker.api import Box, Image, Prediction, TrackerError, Verdict
from tracker.data.sequences import Sequence
from tracker.evaluation.effort import Annotator, Effort
from tracker.evaluation.keyframes import carried, fewest_keyframes, greedy_keyframes
from tracker.evaluation.raw import RawStore

SIDE = 20.0


def path(xs: list[float]) -> np.ndarray:
    """Boxes of one size at these places; nan where absent."""
    return np.array([[x, 10, SIDE, SIDE] if np.isfinite(x) else [np.nan] * 4 for x in xs])


class Clip(Sequence):
    """A clip without pictures: frames are numbered instead of decoded."""

    def frames(self):  # type: ignore[override]
        for index in range(len(self.truth)):
            yield np.full((4, 4, 3), index, np.uint8)


def clip(xs: list[float]) -> Clip:
    return Clip("clip", Path("clip.mp4"), path(xs))


class StillTarget:
    """Answers with the box it was started on."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        return Prediction(self.box, 1.0)


class LearningTarget(StillTarget):
    def correct(self, image: Image, box: Box) -> None:
        self.box = box


class StillTracker:
    name, device = "still", "cpu"

    def __init__(self, kind: type[StillTarget] = StillTarget) -> None:
        self.kind, self.starts = kind, 0

    def start(self, image: Image, box: Box) -> StillTarget:
        self.starts += 1
        return self.kind(box)

    def step(self, image, targets, *, want_mask=True):  # type: ignore[no-untyped-def]
        return [target.step(image) for target in targets]


class LostTarget(StillTarget):
    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        return Prediction(self.box, 1.0, Verdict.LOST)


class Fragile(StillTarget):
    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        raise TrackerError("nothing left")


def review(tracker: StillTracker, xs: list[float], threshold: float = 0.5, ahead: int = 0) -> Effort:
    steps = Annotator(threshold, ahead).run(tracker, clip(xs), False)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def test_a_still_box_is_corrected_when_the_target_has_moved_too_far() -> None:
    # IoU of two boxes of side 20 shifted by d: (20 - d) / (20 + d), below .5 from d = 7 on
    xs = [0.0, 3, 6, 9, 12, 12, 12]
    found = review(StillTracker(), xs)
    assert (found.corrections, found.frames, found.at) == (1, 7, (3,))
    assert found.per_thousand == pytest.approx(1000 / 7)
    assert review(StillTracker(), xs, 0.7).at == (2, 4)


def test_absent_frames_are_not_reviewed() -> None:
    for ahead in (0, 2):
        found = review(StillTracker(), [np.nan, 0, np.nan, np.nan, 0], ahead=ahead)
        assert (found.corrections, found.frames) == (0, 2)


def test_a_target_that_is_there_and_called_lost_is_wrong() -> None:
    assert review(StillTracker(LostTarget), [0, 0, np.nan, 0]).at == (1, 3)


def test_targets_that_learn_are_told_and_not_started_anew() -> None:
    tracker = StillTracker(LearningTarget)
    assert review(tracker, [0, 10, 20, 30]).corrections == 3
    assert tracker.starts == 1


def test_a_tracker_that_gives_up_costs_a_correction_and_says_so() -> None:
    found = review(StillTracker(Fragile), [0, 0, 0])
    assert found.corrections == 2
    assert found.note == "nothing left"


def test_a_tracker_that_cannot_start_leaves_the_frames_to_the_person() -> None:
    class Particular(StillTracker):
        def start(self, image: Image, box: Box) -> StillTarget:
            if box.x < 20:
                raise TrackerError("too far left")
            return super().start(image, box)

    found = review(Particular(), [0, 0, 20, 20, 20])
    assert found.at == (1, 2)
    assert found.note == "too far left"
    assert review(Particular(), [0, 0, 0, 0, 0, 20, 20], ahead=3).at == (1, 2, 3, 4, 6)


@given(st.floats(-50, 500), st.floats(1, 300), st.floats(1, 300), st.integers(1, 5), st.integers(0, 999))
def test_a_hand_is_off_by_a_little_and_always_in_the_same_way(
    x: float, w: float, h: float, hand: int, frame: int
) -> None:
    truth = Box(x, 7, w, h)
    box = Annotator(hand=hand).drawn(truth, frame)
    assert box == Annotator(0.7, 3, hand).drawn(truth, frame)
    assert box != Annotator(hand=hand + 1).drawn(truth, frame)
    assert boxes.iou(np.array(box), np.array(truth)) > 0.85
    assert Annotator().drawn(truth, frame) == truth


def test_corrections_are_drawn_by_the_hand() -> None:
    given: list[Box] = []

    class Watched(StillTarget):
        def __init__(self, box: Box) -> None:
            super().__init__(box)
            given.append(box)

    steps = Annotator(hand=3).run(StillTracker(Watched), clip([0.0, 0, 30, 30]), False)
    list(steps)
    wanted = [Annotator(hand=3).drawn(Box(x, 10, SIDE, SIDE), frame) for frame, x in ((0, 0), (2, 30))]
    assert given == wanted


def test_a_clip_of_one_frame_needs_nothing() -> None:
    assert review(StillTracker(), [0]) == Effort(0, 1)
    assert review(StillTracker(), [np.nan, 0], ahead=5) == Effort(0, 1)


def test_correcting_ahead_lets_both_sides_fill_the_gap() -> None:
    """A box that stands still serves six pixels from its keyframe to either side: twice as far between two."""
    xs = [3.0 * i for i in range(13)]
    assert review(StillTracker(), xs).at == (3, 6, 9, 12)
    assert review(StillTracker(), xs, ahead=2).at == (5, 10)
    assert review(StillTracker(LearningTarget), xs, ahead=2).at == (5, 10)


def test_what_is_still_wrong_between_two_corrections_is_corrected_too() -> None:
    xs = [0.0, 0, 50, 0, 100, 100]
    assert review(StillTracker(), xs, ahead=2).at == (2, 3, 4)


def test_a_gap_that_ends_out_of_sight_is_corrected_where_the_target_was_last_seen() -> None:
    tracker = StillTracker()
    found = review(tracker, [0, 20, 22, np.nan, np.nan, 22], ahead=3)
    assert (found.at, found.frames) == ((2,), 4)


def test_results_are_kept_as_text_and_taken_up_again(tmp_path: Path) -> None:
    store = RawStore.claim(tmp_path, {"tracker": "still"})
    annotator, found = Annotator(0.5, 2), Effort(2, 9, (3, 5), "a note")
    sequence = clip([0.0] * 9)
    assert annotator.load(store, sequence) is None
    annotator.save(store, sequence, found)
    assert annotator.load(store, sequence) == found
    assert Annotator(0.7, 2).load(store, sequence) is None
    assert Annotator(0.5, 2, 1).load(store, sequence) is None
    assert annotator.load(store, clip([0.0] * 8)) is None
    path = tmp_path / "still" / annotator.name / "clip.json"
    for damaged in ("", "[]", '{"of": 9, "surprise": 1}'):
        path.write_text(damaged)
        assert annotator.load(store, sequence) is None


def test_straight_motion_needs_its_end_alone_and_a_turn_one_more() -> None:
    straight = path([5.0 * i for i in range(30)])
    assert greedy_keyframes(straight, 0.7).corrections == fewest_keyframes(straight, 0.7).corrections == 1
    turned = path([5.0 * i for i in range(20)] + [90.0 - 5 * i for i in range(19)])
    assert fewest_keyframes(turned, 0.9).corrections == 2
    assert path([0.0] * 9).shape == (9, 4)
    assert greedy_keyframes(path([0.0] * 9), 0.9).corrections == 0


places = st.lists(st.one_of(st.floats(0, 60), st.just(np.nan)), min_size=1, max_size=9).map(lambda xs: [5.0, *xs])


@given(places, st.sampled_from([0.3, 0.5, 0.8]))
def test_the_fewest_are_the_fewest(xs: list[float], threshold: float) -> None:
    truth = path(xs)
    frames = [i for i, x in enumerate(xs) if np.isfinite(x)]

    def serves(keys: tuple[int, ...]) -> bool:
        held = [i for i in frames if i > keys[-1]]
        after = all(boxes.iou(truth[keys[-1]], truth[i]) >= threshold for i in held)
        return after and all(carried(truth, a, b, threshold) for a, b in pairwise(keys))

    brute = next(n for n in range(len(frames)) if any(serves((0, *rest)) for rest in combinations(frames[1:], n)))
    found = fewest_keyframes(truth, threshold)
    assert found.corrections == brute
    assert serves((0, *found.at))
    greedy = greedy_keyframes(truth, threshold)
    assert greedy.corrections >= brute
    assert serves((0, *greedy.at))


def test_the_command_compares_trackers_with_keyframes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tracker import registry
    from tracker.cli import app
    from tracker.data import readers

    monkeypatch.setattr(readers, "discover", lambda _: [clip([0.0, 3, 6, 9, 12, 12, 12])])
    monkeypatch.setattr(registry, "create", lambda *_, **__: StillTracker())
    out = tmp_path / "effort.json"
    words = ["effort", str(tmp_path), "--tracker", "opencv-kcf", "--threshold", "0.5", "0.7", "--json", str(out)]
    words += ["--ahead", "0", "1", "--raw", str(tmp_path / "raw")]
    assert app(words, result_action="return_value") == 0
    rows = {(row["way"], row["threshold"]): row["clips"]["clip"]["corrections"] for row in json.loads(out.read_text())}
    assert rows["opencv-kcf", 0.5] == 1
    assert rows["opencv-kcf", 0.7] == 2
    assert rows["opencv-kcf, 1 ahead", 0.5] == 1
    assert rows["keyframes, fewest", 0.5] <= rows["keyframes, greedy", 0.5]
    assert "142.9 (1)" in capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr(StillTracker, "start", lambda *_: pytest.fail("it ran again"))
        assert app(words, result_action="return_value") == 0
    assert app([*words, "--hands", "3"], result_action="return_value") == 0
    ways = [(row["way"], row["hand"]) for row in json.loads(out.read_text()) if row["threshold"] == 0.5]
    trackers = [(way, hand) for way in ("opencv-kcf", "opencv-kcf, 1 ahead") for hand in (1, 2, 3)]
    assert ways == [*trackers, ("keyframes, greedy", 0), ("keyframes, fewest", 0)]
    assert "(1, 1, 1)" in capsys.readouterr().out
    with pytest.raises(TrackerError, match="--ahead"):
        app(["effort", str(tmp_path), "--ahead", "-1"], result_action="return_value")
    with pytest.raises(TrackerError, match="--hands"):
        app(["effort", str(tmp_path), "--hands", "-1"], result_action="return_value")
    with pytest.raises(TrackerError, match="between 0 and 1"):
        app(["effort", str(tmp_path), "--threshold", "50"], result_action="return_value")
