"""What the mask branch is told of its candidate: the box of a cell, and where cells of the window lie in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tracker.config import NetConfig, TrackConfig
from tracker.data import augment
from tracker.data.crops import CropSet
from tracker.data.pairs import hollow_tracks
from tracker.inference.decode import Decoder
from tracker.models.heads import extents
from tracker.models.siamatt_mobile import SiamAttMobile

NET = NetConfig(channels=8)


def test_a_cells_candidate_is_the_box_that_the_decoder_reads_there() -> None:
    net = SiamAttMobile(NET).eval()
    generator = torch.Generator().manual_seed(3)
    cls, loc = torch.randn(1, 10, 25, 25, generator=generator), 0.2 * torch.randn(1, 20, 25, 25, generator=generator)
    for row, column in ((0, 0), (12, 7), (24, 24)):
        found = net.candidates(cls, loc, torch.tensor([row]), torch.tensor([column]))[0]
        chances = (cls[0, 5:] - cls[0, :5])[:, row, column]
        expected = Decoder(NET).boxes(loc[0].numpy())[:, int(chances.argmax()), row, column]
        assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-3)


def test_extents_are_one_inside_the_box_and_grow_to_two_beyond_it() -> None:
    maps = extents(torch.tensor([[63.0, 63.0, 42.0, 84.0]]), 63)[0]
    assert maps.shape == (3, 63, 63)
    middle = 31  # of a window of 126 px
    assert maps[0, middle, middle] < 0.1
    assert maps[2, middle, middle] > 0.99
    assert maps[0, middle, 0] == 2
    edge = middle + 21 // 2
    assert maps[0, middle, edge] == pytest.approx(1, abs=0.1)
    assert maps[1, edge, middle] == pytest.approx(0.5, abs=0.1)
    assert maps[2, middle, edge + 4] < 0.1


def test_padding_is_told_from_picture() -> None:
    rng = np.random.default_rng(0)
    crop = np.full((431, 431, 3), (90, 100, 110), np.uint8)
    crop[120:300, 80:431] = rng.integers(0, 255, (180, 351, 3), np.uint8)
    x1, y1, x2, y2 = augment.picture_bounds(crop)
    assert 80 <= x1 <= 90
    assert 120 <= y1 <= 130
    assert x2 == 431
    assert 290 <= y2 <= 300
    assert augment.picture_bounds(np.zeros((431, 431, 3), np.uint8)) == (0, 0, 431, 431)
    background = augment.excerpt(rng, crop, 255)
    assert background is not None
    assert background.shape == (255, 255, 3)


def test_a_bent_picture_and_its_bent_mask_stay_together() -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros((431, 431), np.uint8)
    cv2.circle(mask, (215, 215), 40, 1, -1)
    picture = np.repeat(mask[..., None] * np.uint8(200), 3, axis=2)
    matrix = augment.affine(rng, augment.STILL, 431, 255, flip=True, rotate=True)
    bent = augment.bend(rng, 255, 10)
    moved, cover = augment.warp(picture, matrix, 255, bent=bent), augment.warp(mask, matrix, 255, True, bent)
    assert ((moved[..., 0] > 100) == (cover > 0)).mean() > 0.99
    straight = augment.warp(mask, matrix, 255, nearest=True)
    assert (straight != cover).sum() > 50
    assert np.array_equal(augment.warp(mask, matrix, 255, True, np.zeros_like(bent)), straight)


def test_a_twin_differs_in_colour_or_is_none() -> None:
    picture, mask = np.full((64, 64, 3), (20, 90, 200), np.uint8), np.ones((64, 64), np.uint8)
    twins = [augment.recolour(np.random.default_rng(i), picture, mask) for i in range(20)]
    assert any(twin is not None for twin in twins)
    for twin in twins:
        assert twin is None or np.abs(twin.astype(int) - picture).mean((0, 1)).max() > 40


def test_hollow_objects_are_those_with_an_empty_middle(tmp_path: Path) -> None:
    folder = tmp_path / "crops" / "s" / "v"
    folder.mkdir(parents=True)
    for track in range(2):
        mask = np.zeros((431, 431), np.uint8)
        cv2.ellipse(mask, (215, 215), (40, 40), 0, 0, 360, 255, -1 if track else 8)
        cv2.imwrite(str(folder / f"000000.{track:02d}.m.png"), mask)
        cv2.imwrite(str(folder / f"000000.{track:02d}.x.png"), np.zeros((431, 431, 3), np.uint8))
    frames = {f"{t:02d}": {"000000": [175.0, 175.0, 255.0, 255.0]} for t in range(2)}
    index = {"size": 431, "exemplar": 127, "masks": True, "videos": {"v": frames}}
    (tmp_path / "s.json").write_text(json.dumps(index))
    assert hollow_tracks(CropSet(tmp_path, "s")) == [0]


def test_the_published_trackers_take_nothing_of_the_online_part() -> None:
    from tracker.zoo import ZOO

    for name, published in ZOO.items():
        for config in published.profiles.values():
            used = config.online_weight > 0 or config.calibration > 0
            assert used == (name == "siamatt-mobile"), name
    assert replace(TrackConfig(), online_weight=0.0, calibration=0.0).online_weight == 0
