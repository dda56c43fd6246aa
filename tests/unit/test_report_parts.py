"""What a report is made of: failures of runs, their pictures, figures by attribute, results found on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clip_maker import make_clip

from tracker.api import Box, HeatMap, MaskPatch, TrackerError
from tracker.data.readers import discover
from tracker.data.regions import FAILED, INITIALISED, UNKNOWN, patch
from tracker.data.sequences import Sequence
from tracker.evaluation import attributes, failures, one_pass, raw, stored, strips, supervised
from tracker.evaluation.compare import Comparison
from tracker.evaluation.failures import Failure, Trace
from tracker.evaluation.multi_start import Start
from tracker.evaluation.one_pass import ClipRun
from tracker.evaluation.profiles import OTB
from tracker.evaluation.protocols import OnePass, Supervised
from tracker.evaluation.stored import Study
from tracker.evaluation.supervised import Trajectory

FORWARD = Start(0, backward=False)
HERE, AWAY = (10.0, 10.0, 20.0, 20.0), (60.0, 10.0, 20.0, 20.0)


class Plain(Sequence):
    """A clip of grey pictures, its target always at the same place."""

    def frames(self):  # type: ignore[override]
        for index in range(len(self.truth)):
            yield np.full((80, 100, 3), index, np.uint8)


def clip(frames: int, name: str = "clip", **more) -> Plain:
    return Plain(name, Path("none"), np.tile(HERE, (frames, 1)), **more)


def run_of(*answers: tuple[float, ...]) -> ClipRun:
    made = ClipRun.empty(len(answers))
    made.boxes[:] = answers
    made.decoded = len(answers)
    return made


def study_of(sequence: Sequence, **runs: ClipRun) -> Study:
    comparison = Comparison()
    for label, run in runs.items():
        comparison.runs[label] = {sequence.name: run}
        comparison.scores[label] = {sequence.name: one_pass.score(run, sequence)}
    return Study(OnePass(), comparison, {sequence.name: sequence}, {}, {})


def trace(*overlaps: float, label: str = "t", name: str = "clip", start: Start = FORWARD) -> Trace:
    answers = tuple(np.array(HERE) for _ in overlaps)
    return Trace(label, name, start, answers, np.array(overlaps))


def test_failures_are_stretches_below_a_fifth():
    low = [0.0] * 3
    found = failures.find(trace(1, 0.8, *low, 0.9, *low, *[0.9] * 8, 0.1, float("nan")))
    assert [(one.begin, one.end) for one in found] == [(2, 8), (17, 17)], "a moment above does not end the first"
    assert found[0].cost == pytest.approx((6 + 0.1) / 18)
    assert found[1].cost == pytest.approx(0.9 / 18), "frames that do not count cost nothing"
    assert failures.find(trace(1, 0.2, 0.3)) == []


def test_the_worst_of_each_tracker_in_turn_and_what_they_share():
    bad, good = [0.0] * 20, [0.9] * 20
    found = [
        trace(*bad, *good, *bad, label="a"),
        trace(*good, *good, *bad, label="b"),
        trace(*good, *bad[:5], label="b", name="other"),
    ]
    chosen = failures.worst(found, 8)
    assert [(set(one.labels), one.clip, one.begin) for one in chosen] == [
        ({"a"}, "clip", 0),
        ({"a", "b"}, "clip", 40),
        ({"b"}, "other", 20),
    ]
    assert len(failures.worst(found, 2)) == 2
    assert failures.worst(found, 0) == []


def test_the_places_shown_lie_around_the_failure():
    failure = Failure("clip", ("t",), FORWARD, 20, 49, 0.5)
    assert failures.places(failure, 100) == [12, 17, 20, 30, 39, 49, 52]
    assert failures.places(Failure("clip", ("t",), FORWARD, 1, 1, 0.5), 2) == [0, 1]


def test_traces_of_every_protocol_have_their_frames():
    sequence = clip(6)
    (one,) = failures.traces(study_of(sequence, t=run_of(HERE, HERE, AWAY, AWAY, HERE, HERE)))
    assert one.overlaps.tolist() == [1, 1, 0, 0, 1, 1]
    assert list(one.frames) == [0, 1, 2, 3, 4, 5]
    box = np.array(HERE)
    answers = [INITIALISED, box, FAILED, UNKNOWN, INITIALISED, box]
    runs = [Trajectory(answers, np.full(6, np.nan))]
    comparison = Comparison({"t": {"clip": supervised.score(runs, sequence)}}, [], {"t": {"clip": runs}})
    first, second = failures.traces(Study(Supervised(1), comparison, {"clip": sequence}, {}, {}))
    assert (first.start.frame, second.start.frame) == (0, 4)
    assert np.array_equal(first.overlaps, [np.nan, 1, 0], equal_nan=True), "the failure ends the first"
    assert np.array_equal(second.overlaps, [np.nan, 1], equal_nan=True)
    assert list(Trace("t", "clip", Start(3, backward=True), (None, None), np.zeros(2)).frames) == [3, 2]


def made_strips(study: Study, most: int = 3, **options) -> list[strips.Strip]:
    every = failures.traces(study)
    steps = strips.make(study, failures.worst(every, most), every, **options)
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            assert all(done <= total for done, total in seen)
            return end.value


def test_pictures_show_the_target_and_everybodys_answers():
    study = study_of(clip(12), a=run_of(*[HERE] * 4, *[AWAY] * 8), b=run_of(*[HERE] * 12))
    (strip,) = made_strips(study)
    assert (strip.failure.labels, strip.mapped, strip.note) == (("a",), "", "")
    assert [shot.frame for shot in strip.shots] == [0, 1, 4, 6, 9, 11]
    shot = strip.shots[-1]
    picture = cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (strips.SIDE, strips.SIDE, 3)
    assert abs(int(picture[120, 120, 0]) - 11) <= 2, "the picture is that of its frame"
    assert shot.window == Box(0, 0, 80, 80), "five sides of the target, inside the image, as large as that allows"
    assert shot.answers["a"].tolist() == list(AWAY)  # type: ignore[union-attr]
    assert shot.overlaps == {"a": 0, "b": 1}


def test_the_pictures_of_a_report_are_bounded(monkeypatch):
    monkeypatch.setattr(strips, "LARGEST", 10)
    assert made_strips(study_of(clip(12), a=run_of(*[HERE] * 4, *[AWAY] * 8))) == []


def test_a_heat_map_is_opaque_where_it_is_high():
    overlay = strips._overlay(HeatMap(np.array([[0, 1], [0.25, 0]], np.float32), Box(1, 2, 3, 4)))
    image = cv2.imdecode(np.frombuffer(overlay.png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image[..., 3].tolist() == [[0, 190], [95, 0]]
    assert overlay.rect == Box(1, 2, 3, 4)


def test_attributes_of_clips_and_of_frames_by_hand():
    fast = np.array([False, False, True, True])
    first = clip(4, "first", attributes=frozenset({"IV"}), frame_attributes={"fast": fast})
    second = clip(2, "second", frame_attributes={"fast": np.array([False, True])}, cover=np.array([1.0, 0.4]))
    found = {one.name: one for one in attributes.of([first, second])}
    assert list(found) == ["IV", "fast", "visible: all", "visible: less than half"]
    assert (found["IV"].extent, found["fast"].extent, found["IV"].words) == (
        "1 clip",
        "3 frames",
        "illumination variation",
    )
    runs = {"first": run_of(HERE, HERE, HERE, AWAY), "second": run_of(HERE, AWAY)}
    sequences = {"first": first, "second": second}
    scores = {name: one_pass.score(run, sequences[name]) for name, run in runs.items()}
    whole = attributes.one_pass(found["IV"], runs, scores, sequences, OTB)
    assert whole is not None
    assert whole.auc == pytest.approx(0.75 * 20 / 21)
    tagged = attributes.one_pass(found["fast"], runs, scores, sequences, OTB)
    assert tagged is not None
    assert (tagged.ao, tagged.frames) == (pytest.approx(1 / 3), 3), "one of three frames, weighed by clip"
    assert attributes.one_pass(found["IV"], {}, {}, sequences, OTB) is None


def test_vot_attributes_by_hand():
    box, half = np.array(HERE), np.array([10.0, 10, 20, 10])
    flags = np.zeros(16, bool)
    flags[[11, 12, 13]] = True
    sequence = clip(16, frame_attributes={"occlusion": flags})
    answers = [INITIALISED, *[box] * 10, half, box, FAILED, UNKNOWN, UNKNOWN]
    score = supervised.score([Trajectory(answers, np.full(16, np.nan))], sequence)
    (attribute,) = attributes.of([sequence])
    found = attributes.vot(attribute, {"clip": score})
    assert found is not None
    assert found.accuracy == pytest.approx(0.75)
    assert found.robustness == pytest.approx(100 / 3)
    assert attributes.vot(attribute, {}) is None


def test_masks_in_pictures_are_regions_where_they_are_asked_for(tmp_path):
    (sequence,) = discover(make_clip(tmp_path / "clip", 3, absent=(1,), masks=True))
    found = sequence.mask_region(0)
    assert isinstance(found, MaskPatch)
    assert (found.x, found.y, found.bits.shape, bool(found.bits.all())) == (20, 40, (20, 24), True)
    assert sequence.mask_region(1) is None
    assert np.array_equal(sequence.region(2), [24, 38, 24, 20])  # type: ignore[arg-type]
    assert patch(np.zeros((4, 4), bool)) is None


def claimed(root: Path, **more) -> raw.RawStore:
    return raw.RawStore.claim(root, {"tracker": "opencv-kcf", "device": "cpu", "set": {}, "weights": {}} | more)


def test_results_are_called_by_tracker_and_told_apart_by_folder(tmp_path):
    for place in ("x/one", "y/one", "two"):
        claimed(tmp_path / place)
    one = stored.find([tmp_path / "two"])
    assert [found.label for found in one] == ["opencv-kcf"]
    labels = [found.label for found in stored.find([tmp_path / "x" / "one", tmp_path / "y" / "one", tmp_path / "two"])]
    assert labels == ["opencv-kcf (one) 1", "opencv-kcf (one) 2", "opencv-kcf (two)"]
    assert len(stored.find([tmp_path / "two", tmp_path / "two" / "opencv-kcf"])) == 1


def test_a_tracker_is_made_again_only_if_it_is_the_same(tmp_path):
    store = claimed(tmp_path)
    assert stored.Results("kcf", store).contender().label == "opencv-kcf"
    other = claimed(tmp_path, weights={"w": "0"})
    with pytest.raises(TrackerError, match="not those any more"):
        stored.Results("kcf", other).contender()


def test_the_origin_of_results_is_kept(tmp_path):
    store = claimed(tmp_path)
    store.note_origin(tmp_path / "clips", {"weights": tmp_path / "w", "none": None})
    store.note_origin(tmp_path / "more", {"weights": tmp_path / "w"})
    store.note_origin(tmp_path / "clips", {"weights": tmp_path / "w"})
    assert store.origin().clips == (tmp_path / "clips", tmp_path / "more")
    assert store.origin().options == {"weights": str(tmp_path / "w")}
