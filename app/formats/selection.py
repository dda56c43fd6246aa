"""What of a document goes into an export: the chosen tracks and frames, odd entries put right or left out, all counted.

Formats narrow the result further (`Format.keep`). Decisions taken here, each reported as a loss when it happens:

- Absent frames (out of view, lost) never carry a box or a mask.
- A mask without a box gets the mask's tight box. A mask of another size than the video, or without pixels, is dropped.
- A box without area once rounded is replaced by the mask's box or left out.
- A box wholly outside the picture is left out; one that reaches outside is kept as it is, or clipped when asked.
- Labels beyond the last frame of the video are left out.
- Ignored regions, attributes, cover levels and comments are left out where the format has no place for them (`Extra`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec

from app.formats.base import FormatError, Preflight
from app.formats.names import colour_or, plain
from app.model.document import COLOURS, Comment, Document, Label, VideoRef
from app.model.geometry import Box, clip
from app.model.masks import Mask
from app.model.tracks import Observation, State, Track
from app.words import mark, tr

_COLOUR = COLOURS[0]


class Extra(StrEnum):
    """What some formats have a place for and others have not."""

    ATTRIBUTES = "attributes"
    """Of labels, tracks and frames."""
    COVER = "cover"
    IGNORED = "ignored"
    COMMENTS = "comments"
    SIGNALS = "signals"
    """The tracker's drift signals of each frame."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Options that every format has."""

    tracks: Annotated[
        tuple[int, ...] | None, msgspec.Meta(title="Tracks", description="Ids to write; all if empty")
    ] = None
    only_verified: Annotated[
        bool, msgspec.Meta(title="Only verified frames", description="Only what a person drew, keyed or verified")
    ] = False
    clip: Annotated[
        bool, msgspec.Meta(title="Clip to the picture", description="Cut off what reaches outside the picture")
    ] = False


@dataclass
class Selection:
    """``document``: the kept tracks, every present frame with a valid box. ``tally``: counts by key of `_SENTENCES`."""

    document: Document
    video: VideoRef
    tally: Counter[str] = field(default_factory=Counter)

    def losses(self) -> list[str]:
        return [tr(sentence).format(n=self.tally[key]) for key, sentence in _SENTENCES.items() if self.tally[key]]

    def preflight(self, *, masks: bool, losses: list[str]) -> Preflight:
        """Counts of what is kept (``masks``: whether the format will write them) and all losses."""
        seen = [obs for track in self.document.tracks.values() for obs in track.frames.values()]
        present = [obs for obs in seen if obs.present]
        counts = {
            "frames": self.video.frames,
            "tracks": len(self.document.tracks),
            "boxes": len(present),
            "masks": sum(obs.mask is not None for obs in present) if masks else 0,
            "absent": len(seen) - len(present),
            "occluded": sum(obs.state is State.OCCLUDED for obs in present),
            "unverified": sum(not obs.protected for obs in present),
            "ignored": sum(track.ignored for track in self.document.tracks.values()),
        }
        return Preflight(counts, self.losses() + losses)


_SENTENCES = {
    "hidden": mark("Labels of tracks that were not chosen, not written: {n}."),
    "unverified": mark("Frames that nobody has verified, not written: {n}."),
    "beyond": mark("Labels beyond the last frame of the video, not written: {n}."),
    "no_region": mark("Frames marked present without a usable box or mask, not written: {n}."),
    "flat_box": mark("Boxes without area, replaced by the mask's box or not written: {n}."),
    "off_picture": mark("Boxes wholly outside the picture, replaced by the mask's box or not written: {n}."),
    "outside": mark("Boxes that reach outside the picture, written as they are: {n}."),
    "clipped": mark("Boxes that reach outside the picture, clipped to it: {n}."),
    "box_from_mask": mark("Masks without a box, written with the mask's box: {n}."),
    "mask_size": mark("Masks of another size than the video, not written: {n}."),
    "mask_empty": mark("Masks without pixels, not written: {n}."),
    "absent_region": mark("Absent frames that carry a box or a mask, written as absent only: {n}."),
    "ignored": mark("Ignored regions, not written: {n}."),
    "attributes": mark("Attributes of tracks and frames, not written: {n}."),
    "attribute_kinds": mark("Attributes that labels define, not written: {n}."),
    "cover": mark("Frames that say how much of the object can be seen, written without: {n}."),
    "comments": mark("Comments, not written: {n}."),
    "signals": mark("Frames with drift signals of the tracker, written without the signals: {n}."),
}
"""What happened to odd entries; numbers at the end, so that no sentence needs a plural."""


def select(doc: Document, choice: Choice, keeps: Collection[Extra] = ()) -> Selection:
    """Apply ``choice`` and the decisions above; ``keeps``: the extras that the format has a place for.

    Raises `FormatError` without a video or for an unknown track id.
    """
    if doc.video is None:
        raise FormatError(tr("the project has no video"), remedy=tr("Open a video first."))
    missing = set(choice.tracks or ()) - doc.tracks.keys()
    if missing:
        raise FormatError(
            tr("there is no track {map}").format(map=", ".join(map(str, sorted(missing)))),
            remedy=tr("Known are: {value}.").format(value=", ".join(map(str, sorted(doc.tracks))) or "none"),
        )
    out = Selection(Document(video=doc.video), doc.video)
    out.document.labels = _labels(doc, keeps, out.tally)
    out.document.comments = _comments(doc, choice, keeps, out.tally)
    for key in sorted(doc.tracks):
        track = doc.tracks[key]
        if choice.tracks is not None and key not in choice.tracks:
            out.tally["hidden"] += len(track.frames)
            continue
        if track.ignored and Extra.IGNORED not in keeps:
            out.tally["ignored"] += 1
            continue
        frames = {}
        for frame in sorted(track.frames):
            if not 0 <= frame < doc.video.frames:
                out.tally["beyond"] += 1
            elif choice.only_verified and not track.frames[frame].protected:
                out.tally["unverified"] += 1
            else:
                kept = _kept(_without(track.frames[frame], keeps, out.tally), doc.video, choice, out.tally)
                if kept is not None:
                    frames[frame] = kept
        label, colour = plain(track.label) or "object", colour_or(track.colour, _COLOUR)
        told = track.attributes
        if told and Extra.ATTRIBUTES not in keeps:
            out.tally["attributes"] += len(told)
            told = {}
        out.document.tracks[key] = Track(
            id=key, label=label, colour=colour, frames=frames, attributes=dict(told), ignored=track.ignored
        )
    out.document.next_id = max((*out.document.tracks, *out.document.comments), default=0) + 1
    return out


def _comments(doc: Document, choice: Choice, keeps: Collection[Extra], tally: Counter[str]) -> dict[int, Comment]:
    """Those of the chosen tracks and of whole pictures."""
    if Extra.COMMENTS not in keeps:
        tally["comments"] += len(doc.comments)
        return {}
    chosen = doc.tracks.keys() if choice.tracks is None else set(choice.tracks)
    return {key: one for key, one in doc.comments.items() if one.track is None or one.track in chosen}


def _without(obs: Observation, keeps: Collection[Extra], tally: Counter[str]) -> Observation:
    """``obs`` without the extras that are not in ``keeps``."""
    if obs.signals and Extra.SIGNALS not in keeps:
        tally["signals"] += 1
        obs = msgspec.structs.replace(obs, signals={})
    if obs.attributes and Extra.ATTRIBUTES not in keeps:
        tally["attributes"] += len(obs.attributes)
        obs = msgspec.structs.replace(obs, attributes={})
    if obs.cover is not None and Extra.COVER not in keeps:
        tally["cover"] += 1
        obs = msgspec.structs.replace(obs, cover=None)
    return obs


def _labels(doc: Document, keeps: Collection[Extra], tally: Counter[str]) -> list[Label]:
    """Every label once, by name: those of the document, then those only its tracks know."""
    known = {plain(label.name): colour_or(label.colour, _COLOUR) for label in reversed(doc.labels) if plain(label.name)}
    ordered = dict.fromkeys(plain(label.name) for label in doc.labels if plain(label.name))
    for key in sorted(doc.tracks):
        track = doc.tracks[key]
        name = plain(track.label) or "object"
        ordered.setdefault(name)
        known.setdefault(name, colour_or(track.colour, _COLOUR))
    told = {plain(label.name): label.attributes for label in reversed(doc.labels)}
    if Extra.ATTRIBUTES not in keeps:
        tally["attribute_kinds"] += sum(map(len, told.values()))
        told = {}
    return [Label(name, known[name], told.get(name, ())) for name in ordered]


def _kept(obs: Observation, video: VideoRef, choice: Choice, tally: Counter[str]) -> Observation | None:
    if obs.state not in (State.VISIBLE, State.OCCLUDED):
        if obs.box is not None or obs.mask is not None:
            tally["absent_region"] += 1
        return msgspec.structs.replace(obs, box=None, mask=None)
    mask = _kept_mask(obs.mask, video, tally)
    box = _kept_box(obs.box, video, choice, tally)
    if box is None and mask is not None:
        if obs.box is None:
            tally["box_from_mask"] += 1
        box = mask.box
    if box is None:
        if obs.box is None:
            tally["no_region"] += 1
        return None
    return msgspec.structs.replace(obs, box=box, mask=mask)


def _kept_mask(mask: Mask | None, video: VideoRef, tally: Counter[str]) -> Mask | None:
    if mask is None:
        return None
    if (mask.height, mask.width) != (video.height, video.width):
        tally["mask_size"] += 1
        return None
    if mask.area == 0:
        tally["mask_empty"] += 1
        return None
    return mask


def _kept_box(box: Box | None, video: VideoRef, choice: Choice, tally: Counter[str]) -> Box | None:
    if box is None:
        return None
    if round(box.w, 3) <= 0 or round(box.h, 3) <= 0:
        tally["flat_box"] += 1
        return None
    inside = clip(box, video.width, video.height)
    if inside is None or round(inside.w, 3) <= 0 or round(inside.h, 3) <= 0:
        tally["off_picture"] += 1
        return None
    if box.x >= 0 and box.y >= 0 and box.x2 <= video.width and box.y2 <= video.height:
        return box
    tally["clipped" if choice.clip else "outside"] += 1
    return inside if choice.clip else box
