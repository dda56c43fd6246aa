"""Reading MOTChallenge sequences; the conventions are told in `app.formats.mot`."""

from __future__ import annotations

import configparser
import math
from collections import Counter
from pathlib import Path

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError, read_text
from app.formats.names import plain
from app.formats.pictures import picture_size
from app.formats.sequence_folder import NOTE, dressed, one_of, read_clip_note, video_of
from app.formats.single_read import FPS, folders, pictures
from app.formats.vot_read import labels_of
from app.model.document import COLOURS, Document
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State, Track
from app.words import mark, tr

CLASSES = (
    "pedestrian", "person_on_vehicle", "car", "bicycle", "motorbike", "non_mot_vehicle", "static_person", "distractor",
    "occluder", "occluder_on_ground", "occluder_full", "reflection", "crowd",
)  # fmt: skip
"""MOTChallenge's, the first one's number being 1; spelled as TrackEval does."""
IGNORED = "ignored"

_LEVELS = (0.0, 0.15, 0.30, 0.45, 0.60, 0.75, 0.90)
_FIX = mark("Correct the line, or restore the file from the data set.")
_MOST = 1 << 31


def level(visibility: float) -> int:
    """The cover level of a visibility, 0 to 1."""
    return 8 if visibility >= 1 else next((at for at, top in enumerate(_LEVELS) if visibility <= top), 7)


def recognises(path: Path) -> bool:
    """Whether ``path`` is, or holds, a ``gt/gt.txt`` with commas; never raises."""
    try:
        found = _sequences(path)
        with (found[0] / "gt" / "gt.txt").open("rb") as file:
            return b"," in file.read(64).partition(b"\n")[0]
    except (OSError, IndexError):
        return False


def read(path: Path) -> Document:
    """The document of one sequence: its folder, its ``gt.txt``, or a data set that has no other. Raises `FormatError`.

    The numbers of objects are their ids.
    """
    if not path.exists():
        raise FormatError(tr("there is no such file or folder"), path, remedy=tr("Choose a MOTChallenge sequence."))
    try:
        folder = one_of(_sequences(path), path, "MOTChallenge")
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None
    note, info = read_clip_note(folder / NOTE), read_seqinfo(folder / "seqinfo.ini")
    noted = {one.number: one for one in note.objects} if note else {}
    truth = folder / "gt" / "gt.txt"
    names = _names(folder / "gt" / "labels.txt")
    tracks: dict[int, Track] = {}
    classes: dict[int, Counter[int]] = {}
    dropped: dict[int, int] = {}
    for number, line in enumerate(read_text(truth).splitlines(), 1):
        if not line.strip():
            continue
        frame, key, box, values = row_of(line, truth, number)
        track = tracks.setdefault(key, Track(key, "object", COLOURS[len(tracks) % len(COLOURS)]))
        if frame in track.frames:
            raise FormatError(
                tr("object {key} is twice on frame {frame}").format(key=key, frame=frame + 1),
                truth,
                tr("line {number}").format(number=number),
                _FIX,
            )
        flag, kind, seen = (*values[6:9], *(1.0, -1.0, -1.0)[max(len(values) - 6, 0) :])
        classes.setdefault(key, Counter())[int(kind)] += 1
        dropped[key] = dropped.get(key, 0) + (flag == 0)
        if box is not None:
            track.frames[frame] = _observation(box, seen, flag == 0)
    if not tracks:
        raise FormatError(tr("there is no line in it"), truth, remedy=tr("Choose a sequence with ground truth."))
    for key, track in tracks.items():
        kind = classes[key].most_common(1)[0][0]
        track.label = names[kind - 1] if 0 < kind <= len(names) else f"class {kind}" if kind > 0 else "object"
        track.ignored = dropped[key] == classes[key].total()
        dressed(track, noted.get(key))
        if track.ignored:
            track.frames = {frame: _plain(obs) for frame, obs in track.frames.items()}
    shown = folder / "img1"
    longest = max((frame + 1 for track in tracks.values() for frame in track.frames), default=0)
    longest = max(longest, 0 if note else int(info.get("seqlength", 0)))
    size = (int(info.get("imwidth", 0)), int(info.get("imheight", 0)))
    size = size if 0 < size[0] * size[1] <= MAX_PIXELS else picture_size(pictures(shown)[:1])
    doc = Document(video=video_of(note, shown, folder.name, longest, size, info.get("framerate", FPS)))
    doc.tracks = {track.id: track for track in sorted(tracks.values(), key=lambda track: track.id)}
    doc.labels = labels_of(doc)
    doc.next_id = max(doc.tracks, default=0) + 1
    return doc


def read_seqinfo(path: Path) -> dict[str, float]:
    """The numbers of a ``seqinfo.ini`` by key in small letters; none when there is none. Raises `FormatError`."""
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path))
    except configparser.Error as error:
        what = str(error).replace("\n", " ")[:120]
        raise FormatError(what, path, remedy=tr("Restore the file from the data set.")) from None
    out: dict[str, float] = {}
    for key in ("seqLength", "imWidth", "imHeight", "frameRate"):
        text = parser.get("Sequence", key, fallback=None)
        if text is None:
            continue
        try:
            out[key.lower()] = float(text)
        except ValueError:
            out[key.lower()] = math.nan
        if not 0 <= out[key.lower()] <= MAX_FRAMES:
            raise FormatError(
                tr("'{text}' is no sensible number").format(text=text[:40]), path, key, tr("Correct the line.")
            )
    return out


def _sequences(path: Path) -> list[Path]:
    """The folders of sequences at ``path``, at most two levels below it."""
    if path.is_file():
        return [path.parent.parent] if path.name == "gt.txt" and path.parent.name == "gt" else []
    return [folder for folder in folders(path, 2) if (folder / "gt" / "gt.txt").is_file()]


def _names(path: Path) -> list[str]:
    if not path.is_file():
        return list(CLASSES)
    return [plain(line) or "object" for line in read_text(path).splitlines()]


def row_of(line: str, path: Path, number: int) -> tuple[int, int, Box | None, list[float]]:
    """Frame (0-based), id, box and all numbers of a line; no box when it has no area. Raises `FormatError`."""
    values = _row(line, path, number)
    frame, key = _whole(values[0], "frame", path, number), _whole(values[1], "id", path, number)
    if frame > MAX_FRAMES:
        raise FormatError(
            tr("frame {frame} is not possible").format(frame=frame),
            path,
            tr("line {number}").format(number=number),
            _FIX,
        )
    x, y, w, h = values[2:6]
    if w < 0 or h < 0:
        raise FormatError(
            tr("width and height must not be negative"), path, tr("line {number}").format(number=number), _FIX
        )
    return frame - 1, key, Box(x - 1, y - 1, w, h) if w > 0 and h > 0 else None, values


def _row(line: str, path: Path, number: int) -> list[float]:
    try:
        values = [float(word) for word in line.strip().rstrip(",").split(",")]
    except ValueError:
        raise FormatError(
            tr("'{line}' is no row of numbers").format(line=line[:40]),
            path,
            tr("line {number}").format(number=number),
            _FIX,
        ) from None
    if len(values) < 6:
        raise FormatError(
            tr("a row has at least six numbers, not {count}").format(count=len(values)),
            path,
            tr("line {number}").format(number=number),
            _FIX,
        )
    if not all(map(math.isfinite, values)) or not math.isfinite(sum(values[2:6])):
        raise FormatError(tr("a row is made of finite numbers"), path, tr("line {number}").format(number=number), _FIX)
    return values


def _whole(value: float, what: str, path: Path, number: int) -> int:
    if not (value == int(value) and 1 <= value < _MOST):
        raise FormatError(
            tr("{value:g} is no {what}; they are whole numbers from 1").format(value=value, what=what),
            path,
            tr("line {number}").format(number=number),
            _FIX,
        )
    return int(value)


def _observation(box: Box, seen: float, ignored: bool) -> Observation:
    cover = level(seen) if 0 <= seen <= 1 else None
    state = State.VISIBLE if cover in (None, 8) else State.OCCLUDED
    return Observation(
        box, source=Source.IMPORTED, state=state, cover=cover, attributes={IGNORED: True} if ignored else {}
    )


def _plain(obs: Observation) -> Observation:
    assert obs.box is not None
    return Observation(obs.box, source=obs.source, state=obs.state, cover=obs.cover)
