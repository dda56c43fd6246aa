"""Corners: a text file with ``frame id left top right bottom`` a line, in whole pixels counted from 0.

The first line is ``corners <frames> <width> <height>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from app.formats.base import KEPT, LOST, Aspect, FormatError, Preflight, read_text
from app.formats.one_file import OneFile, first_bytes
from app.formats.selection import Choice, Selection, select
from app.model.document import COLOURS, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source, Track


class CornersFormat(OneFile):
    """The options are those that every format has, `Choice`."""

    id = "corners"
    title = "Corners"
    suffix = ".corners"
    params = Choice
    holds: ClassVar[Mapping[Aspect, str]] = {
        **dict.fromkeys(Aspect, LOST),
        Aspect.BOXES: "rounded to whole pixels",
        Aspect.TRACKS: KEPT,
        Aspect.VIDEO: "length and size",
        Aspect.UNLABELLED: "as absent ones: no line",
    }

    def recognises(self, path: Path) -> bool:
        return first_bytes(path, 8) == b"corners "

    def chosen(self, doc: Document, params: Choice) -> tuple[Selection, Preflight]:
        """What will be read again, and what is lost: an export is compared with this."""
        chosen = select(doc, params)
        told = chosen.preflight(masks=False, losses=["Only boxes and ids are written, in whole pixels."])
        kept = chosen.document
        for key, track in list(kept.tracks.items()):
            frames = {frame: _whole(obs.box) for frame, obs in track.frames.items() if obs.box is not None}
            kept.tracks[key] = _track(key, frames)
            if not frames:
                del kept.tracks[key]
        kept.labels = [Label("object", COLOURS[0])]
        return chosen, told

    def rows(self, kept: Document, params: Choice, names: Sequence[str]) -> Iterator[bytes]:
        video = kept.video
        assert video is not None
        yield f"corners {video.frames} {video.width} {video.height}\n".encode()
        for track in kept.tracks.values():
            for frame, obs in track.frames.items():
                assert obs.box is not None
                box = obs.box
                yield f"{frame} {track.id} {box.x:.0f} {box.y:.0f} {box.x2:.0f} {box.y2:.0f}\n".encode()

    def read(self, path: Path) -> Document:
        """Raises `FormatError` that names the line; nothing in the file is trusted."""
        frames: dict[int, dict[int, Box]] = {}
        first, *others = read_text(path).splitlines() or [""]
        _, count, width, height = _numbers(path, 1, first.replace("corners", "0", 1), 4)
        for number, line in enumerate(others, 2):
            frame, key, x1, y1, x2, y2 = _numbers(path, number, line, 6)
            if not (0 <= frame < count and key > 0 and x2 > x1 and y2 > y1):
                raise FormatError("these are no corners of a box", path, f"line {number}", "Correct the line.")
            frames.setdefault(key, {})[frame] = Box.from_corners(x1, y1, x2, y2)
        doc = Document(VideoRef(path.stem, "", count, width, height, 0.0), [Label("object", COLOURS[0])])
        doc.tracks = {key: _track(key, boxes) for key, boxes in sorted(frames.items())}
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc


CORNERS = CornersFormat()


def _whole(box: Box) -> Box:
    x, y = round(box.x), round(box.y)
    return Box.from_corners(x, y, max(x + 1, round(box.x2)), max(y + 1, round(box.y2)))


def _track(key: int, boxes: Mapping[int, Box]) -> Track:
    seen = {frame: Observation(box, source=Source.IMPORTED) for frame, box in boxes.items()}
    return Track(key, "object", COLOURS[0], frames=seen)


def _numbers(path: Path, number: int, line: str, count: int) -> list[int]:
    try:
        found = [int(word) for word in line.split()]
    except ValueError:
        found = []
    if len(found) != count or max(map(abs, found)) > 100_000_000:
        raise FormatError(f"there are no {count} whole numbers", path, f"line {number}", "Correct the line.")
    return found
