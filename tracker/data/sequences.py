"""Clips with ground truth, as evaluation walks them: in order, once, decoded as they go.

A `Reader` recognises one layout on disk and makes a `Sequence` of it; see `tracker.data.readers`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from av.error import FFmpegError

from tracker.api import Image, MaskPatch, TrackerError
from tracker.data.raster import rasterise
from tracker.data.regions import Region, patch

CHUNK = 100
"""Decoded frames of a video that a walk backwards holds at a time."""


class SequenceError(TrackerError):
    """A clip or its ground truth cannot be used; the message names the file."""


def labelled(truth: np.ndarray) -> np.ndarray:
    """Which rows of a ground truth (N, 4) hold a box: finite, with positive sides. Returns (N,) bool."""
    return np.isfinite(truth).all(axis=1) & (truth[:, 2] > 0) & (truth[:, 3] > 0)


@dataclass(frozen=True)
class Sequence:
    """One clip. ``truth``: (N, 4) float64 ``x, y, w, h`` in image pixels, nan rows where there is no box.

    ``media``: the video, or the folder of ``pictures`` (in order) where there are any. ``masks``: folder of
    ``%05d.png`` ground-truth masks numbered by frame, or None; ``mask_colour``: the (3,) BGR colour of this object in
    them, None when every pixel that is not black belongs to it. ``regions``: per frame what the data set's own region
    is where it is more than a box (a polygon or a mask patch; None where absent). ``absent``: (N,) bool, the target is
    known to be out of sight, None when the data set does not say. ``cover``: (N,) visible share in [0, 1].
    ``attributes`` of the whole clip; ``frame_attributes``: (N,) bool by name. ``anchors``: (N,) VOT's starting points,
    above 0 to run forward from there and below 0 backward. ``begin``: the frame of the video, and number of the mask,
    with which the clip begins (see `tracker.data.stretches`).
    """

    name: str
    media: Path
    truth: np.ndarray
    masks: Path | None = None
    attributes: frozenset[str] = frozenset()
    pictures: tuple[Path, ...] = ()
    mask_colour: tuple[int, int, int] | None = None
    regions: tuple[Region | None, ...] = ()
    absent: np.ndarray | None = None
    cover: np.ndarray | None = None
    frame_attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    anchors: np.ndarray | None = None
    begin: int = 0

    @property
    def first(self) -> int:
        """Index of the first frame with a box in sight. Raises `SequenceError` when there is none."""
        frames = np.flatnonzero(self.present)
        if not len(frames):
            raise SequenceError(f"{self.name}: its ground truth holds no box to start from.")
        return int(frames[0])

    @property
    def present(self) -> np.ndarray:
        """(N,) bool: there is a box, and the target is not flagged absent."""
        return labelled(self.truth) & ~self.absent if self.absent is not None else labelled(self.truth)

    @property
    def gone(self) -> np.ndarray:
        """(N,) bool: flagged absent; where the data set has no flags, without a box."""
        return self.absent if self.absent is not None else ~labelled(self.truth)

    @property
    def has_masks(self) -> bool:
        return self.masks is not None or any(isinstance(region, MaskPatch) for region in self.regions)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels. Raises `SequenceError` when the first one cannot be read."""
        with closing(self.frames()) as frames:
            for image in frames:
                return image.shape[1], image.shape[0]
        raise SequenceError(f"{self.media} holds no picture.")

    def region(self, frame: int) -> Region | None:
        """The region of a frame that VOT's files hold: a polygon, mask or box; None where the target is not labelled.

        Of data sets whose masks are pictures this is the box; see `mask_region`.
        """
        if self.regions:
            return self.regions[frame]
        return self.truth[frame] if self.present[frame] else None

    def mask_region(self, frame: int) -> Region | None:
        """As `region`, but the mask wherever the data set has one in pictures. Raises `SequenceError`."""
        mask = self.mask(frame) if self.masks is not None else None
        return self.region(frame) if mask is None else patch(mask)

    def frames(self) -> Generator[Image, None, None]:
        """Decode the frames in order: (H, W, 3) uint8 BGR as stored, without display rotation.

        Decoding runs on the caller's thread alone, so that it never competes with a tracker that is being timed.
        Raises `SequenceError` when the file cannot be opened or breaks off.
        """
        if self.pictures:
            yield from map(read_picture, self.pictures)
            return
        try:
            with av.open(str(self.media)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "NONE"
                for frame in islice(container.decode(stream), self.begin, None):
                    yield np.ascontiguousarray(frame.to_ndarray(format="bgr24"))
        except (FFmpegError, IndexError, OSError) as error:
            raise SequenceError(f"{self.media} cannot be decoded: {error}") from error

    def backwards(self, start: int) -> Generator[Image, None, None]:
        """The frames from ``start`` down to 0.

        A video is decoded once for each `CHUNK` frames, so that no more than these are held. Raises `SequenceError`.
        """
        if self.pictures:
            yield from map(read_picture, reversed(self.pictures[: start + 1]))
            return
        for low in range(start // CHUNK * CHUNK, -1, -CHUNK):
            with closing(self.frames()) as frames:
                yield from reversed(list(islice(frames, low, min(low + CHUNK, start + 1))))

    def mask(self, frame: int) -> np.ndarray | None:
        """Ground-truth mask of a frame, (H, W) bool; None where there is none. Raises `SequenceError` if unreadable."""
        if self.masks is None:
            region = self.regions[frame] if self.regions else None
            width, height = self.size if isinstance(region, MaskPatch) else (0, 0)
            return rasterise(region, (0, 0, width, height)) if isinstance(region, MaskPatch) else None
        path = self.masks / f"{self.begin + frame:05d}.png"
        if not path.is_file():
            return None
        if self.mask_colour is None:
            return read_picture(path, cv2.IMREAD_GRAYSCALE) > 0
        return (read_picture(path) == self.mask_colour).all(axis=2)


def read_picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """A picture as OpenCV reads it: (H, W, 3) uint8 BGR, or (H, W) as the flags say. Raises `SequenceError`."""
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except (OSError, cv2.error) as error:
        raise SequenceError(f"{path} cannot be read: {error}") from error
    if image is None:
        raise SequenceError(f"{path} is not a readable picture.")
    return image


class Reader(Protocol):
    """One layout on disk, of a clip or of a whole data set."""

    def matches(self, folder: Path) -> bool:
        """Whether ``folder`` is a clip, or a data set, of this layout."""
        ...

    def read(self, folder: Path, name: str) -> list[Sequence]:
        """The clip in ``folder`` under the given name; a name for each object, or each clip of a whole data set.

        ``name`` is empty for a data set that lies at the root. Raises `SequenceError`.
        """
        ...


def select(sequences: list[Sequence], patterns: list[str], limit: int | None = None) -> list[Sequence]:
    """The clips whose name or folder matches one of the patterns (``OTB_*``), at most ``limit``; all when none given.

    Raises `SequenceError` for a pattern that matches nothing.
    """
    for pattern in patterns:
        if not any(_matches(sequence.name, pattern) for sequence in sequences):
            names = ", ".join(sequence.name for sequence in sequences)
            raise SequenceError(f"No clip is called “{pattern}”. Clips: {names}.")
    chosen = [s for s in sequences if not patterns or any(_matches(s.name, pattern) for pattern in patterns)]
    return chosen[:limit]


def read_boxes(path: Path) -> np.ndarray:
    """Boxes of a text file, one ``x y w h`` a line, split by commas, semicolons or blanks: (N, 4) float64.

    A line of nothing but ``nan`` is a nan row. Raises `SequenceError` with the line that is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"{path} cannot be read: {error}") from error
    rows = np.empty((len(lines), 4))
    for number, line in enumerate(lines):
        try:
            values = [float(word) for word in re.split(r"[,;\s]+", line.strip(" ,;\t"))]
        except ValueError:
            values = []
        if values and np.isnan(values).all():
            values = [np.nan] * 4
        if len(values) != 4 or np.isinf(values).any():
            raise SequenceError(f"{path}, line {number + 1}: expected x, y, w, h but found “{line[:60]}”.")
        rows[number] = values
    return rows


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern)
