"""What the media room hands out: frames, what is known of a file, its error, and a cache bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np


class MediaError(Exception):
    """A video or image cannot be read; the message names the file (and frame) and says what to do."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the video.

    ``index``: 0-based position in display order. ``time``: seconds after the first frame. ``image``: (height, width, 3)
    uint8 BGR, read-only, C-contiguous, in displayed pixels (the file's rotation is applied). ``damaged``: the decoder
    reported errors, so parts of the picture may be wrong.
    """

    index: int
    time: float
    image: np.ndarray
    damaged: bool = False


@dataclass(frozen=True, eq=False)
class MediaInfo:
    """What is known of a video or image folder once it is open.

    ``frames``: number of frames; ``width``, ``height``: of the displayed picture in pixels; ``fps``: mean frame rate;
    ``times``: (frames,) float64, seconds after the first frame; ``pixel_aspect``: width of a pixel over its height: the
    picture is never resampled to square pixels, so that labels fit the frames every other tool extracts, and a view may
    stretch by this factor; ``notes``: sentences for people about what is unusual in this file.
    """

    path: Path
    frames: int
    width: int
    height: int
    fps: float
    times: np.ndarray
    kind: Literal["video", "images"]
    codec: str = ""
    pixel_aspect: float = 1.0
    fingerprint: str = ""
    notes: tuple[str, ...] = ()


class FrameCache:
    """Least-recently-used frames within a budget of bytes; safe from any thread.

    The newest frame always stays, even when it alone is over the budget.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget = budget_bytes
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, index: int) -> Frame | None:
        """The frame if it is here; it then counts as the most recently used."""
        with self._lock:
            frame = self._frames.get(index)
            if frame is not None:
                self._frames.move_to_end(index)
            return frame

    def put(self, frame: Frame) -> None:
        """Keep ``frame``; the least recently used ones leave until the budget holds."""
        gone: list[Frame] = []  # freed after the lock: giving megabytes back to the system takes its time
        with self._lock:
            old = self._frames.pop(frame.index, None)
            if old is not None:
                self._bytes -= old.image.nbytes
                gone.append(old)
            self._frames[frame.index] = frame
            self._bytes += frame.image.nbytes
            while self._bytes > self.budget and len(self._frames) > 1:
                _, oldest = self._frames.popitem(last=False)
                self._bytes -= oldest.image.nbytes
                gone.append(oldest)

    def __contains__(self, index: int) -> bool:
        with self._lock:
            return index in self._frames

    @property
    def bytes(self) -> int:
        """Bytes of pixels held."""
        with self._lock:
            return self._bytes

    def indices(self) -> list[int]:
        """Indices of the frames held, ascending."""
        with self._lock:
            return sorted(self._frames)

    def clear(self) -> None:
        with self._lock:
            self._frames.clear()
            self._bytes = 0
