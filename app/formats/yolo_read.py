"""Reading YOLO folders: what `app.formats.yolo` writes, data sets of one clip, and what trackers save as text.

Rows of five numbers are boxes, longer ones polygons; where the YAML file has ``kpt_shape``, they are boxes with points,
which are passed over. A sixth number is a track's number if it is whole (as CVAT writes it), else a confidence; so is
one more after a polygon. Ultralytics writes both, the confidence first.

The size of the pictures comes from the note or from the first picture in the folder; where there is neither, as where
Ultralytics predicts on a video, from the video that the labels are about. Its files are then called ``clip_1.txt`` and
so on, without zeros before the number, and 1 is the first frame.

The YAML file may have any name where it is the only one with ``names``. Its paths are not followed: every folder called
``labels`` counts, and every ``obj_train_data`` or the like beside an ``obj.names``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import yaml

from app.formats.base import FormatError, read_text
from app.formats.names import colour_or, plain
from app.formats.one_file import first_bytes
from app.formats.outline import FAR, around, as_box, filled
from app.formats.per_frame_read import numbered, pictures_in, read_note
from app.formats.pictures import NoSizeError, picture_size
from app.model.document import COLOURS, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, Track
from app.words import mark, tr

DATA = "data.yaml"
_YAML = (".yaml", ".yml")
_SHARE = re.compile(rb"[01]|[01]?\.\d+|\d(\.\d+)?e-\d+")
_PADDED = re.compile(r"(^|\D)0\d+$", re.ASCII)
_LABELS = re.compile(r"labels|obj_\w+_data", re.ASCII)
_LOOKED_AT = 50
_FIX = mark("Correct the row, or export the folder again.")
_MOST = 2 * FAR
"""Largest share: nothing lies that many pictures away."""
_MAX_YAML = 1 << 20
"""Bytes: a data.yaml says a few names."""
_OTHERS = ("classes.txt", "obj.names", "train.txt", "val.txt", "valid.txt", "test.txt", "labels.txt", "names.txt")


def looks_like_it(path: Path) -> bool:
    """Whether a folder has YOLO's ``data.yaml`` and label files, or is such a file; never raises."""
    try:
        root, data = _places(path)
        if data is not None and _has_names(data):
            return any(True for _ in _label_files(root))
        return root.is_dir() and _predicted(_label_files(root))
    except OSError:
        return False


def read(path: Path, video: VideoRef | None = None) -> Document:
    """The document in a YOLO folder, or that of a ``data.yaml``. Raises `FormatError` naming file and line.

    ``video``: what the labels are about, for a folder that does not tell; `NoSizeError` without.
    """
    path = Path(path)
    root, data = _places(path)
    if not root.is_dir():
        raise FormatError(tr("there is no such folder"), path, remedy=tr("Choose a YOLO folder, or its data.yaml."))
    return _Reader(root, data, video).document()


def _places(path: Path) -> tuple[Path, Path | None]:
    """The folder, and the YAML file that names its classes."""
    if path.suffix.lower() in _YAML and not path.is_dir():
        return path.parent, path
    if (path / DATA).is_file() or not path.is_dir():
        return path, path / DATA
    named = [file for file in sorted(path.iterdir()) if file.suffix.lower() in _YAML and _has_names(file)]
    return path, named[0] if len(named) == 1 else None


def _has_names(file: Path) -> bool:
    """Whether a YAML file names classes, in its first kilobytes: a long comment and a list of paths may go before."""
    return re.search(rb"^names[ \t]*:", first_bytes(file, 1 << 16), re.MULTILINE) is not None


def _predicted(files: Sequence[Path]) -> bool:
    """Whether the first row in these files is one of YOLO's: a class, and shares."""
    rows = (first_bytes(file).partition(b"\n")[0].split() for file in files[:_LOOKED_AT])
    first = next((row for row in rows if row), [])
    return len(first) > 4 and first[0].isdigit() and all(_SHARE.fullmatch(cell) for cell in first[1:5])


def _is_number_of_track(cells: Sequence[str], count: int) -> bool:
    """Whether a row with an even ``count`` of numbers behind its class ends in a confidence and a track's number."""
    last = cells[-1]
    whole = last.isascii() and last.isdigit() and 0 < len(last) < 10 and int(last) >= 1
    return whole and (count == 6 or int(last) > 1)  # a polygon may end at the lower border: 1


def _label_files(root: Path) -> list[Path]:
    """The text files below folders called ``labels`` or as in Darknet; where there are none, those of the folder."""
    inside = [file for file in root.rglob("*.txt") if any(map(_LABELS.fullmatch, file.relative_to(root).parts[:-1]))]
    return sorted(inside) or sorted(file for file in root.glob("*.txt") if file.name not in _OTHERS)


class _Loader(yaml.SafeLoader):
    """Reads no aliases: a few lines of them, merged, fill any memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(tr("aliases are not read"))
        return super().compose_node(parent, index)


class _Reader:
    """One folder; every method raises `FormatError` naming the file and line at fault."""

    def __init__(self, root: Path, data: Path | None, about: VideoRef | None) -> None:
        self.root = root
        self.data = data if data is not None and data.is_file() else None
        self.note = read_note(root)
        self.points = 0
        """Numbers about key points after a box."""
        self.names = self._names()
        pictures = pictures_in(root)
        files = _label_files(root)
        if not files and self.note is None:
            raise FormatError(
                tr("there are no label files in it"), root, remedy=tr("Choose a folder with labels/*.txt.")
            )
        self.files = numbered(root, files, pictures, self.note)
        if self.note is None and not pictures and about is not None:
            if 0 not in self.files and not any(_PADDED.search(file.stem) for file in files):
                self.files = {frame - 1: file for frame, file in self.files.items()}
            if max(self.files, default=-1) >= about.frames:
                what = tr("there are labels up to frame {last}, but the video has {frames} frames")
                raise FormatError(what.format(last=max(self.files), frames=about.frames), root)
            self.video = about
        else:
            self.video = self._video(pictures)

    def document(self) -> Document:
        doc = Document(video=self.video)
        alone: list[tuple[int, int, Observation]] = []
        tracks: dict[int, tuple[int, dict[int, Observation]]] = {}
        for frame, file in self.files.items():
            for number, line in enumerate(read_text(file).splitlines(), 1):
                if not line.strip():
                    continue
                label, key, obs = self._row(file, number, line.split())
                if key is None:
                    alone.append((frame, label, obs))
                    continue
                of, frames = tracks.setdefault(key, (label, {}))
                if of != label or frame in frames:
                    self._fail(
                        file, number, tr("track {key} is there twice, or of another class before").format(key=key)
                    )
                frames[frame] = obs
        used = max((*(label for _, label, _ in alone), *(label for label, _ in tracks.values())), default=-1)
        doc.labels = self._labels(used + 1)
        for key, (label, frames) in tracks.items():
            doc.tracks[key] = Track(key, doc.labels[label].name, doc.labels[label].colour, frames=frames)
        for key, (frame, label, obs) in enumerate(alone, max(tracks, default=0) + 1):
            doc.tracks[key] = Track(key, doc.labels[label].name, doc.labels[label].colour, frames={frame: obs})
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc

    def _fail(self, file: Path, number: int, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, file, tr("line {number}").format(number=number), remedy)

    def _names(self) -> dict[int, str]:
        """Names of the classes by number, as ``data.yaml`` or ``classes.txt`` says."""
        file = self.data
        if file is None:
            lists = (self.root / name for name in ("classes.txt", "obj.names"))
            listed = next((path for path in lists if path.is_file()), None)
            return dict(enumerate(read_text(listed).splitlines())) if listed is not None else {}
        if file.stat().st_size > _MAX_YAML:
            raise FormatError(tr("it is too large to be YOLO's"), file, remedy=tr("Choose a YOLO folder."))
        try:
            given: Any = yaml.load(read_text(file), _Loader)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            what = " ".join(str(error).split())[:200]
            raise FormatError(
                tr("this is no YAML that can be read ({what})").format(what=what), file, remedy=tr("Export it again.")
            ) from None
        names = given.get("names") if isinstance(given, dict) else None
        shape = given.get("kpt_shape") if isinstance(given, dict) else None
        if isinstance(shape, list) and len(shape) == 2 and all(_is_class(part) for part in shape):
            self.points = shape[0] * shape[1]
        if isinstance(names, list):
            names = dict(enumerate(names))
        if not isinstance(names, dict) or not all(_is_class(key) for key in names):
            raise FormatError(tr("names is no list of class names"), file, "names", tr("Write them as '0: car'."))
        if not all(isinstance(name, str | int | float) for name in names.values()):
            raise FormatError(tr("a name is no text"), file, "names", tr("Write them as '0: car'."))
        return {key: str(name) for key, name in names.items()}

    def _labels(self, used: int) -> list[Label]:
        """A label for each class; those without a name are called by their number."""
        count = max(used, max(self.names, default=-1) + 1)
        colours = self.note.colours if self.note is not None else []
        labels: list[Label] = []
        known: set[str] = set()
        for number in range(count):
            name = plain(self.names.get(number, "")) or f"class {number}"
            if name in known:
                raise FormatError(
                    tr("the name '{name}' is used twice").format(name=name[:40]), self.data, "names", tr("Rename one.")
                )
            known.add(name)
            otherwise = COLOURS[number % len(COLOURS)]
            labels.append(Label(name, colour_or(colours[number], otherwise) if number < len(colours) else otherwise))
        return labels

    def _video(self, pictures: list[Path]) -> VideoRef:
        if self.note is not None:
            return self.note.video.checked()
        size = picture_size(pictures)
        if size is None:
            raise NoSizeError(
                tr("rows are shares of the picture, and there is no picture that says its size"),
                self.root,
                remedy=tr("Put the pictures into images/ beside labels/, or say which video it is about."),
            )
        length = max((max(self.files, default=-1) + 1, len({picture.stem for picture in pictures})))
        return VideoRef(self.root.resolve().name, "", length, *size, 0.0)

    def _row(self, file: Path, number: int, cells: list[str]) -> tuple[int, int | None, Observation]:
        """Class, number of the track if there is one, and the observation."""
        label = cells[0]
        if not (label.isascii() and label.isdigit() and len(label) <= 5):
            self._fail(file, number, tr("'{label}' is no number of a class").format(label=label[:40]))
        try:
            values = [float(cell) if "_" not in cell else math.nan for cell in cells[1:]]
        except ValueError:
            self._fail(file, number, tr("a row is made of numbers with spaces between"))
        key, score = None, None
        if self.points and len(values) - self.points in (4, 5):
            del values[4 : 4 + self.points]
        if len(values) >= 6 and len(values) % 2 == 0 and self.note is None and _is_number_of_track(cells, len(values)):
            key, score = int(cells[-1]), self._last(file, number, cells[-2], values[-2])[1]
            del values[-2:]
        elif len(values) == 5 or (len(values) > 6 and len(values) % 2):
            key, score = self._last(file, number, cells[-1], values.pop())
        if len(values) != 4 and (len(values) < 6 or len(values) % 2):
            self._fail(file, number, tr("a row has 5, 7, 9, ... numbers, not {count}").format(count=len(cells)))
        if not all(abs(value) <= _MOST for value in values):
            self._fail(file, number, tr("coordinates are shares of the picture, from 0 to 1"))
        box, mask = self._region(file, number, values)
        return int(label), key, Observation(box=box, mask=mask, source=Source.IMPORTED, score=score)

    def _last(self, file: Path, number: int, text: str, value: float) -> tuple[int | None, float | None]:
        """Track number or confidence at the end of a row."""
        if text.isascii() and text.isdigit() and 0 < len(text) < 10 and value >= 1:
            return int(text), None
        if not 0 <= value <= 1:
            self._fail(
                file, number, tr("'{text}' is neither the number of a track nor a confidence").format(text=text[:40])
            )
        return None, value

    def _region(self, file: Path, number: int, values: list[float]) -> tuple[Box, Mask | None]:
        width, height = self.video.width, self.video.height
        if len(values) == 4:
            cx, cy, w, h = values
            if w < 0 or h < 0:
                self._fail(
                    file,
                    number,
                    tr("width and height must not be negative, but they are {w:g} and {h:g}").format(w=w, h=h),
                )
            return Box.from_centre(cx * width, cy * height, w * width, h * height), None
        points = np.round(np.array(values).reshape(-1, 2) * (width, height), 5)
        box = as_box(points)
        if box is not None:
            return box, None
        try:
            return around(points), filled([points], height, width)
        except ValueError as error:
            self._fail(file, number, str(error))


def _is_class(key: Any) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and 0 <= key < 100_000
