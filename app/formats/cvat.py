"""CVAT for video 1.1: one XML file of tracks, each with shapes on its keyframes; CVAT interpolates between them.

- ``<box xtl ytl xbr ybr>`` are the box's corners. Frames count from 0.
- ``<polygon points="x,y;...">`` is the outline of a mask, on pixel borders; bridges of no width join its parts and
  lead to its holes. Tracks with masks are polygons throughout (a track has one kind of shape); there, a frame without a
  mask is a polygon of the box's four corners.
- ``<mask rle left top width height>``: CVAT has no tracks of masks (cvat#6264); of a track it takes the first, as a
  shape. So each mask is a track of one frame, as CVAT itself writes masks of a video, and each stretch of frames
  without a mask is a track of boxes; ``object`` (and ``group_id``, which is CVAT's) says which of them belong together.
- ``outside="1"`` ends a stretch of frames. Its ``state`` (out_of_view, lost, unlabelled) and a track's ``colour`` are
  ours, as is ``object``; CVAT and others ignore them.
- ``source`` is CVAT's: manual, auto (a tracker), semi-auto (interpolated), file (imported).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from app.formats.base import KEPT, LOST, Aspect, FormatError, Preflight
from app.formats.cvat_attributes import definition, text_of, text_safe, tidy
from app.formats.cvat_file import looks_like_it
from app.formats.cvat_read import read
from app.formats.cvat_shapes import SOURCES, Shape, expand, pieces_of, shapes_of
from app.formats.keys import Filler, KeyParams, corners_rounded, key_frames
from app.formats.names import stem
from app.formats.one_file import OneFile
from app.formats.outline import corners, is_one_ring, outline
from app.formats.rle import vot_text
from app.formats.selection import Extra, Selection, select
from app.formats.xml_io import HEAD, number, tag
from app.model.document import Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Track
from app.words import mark, tr

_WORDS = {source: word for word, source in SOURCES.items()}


class CvatParams(KeyParams, frozen=True, kw_only=True):
    """Options of a CVAT export."""

    masks: Annotated[
        Literal["polygons", "masks", "none"],
        msgspec.Meta(
            title="Masks",
            description="As outlines, which CVAT keeps as tracks; as masks, which are of one frame each; or boxes only",
        ),
    ] = "polygons"


class CvatFormat(OneFile):
    """See the module's text for the conventions, `CvatParams` for the options."""

    id = "cvat"
    title = "CVAT for video 1.1"
    suffix = ".xml"
    params = CvatParams
    holds: ClassVar[Mapping[Aspect, str]] = {
        Aspect.BOXES: "within 0.5 px, by keyframes; rounded to 0.001 px if there is one on every frame",
        Aspect.MASKS: KEPT,
        Aspect.TRACKS: "kept; in CVAT itself masks are shapes of single frames, outlines are tracks",
        Aspect.LABELS: KEPT,
        Aspect.STATES: "kept; CVAT itself knows occluded and outside",
        Aspect.SOURCE: "of keyframes; frames between them are interpolated",
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: "kept, each of the track or of the frame",
        Aspect.COVER: LOST,
        Aspect.IGNORED: LOST,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "length, size and name; not the rate",
        Aspect.UNLABELLED: "kept; CVAT itself has them outside",
    }

    def recognises(self, path: Path) -> bool:
        return looks_like_it(path)

    def chosen(self, doc: Document, params: CvatParams) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, (Extra.ATTRIBUTES,))
        tally: Counter[str] = Counter()
        kept = chosen.document
        text_safe(kept)
        tidy(kept, tally)
        for key, track in list(kept.tracks.items()):
            _shaped(track, params, tally)
            if not any(obs.present for obs in track.frames.values()):
                tally["empty"] += 1
                del kept.tracks[key]
        counts = chosen.preflight(masks=params.masks != "none", losses=[]).counts  # before provenance is dropped
        filler = Filler()
        for track in kept.tracks.values():
            keys = key_frames(track.frames, params, _alike)
            if any(obs.mask is not None for obs in track.frames.values()):
                keys = {frame for frame, obs in track.frames.items() if obs.present}
            tally["between"] += sum(obs.present for obs in track.frames.values()) - len(keys)
            shapes = list(shapes_of(track.frames, keys, chosen.video.frames))
            track.frames = expand(shapes, chosen.video.frames, filler)
        losses = [
            tr(text).format(n=tally[name], px=params.tolerance) for name, text in _SENTENCES.items() if tally[name]
        ]
        losses.append(tr("Scores and verification of frames are not written; written frames read as keyframes."))
        losses.append(tr("Coordinates are rounded to 0.001 px; CVAT itself keeps two decimals."))
        return chosen, Preflight(counts, chosen.losses() + losses)

    def keep(self, doc: Document, params: CvatParams) -> Document:
        kept = self.chosen(doc, params)[0].document
        if not kept.tracks:
            raise FormatError(
                tr("there is no track with a box to write"), remedy=tr("Label a frame, or choose tracks.")
            )
        return kept

    def rows(self, kept: Document, params: CvatParams, names: Sequence[str]) -> Iterator[bytes]:
        assert kept.video is not None
        yield HEAD + _head(kept, kept.video).encode()
        labels = {label.name: label for label in kept.labels}
        numbers = count(1)
        for track in kept.tracks.values():
            yield from (line.encode() for line in _track(track, labels[track.label], kept.video, params, numbers))
        yield b"</annotations>\n"

    def read(self, path: Path) -> Document:
        """The document in a CVAT file for video or for images; see `app.formats.cvat_read.read`."""
        return read(path)


CVAT = CvatFormat()

_SENTENCES = {
    "empty": mark("Tracks without a box on any frame, not written: {n}."),
    "between": mark(
        "Frames left to CVAT's interpolation, at most {px:g} px off, with the attributes of the keyframe before: {n}."
    ),
    "mask_off": mark("Masks, not written among boxes: {n}."),
    "bridges": mark("Masks with holes or several parts, whose outlines bridges of no width join into one: {n}."),
    "pieces": mark("Masks, each a shape of one frame in CVAT, which has no tracks of them: {n}."),
    "box_off": mark("Boxes of frames with a mask, replaced by the mask's tight box: {n}."),
    "spread": mark("Attributes of tracks that frames have, too, written on each frame: {n}."),
    "reworded": mark(
        "Attribute values that CVAT holds as other text, or not of the kind that their label defines: {n}."
    ),
    "unnamed": mark("Attributes without a name of their own, not written: {n}."),
}


def _alike(a: Observation, b: Observation) -> bool:
    return a.state is b.state and a.attributes == b.attributes


def _shaped(track: Track, params: CvatParams, tally: Counter[str]) -> None:
    """Bring the regions of a track into the one kind of shape that it is written as."""
    masks = params.masks != "none" and any(obs.mask is not None for obs in track.frames.values())
    for frame, obs in list(track.frames.items()):
        told = msgspec.structs.replace(obs, score=None, verified=False, keyframe=False)
        if obs.box is None:
            track.frames[frame] = told
        elif not masks or obs.mask is None:
            tally["mask_off"] += obs.mask is not None
            track.frames[frame] = msgspec.structs.replace(told, box=corners_rounded(obs.box), mask=None)
        else:
            if params.masks == "masks":
                tally["pieces"] += 1
            else:
                tally["bridges"] += not is_one_ring(obs.mask)
            tally["box_off"] += obs.mask.box != obs.box
            track.frames[frame] = msgspec.structs.replace(told, box=obs.mask.box)


def _head(kept: Document, video: VideoRef) -> str:
    lines = ["<annotations>", "  <version>1.1</version>", "  <meta>", "    <task>"]
    task = {
        "id": 1,
        "name": stem(video),
        "size": video.frames,
        "mode": "interpolation",
        "overlap": 0,
        "bugtracker": "",
        "created": "",
        "updated": "",
        "start_frame": 0,
        "stop_frame": max(video.frames - 1, 0),
        "frame_filter": "",
    }
    lines += [f"      {tag(name, {}, str(value))}" for name, value in task.items()]
    lines.append("      <labels>")
    for label in kept.labels:
        lines += [
            "        <label>",
            f"          {tag('name', {}, label.name)}",
            f"          <color>{label.colour}</color>",
        ]
        lines += ["          <type>any</type>", "          <attributes>"]
        for attribute in label.attributes:
            about = "".join(tag(name, {}, text) for name, text in definition(attribute).items())
            lines.append(f"            <attribute>{about}</attribute>")
        lines += ["          </attributes>", "        </label>"]
    lines += ["      </labels>", "      <segments>"]
    segment = {"id": 1, "start": 0, "stop": max(video.frames - 1, 0), "url": ""}
    about = "".join(tag(name, {}, str(value)) for name, value in segment.items())
    lines += [f"        <segment>{about}</segment>", "      </segments>"]
    lines += ["      <owner><username></username><email></email></owner>", "      <original_size>"]
    lines += [f"        <width>{video.width}</width>", f"        <height>{video.height}</height>"]
    lines += ["      </original_size>", "    </task>", "    <dumped></dumped>"]
    lines += [f"    {tag('source', {}, stem(video))}", "  </meta>", ""]
    return "\n".join(lines)


def _track(track: Track, label: Label, video: VideoRef, params: CvatParams, numbers: Iterator[int]) -> Iterator[str]:
    """The elements of a track; ``numbers``: for those of tracks in pieces."""
    keys = {frame for frame, obs in track.frames.items() if obs.keyframe}
    shapes = list(shapes_of(track.frames, keys, video.frames))
    made = Counter(shape.source for shape in shapes if not shape.outside).most_common(1)[0][0]
    fixed = {kind.name for kind in label.attributes if not kind.per_frame}
    told = {name: value for name, value in track.attributes.items() if name in fixed}
    about: dict[str, Any] = {"id": track.id, "label": track.label, "source": _WORDS[made], "colour": track.colour}
    if params.masks != "masks":
        yield from _element(shapes, about, told, params)
        return
    for piece in pieces_of(shapes):
        mine = {"id": next(numbers), "group_id": track.id, "object": track.id}
        yield from _element(piece, about | mine, told, params)


def _element(
    shapes: Sequence[Shape], about: Mapping[str, Any], told: Mapping[str, AttributeValue], params: CvatParams
) -> Iterator[str]:
    yield f"  {tag('track', about, end=False)}\n"
    masks = any(shape.mask is not None for shape in shapes)
    last: Shape | None = None
    for shape in shapes:
        name, region = _region(shape, last, masks, params)
        where: dict[str, Any] = {
            "frame": shape.frame,
            "outside": int(shape.outside),
            "occluded": int(shape.occluded),
            "keyframe": 1,
        }
        where |= region | {"z_order": 0, "source": _WORDS[shape.source]}
        if shape.outside:
            where["state"] = shape.state
        values = {**told, **shape.attributes}
        inside = "".join(tag("attribute", {"name": key}, text_of(value)) for key, value in values.items())
        yield f"    {tag(name, where, end=False)}{inside}</{name}>\n"
        last = last if shape.outside else shape
    yield "  </track>\n"


def _region(shape: Shape, last: Shape | None, masks: bool, params: CvatParams) -> tuple[str, dict[str, Any]]:
    """Element name and coordinates; an outside shape has those of its neighbour."""
    box: Box = shape.box
    if not masks:
        return "box", dict(zip(("xtl", "ytl", "xbr", "ybr"), map(number, (box.x, box.y, box.x2, box.y2)), strict=True))
    mask = shape.mask if shape.mask is not None else last.mask if shape.outside and last is not None else None
    if params.masks == "masks":
        if shape.mask is None:  # nobody looks at the pixels of what is outside
            return "mask", {"rle": "0, 1", "left": int(box.x), "top": int(box.y), "width": 1, "height": 1}
        left, top, width, height, runs = vot_text(shape.mask)[1:].split(",", 4)
        rle = ", ".join(runs.split(","))
        return "mask", {"rle": rle, "left": left, "top": top, "width": width, "height": height}
    ring = outline(mask) if mask is not None else None
    points = corners(box) if ring is None else ring
    return "polygon", {"points": ";".join(f"{number(x)},{number(y)}" for x, y in points.tolist())}
