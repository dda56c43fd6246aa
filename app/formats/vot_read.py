"""Reading VOT data set and sequence folders: what `app.formats.vot` writes, and those of the VOT challenges.

Polygons become masks, filled as the VOT toolkit does. Tags and values become attributes of the frames; those that end
in an object's number belong to it, others to every object.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import NoReturn

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError, read_text
from app.formats.names import colour_or, leads_away, plain
from app.formats.single_read import NOTE, read_note
from app.formats.vot_regions import Region, parse_region
from app.model.document import COLOURS, Attribute, AttributeKind, Document, Label, VideoRef
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark, tr

OCCLUSION, ABSENT, LOST = "occlusion", "absent", "lost"
"""Names of the tag files."""

KNOWN = (OCCLUSION, ABSENT, LOST)
MAX_FILES = 200
"""Tag and value files that are read of one sequence."""

_FIX = mark("Correct the line, or export the folder again.")


def read(path: Path) -> Document:
    """The document in a VOT data set folder (or its ``list.txt``), or in one sequence folder (or its ground truth).

    Several sequences are read as one document when they say that they are about the same video. A region
    without area counts as unknown. Raises `FormatError` naming file and line.
    """
    path = Path(path)
    root = _root(path)
    if not root.is_dir():
        raise FormatError(tr("there is no such folder"), path, remedy=tr("Choose a VOT data set or sequence folder."))
    if not (root / "list.txt").is_file():
        return _Sequence(root).document()
    names = sequence_names(root / "list.txt")
    sequences = [_Sequence(root / name) for name in names]
    if not sequences:
        raise FormatError(tr("it lists no sequence"), root / "list.txt", remedy=tr("Add the folder names, one a line."))
    if len(sequences) > 1 and ("" in {s.video_name for s in sequences} or len({s.video_key for s in sequences}) > 1):
        more = tr(" and {count} more").format(count=len(names) - 10) if len(names) > 10 else ""
        raise FormatError(
            tr("the folder holds {count} sequences of different videos").format(count=len(sequences)),
            root,
            remedy=tr("Choose one of its folders: {names}{more}.").format(names=", ".join(names[:10]), more=more),
        )
    doc = sequences[0].document()
    for sequence in sequences[1:]:
        other = sequence.document()
        twice = doc.tracks.keys() & other.tracks.keys()
        if twice:
            raise FormatError(
                tr("object {twice} is in two sequences").format(twice=min(twice)), sequence.folder, remedy=_FIX
            )
        doc.tracks.update(other.tracks)
        doc.next_id = max(doc.next_id, other.next_id)
    doc.labels = labels_of(doc)
    return doc


def recognises(path: Path) -> bool:
    """Whether a folder (or a file that stands for it) has a VOT sequence, by the names in it; never raises."""
    root = _root(path)
    try:
        names = sequence_names(root / "list.txt") if (root / "list.txt").is_file() else ["."]
        return bool(names) and _is_sequence(root / names[0])
    except (OSError, FormatError, ValueError):
        return False


def _root(path: Path) -> Path:
    """The folder that people mean who choose one of the files that every such folder has."""
    named = path.name == "list.txt" or (path.name.startswith("groundtruth") and path.suffix == ".txt")
    return path.parent if named and not path.is_dir() else path


def labels_of(doc: Document) -> list[Label]:
    """One label for each name that a track has, in the colour of its first track, with the attributes it uses."""
    colours: dict[str, str] = {}
    kinds: dict[str, dict[str, Attribute]] = {}
    for _, track in sorted(doc.tracks.items()):
        colours.setdefault(track.label, track.colour)
        used = kinds.setdefault(track.label, {})
        for obs in track.frames.values():
            for name, value in obs.attributes.items():
                used.setdefault(name, attribute(name, flag=isinstance(value, bool)))
    return [Label(name, colours[name], tuple(kinds[name][one] for one in sorted(kinds[name]))) for name in colours]


def attribute(name: str, *, flag: bool) -> Attribute:
    """What a tag, or else a value of VOT's, is as an attribute."""
    if flag:
        return Attribute(name, AttributeKind.FLAG, default=False, per_frame=True)
    return Attribute(name, AttributeKind.NUMBER, per_frame=True)


def _is_sequence(folder: Path) -> bool:
    """GOT-10k's folders have a ground truth of the same name, and other files beside it."""
    if (folder / "meta_info.ini").is_file() or (folder / "absence.label").is_file():
        return False
    if any(not file.name.startswith("groundtruth_rect") for file in folder.glob("groundtruth_*.txt")):
        return True  # those are OTB's
    if not (folder / "groundtruth.txt").is_file():
        return False
    lasot = (folder / "full_occlusion.txt").is_file() or (folder / "out_of_view.txt").is_file()
    return not lasot or (folder / "sequence").is_file()


def sequence_names(path: Path) -> list[str]:
    """The folder names in a ``list.txt``. Raises `FormatError` for names that lead elsewhere or come twice."""
    names: list[str] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        name = line.strip()
        if not name:
            continue
        if leads_away(name) or re.search(r"[\\/]", name) or name == ".":
            raise FormatError(
                tr("'{name}' is no plain folder name").format(name=name),
                path,
                tr("line {number}").format(number=number),
                _FIX,
            )
        if name in names:
            raise FormatError(
                tr("'{name}' is listed twice").format(name=name), path, tr("line {number}").format(number=number), _FIX
            )
        names.append(name)
    return names


class _Sequence:
    """One sequence folder; every method raises `FormatError` naming file and line."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FormatError(tr("there is no such sequence folder"), folder, remedy=tr("Correct list.txt."))
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
        for number, (name, lines) in enumerate(self.truths.items()):
            track = self._track(number, max(doc.tracks, default=0) + 1, name, lines)
            doc.tracks[track.id] = track
        doc.labels = labels_of(doc)
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc

    def _properties(self) -> dict[str, str]:
        path = self.folder / "sequence"
        if not path.is_file():
            return self._noted()
        out: dict[str, str] = {}
        for number, line in enumerate(read_text(path).splitlines(), 1):
            key, equals, value = line.partition("=")
            if not line.strip():
                continue
            if not equals:
                self._fail(path, number, tr("'{line}' is no 'key=value'").format(line=line[:40]))
            if key.strip() in out:
                self._fail(path, number, tr("'{strip}' is given twice").format(strip=key.strip()[:40]))
            out[key.strip()] = value.strip()
        return out

    def _noted(self) -> dict[str, str]:
        """Properties of a sequence of the old layout, which has no place for any: from the note beside it."""
        note = read_note(self.folder / NOTE)
        if note is None:
            return {}
        out = {
            "video": note.video, "length": str(note.frames), "fps": repr(note.fps),
            "width": str(note.width), "height": str(note.height),
        }  # fmt: skip
        for track in note.tracks:
            out |= {f"label.{track.id}": track.label, f"colour.{track.id}": track.colour}
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
            raise FormatError(tr("the ground truth lies outside the folder"), self.folder / "sequence", remedy=_FIX)
        if not several and not single.is_file():
            raise FormatError(
                tr("there is no groundtruth.txt"), self.folder, remedy=tr("Choose a VOT data set or sequence folder.")
            )
        paths = several or {"": single}
        ordered = sorted(paths, key=lambda name: (0, int(name), "") if _is_id(name) else (1, 0, name))
        return {name: read_text(paths[name]).rstrip().splitlines() for name in ordered}

    def _length(self) -> int:
        longest = max(map(len, self.truths.values()))
        length = self._number("length")
        if length is not None and longest > length:
            raise FormatError(
                tr("length {length} is less than the {longest} lines").format(length=length, longest=longest),
                self.folder / "sequence",
                remedy=_FIX,
            )
        return longest if length is None else length

    def _size(self) -> tuple[int, int] | None:
        """(width, height) as the properties say, else of the first picture, else None."""
        width, height = self._number("width"), self._number("height")
        if width is None or height is None:
            return self._picture_size()
        if width == 0 or height == 0 or width * height > MAX_PIXELS:
            raise FormatError(
                tr("a picture of {width} x {height} pixels is not supported").format(width=width, height=height),
                self.folder / "sequence",
                remedy=_FIX,
            )
        return width, height

    def _picture_size(self) -> tuple[int, int] | None:
        import cv2  # half a second to import, and only folders without sizes need it
        import numpy as np

        pattern = self.properties.get("channels.color", "color/%08d.jpg")
        if leads_away(pattern) or not re.fullmatch(r"[^%]*(%0\d?\dd[^%]*)?", pattern):
            raise FormatError(
                tr("'{pattern}' is no picture name").format(pattern=pattern),
                self.folder / "sequence",
                "channels.color",
                _FIX,
            )
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
            raise FormatError(
                tr("'{text}' is no sensible number").format(text=text[:40]), self.folder / "sequence", key, _FIX
            )
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
        said = self._attributes(name)
        for frame, line in enumerate(lines):
            region = self._region(path, frame + 1, line.strip())
            state = State.OCCLUDED if frame in occluded else State.VISIBLE
            box, mask = region.box, region.mask
            if frame in lost:
                state, box, mask = State.LOST, None, None
            elif frame in absent or (box is None and region.code is None):
                state, box, mask = State.OUT_OF_VIEW, None, None
            elif box is None:
                continue
            track.frames[frame] = Observation(
                box=box, mask=mask, source=Source.IMPORTED, state=state, attributes=said.get(frame, {})
            )
        return track

    def _attributes(self, name: str) -> dict[int, dict[str, AttributeValue]]:
        """What tags and values say about the object ``name``, by frame."""
        others = tuple(f"_{other}" for other in self.truths if other and other != name)
        own = f"_{name}" if name else ""
        out: dict[int, dict[str, AttributeValue]] = {}
        files = sorted(path for path in self.folder.iterdir() if path.suffix in (".tag", ".label", ".value"))
        if len(files) > MAX_FILES:
            raise FormatError(
                tr("there are {count} tags and values").format(count=len(files)), self.folder, remedy=tr("Remove some.")
            )
        for path in files:
            title = plain(path.stem.removesuffix(own))
            if not title or title in KNOWN or path.stem.endswith(others or "\0") or path.stem in KNOWN:
                continue
            if path.suffix == ".value":
                for frame, value in self._values(path).items():
                    out.setdefault(frame, {})[title] = value
            else:
                for frame in self._tag(path.stem):
                    out.setdefault(frame, {})[title] = True
        return out

    def _values(self, path: Path) -> dict[int, float]:
        """The numbers of a value file by frame; ``nan`` and an empty line say nothing."""
        lines = [line.strip() for line in read_text(path).rstrip().splitlines()]
        if len(lines) > self.length:
            self._fail(path, len(lines), tr("the sequence has only {length} frames").format(length=self.length))
        out: dict[int, float] = {}
        for frame, line in enumerate(lines):
            try:
                value = float(line or "nan")
            except ValueError:
                self._fail(path, frame + 1, tr("'{line}' is no number").format(line=line[:40]))
            if math.isinf(value):
                self._fail(path, frame + 1, tr("a value is a finite number"))
            if not math.isnan(value):
                out[frame] = value
        return out

    def _tag(self, name: str) -> set[int]:
        """Frames that a tag file marks; empty without the file."""
        path = next((p for s in (".tag", ".label") if (p := self.folder / (name + s)).is_file()), None)
        if path is None:
            return set()
        lines = [line.strip() for line in read_text(path).rstrip().splitlines()]
        for number, line in enumerate(lines, 1):
            if line not in ("0", "1"):
                self._fail(path, number, tr("'{line}' is neither 0 nor 1").format(line=line[:40]))
        if len(lines) > self.length:
            self._fail(path, len(lines), tr("the sequence has only {length} frames").format(length=self.length))
        return {frame for frame, line in enumerate(lines) if line == "1"}

    def _region(self, path: Path, number: int, line: str) -> Region:
        try:
            return parse_region(line, self.size)
        except ValueError as error:
            needs = tr("Add width= and height= to 'sequence'.") if self.size is None and line.startswith("m") else _FIX
            self._fail(path, number, str(error), needs)

    def _fail(self, path: Path, number: int, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, path, tr("line {number}").format(number=number), remedy)


def _is_id(name: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,8}", name, re.ASCII) is not None
