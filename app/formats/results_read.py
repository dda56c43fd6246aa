"""Reading result files of trackers; the conventions are told in `app.formats.results`."""

from __future__ import annotations

import math
import re
import struct
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from app.formats.base import MAX_BYTES, MAX_FRAMES, FormatError, read_text
from app.formats.sequence_folder import NOTE, ClipNote, dressed, read_clip_note, video_of
from app.formats.vot_read import labels_of
from app.formats.vot_regions import FAILURE, Region, numbered, parse_region
from app.model.document import COLOURS, Document
from app.model.tracks import Observation, Source, State, Track
from app.words import mark, tr

CONFIDENCE = "confidence"

_RUN = re.compile(r"(?P<clip>.+?)(?:_(?P<id>[1-9]\d{0,8}))?_\d{3}", re.ASCII)
_ROW = re.compile(rb"(?:-?\d[\d.eE+-]*|nan)(?:[,\t ]+(?:-?\d[\d.eE+-]*|nan))*\s*", re.IGNORECASE)
_MASK = re.compile(rb"m\d+,\d+,\d")
_TRUTHS = ("groundtruth", "full_occlusion", "out_of_view")
_OF_TRUTHS = {"gt", "anno"}
_FIX = mark("Correct the line, or write the results again.")
_MOST = 10_000
_NEAR = 0.25
"""Pixels: boxes are the same when nothing is farther off; trackers round."""


def recognises(path: Path) -> bool:
    """Whether ``path`` is a result file by its name and first lines, or a folder of VOT's; never raises."""
    try:
        if not path.is_dir():
            return _is_result(path)
        runs = [] if (path / "list.txt").exists() else _files(path)
        return bool(runs) and _is_result(runs[0])
    except OSError:
        return False


def read(path: Path, origin: int = 0) -> Document:
    """The document of one run: a result file, or a folder of the files of several objects. Raises `FormatError`.

    ``origin``: the number of the first pixel in files of boxes; masks count from 0 and MOTChallenge's rows from 1.
    """
    if not path.exists():
        raise FormatError(tr("there is no such file or folder"), path, remedy=tr("Choose a tracker's result file."))
    found = _files(path) if path.is_dir() else [path]
    if not found:
        raise FormatError(tr("there is no result file"), path, remedy=tr("Choose a file like <clip>_001.txt."))
    note = read_clip_note(found[0].parent / NOTE)
    parts = [_parts(file, note.video if note else "") for file in found]
    clip, ids = parts[0][0], [part[1] for part in parts]
    if {part[0] for part in parts} != {clip} or len(set(ids)) < len(ids) or (0 in ids and len(ids) > 1):
        names = ", ".join(file.name for file in found[:10])
        more = tr(" and {count} more").format(count=len(found) - 10) if len(found) > 10 else ""
        raise FormatError(
            tr("there are {count} results").format(count=len(found)),
            path,
            remedy=tr("Choose one: {names}{more}.").format(names=names, more=more),
        )
    size = (note.width, note.height) if note else None
    tracks: dict[int, Track] = {}
    longest = 0
    for number, file in zip(ids, found, strict=True):
        if _is_mot(file):
            for track in _mot(file):
                tracks[track.id] = track
                longest = max(longest, max(track.frames, default=-1) + 1)
            continue
        regions = _binary(file, size) if file.suffix == ".bin" else _lines(file, size, origin)
        longest = max(longest, len(regions))
        key = number or (note.objects[0].number if note and len(note.objects) == 1 else 1)
        tracks[key] = Track(max(key, 1), "object", COLOURS[len(tracks) % len(COLOURS)], frames=_frames(file, regions))
    doc = Document(video=video_of(note, found[0].parent, clip, longest, size))
    doc.tracks = {track.id: track for track in _named(tracks, note)}
    doc.labels = labels_of(doc)
    doc.next_id = max(doc.tracks, default=0) + 1
    return doc


def started(found: Document, here: Document) -> int | None:
    """The track ``here`` that one of ``found``, read as counted from 0, starts on, if that counts from 1; else None."""
    for track in found.tracks.values():
        first = next(((frame, obs.box) for frame, obs in sorted(track.frames.items()) if obs.box), None)
        if first is None:
            continue
        frame, box = first
        seen = {key: one.frames[frame].box for key, one in here.tracks.items() if frame in one.frames}
        off = {key: np.subtract(box, there) for key, there in seen.items() if there is not None}
        if any(np.abs(by).max() <= _NEAR for by in off.values()):
            return None
        for key, by in off.items():
            if np.abs(by - (1, 1, 0, 0)).max() <= _NEAR:
                return key
    return None


def _named(tracks: dict[int, Track], note: ClipNote | None) -> list[Track]:
    noted = {one.number: one for one in note.objects} if note else {}
    found = [dressed(track, noted.get(key)) for key, track in sorted(tracks.items())]
    return sorted(found, key=lambda track: track.id)


def _files(folder: Path) -> list[Path]:
    """VOT's result files of a folder by name; one in both forms counts once, as VOT's tools take it."""
    found = sorted(file for file in islice(folder.iterdir(), _MOST) if file.suffix in (".txt", ".bin"))
    named = {file.stem: file for file in found if _RUN.fullmatch(file.stem) and file.is_file()}
    return list(named.values())


def _parts(file: Path, clip: str) -> tuple[str, int]:
    """The clip and the number of the object, 0 for none, that the name of a file tells; ``clip`` where it is known."""
    rest = re.fullmatch(rf"{re.escape(clip)}(?:_([1-9]\d{{0,8}}))?_\d{{3}}", file.stem, re.ASCII) if clip else None
    if rest is not None:
        return clip, int(rest[1] or 0)
    match = _RUN.fullmatch(file.stem)
    return (match["clip"], int(match["id"] or 0)) if match else (file.stem, 0)


def _is_result(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4000)
    if path.suffix == ".bin":
        return head[:2] == b"\1\0"
    if (
        path.suffix != ".txt"
        or path.name.startswith(_TRUTHS)
        or not _OF_TRUTHS.isdisjoint(path.absolute().parts[-4:-1])
    ):
        return False
    rows = head.splitlines()[:3]
    return bool(rows) and all(_MASK.match(row) or _ROW.fullmatch(row) for row in rows) and _columns(rows)


def _lines(path: Path, size: tuple[int, int] | None, origin: int) -> list[Region]:
    texts = read_text(path).rstrip().splitlines()
    if len(texts) > MAX_FRAMES:
        raise FormatError(tr("{count} lines are not possible").format(count=len(texts)), path, remedy=_FIX)
    out = []
    for number, line in enumerate(texts, 1):
        text = line.strip() if line.startswith("m") else ",".join(re.split(r"\s*[,;]\s*|\s+", line.strip()))
        try:
            out.append(parse_region(text if origin == 0 else _shifted(text, origin), size))
        except ValueError as error:
            remedy = tr("Export the clip with siamlabel.json.") if line.startswith("m") and size is None else _FIX
            raise FormatError(str(error), path, tr("line {number}").format(number=number), remedy) from None
    return out


def _shifted(text: str, origin: int) -> str:
    """A line of a box or of corners as if its pixels counted from 0; others as they are. Raises `ValueError`."""
    words = text.split(",")
    if text.startswith("m") or len(words) < 4:
        return text
    moved = words[:2] if len(words) == 4 else words
    return ",".join([*(repr(float(word) - origin) for word in moved), *words[len(moved) :]])


def _binary(path: Path, size: tuple[int, int] | None) -> list[Region]:
    """The regions of VOT's binary form, version 1."""
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(
            tr("the file is too large"),
            path,
            remedy=tr("At most {MAX_BYTES} MB are read.").format(MAX_BYTES=MAX_BYTES >> 20),
        )
    data, at = path.read_bytes(), 6
    out: list[Region] = []

    def take(form: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return values

    try:
        version, count = struct.unpack_from("<hI", data)
        if version != 1:
            raise FormatError(
                tr("version {version} of the binary form is not known").format(version=version),
                path,
                remedy=tr("Write it as text."),
            )
        for _ in range(count):
            kind = take("<B")[0]
            if kind == 0:
                out.append(Region(code=take("<I")[0]))
            elif kind in (1, 2):
                corners = 2 if kind == 1 else take("<H")[0]
                out.append(numbered([float(value) for value in take(f"<{2 * corners}f")], size))
            elif kind == 3:
                x, y, w, h, runs = take("<hhHHH")
                numbers = (x, y, w, h, *take(f"<{runs}H"))
                out.append(parse_region("m" + ",".join(map(str, numbers)), size))
            else:
                raise ValueError(f"there is no kind {kind} of region")
    except (struct.error, ValueError) as error:
        raise FormatError(
            str(error), path, tr("frame {count}").format(count=len(out)), tr("Write the results again.")
        ) from None
    return out


def _frames(path: Path, regions: list[Region]) -> dict[int, Observation]:
    scores = _scores(path, len(regions))
    out: dict[int, Observation] = {}
    for frame, region in enumerate(regions):
        score = scores.get(frame)
        if region.box is not None:
            out[frame] = Observation(box=region.box, mask=region.mask, source=Source.TRACKER, score=score)
        elif region.code in (FAILURE, None):
            out[frame] = Observation(source=Source.TRACKER, state=State.LOST, score=score)
    return out


def _scores(path: Path, frames: int) -> dict[int, float]:
    """The confidences of a run by frame, in 0 to 1; none without a file."""
    file = path.with_name(f"{path.stem}_{CONFIDENCE}.value")
    if not file.is_file():
        return {}
    lines = read_text(file).splitlines()
    if len(lines) > frames:
        raise FormatError(
            tr("there are {count} confidences for {frames} frames").format(count=len(lines), frames=frames),
            file,
            remedy=_FIX,
        )
    out: dict[int, float] = {}
    for number, line in enumerate(lines):
        try:
            value = float(line.strip() or "nan")
        except ValueError:
            raise FormatError(
                tr("'{line}' is no number").format(line=line[:40]),
                file,
                tr("line {number}").format(number=number + 1),
                _FIX,
            ) from None
        if math.isfinite(value):
            out[number] = value
    return _scaled(out)


def _scaled(scores: dict[int, float]) -> dict[int, float]:
    """Confidences in 0 to 1: as they are when all of them are, else from the lowest to the highest."""
    if not scores or (min(scores.values()) >= 0 and max(scores.values()) <= 1):
        return scores
    low, high = min(scores.values()), max(scores.values())
    span = high / 2 - low / 2  # of numbers so large that their difference is not finite
    return {frame: (value / 2 - low / 2) / span if span > 0 else 1.0 for frame, value in scores.items()}


def _is_mot(path: Path) -> bool:
    if path.suffix == ".bin":
        return False
    with path.open("rb") as file:
        return _is_mot_row(file.read(2000).partition(b"\n")[0])


def _is_mot_row(row: bytes) -> bool:
    """Seven numbers or more, of which the first two are whole."""
    words = row.strip().split(b",")
    return len(words) in (7, 9, 10) and all(re.fullmatch(rb"[1-9]\d*(\.0*)?", word.strip()) for word in words[:2])


def _mot(path: Path) -> list[Track]:
    from app.formats.mot_read import row_of  # the same rows as a ground truth's

    tracks: dict[int, Track] = {}
    scores: dict[tuple[int, int], float] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        frame, key, box, values = row_of(line, path, number)
        track = tracks.setdefault(key, Track(key, "object", COLOURS[len(tracks) % len(COLOURS)]))
        if frame in track.frames:
            raise FormatError(
                tr("object {key} is twice on frame {frame}").format(key=key, frame=frame + 1),
                path,
                tr("line {number}").format(number=number),
                _FIX,
            )
        if box is not None:
            track.frames[frame] = Observation(box=box, source=Source.TRACKER)
            if len(values) > 6 and values[6] != -1:
                scores[frame, key] = values[6]
    scaled = _scaled(dict(enumerate(scores.values())))
    for (frame, key), score in zip(scores, scaled.values(), strict=True):
        track = tracks[key]
        track.frames[frame] = msgspec.structs.replace(track.frames[frame], score=score)
    return list(tracks.values())


def _columns(rows: list[bytes]) -> bool:
    """Whether these are rows of a result file and no other table's."""
    counts = [len(re.split(rb"[,\t ]+", row.strip())) for row in rows if row[:1] != b"m"]
    return all(
        count in (1, 4) or (count >= 6 and count % 2 == 0) or _is_mot_row(row)
        for count, row in zip(counts, (row for row in rows if row[:1] != b"m"), strict=True)
    )
