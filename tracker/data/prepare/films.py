"""What the readers of data sets say, and what the cutter understands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree

import cv2
import numpy as np

from tracker.api import TrackerError


class PrepareError(TrackerError):
    """A data set is not as it was published; the message names the file and what to do."""


@dataclass(frozen=True)
class Thing:
    """One object in one picture: number of its track, ``x1, y1, x2, y2`` in image pixels (or, ``relative``, as shares
    of the image's width and height) and, where the set has masks, the object's (h, w) bool.
    """

    track: int
    corners: tuple[float, float, float, float]
    mask: np.ndarray | None = None
    relative: bool = False


@dataclass(frozen=True)
class Picture:
    """A labelled frame. ``optional``: it may be gone, as videos that were taken off the network."""

    frame: int
    path: Path
    things: tuple[Thing, ...]
    optional: bool = False


class Film(Protocol):
    """One video, or one still picture: read in the process that cuts it, so it is small and can be pickled."""

    @property
    def name(self) -> str:
        """Unique in its set; may hold slashes."""
        ...

    def pictures(self) -> Iterator[Picture]:
        """In order. Raises `PrepareError` naming the file that is wrong."""
        ...


def folder(path: Path, what: str) -> Path:
    """``path``, when it is a folder; else `PrepareError` says ``what`` it should hold."""
    if not path.is_dir():
        raise PrepareError(f"{path} is not there; it should hold {what}. Give the folder the data set was unpacked to.")
    return path


def first_folder(*paths: Path, what: str) -> Path:
    """The first of the folders that is there."""
    return next((path for path in paths if path.is_dir()), None) or folder(paths[0], what)


def text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PrepareError(f"{path} cannot be read: {error}") from error


def numbers(path: Path, columns: int | None = None) -> np.ndarray:
    """A text file of numbers split by commas, blanks or line ends: (n,) float64, or (n, columns)."""
    try:
        rows = [line.replace(",", " ").split() for line in text(path).split("\n") if line.strip()]
        found = np.array([[float(word) for word in row] for row in rows]) if rows else np.zeros((0, columns or 1))
        if columns is not None and found.shape[1:] != (columns,):
            raise ValueError(f"expected {columns} numbers a line")
    except ValueError as error:
        raise PrepareError(f"{path} is damaged ({error}); unpack it again.") from error
    return found if columns is not None else found.ravel()


def boxes_of(path: Path) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The objects of an ImageNet annotation: track (empty in still pictures) and ``x1, y1, x2, y2``."""
    try:
        found = []
        for item in ElementTree.fromstring(text(path)).iter("object"):
            box = item.find("bndbox")
            if box is None:
                raise ValueError("an object without bndbox")
            x1, y1, x2, y2 = (float(box.findtext(key, "nan")) for key in ("xmin", "ymin", "xmax", "ymax"))
            if not np.isfinite((x1, y1, x2, y2)).all():
                raise ValueError("a bndbox that lacks a side")
            found.append((item.findtext("trackid", ""), (x1, y1, x2, y2)))
    except (ElementTree.ParseError, ValueError) as error:
        raise PrepareError(f"{path} is not an ImageNet annotation ({error}); unpack it again.") from error
    return found


def picture_at(path: Path) -> np.ndarray:
    """(h, w, 3) uint8 BGR."""
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error) as error:
        raise PrepareError(f"{path} cannot be read ({error}); unpack the data set again.") from error
    if picture is None:
        raise PrepareError(f"{path} is not a readable picture; unpack the data set again.")
    return picture
