"""Labels of another tool, fitted to the open video: what they will bring, told before anything is changed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.model.document import Comment, Document
from app.model.edits import AddTrack, Edit, Group, SetComment, SetLabels
from app.model.prepared import Prepared, prepare
from app.model.tracks import Observation, Track
from app.words import tr
from app.work import schema
from app.work.overview import Lane


@dataclass(frozen=True)
class Ready:
    """An import carried out beforehand, for a document as it was, with the lanes of its tracks."""

    prepared: Prepared
    lanes: dict[int, Lane]


@dataclass(frozen=True)
class Incoming:
    """``edit`` brings all of ``found`` that fits, in one step. ``notes``: what does not fit, in words."""

    path: Path
    format: str
    edit: Group
    tracks: tuple[tuple[str, int, int], ...]
    """Name, frames with a box, masks."""
    labels: tuple[str, ...]
    """Labels that are new."""
    notes: tuple[str, ...]
    found: Document
    how: msgspec.Struct | None = None
    """How it was read, where there is something to choose."""
    why: str = ""
    """What speaks for reading it so, where it is not the usual way."""
    ready: Ready | None = None
    """All that takes long about taking it, done; see `readied`."""

    @property
    def empty(self) -> bool:
        return not self.edit.edits


def fit(
    found: Document, here: Document, path: Path, format_id: str, how: msgspec.Struct | None = None, why: str = ""
) -> Incoming:
    """What of ``found`` fits ``here``, which has a video. Pure; nothing is changed.

    Objects come in as new ones (with their own number where that is free). Frames beyond the end of the video and masks
    of another picture size are left out and counted.
    """
    assert here.video is not None
    video, tally = here.video, Counter[str]()
    labels = schema.merged(here.labels, found.labels)
    edits: list[Edit] = [SetLabels(labels)] if list(labels) != here.labels else []
    taken = here.tracks.keys() | here.comments.keys()
    free = max((here.next_id, found.next_id, *(id_ + 1 for id_ in found.tracks)))
    ids: dict[int, int] = {}
    told: list[tuple[str, int, int]] = []
    for id_, track in sorted(found.tracks.items()):
        if id_ in taken:
            ids[id_], free = free, free + 1
        else:
            ids[id_] = id_
        frames = {n: _fitted(seen, video.width, video.height, tally) for n, seen in track.frames.items()}
        tally["beyond"] += sum(n >= video.frames for n in frames)
        frames = {n: seen for n, seen in frames.items() if n < video.frames}
        new = Track(
            ids[id_], track.label, track.colour, track.visible, frames, dict(track.attributes), track.ignored,
        )  # fmt: skip
        edits.append(AddTrack(new))
        told.append(
            (
                f"{track.label} {ids[id_]}",
                sum(seen.present for seen in frames.values()),
                sum(seen.mask is not None for seen in frames.values()),
            )
        )
    for comment in found.comments.values():
        about = ids.get(comment.track) if comment.track is not None else None
        edits.append(SetComment(free, Comment(free, comment.frame, comment.text, about, comment.resolved)))
        free += 1
    known = {label.name for label in here.labels}
    new_labels = tuple(label.name for label in found.labels if label.name not in known)
    notes = _notes(found, here, tally)
    return Incoming(path, format_id, Group(tuple(edits)), tuple(told), new_labels, notes, found, how, why)


def readied(incoming: Incoming, here: Document, frames: int) -> Incoming:
    """``incoming`` carried out on ``here``, a copy that nobody else has, of a clip with so many frames; for a worker.

    Raises `EditError` when it does not fit.
    """
    prepared = prepare(incoming.edit, here)
    lanes = {edit.track.id: Lane(frames, edit.track) for edit in incoming.edit.edits if isinstance(edit, AddTrack)}
    return dataclasses.replace(incoming, ready=Ready(prepared, lanes))


def _fitted(seen: Observation, width: int, height: int, tally: Counter[str]) -> Observation:
    mask = seen.mask
    if mask is None or (mask.width, mask.height) == (width, height):
        return seen
    tally["masks"] += 1
    return msgspec.structs.replace(seen, mask=None)


def _notes(found: Document, here: Document, tally: Counter[str]) -> tuple[str, ...]:
    assert here.video is not None
    notes = []
    theirs = found.video
    if theirs is not None and theirs.frames and theirs.frames != here.video.frames:
        notes.append(
            tr("They were made for a video of {frames} frames; this one has {frames2}.").format(
                frames=theirs.frames, frames2=here.video.frames
            )
        )
    size = (here.video.width, here.video.height)
    if theirs is not None and theirs.width and (theirs.width, theirs.height) != size:
        notes.append(
            tr(
                "They were made for pictures of {width} x {height}; these are {size} x {size2}: the boxes will not fit."
            ).format(width=theirs.width, height=theirs.height, size=size[0], size2=size[1])
        )
    if tally["beyond"]:
        notes.append(tr("Labels beyond the last frame, left out: {tally}.").format(tally=tally["beyond"]))
    if tally["masks"]:
        notes.append(tr("Masks of another picture size, left out: {tally}.").format(tally=tally["masks"]))
    return tuple(notes)
