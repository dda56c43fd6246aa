"""VOT data set folder: ``list.txt`` and a folder for each sequence, as the VOT toolkit reads it.

- ``<seq>/sequence``: ``key=value`` lines; ``label.<id>``, ``colour.<id>``, ``video`` are ours, VOT tools ignore them.
- ``<seq>/groundtruth.txt`` for one object, ``groundtruth_<id>.txt`` for several: one region a line, first frame first.
  ``x,y,w,h`` is 0-based with pixel edges; a mask is ``m<x>,<y>,<w>,<h>,<runs>``; a polygon ``x1,y1,x2,y2,...`` goes
  through the mask's outermost pixels, and is read as the mask that the toolkit fills for it.
- Out of view is ``nan,nan,nan,nan`` or, among masks, the empty mask ``m0,0,0,0,0``. Lost or never labelled is VOT's
  special code ``0``, unknown. ``occlusion.tag``, ``absent.tag`` and ``lost.tag`` (with several objects
  ``lost_<id>.tag``) say which is which, 0 or 1 a line.
- ``<name>.tag`` (1 where a flag is set) and ``<name>.value`` (a number or ``nan`` a line) are attributes of the frames,
  with several objects ``<name>_<id>.tag``.
- ``<seq>/color/00000001.jpg`` is frame 0.
- The old layout, of the challenges until 2018, has one object a sequence, no ``sequence`` file, and the pictures beside
  ``groundtruth.txt``; a note ``siamlabel.json`` says there what the properties say otherwise.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from app.formats.atomic import write_bytes
from app.formats.base import KEPT, LOST, Aspect, FormatError, Picture, Preflight, scaled
from app.formats.compare import differences
from app.formats.names import stem
from app.formats.pictures import check_pictures, write_pictures
from app.formats.rle import vot_text
from app.formats.selection import Choice, Extra, Selection, select
from app.formats.single import note_text
from app.formats.single_read import NOTE
from app.formats.vot_read import ABSENT, KNOWN, OCCLUSION, labels_of, read, recognises, sequence_names
from app.formats.vot_read import LOST as LOST_TAG
from app.formats.vot_regions import contour, polygon_text, settled
from app.model.document import Document, VideoRef
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import tr

_OURS = re.compile(rf"sequence|groundtruth(_\d+)?\.txt|[\w-]+\.(tag|value)|color|{re.escape(NOTE)}|\d{{8,}}\.jpg")
_SAFE = re.compile(r"[A-Za-z][\w-]{0,60}", re.ASCII)
_LARGEST = 1e300  # a float holds it, whole numbers may be larger
_NUMBERED = re.compile(r"_\d+$")


class VotParams(Choice, frozen=True, kw_only=True):
    """Options of a VOT export."""

    region: Annotated[
        Literal["rectangle", "polygon", "mask"],
        msgspec.Meta(title="Region", description="Boxes, or outlines or masks where there are masks"),
    ] = "rectangle"
    objects: Annotated[
        Literal["together", "apart"],
        msgspec.Meta(title="Several objects", description="In one sequence, or each in a sequence of its own"),
    ] = "together"
    layout: Annotated[
        Literal["current", "legacy"],
        msgspec.Meta(title="Layout", description="Of today's toolkit, or of the challenges until 2018"),
    ] = "current"
    with_frames: Annotated[bool, msgspec.Meta(title="Frames", description="Write the pictures as JPEG, too")] = False
    jpeg_quality: Annotated[int, msgspec.Meta(title="JPEG quality", ge=1, le=100)] = 95


class VotFormat:
    """See the module's text for the conventions, `VotParams` for the options."""

    id = "vot"
    title = "VOT"
    suffix = ""
    folder = True
    params = VotParams
    holds: Mapping[Aspect, str] = {
        Aspect.BOXES: "rounded to 0.001 px; the mask's where a mask is written",
        Aspect.MASKS: "kept as masks; as polygons the largest part without holes and some bays; lost as rectangles",
        Aspect.TRACKS: KEPT,
        Aspect.LABELS: "in lines that VOT tools ignore; those without a track are lost",
        Aspect.STATES: KEPT,
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: "flags and numbers of frames are kept",
        Aspect.COVER: LOST,
        Aspect.IGNORED: LOST,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "the rate is a whole number, and the name is that of the file",
        Aspect.UNLABELLED: KEPT,
    }

    def recognises(self, path: Path) -> bool:
        return recognises(Path(path))

    def plan(self, doc: Document, params: VotParams) -> Preflight:
        return _chosen(doc, params)[1]

    def keep(self, doc: Document, params: VotParams) -> Document:
        kept = _chosen(doc, params)[0].document
        if not kept.tracks:
            raise FormatError(
                tr("there is no track with a box to write"),
                remedy=tr("A VOT sequence needs one; label a frame, or choose tracks."),
            )
        return kept

    def wants_pictures(self, params: VotParams) -> bool:
        return params.with_frames

    def may_replace(self, out: Path) -> str:
        """Only an empty folder or an earlier export makes way, never a folder that holds anything else."""
        there = {entry.name for entry in out.iterdir()}
        if not there:
            return ""
        try:
            listed = set(sequence_names(out / "list.txt"))
        except FormatError:
            return tr("the folder exists and holds other things than a VOT export")
        strangers = there - listed - {"list.txt"}
        for name in listed & there:
            folder = out / name
            strangers |= {f"{name}/{entry.name}" for entry in folder.iterdir() if not _OURS.fullmatch(entry.name)}
            if not any((folder / name).is_file() for name in ("sequence", NOTE)):
                strangers.add(f"{name}/groundtruth.txt")  # of a data set that is not ours
            if (folder / "color").is_dir():
                names = (entry.name for entry in os.scandir(folder / "color"))
                strangers |= {f"{name}/color/{file}" for file in names if not re.fullmatch(r"\d{8,}\.jpg", file)}
        return (
            tr("the folder holds '{strangers}', which is no part of a VOT export").format(strangers=min(strangers))
            if strangers
            else ""
        )

    def write(
        self, kept: Document, part: Path, params: VotParams, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`."""
        assert kept.video is not None
        sequences = _sequences(kept, params)
        part.mkdir()
        write_bytes(part / "list.txt", "".join(f"{name}\n" for name in sequences).encode())
        written = ["list.txt"]
        share = 0.3 if pictures is not None else 1.0
        for number, (name, tracks) in enumerate(sequences.items()):
            (part / name).mkdir()
            start, stop = (share * n / len(sequences) for n in (number, number + 1))
            files = yield from scaled(_write_sequence(part / name, kept.video, tracks, params), start, stop)
            written += [f"{name}/{file}" for file in files]
        if pictures is not None:
            below = _pictures(params)
            folders = [part / name / below for name in sequences]
            files = yield from scaled(
                write_pictures(folders, _picture, kept.video, pictures, params.jpeg_quality), share, 1.0
            )
            written += [(Path(name) / below / file).as_posix() for name in sequences for file in files]
        return written

    def proof(self, part: Path, kept: Document, params: VotParams) -> Generator[float, None, list[str]]:
        found = differences(kept, read(part))
        yield 0.5
        if params.with_frames:
            assert kept.video is not None
            folders = [part / name / _pictures(params) for name in _sequences(kept, params)]
            found += yield from scaled(check_pictures(folders, _picture, kept.video), 0.5, 1.0)
        return found

    def read(self, path: Path) -> Document:
        """The document in a data set or sequence folder; see `app.formats.vot_read.read`."""
        return read(path)


VOT = VotFormat()


def _chosen(doc: Document, params: VotParams) -> tuple[Selection, Preflight]:
    """What is kept of ``doc`` and the preflight that says so."""
    chosen = select(doc, params, (Extra.ATTRIBUTES,))
    tally: Counter[str] = Counter()
    late: list[int] = []
    for key, track in list(chosen.document.tracks.items()):
        present = [frame for frame, obs in track.frames.items() if obs.present]
        if not present:
            tally["empty"] += 1
            del chosen.document.tracks[key]
            continue
        if present[0] > 0:
            late.append(key)
        tally["unlabelled"] += chosen.video.frames - len(track.frames)
    counts = chosen.preflight(masks=params.region != "rectangle", losses=[]).counts  # before provenance is dropped
    numbers = _names(chosen.document, params)
    for track in chosen.document.tracks.values():
        tally["attributes"] += len(track.attributes)
        track.attributes = {}
        track.frames = {frame: _reduced(obs, params, numbers, tally) for frame, obs in track.frames.items()}
    if params.region == "polygon":
        counts["masks"] = sum(o.mask is not None for t in chosen.document.tracks.values() for o in t.frames.values())
    defined = sum(len(label.attributes) for label in chosen.document.labels)
    chosen.document.labels = labels_of(chosen.document)
    chosen.document.next_id = max(chosen.document.tracks, default=0) + 1
    tally["kinds"] = max(0, defined - sum(len(label.attributes) for label in chosen.document.labels))
    legacy = params.layout == "legacy"
    fps = chosen.video.fps
    sentences = (
        (tally["empty"], tr("Tracks without a box on any frame, not written: {n}.").format(n=tally["empty"])),
        (tally["mask_off"], tr("Masks, not written among rectangles: {n}.").format(n=tally["mask_off"])),
        (
            tally["box_off"],
            tr("Boxes of frames with a mask, replaced by the mask's tight box: {n}.").format(n=tally["box_off"]),
        ),
        (tally["no_mask"], tr("Frames without a mask, written as rectangles: {n}.").format(n=tally["no_mask"])),
        (tally["changed"], tr("Masks that a polygon cannot say, changed: {n}.").format(n=tally["changed"])),
        (tally["thin"], tr("Masks without a polygon, written as rectangles: {n}.").format(n=tally["thin"])),
        (
            tally["attributes"],
            tr("Attributes other than flags and numbers of frames, not written: {n}.").format(n=tally["attributes"]),
        ),
        (
            tally["kinds"],
            tr("Attributes that labels define and no frame uses so, not written: {n}.").format(n=tally["kinds"]),
        ),
        (
            tally["lost"],
            tr("Frames where the object is lost, written as unknown: {n}.").format(n=tally["lost"]),
        ),
        (
            tally["unlabelled"],
            tr("Frames never labelled (of each object), written as unknown: {n}.").format(n=tally["unlabelled"]),
        ),
        (
            late,
            tr("Objects absent on the first frame, where VOT trackers start: {objects}.").format(
                objects=", ".join(map(str, late))
            ),
        ),
        (
            fps != _fps(fps) and not legacy,
            tr("The frame rate {fps:g} is written as {fps2}; VOT takes whole ones.").format(fps=fps, fps2=_fps(fps)),
        ),
        (params.with_frames, tr("Frame pictures are written as JPEG, which alters pixels slightly.")),
    )
    losses = [text for happened, text in sentences if happened]
    losses += [
        tr("Source, verification, keyframes and scores of frames are not written; nor are labels without a track."),
        tr("Coordinates are rounded to 0.001 px. Label names and colours lie where VOT tools do not look."),
    ]
    return chosen, Preflight(counts, chosen.losses() + losses)


def _names(doc: Document, params: VotParams) -> dict[str, bool]:
    """The attributes of frames that can be files of their own, and whether they are numbers (else flags)."""
    numbers: dict[str, bool] = {}
    for track in doc.tracks.values():
        for obs in track.frames.values():
            for name, value in obs.attributes.items():
                ends = _NUMBERED.search(name) and params.objects == "together"
                if _SAFE.fullmatch(name) and name not in KNOWN and not ends and not isinstance(value, str):
                    numbers[name] = numbers.get(name, False) or not isinstance(value, bool)
    folded = Counter(name.lower() for name in numbers)  # many disks do not tell a from A
    return {name: number for name, number in numbers.items() if folded[name.lower()] == 1}


def _reduced(obs: Observation, params: VotParams, numbers: Mapping[str, bool], tally: Counter[str]) -> Observation:
    """The observation without what VOT cannot say."""
    box, mask = obs.box, obs.mask
    said: dict[str, AttributeValue] = {}
    for name, value in obs.attributes.items():
        fits = isinstance(value, bool) != numbers.get(name, isinstance(value, bool))
        if fits and not isinstance(value, str) and abs(value) < _LARGEST:
            said[name] = value
    tally["attributes"] += len(obs.attributes) - len(said)
    if box is None:
        tally["lost"] += obs.state is State.LOST
    elif params.region == "rectangle":
        tally["mask_off"] += mask is not None
        mask = None
    elif mask is None:
        tally["no_mask"] += 1
    elif params.region == "polygon":
        meant, mask = mask, settled(mask)
        tally["thin"] += mask is None
        tally["changed"] += mask is not None and mask != meant
        box = box if mask is None else mask.box
    else:
        tally["box_off"] += 1
        box = mask.box
    said = {name: value if numbers[name] else True for name, value in said.items() if numbers[name] or value}
    return Observation(box=box, mask=mask, source=Source.IMPORTED, state=obs.state, attributes=said)


def _sequences(kept: Document, params: VotParams) -> dict[str, list[Track]]:
    """Folder name of each sequence with its tracks."""
    assert kept.video is not None
    name, tracks = stem(kept.video), list(kept.tracks.values())
    if params.objects == "together" and (params.layout == "current" or len(tracks) == 1):
        return {name: tracks}
    return {f"{name}_{track.id}": [track] for track in tracks}


def _pictures(params: VotParams) -> str:
    """The folder of the pictures, seen from that of the sequence."""
    return "color" if params.layout == "current" else ""


def _picture(frame: int) -> str:
    return f"{frame + 1:08d}.jpg"


def _fps(fps: float) -> int:
    return max(1, round(fps)) if fps > 0 else 30


def _write_sequence(
    folder: Path, video: VideoRef, tracks: list[Track], params: VotParams
) -> Generator[float, None, list[str]]:
    files = {"sequence": _properties(video, tracks)} if params.layout == "current" else {}
    for number, track in enumerate(tracks):
        end = f"_{track.id}" if len(tracks) > 1 else ""
        lines = []
        for frame in range(video.frames):
            lines.append(_region(track.frames.get(frame), params))
            if frame % 500 == 499:
                yield (number + frame / video.frames) / len(tracks)
        files[f"groundtruth{end}.txt"] = lines
        for tag, state in ((OCCLUSION, State.OCCLUDED), (ABSENT, State.OUT_OF_VIEW), (LOST_TAG, State.LOST)):
            flags = [_is(track.frames.get(frame), state) for frame in range(video.frames)]
            if state is not State.LOST or any(flags):
                files[f"{tag}{end}.tag"] = ["1" if flag else "0" for flag in flags]
        files |= _attributes(track, video.frames, end)
    for name, lines in files.items():
        write_bytes(folder / name, "".join(f"{line}\n" for line in lines).encode())
    if params.layout == "legacy":
        write_bytes(folder / NOTE, note_text(video, tracks).encode())
        return [*files, NOTE]
    return list(files)


def _attributes(track: Track, frames: int, end: str) -> dict[str, list[str]]:
    """The tags and values of a track, by the file's name."""
    files: dict[str, list[str]] = {}
    for frame, obs in track.frames.items():
        for name, value in obs.attributes.items():
            if isinstance(value, bool):
                files.setdefault(f"{name}{end}.tag", ["0"] * frames)[frame] = "1"
            elif not isinstance(value, str):
                files.setdefault(f"{name}{end}.value", ["nan"] * frames)[frame] = repr(value)
    return dict(sorted(files.items()))


def _properties(video: VideoRef, tracks: list[Track]) -> list[str]:
    values = {
        "channel.default": "color",
        "channels.color": "color/%08d.jpg",
        "format": "default",
        "fps": str(_fps(video.fps)),
        "height": str(video.height),
        "length": str(video.frames),
        "video": stem(video),
        "width": str(video.width),
        **{f"label.{track.id}": track.label for track in tracks},
        **{f"colour.{track.id}": track.colour for track in tracks},
    }
    return [f"{key}={values[key]}" for key in sorted(values)]


def _is(obs: Observation | None, state: State) -> bool:
    return obs is not None and obs.state is state


def _region(obs: Observation | None, params: VotParams) -> str:
    if obs is None or obs.state is State.LOST:
        return "0"
    if obs.box is None:
        return "m0,0,0,0,0" if params.region == "mask" else "nan,nan,nan,nan"
    if obs.mask is not None:
        points = contour(obs.mask) if params.region == "polygon" else None
        return vot_text(obs.mask) if points is None else polygon_text(points)
    return ",".join(repr(round(float(value), 3)).removesuffix(".0") for value in obs.box)
