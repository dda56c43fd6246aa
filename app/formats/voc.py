"""Pascal VOC: ``Annotations/<frame>.xml``, ``JPEGImages/<frame>.jpg``, a list of frames and ``labelmap.txt``.

- ``bndbox`` counts pixels from 1, both corners inside: a box from the edge 0 to the edge 20 is 1 to 20. Whole pixels,
  as VOC has them, or (which many readers take, too) with three decimals.
- ``occluded`` is VOC's; ``difficult``, which evaluation leaves out, marks ignored regions.
- ``attributes`` are CVAT's addition: names and values of an object on this frame, ``track_id`` among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

from app.formats.base import KEPT, LOST, Aspect
from app.formats.cvat_attributes import guessed, text_of, text_safe
from app.formats.per_frame import PerFrame, PerFrameParams, Seen
from app.formats.selection import Extra
from app.formats.voc_read import LABELS, TRACK, looks_like_it, read
from app.formats.xml_io import number, tag, xml_text
from app.model.document import Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark


class VocParams(PerFrameParams, frozen=True, kw_only=True):
    """Options of a Pascal VOC export."""

    pixels: Annotated[
        Literal["whole", "fractions"],
        msgspec.Meta(title="Pixels", description="Whole numbers, as VOC has them, or three decimals"),
    ] = "whole"


class VocFormat(PerFrame):
    """See the module's text for the conventions, `VocParams` for the options."""

    id = "voc"
    title = "Pascal VOC"
    params = VocParams
    texts = "Annotations"
    ending = ".xml"
    pictures = "JPEGImages"
    keeps: ClassVar[Collection[Extra]] = (Extra.ATTRIBUTES, Extra.IGNORED)
    holds: ClassVar[Mapping[Aspect, str]] = {
        Aspect.BOXES: "clipped to the picture and rounded to whole pixels",
        Aspect.MASKS: LOST,
        Aspect.TRACKS: "as an attribute, track_id",
        Aspect.LABELS: "kept; colours of tracks are lost",
        Aspect.STATES: "only occluded is kept",
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: "of frames; those of tracks on each frame; text that looks like a number becomes one",
        Aspect.COVER: LOST,
        Aspect.IGNORED: KEPT,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "in siamlabel.json",
        Aspect.UNLABELLED: "have no file; absent objects leave theirs empty, and are lost",
    }
    sentences: ClassVar[Mapping[str, str]] = {
        "empty": mark("Tracks without a box on any frame, not written: {n}."),
        "whole": mark("Boxes, rounded to whole pixels: {n}."),
        "absent": mark("Frames where an object is absent, of which nothing is written: {n}."),
        "never": mark("Frames without any label, written as background: {n}."),
        "left_out": mark("Frames without any label, not written: {n}."),
        "mask_off": mark("Masks, not written: {n}."),
        "colours": mark("Colours of tracks, read as those of their label: {n}."),
        "kinds": mark("Attributes that labels define, not written: {n}."),
        "spread": mark("Attributes of tracks, written on each frame: {n}."),
        "reworded": mark("Attribute values that VOC holds as other text, or that read as a number or flag: {n}."),
        "unnamed": mark("Attributes without a name of their own, not written: {n}."),
        "boxes": mark("Source, verification, keyframes and scores are not written, for any of the boxes: {n}."),
    }

    def recognises(self, path: Path) -> bool:
        return looks_like_it(path)

    def reduced(self, doc: Document, params: VocParams, tally: Counter[str]) -> Document:
        video = doc.video
        assert video is not None
        text_safe(doc)
        tally["kinds"] = sum(len(label.attributes) for label in doc.labels)
        doc.labels = [Label(label.name, label.colour.lower()) for label in doc.labels]
        colours = {label.name: label.colour for label in doc.labels}
        for key, track in list(doc.tracks.items()):
            told = _told(track.attributes, tally)
            tally["spread"] += len(told)
            frames = {f: _reduced(obs, told, video, params, tally) for f, obs in track.frames.items() if obs.present}
            if not frames:
                tally["empty"] += 1
                del doc.tracks[key]
                continue
            tally["boxes"] += len(frames)
            tally["colours"] += track.colour != colours[track.label]
            doc.tracks[key] = Track(key, track.label, colours[track.label], frames=frames, ignored=track.ignored)
        doc.next_id = max(doc.tracks, default=0) + 1
        return doc

    def text(self, kept: Document, params: VocParams, picture: str, seen: Seen) -> bytes:
        video = kept.video
        assert video is not None
        size = "".join(tag(name, {}, str(n)) for name, n in (("width", video.width), ("height", video.height)))
        lines = ["<annotation>", f"  {tag('folder', {}, self.pictures)}", f"  {tag('filename', {}, picture)}"]
        lines += ["  <source><database>SiamLabel</database></source>", f"  <size>{size}<depth>3</depth></size>"]
        lines.append("  <segmented>0</segmented>")
        lines += chain.from_iterable(_object(track, obs) for track, obs in seen)
        return "\n".join([*lines, "</annotation>", ""]).encode()

    def besides(self, kept: Document, stems: Mapping[int, str]) -> dict[str, bytes]:
        lines = ["# label:color_rgb:parts:actions"]
        for label in kept.labels:
            red, green, blue = bytes.fromhex(label.colour[1:])
            lines.append(f"{label.name}:{red},{green},{blue}::")
        listed = "".join(f"{name}\n" for name in stems.values())
        return {LABELS: "".join(f"{line}\n" for line in lines).encode(), "ImageSets/Main/default.txt": listed.encode()}

    def read(self, path: Path) -> Document:
        """The document in a VOC folder; see `app.formats.voc_read.read`."""
        return read(path)


VOC = VocFormat()


def _told(given: Mapping[str, AttributeValue], tally: Counter[str]) -> dict[str, AttributeValue]:
    """Attributes as they read back."""
    out: dict[str, AttributeValue] = {}
    for name, value in given.items():
        key = xml_text(name)
        if not key or key in out or key == TRACK:
            tally["unnamed"] += 1
            continue
        out[key] = guessed(text_of(value))
        tally["reworded"] += out[key] != value
    return out


def _reduced(
    obs: Observation, told: Mapping[str, AttributeValue], video: VideoRef, params: VocParams, tally: Counter[str]
) -> Observation:
    box = obs.box
    assert box is not None
    digits = 0 if params.pixels == "whole" else 3
    x1, y1, x2, y2 = (round(float(edge), digits) for edge in (box.x, box.y, box.x2, box.y2))
    if digits == 0:
        tally["whole"] += (x1, y1, x2, y2) != (box.x, box.y, box.x2, box.y2)
        x1, x2 = _apart(x1, x2, box.cx, video.width)
        y1, y2 = _apart(y1, y2, box.cy, video.height)
    tally["mask_off"] += obs.mask is not None
    return Observation(
        box=Box.from_corners(x1, y1, x2, y2),
        source=Source.IMPORTED,
        state=State.OCCLUDED if obs.state is State.OCCLUDED else State.VISIBLE,
        attributes={**told, **_told(obs.attributes, tally)},
    )


def _apart(low: float, high: float, middle: float, limit: int) -> tuple[float, float]:
    """At least one whole pixel where rounding left none, and one of the picture's ``limit`` at that."""
    if high <= low:
        low, high = float(middle // 1), float(middle // 1 + 1)
    return min(low, limit - 1.0), max(high, 1.0)


def _object(track: Track, obs: Observation) -> list[str]:
    box = obs.box
    assert box is not None
    corners = {"xmin": box.x + 1, "ymin": box.y + 1, "xmax": box.x2, "ymax": box.y2}
    told = {TRACK: track.id, **obs.attributes}
    values = "".join(
        f"<attribute>{tag('name', {}, name)}{tag('value', {}, text_of(value))}</attribute>"
        for name, value in told.items()
    )
    return [
        "  <object>",
        f"    {tag('name', {}, track.label)}",
        "    <pose>Unspecified</pose>",
        "    <truncated>0</truncated>",
        f"    <occluded>{int(obs.state is State.OCCLUDED)}</occluded>",
        f"    <difficult>{int(track.ignored)}</difficult>",
        f"    <bndbox>{''.join(tag(name, {}, number(value)) for name, value in corners.items())}</bndbox>",
        f"    <attributes>{values}</attributes>",
        "  </object>",
    ]
