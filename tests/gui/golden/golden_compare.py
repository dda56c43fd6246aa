"""Golden pictures: how they are kept, drawn anew, and compared."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
STATES = (
    "start", "open", "drawing", "tracking", "paused", "attributes", "review", "export", "palette", "masks",
    "corrected", "settings", "keys", "clips", "tour",
)  # fmt: skip
VARIANTS = {"light": ("light", 1), "dark": ("dark", 1), "large": ("light", 2)}
"""Theme and scale of the screen, by folder."""
COLOURS = 256
BLUR = 2.0
"""Pixels of a kept picture: edges of letters and of what was scaled differ between machines."""
CELL = 20
"""Pixels of a kept picture on a side of the cells that are compared."""
MEAN, WORST, LIKENESS = 3.0, 26.0, 0.9
"""Grey levels (of 255) that pictures may differ in all, and in the worst cell; how alike their edges have to be."""


@dataclass(frozen=True)
class Difference:
    """``mean`` and ``worst`` in grey levels; ``likeness``: correlation of the edges, 1 for the same ones."""

    mean: float
    worst: float
    at: tuple[int, int]
    likeness: float

    @property
    def small(self) -> bool:
        return self.mean <= MEAN and self.worst <= WORST and self.likeness >= LIKENESS

    def __str__(self) -> str:
        return (
            f"differs by {self.mean:.1f} of 255 on average (at most {MEAN:g}), by {self.worst:.1f} around "
            f"{self.at} (at most {WORST:g}), edges are alike to {self.likeness:.3f} (at least {LIKENESS:g})"
        )


def draw(variant: str, out: Path) -> None:
    """Have all states drawn in full size, in a process of its own. Raises RuntimeError with what it said."""
    theme, scale = VARIANTS[variant]
    environment = {**os.environ, "QT_SCALE_FACTOR": str(scale), "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, str(HERE / "stage.py"), str(out), theme],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the states of {variant} could not be drawn:\n{done.stderr[-4000:]}")


def reduced(path: Path, scale: int) -> np.ndarray:
    """A full picture as it is compared: half of its logical size, (height, width, 3) uint8."""
    full = cv2.imread(str(path))
    assert full is not None, path
    height, width = full.shape[:2]
    return cv2.resize(full, (width // (2 * scale), height // (2 * scale)), interpolation=cv2.INTER_AREA)


def keep(full: Path, kept: Path, scale: int) -> None:
    """Write a full picture as a golden one: small, of few colours."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    small = Image.fromarray(reduced(full, scale)[..., ::-1])
    few = small.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    few.save(kept, optimize=True)


def golden(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))[..., ::-1].copy()


def compare(wanted: np.ndarray, found: np.ndarray) -> Difference:
    """Both (height, width, 3) uint8 of one size. Raises ValueError when the sizes differ."""
    if wanted.shape != found.shape:
        raise ValueError(f"its size is {found.shape[1::-1]} instead of {wanted.shape[1::-1]}")
    a, b = (cv2.GaussianBlur(one, (0, 0), BLUR).astype(np.float32) for one in (wanted, found))
    apart = np.abs(a - b).mean(2)
    cells = cv2.boxFilter(apart, -1, (CELL, CELL))
    y, x = np.unravel_index(int(cells.argmax()), cells.shape)
    return Difference(float(apart.mean()), float(cells.max()), (int(x), int(y)), likeness(a, b))


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the edges of two blurred pictures."""
    first, second = (edges(one.mean(2)) for one in (a, b))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def edges(grey: np.ndarray) -> np.ndarray:
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


def write_difference(wanted: np.ndarray, found: np.ndarray, path: Path) -> None:
    """What was wanted, what was found, and where they differ, beside each other."""
    height = max(len(wanted), len(found))
    parts = [cv2.copyMakeBorder(one, 0, height - len(one), 0, 8, cv2.BORDER_CONSTANT) for one in (wanted, found)]
    if wanted.shape == found.shape:
        parts.append(cv2.convertScaleAbs(cv2.absdiff(wanted, found), alpha=4))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(parts))
