"""Reading tables: what `app.formats.csv_table` writes, and simple ones that have at least a frame and a box in a row.

A simple table needs a header with ``frame`` (from 0) and either ``x,y,w,h`` or the corners; common other names for them
are understood. Rows without a track number become tracks of their own. The delimiter is found from the header.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from app.formats.base import MAX_BYTES, MAX_FRAMES, MAX_PIXELS, FormatError
from app.formats.names import colour_or, plain
from app.model.document import COLOURS, Attribute, Comment, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask, broken
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark, tr

COLUMNS = (
    "what",
    "id",
    "frame",
    "track",
    "label",
    "colour",
    "x",
    "y",
    "w",
    "h",
    "state",
    "source",
    "verified",
    "keyframe",
    "score",
    "cover",
    "ignored",
    "signals",
    "attributes",
    "text",
    "mask",
)
FORMULA = ("'", "=", "+", "-", "@", "\t", "\r")
"""What text must not begin with in a spreadsheet, and the apostrophe that we put before it."""

_OTHER_NAMES = {
    "frame": ("frame_id", "frame_index", "frame_number"),
    "track": ("track_id", "object_id"),
    "x": ("left", "xmin", "x1", "xtl", "bb_left"),
    "y": ("top", "ymin", "y1", "ytl", "bb_top"),
    "w": ("width", "bb_width"),
    "h": ("height", "bb_height"),
    "right": ("xmax", "x2", "xbr"),
    "bottom": ("ymax", "y2", "ybr"),
    "label": ("class", "category"),
    "score": ("confidence", "conf"),
}
_KNOWN = {other: name for name, others in _OTHER_NAMES.items() for other in (name, *others)}
_FIX = mark("Correct the row, or export the table again.")
_MAX_CELL = 1 << 26
"""Characters: the largest cell, a mask, that is read; 64 MB."""

T = TypeVar("T")


class _Video(msgspec.Struct):
    frames: int
    width: int
    height: int
    fps: float = 0.0
    fingerprint: str = ""


def header_of(line: str) -> tuple[str, dict[str, int]] | None:
    """Delimiter and the place of each column in a header; None when there is no frame or no box among them."""
    for delimiter in sorted(",;\t|", key=line.count, reverse=True):
        cells = [cell.strip().strip('"').strip().lower() for cell in line.split(delimiter)]
        places: dict[str, int] = {}
        for place, cell in enumerate(cells):
            places.setdefault(_KNOWN.get(cell, cell), place)
        if {"frame", "x", "y"} <= places.keys() and (
            {"w", "h"} <= places.keys() or {"right", "bottom"} <= places.keys()
        ):
            return delimiter, places
    return None


def read(path: Path) -> Document:
    """The document in a table. Raises `FormatError` naming the line."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(
                tr("the file has {st_size} MB").format(st_size=path.stat().st_size >> 20),
                path,
                remedy=tr("At most {MAX_BYTES} MB are read.").format(MAX_BYTES=MAX_BYTES >> 20),
            )
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline(1 << 16)
            found = header_of(head)
            if found is None:
                raise FormatError(
                    tr("the header names no frame, or no box"),
                    path,
                    tr("line 1"),
                    tr("The first line names the columns: at least frame, x, y, w, h."),
                )
            return _Reader(path, *found).document(file)
    except UnicodeDecodeError as error:
        raise FormatError(
            tr("there are bytes that are not UTF-8 text ({reason})").format(reason=error.reason),
            path,
            remedy=tr("Save the table as CSV in UTF-8."),
        ) from None
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None


class _Reader:
    """One pass over the rows; every method raises `FormatError` naming the line at fault."""

    def __init__(self, path: Path, delimiter: str, places: Mapping[str, int]) -> None:
        self.path = path
        self.delimiter = delimiter
        self.places = places
        self.line = 1
        self.cells: list[str] = []
        self.doc = Document()
        self.masks: list[tuple[int, Mask]] = []
        self.loose: list[tuple[int, Observation, str, str]] = []

    def document(self, file: Any) -> Document:
        before = csv.field_size_limit(_MAX_CELL)
        rows = csv.reader(file, delimiter=self.delimiter, strict=True)
        try:
            for cells in rows:
                self.line = rows.line_num + 1
                if any(cells):
                    self.cells = cells
                    self._row()
        except csv.Error as error:
            self.line = rows.line_num + 1
            self._fail(tr("this is no row of a table ({error})").format(error=error))
        finally:
            csv.field_size_limit(before)
        self._check_masks()
        return self._finished()

    def _finished(self) -> Document:
        doc = self.doc
        free = max(doc.tracks, default=0) + 1
        for key, (frame, obs, label, colour) in enumerate(self.loose, free):
            self._track(key, label, colour).frames[frame] = obs
        known = {label.name for label in doc.labels}
        for track in doc.tracks.values():
            if track.label not in known:
                known.add(track.label)
                doc.labels.append(Label(track.label, track.colour))
            track.frames = dict(sorted(track.frames.items()))
        doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
        return doc

    def _fail(self, what: str, column: str = "", remedy: str = _FIX) -> NoReturn:
        raise FormatError(
            what, self.path, tr("line {line}").format(line=self.line) + (f", {column}" if column else ""), remedy
        )

    def _row(self) -> None:
        what = self._text("what") or "observation"
        match what:
            case "observation":
                self._observation()
            case "track":
                self._track_row()
            case "label":
                self._label()
            case "video":
                self._video()
            case "comment":
                self._comment()
            case _:
                self._fail(tr("'{what}' is no kind of row").format(what=what[:40]), "what")

    def _text(self, column: str) -> str:
        place = self.places.get(column)
        text = self.cells[place] if place is not None and place < len(self.cells) else ""
        return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text

    def _whole(self, column: str, lowest: int, highest: int = MAX_FRAMES) -> int:
        text = self._text(column).strip()
        text = text[:-2] if text.endswith(".0") else text
        if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII) or not lowest <= int(text) <= highest:
            self._fail(
                tr("'{text}' is no whole number from {lowest} to {highest}").format(
                    text=text[:40], lowest=lowest, highest=highest
                ),
                column,
            )
        return int(text)

    def _number(self, column: str) -> float:
        text = self._text(column).strip()
        if self.delimiter != "," and "." not in text:
            text = text.replace(",", ".")
        try:
            value = float(text) if "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._fail(tr("'{text}' is no finite number").format(text=text[:40]), column)
        return value

    def _flag(self, column: str) -> bool:
        text = self._text(column).strip().lower()
        if text not in ("", "0", "1", "false", "true", "no", "yes"):
            self._fail(tr("'{text}' is neither 0 nor 1").format(text=text[:40]), column)
        return text in ("1", "true", "yes")

    def _json(self, column: str, kind: type[T], otherwise: T) -> T:
        text = self._text(column)
        if not text.strip():
            return otherwise
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self._fail(tr("this is not the JSON that belongs here ({error})").format(error=error), column)

    def _video(self) -> None:
        about = self._json("attributes", _Video, _Video(0, 0, 0))
        if self.doc.video is not None:
            self._fail(tr("there is a second video"), remedy=tr("One table describes one clip; split it."))
        if not 0 <= about.frames <= MAX_FRAMES or about.width < 1 or about.height < 1:
            self._fail(
                tr("a video of {frames} frames of {width} x {height} pixels is impossible").format(
                    frames=about.frames, width=about.width, height=about.height
                )
            )
        if about.width * about.height > MAX_PIXELS:
            self._fail(
                tr("a picture of {width} x {height} pixels is not supported").format(
                    width=about.width, height=about.height
                )
            )
        fps = about.fps if math.isfinite(about.fps) and about.fps >= 0 else 0.0
        path = self._text("text")
        self.doc.video = VideoRef(path, about.fingerprint, about.frames, about.width, about.height, fps)

    def _label(self) -> None:
        name = plain(self._text("label"))
        if not name or name in {label.name for label in self.doc.labels}:
            self._fail(tr("the label '{name}' has no name, or one that is used twice").format(name=name[:40]), "label")
        colour = colour_or(self._text("colour"), COLOURS[len(self.doc.labels) % len(COLOURS)])
        self.doc.labels.append(Label(name, colour, self._json("attributes", tuple[Attribute, ...], ())))

    def _track(self, key: int, label: str, colour: str) -> Track:
        label = plain(label)
        track = self.doc.tracks.get(key)
        if track is None:
            known = {one.name: one.colour for one in self.doc.labels}
            otherwise = known.get(label or "object", COLOURS[(key - 1) % len(COLOURS)])
            track = Track(id=key, label=label or "object", colour=colour_or(colour, otherwise))
            self.doc.tracks[key] = track
        elif label and track.label != label:
            self._fail(
                tr("track {key} is both '{label}' and '{label2}'").format(
                    key=key, label=track.label[:40], label2=label[:40]
                ),
                "label",
            )
        return track

    def _track_row(self) -> None:
        key = self._whole("track", 1)
        if key in self.doc.tracks:
            self._fail(tr("track {key} is described twice, or after its observations").format(key=key), "track")
        track = self._track(key, self._text("label"), self._text("colour"))
        track.ignored = self._flag("ignored")
        track.attributes = self._json("attributes", dict[str, AttributeValue], {})

    def _comment(self) -> None:
        key, frame = self._whole("id", 1), self._whole("frame", 0)
        about = self._whole("track", 1) if self._text("track") else None
        if key in self.doc.comments:
            self._fail(tr("comment {key} is there twice").format(key=key), "id")
        resolved = self._text("state") == "resolved"
        self.doc.comments[key] = Comment(key, frame, self._text("text"), about, resolved)

    def _observation(self) -> None:
        frame = self._whole("frame", 0, MAX_FRAMES - 1)
        if self.doc.video is not None and frame >= self.doc.video.frames:
            self._fail(tr("the video has only {frames} frames").format(frames=self.doc.video.frames), "frame")
        obs = self._seen()
        if not self._text("track").strip():
            self.loose.append((frame, obs, self._text("label"), self._text("colour")))
            return
        track = self._track(self._whole("track", 1), self._text("label"), self._text("colour"))
        if frame in track.frames:
            self._fail(tr("track {id} has a second row for frame {frame}").format(id=track.id, frame=frame), "frame")
        track.frames[frame] = obs

    def _seen(self) -> Observation:
        state = self._one_of("state", State, State.VISIBLE)
        absent = state in (State.OUT_OF_VIEW, State.LOST)
        mask = None if absent else self._mask()
        box = None if absent else self._box()
        if box is None and mask is not None:
            box = mask.box
        if box is None and not absent:
            self._fail(
                tr("a visible object needs a box"), "x", tr("Fill in the box, or give the state out_of_view or lost.")
            )
        try:
            return Observation(
                box=box,
                mask=mask,
                source=self._one_of("source", Source, Source.IMPORTED),
                state=state,
                verified=self._flag("verified"),
                keyframe=self._flag("keyframe"),
                score=self._number("score") if self._text("score").strip() else None,
                signals=self._json("signals", dict[str, float], {}),
                cover=self._whole("cover", 0, 8) if self._text("cover").strip() else None,
                attributes=self._json("attributes", dict[str, AttributeValue], {}),
            )
        except ValueError as error:
            self._fail(str(error))

    def _one_of(self, column: str, kind: type[T], otherwise: T) -> T:
        text = self._text(column).strip()
        values = {str(value): value for value in kind}  # type: ignore[attr-defined]
        if text and text not in values:
            self._fail(tr("'{text}' is none of {values}").format(text=text[:40], values=", ".join(values)), column)
        return values.get(text, otherwise)

    def _box(self) -> Box | None:
        if not any(self._text(column).strip() for column in ("x", "y", "w", "h", "right", "bottom")):
            return None
        x, y = self._number("x"), self._number("y")
        if "w" in self.places and "h" in self.places:
            w, h = self._number("w"), self._number("h")
        else:
            w, h = self._number("right") - x, self._number("bottom") - y
        if w < 0 or h < 0:
            self._fail(tr("width and height must not be negative, but they are {w:g} and {h:g}").format(w=w, h=h))
        return Box(x, y, w, h)

    def _mask(self) -> Mask | None:
        text = self._text("mask")
        if not text:
            return None
        found = re.match(r"(\d{1,6})x(\d{1,6}) ", text, re.ASCII)
        if found is None:
            self._fail(tr("a mask is '<width>x<height> <run lengths>'"), "mask")
        width, height = int(found[1]), int(found[2])
        video = self.doc.video
        if video is not None and (width, height) != (video.width, video.height):
            self._fail(
                tr("the mask has {width} x {height} pixels, the video {width2} x {height2}").format(
                    width=width, height=height, width2=video.width, height2=video.height
                ),
                "mask",
            )
        if not 0 < width * height <= MAX_PIXELS:
            self._fail(
                tr("a mask of {width} x {height} pixels is not supported").format(width=width, height=height), "mask"
            )
        mask = Mask(height, width, text[found.end() :].encode("ascii", "replace"))
        self.masks.append((self.line, mask))
        if len(self.masks) >= 256:
            self._check_masks()
        elif not any(self._text(column).strip() for column in ("x", "y", "w", "h")):
            self._check_masks()  # the box is asked of C code, which trusts the run lengths
        return mask

    def _check_masks(self) -> None:
        for (line, mask), bad in zip(self.masks, broken([mask for _, mask in self.masks]), strict=True):
            if bad:
                self.line = line
                self._fail(
                    tr("the run lengths do not fill {width} x {height} pixels").format(
                        width=mask.width, height=mask.height
                    ),
                    "mask",
                )
        self.masks.clear()
