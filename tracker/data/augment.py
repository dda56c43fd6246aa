"""Augmentation of exemplar and search crops: one affine map for pixels, box and mask, then colour and degradation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Geometry:
    """Ranges of the random affine map (reference E.3, widened for still pictures, whose motion we must invent)."""

    shift: float
    scale: float
    aspect: float
    rotation: float


EXEMPLAR = Geometry(shift=4, scale=0.05, aspect=0.02, rotation=2)
VIDEO = Geometry(shift=64, scale=0.22, aspect=0.06, rotation=2)
STILL = Geometry(shift=64, scale=0.35, aspect=0.18, rotation=12)


def affine(
    rng: np.random.Generator, geometry: Geometry, source: int, size: int, flip: bool, rotate: bool
) -> np.ndarray:
    """A random map (2, 3) from source crop pixels to an output of ``size`` pixels; centre goes near the centre.

    Sizes are drawn log-uniformly, so that growing and shrinking are equally likely. ``rotate`` false keeps boxes exact
    where no mask can correct them.
    """
    scale = math.exp(rng.uniform(-1, 1) * math.log1p(geometry.scale))
    aspect = math.exp(rng.uniform(-1, 1) * math.log1p(geometry.aspect) / 2)
    angle = math.radians(rng.uniform(-1, 1) * geometry.rotation) if rotate else 0.0
    sx, sy = scale * aspect * (-1 if flip else 1), scale / aspect
    linear = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) @ np.diag([sx, sy])
    target = size / 2 + rng.uniform(-geometry.shift, geometry.shift, 2)
    offset = target - linear @ np.array([source / 2, source / 2])
    return np.hstack([linear, offset[:, None]])


def bend(rng: np.random.Generator, size: int, amount: float) -> np.ndarray:
    """A smooth random displacement (size, size, 2) float32 of up to some ``amount`` pixels: limbs that move."""
    coarse = rng.uniform(-amount, amount, (5, 5, 2)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def warp(
    picture: np.ndarray, matrix: np.ndarray, size: int, nearest: bool = False, bent: np.ndarray | None = None
) -> np.ndarray:
    """Apply an affine map given for pixel edges; outside is the picture's mean colour (0 for masks).

    ``bent``: displacement of every output pixel on top, from `bend`.
    """
    shifted = matrix.copy()
    # OpenCV puts coordinates at pixel centres, our convention at edges
    shifted[:, 2] += shifted[:, :2] @ np.array([0.5, 0.5]) - 0.5
    # every eighth pixel tells the mean as well and touches an eighth of the memory
    border = (0, 0, 0) if nearest else [float(v) for v in cv2.mean(np.ascontiguousarray(picture[::8, ::8]))[:3]]
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    if bent is None:
        return cv2.warpAffine(
            picture, shifted, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=border
        )
    back = cv2.invertAffineTransform(shifted).astype(np.float32)
    grid = np.arange(size, dtype=np.float32)
    x, y = grid[None] + bent[..., 0], grid[:, None] + bent[..., 1]
    sources = (back[0, 0] * x + back[0, 1] * y + back[0, 2], back[1, 0] * x + back[1, 1] * y + back[1, 2])
    return cv2.remap(picture, *sources, flags, borderMode=cv2.BORDER_CONSTANT, borderValue=border)


def picture_bounds(crop: np.ndarray, tolerance: int = 14, step: int = 4) -> tuple[int, int, int, int]:
    """The part ``x1, y1, x2, y2`` of a crop that is picture and not padding, from rows and columns of one colour."""
    few = crop[::step, ::step]

    def extent(axis: int) -> tuple[int, int]:
        busy = np.flatnonzero((few.max(axis) - few.min(axis)).max(1) > tolerance)
        if not len(busy):
            return 0, crop.shape[1 - axis]
        # one step inwards, where the padding bleeds into the picture
        first = 0 if busy[0] == 0 else (int(busy[0]) + 1) * step
        last = crop.shape[1 - axis] if busy[-1] == few.shape[1 - axis] - 1 else int(busy[-1]) * step
        return (first, last) if last - first >= 2 * step else (0, crop.shape[1 - axis])

    (x1, x2), (y1, y2) = extent(0), extent(1)
    return x1, y1, x2, y2


def excerpt(rng: np.random.Generator, crop: np.ndarray, size: int) -> np.ndarray | None:
    """A random square of a crop's picture part as a background of ``size`` pixels; None where that is too small."""
    x1, y1, x2, y2 = picture_bounds(crop)
    most = min(x2 - x1, y2 - y1)
    if most < 140:
        return None
    side = int(rng.integers(140, most + 1))
    x, y = int(rng.integers(x1, x2 - side + 1)), int(rng.integers(y1, y2 - side + 1))
    picture = cv2.resize(crop[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_LINEAR)
    return picture[:, ::-1] if rng.random() < 0.5 else picture


def onto(picture: np.ndarray, cover: np.ndarray, background: np.ndarray) -> np.ndarray:
    """``picture`` where ``cover`` (uint8 0/1) is set, ``background`` elsewhere, with a soft edge."""
    alpha = cv2.GaussianBlur(cover.astype(np.float32), (3, 3), 0)[..., None]
    return (background + (picture.astype(np.float32) - background) * alpha).astype(np.uint8)


def warp_corners(corners: tuple[float, ...], matrix: np.ndarray) -> np.ndarray:
    """Axis-aligned bounds (4,) ``x1, y1, x2, y2`` of a warped box."""
    x1, y1, x2, y2 = corners
    points = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([points.min(0), points.max(0)])


def mask_corners(mask: np.ndarray) -> np.ndarray | None:
    """Bounds (4,) ``x1, y1, x2, y2`` of the non-zero pixels, or None."""
    x, y, w, h = cv2.boundingRect(mask)
    return np.array([x, y, x + w, y + h], np.float64) if w and h else None


@dataclass(frozen=True)
class Look:
    """A random colour change: per-channel gain and offset, grey or not, loss of resolution."""

    gain: np.ndarray
    offset: np.ndarray
    grey: bool
    coarseness: float

    @classmethod
    def draw(cls, rng: np.random.Generator, grey: float) -> Look:
        contrast, tint = rng.uniform(0.65, 1.35), rng.uniform(0.9, 1.1, 3)
        offset = rng.uniform(-25, 25) + rng.uniform(-8, 8, 3)
        coarse = rng.uniform(1.5, 4.0) if rng.random() < 0.2 else 1.0
        return cls(contrast * tint, offset, bool(rng.random() < grey), float(coarse))

    def near(self, rng: np.random.Generator) -> Look:
        """The same scene a moment later: a little brighter, darker, tinted."""
        return Look(
            self.gain * rng.uniform(0.85, 1.18) * rng.uniform(0.96, 1.04, 3),
            self.offset + rng.uniform(-12, 12),
            self.grey,
            self.coarseness,
        )

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 -> the same, changed."""
        if self.coarseness > 1:
            side = picture.shape[0]
            small = max(8, round(side / self.coarseness))
            picture = cv2.resize(cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), (side, side))
        if self.grey:
            picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        levels = np.arange(256, dtype=np.float64)[:, None]
        table = np.clip(128 + (levels - 128) * self.gain + self.offset, 0, 255).astype(np.uint8)
        return cv2.LUT(picture, table.reshape(1, 256, 3))


def degrade(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """What cameras and codecs do to a frame: blur of focus or motion, block noise, sensor noise."""
    if rng.random() < 0.25:
        if rng.random() < 0.5:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 2.5))
        else:
            side = int(rng.integers(2, 8)) * 2 + 1
            line = np.zeros((side, side), np.float32)
            angle = rng.uniform(0, math.pi)
            dx, dy = math.cos(angle) * side / 2, math.sin(angle) * side / 2
            middle = side / 2
            cv2.line(line, (int(middle - dx), int(middle - dy)), (int(middle + dx), int(middle + dy)), 1.0)
            picture = cv2.filter2D(picture, -1, line / max(line.sum(), 1))
    if rng.random() < 0.2:
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))])[1]
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    if rng.random() < 0.1:
        noise = rng.normal(0, rng.uniform(2, 10), picture.shape)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return picture


def recolour(rng: np.random.Generator, picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """The same object in another colour: a look-alike. None where the change came out too small to be told."""
    order = rng.permutation(3)
    gain, offset = rng.uniform(0.5, 1.6), rng.uniform(-50, 50)
    levels = np.clip(128 + (np.arange(256) - 128) * gain + offset, 0, 255).astype(np.uint8)
    changed = cv2.LUT(np.ascontiguousarray(picture[..., order]), levels)
    inside = mask > 0
    if not inside.any():
        return None
    difference = np.abs(changed[inside].astype(np.float32).mean(0) - picture[inside].astype(np.float32).mean(0))
    return changed if difference.max() > 45 else None


def paste(
    rng: np.random.Generator,
    picture: np.ndarray,
    box: np.ndarray,
    mask: np.ndarray | None,
    donor: np.ndarray,
    donor_mask: np.ndarray,
    most: float = 0.4,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Paste another object beside or partly over the target: a distractor and occluder with exact masks.

    The object is placed so that it covers at most the share ``most`` of the target's box; the box stays that of the
    whole target, its mask loses what is covered. ``picture`` (s, s, 3), ``box`` (4,) corners, masks uint8.
    """
    size = picture.shape[0]
    geometry = Geometry(shift=size * 0.42, scale=0.5, aspect=0.2, rotation=20)
    matrix = affine(rng, geometry, donor.shape[0], size, bool(rng.random() < 0.5), rotate=True)
    cover = warp(donor_mask, matrix, size, nearest=True)
    x1, y1, x2, y2 = np.clip(np.round(box), 0, size).astype(int)
    inside = cover[y1:y2, x1:x2]
    if inside.size == 0 or inside.mean() > most:
        return picture, mask
    pasted = onto(warp(donor, matrix, size), cover, picture)
    return pasted, None if mask is None else mask * (1 - cover)
