"""Golden figures of the reference's section I that concern crops, anchors, labels, penalty and schedules of search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tracker import boxes, crops
from tracker.api import Box
from tracker.config import NetConfig
from tracker.inference.decode import Decoder
from tracker.inference.engine import Scores
from tracker.zoo import PAPERS, ZOO

PAPER_NET = ZOO["siamrpnpp-r50"].net


@pytest.mark.parametrize(("w", "h", "side"), [(64, 64, 128.00), (104, 32, 131.15), (40, 80, 118.32)])
def test_the_exemplar_region_has_the_published_side(w: int, h: int, side: float) -> None:
    assert boxes.context_side(w, h) == pytest.approx(side, abs=5e-3)


def test_the_search_region_of_a_128_px_exemplar_is_257_px() -> None:
    assert round(round(boxes.context_side(64, 64)) * 255 / 127) == 257


def test_anchors_are_the_published_five() -> None:
    expected = [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]
    assert boxes.anchor_shapes(PAPER_NET).tolist() == expected


@pytest.mark.parametrize(("name", "search", "grid"), [("siamrpnpp-r50", 255, 25), ("siamrpnpp-alex", 287, 21)])
def test_response_cells_lie_eight_pixels_apart_around_the_centre(name: str, search: int, grid: int) -> None:
    net = ZOO[name].net
    assert (net.search, net.grid) == (search, grid)
    centres = boxes.cell_centres(net)
    assert centres[grid // 2] == search / 2
    assert np.diff(centres) == pytest.approx(8)
    if search == 255:  # our coordinates lie at pixel edges, the papers' at pixel indices
        assert centres == pytest.approx(31 + 8 * np.arange(25) + 0.5)


def test_the_long_term_search_has_97_cells() -> None:
    assert ZOO["siamrpnpp-r50-lt"].net.grid_for(831) == 97


def test_penalty_is_one_for_an_unchanged_size_and_falls_with_any_change() -> None:
    decoder = Decoder(PAPER_NET)

    def penalty(dw: float) -> float:
        loc = np.zeros((4, 5, 25, 25), np.float32)
        loc[2:] = dw
        none = np.zeros((0, 25, 25), np.float32)
        foreground = np.zeros((5, 25, 25), np.float32)
        foreground[2, 12, 12] = 1
        scores = Scores(foreground, loc.reshape(20, 25, 25), none, none, np.zeros((0, 5, 25, 25), np.float32))
        return decoder.choose(scores, (64, 64), ZOO["siamrpnpp-r50"].profiles["vot"])[0].penalty

    assert penalty(0) == pytest.approx(1)
    assert 1 > penalty(0.1) > penalty(0.3) > 0
    assert penalty(np.log(2)) == pytest.approx(np.exp(-0.05), abs=1e-4)  # twice the size: exp(-(1 * 2 - 1) k)


@pytest.mark.parametrize(
    ("name", "profile", "figures"),
    [
        ("siamrpnpp-r50", "vot", (0.05, 0.42, 0.38)),
        ("siamrpnpp-r50", "otb", (0.24, 0.50, 0.25)),
        ("siamrpnpp-mobilev2", "vot", (0.04, 0.40, 0.50)),
        ("siamrpnpp-alex", "vot", (0.16, 0.40, 0.30)),
        ("siamrpnpp-r50-lt", "lt", (0.05, 0.28, 0.22)),
        ("siammask-r50", "vot", (0.10, 0.41, 0.32)),
        ("siammask-r50", "davis", (0.04, 0.40, 1.0)),
        ("siamatt-r50", "paper", (0.04, 0.44, 0.33)),
    ],
)
def test_hyper_parameters_are_the_published_ones(name: str, profile: str, figures: tuple) -> None:
    config = ZOO[name].profiles[profile]
    assert (config.penalty_k, config.window_influence, config.size_rate) == figures


def test_the_papers_crop_starts_at_the_published_corner() -> None:
    """xmin = floor(cx - (S + 1) / 2 + 0.5) with cx the index of the centre pixel, S the rounded side."""
    image = np.zeros((400, 500, 3), np.uint8)
    for box in (Box(100, 80, 64, 64), Box(33.3, 20.7, 41.2, 80.9), Box(250, 100, 33, 47)):
        side = round(boxes.context_side(box.w, box.h))
        for x, y, cx, cy in [(box.x, box.y, box.x + (box.w - 1) / 2, box.y + (box.h - 1) / 2)]:
            _, crop = crops.cut(image, box.cx, box.cy, side, 127, np.zeros(3, np.uint8), "bilinear")
            assert crop.rect.x == np.floor(cx - (side + 1) / 2 + 0.5), (x, y)
            assert crop.rect.y == np.floor(cy - (side + 1) / 2 + 0.5)
            assert crop.rect.w == crop.rect.h == side


def test_published_trackers_neither_act_on_a_loss_nor_average_pixels() -> None:
    for name, published in ZOO.items():
        if name == "siamatt-mobile":
            continue
        for config in published.profiles.values():
            assert config.sampling == "bilinear"
            assert config.on_lost == ("enlarge" if name.endswith("-lt") else "follow")


def test_baselines_give_attention_no_weight() -> None:
    assert PAPERS.attention_weight == 0
    assert ZOO["siamatt-r50"].profiles["paper"].attention_weight == 1
    assert ZOO["siamatt-r50"].profiles["paper"].attention_threshold == 0.1
    assert replace(ZOO["siamatt-r50"].net, architecture="siamrpn") == ZOO["siamrpnpp-r50"].net
    assert isinstance(PAPER_NET, NetConfig)
