"""VOT's clip folder: one region a line, tags for each frame, anchors for the multi-start protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.api import MaskPatch
from tracker.data.layouts import numbers, pictures
from tracker.data.regions import Region, bounding_box, parse
from tracker.data.sequences import Sequence, SequenceError


class VOTClip:
    """``groundtruth.txt`` with rectangles, polygons or masks, pictures in ``color/`` or beside it, ``*.tag``,
    ``anchor.value``.

    Boxes are the regions' bounding boxes. A frame is absent where its region is nan or an empty mask, or where
    ``absent.tag`` says so; a special code is a frame without label.
    """

    def matches(self, folder: Path) -> bool:
        return (folder / "groundtruth.txt").is_file() and self._pictures(folder) is not None

    def read(self, folder: Path, name: str) -> list[Sequence]:
        shown = pictures(self._pictures(folder) or folder)
        found = read_regions(folder / "groundtruth.txt")
        frames = len(found)
        truth = np.full((frames, 4), np.nan)
        for index, region in enumerate(found):
            if region is not None and not isinstance(region, int):
                truth[index] = bounding_box(region)
        tags = {path.stem: numbers(path, frames) > 0 for path in sorted(folder.glob("*.tag"))}
        absent = np.array([region is None for region in found]) | tags.get("absent", np.zeros(frames, bool))
        anchor = folder / "anchor.value"
        rich = any(isinstance(region, MaskPatch) or np.ndim(region) == 2 for region in found if region is not None)
        regions = tuple(None if isinstance(region, int) else region for region in found) if rich else ()
        return [
            Sequence(
                name or folder.name,
                folder,
                truth,
                pictures=shown,
                regions=regions,
                absent=absent,
                frame_attributes=tags,
                anchors=numbers(anchor, frames) if anchor.is_file() else None,
            )
        ]

    def _pictures(self, folder: Path) -> Path | None:
        for place in (folder / "color", folder):
            if any(place.glob("*.jpg")) or any(place.glob("*.png")):
                return place
        return None


def read_regions(path: Path) -> list[Region | int | None]:
    """The regions of a VOT file, one a line; see `tracker.data.regions.parse`.

    Raises `SequenceError` naming the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"{path} cannot be read: {error}") from error
    out = []
    for number, line in enumerate(lines, start=1):
        try:
            out.append(parse(line))
        except ValueError as error:
            raise SequenceError(
                f"{path}, line {number}: expected a VOT region but found “{line[:60]}” ({error}). Correct the line."
            ) from None
    return out
