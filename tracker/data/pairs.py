"""Pairs of exemplar and search region, drawn and augmented: sample ``i`` of a seed is always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from tracker.config import NetConfig, TrainConfig
from tracker.data import augment
from tracker.data.crops import CropItem, CropSet

FRAME_RANGE = 40


class Pairs(Dataset[dict[str, np.ndarray]]):
    """Items are dicts of arrays.

    ``exemplar`` (127, 127, 3) and ``search`` (255, 255, 3) uint8 BGR; ``box`` (4,) float32 corners in search pixels;
    ``positive`` float32 1 when the search region shows the exemplar's object; ``mask`` (255, 255) uint8 and
    ``has_mask`` float32.
    """

    def __init__(self, config: TrainConfig, net: NetConfig, length: int, cache: Path | None = None) -> None:
        root = Path(config.data)
        self.config, self.net, self.length = config, net, length
        self.sets = [CropSet(root, name, cache) for name in config.sets]
        shares = np.array([config.sets[s.name] for s in self.sets])
        self.shares = shares / shares.sum()
        self.donors = [s for s in self.sets if s.masks]

    def __len__(self) -> int:
        return self.length

    def _draw_set(self, rng: np.random.Generator) -> CropSet:
        return self.sets[int(rng.choice(len(self.sets), p=self.shares))]

    @staticmethod
    def _draw_track(rng: np.random.Generator, chosen: CropSet) -> list[CropItem]:
        return chosen.tracks[int(rng.integers(len(chosen.tracks)))]

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.config.seed, index))
        chosen = self._draw_set(rng)
        track = self._draw_track(rng, chosen)
        first = int(rng.integers(len(track)))
        exemplar_item = track[first]
        positive = rng.random() >= self.config.negatives
        if positive:
            low, high = max(0, first - FRAME_RANGE), min(len(track), first + FRAME_RANGE + 1)
            search_set, search_item = chosen, track[int(rng.integers(low, high))]
        else:
            search_set = self._draw_set(rng)
            other = self._draw_track(rng, search_set)
            search_item = other[int(rng.integers(len(other)))]
            positive = other is track
        flip = bool(rng.random() < 0.5)
        look = augment.Look.draw(rng, self.config.grey)
        exemplar = self._exemplar(rng, chosen, exemplar_item, flip)
        still = len(track) == 1
        search, box, mask = self._search(rng, search_set, search_item, flip, still)
        if self.donors and rng.random() < self.config.distractors:
            donor_set = self.donors[int(rng.integers(len(self.donors)))]
            other = self._draw_track(rng, donor_set)
            donor = other[int(rng.integers(len(other)))]
            cover = donor_set.mask(donor) if other is not track else None
            if cover is not None:
                search, mask = augment.paste(rng, search, box, mask, donor_set.pixels(donor), cover)
        side = self.net.search
        return {
            "exemplar": augment.degrade(rng, look.apply(exemplar)),
            "search": augment.degrade(rng, look.near(rng).apply(search)),
            "box": box.astype(np.float32),
            "positive": np.float32(positive),
            "mask": np.zeros((side, side), np.uint8) if mask is None else mask,
            "has_mask": np.float32(positive and mask is not None),
        }

    def _exemplar(self, rng: np.random.Generator, source: CropSet, item: CropItem, flip: bool) -> np.ndarray:
        matrix = augment.affine(rng, augment.EXEMPLAR, source.size, self.net.exemplar, flip, rotate=source.masks)
        return augment.warp(source.pixels(item), matrix, self.net.exemplar)

    def _search(
        self, rng: np.random.Generator, source: CropSet, item: CropItem, flip: bool, still: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        geometry = augment.STILL if still else augment.VIDEO
        mask = source.mask(item)
        matrix = augment.affine(rng, geometry, source.size, self.net.search, flip, rotate=mask is not None)
        box = augment.warp_corners(item.corners, matrix)
        if mask is not None:
            mask = augment.warp(mask, matrix, self.net.search, nearest=True)
            bounds = augment.mask_corners(mask)
            if bounds is None:
                mask = None
            elif bounds.min() > 0 and bounds.max() < self.net.search:
                # the mask rotates exactly, the box does not; a mask cut by the border says less than the box
                box = bounds
        return augment.warp(source.pixels(item), matrix, self.net.search), box, mask
