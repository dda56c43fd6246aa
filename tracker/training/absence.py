"""Fits what the verdict is read from: training videos with the target taken out for a while, and what the signals say.

    python -m tracker.training.absence DATA [--cache FOLDER] [--weights FILE]

prints the constants of `tracker.inference.signals` and how often a loss is seen and wrongly seen with those in use.
The clips are the crops of a track in order, under a camera that shakes, with blur and noise added; for two spells the
target is painted over from its surroundings, covered by a piece of the picture, or the scene changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tracker import registry
from tracker.api import Box, Image, Tracker, Verdict
from tracker.boxes import iou
from tracker.data import augment
from tracker.data.crops import CropItem, CropSet

SPELLS = ((0.3, 0.48), (0.75, 0.92))
"""Parts of a clip in which the target is absent."""
SHORTEST = 40
SHAKE = 28.0
"""Most that the camera moves between two frames, in pixels of a crop in which a square target has 64."""
DRIFTED = 0.3
"""A present target with less overlap is not held: its frames say nothing about present or absent."""


@dataclass(frozen=True)
class Seen:
    """One frame: the two signals, whether the target was there, overlap, verdict, and whose clip it was."""

    probability: float
    sharpness: float
    absent: bool
    overlap: float
    lost: bool
    clip: int


def without(rng: np.random.Generator, picture: Image, corners: tuple[float, ...], kind: int, other: Image) -> Image:
    """The picture without its target: painted over, another scene, or covered by another piece of the picture."""
    if kind == 1:
        return other
    size = picture.shape[0]
    x1, y1, x2, y2 = corners
    mx, my = 0.15 * (x2 - x1), 0.15 * (y2 - y1)
    left, top = max(0, int(x1 - mx)), max(0, int(y1 - my))
    right, bottom = min(size, int(x2 + mx)), min(size, int(y2 + my))
    out = picture.copy()
    if kind == 0:
        hole = np.zeros((size, size), np.uint8)
        hole[top:bottom, left:right] = 1
        near = slice(max(0, top - 20), bottom + 20), slice(max(0, left - 20), right + 20)
        out[near] = cv2.inpaint(out[near], hole[near], 5, cv2.INPAINT_TELEA)
        return out
    h, w = bottom - top, right - left
    y, x = top, left
    for _ in range(20):
        y, x = int(rng.integers(0, size - h + 1)), int(rng.integers(0, size - w + 1))
        if abs(y - top) > 0.9 * h or abs(x - left) > 0.9 * w:
            break
    out[top:bottom, left:right] = picture[y : y + h, x : x + w]
    return out


def clip(rng: np.random.Generator, source: CropSet, track: list[CropItem], number: int) -> Iterator[tuple[Image, Box]]:
    """Frames and boxes of one clip; the box is nan where the target is absent."""
    size, n, look = source.size, len(track), augment.Look.draw(rng, grey=0.3)
    others = [t[0] for t in source.tracks if t[0].stem.parent != track[0].stem.parent]
    for i, item in enumerate(track):
        picture = np.ascontiguousarray(source.pixels(item))
        spell = next((k for k, (start, end) in enumerate(SPELLS) if start * n <= i < end * n), None)
        if spell is not None:
            other = np.ascontiguousarray(source.pixels(others[int(rng.integers(len(others)))]))
            picture = without(rng, picture, item.corners, (number + spell) % 3, other)
        dx, dy = rng.uniform(-SHAKE, SHAKE, 2)
        shift = np.array([[1, 0, dx], [0, 1, dy]])
        picture = cv2.warpAffine(picture, shift, (size, size), borderMode=cv2.BORDER_REPLICATE)
        x1, y1, x2, y2 = item.corners
        box = Box(x1 + dx, y1 + dy, x2 - x1, y2 - y1) if spell is None else Box(*[np.nan] * 4)
        # what is to be followed is worse than what was trained on: twice degraded, under changing light
        yield augment.degrade(rng, augment.degrade(rng, look.near(rng).apply(picture))), box


def watch(tracker: Tracker, source: CropSet, seed: int = 3) -> list[Seen]:
    """Let the tracker follow every long enough track of a set through such clips."""
    rng, rows = np.random.default_rng(seed), []
    for number, track in enumerate(t for t in source.tracks if len(t) >= SHORTEST):
        target = None
        for image, box in clip(rng, source, track, number):
            if target is None:
                target = tracker.start(image, box)
                continue
            prediction = target.step(image, want_mask=False)
            said = prediction.signals
            overlap = float(iou(np.array(prediction.box), np.array(box)))
            absent, lost = bool(np.isnan(box.x)), prediction.verdict is Verdict.LOST
            rows.append(Seen(said["probability"], said["sharpness"], absent, overlap, lost, number))
    return rows


def fit(rows: list[Seen], steps: int = 40) -> tuple[float, float, float]:
    """Logistic regression of present against absent with both weighing the same: the log-likelihood ratio.

    Returns the factors of the probability's logit and of the sharpness, and the constant.
    """
    used = [row for row in rows if row.absent or row.overlap > DRIFTED]
    chance = np.clip([row.probability for row in used], 0.01, 0.99)
    design = np.stack([np.log(chance / (1 - chance)), [row.sharpness for row in used], np.ones(len(used))], 1)
    there = np.array([not row.absent for row in used], np.float64)
    share = there.mean()
    weight = np.where(there > 0, 0.5 / share, 0.5 / (1 - share))
    found = np.zeros(3)
    for _ in range(steps):
        guess = 1 / (1 + np.exp(-design @ found))
        curvature = (design * (weight * guess * (1 - guess) + 1e-6)[:, None]).T @ design
        found = found + np.linalg.solve(curvature + 1e-3 * np.eye(3), design.T @ (weight * (there - guess)))
    return float(found[0]), float(found[1]), float(found[2])


def report(rows: list[Seen]) -> str:
    """How often the verdict in use was right: recall, precision, pauses that no absence began."""
    absent, lost = np.array([row.absent for row in rows]), np.array([row.lost for row in rows])
    clips = np.array([row.clip for row in rows])
    begun = lost & ~np.r_[False, lost[:-1] & (clips[1:] == clips[:-1])] & ~absent
    held = np.array([row.overlap > DRIFTED for row in rows])
    pauses = 1000 * (begun & held).sum() / (~absent).sum()
    precision = absent[lost].mean() if lost.any() else 1.0
    return (
        f"lost: recall {lost[absent].mean():.3f}, precision {precision:.3f}, false pauses per 1000 frames {pauses:.1f}"
    )


def main() -> None:
    """The command of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", default="aerial")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--weights", type=Path)
    given = parser.parse_args()
    tracker = registry.create("default", **({"weights": given.weights} if given.weights else {}))
    rows = watch(tracker, CropSet(given.data, given.set, given.cache))
    factors = fit(rows)
    print("PROBABILITY, SHARPNESS, OFFSET = " + ", ".join(f"{value:.2f}" for value in factors))
    print(report(rows))


if __name__ == "__main__":
    main()
