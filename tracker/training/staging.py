"""Staged clips: objects of training stills move over other pictures, leave, are covered and come back.

Stills have exact masks, so that it is known of every frame whether the target is there and how much of it: what a
tracker's word that it has lost its target is fitted on (`tracker.training.absence`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

import cv2
import numpy as np

from tracker.api import Box, Image
from tracker.data import augment
from tracker.data.crops import CropSet

WIDTH, HEIGHT = 480, 360
LENGTH = 110
SPELLS = ((0.30, 0.48), (0.70, 0.85))
"""Parts of a clip in which the target is away."""
SHIFT = 6
"""Frames in which it goes and comes."""
WHOLE, GONE = 0.5, 0.05
"""Visible share above which the target is there, and below which it is absent; between them nothing is said."""


class Way(IntEnum):
    """How a target goes away."""

    LEAVES = 0
    COVERED = 1
    VANISHES = 2
    CUT = 3


class Staged(NamedTuple):
    """One frame: (h, w, 3) uint8 BGR, the target's box clipped to the picture (nan unless it is there), and whether it
    is known to be absent."""

    image: Image
    box: Box
    absent: bool


@dataclass
class Actor:
    """An object cut from a still: pixels (h, w, 3) and mask (h, w) uint8 of 0 and 1, and how it moves.

    ``place``: middle in picture pixels; ``size``: square root of its box's area; ``turn`` in degrees.
    """

    pixels: np.ndarray
    mask: np.ndarray
    place: np.ndarray
    size: float
    speed: np.ndarray
    look: augment.Look
    turn: float = 0.0

    def move(self, rng: np.random.Generator, hurry: float) -> None:
        """One frame on: a velocity that changes slowly, a size that wanders; it turns at the picture's border."""
        self.speed = 0.9 * self.speed + rng.normal(0, 0.03 * hurry * self.size, 2)
        self.place = self.place + self.speed
        for axis, side in enumerate((WIDTH, HEIGHT)):
            low, high = 0.6 * self.size, side - 0.6 * self.size
            if not low <= self.place[axis] <= high:
                self.place[axis] = min(max(self.place[axis], low), max(low, high))
                self.speed[axis] *= -0.6
        self.size = float(np.clip(self.size * math.exp(rng.normal(0, 0.015)), 16, 110))
        self.turn = float(np.clip(self.turn + rng.normal(0, 1.2), -20, 20))

    def drawn(self, rng: np.random.Generator, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Its pixels and mask on a picture, moved by ``offset``."""
        h, w = self.mask.shape
        scale = self.size / math.sqrt(h * w)
        angle = math.radians(self.turn)
        linear = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        shift = self.place + offset - linear @ np.array([w / 2, h / 2])
        matrix = np.hstack([linear, shift[:, None]])
        pixels = cv2.warpAffine(
            self.look.near(rng).apply(self.pixels), matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE
        )
        return pixels, cv2.warpAffine(self.mask, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)


def stage(rng: np.random.Generator, objects: CropSet, scenes: CropSet, number: int) -> Iterator[Staged]:
    """The frames of one clip. ``objects``: a set with masks; ``scenes``: any; ``number`` picks the ways of leaving."""
    look = augment.Look.draw(rng, grey=0.35)
    coarse, look = look.coarseness, replace(look, coarseness=1.0)  # of whole frames, not of parts
    target = _actor(rng, objects, look)
    others = [_twin(rng, target) if rng.random() < 0.35 else _actor(rng, objects, look) for _ in range(rng.integers(4))]
    places = [_scene(rng, scenes), _scene(rng, scenes)]
    hurry, pan, drift = rng.uniform(0.3, 2.2), np.zeros(2), rng.uniform(0.0, 2.5)
    spells = [(round(a * LENGTH), round(b * LENGTH)) for a, b in SPELLS]
    cover = _actor(rng, objects, look)
    for frame in range(LENGTH):
        spell = next((k for k, (a, b) in enumerate(spells) if a - SHIFT <= frame < b + SHIFT), None)
        way = Way((number + spell) % len(Way)) if spell is not None else None
        depth = 0.0  # how far it has gone: 0 there, 1 away
        if spell is not None:
            begin, end = spells[spell]
            depth = min(1.0, (frame - begin + SHIFT) / SHIFT, (end + SHIFT - 1 - frame) / SHIFT)
            if frame == (begin + end) // 2 and rng.random() < 0.7:  # it comes back elsewhere
                target.place = rng.uniform([0.15, 0.15], [0.85, 0.85]) * (WIDTH, HEIGHT)
        for actor in (target, *others):
            actor.move(rng, hurry)
        pan = np.clip(0.95 * pan + rng.normal(0, drift, 2), -60, 60)
        image = _view(places[way is Way.CUT and depth >= 1], pan)
        for actor in others:
            image = augment.onto(*actor.drawn(rng, np.zeros(2)), image)
        image, visible, box = _put(rng, image, target, cover, way, depth)
        there, absent = visible > WHOLE, visible < GONE
        image = augment.degrade(rng, look.near(rng).apply(_coarse(image, coarse)))
        yield Staged(np.ascontiguousarray(image), box if there else Box(*[math.nan] * 4), absent)


def _put(
    rng: np.random.Generator, image: Image, target: Actor, cover: Actor, way: Way | None, depth: float
) -> tuple[Image, float, Box]:
    """Draw the target as far as it is there: the picture, its visible share and its box inside the picture."""
    offset = np.zeros(2)
    if way is Way.LEAVES:
        side = min((target.place[0], 0), (WIDTH - target.place[0], 1), (target.place[1], 2), (1e9, 3))[1]
        reach = (target.place[0], WIDTH - target.place[0], target.place[1])[side] + 1.2 * target.size
        offset = np.array([(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0)][side]) * reach * depth
    if way in (Way.VANISHES, Way.CUT) and depth >= 1:
        return image, 0.0, Box(0, 0, 1, 1)
    pixels, mask = target.drawn(rng, offset)
    whole = cv2.countNonZero(target.mask) * (target.size**2 / target.mask.size)
    corners = augment.mask_corners(mask)
    image = augment.onto(pixels, mask, image)
    if way is Way.COVERED:
        cover.size = 1.7 * target.size
        cover.place = target.place + np.array([2.2 * cover.size * (1 - depth), 0.0])
        over, hidden = cover.drawn(rng, np.zeros(2))
        hidden = cv2.dilate(hidden, np.ones((9, 9), np.uint8))
        image = augment.onto(over, hidden, image)
        mask = mask * (1 - hidden)
    visible = cv2.countNonZero(mask) / max(1.0, whole)
    box = Box(0, 0, 1, 1) if corners is None else Box.from_corners(*map(float, corners))
    return image, visible, box


def _actor(rng: np.random.Generator, objects: CropSet, look: augment.Look) -> Actor:
    """An object of the set at some place, size and speed."""
    while True:
        track = objects.tracks[int(rng.integers(len(objects.tracks)))]
        item = track[int(rng.integers(len(track)))]
        mask = objects.mask(item)
        corners = None if mask is None else augment.mask_corners(mask)
        if mask is None or corners is None:
            continue
        x1, y1, x2, y2 = corners.astype(int)
        if min(x2 - x1, y2 - y1) >= 16 and mask[y1:y2, x1:x2].mean() > 0.3:
            break
    pixels = np.ascontiguousarray(objects.pixels(item)[y1:y2, x1:x2])
    size = math.exp(rng.uniform(math.log(20), math.log(85)))
    place = rng.uniform([0.2, 0.2], [0.8, 0.8]) * (WIDTH, HEIGHT)
    return Actor(pixels, np.ascontiguousarray(mask[y1:y2, x1:x2]), place, size, rng.normal(0, 0.04 * size, 2), look)


def _twin(rng: np.random.Generator, target: Actor) -> Actor:
    """A look-alike: the same object mirrored, in another colour where that can be told."""
    pixels, mask = np.ascontiguousarray(target.pixels[:, ::-1]), np.ascontiguousarray(target.mask[:, ::-1])
    changed = augment.recolour(rng, pixels, mask)
    place = rng.uniform([0.2, 0.2], [0.8, 0.8]) * (WIDTH, HEIGHT)
    size = target.size * math.exp(rng.uniform(-0.3, 0.3))
    return Actor(pixels if changed is None else changed, mask, place, size, -target.speed, target.look)


def _scene(rng: np.random.Generator, scenes: CropSet) -> Image:
    """A picture to move over, with a margin for the camera to pan."""
    while True:
        track = scenes.tracks[int(rng.integers(len(scenes.tracks)))]
        picture = np.ascontiguousarray(scenes.pixels(track[int(rng.integers(len(track)))]))
        x1, y1, x2, y2 = augment.picture_bounds(picture)
        if min(x2 - x1, y2 - y1) >= 200:
            break
    part = picture[y1:y2, x1:x2]
    scale = max((WIDTH + 120) / part.shape[1], (HEIGHT + 120) / part.shape[0])
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)


def _coarse(image: Image, times: float) -> Image:
    """The picture as a camera of so many times fewer lines would have it."""
    if times <= 1:
        return image
    small = cv2.resize(image, (round(WIDTH / times), round(HEIGHT / times)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def _view(scene: Image, pan: np.ndarray) -> Image:
    """The part of a scene that the camera shows."""
    x = round((scene.shape[1] - WIDTH) / 2 + pan[0])
    y = round((scene.shape[0] - HEIGHT) / 2 + pan[1])
    return scene[y : y + HEIGHT, x : x + WIDTH]
