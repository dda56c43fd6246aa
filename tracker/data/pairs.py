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
BACKGROUND_TRIES = 3
"""Crops looked at for one whose picture part is large enough for a background."""


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
            search, mask = self._distract(rng, search, box, mask, search_set, search_item)
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
        size = self.net.search
        mask = source.mask(item)
        matrix = augment.affine(rng, geometry, source.size, size, flip, rotate=mask is not None)
        box = augment.warp_corners(item.corners, matrix)
        bent = None
        if mask is not None:
            if still and rng.random() < 0.5:
                bent = augment.bend(rng, size, rng.uniform(2, 12))
            mask = augment.warp(mask, matrix, size, nearest=True, bent=bent)
            bounds = augment.mask_corners(mask)
            if bounds is None:
                mask = None
            elif bounds.min() > 0 and bounds.max() < size:
                # the mask rotates exactly, the box does not; a mask cut by the border says less than the box
                box = bounds
        picture = augment.warp(source.pixels(item), matrix, size, bent=bent)
        if still and mask is not None:
            picture = self._elsewhere(rng, picture, mask, source, item, matrix)
        return picture, box, mask

    def _elsewhere(
        self,
        rng: np.random.Generator,
        picture: np.ndarray,
        mask: np.ndarray,
        source: CropSet,
        item: CropItem,
        matrix: np.ndarray,
    ) -> np.ndarray:
        """Put the object before another background, or another picture where a still's padding was.

        Padded stills teach that a flat colour marks the picture's border, and every object of theirs that it comes
        with this one background.
        """
        draw = rng.random()
        if draw > self.config.backgrounds:
            return picture
        for _ in range(BACKGROUND_TRIES):
            donor = self._draw_set(rng)
            track = self._draw_track(rng, donor)
            background = augment.excerpt(rng, donor.pixels(track[int(rng.integers(len(track)))]), self.net.search)
            if background is None:
                continue
            if draw < self.config.backgrounds / 2:
                return augment.onto(picture, mask, background)
            x1, y1, x2, y2 = augment.picture_bounds(source.pixels(item))
            inner = np.zeros((source.size, source.size), np.uint8)
            inner[y1:y2, x1:x2] = 1
            cover = augment.warp(inner, matrix, self.net.search, nearest=True)
            return augment.onto(picture, np.maximum(cover, mask), background)
        return picture

    def _distract(
        self,
        rng: np.random.Generator,
        search: np.ndarray,
        box: np.ndarray,
        mask: np.ndarray | None,
        source: CropSet,
        item: CropItem,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Another object beside or partly over the target; at times the target itself in other colours."""
        most = float(rng.choice([0.0, 0.2, 0.4, 0.55]))
        if rng.random() < 0.3 and (cover := source.mask(item)) is not None:
            twin = augment.recolour(rng, source.pixels(item), cover)
            if twin is not None:
                return augment.paste(rng, search, box, mask, twin, cover, most)
        donor_set = self.donors[int(rng.integers(len(self.donors)))]
        other = self._draw_track(rng, donor_set)
        donor = other[int(rng.integers(len(other)))]
        cover = donor_set.mask(donor)
        if cover is None or donor.stem == item.stem:
            return search, mask
        return augment.paste(rng, search, box, mask, donor_set.pixels(donor), cover, most)
