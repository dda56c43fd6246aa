"""YOLO as Ultralytics reads it: ``data.yaml``, ``labels/train/<frame>.txt`` and ``images/train/<frame>.jpg``.

- A row is an object: ``class cx cy w h`` (detect) or ``class x1 y1 x2 y2 ...`` (segment), shares of the picture's size.
- A polygon is the outline of a mask, on pixel borders. YOLO has one polygon for an object: as where Ultralytics turns
  COCO's into its own, bridges of no width join the parts; others lead to holes. A polygon of four corners is a box.
- YOLO knows no objects through time: on reading, every row is a track of its own.
- A frame that carries a label but no object has an empty file: a picture of the background.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
import yaml

from app.formats.base import LOST, Aspect
from app.formats.names import colour_or
from app.formats.outline import FAR, corners, is_one_ring, outline
from app.formats.per_frame import PerFrame, PerFrameParams, Seen
from app.formats.yolo_read import DATA, looks_like_it, read
from app.model.document import COLOURS, Document, Label, VideoRef
from app.model.geometry import clip
from app.model.tracks import Observation, Source, Track
from app.words import mark


class YoloParams(PerFrameParams, frozen=True, kw_only=True):
    """Options of a YOLO export."""

    task: Annotated[
        Literal["detect", "segment"], msgspec.Meta(title="Task", description="Boxes, or the outlines of masks")
    ] = "detect"


class YoloFormat(PerFrame):
    """See the module's text for the conventions, `YoloParams` for the options."""

    id = "yolo"
    title = "YOLO"
    params = YoloParams
    texts = "labels/train"
    ending = ".txt"
    pictures = "images/train"
    holds: ClassVar[Mapping[Aspect, str]] = {
        Aspect.BOXES: "clipped to the picture",
        Aspect.MASKS: "lost; kept as segments",
        Aspect.TRACKS: LOST,
        Aspect.LABELS: "names; colours in siamlabel.json",
        Aspect.STATES: LOST,
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: LOST,
        Aspect.COVER: LOST,
        Aspect.IGNORED: LOST,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "in siamlabel.json",
        Aspect.UNLABELLED: "have no file; absent objects leave theirs empty, and are lost",
    }
    sentences: ClassVar[Mapping[str, str]] = {
        "rows": mark("Boxes, each a track of its own on reading, for YOLO knows no track numbers: {n}."),
        "occluded": mark("Frames where the object is occluded, written as visible: {n}."),
        "absent": mark("Frames where an object is absent, of which nothing is written: {n}."),
        "never": mark("Frames without any label, written as background: {n}."),
        "left_out": mark("Frames without any label, not written: {n}."),
        "mask_off": mark("Masks, not written among boxes: {n}."),
        "bridges": mark(
            "Masks with holes or several parts, which bridges of no width join into one polygon: {n}. Drawn "
            "by OpenCV, as Ultralytics does it, there are lines of a pixel, and masks are up to a pixel "
            "wider."
        ),
        "far": mark("Boxes that reach several pictures outside, clipped to the picture: {n}."),
        "box_off": mark("Boxes of frames with a mask, replaced by the mask's tight box: {n}."),
        "no_mask": mark("Frames without a mask, written as the outline of their box: {n}."),
        "rows_too": mark("Source, verification, keyframes and scores are not written, for any of the boxes: {n}."),
    }

    def recognises(self, path: Path) -> bool:
        return looks_like_it(path)

    def reduced(self, doc: Document, params: YoloParams, tally: Counter[str]) -> Document:
        labels = {label.name: label for label in doc.labels}
        out = Document(doc.video, [Label(name, colour_or(label.colour, COLOURS[0])) for name, label in labels.items()])
        rows = sorted(
            ((frame, key) for key, track in doc.tracks.items() for frame, obs in track.frames.items() if obs.present)
        )
        for number, (frame, key) in enumerate(rows, 1):
            track = doc.tracks[key]
            obs = _reduced(track.frames[frame], params, doc.video, tally)
            out.tracks[number] = Track(number, track.label, labels[track.label].colour, frames={frame: obs})
        tally["rows"] = tally["rows_too"] = len(rows)
        out.next_id = len(rows) + 1
        return out

    def text(self, kept: Document, params: YoloParams, picture: str, seen: Seen) -> bytes:
        video = kept.video
        assert video is not None
        numbers = {label.name: number for number, label in enumerate(kept.labels)}
        lines = []
        for track, obs in seen:
            box = obs.box
            assert box is not None
            if params.task == "detect":
                values = np.array([box.cx, box.cy, box.w, box.h]).reshape(-1, 2)
            else:
                ring = outline(obs.mask) if obs.mask is not None else None
                values = corners(box) if ring is None else ring
            shares = (values / (video.width, video.height)).ravel().tolist()
            lines.append(" ".join([str(numbers[track.label]), *map(_share, shares)]))
        return "".join(f"{line}\n" for line in lines).encode()

    def besides(self, kept: Document, stems: Mapping[int, str]) -> dict[str, bytes]:
        about: dict[str, Any] = {
            "path": ".",
            "train": self.pictures,
            "val": self.pictures,  # one clip has no split of its own
            "names": dict(enumerate(label.name for label in kept.labels)),
        }
        return {DATA: yaml.safe_dump(about, sort_keys=False, allow_unicode=True).encode()}

    def read(self, path: Path) -> Document:
        """The document in a YOLO folder; see `app.formats.yolo_read.read`."""
        return read(path)

    def read_on(self, path: Path, video: VideoRef) -> Document:
        """`read`, where nothing but ``video`` says how large the pictures are."""
        return read(path, video)


YOLO = YoloFormat()


def _share(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _reduced(obs: Observation, params: YoloParams, video: VideoRef | None, tally: Counter[str]) -> Observation:
    box, mask = obs.box, obs.mask
    assert box is not None
    assert video is not None
    if max(abs(box.x), abs(box.x2)) > FAR * video.width or max(abs(box.y), abs(box.y2)) > FAR * video.height:
        tally["far"] += 1
        box = clip(box, video.width, video.height)
    tally["occluded"] += obs.state.value == "occluded"
    if params.task == "detect":
        tally["mask_off"] += mask is not None
        mask = None
    elif mask is None:
        tally["no_mask"] += 1
    else:
        tally["masks"] += 1
        tally["bridges"] += not is_one_ring(mask)
        tally["box_off"] += mask.box != obs.box
        box = mask.box  # nothing else says it
    return Observation(box=box, mask=mask, source=Source.IMPORTED)
