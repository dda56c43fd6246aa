"""Identities of the reference's section I, through whole trackers on moving texture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from tracker.api import Box, Prediction
from tracker.config import TrackConfig
from tracker.inference.engine import TorchEngine
from tracker.inference.siamese import SiameseTracker
from tracker.models.build import build
from tracker.zoo import ZOO

BOX = Box(110, 80, 48, 40)


def frames(count: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    scene = cv2.resize(rng.integers(0, 256, (40, 50, 3), np.uint8), (400, 320), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(np.roll(scene, (2 * i, 3 * i), (0, 1))[:240, :300]) for i in range(count)]


@pytest.fixture(scope="module")
def pair() -> tuple[torch.nn.Module, torch.nn.Module]:
    """SiamRPN++ and SiamAtt with the same weights where they share them, on the light backbone."""
    plain = ZOO["siamrpnpp-mobilev2"].net
    with torch.random.fork_rng():
        torch.manual_seed(5)
        attentive = build(replace(plain, architecture="siamatt"))
        baseline = build(plain)
    own = attentive.state_dict()
    baseline.load_state_dict({name: own[name] for name in baseline.state_dict()})
    return baseline, attentive


def follow(net: torch.nn.Module, config: TrackConfig) -> list[Prediction]:
    tracker = SiameseTracker("test", TorchEngine(net, "cpu", config), config)
    first, *rest = frames()
    target = tracker.start(first, BOX)
    return [target.step(image) for image in rest]


def test_siamatt_without_weight_or_without_a_peak_is_siamrpnpp_bit_for_bit(
    pair: tuple[torch.nn.Module, torch.nn.Module],
) -> None:
    baseline, attentive = pair
    published = ZOO["siamatt-r50"].profiles["paper"]
    expected = follow(baseline, published)
    weightless = follow(attentive, replace(published, attention_weight=0.0))
    peakless = follow(attentive, replace(published, attention_threshold=1.0))
    for found in (weightless, peakless):
        for one, other in zip(expected, found, strict=True):
            assert one.box == other.box
            assert one.score == other.score
            assert np.array_equal(one.heat["fused"].values, other.heat["fused"].values)


def test_attention_changes_the_answer_when_it_counts(pair: tuple[torch.nn.Module, torch.nn.Module]) -> None:
    published = ZOO["siamatt-r50"].profiles["paper"]
    counted = follow(pair[1], replace(published, attention_threshold=0.0))
    baseline = follow(pair[0], published)
    assert not np.array_equal(counted[0].heat["fused"].values, baseline[0].heat["fused"].values)


def test_every_published_score_mode_follows(pair: tuple[torch.nn.Module, torch.nn.Module]) -> None:
    published = replace(ZOO["siamatt-r50"].profiles["paper"], attention_threshold=0.0)
    for mode in ("paper", "paper-sum3", "released"):
        for prediction in follow(pair[1], replace(published, score_mode=mode)):
            assert all(np.isfinite(prediction.box))
            assert 0 <= prediction.heat["fused"].values.max() <= 1
