"""BURST: one JSON file, for each annotated frame a mask of each object; what TAO became with masks.

- ``segmentations`` has an entry for each of ``annotated_image_paths``: by track id a mask (``rle``, COCO's compressed
  run lengths, the size is the sequence's), ``is_gt`` (a person drew or verified it), ``score`` (1 where nobody said)
  and ``bbox`` (the track's box as the document has it; BURST has it in its files of first frames only).
- ``annotated_image_paths`` are the frames with a mask and those where an object is said to be absent,
  ``all_image_paths`` every frame: names in the folder ``<split>/SiamLabel/<clip>``, ``00000.jpg`` for the first one;
  the pictures of an image folder keep theirs.
- Categories count from 1 and pass over the numbers that BURST's evaluation drops or merges (`DROPPED`); it calls a
  number what LVIS calls it, so that its names are not those of the labels.
- What BURST has no word for lies under ``siamlabel``: boxes without a mask and ignored regions, of a track colour,
  attributes and absent frames, and of the file video, labels and comments. Others pass it over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from app.formats.base import KEPT, Aspect, Preflight
from app.formats.burst_read import Hidden, TrackSays, read
from app.formats.extras import Definitions, OurFile, OurVideo, absent_runs, extras_of
from app.formats.names import stem
from app.formats.one_file import OneFile, first_bytes
from app.formats.selection import Choice, Extra, Selection, select
from app.model.document import Document
from app.model.tracks import Observation, State, Track
from app.words import mark, tr

DATASET = "SiamLabel"
"""The collection that BURST's folders name between split and clip."""

DROPPED = frozenset({
    20, 63, 108, 153, 180, 188, 201, 204, 207, 212, 247, 303, 403, 407, 415, 490, 504, 507, 513, 529, 567, 569, 588,
    672, 691, 702, 708, 711, 720, 736, 737, 798, 813, 815, 827, 831, 851, 877, 883, 912, 967, 971, 976, 1130, 1133,
    1134, 1169, 1184, 1220,
})  # fmt: skip
"""LVIS' numbers of categories that BURST's evaluation passes over, or counts as another one."""


class BurstParams(Choice, frozen=True, kw_only=True):
    """Options of a BURST export."""

    split: Annotated[
        Literal["train", "val", "test"], msgspec.Meta(title="Split", description="The part of the data set it is for")
    ] = "val"
    images: Annotated[
        Literal["all", "labelled"],
        msgspec.Meta(title="Annotated images", description="All frames of the video, or only those that are labelled"),
    ] = "labelled"


class BurstFormat(OneFile):
    """See the module's text for the conventions, `BurstParams` for the options."""

    id = "burst"
    title = "BURST"
    suffix = ".json"
    params = BurstParams
    holds: ClassVar[Mapping[Aspect, str]] = dict.fromkeys(Aspect, KEPT) | {
        Aspect.BOXES: "rounded to 0.001 px; under siamlabel where there is no mask",
        Aspect.LABELS: "kept; the numbers are not LVIS'",
        Aspect.STATES: "under siamlabel; BURST knows only present and absent",
        Aspect.SOURCE: "under siamlabel; BURST knows only whether a person said so",
        Aspect.VERIFIED: "under siamlabel",
        Aspect.ATTRIBUTES: "under siamlabel",
        Aspect.COVER: "under siamlabel",
        Aspect.IGNORED: "under siamlabel",
        Aspect.COMMENTS: "under siamlabel",
        Aspect.UNLABELLED: "kept where no object is labelled, else under siamlabel",
    }

    def recognises(self, path: Path) -> bool:
        head = first_bytes(path, 1 << 20)  # the categories of BURST's own files come first and are long
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        named = b'"annotated_image_paths"' in head or b'"track_category_ids"' in head or b'"all_image_paths"' in head
        return start.startswith(b"{") and b'"sequences"' in head and named

    def chosen(self, doc: Document, params: BurstParams) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, tuple(Extra))
        tally: Counter[str] = Counter()
        shown = _annotated(chosen.document, params)
        for track in chosen.document.tracks.values():
            bare = sum(obs.box is not None and obs.mask is None for obs in track.frames.values())
            tally["ignored" if track.ignored else "bare"] += 1 if track.ignored else bare
            if not track.ignored:
                tally["taken"] += sum(_unsaid(track.frames.get(frame)) for frame in shown)
        losses = [tr(sentence).format(n=tally[key]) for key, sentence in _SENTENCES.items() if tally[key]]
        losses.append(tr("Coordinates are rounded to 0.001 px. Frame pictures are named, not written."))
        return chosen, chosen.preflight(masks=True, losses=losses)

    def rows(self, kept: Document, params: BurstParams, names: Sequence[str]) -> Iterator[bytes]:
        encode = msgspec.json.Encoder().encode
        video = kept.video
        assert video is not None
        name = stem(video)
        free = (number for number in count(1) if number not in DROPPED)
        category = {label.name: number for label, number in zip(kept.labels, free, strict=False)}
        pictures = [one.rpartition("/")[2] for one in names] or [f"{frame:05d}.jpg" for frame in range(video.frames)]
        shown = _annotated(kept, params)
        objects = [track for track in kept.tracks.values() if not track.ignored]
        about = OurVideo(name, video.frames, video.width, video.height, video.fps, video.fingerprint)
        head = {
            "split": params.split,
            "categories": [
                {"id": number, "name": name, "synset": name, "def": "", "synonyms": [name]}
                for name, number in category.items()
            ],
            "siamlabel": OurFile(about, [Definitions.of(one) for one in kept.labels], list(kept.comments.values())),
        }
        sequence = {
            "id": 1,
            "seq_name": name,
            "dataset": DATASET,
            "width": video.width,
            "height": video.height,
            "fps": round(video.fps),
            "neg_category_ids": [],
            "not_exhaustive_category_ids": [],
            "track_category_ids": {str(track.id): category[track.label] for track in objects},
            "annotated_image_paths": [pictures[frame] for frame in shown],
            "all_image_paths": pictures,
            "siamlabel": {
                str(track.id): _says(track, category[track.label] if track.ignored else None)
                for track in kept.tracks.values()
            },
        }
        yield encode(head)[:-1] + b',"sequences":[' + encode(sequence)[:-1] + b',"segmentations":['
        for at, frame in enumerate(shown):
            entry = {str(track.id): _entry(obs) for track in objects if (obs := track.frames.get(frame)) and obs.mask}
            yield (b",\n" if at else b"\n") + encode(entry)
        yield b"]}]}\n"

    def read(self, path: Path) -> Document:
        """The document in a BURST file of one sequence; see `app.formats.burst_read.read`."""
        return read(path)


BURST = BurstFormat()

_SENTENCES = {
    "bare": mark("Boxes without a mask, for which BURST has no entry, written under siamlabel: {n}."),
    "ignored": mark("Ignored regions, which BURST has not, written under siamlabel: {n}."),
    "taken": mark("Annotated frames (of each object) without its mask, where others take it for absent: {n}."),
}


def _annotated(kept: Document, params: BurstParams) -> list[int]:
    """The frames that the file has an entry for, ascending."""
    if params.images == "all" and kept.video is not None:
        return list(range(kept.video.frames))
    objects = [track for track in kept.tracks.values() if not track.ignored]
    return sorted(
        {f for track in objects for f, obs in track.frames.items() if obs.mask is not None or obs.box is None}
    )


def _unsaid(obs: Observation | None) -> bool:
    """Whether the object may well be there, though there is no mask of it."""
    return obs is None or (obs.mask is None and obs.state in (State.VISIBLE, State.OCCLUDED))


def _entry(obs: Observation) -> dict[str, Any]:
    assert obs.mask is not None
    assert obs.box is not None
    return {
        "rle": obs.mask.counts.decode("ascii"),
        "is_gt": obs.protected,
        "score": 1.0 if obs.score is None else obs.score,
        "bbox": _rounded(obs),
    }


def _rounded(obs: Observation) -> list[float]:
    assert obs.box is not None
    return [round(v, 3) for v in obs.box]


def _says(track: Track, category: int | None) -> TrackSays:
    """What stands under ``siamlabel``; ``category`` of a track that BURST must not see."""
    present = {frame: obs for frame, obs in track.frames.items() if obs.box is not None}
    hidden = {
        frame: Hidden(_rounded(obs), None if obs.mask is None else obs.mask.counts.decode("ascii"))
        for frame, obs in present.items()
        if track.ignored or obs.mask is None
    }
    return TrackSays(
        colour=track.colour,
        attributes=track.attributes,
        ignored=category,
        absent=absent_runs(track.frames),
        frames={frame: extras_of(obs) for frame, obs in present.items()},
        hidden=hidden,
    )
