"""Clips with ground truth, as evaluation walks them: in order, once, decoded as they go.

A `Reader` recognises one layout on disk and makes a `Sequence` of it; `discover` tries `READERS` on every folder. The
plain clip folder holds ``video.mp4`` (or another video suffix), ``groundtruth.txt`` with one ``x, y, w, h`` per frame
(0-based, pixel edges; ``nan`` where the target is absent or not labelled) and optionally ``masks/00000.png``.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from av.error import FFmpegError

from tracker.api import Image, TrackerError

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm")
DEPTH = 3
"""How many levels below the root clip folders are looked for."""


class SequenceError(TrackerError):
    """A clip or its ground truth cannot be used; the message names the file."""


def labelled(truth: np.ndarray) -> np.ndarray:
    """Which rows of a ground truth (N, 4) hold a box: finite, with positive sides. Returns (N,) bool."""
    return np.isfinite(truth).all(axis=1) & (truth[:, 2] > 0) & (truth[:, 3] > 0)


@dataclass(frozen=True)
class Sequence:
    """One clip. ``truth``: (N, 4) float64 ``x, y, w, h`` in image pixels, nan rows where there is no box.

    ``masks``: folder of ``%05d.png`` ground-truth masks numbered by frame, or None.
    """

    name: str
    media: Path
    truth: np.ndarray
    masks: Path | None = None
    attributes: frozenset[str] = frozenset()

    @property
    def first(self) -> int:
        """Index of the first frame with a box. Raises `SequenceError` when there is none."""
        frames = np.flatnonzero(labelled(self.truth))
        if not len(frames):
            raise SequenceError(f"{self.name}: its ground truth holds no box to start from.")
        return int(frames[0])

    def frames(self) -> Generator[Image, None, None]:
        """Decode the frames in order: (H, W, 3) uint8 BGR as stored, without display rotation.

        Decoding runs on the caller's thread alone, so that it never competes with a tracker that is being timed.
        Raises `SequenceError` when the file cannot be opened or breaks off.
        """
        try:
            with av.open(str(self.media)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "NONE"
                for frame in container.decode(stream):
                    yield np.ascontiguousarray(frame.to_ndarray(format="bgr24"))
        except (FFmpegError, IndexError, OSError) as error:
            raise SequenceError(f"{self.media} cannot be decoded: {error}") from error

    def mask(self, frame: int) -> np.ndarray | None:
        """Ground-truth mask of a frame, (H, W) bool; None where there is none. Raises `SequenceError` if unreadable."""
        if self.masks is None:
            return None
        path = self.masks / f"{frame:05d}.png"
        if not path.is_file():
            return None
        bits = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
        if bits is None:
            raise SequenceError(f"{path} is not a readable picture.")
        return bits > 0


class Reader(Protocol):
    """One layout of clips on disk."""

    def matches(self, folder: Path) -> bool:
        """Whether ``folder`` is one clip of this layout."""
        ...

    def read(self, folder: Path, name: str) -> Sequence:
        """The clip in ``folder`` under the given name. Raises `SequenceError`."""
        ...


class ClipFolder:
    """The plain layout: a video, ``groundtruth.txt`` and optionally ``masks/``."""

    def matches(self, folder: Path) -> bool:
        return (folder / "groundtruth.txt").is_file() and _video(folder) is not None

    def read(self, folder: Path, name: str) -> Sequence:
        video = _video(folder)
        if video is None:
            raise SequenceError(f"{folder} holds no video.")
        masks = folder / "masks"
        return Sequence(name, video, read_boxes(folder / "groundtruth.txt"), masks if masks.is_dir() else None)


READERS: tuple[Reader, ...] = (ClipFolder(),)


def discover(root: Path, readers: tuple[Reader, ...] = READERS) -> list[Sequence]:
    """The clips under ``root``, sorted by name.

    ``root`` is one clip, a folder of clips or a folder of such groups; a clip is called by its path below ``root``
    (``car``, ``masks/car``), a lone clip by its folder. Raises `SequenceError` when there is none.
    """
    if not root.is_dir():
        raise SequenceError(f"{root} is not a folder.")
    root = root.resolve()
    clips = sorted(_walk(root, readers, DEPTH), key=lambda found: found[0])
    if not clips:
        raise SequenceError(f"{root} holds no clips: a clip is a folder with video.mp4 and groundtruth.txt.")
    return [
        reader.read(folder, folder.relative_to(root).as_posix() if folder != root else root.name)
        for folder, reader in clips
    ]


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


def _video(folder: Path) -> Path | None:
    return next((path for suffix in VIDEO_SUFFIXES if (path := folder / f"video{suffix}").is_file()), None)


def _walk(folder: Path, readers: tuple[Reader, ...], depth: int) -> Generator[tuple[Path, Reader], None, None]:
    for reader in readers:
        if reader.matches(folder):
            yield folder, reader
            return
    if depth:
        for child in folder.iterdir():
            if child.is_dir() and not child.name.startswith("."):
                yield from _walk(child, readers, depth - 1)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern)
