"""Fits what the verdict is read from, on training material of which it is known when the target is there.

Two kinds of clips: objects of stills staged over other pictures (`tracker.training.staging`), and the crops of a track
in order, under a camera that shakes, with blur and noise added, where for two spells the target is painted over from
its surroundings, covered by a piece of the picture, or the scene changes. The tracker follows them; a logistic
regression of the signals tells answers on the target from others, and the hidden state's constants are the best of a
grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np

from tracker.api import Box, Image, Tracker, Verdict
from tracker.boxes import iou
from tracker.config import Presence, TrackConfig
from tracker.data import augment
from tracker.data.crops import CropItem, CropSet
from tracker.inference.signals import LOST, MOST, Monitor, readings
from tracker.training.staging import Staged

SPELLS = ((0.3, 0.48), (0.75, 0.92))
"""Parts of a clip in which the target is absent."""
SHORTEST = 40
SHAKE = 28.0
"""Most that the camera moves between two frames, in pixels of a crop in which a square target has 64."""
HELD, DRIFTED = 0.3, 0.1
"""Overlap above which an answer is on its target, and below which it is on something else."""
RIDGE = 0.02
"""Regularisation of the regression, per frame."""
PAUSES = 0.25
"""False pauses per 1 000 frames that the constants may cost on these clips: a twentieth of what users are to see, for
what is followed elsewhere changes more than stills that are moved about."""
FITTED = ("probability", "attention", "online", "sharpness", "likeness", "second_peak", "outside")
"""Signals of the regression. Change of size and jumps are left out: staged targets change too little for it to learn
how much is usual; they make an answer uncertain instead."""
GRID = {"lean": (0.0, 0.5, 1.0), "trust": (0.5, 0.8, 1.2), "leave": (0.0005, 0.002, 0.01, 0.03), "back": (0.03, 0.1)}
"""Constants tried; ``lean`` is added to every frame's evidence, in favour of the target."""


@dataclass(frozen=True)
class Seen:
    """One frame: its signals, overlap with the target (0 where it is not there), whether it was absent, whether it was
    called lost, and whose clip it was. A target that is half hidden is neither there nor absent."""

    signals: dict[str, float]
    overlap: float
    there: bool
    absent: bool
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


def shaken(rng: np.random.Generator, source: CropSet, track: list[CropItem], number: int) -> Iterator[Staged]:
    """The crops of a track as a clip in which the target is away for two spells."""
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
        box = Box(x1 + dx, y1 + dy, x2 - x1, y2 - y1) if spell is None else Box(*[math.nan] * 4)
        # what is to be followed is worse than what was trained on: twice degraded, under changing light
        picture = augment.degrade(rng, augment.degrade(rng, look.near(rng).apply(picture)))
        yield Staged(picture, box, spell is not None)


def watch(tracker: Tracker, frames: Iterable[Staged], clip: int) -> Iterator[Seen]:
    """What the tracker says of one clip after its first frame; nothing if that does not show the target."""
    target = None
    for frame in frames:
        if target is None:
            if math.isnan(frame.box.x):
                return
            target = tracker.start(frame.image, frame.box)
            continue
        prediction = target.step(frame.image, want_mask=False)
        there = not math.isnan(frame.box.x)
        overlap = float(iou(np.array(prediction.box), np.array(frame.box))) if there else 0.0
        lost = prediction.verdict is Verdict.LOST
        yield Seen(dict(prediction.signals), overlap, there, frame.absent, lost, clip)


def fit(rows: list[Seen], names: Iterable[str], steps: int = 40) -> Presence:
    """Logistic regression of answers on the target against others, both weighing the same: the log-likelihood ratio.

    A signal that comes out speaking against what it is meant for is left out: on other clips it would mislead.
    """
    used = [row for row in rows if row.overlap > HELD or row.absent or (row.there and row.overlap < DRIFTED)]
    there = np.array([row.overlap > HELD for row in used], np.float64)
    table = [readings(row.signals, absent=row.lost) for row in used]
    names = tuple(names)
    while True:
        columns = np.array([[row[name] for name in names] for row in table])
        middle, scale = columns.mean(0), columns.std(0) + 1e-9
        design = np.c_[(columns - middle) / scale, np.ones(len(columns))]
        weight = np.where(there > 0, 0.5 / there.mean(), 0.5 / (1 - there.mean()))
        ridge = RIDGE * len(design) * np.diag([1.0] * len(names) + [0.0])
        found = np.zeros(len(names) + 1)
        for _ in range(steps):
            guess = 1 / (1 + np.exp(-design @ found))
            curvature = (design * (weight * guess * (1 - guess))[:, None]).T @ design + ridge
            found = found + np.linalg.solve(curvature, design.T @ (weight * (there - guess)) - ridge @ found)
        kept = tuple(name for name, factor in zip(names, found, strict=False) if factor * MEANT[name] > 0)
        if kept == names:
            break
        names = kept
    factors = found[:-1] / scale
    usual = columns[there > 0].mean(0)
    return Presence(
        tuple((name, round(float(value), 4)) for name, value in zip(names, factors, strict=True)),
        round(float(found[-1] - factors @ middle), 4),
        tuple((name, round(float(value), 4)) for name, value in zip(names, usual, strict=True)),
    )


MEANT = {
    "probability": 1, "attention": 1, "online": 1, "sharpness": 1, "likeness": 1,
    "second_peak": -1, "resize": -1, "displacement": -1, "outside": -1,
}  # fmt: skip
"""Which way each signal speaks."""


def replay(rows: list[Seen], presence: Presence) -> list[Seen]:
    """The frames as they would have been judged with other constants, had the tracker looked at the same places."""
    out, monitor, clip = [], Monitor(TrackConfig(presence=presence)), -1
    for row in rows:
        if row.clip != clip:
            monitor, clip = Monitor(TrackConfig(presence=presence)), row.clip
        found = readings(row.signals, absent=monitor.absent > 0)
        ratio = presence.offset + sum(factor * found[name] for name, factor in presence.factors)
        monitor.weigh(max(min(ratio, MOST / presence.trust), -MOST / presence.trust), elsewhere=False)
        out.append(replace(row, lost=monitor.confidence < LOST))
    return out


def tune(rows: list[Seen], presence: Presence) -> Presence:
    """The hidden state's constants of the grid with the most absent frames noticed and held frames kept, the false
    pauses within `PAUSES` if any are."""

    def worth(one: Presence) -> tuple[bool, float]:
        found = measure(replay(rows, one))
        return found.pauses <= PAUSES, found.recall + found.kept

    choices = (dict(zip(GRID, values, strict=True)) for values in product(*GRID.values()))
    made = (
        replace(
            presence,
            offset=round(presence.offset + one.pop("lean"), 4),
            back_elsewhere=one["back"] / 2,
            **one,
        )
        for one in choices
    )
    return max(made, key=worth)


@dataclass(frozen=True)
class Figures:
    """``recall``: share of the absent frames called lost; ``kept``: share of the held ones not called lost; ``pauses``:
    times that lost began on a held frame, per 1 000 frames that show the target; ``found``: share of the frames after a
    return that are held."""

    recall: float
    kept: float
    pauses: float
    found: float

    def __str__(self) -> str:
        return (
            f"lost: recall {self.recall:.3f}; held frames kept {self.kept:.3f}; false pauses per 1 000 frames "
            f"{self.pauses:.1f}; held after a return {self.found:.3f}"
        )


def measure(rows: list[Seen]) -> Figures:
    """How right the verdicts of these frames are."""
    absent, lost = np.array([row.absent for row in rows]), np.array([row.lost for row in rows])
    clips, there = np.array([row.clip for row in rows]), np.array([row.there for row in rows])
    held = np.array([row.overlap > HELD for row in rows])
    begun = lost & ~np.r_[False, lost[:-1] & (clips[1:] == clips[:-1])]
    after = np.zeros(len(rows), bool)
    for clip in set(clips.tolist()):
        own = np.flatnonzero(clips == clip)
        gone = own[absent[own]]
        if len(gone):
            after[own[own > gone[0]]] = True
    return Figures(
        float(lost[absent].mean()) if absent.any() else 1.0,
        float((~lost)[held].mean()) if held.any() else 1.0,
        float(1000 * (begun & held).sum() / max(1, there.sum())),
        float((held & ~lost)[after & there].mean()) if (after & there).any() else 1.0,
    )
