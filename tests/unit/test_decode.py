"""Score fusion, penalty and choice, on responses made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tracker.api import Verdict
from tracker.config import NetConfig, TrackConfig
from tracker.inference.decode import Decoder
from tracker.inference.signals import Monitor

NET, CONFIG = NetConfig(), TrackConfig()
DECODER = Decoder(NET)
SQUARE = 2
RNG = np.random.default_rng(5)


def responses() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    probability = RNG.random((5, 25, 25)).astype(np.float32) * 0.3
    loc = RNG.normal(0, 0.1, (20, 25, 25)).astype(np.float32)
    attention = RNG.random((25, 25)).astype(np.float32) * 0.09
    return probability, loc, attention


def test_zero_deltas_give_the_anchors_back() -> None:
    boxes = DECODER.boxes(np.zeros((20, 25, 25), np.float32))
    assert np.array_equal(np.moveaxis(boxes, 0, -1), DECODER.anchors)


def test_the_penalty_is_one_where_size_and_shape_are_kept() -> None:
    probability = np.zeros((5, 25, 25), np.float32)
    probability[SQUARE, 12, 12] = 0.9
    loc, attention = np.zeros((20, 25, 25), np.float32), np.zeros((25, 25), np.float32)
    choice, _ = DECODER.choose(probability, loc, attention, (64, 64), CONFIG)
    assert (choice.row, choice.column) == (12, 12)
    assert choice.penalty == pytest.approx(1)
    assert choice.box.tolist() == [127.5, 127.5, 64, 64]


def test_without_weight_or_peak_siamatt_is_siamrpnpp() -> None:
    """Reference, section I: w = 0, or no peak above t, must equal SiamRPN++."""
    probability, loc, attention = responses()
    plain = replace(CONFIG, attention_weight=0.0)
    loud = np.maximum(attention, np.eye(25, dtype=np.float32))
    rpn, _ = DECODER.choose(probability, loc, np.zeros_like(attention), (60, 70), plain)
    weightless, _ = DECODER.choose(probability, loc, loud, (60, 70), plain)
    assert np.array_equal(rpn.box, weightless.box)
    assert rpn.probability == weightless.probability
    no_peak = DECODER.fuse(probability, attention, CONFIG) * (1 + CONFIG.attention_weight)
    assert np.allclose(no_peak, probability)


def test_an_attention_peak_lifts_every_anchor_of_its_cell_and_no_other() -> None:
    probability, _, attention = responses()
    attention[6, 17] = 0.8
    attention[6, 18] = 0.7  # above t, but no peak
    lifted = DECODER.fuse(probability, attention, CONFIG) * (1 + CONFIG.attention_weight) - probability
    assert lifted[:, 6, 17] == pytest.approx([0.8] * 5)
    lifted[:, 6, 17] = 0
    assert np.allclose(lifted, 0, atol=1e-6)


def test_attention_decides_between_equal_candidates() -> None:
    probability, loc = np.zeros((5, 25, 25), np.float32), np.zeros((20, 25, 25), np.float32)
    probability[SQUARE, 12, 8] = probability[SQUARE, 12, 16] = 0.8
    attention = np.zeros((25, 25), np.float32)
    attention[12, 16] = 0.9
    choice, maps = DECODER.choose(probability, loc, attention, (64, 64), CONFIG)
    assert (choice.row, choice.column) == (12, 16)
    assert choice.runner_up_cell == (12, 8)
    assert 0 < choice.runner_up < 1
    assert all(m.shape == (25, 25) and m.min() >= 0 and m.max() <= 1 for m in maps)


def test_a_target_that_fades_is_first_uncertain_then_lost_and_says_why() -> None:
    probability, loc = np.zeros((5, 25, 25), np.float32), np.zeros((20, 25, 25), np.float32)
    probability[SQUARE, 12, 12] = 0.05
    choice, _ = DECODER.choose(probability, loc, np.zeros((25, 25), np.float32), (64, 64), CONFIG)
    monitor, verdicts = Monitor(CONFIG), []
    for _ in range(12):
        verdict, reason, signals = monitor.judge(choice, 0.05, 0.0)
        verdicts.append(verdict)
        assert bool(reason) == (verdict is not Verdict.TRACKED)
        assert all(np.isfinite(value) for value in signals.values())
    first = {verdict: verdicts.index(verdict) for verdict in Verdict}
    assert first[Verdict.TRACKED] < first[Verdict.UNCERTAIN] < first[Verdict.LOST]
    assert verdicts[-1] is Verdict.LOST
