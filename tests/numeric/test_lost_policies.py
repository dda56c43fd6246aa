"""What trackers do with a lost target, on an engine whose confidence the test decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tracker.api import Box, Verdict
from tracker.config import TrackConfig
from tracker.inference.engine import Answer, Scores, Square, cut_all
from tracker.inference.siamese import SiameseTracker
from tracker.zoo import PAPERS, ZOO

IMAGE = np.full((400, 600, 3), 90, np.uint8)
START = Box(280, 180, 40, 40)


class FakeEngine:
    """Answers with one candidate ``shift`` cells right of the centre, as sure as the test says."""

    config = ZOO["siamrpnpp-r50-lt"].net
    device = "cpu"
    masks = attentive = False

    def __init__(self) -> None:
        self.confidence, self.shift, self.growth = 1.0, 0, 0.0
        self.sizes: list[int] = []

    cut = staticmethod(cut_all)

    def embed(self, exemplars: np.ndarray, weights: np.ndarray | None = None) -> tuple:
        return ()

    def join(self, kernels: Sequence[Any]) -> tuple:
        return ()

    def match(self, kernels: Any, searches: np.ndarray) -> Answer:
        n, size = searches.shape[:2]
        self.sizes.append(size)
        g = self.config.grid_for(size)
        foreground = np.zeros((n, 5, g, g), np.float32)
        foreground[:, 2, g // 2, g // 2 + self.shift] = self.confidence
        loc = np.zeros((n, 20, g, g), np.float32)
        loc[:, 10:] = self.growth
        none = np.zeros((n, 0, g, g), np.float32)
        return Answer(Scores(foreground, loc, none, none, none[:, :, None]), None)

    def segment(self, *_: Any) -> np.ndarray:
        raise AssertionError("this engine has no masks")

    part_attention = segment


def start(config: TrackConfig) -> tuple[FakeEngine, Any]:
    engine = FakeEngine()
    return engine, SiameseTracker("fake", engine, config).start(IMAGE, START)


def test_the_long_term_tracker_enlarges_its_search_below_one_bound_and_returns_above_another() -> None:
    engine, target = start(ZOO["siamrpnpp-r50-lt"].profiles["lt"])
    assert target.step(IMAGE).verdict is Verdict.TRACKED
    engine.confidence, engine.shift = 0.79, 3
    before = target.box
    lost = target.step(IMAGE)
    assert lost.verdict is Verdict.LOST
    assert "larger region" in lost.reason
    assert target.box == before, "below the low bound centre and size are frozen"
    assert target.search_size == 831
    engine.confidence = 0.9
    still = target.step(IMAGE)
    assert still.verdict is Verdict.LOST, "between the bounds it stays lost"
    assert target.box != before, "but centre and size follow"
    assert still.crop is not None
    assert still.crop.size == 831
    assert still.heat["fused"].values.shape == (97, 97)
    engine.confidence = 0.999
    assert target.step(IMAGE).verdict is not Verdict.LOST
    assert target.search_size == 255
    target.step(IMAGE)
    assert engine.sizes == [255, 255, 831, 831, 255]


def test_the_papers_short_term_trackers_go_on_as_if_nothing_happened() -> None:
    engine, target = start(PAPERS)
    engine.confidence, engine.shift = 0.0, 2
    places = [target.step(IMAGE).box.cx for _ in range(12)]
    assert target.step(IMAGE).verdict is Verdict.LOST
    engine.confidence = 0.5
    moved = target.step(IMAGE)
    assert moved.box.cx > places[-1]
    assert set(engine.sizes) == {255}


def test_the_embedded_tracker_looks_around_and_keeps_the_usual_size() -> None:
    engine, target = start(TrackConfig(online_weight=0.0, calibration=0.0))
    engine.confidence = 0.0
    while target.step(IMAGE).verdict is not Verdict.LOST:
        pass
    kept, places = target.box, []

    def cut(image: np.ndarray, squares: Sequence[Square], *rest: Any) -> Any:
        places.append([(square.cx, square.cy) for square in squares])
        assert {square.side for square in squares} == {squares[0].side}, "at the scale that was learnt"
        return cut_all(image, squares, *rest)

    engine.cut = cut  # type: ignore[method-assign]
    for _ in range(20):
        target.step(IMAGE)
    assert target.box == kept
    home = [(kept.cx, kept.cy)]
    assert places[:3] == [home] * 3, "at first it is sought where it was"
    assert places.count(home) == 20, "and in every later frame, besides other places"
    elsewhere = {place for look in places if look != home for place in look}
    assert len(elsewhere) > 5
    assert all(0 <= x <= 600 and 0 <= y <= 400 for x, y in elsewhere)
    assert set(engine.sizes) == {255}
    engine.confidence = 1.0
    while target.step(IMAGE).verdict is Verdict.LOST:
        pass
    assert target.lost == 0


def test_targets_that_search_regions_of_two_sizes_are_answered_in_order() -> None:
    """A lost and a held target of one long-term tracker need a forward pass each."""
    engine = FakeEngine()
    tracker = SiameseTracker("fake", engine, ZOO["siamrpnpp-r50-lt"].profiles["lt"])
    held, gone = tracker.start(IMAGE, START), tracker.start(IMAGE, Box(100, 100, 30, 60))
    engine.confidence = 0.1
    gone.step(IMAGE)
    engine.confidence = 1.0
    answers = tracker.step(IMAGE, [gone, held, gone])[::-1][1:]
    assert [answer.crop.size for answer in answers if answer.crop] == [255, 831]
    assert answers[0].box.cx == pytest.approx(held.box.cx)


@pytest.mark.parametrize("name", ["siamatt-r50", "siamrpnpp-r50"])
def test_the_size_rate_never_exceeds_the_published_one(name: str) -> None:
    config = ZOO[name].profiles[next(iter(ZOO[name].profiles))]
    engine, target = start(replace(config, penalty_k=0.0))
    width, engine.growth = target.box.w, 0.5
    target.step(IMAGE)
    seen = 64 * np.exp(0.5) * round(target.square(IMAGE).side * width / target.box.w) / 255
    assert (target.box.w - width) / (seen - width) == pytest.approx(config.size_rate, rel=0.02)
