"""From evidence to a verdict: absence is noticed within frames, single bad frames are not, and the reason says why."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.api import Verdict
from tracker.config import TrackConfig
from tracker.inference.decode import Choice
from tracker.inference.signals import Evidence, Monitor

CONFIG = TrackConfig()


def choice(probability: float, runner_up: float = 0.1) -> Choice:
    return Choice(np.array([127.5, 127.5, 64, 64]), 12, 12, probability, probability, 1.0, runner_up, (4, 20))


def evidence(sharpness: float, **more: float) -> Evidence:
    return Evidence(0.3, 0.1, online=0.5, sharpness=sharpness, **more)  # type: ignore[arg-type]


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


def test_a_loss_names_the_signal_that_failed() -> None:
    for frame, word in (((0.02, 8.0), "looks like"), ((0.9, 0.5), "stands out")):
        monitor, reason = Monitor(CONFIG), ""
        for _ in range(30):
            verdict, reason, _ = monitor.judge(choice(frame[0]), evidence(frame[1]))
            if verdict is Verdict.LOST:
                break
        assert word in reason
