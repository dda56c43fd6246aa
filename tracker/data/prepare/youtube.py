"""YouTube-BoundingBoxes and YouTube-VOS."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from tracker.data.prepare.films import Picture, PrepareError, Thing, first_folder, folder, text

BB_NAMES = {"train": "train", "val": "validation"}


@dataclass(frozen=True)
class BoundingBoxClip:
    """One video of YouTube-BB. ``rows``: millisecond, object and ``x1, y1, x2, y2`` as shares, by time."""

    name: str
    frames: Path
    rows: tuple[tuple[int, str, tuple[float, float, float, float]], ...]

    def pictures(self) -> Iterator[Picture]:
        """A picture a second, ``<frames>/<name>/<millisecond>.jpg``; the index counts in seconds (reference E.1)."""
        number = {key: i for i, key in enumerate(sorted({key for _, key, _ in self.rows}))}
        for moment in sorted({moment for moment, _, _ in self.rows}):
            things = tuple(Thing(number[key], box, None, True) for at, key, box in self.rows if at == moment)
            yield Picture(moment // 1000, self.frames / self.name / f"{moment}.jpg", things, optional=True)


def bounding_boxes(source: Path, split: str) -> list[BoundingBoxClip]:
    """``yt_bb_detection_<train|validation>.csv`` beside the folder of that name with the frames that were fetched.

    Videos that are gone from YouTube are passed over; without any there is an error. Raises `PrepareError`.
    """
    whole = BB_NAMES[split]
    index = source / f"yt_bb_detection_{whole}.csv"
    frames = folder(source / whole, "a folder of frames <millisecond>.jpg for each video")
    rows: dict[str, list[tuple[int, str, tuple[float, float, float, float]]]] = {}
    for line, row in enumerate(csv.reader(text(index).splitlines()), 1):
        try:
            video, moment, kind, _, thing, presence, *sides = row
            if presence != "present":
                continue
            x1, x2, y1, y2 = (float(side) for side in sides)
            rows.setdefault(video, []).append((int(moment), f"{kind}/{thing}", (x1, y1, x2, y2)))
        except ValueError as error:
            raise PrepareError(f"{index}, line {line}: not a line of YouTube-BoundingBoxes ({error}).") from error
    here = {path.name for path in frames.iterdir() if path.is_dir()}
    found = [BoundingBoxClip(video, frames, tuple(rows[video])) for video in sorted(rows) if video in here]
    if not found:
        raise PrepareError(f"{frames} holds no video of {index.name}: frames go to <video>/<millisecond>.jpg.")
    return found


@dataclass(frozen=True)
class SegmentedClip:
    """One video of YouTube-VOS. ``objects``: their numbers, which are also their colours' in the annotations."""

    name: str
    images: Path
    notes: Path
    objects: tuple[int, ...]

    def pictures(self) -> Iterator[Picture]:
        for path in sorted((self.notes / self.name).glob("*.png")):
            numbers = palette_numbers(path)
            things = []
            for thing in self.objects:
                mask = numbers == thing
                if mask.any():
                    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
                    corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
                    x1, y1, x2, y2 = (float(v) for v in corners)
                    things.append(Thing(thing, (x1, y1, x2, y2), mask))
            yield Picture(int(path.stem), self.images / self.name / f"{path.stem}.jpg", tuple(things))


def palette_numbers(path: Path) -> np.ndarray:
    """Numbers of the colours of a PNG with a palette, or the values of a grey one: (h, w) uint8."""
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            if frame.format.name not in ("pal8", "gray"):
                raise PrepareError(f"{path} is not a picture with a palette ({frame.format.name}).")
            plane = frame.planes[0]
            lines = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
            return lines[: frame.height, : frame.width].copy()
    except (FFmpegError, StopIteration, IndexError, OSError) as error:
        raise PrepareError(f"{path} is not a readable picture ({error}); unpack the data set again.") from error


def objects(source: Path, split: str) -> list[SegmentedClip]:
    """``<train|valid>/meta.json`` beside ``JPEGImages`` and ``Annotations``. Raises `PrepareError`."""
    root = first_folder(source / {"train": "train", "val": "valid"}[split], source, what="YouTube-VOS")
    images = folder(root / "JPEGImages", "the frames of YouTube-VOS")
    notes = folder(root / "Annotations", "the annotations of YouTube-VOS")
    index = root / "meta.json"
    try:
        videos = json.loads(text(index))["videos"]
        return [
            SegmentedClip(name, images, notes, tuple(sorted(int(number) for number in videos[name]["objects"])))
            for name in sorted(videos)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PrepareError(f"{index} is not YouTube-VOS's list of videos ({error!r}); unpack it again.") from error
