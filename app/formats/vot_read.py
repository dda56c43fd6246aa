"""Reading VOT data set and sequence folders: what `app.formats.vot` writes, and those of the VOT challenges."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import NoReturn

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError, read_text
from app.formats.names import colour_or, leads_away, plain
from app.formats.rle import vot_mask
from app.model.document import COLOURS, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track

OCCLUSION, ABSENT, LOST = "occlusion", "absent", "lost"
"""Names of the tag files."""

_FIX = "Correct the line, or export the folder again."


def read(path: Path) -> Document:
    """The document in a VOT data set folder (or its ``list.txt``), or in one sequence folder.

    Several sequences are read as one document when they say that they are about the same video. Polygons become their
    bounding boxes; a region without area counts as unknown. Raises `FormatError` naming file and line.
    """
    path = Path(path)
    root = path.parent if path.name == "list.txt" else path
    if not root.is_dir():
        raise FormatError("there is no such folder", path, remedy="Choose a VOT data set or sequence folder.")
    if not (root / "list.txt").is_file():
        return _Sequence(root).document()
    names = sequence_names(root / "list.txt")
    sequences = [_Sequence(root / name) for name in names]
    if not sequences:
        raise FormatError("it lists no sequence", root / "list.txt", remedy="Add the folder names, one a line.")
    if len(sequences) > 1 and ("" in {s.video_name for s in sequences} or len({s.video_key for s in sequences}) > 1):
        raise FormatError(
            f"the folder holds {len(sequences)} sequences of different videos",
            root,
            remedy="Choose one of its folders.",
        )
    doc = sequences[0].document()
    for sequence in sequences[1:]:
        other = sequence.document()
        twice = doc.tracks.keys() & other.tracks.keys()
        if twice:
            raise FormatError(f"object {min(twice)} is in two sequences", sequence.folder, remedy=_FIX)
        doc.tracks.update(other.tracks)
        doc.labels += [label for label in other.labels if label.name not in {known.name for known in doc.labels}]
        doc.next_id = max(doc.next_id, other.next_id)
    return doc


def sequence_names(path: Path) -> list[str]:
    """The folder names in a ``list.txt``. Raises `FormatError` for names that lead elsewhere or come twice."""
    names: list[str] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        name = line.strip()
        if not name:
            continue
        if leads_away(name) or re.search(r"[\\/]", name) or name == ".":
            raise FormatError(f"'{name}' is no plain folder name", path, f"line {number}", _FIX)
        if name in names:
            raise FormatError(f"'{name}' is listed twice", path, f"line {number}", _FIX)
        names.append(name)
    return names


class _Sequence:
    """One sequence folder; every method raises `FormatError` naming file and line."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FormatError("there is no such sequence folder", folder, remedy="Correct list.txt.")
        self.folder = folder
        self.properties = self._properties()
        self.truths = self._truths()
        self.length = self._length()
        self.size = self._size()
        self.video_name = self.properties.get("video", "")

    @property
    def video_key(self) -> tuple[str, int, tuple[int, int] | None]:
        return self.video_name, self.length, self.size

    def document(self) -> Document:
        doc = Document(video=self._video())
        colours: dict[str, str] = {}
        for number, (name, lines) in enumerate(self.truths.items()):
            track = self._track(number, max(doc.tracks, default=0) + 1, name, lines)
            doc.tracks[track.id] = track
            colours.setdefault(track.label, track.colour)
        doc.labels = [Label(name, colour) for name, colour in colours.items()]
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc

    def _properties(self) -> dict[str, str]:
        path = self.folder / "sequence"
        if not path.is_file():
            return {}
        out: dict[str, str] = {}
        for number, line in enumerate(read_text(path).splitlines(), 1):
            key, equals, value = line.partition("=")
            if not line.strip():
                continue
            if not equals:
                self._fail(path, number, f"'{line[:40]}' is no 'key=value'")
            if key.strip() in out:
                self._fail(path, number, f"'{key.strip()[:40]}' is given twice")
            out[key.strip()] = value.strip()
        return out

    def _truths(self) -> dict[str, list[str]]:
        """Lines of each ground-truth file by object name ('' for a single object)."""
        several = {
            path.stem.removeprefix("groundtruth_"): path
            for path in self.folder.glob("groundtruth_*.txt")
            if path.is_file()
        }
        single = self.folder / self.properties.get("groundtruth", "groundtruth.txt")
        if leads_away(self.properties.get("groundtruth", "")):
            raise FormatError("the ground truth lies outside the folder", self.folder / "sequence", remedy=_FIX)
        if not several and not single.is_file():
            raise FormatError(
                "there is no groundtruth.txt", self.folder, remedy="Choose a VOT data set or sequence folder."
            )
        paths = several or {"": single}
        ordered = sorted(paths, key=lambda name: (0, int(name), "") if _is_id(name) else (1, 0, name))
        return {name: read_text(paths[name]).rstrip().splitlines() for name in ordered}

    def _length(self) -> int:
        longest = max(map(len, self.truths.values()))
        length = self._number("length")
        if length is not None and longest > length:
            raise FormatError(
                f"length {length} is less than the {longest} lines", self.folder / "sequence", remedy=_FIX
            )
        return longest if length is None else length

    def _size(self) -> tuple[int, int] | None:
        """(width, height) as the properties say, else of the first picture, else None."""
        width, height = self._number("width"), self._number("height")
        if width is None or height is None:
            return self._picture_size()
        if width == 0 or height == 0 or width * height > MAX_PIXELS:
            raise FormatError(
                f"a picture of {width} x {height} pixels is not supported", self.folder / "sequence", remedy=_FIX
            )
        return width, height

    def _picture_size(self) -> tuple[int, int] | None:
        import cv2  # half a second to import, and only folders without sizes need it
        import numpy as np

        pattern = self.properties.get("channels.color", "color/%08d.jpg")
        if leads_away(pattern) or not re.fullmatch(r"[^%]*(%0\d?\dd[^%]*)?", pattern):
            raise FormatError(f"'{pattern}' is no picture name", self.folder / "sequence", "channels.color", _FIX)
        if "%" not in pattern:
            pattern = f"{pattern.rstrip('/')}/%08d.jpg"
        for file in (self.folder / (pattern % 1), self.folder / "00000001.jpg"):
            image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR) if file.is_file() else None
            if image is not None:
                return image.shape[1], image.shape[0]
        return None

    def _number(self, key: str) -> int | None:
        text = self.properties.get(key)
        if text is None:
            return None
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) > MAX_FRAMES:
            raise FormatError(f"'{text[:40]}' is no sensible number", self.folder / "sequence", key, _FIX)
        return int(text)

    def _video(self) -> VideoRef | None:
        if self.size is None:
            return None
        try:
            fps = float(self.properties.get("fps", "30"))
        except ValueError:
            fps = 0.0
        fps = fps if math.isfinite(fps) and fps >= 0 else 0.0
        return VideoRef(self.video_name or self.folder.name, "", self.length, *self.size, fps)

    def _track(self, number: int, free: int, name: str, lines: list[str]) -> Track:
        if _is_id(name):
            key = int(name)
        else:
            named = [key[6:] for key in self.properties if re.fullmatch(r"label\.\d{1,9}", key, re.ASCII)]
            key = int(named[0]) if not name and len(named) == 1 and int(named[0]) > 0 else free
        end = f"_{name}" if name else ""
        path = self.folder / f"groundtruth{end}.txt"
        occluded, absent, lost = (self._tag(f"{tag}{end}") for tag in (OCCLUSION, ABSENT, LOST))
        label = plain(self.properties.get(f"label.{key}", "")) or (name if name and not _is_id(name) else "object")
        colour = colour_or(self.properties.get(f"colour.{key}", ""), COLOURS[number % len(COLOURS)])
        track = Track(id=key, label=label, colour=colour)
        for frame, line in enumerate(lines):
            region = self._region(path, frame + 1, line.strip())
            if frame in lost:
                track.frames[frame] = Observation(source=Source.IMPORTED, state=State.LOST)
            elif frame in absent or region == ABSENT:
                track.frames[frame] = Observation(source=Source.IMPORTED, state=State.OUT_OF_VIEW)
            elif isinstance(region, Box | Mask):
                mask = region if isinstance(region, Mask) else None
                box = region.box if isinstance(region, Mask) else region
                state = State.OCCLUDED if frame in occluded else State.VISIBLE
                track.frames[frame] = Observation(box=box, mask=mask, source=Source.IMPORTED, state=state)
        return track

    def _tag(self, name: str) -> set[int]:
        """Frames that a tag file marks; empty without the file."""
        path = next((p for s in (".tag", ".label") if (p := self.folder / (name + s)).is_file()), None)
        if path is None:
            return set()
        lines = [line.strip() for line in read_text(path).rstrip().splitlines()]
        for number, line in enumerate(lines, 1):
            if line not in ("0", "1"):
                self._fail(path, number, f"'{line[:40]}' is neither 0 nor 1")
        if len(lines) > self.length:
            self._fail(path, len(lines), f"the sequence has only {self.length} frames")
        return {frame for frame, line in enumerate(lines) if line == "1"}

    def _region(self, path: Path, number: int, line: str) -> Box | Mask | str:
        """A region, `ABSENT`, or an empty text for unknown."""
        if line.startswith("m"):
            if self.size is None:
                self._fail(path, number, "a mask needs the picture's size", "Add width= and height= to 'sequence'.")
            try:
                return vot_mask(line, self.size[1], self.size[0]) or ABSENT
            except ValueError as error:
                self._fail(path, number, str(error))
        try:
            values = [float(token) for token in line.split(",")]
        except ValueError:
            self._fail(path, number, f"'{line[:40]}' is no region")
        if len(values) != 1 and (len(values) < 4 or len(values) % 2):
            self._fail(path, number, f"a region has 1, 4, 6, 8, ... numbers, not {len(values)}")
        if len(values) > 1 and any(map(math.isnan, values)):
            return ABSENT
        if not all(map(math.isfinite, values)):
            self._fail(path, number, "a region is made of finite numbers")
        if len(values) == 1:
            return ""
        if len(values) == 4:
            box = Box(*values)
        else:
            xs, ys = values[::2], values[1::2]
            box = Box.from_corners(min(xs), min(ys), max(xs), max(ys))
        if box.w < 0 or box.h < 0 or not math.isfinite(sum(box)):
            self._fail(path, number, "width and height must not be negative, nor the numbers huge")
        return box if box.w > 0 and box.h > 0 else ""

    def _fail(self, path: Path, number: int, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, path, f"line {number}", remedy)


def _is_id(name: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,8}", name, re.ASCII) is not None
