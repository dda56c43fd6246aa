"""YouTube-VIS: one JSON file, an annotation for each track with a list entry for each frame of the video.

- ``segmentations`` are COCO's RLE as lists of numbers, which is what the published files have and every reader takes,
  or compressed; ``bboxes`` are x, y, w, h. Both are null where the object is absent.
- What YouTube-VIS has no word for lies under ``siamlabel``: of a track (colour, attributes, absent frames, what each
  frame says) and of the file (video, labels, comments). Others pass it over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from app.formats.base import KEPT, Aspect, Preflight
from app.formats.extras import Definitions, OurFile, OurVideo, absent_runs, extras_of
from app.formats.names import stem
from app.formats.one_file import OneFile, first_bytes
from app.formats.rle import runs_of
from app.formats.selection import Choice, Extra, Selection, select
from app.formats.youtube_vis_read import TrackSays, read
from app.model.document import Document, VideoRef
from app.model.tracks import Observation, Track
from app.words import mark, tr


class YoutubeVisParams(Choice, frozen=True, kw_only=True):
    """Options of a YouTube-VIS export."""

    masks: Annotated[bool, msgspec.Meta(title="Masks", description="Write masks as RLE where there are any")] = True
    encoding: Annotated[
        Literal["numbers", "compressed"],
        msgspec.Meta(title="Mask encoding", description="Run lengths as a list of numbers, or shorter, as text"),
    ] = "numbers"


class YoutubeVisFormat(OneFile):
    """See the module's text for the conventions, `YoutubeVisParams` for the options."""

    id = "youtube_vis"
    title = "YouTube-VIS"
    suffix = ".json"
    params = YoutubeVisParams
    holds: ClassVar[Mapping[Aspect, str]] = dict.fromkeys(Aspect, KEPT) | {
        Aspect.BOXES: "rounded to 0.001 px",
        Aspect.STATES: "under siamlabel; YouTube-VIS knows only present and absent",
        Aspect.SOURCE: "under siamlabel",
        Aspect.VERIFIED: "under siamlabel",
        Aspect.SCORE: "under siamlabel",
        Aspect.ATTRIBUTES: "under siamlabel",
        Aspect.COVER: "under siamlabel",
        Aspect.IGNORED: "kept, as iscrowd 1",
        Aspect.COMMENTS: "under siamlabel",
        Aspect.UNLABELLED: "under siamlabel; YouTube-VIS itself has null for either",
    }

    def recognises(self, path: Path) -> bool:
        head = first_bytes(path, 1 << 16)
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        named = b'"file_names"' in head or b'"segmentations"' in head or b'"bboxes"' in head
        return start.startswith(b"{") and named and b'"sequences"' not in head and b'"images"' not in head

    def chosen(self, doc: Document, params: YoutubeVisParams) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, tuple(Extra))
        tally: Counter[str] = Counter()
        for track in chosen.document.tracks.values():
            for frame, obs in track.frames.items():
                if obs.mask is not None and not params.masks:
                    tally["masks"] += 1
                    track.frames[frame] = msgspec.structs.replace(obs, mask=None)
                elif obs.box is not None and obs.mask is None:
                    tally["bare"] += 1
        losses = [tr(sentence).format(n=tally[key]) for key, sentence in _SENTENCES.items() if tally[key]]
        losses.append(tr("Coordinates are rounded to 0.001 px. Frame pictures are named, not written."))
        return chosen, chosen.preflight(masks=True, losses=losses)

    def rows(self, kept: Document, params: YoutubeVisParams, names: Sequence[str]) -> Iterator[bytes]:
        encode = msgspec.json.Encoder().encode
        video = kept.video
        assert video is not None
        category = {label.name: number for number, label in enumerate(kept.labels, 1)}
        name = stem(video)
        about = OurVideo(name, video.frames, video.width, video.height, video.fps, video.fingerprint)
        head = {
            "info": {"description": f"{name}, exported by SiamLabel", "version": "1.0"},
            "licenses": [],
            "videos": [
                {
                    "id": 1,
                    "width": video.width,
                    "height": video.height,
                    "length": video.frames,
                    "file_names": list(names) or [f"{name}/{frame:05d}.jpg" for frame in range(video.frames)],
                }
            ],
            "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in category.items()],
            "siamlabel": OurFile(about, [Definitions.of(one) for one in kept.labels], list(kept.comments.values())),
        }
        yield encode(head)[:-1] + b',"annotations":['
        for at, track in enumerate(kept.tracks.values()):
            yield (b",\n" if at else b"\n") + encode(_annotation(track, category[track.label], video, params))
        yield b"]}\n"

    def read(self, path: Path) -> Document:
        """The document in a YouTube-VIS file of one video; see `app.formats.youtube_vis_read.read`."""
        return read(path)


YOUTUBE_VIS = YoutubeVisFormat()

_SENTENCES = {
    "masks": mark("Masks, not written because masks are switched off: {n}."),
    "bare": mark("Boxes without a mask, which trainers for instance segmentation pass over: {n}."),
}


def _annotation(track: Track, category: int, video: VideoRef, params: YoutubeVisParams) -> dict[str, Any]:
    every = [track.frames.get(frame) for frame in range(video.frames)]
    says = {frame: extras_of(obs) for frame, obs in track.frames.items() if obs.box is not None}
    ours = TrackSays(colour=track.colour, attributes=track.attributes, absent=absent_runs(track.frames), frames=says)
    return {
        "id": track.id,
        "video_id": 1,
        "category_id": category,
        "iscrowd": int(track.ignored),
        "width": video.width,
        "height": video.height,
        "length": video.frames,
        "bboxes": [None if obs is None or obs.box is None else [round(v, 3) for v in obs.box] for obs in every],
        "areas": [_area(obs) for obs in every],
        "segmentations": [_segmentation(obs, params) for obs in every],
        "siamlabel": ours,
    }


def _area(obs: Observation | None) -> float | None:
    if obs is None or obs.box is None:
        return None
    return obs.mask.area if obs.mask is not None else round(round(obs.box.w, 3) * round(obs.box.h, 3), 3)


def _segmentation(obs: Observation | None, params: YoutubeVisParams) -> dict[str, Any] | None:
    if obs is None or obs.mask is None:
        return None
    mask = obs.mask
    counts = runs_of(mask) if params.encoding == "numbers" else mask.counts.decode("ascii")
    return {"size": [mask.height, mask.width], "counts": counts}
