"""Reading CVAT 1.1: tracks of a video task as CVAT interpolates them, or the shapes of an image task.

Boxes, polygons, masks, ellipses and cuboids are read, the latter two as their bounding boxes; a rotated box becomes the
box around it. Points, polylines, skeletons and tags say nothing about regions and are passed over. A shape of an image
task is a track of its own. The file is read a shape at a time; archives (.zip) are read without unpacking them.
"""

from __future__ import annotations

import math
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import IO, NoReturn
from xml.etree.ElementTree import Element

import numpy as np

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError
from app.formats.cvat_attributes import defined, value_of
from app.formats.cvat_file import INSIDE, opened
from app.formats.cvat_shapes import CONTINUED, SOURCES, UNLABELLED, Shape, expand
from app.formats.keys import Filler
from app.formats.names import colour_or
from app.formats.outline import around, as_box, filled, turned
from app.formats.rle import vot_mask
from app.formats.xml_io import XmlError, walk, xml_text
from app.model.document import COLOURS, Attribute, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import AttributeValue, Source, State, Track
from app.words import mark, tr

_SHAPES = ("box", "polygon", "mask", "ellipse", "cuboid")
_FIX = mark("Correct the entry, or export the file from CVAT again.")
_FARTHEST = 1e7
"""Pixels: no coordinate is that far away."""


def read(path: Path) -> Document:
    """The document in a CVAT file, an archive with one, or a folder with ``annotations.xml``.

    Raises `FormatError` naming track and frame.
    """
    path = Path(path)
    path = path / INSIDE if path.is_dir() else path
    try:
        with opened(path) as file:
            return _Reader(path).document(file)
    except XmlError as error:
        raise FormatError(str(error), path, remedy=tr("Export the file from CVAT again.")) from None
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise FormatError(
            tr("the archive cannot be read ({error})").format(error=error),
            path,
            remedy=tr("Unpack it, or export again."),
        ) from None
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None


class _Reader:
    """One pass over a file; every method raises `FormatError` naming the entry at fault."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.doc = Document()
        self.name = ""
        self.size: tuple[int, int] | None = None
        self.length: int | None = None
        self.kinds: dict[str, dict[str, Attribute]] = {}
        self.filler = Filler()
        self.last = -1
        self.tracks: list[tuple[str, Track]] = []
        self.objects: dict[tuple[str, str], list[Shape]] = {}
        """Of tracks in pieces: all shapes by the object's name and label; the tracks are empty until the end."""

    def document(self, file: IO[bytes]) -> Document:
        parents: list[Element] = []
        shapes: list[Shape] = []
        for event, depth, element in walk(file):
            if event == "start":
                if depth == 0 and element.tag != "annotations":
                    self._fail(
                        "",
                        tr("<{tag}> is not what CVAT writes").format(tag=element.tag[:40]),
                        tr("Choose a CVAT 1.1 XML file."),
                    )
                parents.append(element)
                continue
            parents.pop()
            if depth == 2 and parents[1].tag in ("track", "image"):
                if element.tag in _SHAPES:
                    shapes.append(self._shape(parents[1], element))
                parents[1].remove(element)
            elif depth == 1:
                match element.tag:
                    case "meta":
                        self._meta(element)
                    case "track":
                        self._track(element, shapes)
                    case "image":
                        self._image(element, shapes)
                shapes = []
                parents[0].remove(element)
        return self._finished()

    def _fail(self, where: str, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, self.path, where, remedy)

    def _finished(self) -> Document:
        doc = self.doc
        for name, track in self.tracks:
            shapes = self.objects.get((name, track.label), [])
            taken = {shape.frame for shape in shapes if shape.state != CONTINUED}
            whole = [shape for shape in shapes if shape.state != CONTINUED or shape.frame not in taken]
            if whole:
                self._fill(f"object {name[:20]}", track, whole)
        shift = any(name == "0" for name, _ in self.tracks)  # CVAT counts tracks from 0
        wanted = [int(name) + shift if _is_number(name) else 0 for name, _ in self.tracks]
        free = max(wanted, default=0) + 1
        for key, (_, track) in zip(wanted, self.tracks, strict=True):
            if key == 0 or key in doc.tracks:
                key, free = free, free + 1
            track.id = key
            doc.tracks[key] = track
        known = {label.name for label in doc.labels}
        for track in doc.tracks.values():
            if track.label not in known:
                known.add(track.label)
                doc.labels.append(Label(track.label, track.colour))
        if self.size is not None:
            length = self.last + 1 if self.length is None else self.length
            doc.video = VideoRef(self.name or self.path.stem, "", length, *self.size, 0.0)
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc

    def _meta(self, meta: Element) -> None:
        tasks = meta.findall("project/tasks/task")
        if len(tasks) > 1:
            names = ", ".join((task.findtext("name") or "?")[:40] for task in tasks[:10])
            self._fail(
                "meta",
                tr("the file holds {count} tasks: {names}").format(count=len(tasks), names=names),
                tr("Export one task; one clip is read at a time."),
            )
        about = next(
            (a for a in (*tasks, meta.find("task"), meta.find("job"), meta.find("project")) if a is not None), meta
        )
        self.name = xml_text(meta.findtext("source") or about.findtext("source") or about.findtext("name") or "")
        size = about.findtext("size")
        if size is not None and size.strip():
            stop = (about.findtext("stop_frame") or "").strip()
            self.length = self._whole("meta, size", size, MAX_FRAMES)
            if stop:
                self.length = max(self.length, self._whole("meta, stop_frame", stop, MAX_FRAMES - 1) + 1)
        width, height = about.findtext("original_size/width"), about.findtext("original_size/height")
        if width is not None and height is not None:
            where = "meta, original_size"
            self._sized(where, self._whole(where, width, MAX_PIXELS), self._whole(where, height, MAX_PIXELS))
        for label in (*about.findall("labels/label"), *(meta.findall("project/labels/label") if tasks else ())):
            self._label(label)

    def _label(self, element: Element) -> None:
        name = xml_text(element.findtext("name") or "")
        if not name or name in self.kinds:
            return
        kinds = {kind.name: kind for kind in map(defined, reversed(element.findall("attributes/attribute"))) if kind}
        self.kinds[name] = dict(reversed(kinds.items()))
        colour = colour_or((element.findtext("color") or "").strip(), COLOURS[len(self.doc.labels) % len(COLOURS)])
        self.doc.labels.append(Label(name, colour, tuple(self.kinds[name].values())))

    def _sized(self, where: str, width: int, height: int) -> None:
        if width <= 0 or height <= 0 or width * height > MAX_PIXELS:
            self._fail(
                where, tr("a picture of {width} x {height} pixels is not supported").format(width=width, height=height)
            )
        if self.size not in (None, (width, height)):
            self._fail(where, tr("the pictures have different sizes"), tr("One file describes one clip of one size."))
        self.size = width, height

    def _new(self, label: str, colour: str) -> Track:
        label = xml_text(label) or "object"
        known = {one.name: one.colour for one in self.doc.labels}
        otherwise = known.get(label, COLOURS[len(known) % len(COLOURS)])
        return Track(id=1, label=label, colour=colour_or(colour, otherwise))

    def _track(self, element: Element, shapes: list[Shape]) -> None:
        where = f"track {element.get('id', '?')[:20]}"
        track = self._new(element.get("label", ""), element.get("colour", ""))
        if not shapes:
            return
        name = element.get("object", "")
        if not name:
            self._fill(where, track, shapes)
            self.tracks.append((element.get("id", ""), track))
        elif (name, track.label) in self.objects:
            self.objects[name, track.label] += shapes
        else:
            self.objects[name, track.label] = shapes
            self.tracks.append((name, track))

    def _fill(self, where: str, track: Track, shapes: list[Shape]) -> None:
        shapes.sort(key=lambda shape: shape.frame)
        for a, b in pairwise(shapes):
            if a.frame == b.frame:
                self._fail(where, tr("frame {frame} is there twice").format(frame=a.frame))
        self._split(track, shapes)
        try:
            track.frames = expand(shapes, self.length, self.filler)
        except FormatError as error:
            self._fail(where, str(error).rstrip("."), "")
        except ValueError as error:
            self._fail(where, str(error))
        self.last = max(self.last, shapes[-1].frame)

    def _split(self, track: Track, shapes: list[Shape]) -> None:
        """Tell the values of the track from those of its frames, as the label's definitions have it."""
        fixed = {kind.name for kind in self.kinds.get(track.label, {}).values() if not kind.per_frame}
        for shape in reversed(shapes):
            track.attributes |= {name: value for name, value in shape.attributes.items() if name in fixed}
        for at, shape in enumerate(shapes):
            if fixed & shape.attributes.keys():
                told = {name: value for name, value in shape.attributes.items() if name not in fixed}
                shapes[at] = replace(shape, attributes=told)

    def _image(self, element: Element, shapes: list[Shape]) -> None:
        where = f"image {element.get('id', '?')[:20]}"
        frame = self._whole(where, element.get("id", ""), MAX_FRAMES - 1)
        if element.get("width") is not None and element.get("height") is not None:
            size = (self._whole(where, element.get(key, ""), MAX_PIXELS) for key in ("width", "height"))
            self._sized(where, *size)
        self.last = max(self.last, frame)
        if self.length is not None and frame >= self.length:
            self.length = frame + 1  # the ids of a job's images need not start at 0
        for shape in shapes:
            track = self._new(shape.label, "")
            alone = [replace(shape, keyframe=True)]
            self._split(track, alone)
            track.frames = expand(alone, frame + 1, self.filler)
            self.tracks.append(("", track))

    def _shape(self, parent: Element, element: Element) -> Shape:
        still = parent.tag == "image"
        at = parent.get("id", "?") if still else element.get("frame", "?")
        where = f"{parent.tag} {parent.get('id', '?')[:20]}, {element.tag}" + ("" if still else f" on frame {at[:20]}")
        frame = self._whole(where, at, MAX_FRAMES - 1)
        if not still and self.length is not None and frame >= self.length:
            self._fail(where, tr("the clip has only {length} frames").format(length=self.length))
        if still and element.tag == "mask":
            size = (self._whole(where, parent.get(key, ""), MAX_PIXELS) for key in ("width", "height"))
            self._sized(where, *size)
        label = xml_text((element if still else parent).get("label", "")) or "object"
        outside = element.get("outside") == "1"
        box, mask = self._region(where, element, outside)
        state = element.get("state", "")
        if state not in (State.OUT_OF_VIEW, State.LOST, UNLABELLED, CONTINUED) or not outside:
            state = ""
        return Shape(
            frame=frame,
            box=box,
            mask=mask,
            outside=outside,
            occluded=element.get("occluded") == "1",
            keyframe=element.get("keyframe", "1") == "1",
            source=SOURCES.get(element.get("source") or parent.get("source", ""), Source.IMPORTED),
            state=state,
            attributes=self._attributes(element, label),
            label=label,
        )

    def _attributes(self, element: Element, label: str) -> dict[str, AttributeValue]:
        kinds = self.kinds.get(label, {})
        out: dict[str, AttributeValue] = {}
        for child in element.iterfind("attribute"):
            name = xml_text(child.get("name", ""))
            if name:
                kind = kinds.get(name)
                out[name] = value_of(xml_text(child.text or ""), kind.kind if kind is not None else None)
        return out

    def _region(self, where: str, element: Element, outside: bool) -> tuple[Box, Mask | None]:
        match element.tag:
            case "box":
                x1, y1, x2, y2 = (self._number(where, element, key) for key in ("xtl", "ytl", "xbr", "ybr"))
                if x2 < x1 or y2 < y1:
                    self._fail(
                        where,
                        tr("its corners are the wrong way round: {x1:g},{y1:g} and {x2:g},{y2:g}").format(
                            x1=x1, y1=y1, x2=x2, y2=y2
                        ),
                    )
                angle = self._number(where, element, "rotation") if element.get("rotation") else 0.0
                return turned(Box.from_corners(x1, y1, x2, y2), angle), None
            case "ellipse":
                cx, cy, rx, ry = (self._number(where, element, key) for key in ("cx", "cy", "rx", "ry"))
                return Box.from_corners(cx - abs(rx), cy - abs(ry), cx + abs(rx), cy + abs(ry)), None
            case "cuboid":
                keys = [
                    key for key in element.attrib if key[:3] in ("xtl", "ytl", "xbl", "ybl", "xtr", "ytr", "xbr", "ybr")
                ]
                values = [(key[0], self._number(where, element, key)) for key in keys]
                xs, ys = ([value for axis, value in values if axis == wanted] for wanted in "xy")
                if not xs or not ys:
                    self._fail(where, tr("it has no corners"))
                return Box.from_corners(min(xs), min(ys), max(xs), max(ys)), None
            case "mask":
                return self._mask(where, element, outside)
        return self._polygon(where, element, outside)

    def _mask(self, where: str, element: Element, outside: bool) -> tuple[Box, Mask | None]:
        left, top, width, height = (element.get(key, "") for key in ("left", "top", "width", "height"))
        corner = [self._whole(where, text, MAX_PIXELS) for text in (left, top, width, height)]
        if outside:
            return Box(*map(float, corner)), None
        if self.size is None:
            self._fail(where, tr("a mask needs the picture's size"), tr("Add original_size to the file's meta part."))
        try:
            mask = vot_mask(f"m{','.join(map(str, corner))},{element.get('rle', '')}", self.size[1], self.size[0])
        except ValueError as error:
            self._fail(where, str(error))
        box = mask.box if mask is not None else None
        return box if box is not None else Box(*map(float, corner)), mask

    def _polygon(self, where: str, element: Element, outside: bool) -> tuple[Box, Mask | None]:
        try:
            flat = [float(text) for pair in element.get("points", "").split(";") for text in pair.split(",", 1)]
        except ValueError:
            self._fail(where, tr("points are 'x,y;x,y;...'"))
        if len(flat) < 6 or len(flat) % 2 or not all(abs(value) < _FARTHEST for value in flat):
            self._fail(where, tr("a polygon is at least three points, none of them far outside the picture"))
        points = np.array(flat).reshape(-1, 2)
        box = as_box(points)
        if box is not None or outside or self.size is None:
            return box or around(points), None
        try:
            return around(points), filled([points], self.size[1], self.size[0])
        except ValueError as error:
            self._fail(where, str(error))

    def _number(self, where: str, element: Element, key: str) -> float:
        text = element.get(key)
        try:
            value = float(text) if text is not None and "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not abs(value) < _FARTHEST:
            self._fail(f"{where}, {key}", tr("'{value}' is no sensible coordinate").format(value=(text or "")[:40]))
        return value

    def _whole(self, where: str, text: str, highest: int) -> int:
        text = text.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= highest):
            self._fail(
                where, tr("'{text}' is no whole number from 0 to {highest}").format(text=text[:40], highest=highest)
            )
        return int(text)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 10
