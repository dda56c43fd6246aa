"""Reading MOTS texts and pictures; the conventions are told in `app.formats.mots`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError, read_text
from app.formats.davis_read import numbered, read_numbers
from app.formats.mot_read import read_seqinfo
from app.formats.pictures import picture_size
from app.formats.sequence_folder import NOTE, ClipNote, dressed, one_of, read_clip_note, video_of
from app.formats.single_read import FPS, folders
from app.formats.vot_read import labels_of
from app.model.document import COLOURS, Document
from app.model.masks import Mask, broken
from app.model.tracks import Observation, Source, Track
from app.words import mark, tr

PER_CLASS = 1000
IGNORED = 10 * PER_CLASS
NAMES = {1: "car", 2: "pedestrian"}

_LINE = re.compile(r"(\d{1,9}) (\d{1,9}) (\d{1,9}) (\d{1,6}) (\d{1,6}) (\S+)", re.ASCII)
_NUMBERED = re.compile(r"\d{6,9}\.png", re.ASCII)
_FIX = mark("Correct the line, or restore the file from the data set.")

Found = dict[int, dict[int, Mask]]
"""Masks by the number of the object and the frame."""


def recognises(path: Path) -> bool:
    """Whether ``path`` is, or holds, such a text or a folder of such pictures; never raises."""
    try:
        found = _clips(path)
        if not found:
            return False
        if found[0].is_dir():
            return True
        with found[0].open("rb") as file:
            return re.match(rb"\d+ \d+ \d+ \d+ \d+ \S", file.read(64)) is not None
    except OSError:
        return False


def read(path: Path) -> Document:
    """The document of one clip: its text, its folder, or a data set that has no other. Raises `FormatError`.

    Without our note an object's number within its class is its id where no two are the same, else the whole number.
    """
    if not path.exists():
        raise FormatError(tr("there is no such file or folder"), path, remedy=tr("Choose a MOTS sequence."))
    try:
        chosen = one_of(_clips(path), path, "MOTS")
        files = [] if chosen.is_file() else sorted(one for one in chosen.iterdir() if _NUMBERED.fullmatch(one.name))
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None
    rate = FPS
    if files:
        root = chosen.parent.parent
        note = read_clip_note(root / NOTE)
        size = (note.width, note.height) if note else picture_size(files[:1])
        if size is None:
            raise FormatError(tr("is no picture"), files[0], remedy=tr("Restore the pictures from the data set."))
        found: Found = {}
        first = 0 if note or int(files[0].stem) == 0 else 1  # MOTSChallenge counts from 1, KITTI from 0
        for file in files:
            pixels = read_numbers(file, size, ("I;16", "I", "I;16B"))
            if pixels.size and (pixels.min() < 0 or pixels.max() >= 1 << 16):
                raise FormatError(tr("ids have 16 bits"), file, remedy=tr("Restore the pictures from the data set."))
            for number, mask in numbered(pixels):
                found.setdefault(number, {})[int(file.stem) - first] = mask
        longest = int(files[-1].stem) - first + 1
        shown, name = root / "images" / chosen.name, chosen.name
    else:
        folder = chosen.parent.parent if chosen.parent.name == "gt" else chosen.parent
        note, info = read_clip_note(folder / NOTE), read_seqinfo(folder / "seqinfo.ini")
        found, size = _lines(chosen)
        if note and size != (note.width, note.height):
            what = tr("masks have {size} x {size2} pixels, not {width} x {height}").format(
                size=size[0], size2=size[1], width=note.width, height=note.height
            )
            raise FormatError(what, chosen, remedy=tr("Correct the note."))
        longest = max((max(masks) + 1 for masks in found.values()), default=0)
        longest = max(longest, 0 if note else int(info.get("seqlength", 0)))
        rate = info.get("framerate", FPS)
        name = folder.name if chosen.parent.name == "gt" else chosen.stem
        shown = folder / "img1"
    doc = Document(video=video_of(note, shown, name, longest, size, rate))
    for track in _tracks(found, note):
        doc.tracks[track.id] = track
    doc.tracks = dict(sorted(doc.tracks.items()))
    doc.labels = labels_of(doc)
    doc.next_id = max(doc.tracks, default=0) + 1
    return doc


def _lines(path: Path) -> tuple[Found, tuple[int, int]]:
    """The masks of a text and their width and height."""
    found: Found = {}
    size: tuple[int, int] | None = None
    places: list[int] = []
    masks: list[Mask] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            what = tr("'{line}' is no 'frame id class height width mask'").format(line=line[:40])
            raise FormatError(what, path, tr("line {number}").format(number=number), _FIX)
        frame, key, _, height, width = (int(match[at]) for at in range(1, 6))
        if not 0 < height * width <= MAX_PIXELS or (size is not None and size != (width, height)):
            raise FormatError(
                tr("a mask of {width} x {height} pixels is not possible").format(width=width, height=height),
                path,
                tr("line {number}").format(number=number),
                _FIX,
            )
        if not 1 <= frame <= MAX_FRAMES or key < 1:
            raise FormatError(
                tr("frames and ids are counted from 1"), path, tr("line {number}").format(number=number), _FIX
            )
        size = (width, height)
        there = found.setdefault(key, {})
        if frame - 1 in there:
            raise FormatError(
                tr("object {key} is twice on frame {frame}").format(key=key, frame=frame),
                path,
                tr("line {number}").format(number=number),
                _FIX,
            )
        there[frame - 1] = Mask(height, width, match[6].encode())
        masks.append(there[frame - 1])
        places.append(number)
    if size is None:
        raise FormatError(tr("there is no line in it"), path, remedy=tr("Choose a sequence with ground truth."))
    bad = np.flatnonzero(broken(masks))
    if bad.size:
        what = tr("the run lengths do not fill {size} x {size2} pixels").format(size=size[0], size2=size[1])
        raise FormatError(what, path, tr("line {places}").format(places=places[bad[0]]), _FIX)
    return {key: {at: mask for at, mask in there.items() if mask.area} for key, there in found.items()}, size


def _tracks(found: Found, note: ClipNote | None) -> list[Track]:
    noted = {one.number: one for one in note.objects} if note else {}
    small = [number % PER_CLASS for number in found if number != IGNORED]
    short = note is None and len(set(small)) == len(small) and 0 not in small and IGNORED not in small
    out, ids = [], set()
    for at, (number, masks) in enumerate(sorted(found.items())):
        ignored = number // PER_CLASS == IGNORED // PER_CLASS
        key = number % PER_CLASS if short and number != IGNORED else number
        kind = number // PER_CLASS
        label = "ignored" if ignored else NAMES.get(kind, f"class {kind}" if kind else "object")
        track = dressed(Track(key, label, COLOURS[at % len(COLOURS)], ignored=ignored), noted.get(number))
        if track.id in ids:
            raise FormatError(
                tr("object {id} is there twice").format(id=track.id),
                remedy=tr("Correct {NOTE}, or remove it.").format(NOTE=NOTE),
            )
        ids.add(track.id)
        track.frames = {
            frame: Observation(box=mask.box, mask=mask, source=Source.IMPORTED) for frame, mask in masks.items()
        }
        out.append(track)
    return out


def _clips(path: Path) -> list[Path]:
    """The texts, or else the folders of pictures, at ``path``."""
    if path.is_file():
        return [path] if path.suffix == ".txt" else []
    if not path.is_dir():
        return []
    texts = [one / "gt" / "gt.txt" for one in folders(path, 2) if (one / "gt" / "gt.txt").is_file()]
    if texts:
        return texts
    above = path if path.name == "instances" else path / "instances"
    below = [path] if path.absolute().parent.name == "instances" else []
    if above.is_dir():
        below = [one for one in sorted(above.iterdir())[:2000] if one.is_dir()]
    return [one for one in below if any(_NUMBERED.fullmatch(file.name) for file in one.glob("*.png"))]
