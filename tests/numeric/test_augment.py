"""What augmentation does to pictures and masks, and what the published trackers do without."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tracker.config import TrackConfig
from tracker.data import augment


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


def test_the_published_trackers_take_nothing_of_the_online_part() -> None:
    from tracker.zoo import ZOO

    for name, published in ZOO.items():
        for config in published.profiles.values():
            used = config.online_weight > 0 or config.calibration > 0
            assert used == (name == "siamatt-mobile"), name
    assert replace(TrackConfig(), online_weight=0.0, calibration=0.0).online_weight == 0
