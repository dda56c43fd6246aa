"""COCO with the fields of CocoVID and TAO: one JSON file for one video.

- ``bbox`` is the track's box as the document has it (also beside a mask); ``area`` counts the mask's pixels when there
  is one, else it is the box's. ``segmentation`` is COCO's RLE, compressed or as numbers, a polygon along pixel
  borders for each part of the mask, or ``[]``. COCO has no word for holes: a bridge of no width leads from a polygon's
  border to that of each hole, so that pycocotools fills exactly the mask.
- ``iscrowd`` is 1 for ignored regions, whose masks are never polygons, and 0 for objects, whatever the segmentation.
- ``attributes`` are those of the frame as CVAT writes them, beside `RESERVED` names of ours; ``tracks[].attributes``
  hold for the whole track.
- ``frame_id`` is 0-based and is also the number in ``file_name`` (``<video>/00000000.jpg`` is frame 0). The pictures of
  an image folder keep their names (``<folder>/<file>``).
- Frames where the object is out of view or lost have no annotation; ``tracks[].absent`` lists them as runs.
- Files of other tools are read as those mean them, see `app.formats.coco_others`, also from an archive (.zip).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec

from app.formats.atomic import fsync_open
from app.formats.base import KEPT, Aspect, Picture, Preflight
from app.formats.coco_file import looks_like_it
from app.formats.coco_masks import Encoding, segmentation_of
from app.formats.coco_read import APART, read
from app.formats.coco_seen import RESERVED
from app.formats.compare import differences
from app.formats.names import stem
from app.formats.selection import Choice, Extra, Selection, select
from app.model.document import Document, VideoRef
from app.model.tracks import Observation, State, Track
from app.words import mark, tr

_CHUNK = 500

_POLYGONS = mark(
    "Masks written as polygons along pixel borders: {n}. Filled by pycocotools they are exact; readers "
    "that also draw the border or move it to pixel centres, as OpenCV does, get masks up to a pixel "
    "wider, and lines of a pixel where bridges lead to holes."
)
"""What becomes of masks elsewhere; the proof, which fills polygons by pycocotools, finds each of them as it was."""


class FamilyParams(Choice, frozen=True, kw_only=True):
    """Options that COCO shares with its relatives."""

    masks: Annotated[bool, msgspec.Meta(title="Masks", description="Write masks where there are any")] = True
    encoding: Annotated[
        Encoding,
        msgspec.Meta(
            title="Mask encoding",
            description="Run lengths as compressed text or as numbers, or polygons, which some trainers ask for",
        ),
    ] = "compressed"


class CocoParams(FamilyParams, frozen=True, kw_only=True):
    """Options of a COCO export."""

    images: Annotated[
        Literal["all", "labelled"],
        msgspec.Meta(title="Images", description="All frames of the video, or only those that carry a label"),
    ] = "all"


class CocoFormat:
    """See the module's text for the conventions, `CocoParams` for the options."""

    id = "coco"
    title = "COCO"
    suffix = ".json"
    folder = False
    params: type[FamilyParams] = CocoParams
    holds: Mapping[Aspect, str] = MappingProxyType(
        {
            **dict.fromkeys(Aspect, KEPT),
            Aspect.BOXES: "rounded to 0.001 px",
            Aspect.ATTRIBUTES: "kept, except names that COCO files of CVAT reserve",
            Aspect.IGNORED: "kept, as iscrowd 1",
        }
    )

    def recognises(self, path: Path) -> bool:
        return looks_like_it(path)

    def head(self, head: dict[str, Any]) -> dict[str, Any]:
        """What stands before images and annotations; the relatives of COCO add their own."""
        return head

    def image(self, image: dict[str, Any]) -> dict[str, Any]:
        """An entry of the images."""
        return image

    def annotation(self, note: dict[str, Any]) -> dict[str, Any]:
        """An entry of the annotations."""
        return note

    def every_image(self, params: Any) -> bool:
        """Whether frames without a label are listed, too."""
        return params.images == "all"

    def apart(self, track: Track) -> bool:
        """Whether the annotations of ``track`` stand in a list of ours, where no other tool sees them."""
        return False

    def plan(self, doc: Document, params: Any) -> Preflight:
        return self._chosen(doc, params)[1]

    def keep(self, doc: Document, params: Any) -> Document:
        return self._chosen(doc, params)[0].document

    def wants_pictures(self, params: Any) -> bool:
        return False

    def may_replace(self, out: Path) -> str:
        """Only JSON makes way: a slip of the hand must not cost a project or a video."""
        return (
            ""
            if out.suffix.lower() == ".json"
            else tr("the file exists and is no {suffix} file").format(suffix=".json")
        )

    def write(
        self, kept: Document, part: Path, params: Any, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`."""
        assert kept.video is not None
        encode = msgspec.json.Encoder().encode
        head = self.head(_head(kept, kept.video))
        frames = range(kept.video.frames) if self.every_image(params) else sorted(_labelled(kept))
        seen = [track for track in kept.tracks.values() if not self.apart(track)]
        unseen = [track for track in kept.tracks.values() if self.apart(track)]
        numbers = count(1)  # COCOeval takes annotation 0 for "no match"
        lists = {
            "images": map(self.image, _images(kept.video, frames, names)),
            "annotations": map(self.annotation, _annotations(kept, seen, params, numbers)),
        }
        if unseen:
            lists[APART] = map(self.annotation, _annotations(kept, unseen, params, numbers))
        done, total = 0, len(frames) + sum(len(track.frames) for track in kept.tracks.values()) or 1
        with fsync_open(part) as file:
            file.write(encode(head)[:-1])
            for name, items in lists.items():
                file.write(b',"%s":[' % name.encode())
                for number, item in enumerate(items):
                    file.write((b",\n" if number else b"\n") + encode(item))
                    done += 1
                    if done % _CHUNK == 0:
                        yield done / total
                file.write(b"]")
            file.write(b"}\n")
        return []

    def proof(self, part: Path, kept: Document, params: Any) -> Generator[float, None, list[str]]:
        found = read(part)
        yield 0.6
        return differences(kept, found)

    def read(self, path: Path) -> Document:
        """The document in a COCO file of one video; see `app.formats.coco_read.read`."""
        return read(path)

    def _chosen(self, doc: Document, params: Any) -> tuple[Selection, Preflight]:
        """What is kept of ``doc`` and the preflight that says so."""
        chosen = select(doc, params, tuple(Extra))
        tally: Counter[str] = Counter()
        for track in chosen.document.tracks.values():
            for frame, obs in track.frames.items():
                taken = RESERVED.intersection(obs.attributes)
                if taken:
                    tally["reserved"] += len(taken)
                    free = {name: value for name, value in obs.attributes.items() if name not in taken}
                    obs = track.frames[frame] = msgspec.structs.replace(obs, attributes=free)
                if obs.mask is not None and not params.masks:
                    tally["masks"] += 1
                    track.frames[frame] = msgspec.structs.replace(obs, mask=None)
                elif obs.mask is not None and not track.ignored:
                    tally["polygons"] += 1
        losses = []
        if params.encoding == "polygons" and tally["polygons"]:
            losses.append(tr(_POLYGONS).format(n=tally["polygons"]))
        if tally["masks"]:
            losses.append(tr("Masks, not written because masks are switched off: {n}.").format(n=tally["masks"]))
        if tally["reserved"]:
            losses.append(
                tr("Attributes of frames with a name that COCO files reserve, not written: {n}.").format(
                    n=tally["reserved"]
                )
            )
        bare = chosen.video.frames - len(_labelled(chosen.document))
        if bare and self.every_image(params):
            losses.append(
                tr("Frames without any label, listed as images without annotations: {bare}.").format(bare=bare)
            )
        elif bare:
            losses.append(tr("Frames without any label, not listed as images: {bare}.").format(bare=bare))
        losses.append(tr("Coordinates are rounded to 0.001 px. Frame pictures are named, not written."))
        return chosen, chosen.preflight(masks=True, losses=losses)


COCO = CocoFormat()


def _head(kept: Document, video: VideoRef) -> dict[str, Any]:
    name = stem(video)
    category = _categories(kept)
    return {
        "info": {
            "description": f"{name}, exported by SiamLabel",
            "version": "1.0",
            "siamlabel": "bbox: x,y,w,h in pixels, 0-based, pixel edges; area: of the mask where there is one",
        },
        "licenses": [],
        "videos": [
            {
                "id": 1,
                "name": name,
                "width": video.width,
                "height": video.height,
                "fps": video.fps,
                "length": video.frames,
                "fingerprint": video.fingerprint,
            }
        ],
        "categories": [
            {"id": category[label.name], "name": label.name, "supercategory": "", "colour": label.colour}
            | ({"siamlabel_attributes": label.attributes} if label.attributes else {})
            for label in kept.labels
        ],
        "tracks": [
            {
                "id": track.id,
                "category_id": category[track.label],
                "video_id": 1,
                "colour": track.colour,
                "ignored": track.ignored,
                "attributes": track.attributes,
                "absent": _absent_runs(track),
            }
            for track in kept.tracks.values()
        ],
        "siamlabel_comments": list(kept.comments.values()),
    }


def _categories(kept: Document) -> dict[str, int]:
    return {label.name: number for number, label in enumerate(kept.labels, 1)}


def _labelled(kept: Document) -> set[int]:
    return {frame for track in kept.tracks.values() for frame in track.frames}


def _images(video: VideoRef, frames: Iterable[int], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    name = stem(video)
    for frame in frames:
        yield {
            "id": frame + 1,
            "file_name": names[frame] if names else f"{name}/{frame:08d}.jpg",
            "width": video.width,
            "height": video.height,
            "video_id": 1,
            "frame_id": frame,
        }


def _annotations(
    kept: Document, tracks: Iterable[Track], params: FamilyParams, numbers: Iterator[int]
) -> Iterator[dict[str, Any]]:
    category = _categories(kept)
    for track in tracks:
        for frame, obs in track.frames.items():
            if obs.box is None:
                continue
            yield {
                "id": next(numbers),
                "image_id": frame + 1,
                "category_id": category[track.label],
                "video_id": 1,
                "track_id": track.id,
                "bbox": [round(v, 3) for v in obs.box],
                "area": obs.mask.area if obs.mask is not None else round(round(obs.box.w, 3) * round(obs.box.h, 3), 3),
                "segmentation": []
                if obs.mask is None
                else segmentation_of(obs.mask, params.encoding, crowd=track.ignored),
                "iscrowd": int(track.ignored),
                "attributes": {
                    **obs.attributes,
                    "track_id": track.id,
                    "source": obs.source,
                    "state": obs.state,
                    "occluded": obs.state is State.OCCLUDED,
                    "verified": obs.verified,
                    "keyframe": obs.keyframe,
                    "score": obs.score,
                    **_more(obs),
                },
            }


def _more(obs: Observation) -> dict[str, Any]:
    """What few frames say."""
    out: dict[str, Any] = {}
    if obs.cover is not None:
        out["cover"] = obs.cover
    if obs.signals:
        out["signals"] = obs.signals
    return out


def _absent_runs(track: Track) -> list[dict[str, Any]]:
    """Absent frames as runs of equal entries, ``first`` and ``last`` inside."""
    runs: list[dict[str, Any]] = []
    for frame, obs in track.frames.items():  # ascending, as `select` made them
        if obs.box is not None:
            continue
        what = {"state": obs.state, "source": obs.source, "verified": obs.verified, "keyframe": obs.keyframe}
        if obs.score is not None:
            what["score"] = obs.score
        what |= _more(obs)
        if obs.attributes:
            what["attributes"] = obs.attributes
        if (
            runs
            and runs[-1]["last"] == frame - 1
            and {key: value for key, value in runs[-1].items() if key not in ("first", "last")} == what
        ):
            runs[-1]["last"] = frame
        else:
            runs.append({"first": frame, "last": frame, **what})
    return runs
