"""What a gesture of the hand means as an edit. Pure: a document in, an edit out; nothing is changed here."""

from __future__ import annotations

from typing import Final

import msgspec

from app.model import geometry
from app.model.document import COLOURS, Document, VideoRef
from app.model.edits import AddTrack, RemoveTrack, SetFrames
from app.model.tracks import Observation, Source, State, unprotected
from app.words import tr
from app.work.errors import SessionError
from tracker.api import Box

DEFAULT_LABEL: Final = "object"


def next_colour(doc: Document) -> str:
    """The colour of the palette that the fewest tracks have, earlier ones first."""
    used = [track.colour.lower() for track in doc.tracks.values()]
    return min(COLOURS, key=used.count)


def added(doc: Document, frame: int, box: Box, label: str | None = None, colour: str | None = None) -> AddTrack:
    """A new object with one manual keyframe. Without a label it gets that of the newest track.

    A label of the label set gives it its colour and the defaults of its attributes.
    """
    if label is None:
        label = doc.tracks[max(doc.tracks)].label if doc.tracks else DEFAULT_LABEL
    known = next((one for one in doc.labels if one.name == label), None)
    track = doc.new_track(label, colour or (known.colour if known else next_colour(doc)))
    if known is not None:
        told = {one.name: one.default for one in known.attributes if not one.per_frame}
        track.attributes = {name: value for name, value in told.items() if value is not None}
    track.frames[frame] = manual(fitted(box, doc.video))
    return AddTrack(track)


def fitted(box: Box, video: VideoRef | None) -> Box:
    """``box`` clipped to the picture. Raises `SessionError` when less than a pixel of it is left."""
    inside = box if geometry.is_valid(box) else None
    if inside and video:
        inside = geometry.clip(inside, video.width, video.height)
    if inside is None or inside.w < 1 or inside.h < 1:
        size = f" ({video.width} x {video.height})" if video else ""
        raise SessionError(
            tr(
                "The box {x:g},{y:g},{w:g},{h:g} covers nothing of the picture{size}; give x, y, width and "
                "height in pixels"
            ).format(x=box.x, y=box.y, w=box.w, h=box.h, size=size)
        )
    return inside


def manual(box: Box) -> Observation:
    return Observation(box=box, source=Source.MANUAL, keyframe=True)


def placed(doc: Document, track: int, frame: int, box: Box) -> SetFrames:
    """The object is here, says the annotator: a manual keyframe. A mask of another box does not stay."""
    return SetFrames(track, {frame: manual(fitted(box, doc.video))})


def cleared(doc: Document, track: int, frame: int) -> SetFrames:
    """This frame of the track is forgotten, the others stay."""
    _at(doc, track, frame)
    return SetFrames(track, {frame: None})


def keyframe_toggled(doc: Document, track: int, frame: int) -> SetFrames:
    """Keyframe on or off; a box of the tracker that is made a keyframe is protected from then on."""
    old = _at(doc, track, frame)
    return SetFrames(track, {frame: msgspec.structs.replace(old, keyframe=not old.keyframe)})


def state_set(doc: Document, track: int, frame: int, state: State) -> SetFrames:
    """The annotator says how the object is to be seen here; out of view and lost have no box."""
    old = doc.tracks[track].at(frame) or Observation()
    if state in (State.VISIBLE, State.OCCLUDED):
        if old.box is None:
            raise SessionError(tr("The object has no box on this frame; draw one first (Shift+N)"))
        new = msgspec.structs.replace(old, state=state, source=Source.MANUAL, keyframe=True)
    else:
        new = Observation(state=state, source=Source.MANUAL, keyframe=True)
    return SetFrames(track, {frame: new})


def absent(doc: Document, track: int, frame: int, last: int, state: State) -> SetFrames:
    """The answer to a pause: from ``frame`` to ``last`` (in either direction) the object is hidden or out of view.

    ``frame`` becomes a keyframe; the other frames follow it where nobody vouches for them. A hidden object keeps the
    last box before ``frame``, or its own; raises `SessionError` when there is none.
    """
    history = doc.tracks[track]
    step = 1 if last >= frame else -1
    box = None
    if state is State.OCCLUDED:
        boxes = (seen.box for f in range(frame, -1, -1) if (seen := history.at(f)) is not None and seen.present)
        box = next(boxes, None)
        if box is None:
            raise SessionError(tr("The object has no box on this frame nor before it; draw one first (Shift+N)"))
    there = Observation(box=box, state=state, source=Source.INTERPOLATED)
    rest = unprotected(history, dict.fromkeys(range(frame + step, last + step, step), there))
    return SetFrames(track, {frame: msgspec.structs.replace(there, source=Source.MANUAL, keyframe=True)} | rest)


def removed(doc: Document, track: int) -> RemoveTrack:
    return RemoveTrack(track)


def _at(doc: Document, track: int, frame: int) -> Observation:
    observation = doc.tracks[track].at(frame)
    if observation is None:
        raise SessionError(tr("The object has nothing on this frame"))
    return observation
