"""Reading single-object data sets: ground truths of one box a line, the note beside them, sequences into a document."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError, read_text
from app.formats.names import colour_or, plain
from app.formats.pictures import picture_size
from app.model.document import COLOURS, Count, Document, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Track, TrackId
from app.words import mark, tr

Row = Box | None
"""A line of a ground truth; None where there is no box."""

NOTE = "siamlabel.json"
PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
FPS = 30.0
"""Taken where a data set does not write down the rate."""

_FIX = mark("Correct the line, or restore the file from the data set.")
_NAMED = 10  # sequences that an error lists
_MOST = 2000  # sequences that are looked at
_SEARCHED = 20_000  # folders that are looked into
_NUMBER = re.compile(r"\d+")


class NoteTrack(msgspec.Struct, frozen=True):
    id: TrackId
    label: str
    colour: str


class Note(msgspec.Struct, frozen=True):
    """What the data sets do not write down; lies beside a ground truth. ``video``: the clip's name."""

    video: str
    frames: Count
    width: Count
    height: Count
    fps: float
    tracks: list[NoteTrack]


@dataclass(frozen=True)
class Spot:
    """Where a sequence lies. ``truths``: its ground truths by the track's id, 0 where the note says the id.

    ``label``: what the place says about it; ``start``: the picture (0-based) that the first row is about; ``size``:
    the pictures' width and height where the data set writes it down.
    """

    name: str
    truths: Mapping[int, Path]
    pictures: Path
    note: Path
    label: str = ""
    start: int = 0
    size: tuple[int, int] | None = None
    fps: float = FPS


class Layout(Protocol):
    """What a data set decides about reading; see `app.formats.single.SingleFormat`."""

    title: ClassVar[str]
    origin: ClassVar[int]

    def find(self, path: Path) -> Iterator[Spot]: ...
    def observe(self, truth: Path, rows: Sequence[Row]) -> dict[int, Observation]: ...
    def about(self, truth: Path, label: str) -> dict[str, AttributeValue]: ...


def first_spots(layout: Layout, path: Path) -> list[Spot]:
    """The sequences at ``path``, at least one. Raises `FormatError`."""
    if not path.exists():
        raise FormatError(
            tr("there is no such file or folder"),
            path,
            remedy=tr("Choose a {title} sequence.").format(title=layout.title),
        )
    try:
        spots = list(islice(layout.find(path), _MOST))
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error),
            path,
            remedy=tr("Check the permissions."),
        ) from None
    if not spots:
        raise FormatError(
            tr("there is no {title} sequence").format(title=layout.title),
            path,
            remedy=tr("Choose the folder of a sequence."),
        )
    return spots


def one_document(layout: Layout, spots: list[Spot], path: Path) -> Document:
    """The document of several sequences about one clip. Raises `FormatError` when they are about several."""
    notes = [read_note(spot.note) for spot in spots]
    clips = {note and (note.video, note.frames, note.width, note.height, note.fps) for note in notes}
    if len(spots) > 1 and (None in clips or len(clips) > 1):
        places = [_place(spot, path) for spot in spots[:_NAMED]]
        more = tr(" and {count} more").format(count=len(spots) - _NAMED) if len(spots) > _NAMED else ""
        raise FormatError(
            tr("there are {count} sequences of different clips").format(count=len(spots)),
            path,
            remedy=tr("Choose one: {places}{more}.").format(places=", ".join(places), more=more),
        )
    doc = _document(layout, spots[0], notes[0])
    for spot, note in zip(spots[1:], notes[1:], strict=True):
        other = _document(layout, spot, note)
        if twice := doc.tracks.keys() & other.tracks.keys():
            raise FormatError(
                tr("object {twice} is in two sequences").format(twice=min(twice)),
                spot.note,
                "id",
                tr("Give each its own id."),
            )
        doc.tracks.update(other.tracks)
    doc.tracks = dict(sorted(doc.tracks.items()))
    doc.next_id = max(doc.tracks, default=0) + 1
    return doc


def read_note(path: Path) -> Note | None:
    """The note at ``path``, None when there is none. Raises `FormatError`."""
    if not path.is_file():
        return None
    remedy = tr("Correct the note, or remove it: the sequence can be read without.")
    try:
        note = msgspec.json.decode(read_text(path), type=Note)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(str(error).replace("`$.", "`"), path, remedy=remedy) from None
    if not (0 < note.width * note.height <= MAX_PIXELS and note.frames <= MAX_FRAMES):
        raise FormatError(
            tr("{frames} frames of {width} x {height} pixels are not possible").format(
                frames=note.frames, width=note.width, height=note.height
            ),
            path,
            "",
            remedy,
        )
    if not (math.isfinite(note.fps) and note.fps >= 0):
        raise FormatError(tr("the rate {fps} is not possible").format(fps=note.fps), path, "fps", remedy)
    ids = [track.id for track in note.tracks]
    if not ids or len(set(ids)) < len(ids):
        raise FormatError(tr("every object needs an id of its own"), path, "tracks", remedy)
    return note


def read_rows(path: Path, origin: int = 0) -> list[Row]:
    """The boxes of a ground truth, one a line; commas, semicolons, tabs or blanks between the four numbers.

    ``origin``: the number of the first pixel, taken off. A row of ``nan``, or one without area, has no box. Raises
    `FormatError` naming the line.
    """
    out: list[Row] = []
    texts = read_text(path).rstrip().splitlines()
    if len(texts) > MAX_FRAMES:
        raise FormatError(tr("{count} lines are not possible").format(count=len(texts)), path, remedy=_FIX)
    for number, line in enumerate(texts, 1):
        words = re.split(r"\s*[,;]\s*|\s+", line.strip().rstrip(",;"))
        try:
            values = [float(word) for word in words]
        except ValueError:
            raise FormatError(
                tr("'{line}' is no box").format(line=line[:40]), path, tr("line {number}").format(number=number), _FIX
            ) from None
        if values and all(map(math.isnan, values)):
            out.append(None)
            continue
        if len(values) != 4:
            raise FormatError(
                tr("a box has four numbers, not {count}").format(count=len(values)),
                path,
                tr("line {number}").format(number=number),
                _FIX,
            )
        if not math.isfinite(sum(values)) or not all(map(math.isfinite, values)):
            raise FormatError(
                tr("a box is made of finite numbers"), path, tr("line {number}").format(number=number), _FIX
            )
        x, y, w, h = values
        if (w < 0 or h < 0) and values != [-1, -1, -1, -1]:  # four times -1 is how some say that there is no box
            raise FormatError(
                tr("width and height must not be negative"), path, tr("line {number}").format(number=number), _FIX
            )
        out.append(Box(x - origin, y - origin, w, h) if w > 0 and h > 0 else None)
    return out


def read_levels(path: Path, frames: int, highest: int = 1) -> list[int] | None:
    """A whole number from 0 to ``highest`` for each frame, by lines or commas; None when there is no such file.

    Raises `FormatError` naming the value.
    """
    if not path.is_file():
        return None
    words = [word for word in re.split(r"[,;\s]+", read_text(path)) if word]
    for number, word in enumerate(words, 1):
        if not (re.fullmatch(r"\d{1,3}(\.0*)?", word, re.ASCII) and float(word) <= highest):
            raise FormatError(
                tr("'{word}' is not a whole number from 0 to {highest}").format(word=word[:40], highest=highest),
                path,
                tr("value {number}").format(number=number),
                _FIX,
            )
    if len(words) != frames:
        raise FormatError(
            tr("there are {count} values for {frames} frames").format(count=len(words), frames=frames),
            path,
            remedy=_FIX,
        )
    return [int(float(word)) for word in words]


def folders(path: Path, deep: int) -> Iterator[Path]:
    """``path`` and the folders below it, at most ``deep`` levels, in order of their names; hidden ones are left out.

    The search ends after some thousands, so that a folder of anything is soon known to hold no sequence.
    """
    waiting, seen = deque([(path, deep)]), 0
    while waiting and seen < _SEARCHED:
        folder, left = waiting.popleft()
        yield folder
        seen += 1
        if left:
            below = sorted(one for one in folder.iterdir() if not one.name.startswith(".") and one.is_dir())
            waiting.extendleft((one, left - 1) for one in reversed(below))


def folders_of(path: Path, names: Collection[str]) -> Iterator[Path]:
    """Where a sequence may lie: in the folder of a file of these ``names``, or two levels below a folder."""
    if path.is_file():
        return iter([path.parent] if path.name in names else [])
    return folders(path, 2)


def pictures(folder: Path) -> list[Path]:
    """The pictures in a folder by number; none when it is not there."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES] if folder.is_dir() else []
    return sorted(found, key=lambda path: ([int(part) for part in _NUMBER.findall(path.stem)], path.name))


def _place(spot: Spot, path: Path) -> str:
    """What to choose, as seen from ``path``."""
    truth = next(iter(spot.truths.values()))
    chosen = truth.parent if truth.parent.name == spot.name else truth
    return chosen.relative_to(path).as_posix() if chosen.is_relative_to(path) else str(chosen)


def _document(layout: Layout, spot: Spot, note: Note | None) -> Document:
    rows = {key: read_rows(path, layout.origin) for key, path in spot.truths.items()}
    longest = spot.start + max(map(len, rows.values()))
    doc = Document(video=_video(spot, note, longest))
    told = {track.id: track for track in note.tracks} if note else {}
    for number, (key, truth) in enumerate(spot.truths.items()):
        own = told.get(key) or (next(iter(told.values())) if len(told) == 1 and not key else None)
        key = own.id if own else key or 1
        label = plain(own.label if own else spot.label) or "object"
        track = Track(key, label, colour_or(own.colour if own else "", COLOURS[number % len(COLOURS)]))
        found = layout.observe(truth, rows[key] if key in rows else rows[0])
        track.frames = {frame + spot.start: obs for frame, obs in found.items()} if spot.start else found
        track.attributes = layout.about(truth, label)
        doc.tracks[key] = track
    return doc


def _video(spot: Spot, note: Note | None, longest: int) -> VideoRef | None:
    shown = pictures(spot.pictures)
    size = picture_size(shown[:1])
    frames = note.frames if note else max(longest, len(shown))
    if note and longest > note.frames:
        raise FormatError(
            tr("there are {longest} rows for {frames} frames").format(longest=longest, frames=note.frames),
            spot.note,
            "frames",
            _FIX,
        )
    told = (note.width, note.height) if note else spot.size
    if size and told and size != told:
        what = tr("the pictures have {size} x {size2} pixels, but {told} x {told2} are written down").format(
            size=size[0], size2=size[1], told=told[0], told2=told[1]
        )
        raise FormatError(what, shown[0], remedy=tr("Restore the pictures that belong to the labels."))
    width, height = told or size or (0, 0)
    if not 0 < width * height <= MAX_PIXELS:
        return None
    path = str(spot.pictures.absolute()) if len(shown) == frames else plain(note.video) if note else spot.name
    return VideoRef(path, "", frames, width, height, note.fps if note else spot.fps)
