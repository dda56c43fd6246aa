"""Reading Pascal VOC folders: what `app.formats.voc` writes, and data sets of one clip.

Objects with the attribute ``track_id`` make tracks; any other is a track of its own. Pixels count from 1, as VOC has
them. Parts, poses and actions are passed over.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element

from app.formats.base import MAX_PIXELS, FormatError, read_text
from app.formats.cvat_attributes import guessed
from app.formats.one_file import first_bytes
from app.formats.per_frame_read import numbered, pictures_in, read_note
from app.formats.pictures import picture_size
from app.formats.xml_io import XmlError, walk, xml_text
from app.model.document import COLOURS, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark, tr

LABELS = "labelmap.txt"
TRACK = "track_id"
"""The attribute that says which objects are one."""
_FIX = mark("Correct the entry, or export the folder again.")
_FARTHEST = 1e7
"""Pixels: no coordinate is that far away."""
_MAX_BYTES = 1 << 24
"""Bytes: a file says a few things about one picture."""


def looks_like_it(path: Path) -> bool:
    """Whether a folder holds VOC's XML files; never raises."""
    try:
        with os.scandir(_texts(path)) as entries:
            first = next((Path(entry.path) for entry in entries if entry.name.endswith(".xml")), None)
    except OSError:
        return False
    return first is not None and re.search(rb"<annotation[\s>]", first_bytes(first)) is not None


def read(path: Path) -> Document:
    """The document in a VOC folder, or in its ``Annotations``. Raises `FormatError` naming file and object."""
    path = Path(path)
    root = path.parent if path.name == "Annotations" and path.is_dir() else path
    if not root.is_dir():
        raise FormatError(tr("there is no such folder"), path, remedy=tr("Choose a folder with Annotations/*.xml."))
    return _Reader(root).document()


def _texts(root: Path) -> Path:
    return root / "Annotations" if (root / "Annotations").is_dir() else root


class _Reader:
    """One folder; every method raises `FormatError` naming the file at fault."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.note = read_note(root)
        self.pictures = pictures_in(root)
        files = sorted(_texts(root).rglob("*.xml"))
        if not files and self.note is None:
            raise FormatError(
                tr("there are no XML files in it"), root, remedy=tr("Choose a folder with Annotations/*.xml.")
            )
        self.files = numbered(root, files, self.pictures, self.note)
        self.size: tuple[int, int] | None = None
        self.doc = Document(labels=self._labels())
        self.known = {label.name for label in self.doc.labels}
        self.difficult: dict[int, bool] = {}
        self.alone: list[tuple[int, str, Observation, bool]] = []

    def document(self) -> Document:
        doc = self.doc
        for frame, file in self.files.items():
            self._picture(frame, file)
        for key, (frame, label, obs, difficult) in enumerate(self.alone, max(doc.tracks, default=0) + 1):
            self._track(key, label).frames[frame] = obs
            self.difficult[key] = difficult
        for key, track in doc.tracks.items():
            track.ignored = self.difficult[key]
        doc.video = self._video()
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc

    def _fail(self, file: Path, where: str, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, file, where, remedy)

    def _labels(self) -> list[Label]:
        """Names and colours as ``labelmap.txt`` says, ``name:r,g,b:parts:actions`` a line."""
        file = self.root / LABELS
        labels: dict[str, Label] = {}
        for number, line in enumerate(read_text(file).splitlines() if file.is_file() else (), 1):
            parts = line.strip().rsplit(":", 3)
            found = (
                re.fullmatch(r"(\d{1,3}),(\d{1,3}),(\d{1,3})", parts[1].replace(" ", "")) if len(parts) == 4 else None
            )
            if not line.strip() or (line.startswith("#") and found is None):
                continue
            name = xml_text(parts[0])
            if len(parts) != 4 or not name or name in labels:
                self._fail(
                    file,
                    tr("line {number}").format(number=number),
                    tr("a line is 'name:r,g,b:parts:actions', each name once"),
                )
            rgb = [min(int(value), 255) for value in found.groups()] if found is not None else None
            colour = f"#{bytes(rgb).hex()}" if rgb is not None else COLOURS[len(labels) % len(COLOURS)]
            labels[name] = Label(name, colour)
        return list(labels.values())

    def _video(self) -> VideoRef:
        if self.note is not None:
            video = self.note.video.checked()
            if self.size not in (None, (video.width, video.height)):
                raise FormatError(tr("the pictures have another size than the note says"), self.root, remedy=_FIX)
            return video
        size = self.size or picture_size(self.pictures)
        if size is None:
            raise FormatError(
                tr("nothing says how large the pictures are"), self.root, remedy=tr("Add <size> to the files.")
            )
        length = max(max(self.files, default=-1) + 1, len({picture.stem for picture in self.pictures}))
        return VideoRef(self.root.resolve().name, "", length, *size, 0.0)

    def _picture(self, frame: int, file: Path) -> None:
        root = self._parsed(file)
        if root.tag != "annotation":
            self._fail(
                file,
                "",
                tr("<{tag}> is not what VOC has").format(tag=root.tag[:40]),
                tr("Choose a folder of VOC files."),
            )
        size = root.find("size")
        if size is not None:
            width, height = (
                self._whole(file, f"size, {key}", size.findtext(key) or "0") for key in ("width", "height")
            )
            if width * height > MAX_PIXELS:
                self._fail(
                    file,
                    "size",
                    tr("a picture of {width} x {height} pixels is not supported").format(width=width, height=height),
                )
            if width > 0 and height > 0:
                if self.size not in (None, (width, height)):
                    self._fail(
                        file, "size", tr("the pictures have different sizes"), tr("A folder describes one clip.")
                    )
                self.size = width, height
        for number, element in enumerate(root.iterfind("object"), 1):
            self._object(file, f"object {number}", frame, element)

    def _parsed(self, file: Path) -> Element:
        root = None
        try:
            if file.stat().st_size > _MAX_BYTES:
                self._fail(file, "", tr("it is too large for one picture"), tr("Choose a folder of VOC files."))
            with file.open("rb") as stream:
                for _, _, element in walk(stream):
                    root = element
        except XmlError as error:
            self._fail(file, "", str(error), tr("Export the folder again."))
        except OSError as error:
            self._fail(
                file, "", tr("cannot be read ({error})").format(error=error.strerror or error), tr("Check the path.")
            )
        assert root is not None  # `walk` ends with the root, or raises
        return root

    def _object(self, file: Path, where: str, frame: int, element: Element) -> None:
        label = xml_text(element.findtext("name") or "") or "object"
        told: dict[str, AttributeValue] = {}
        for child in element.iterfind("attributes/attribute"):
            name = xml_text(child.findtext("name") or "")
            if name:
                told[name] = guessed(xml_text(child.findtext("value") or ""))
        key = told.pop(TRACK, None)
        occluded = (element.findtext("occluded") or "").strip() == "1"
        obs = Observation(
            box=self._box(file, where, element.find("bndbox")),
            source=Source.IMPORTED,
            state=State.OCCLUDED if occluded else State.VISIBLE,
            attributes=told,
        )
        difficult = (element.findtext("difficult") or "").strip() == "1"
        if key is None:
            self.alone.append((frame, label, obs, difficult))
            return
        if isinstance(key, bool) or not isinstance(key, int) or not 0 < key < 10**9:
            self._fail(
                file, where, tr("{TRACK} '{key}' is no number of a track").format(TRACK=TRACK, key=str(key)[:40])
            )
        track = self._track(key, label)
        if track.label != label or frame in track.frames:
            self._fail(file, where, tr("track {key} is there twice, or has another name before").format(key=key))
        track.frames[frame] = obs
        self.difficult[key] = difficult and self.difficult.get(key, True)

    def _track(self, key: int, label: str) -> Track:
        if label not in self.known:
            self.known.add(label)
            self.doc.labels.append(Label(label, COLOURS[len(self.doc.labels) % len(COLOURS)]))
        track = self.doc.tracks.get(key)
        if track is None:
            colour = next(one.colour for one in self.doc.labels if one.name == label)
            track = self.doc.tracks[key] = Track(key, label, colour)
        return track

    def _box(self, file: Path, where: str, element: Element | None) -> Box:
        if element is None:
            self._fail(file, where, tr("it has no bndbox"))
        values = []
        for name in ("xmin", "ymin", "xmax", "ymax"):
            text = (element.findtext(name) or "").strip()
            try:
                value = float(text) if "_" not in text else math.nan
            except ValueError:
                value = math.nan
            if not abs(value) < _FARTHEST:
                self._fail(file, f"{where}, {name}", tr("'{text}' is no sensible coordinate").format(text=text[:40]))
            values.append(value)
        x1, y1, x2, y2 = values[0] - 1, values[1] - 1, values[2], values[3]
        if x2 < x1 or y2 < y1:
            self._fail(file, where, tr("its corners are the wrong way round: {values}").format(values=values))
        return Box.from_corners(x1, y1, x2, y2)

    def _whole(self, file: Path, where: str, text: str) -> int:
        text = text.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            self._fail(file, where, tr("'{text}' is no whole number").format(text=text[:40]))
        return int(text)
