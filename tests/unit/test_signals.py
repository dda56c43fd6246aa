"""From evidence to a verdict: absence is noticed within frames, single bad frames are not, and the reason says why."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.api import Box, MaskPatch, Verdict
from tracker.config import SIGNALS, Presence, TrackConfig
from tracker.inference.decode import Choice
from tracker.inference.signals import Evidence, Monitor, agreement, doubt_disagreement, readings

USUAL = {
    "probability": 4.2, "attention": 0.48, "online": 0.57, "sharpness": 4.1, "likeness": 0.7, "second_peak": 0.2,
    "resize": 0.1,
}  # fmt: skip
FACTORS = {
    "probability": 0.21, "attention": 3.4, "online": 1.6, "sharpness": 0.26, "likeness": 2.0, "second_peak": -0.3,
    "resize": -2.1,
}  # fmt: skip
CONFIG = TrackConfig(presence=Presence(tuple(FACTORS.items()), -3.36, tuple(USUAL.items()), trust=0.8))
"""Constants as `main.py calibrate` finds them; the tests do not depend on those that ship."""


def choice(probability: float, runner_up: float = 0.1) -> Choice:
    return Choice(np.array([127.5, 127.5, 64, 64]), 12, 12, probability, probability, 1.0, runner_up, (4, 20))


def evidence(sharpness: float, **more: float) -> Evidence:
    """A frame on which all that the online part and the attention say goes with the sharpness; 12 is usual."""
    given = {"online": 0.05 * sharpness, "likeness": 0.06 * sharpness, "attention": 0.04 * sharpness, **more}
    return Evidence(displacement=0.1, sharpness=sharpness, **given)  # type: ignore[arg-type]


def run(frames: list[tuple[float, float]], monitor: Monitor | None = None) -> list[Verdict]:
    monitor = monitor or Monitor(CONFIG)
    return [monitor.judge(choice(p), evidence(s))[0] for p, s in frames]


HERE, GONE = (0.98, 12.0), (0.01, 1.0)


def test_a_target_that_stays_is_never_doubted() -> None:
    assert set(run([HERE] * 200)) == {Verdict.TRACKED}


def test_absence_is_noticed_within_frames_and_so_is_the_return() -> None:
    verdicts = run([HERE] * 20 + [GONE] * 20 + [HERE] * 20)
    assert Verdict.LOST in verdicts[20:24]
    assert set(verdicts[24:40]) == {Verdict.LOST}
    assert set(verdicts[44:]) == {Verdict.TRACKED}


def test_one_bad_frame_is_no_loss() -> None:
    assert Verdict.LOST not in run([HERE] * 10 + [GONE] + [HERE] * 10)


def test_what_looks_a_little_like_it_does_not_bring_a_lost_target_back() -> None:
    assert Verdict.LOST in run([HERE] * 5 + [GONE] * 8)
    monitor = Monitor(CONFIG)
    run([HERE] * 5 + [GONE] * 8, monitor)
    assert set(run([(0.85, 6.0)] * 40, monitor)) == {Verdict.LOST}


def test_elsewhere_more_frames_must_agree() -> None:
    def frames_until_back(elsewhere: bool) -> int:
        monitor = Monitor(CONFIG)
        run([HERE] * 5 + [GONE] * 8, monitor)
        for frame in range(50):
            if monitor.judge(choice(0.97), evidence(10.0, elsewhere=elsewhere))[0] is not Verdict.LOST:
                return frame
        raise AssertionError("never")

    assert frames_until_back(False) < frames_until_back(True) < 10


def test_a_sliver_at_the_border_counts_as_gone() -> None:
    monitor, verdict, reason = Monitor(CONFIG), Verdict.TRACKED, ""
    for _ in range(4):
        verdict, reason, _ = monitor.judge(choice(0.9), evidence(10.0, resize=-1.2, cut=True))
    assert verdict is Verdict.LOST
    assert "left the picture" in reason
    assert Monitor(CONFIG).judge(choice(0.9), evidence(10.0, resize=-1.2))[0] is Verdict.UNCERTAIN


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        ({"resize": 1.5}, "larger"),
        ({"resize": -1.5}, "smaller"),
        ({"outside": 0.7}, "outside the picture"),
        ({"displacement": 1.4}, "jumped"),
    ],
)
def test_doubts_name_what_is_odd(frame: dict[str, float], word: str) -> None:
    said = evidence(12.0)._replace(**frame)
    verdict, reason, signals = Monitor(CONFIG).judge(choice(0.98), said)
    assert verdict is Verdict.UNCERTAIN
    assert word in reason
    assert {"online", "sharpness", "confidence"} <= set(signals)


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        ({"probability": 0.01}, "looks like"),
        ({"attention": 0.0}, "attention"),
        ({"online": 0.0}, "surroundings"),
        ({"sharpness": 0.0}, "stands out"),
        ({"likeness": -0.2}, "unlike what was marked"),
        ({"resize": 2.0}, "larger than usual"),
    ],
)
def test_a_loss_names_the_signal_that_failed_most(frame: dict[str, float], word: str) -> None:
    """Every signal a little low, one of them as low as it can be: that one is named."""
    low = {"attention": 0.3, "online": 0.35, "likeness": 0.4, "sharpness": 7.0} | frame
    weak = evidence(low.pop("sharpness"), **{name: low[name] for name in low if name in Evidence._fields})
    monitor, reason, verdict = Monitor(CONFIG), "", Verdict.TRACKED
    for _ in range(60):
        verdict, reason, _ = monitor.judge(choice(frame.get("probability", 0.8), frame.get("second_peak", 0.3)), weak)
        if verdict is Verdict.LOST:
            break
    assert verdict is Verdict.LOST
    assert word in reason


def test_without_the_online_part_the_smoothed_probability_decides() -> None:
    monitor = Monitor(CONFIG)
    verdicts = [monitor.judge(choice(p), Evidence(0.3, 0.1))[0] for p in [0.9] * 3 + [0.01] * 9]
    assert verdicts[2] is Verdict.TRACKED
    assert verdicts[-1] is Verdict.LOST


def test_what_is_read_from_a_lost_target_leaves_its_old_place_and_size_out() -> None:
    signals = {"probability": 0.5, "attention": 0.3, "second_peak": 9.0, "displacement": 5.0, "resize": -3.0,
               "outside": 0.2, "online": -0.4, "sharpness": -1.0, "likeness": 0.1}  # fmt: skip
    here, lost = readings(signals), readings(signals, absent=True)
    assert set(here) == set(SIGNALS)
    assert (here["displacement"], here["resize"]) == (2.0, 2.0)
    assert (lost["displacement"], lost["resize"]) == (0.0, 0.0)
    assert (here["probability"], here["second_peak"], here["online"], here["sharpness"]) == (0.0, 1.5, 0.0, 0.0)


def test_a_box_and_a_mask_that_disagree_make_an_answer_uncertain() -> None:
    bits = np.zeros((12, 12), bool)
    bits[1:11, 2:12] = True  # covers x 102 .. 112, y 51 .. 61
    mask = MaskPatch(100, 50, bits)
    assert agreement(Box(102, 51, 10, 10), mask) == pytest.approx(1.0)
    assert agreement(Box(107, 51, 10, 10), mask) == pytest.approx(1 / 3)
    assert agreement(Box(102, 51, 10, 10), MaskPatch(0, 0, ~bits & bits)) == 0.0
    verdict, reason = doubt_disagreement(Verdict.TRACKED, "", 1 / 3)
    assert verdict is Verdict.UNCERTAIN
    assert "box and mask disagree" in reason
    assert doubt_disagreement(Verdict.TRACKED, "", 0.8) == (Verdict.TRACKED, "")
    assert doubt_disagreement(Verdict.UNCERTAIN, "a look-alike", 0.1) == (Verdict.UNCERTAIN, "a look-alike")
