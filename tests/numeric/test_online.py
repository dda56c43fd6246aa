"""The online part: what it learns from one frame, that corrections outweigh drift, and that it repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.api import Box
from tracker.config import NetConfig
from tracker.inference.online import OnlineFilter, stands_out

NET = NetConfig(channels=32)
SIDE = 31


def scene(cell: tuple[int, int], look: int = 0, seed: int = 1) -> np.ndarray:
    """Noise with one pattern around a cell of the response grid; ``look`` picks the pattern."""
    features = np.random.default_rng(seed).normal(size=(32, SIDE, SIDE)).astype(np.float32)
    pattern = 3 * np.random.default_rng(100 + look).normal(size=(32, 5, 5)).astype(np.float32)
    row, column = cell[0] + 3, cell[1] + 3
    features[:, row - 2 : row + 3, column - 2 : column + 3] += pattern
    return features


def box(cell: tuple[int, int]) -> Box:
    return Box.from_centre(31.5 + 8 * cell[1], 31.5 + 8 * cell[0], 60, 60)


def taught(**options: float) -> OnlineFilter:
    online = OnlineFilter(NET, **options)  # type: ignore[arg-type]
    for seed, cell in enumerate([(12, 12), (9, 14), (15, 11)]):
        online.learn(scene(cell, seed=seed), box(cell), keep=True)
    return online


def test_the_target_is_found_where_it_went_and_stands_out() -> None:
    online = taught()
    scores = online.respond(scene((5, 18), seed=9))
    assert scores.shape == (25, 25)
    assert np.unravel_index(scores.argmax(), scores.shape) == (5, 18)
    best, sharpness = stands_out(scores, 5, 18)
    assert best == scores.max()
    assert sharpness > 6
    absent = online.respond(scene((5, 18), look=3, seed=9))
    assert absent.max() < 0.6 * best
    assert stands_out(absent, 5, 18)[1] < sharpness / 2


def test_what_was_learnt_not_to_be_the_target_is_rejected() -> None:
    """A look-alike beside the target answers less once it was part of a frame that was learnt."""

    def crowd(seed: int) -> np.ndarray:
        twin = scene((6, 6), seed=seed)
        both = scene((12, 12), seed=seed)
        both[:, 7:12, 7:12] = 0.7 * twin[:, 7:12, 7:12] + 0.5 * scene((6, 6), look=1, seed=seed)[:, 7:12, 7:12]
        return both

    naive, warned = taught(), taught()
    for seed in range(20, 24):
        warned.learn(crowd(seed), box((12, 12)), 0.3)

    def ghost(online: OnlineFilter) -> float:
        return float(online.respond(crowd(30))[5:8, 5:8].max())

    assert ghost(warned) < 0.8 * ghost(naive)


def test_corrections_keep_their_share_however_long_the_drift() -> None:
    online = taught()
    for seed in range(40):
        online.learn(scene((12, 12), look=2, seed=seed + 60), box((12, 12)), 0.2)
    assert online.respond(scene((7, 7), seed=9))[7, 7] > 0.3
    online.learn(scene((10, 10), look=2, seed=7), box((10, 10)), keep=True)
    assert online.respond(scene((7, 7), look=2, seed=9))[7, 7] > 0.5


def test_it_repeats_itself_bit_for_bit() -> None:
    one, two = taught(), taught()
    one.learn(scene((11, 11), seed=4), box((11, 11)), 0.1)
    two.learn(scene((11, 11), seed=4), box((11, 11)), 0.1)
    assert np.array_equal(one.respond(scene((4, 4))), two.respond(scene((4, 4))))


@pytest.mark.parametrize("side", [3.0, 400.0])
def test_absurd_boxes_give_finite_scores(side: float) -> None:
    online = OnlineFilter(NET)
    online.learn(np.zeros((32, SIDE, SIDE), np.float32), Box(-50, -50, side, side), keep=True)
    assert np.isfinite(online.respond(scene((12, 12)))).all()


def test_the_folded_response_is_the_classifier_on_every_cells_taps() -> None:
    rng = np.random.default_rng(5)
    learner = OnlineFilter(NetConfig())
    for _ in range(2):
        learner.learn(rng.normal(size=(64, 31, 31)).astype(np.float32), Box(90, 100, 60, 50), keep=True)
    seen = rng.normal(size=(64, 31, 31)).astype(np.float32)
    expected = (learner._rows(seen) @ learner._solution).reshape(25, 25)
    assert np.allclose(learner.respond(seen), expected, atol=1e-4)  # one product instead of many rows
