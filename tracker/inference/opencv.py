"""OpenCV's own trackers behind the tracker's door: the peers that a user would otherwise take.

OpenCV takes and returns boxes of whole pixels. A given box is rounded edge by edge and cut to the image, so that it
never loses more than half a pixel a side; an answer is handed on as it is, cut to nothing. When OpenCV says that it
cannot locate the target, the prediction keeps the last box with the verdict *lost* and score 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tracker.api import Box, Image, Prediction, Target, TrackerError, Verdict
from tracker.registry import NANOTRACK_ENV, NANOTRACK_FILES, nanotrack_dir

Rect = tuple[int, int, int, int]
NO_SCORE = -1.0
"""What OpenCV 5 answers for trackers that know no score (KCF, CSRT); handed on as 1 while the target is located."""


def whole_pixels(box: Box, height: int, width: int) -> Rect:
    """``box`` rounded to pixel borders and cut to the image, ``x, y, w, h``; at least one pixel on each side.

    Raises `TrackerError` when the box is empty, not finite or entirely off the image.
    """
    if not (np.isfinite(box).all() and box.w > 0 and box.h > 0):
        raise TrackerError(f"The box {_words(box)} is empty: draw it around the object.")
    x1, y1 = max(round(box.x), 0), max(round(box.y), 0)
    x2, y2 = min(max(round(box.x2), x1 + 1), width), min(max(round(box.y2), y1 + 1), height)
    if x2 <= x1 or y2 <= y1 or box.x2 <= 0 or box.y2 <= 0:
        raise TrackerError(f"The box {_words(box)} lies outside the {width} × {height} image.")
    return x1, y1, x2 - x1, y2 - y1


class OpenCvTarget:
    """One object followed by one OpenCV tracker; not thread-safe."""

    def __init__(self, engine: Any, name: str, image: Image, box: Box) -> None:
        self._engine = engine
        self._name = name
        self._box = box
        rect = whole_pixels(box, *image.shape[:2])
        try:
            engine.init(np.ascontiguousarray(image), rect)
        except cv2.error as error:
            raise TrackerError(f"{name} cannot start on the box {_words(box)}: {_reason(error)}") from error

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        """Find the object in the next frame; ``want_mask`` has no effect, these trackers give boxes only.

        Raises `TrackerError` when OpenCV fails (for instance when the box has shrunk to nothing).
        """
        try:
            found, rect = self._engine.update(np.ascontiguousarray(image))
        except cv2.error as error:
            raise TrackerError(f"{self._name} failed: {_reason(error)}") from error
        if not found:
            return Prediction(self._box, 0.0, Verdict.LOST, reason=f"{self._name} cannot locate the target")
        self._box = Box(*map(float, rect))
        score = self._engine.getTrackingScore() if hasattr(self._engine, "getTrackingScore") else NO_SCORE
        return Prediction(self._box, 1.0 if score < 0 else min(float(score), 1.0))


class OpenCvTracker:
    """A kind of OpenCV tracker; every target gets an engine of its own. Runs on the CPU whatever the device."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        self.device = "cpu"
        self._make = make

    def start(self, image: Image, box: Box) -> OpenCvTarget:
        """Begin to follow ``box``. Raises `TrackerError` when it is empty, off the image or too small for OpenCV."""
        return OpenCvTarget(self._make(), self.name, image, box)

    def step(self, image: Image, targets: Sequence[Target], *, want_mask: bool = True) -> list[Prediction]:
        """Step every target in turn; OpenCV knows no batches."""
        return [target.step(image, want_mask=want_mask) for target in targets]


def create_kcf(device: str = "auto") -> OpenCvTracker:
    """Kernelized correlation filter (grey and colour-name features); box of constant size."""
    return OpenCvTracker("opencv-kcf", _contrib("TrackerKCF"))


def create_csrt(device: str = "auto") -> OpenCvTracker:
    """Discriminative correlation filter with channel and spatial reliability."""
    return OpenCvTracker("opencv-csrt", _contrib("TrackerCSRT"))


def create_nano(device: str = "auto", nanotrack_dir: str | Path | None = None) -> OpenCvTracker:
    """NanoTrack v2 from its two ONNX files. Raises `TrackerError` naming the files that are missing."""
    backbone, head = _nano_files(nanotrack_dir)

    def make() -> Any:
        parameters = cv2.TrackerNano.Params()
        parameters.backbone, parameters.neckhead = str(backbone), str(head)
        try:
            with _quiet():  # OpenCV 5 warns twice per engine that its new graph engine has no targets to choose from
                return cv2.TrackerNano.create(parameters)
        except cv2.error as error:
            raise TrackerError(f"OpenCV cannot read {backbone} or {head}: {_reason(error)}") from error

    return OpenCvTracker("opencv-nano", make)


def _nano_files(given: str | Path | None) -> tuple[Path, Path]:
    folder = nanotrack_dir(given)
    remedy = f"give their folder with --nanotrack-dir or the environment variable {NANOTRACK_ENV}"
    if folder is None:
        raise TrackerError(f"opencv-nano needs {' and '.join(NANOTRACK_FILES)}: {remedy}.")
    missing = [name for name in NANOTRACK_FILES if not (folder / name).is_file()]
    if missing:
        raise TrackerError(f"opencv-nano: {folder} does not hold {' and '.join(missing)}; {remedy}.")
    backbone, head = (folder / name for name in NANOTRACK_FILES)
    return backbone, head


def _contrib(kind: str) -> Callable[[], Any]:
    if not hasattr(cv2, kind):
        raise TrackerError(
            f"This OpenCV has no {kind}: install opencv-contrib-python-headless instead of opencv-python."
        )
    return getattr(cv2, kind).create


@contextmanager
def _quiet() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _words(box: Box) -> str:
    return ", ".join(f"{value:g}" for value in box)


def _reason(error: cv2.error) -> str:
    return " ".join(str(error).split())
