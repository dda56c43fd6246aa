"""VOT data set folder: ``list.txt`` and a folder for each sequence, as the VOT toolkit reads it.

- ``<seq>/sequence``: ``key=value`` lines; ``label.<id>``, ``colour.<id>``, ``video`` are ours, VOT tools ignore them.
- ``<seq>/groundtruth.txt`` for one object, ``groundtruth_<id>.txt`` for several: one region a line, first frame first.
  ``x,y,w,h`` is 0-based with pixel edges; a mask is ``m<x>,<y>,<w>,<h>,<runs>``.
- Out of view is ``nan,nan,nan,nan`` or, among masks, the empty mask ``m0,0,0,0,0``. Lost or never labelled is VOT's
  special code ``0``, unknown. ``occlusion.tag``, ``absent.tag`` and ``lost.tag`` (with several objects
  ``lost_<id>.tag``) say which is which, 0 or 1 a line.
- ``<seq>/color/00000001.jpg`` is frame 0.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from app.formats.atomic import write_bytes
from app.formats.base import FormatError, Picture, Preflight, scaled
from app.formats.compare import differences
from app.formats.names import stem
from app.formats.pictures import check_pictures, write_pictures
from app.formats.rle import vot_text
from app.formats.selection import Choice, Selection, select
from app.formats.vot_read import ABSENT, LOST, OCCLUSION, read, sequence_names
from app.model.document import Document, Label, VideoRef
from app.model.tracks import Observation, Source, State, Track

_OURS = re.compile(r"sequence|groundtruth(_\d+)?\.txt|(occlusion|absent|lost)(_\d+)?\.tag|color")


class VotParams(Choice, frozen=True, kw_only=True):
    """Options of a VOT export."""

    region: Annotated[
        Literal["rectangle", "mask"],
        msgspec.Meta(title="Region", description="Boxes, or masks where there are any and boxes elsewhere"),
    ] = "rectangle"
    objects: Annotated[
        Literal["together", "apart"],
        msgspec.Meta(title="Several objects", description="In one sequence, or each in a sequence of its own"),
    ] = "together"
    with_frames: Annotated[bool, msgspec.Meta(title="Frames", description="Write the pictures as JPEG, too")] = False
    jpeg_quality: Annotated[int, msgspec.Meta(title="JPEG quality", ge=1, le=100)] = 95


class VotFormat:
    """See the module's text for the conventions, `VotParams` for the options."""

    id = "vot"
    title = "VOT"
    suffix = ""
    folder = True
    params = VotParams

    def plan(self, doc: Document, params: VotParams) -> Preflight:
        return _chosen(doc, params)[1]

    def keep(self, doc: Document, params: VotParams) -> Document:
        kept = _chosen(doc, params)[0].document
        if not kept.tracks:
            raise FormatError(
                "there is no track with a box to write",
                remedy="A VOT sequence needs one; label a frame, or choose tracks.",
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
            return "the folder exists and holds other things than a VOT export"
        strangers = there - listed - {"list.txt"}
        for name in listed & there:
            folder = out / name
            strangers |= {f"{name}/{entry.name}" for entry in folder.iterdir() if not _OURS.fullmatch(entry.name)}
            if (folder / "color").is_dir():
                names = (entry.name for entry in os.scandir(folder / "color"))
                strangers |= {f"{name}/color/{file}" for file in names if not re.fullmatch(r"\d{8,}\.jpg", file)}
        return f"the folder holds '{min(strangers)}', which is no part of a VOT export" if strangers else ""

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
            folders = [part / name / "color" for name in sequences]
            files = yield from scaled(
                write_pictures(folders, _picture, kept.video, pictures, params.jpeg_quality), share, 1.0
            )
            written += [f"{name}/color/{file}" for name in sequences for file in files]
        return written

    def proof(self, part: Path, kept: Document, params: VotParams) -> Generator[float, None, list[str]]:
        found = differences(kept, read(part))
        yield 0.5
        if params.with_frames:
            assert kept.video is not None
            folders = [part / name / "color" for name in _sequences(kept, params)]
            found += yield from scaled(check_pictures(folders, _picture, kept.video), 0.5, 1.0)
        return found

    def read(self, path: Path) -> Document:
        """The document in a data set or sequence folder; see `app.formats.vot_read.read`."""
        return read(path)


VOT = VotFormat()


def _chosen(doc: Document, params: VotParams) -> tuple[Selection, Preflight]:
    """What is kept of ``doc`` and the preflight that says so."""
    chosen = select(doc, params)
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
    counts = chosen.preflight(masks=params.region == "mask", losses=[]).counts  # before provenance is dropped
    for track in chosen.document.tracks.values():
        track.frames = {frame: _reduced(obs, params, tally) for frame, obs in track.frames.items()}
    chosen.document.labels = _labels(chosen.document)
    fps = chosen.video.fps
    sentences = (
        (tally["empty"], f"Tracks without a box on any frame, not written: {tally['empty']}."),
        (tally["mask_off"], f"Masks, not written among rectangles: {tally['mask_off']}."),
        (tally["box_off"], f"Boxes of frames with a mask, replaced by the mask's tight box: {tally['box_off']}."),
        (tally["no_mask"], f"Frames without a mask, written as rectangles: {tally['no_mask']}."),
        (tally["lost"], f"Frames where the object is lost, written as unknown: {tally['lost']}."),
        (tally["unlabelled"], f"Frames never labelled (of each object), written as unknown: {tally['unlabelled']}."),
        (late, f"Objects absent on the first frame, where VOT trackers start: {', '.join(map(str, late))}."),
        (fps != _fps(fps), f"The frame rate {fps:g} is written as {_fps(fps)}; VOT takes whole numbers."),
        (params.with_frames, "Frame pictures are written as JPEG, which alters pixels slightly."),
    )
    losses = [text for happened, text in sentences if happened]
    losses += [
        "Source, verification, keyframes and scores of frames are not written; nor are labels without a track.",
        "Coordinates are rounded to 0.001 px. Label names and colours lie in lines that VOT tools ignore.",
    ]
    return chosen, Preflight(counts, chosen.losses() + losses)


def _reduced(obs: Observation, params: VotParams, tally: Counter[str]) -> Observation:
    """The observation without what VOT cannot say."""
    box, mask = obs.box, obs.mask
    if box is None:
        tally["lost"] += obs.state is State.LOST
    elif params.region == "rectangle":
        tally["mask_off"] += mask is not None
        mask = None
    elif mask is None:
        tally["no_mask"] += 1
    else:
        tally["box_off"] += 1
        box = mask.box
    return Observation(box=box, mask=mask, source=Source.IMPORTED, state=obs.state)


def _labels(doc: Document) -> list[Label]:
    """One label for each name that a track has, in the colour of its first track, as a reader makes them."""
    colours: dict[str, str] = {}
    for track in doc.tracks.values():
        colours.setdefault(track.label, track.colour)
    return [Label(name, colour) for name, colour in colours.items()]


def _sequences(kept: Document, params: VotParams) -> dict[str, list[Track]]:
    """Folder name of each sequence with its tracks."""
    assert kept.video is not None
    name, tracks = stem(kept.video), list(kept.tracks.values())
    if params.objects == "together":
        return {name: tracks}
    return {f"{name}_{track.id}": [track] for track in tracks}


def _picture(frame: int) -> str:
    return f"{frame + 1:08d}.jpg"


def _fps(fps: float) -> int:
    return max(1, round(fps)) if fps > 0 else 30


def _write_sequence(
    folder: Path, video: VideoRef, tracks: list[Track], params: VotParams
) -> Generator[float, None, list[str]]:
    files = {"sequence": _properties(video, tracks)}
    for number, track in enumerate(tracks):
        end = f"_{track.id}" if len(tracks) > 1 else ""
        lines = []
        for frame in range(video.frames):
            lines.append(_region(track.frames.get(frame), params))
            if frame % 500 == 499:
                yield (number + frame / video.frames) / len(tracks)
        files[f"groundtruth{end}.txt"] = lines
        for tag, state in ((OCCLUSION, State.OCCLUDED), (ABSENT, State.OUT_OF_VIEW), (LOST, State.LOST)):
            flags = [_is(track.frames.get(frame), state) for frame in range(video.frames)]
            if state is not State.LOST or any(flags):
                files[f"{tag}{end}.tag"] = ["1" if flag else "0" for flag in flags]
    for name, lines in files.items():
        write_bytes(folder / name, "".join(f"{line}\n" for line in lines).encode())
    return list(files)


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
        return vot_text(obs.mask)
    return ",".join(repr(round(float(value), 3)).removesuffix(".0") for value in obs.box)
