from __future__ import annotations

import json
import math

import numpy as np
import pytest
from clip_maker import HEIGHT, OBJECT_H, OBJECT_W, WIDTH, make_clip

from tracker import cli, registry
from tracker.api import Box, MaskPatch, Prediction, TrackerError, TrackerInfo, Verdict
from tracker.data.readers import discover
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation import raw, report, report_vot, stored
from tracker.evaluation.compare import Comparison, Contender, compare
from tracker.evaluation.one_pass import ClipRun, run_clip, score
from tracker.evaluation.profiles import OTB, Profile
from tracker.evaluation.protocols import MultiStart, OnePass, Supervised


class Oracle:
    """Knows the object's path; ``shift`` pixels off it, and breaks after ``breaks`` steps."""

    name, device = "oracle", "cpu"

    def __init__(self, shift: float = 0.0, masks: bool = True, breaks: int | None = None) -> None:
        self.shift, self.masks, self.breaks = shift, masks, breaks
        self.asked: list[bool] = []

    def start(self, image, box):
        if self.breaks == 0:
            raise TrackerError("this box is too small")
        return _Walk(self, box)


class _Walk:
    def __init__(self, oracle: Oracle, box: Box) -> None:
        self.oracle, self.box, self.steps = oracle, box, 0

    def step(self, image, *, want_mask=True):
        self.steps += 1
        self.oracle.asked.append(want_mask)
        if self.oracle.breaks is not None and self.steps >= self.oracle.breaks:
            raise TrackerError("it broke")
        self.box = Box(self.box.x + 2, self.box.y - 1, self.box.w, self.box.h)
        x, y = int(self.box.x), int(self.box.y)
        mask = MaskPatch(x, y, np.ones((OBJECT_H, OBJECT_W // 2), bool)) if want_mask and self.oracle.masks else None
        found = Box(self.box.x + self.oracle.shift, self.box.y, self.box.w, self.box.h)
        return Prediction(found, 0.75, Verdict.UNCERTAIN, mask)


def drain(steps):
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen


def clip_of(folder, **options) -> Sequence:
    (clip,) = discover(make_clip(folder, **options))
    return clip


@pytest.fixture
def oracle(monkeypatch):
    """A registered tracker that is always right; its box branch fills half of the mask."""
    made = Oracle()
    info = TrackerInfo("oracle", "knows it all", 1, "none", "CC0", masks=True)
    entry = registry.Entry("oracle_module:create", lambda: info, accepts=frozenset({"gain"}))
    monkeypatch.setitem(registry._ENTRIES, "oracle", entry)
    real = registry.create
    monkeypatch.setattr(registry, "create", lambda name, *a, **k: made if name == "oracle" else real(name, *a, **k))
    return made


def test_a_perfect_run(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=6, masks=True)
    run, seen = drain(run_clip(Oracle(), clip, masks=True))
    assert seen == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(run.boxes, clip.truth)
    assert math.isnan(run.scores[0])
    assert (run.scores[1:] == 0.75).all()
    assert run.verdicts == ["", *["uncertain"] * 5]
    figures = score(run, clip)
    assert figures.auc == pytest.approx(20 / 21)
    assert (figures.precision20, figures.miou, figures.frames, figures.note) == (1.0, 1.0, 6, "")
    assert figures.mask_j == figures.mask_iou_held == 0.5  # the mask covers the left half
    assert figures.fps is not None


def test_hand_worked_figures_of_a_shifted_tracker(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=5)
    oracle = Oracle(shift=OBJECT_W / 2)
    figures = score(drain(run_clip(oracle, clip, masks=False))[0], clip)
    # one perfect frame, four of IoU 1/3, which exceeds 0, .05 ... .3: 7 thresholds
    assert figures.auc == pytest.approx((20 + 4 * 7) / 5 / 21)
    assert figures.miou == pytest.approx((1 + 4 / 3) / 5)
    assert figures.precision20 == 1.0
    assert figures.mask_j is figures.mask_iou_held is None
    assert not any(oracle.asked)


def test_masks_cost_time_and_are_asked_for_where_they_can_be_compared_or_always(tmp_path):
    bare = clip_of(tmp_path / "bare", frames=2)
    drawn = clip_of(tmp_path / "drawn", frames=2, masks=True)
    usual, always = Contender.of("siamatt-mobile"), Contender.of("siamatt-mobile", always_masks=True)
    assert [usual.draws(bare), usual.draws(drawn)] == [False, True]
    assert [always.draws(bare), always.draws(drawn)] == [True, True]
    assert usual.identity() != always.identity(), "stored results of the one are not taken for the other's"
    assert not Contender.of("opencv-csrt", always_masks=True).draws(drawn)


def test_absent_frames_and_frames_before_the_first_box_do_not_count(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=8, absent=(0, 1, 4), masks=True)
    run, _ = drain(run_clip(Oracle(), clip, masks=True))
    assert np.isnan(run.boxes[:2]).all()
    assert np.isfinite(run.boxes[4]).all(), "the tracker is stepped through absent frames, as it would be in life"
    assert np.flatnonzero(~np.isnan(run.mask_j)).tolist() == [3, 5, 6, 7]
    figures = score(run, clip)
    assert (figures.frames, figures.miou) == (5, 1.0)


def test_a_tracker_that_gives_no_mask_where_it_could_scores_nothing_there(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=4, masks=True)
    figures = score(drain(run_clip(Oracle(shift=WIDTH, masks=False), clip, masks=True))[0], clip)
    assert figures.mask_j == 0.0
    assert figures.mask_iou_held is None, "never held: neither box nor mask touches the target"


@pytest.mark.parametrize(("breaks", "good", "words"), [(0, 0, "too small"), (3, 3, "it broke")])
def test_a_tracker_that_fails_is_noted_and_scored_for_what_it_did(tmp_path, breaks, good, words):
    clip = clip_of(tmp_path / "clip", frames=6, masks=True)
    run, seen = drain(run_clip(Oracle(breaks=breaks), clip, masks=True))
    assert words in run.error
    assert len(seen) <= 6
    figures = score(run, clip)
    assert figures.miou == pytest.approx(good / 6)
    assert figures.precision20 == pytest.approx(good / 6)
    assert words in figures.note
    assert figures.mask_j == pytest.approx(0.5 * max(good - 1, 0) / 5)
    assert (figures.fps is None) == (breaks == 0)


def test_a_video_shorter_than_its_ground_truth_is_scored_as_far_as_it_goes(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=4)
    longer = Sequence("clip", clip.media, np.vstack([clip.truth, clip.truth]))
    figures = score(drain(run_clip(Oracle(), longer, masks=False))[0], longer)
    assert (figures.frames, figures.miou) == (4, 1.0)
    assert "4 of 8" in figures.note
    late = Sequence("late", clip.media, np.vstack([np.full((5, 4), np.nan), clip.truth]))
    with pytest.raises(SequenceError, match="has 4 frames, its first box is at frame 5"):
        drain(run_clip(Oracle(), late, masks=False))


def test_masks_of_another_size_are_refused(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=3)
    other = make_clip(tmp_path / "other", 3, masks=True) / "masks"
    import cv2

    cv2.imwrite(str(other / "00001.png"), np.ones((HEIGHT, WIDTH // 2), np.uint8))
    with pytest.raises(SequenceError, match="mask 1"):
        drain(run_clip(Oracle(), Sequence("clip", clip.media, clip.truth, other), masks=True))


def test_a_profile_decides_what_counts(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=3)
    run, _ = drain(run_clip(Oracle(shift=OBJECT_W), clip, masks=False))
    strict = Profile("strict", (0.0, 0.5), 1.0, first=False, words="")
    assert score(run, clip, strict).auc == 0
    assert score(run, clip, OTB).auc == pytest.approx(20 / 21 / 3)
    with pytest.raises(SequenceError, match="no frame"):
        score(run, Sequence("empty", clip.media, np.full((3, 4), np.nan)))


def test_raw_results_come_back_as_they_went(tmp_path):
    clip = clip_of(tmp_path / "clip", frames=6, absent=(2,), masks=True)
    run, _ = drain(run_clip(Oracle(breaks=4), clip, masks=True))
    store = raw.RawStore.claim(tmp_path / "raw", {"tracker": "oracle"})
    store.save("group/clip", run)
    back = store.load("group/clip", 6)
    assert back is not None
    assert score(back, clip) == score(run, clip)
    assert back.verdicts == run.verdicts
    assert np.array_equal(back.boxes, run.boxes, equal_nan=True)
    assert store.load("group/clip", 7) is None, "another ground truth"
    assert store.load("clip", 6) is None


@pytest.mark.parametrize("damage", ["", "#[1]\n", '#[6, ""]\nscore,verdict\n1,2\n', "garbage"])
def test_damaged_raw_results_are_made_anew(tmp_path, damage):
    store = raw.RawStore.claim(tmp_path, {"tracker": "oracle"})
    store.save("clip", ClipRun.empty(1))
    assert store.load("clip", 1) is not None
    (tmp_path / "oracle" / "clip.frames.csv").write_text(damage)
    assert store.load("clip", 1) is None


def test_raw_results_of_other_weights_are_dropped(tmp_path):
    first = raw.RawStore.claim(tmp_path, {"tracker": "oracle", "weights": {"w": "1"}})
    first.save("clip", ClipRun.empty(3))
    assert raw.RawStore.claim(tmp_path, {"tracker": "oracle", "weights": {"w": "1"}}).load("clip", 3) is not None
    second = raw.RawStore.claim(tmp_path, {"tracker": "oracle", "weights": {"w": "2"}})
    assert second.load("clip", 3) is None
    second.save("clip", ClipRun.empty(3))
    (tmp_path / "oracle" / "tracker.json").write_text("{")
    assert raw.RawStore.claim(tmp_path, {"tracker": "oracle", "weights": {"w": "2"}}).load("clip", 3) is None


def test_the_identity_follows_the_weights(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"one")
    one = raw.identity("default", "cpu", weights=path, penalty_k=0.1)
    path.write_bytes(b"two")
    two = raw.identity("siamatt-mobile", "cpu", weights=path, penalty_k=0.1)
    assert (one["tracker"], one["set"]) == ("siamatt-mobile", {"penalty_k": 0.1})
    assert one["weights"] != two["weights"]
    assert json.loads(json.dumps(one)) == one
    assert raw.identity("default", "cpu", weights=path, penalty_k=0.1, engine="auto") == two
    exact = raw.identity("default", "cpu", weights=path, penalty_k=0.1, engine="torch")
    assert exact != two, "the engines may compute in different precision"
    assert "engine torch" in stored.describe(exact)


def test_several_trackers_side_by_side_and_resumed(tmp_path, oracle):
    make_clip(tmp_path / "clips" / "a", 5, masks=True)
    make_clip(tmp_path / "clips" / "b", 4)
    make_clip(tmp_path / "clips" / "broken", 3)
    (tmp_path / "clips" / "broken" / "video.mp4").write_bytes(b"no video")
    clips = discover(tmp_path / "clips")
    contenders = [Contender.of("oracle"), Contender.of("opencv-kcf")]
    result, seen = drain(compare(contenders, clips, raw_root=tmp_path / "raw"))
    assert [(step.label, step.clip, step.done) for step in seen if step.finished] == [
        *[("oracle", "a", 5), ("oracle", "b", 4), ("oracle", "broken", 3)],
        *[("opencv-kcf", "a", 5), ("opencv-kcf", "b", 4), ("opencv-kcf", "broken", 3)],
    ]
    assert list(result.scores["oracle"]) == list(result.scores["opencv-kcf"]) == ["a", "b"]
    assert result.scores["oracle"]["a"].mask_j == 0.5
    assert result.scores["opencv-kcf"]["a"].mask_j is None
    assert result.scores["opencv-kcf"]["a"].auc > 0.5
    (problem,) = result.problems
    assert problem.startswith("broken is left out")
    stepped = len(oracle.asked)
    again, _ = drain(compare(contenders, clips, raw_root=tmp_path / "raw"))
    assert len(oracle.asked) == stepped, "stored clips are not run again"
    assert report.as_json(again) == report.as_json(result)


def test_clips_in_parallel_give_the_same_figures(tmp_path):
    for name in ("a", "b"):
        make_clip(tmp_path / name, 4)
    clips = discover(tmp_path)
    one, _ = drain(compare([Contender.of("opencv-kcf")], clips))
    two, steps = drain(compare([Contender.of("opencv-kcf")], clips, jobs=2))
    assert sorted(step.clip for step in steps) == ["a", "b"]
    for name in ("a", "b"):
        assert one.scores["opencv-kcf"][name].auc == two.scores["opencv-kcf"][name].auc


@pytest.mark.parametrize("protocol", [Supervised(3), MultiStart()])
def test_the_vot_protocols_run_in_parallel_and_resume(tmp_path, protocol, monkeypatch):
    for name in ("a", "b", "c"):
        make_clip(tmp_path / "clips" / name, 8)
    clips = discover(tmp_path / "clips")
    kcf = [Contender.of("opencv-kcf")]
    plain, _ = drain(compare(kcf, clips, protocol=protocol))
    drain(compare(kcf, clips[:1], protocol=protocol, raw_root=tmp_path / "raw"))
    rest, steps = drain(compare(kcf, clips, protocol=protocol, raw_root=tmp_path / "raw", jobs=2))
    assert next(step.clip for step in steps) == "a", "what is stored is not run again"
    monkeypatch.setattr(type(protocol), "run", None)
    again, _ = drain(compare(kcf, clips, protocol=protocol, raw_root=tmp_path / "raw"))
    whole = [report_vot.as_json(one, protocol.name, "vot2018", "legacy")["trackers"] for one in (plain, rest, again)]
    for one in whole:
        one["opencv-kcf"]["mean"]["fps"] = None
        for entry in one["opencv-kcf"]["clips"].values():
            entry["fps"] = None
    assert whole[0] == whole[1] == whole[2]


def test_clips_that_cannot_be_scored_are_left_out_and_named(tmp_path):
    make_clip(tmp_path / "a", 3)
    make_clip(tmp_path / "empty", 3, absent=(0, 1, 2))
    for protocol in (OnePass(), MultiStart()):
        found, _ = drain(
            compare([Contender.of("opencv-kcf")], discover(tmp_path), protocol=protocol, raw_root=tmp_path / "raw")
        )
        assert list(found.scores["opencv-kcf"]) == list(found.runs["opencv-kcf"]) == ["a"]
        (problem,) = found.problems
        assert problem.startswith("empty is left out")


def test_a_tracker_that_cannot_be_made_stops_before_the_work(tmp_path, monkeypatch):
    monkeypatch.delenv(registry.NANOTRACK_ENV, raising=False)
    make_clip(tmp_path / "a", 2)
    with pytest.raises(TrackerError, match="--nanotrack-dir"):
        next(compare([Contender.of("opencv-kcf"), Contender.of("opencv-nano")], discover(tmp_path)))


def test_contenders_take_only_the_options_they_know():
    assert Contender.of("opencv-kcf", "cpu", {"weights": "x"}).options == ()
    assert Contender.of("opencv-nano", "cpu", {"weights": "x", "nanotrack_dir": "d"}).options == (
        ("nanotrack_dir", "d"),
    )


def run_cli(*arguments) -> int:
    return cli.app([str(argument) for argument in arguments], result_action="return_value")


def test_evaluate_writes_the_agreed_json(tmp_path, oracle, capsys):
    make_clip(tmp_path / "clips" / "a", 5, masks=True)
    make_clip(tmp_path / "clips" / "b", 4)
    target = tmp_path / "new" / "figures.json"
    assert run_cli("evaluate", tmp_path / "clips", "--tracker", "oracle", "opencv-kcf", "--json", target) == 0
    data = json.loads(target.read_text())
    assert (data["protocol"], data["profile"]) == ("one-pass", "otb")
    assert list(data["trackers"]) == ["oracle", "opencv-kcf"]
    figures = {"auc", "precision20", "miou", "mask_j", "fps"}
    for entry in data["trackers"].values():
        assert set(entry) == {"mean", "loss", "clips"}
        assert list(entry["clips"]) == ["a", "b"]
        for values in (entry["mean"], *entry["clips"].values()):
            assert figures <= set(values)
            assert all(isinstance(values[key], float) for key in figures - {"mask_j"})
    ours = data["trackers"]["oracle"]
    assert (ours["clips"]["a"]["mask_j"], ours["clips"]["b"]["mask_j"], ours["mean"]["mask_j"]) == (0.5, None, 0.5)
    assert data["trackers"]["opencv-kcf"]["mean"]["mask_j"] is None
    assert ours["mean"]["auc"] == pytest.approx(20 / 21)
    printed = capsys.readouterr().out
    assert "opencv-kcf" in printed
    assert "Profile otb" in printed


def test_the_mean_is_over_clips_that_have_the_figure():
    assert report.mean({})["auc"] is None
    nothing = report.as_json(Comparison({"x": {}}))["trackers"]["x"]
    assert nothing["mean"] == dict.fromkeys((*report.FIGURES, *report.EXTRA))
    assert nothing["clips"] == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tracker", "siamrpn"], "siamrpn"),
        (["--clips", "car"], "“car”"),
        (["--jobs", "0"], "--jobs"),
        (["--limit-clips", "0"], "--limit-clips"),
        (["--tracker", "opencv-kcf", "--set.penalty_k", "0.1"], "penalty_k"),
        (["--tracker", "opencv-kcf", "--json", "."], "cannot be written"),
    ],
)
def test_what_evaluate_cannot_do_is_said(tmp_path, arguments, words):
    make_clip(tmp_path / "a", 2)
    with pytest.raises(TrackerError, match=words):
        run_cli("evaluate", tmp_path, *arguments)


def test_nothing_to_score_is_an_error(tmp_path, oracle, capsys):
    make_clip(tmp_path / "a", 2, absent=(0, 1))
    with pytest.raises(TrackerError, match="no clip could be scored"):
        run_cli("evaluate", tmp_path, "--tracker", "oracle")
    assert "holds no box to start from" in capsys.readouterr().err


def test_hyper_parameters_reach_the_tracker_that_knows_them(tmp_path, oracle, monkeypatch):
    make_clip(tmp_path / "a", 2)
    given = []
    monkeypatch.setattr(registry, "create", lambda name, device, **options: given.append(options) or oracle)
    assert run_cli("evaluate", tmp_path, "--tracker", "oracle", "--set.gain", "2.5") == 0
    assert given[0]["gain"] == 2.5


def test_trackers_lists_names_sizes_weights_and_licences(capsys):
    assert run_cli("trackers") == 0
    printed = capsys.readouterr().out
    for name in (*registry.names(), "default", "Apache-2.0", "parameters"):
        assert name in printed
