"""Samples for the mask branch: two views of one object, each cut around a box that is somewhat wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from tracker import boxes, colours
from tracker.config import NetConfig, TrainConfig
from tracker.data import augment
from tracker.data.crops import CropItem, CropSet
from tracker.data.pairs import Pairs

HELD_OUT = 12
"""One video in so many is not trained on: for choosing."""
TRIES = 200
"""Objects looked at for one whose mask can be used."""
STRUNG = 0.15
"""Share of the stills to which lines are tied."""
ROOMY = 0.15
"""Share of the samples whose boxes hold more than their object, as where what belongs to it is too fine to be drawn."""
ROOM = 3.0
"""Most times that such a box is as wide, or as high, as its object."""
HOLLOW = 0.5
"""Share of a box's middle below which its object counts as hollow: a swan's neck, a chair."""


class _Shown(NamedTuple):
    """An object in a picture (s, s, 3) uint8: its mask (s, s) uint8, None if it has none, and its box's `roomy`."""

    picture: np.ndarray
    mask: np.ndarray | None
    room: np.ndarray


class Outlines(Pairs):
    """Items are dicts of arrays about two views; each may serve the other as its memory. s: the crop's side.

    ``pixels`` (2, s, s, 3) uint8 BGR; ``mask`` (2, s / 2, s / 2) float32 shares; ``box`` (2, 4) ``cx, cy, w, h`` in
    crop pixels, as the branch is told; ``hints`` (2, 3, s / 2, s / 2), see `tracker.models.outline.HINTS`, with the
    other view as the memory; ``noted`` (2, s / 2, s / 2): the mask with which a view is remembered; ``recalls`` (2,):
    1 where a view may use its memory of the other one.
    """

    def __init__(
        self,
        config: TrainConfig,
        side: int,
        length: int,
        cache: Path | None = None,
        *,
        held_out: bool = False,
        every: int = HELD_OUT,
    ) -> None:
        """Raises `ValueError` when a set has no masks."""
        super().__init__(config, replace(NetConfig(), search=side), length, cache)
        self.side = side
        if without := [source.name for source in self.sets if not source.masks]:
            raise ValueError(f"{without[0]}: has no masks to learn from; leave it out of --sets")
        for source in self.sets:
            if len(source.videos) < every:
                continue
            kept = [
                source.tracks[track]
                for number, video in enumerate(source.videos)
                if (number % every == 0) is held_out
                for track in video
            ]
            source.tracks = kept
        # parts of a background are hollow too, and no object
        objects = [source for source in self.sets if source.name != "segments"] if config.hollow > 0 else []
        self._hollow = {source.name: hollow_tracks(source) for source in objects}

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.config.seed, index))
        for _ in range(TRIES):
            chosen = self._draw_set(rng)
            track = self._draw_target(rng, chosen)
            items = track[int(rng.integers(len(track)))], track[int(rng.integers(len(track)))]
            views = self._views(rng, chosen, items, still=len(track) == 1)
            if views is not None:
                return views
        raise ValueError(f"{self.config.data}: its masks are empty or missing; restore them or leave the sets out")

    def _draw_target(self, rng: np.random.Generator, chosen: CropSet) -> list[CropItem]:
        """A track, hollow ones more often than there are: else the middle of the box is a safe guess."""
        hollow = self._hollow.get(chosen.name)
        if hollow and rng.random() < self.config.hollow:
            return chosen.tracks[hollow[int(rng.integers(len(hollow)))]]
        return self._draw_track(rng, chosen)

    def _views(
        self, rng: np.random.Generator, chosen: CropSet, items: Sequence[CropItem], still: bool
    ) -> dict[str, Any] | None:
        flip = bool(rng.random() < 0.5)
        look = augment.Look.draw(rng, self.config.grey)
        recalls = rng.random(2) < 0.65
        expects = rng.random(2) < 0.55
        pixels, masks, given, noted, expected = [], [], [], [], []
        room = roomy(rng) if rng.random() < ROOMY else np.zeros((2, 2))
        shown = [_Shown(chosen.pixels(item), chosen.mask(item), room) for item in items]
        if still and rng.random() < STRUNG:
            shown = [_Shown(*strung(rng, *shown[0][:2]), room)] * 2  # both views are of one picture
        for i, item in enumerate(items):
            # without anything remembered the box is a person's
            loose = bool(recalls[i] or expects[i])
            view = self._view(rng, chosen, item, shown[i], flip, still, loose and rng.random() < 0.8)
            if view is None:
                return None
            picture, mask, box = view
            pixels.append(augment.degrade(rng, (look.near(rng) if i else look).apply(picture)))
            masks.append(mask)
            given.append(box)
            noted.append(self._halved(worn(rng, mask, box, 0.0) if rng.random() < 0.6 else mask))
            expected.append(self._halved(worn(rng, mask, box, 0.07)) if expects[i] else np.zeros_like(noted[-1]))
        alike = []
        for i in range(2):
            size = (self.side, self.side)
            table = colours.learn(pixels[1 - i], cv2.resize(noted[1 - i], size, interpolation=cv2.INTER_LINEAR))
            found = colours.likeness(pixels[i], table)
            alike.append(found if recalls[i] else np.zeros_like(found))
        own = [colours.within(picture, box.tolist()) for picture, box in zip(pixels, given, strict=True)]
        hints = np.stack([np.stack(alike), np.stack(expected), np.stack(own)], 1)
        return {
            "pixels": np.stack(pixels),
            "mask": np.stack([self._halved(mask) for mask in masks]),
            "box": np.stack(given),
            "hints": hints.astype(np.float32),
            "noted": np.stack(noted),
            "recalls": recalls.astype(np.float32),
        }

    def _halved(self, mask: np.ndarray) -> np.ndarray:
        half = self.side // 2
        return cv2.resize(mask.astype(np.float32), (half, half), interpolation=cv2.INTER_AREA)

    def _view(
        self,
        rng: np.random.Generator,
        source: CropSet,
        item: CropItem,
        shown: _Shown,
        flip: bool,
        still: bool,
        loose: bool,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """A crop around a box that is somewhat wrong, its mask and the box in it."""
        drawn = shown.mask
        if drawn is None:
            return None
        # first the object is turned and stretched, then the square around its box cut
        angle = math.radians(rng.uniform(-15, 15)) if rng.random() < 0.6 else 0.0
        stretch = math.exp(rng.uniform(-0.15, 0.15))
        linear = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = linear @ np.diag([-stretch if flip else stretch, 1 / stretch])
        middle = np.array([source.size / 2, source.size / 2])
        turn = np.hstack([linear, (middle - linear @ middle)[:, None]])
        bounds = augment.mask_corners(augment.warp(drawn, turn, source.size, nearest=True))
        if bounds is None or bounds[2] - bounds[0] < 4 or bounds[3] - bounds[1] < 4:
            return None
        size = bounds[2:] - bounds[:2]
        bounds += np.concatenate([-size * shown.room[0], size * shown.room[1]])
        size = bounds[2:] - bounds[:2]
        centre, wrong = (bounds[:2] + bounds[2:]) / 2, size.copy()
        spread = 0.11 if loose else 0.02
        if loose and rng.random() < 0.25:
            spread = 0.24
        centre = centre + size * np.clip(rng.normal(0, spread, 2), -0.4, 0.4)
        wrong = size * np.exp(np.clip(rng.normal(0, 0.7 * spread) + rng.normal(0, spread, 2), -0.6, 0.6))
        square = boxes.outline_side(*wrong) * math.exp(rng.uniform(-0.06, 0.06))
        scale = self.side / square
        matrix = scale * turn
        matrix[:, 2] += self.side / 2 - scale * centre
        bent = augment.bend(rng, self.side, rng.uniform(1, 9)) if still and rng.random() < 0.5 else None
        mask = augment.warp(drawn, matrix, self.side, nearest=True, bent=bent)
        picture = augment.warp(shown.picture, matrix, self.side, bent=bent)
        if mask.sum() < 30:
            return None
        if still:
            picture = self._elsewhere(rng, picture, mask, source, item, matrix)
        box = np.array([self.side / 2, self.side / 2, *(wrong * scale)])
        if rng.random() < self.config.distractors:
            corners = np.concatenate([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])
            picture, covered = self._distract(rng, picture, corners, mask, source, item)
            mask = mask if covered is None else covered
        return picture, mask, box.astype(np.float32)


def worn(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray, shift: float) -> np.ndarray:
    """A mask (s, s) of 0 and 1 as an earlier frame or a mistaken network would have it: float32.

    ``shift``: how far it moves, as a share of the side (one deviation).
    """
    side = len(mask)
    out = mask.astype(np.float32)
    if shift and rng.random() < 0.06:
        return np.zeros_like(out)
    if rng.random() < 0.08:  # what a network guesses that sees no edges
        cover = np.zeros((side, side), np.float32)
        cv2.ellipse(cover, ((float(box[0]), float(box[1])), (float(box[2]), float(box[3])), 0.0), 1.0, -1)
        return cover
    if shift:
        scale = math.exp(rng.normal(0, 0.08))
        move = side / 2 * (1 - scale) + rng.normal(0, shift * side, 2) * rng.random()
        matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        out = augment.warp(out, matrix, side, nearest=True, bent=augment.bend(rng, side, rng.uniform(1, 14)))
    if rng.random() < 0.35:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(rng.integers(1, 6)) * 2 + 1,) * 2)
        out = (cv2.dilate if rng.random() < 0.5 else cv2.erode)(out, kernel)
    for value, chance in ((0.0, 0.35), (1.0, 0.3)):
        if rng.random() < chance:
            middle = tuple(float(v) for v in box[:2] + rng.uniform(-0.6, 0.6, 2) * box[2:])
            size = tuple(float(v) for v in rng.uniform(0.15, 0.7, 2) * box[2:] + 1)
            cv2.ellipse(out, (middle, size, float(rng.uniform(0, 180))), value, -1)
    return cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 2.0))


def strung(
    rng: np.random.Generator, picture: np.ndarray, mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """An object and lines that lead away from it, as a kite's, a leash or poles: most of its box is then background.

    ``picture`` (s, s, 3) uint8, ``mask`` (s, s) uint8; both come back changed, or as they are where no line fits.
    """
    places = np.argwhere(mask) if mask is not None else ()
    if mask is None or not len(places):
        return picture, mask
    side = len(mask)
    y, x = places[int(rng.integers(len(places)))]
    span = float(np.ptp(places, axis=0).max())
    angle, length = rng.uniform(0, 2 * math.pi), span * rng.uniform(0.7, 2.5)
    picture, mask = np.array(picture), mask.copy()
    plain = picture.copy()
    colour = [float(v) for v in np.clip(rng.choice([30, 128, 225]) + rng.normal(0, 25, 3), 0, 255)]
    for _ in range(int(rng.integers(1, 5))):
        turn, reach = angle + rng.normal(0, 0.12), length * rng.uniform(0.8, 1)
        start = int(x + rng.normal(0, 0.04 * span)), int(y + rng.normal(0, 0.04 * span))
        end = int(x + reach * math.cos(turn)), int(y + reach * math.sin(turn))
        if not all(0 <= v < side for v in (*start, *end)):
            continue
        thick = int(rng.integers(1, 4))
        cv2.line(picture, start, end, colour, thick, cv2.LINE_AA)
        cv2.line(mask, start, end, 1, thick)
    opacity = rng.uniform(0.5, 1)
    return cv2.addWeighted(picture, opacity, plain, 1 - opacity, 0), mask


def roomy(rng: np.random.Generator) -> np.ndarray:
    """Room that a box leaves beside its object, in sizes of the object: (2, 2), left and above, right and below."""
    more = np.exp(rng.uniform(0, math.log(ROOM), 2)) - 1
    place = rng.choice([0.0, 1.0, rng.random()], 2)
    return np.stack([more * place, more * (1 - place)])


def hollow_tracks(chosen: CropSet) -> list[int]:
    """Places in ``chosen.tracks`` of objects that leave the middle of their own box empty."""
    found = []
    for place, track in enumerate(chosen.tracks):
        mask = chosen.mask(track[0])
        x1, y1, x2, y2 = track[0].corners
        w, h = x2 - x1, y2 - y1
        if mask is None:
            continue
        rows = slice(max(0, int(y1 + 0.35 * h)), int(y1 + 0.65 * h) + 1)
        middle = mask[rows, max(0, int(x1 + 0.35 * w)) : int(x1 + 0.65 * w) + 1]
        if middle.size and middle.mean() < HOLLOW:
            found.append(place)
    return found
