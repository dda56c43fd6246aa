"""Masks that must not overlap: what MOTS and DAVIS have in common.

Where masks overlap, a pixel goes to the object with the fewest pixels on that frame, of equal ones to that with the
lower id, and to an ignored region last of all. So a thing in front of a larger one stays whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as coco

from app.formats.base import Preflight
from app.formats.selection import Choice, Extra, Selection, select
from app.formats.vot_read import labels_of
from app.model.document import Document
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track
from app.words import mark, tr

ABSENT = Observation(source=Source.IMPORTED, state=State.OUT_OF_VIEW)

_SENTENCES = {
    "no_mask": mark("Tracks without a mask on any frame, not written: {n}."),
    "boxes": mark("Frames with a box alone, not written: {n}."),
    "box_off": mark("Boxes of frames with a mask, replaced by the mask's tight box: {n}."),
    "overlap": mark("Masks that lose pixels to another one, the smaller one being in front: {n}."),
    "covered": mark("Masks that others cover wholly, not written: {n}."),
    "merged": mark("Ignored regions beyond the first, which becomes one with them: {n}."),
    "absent": mark("Frames where the object is absent, written as nothing: {n}."),
    "lost": mark("Frames where the object is lost, written as absent: {n}."),
    "filled": mark("Frames never labelled (of each object), read again as absent: {n}."),
    "occluded": mark("Frames where the object is occluded, written as visible: {n}."),
    "attributes": mark("Attributes that labels define, not written: {n}."),
}
_ALWAYS = (
    mark("Source, verification, keyframes and scores of frames are not written; nor are labels without a track."),
    mark("Ids, label names, colours and the clip's name lie in siamlabel.json, which other tools ignore."),
)


def masked(doc: Document, choice: Choice, *, absent: bool) -> tuple[Selection, Counter[str]]:
    """The masks of ``doc`` without overlaps and nothing else, ignored regions as one; what happened is counted.

    ``absent``: an object is absent from all frames without its mask, else nothing is known there.
    """
    chosen = select(doc, choice, (Extra.IGNORED,))
    tally: Counter[str] = Counter()
    tracks, frames = chosen.document.tracks, chosen.video.frames
    given = {key: {frame: obs.mask for frame, obs in track.frames.items() if obs.mask} for key, track in tracks.items()}
    ignored = [key for key, track in tracks.items() if track.ignored and given[key]]
    for key in ignored[1:]:
        tally["merged"] += 1
        for frame, mask in given.pop(key).items():
            first = given[ignored[0]].get(frame)
            given[ignored[0]][frame] = mask if first is None else _union([first, mask])
    left = _apart({key: masks for key, masks in given.items() if masks}, tracks, tally)
    for key, track in list(tracks.items()):
        if not left.get(key):
            tally["no_mask"] += key not in ignored[1:]
            del tracks[key]
            continue
        masks = left[key]
        for frame, obs in track.frames.items():
            tally["boxes"] += obs.present and obs.mask is None
            tally["lost" if absent and obs.state is State.LOST else "absent"] += not obs.present and not (
                absent and obs.state is State.OUT_OF_VIEW
            )
            if frame in masks:
                tally["occluded"] += obs.state is State.OCCLUDED
                tally["box_off"] += obs.box != masks[frame].box
        if absent:
            tally["filled"] += frames - len(track.frames)
        empty = dict.fromkeys(range(frames), ABSENT) if absent and not track.ignored else {}
        track.frames = empty | {frame: _seen(mask) for frame, mask in sorted(masks.items())}
    tally["attributes"] = sum(len(label.attributes) for label in chosen.document.labels)
    chosen.document.labels = labels_of(chosen.document)
    chosen.document.next_id = max(tracks, default=0) + 1
    return chosen, tally


def told(chosen: Selection, tally: Counter[str], *others: str) -> Preflight:
    """The preflight of what `masked` gave; ``others``: losses that are the format's own."""
    counts = chosen.preflight(masks=True, losses=[]).counts
    losses = [tr(sentence).format(n=tally[key]) for key, sentence in _SENTENCES.items() if tally[key]]
    return Preflight(counts, [*chosen.losses(), *losses, *others, *map(tr, _ALWAYS)])


def layer(tracks: Mapping[int, Track], numbers: Mapping[int, int], frame: int, height: int, width: int) -> np.ndarray:
    """The numbers of the objects on a frame by pixel, (height, width) uint16; 0 where there is none."""
    out = np.zeros((height, width), np.uint16)
    for key, track in tracks.items():
        mask = track.frames[frame].mask if frame in track.frames else None
        if mask is not None:
            out[mask.decode()] = numbers[key]
    return out


def _seen(mask: Mask) -> Observation:
    return Observation(box=mask.box, mask=mask, source=Source.IMPORTED)


def _apart(
    given: Mapping[int, Mapping[int, Mask]], tracks: Mapping[int, Track], tally: Counter[str]
) -> dict[int, dict[int, Mask]]:
    """The masks by track and frame, without what others in front of them cover."""
    out: dict[int, dict[int, Mask]] = {key: dict(masks) for key, masks in given.items()}
    for frame in sorted({frame for masks in given.values() for frame in masks}):
        there = {key: masks[frame] for key, masks in given.items() if frame in masks}
        if len(there) < 2 or _union(list(there.values())).area == sum(mask.area for mask in there.values()):
            continue
        order = sorted(there, key=lambda key: (tracks[key].ignored, there[key].area, key))
        taken = there[order[0]].decode()
        for key in order[1:]:
            bits = there[key].decode()
            rest = bits & ~taken
            taken |= bits
            if not rest.any():
                tally["covered"] += 1
                del out[key][frame]
            elif not np.array_equal(rest, bits):
                tally["overlap"] += 1
                out[key][frame] = Mask.encode(rest)
    return out


def _union(masks: list[Mask]) -> Mask:
    both: Any = coco.merge([mask.rle for mask in masks])
    return Mask(masks[0].height, masks[0].width, both["counts"])
