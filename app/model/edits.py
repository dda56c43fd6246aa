"""Edits are data: `apply` carries one out, wholly or not at all, and answers with its inverse and what it touched.

They are tagged structs, so the journal can write them down and read them back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from app.model.document import Change, Comment, Document, Label, SettingValue, VideoRef, as_frames
from app.model.tracks import AttributeValue, Colour, FrameIndex, Observation, Track, TrackId, check_finite
from app.words import tr


class EditError(Exception):
    """An edit does not fit the document; the document is unchanged."""


class AddTrack(msgspec.Struct, frozen=True, tag=True):
    """Put a track with all its frames into the document."""

    track: Track


class RemoveTrack(msgspec.Struct, frozen=True, tag=True):
    """Take a track with all its frames out of the document."""

    id: TrackId


class SetTrack(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Change properties of a track; None leaves one as it is. ``attributes`` replaces all of them."""

    id: TrackId
    label: str | None = None
    colour: Colour | None = None
    visible: bool | None = None
    attributes: dict[str, AttributeValue] | None = None
    ignored: bool | None = None
    locked: bool | None = None


class SetFrames(msgspec.Struct, frozen=True, tag=True):
    """Write observations of one track; None forgets a frame. Costs in proportion to ``frames`` alone."""

    track: TrackId
    frames: dict[FrameIndex, Observation | None]


class SetLabels(msgspec.Struct, frozen=True, tag=True):
    """Replace the list of labels."""

    labels: tuple[Label, ...]


class SetVideo(msgspec.Struct, frozen=True, tag=True):
    """Attach another video (or the same one at another place)."""

    video: VideoRef | None


class SetComment(msgspec.Struct, frozen=True, tag=True):
    """Write or replace the comment with this id; None takes it away."""

    id: TrackId
    comment: Comment | None


class SetSettings(msgspec.Struct, frozen=True, tag=True):
    """Replace all settings that the document has of its own."""

    settings: dict[str, SettingValue]


class Group(msgspec.Struct, frozen=True, tag=True):
    """Several edits as one, carried out in order."""

    edits: tuple[Edit, ...]


Edit = AddTrack | RemoveTrack | SetTrack | SetFrames | SetLabels | SetVideo | SetComment | SetSettings | Group

_PROPERTIES = tuple(name for name in SetTrack.__struct_fields__ if name != "id")

_COLOUR = re.compile("#[0-9a-fA-F]{6}")


def apply(edit: Edit, doc: Document) -> tuple[Edit, Change]:
    """Carry out ``edit`` on ``doc``; answers with the edit that takes it back and with what was touched.

    Taking it back restores everything but ``next_id``, which never shrinks. Raises `EditError` when the edit does not
    fit; the document is unchanged then.
    """
    match edit:
        case SetFrames():
            return _set_frames(edit, doc)
        case AddTrack(track):
            return _add_track(track, doc)
        case RemoveTrack(id_):
            track = _track(doc, id_)
            del doc.tracks[id_]
            return AddTrack(track), _whole(track)
        case SetTrack():
            return _set_track(edit, doc)
        case SetLabels(labels):
            _check_labels(labels)
            before = SetLabels(tuple(doc.labels))
            doc.labels = list(labels)
            return before, Change(structure=True)
        case SetVideo(video):
            for track in doc.tracks.values():
                _check_masks(track.id, track.frames, video)
            before_video = SetVideo(doc.video)
            doc.video = video
            return before_video, Change(video=True)
        case SetComment():
            return _set_comment(edit, doc)
        case SetSettings(settings):
            before_settings = SetSettings(dict(doc.settings))
            doc.settings = dict(settings)
            return before_settings, Change(settings=True)
        case Group(edits):
            return _group(edits, doc)


def _group(edits: Sequence[Edit], doc: Document) -> tuple[Group, Change]:
    inverses: list[Edit] = []
    total = Change()
    next_id = doc.next_id
    try:
        for edit in edits:
            inverse, change = apply(edit, doc)
            inverses.append(inverse)
            total = total.merge(change)
    except EditError:
        for inverse in reversed(inverses):
            apply(inverse, doc)
        doc.next_id = next_id
        raise
    return Group(tuple(reversed(inverses))), total


def _set_frames(edit: SetFrames, doc: Document) -> tuple[SetFrames, Change]:
    track = _track(doc, edit.track)
    _check_frames(track.id, edit.frames, doc.video)
    frames = track.frames
    before = {frame: frames.get(frame) for frame in edit.frames}
    for frame, seen in edit.frames.items():
        if seen is None:
            frames.pop(frame, None)
        else:
            frames[frame] = seen
    return SetFrames(edit.track, before), Change(frozenset({edit.track}), {edit.track: as_frames(edit.frames)})


def _add_track(track: Track, doc: Document) -> tuple[RemoveTrack, Change]:
    if track.id in doc.tracks or track.id in doc.comments:
        raise EditError(tr("There is a track or a comment with the id {id} already.").format(id=track.id))
    if track.id < 1:
        raise EditError(tr("A track cannot have the id {id}: ids start at 1.").format(id=track.id))
    _check_colour(track.colour)
    _check_frames(track.id, track.frames, doc.video)
    doc.tracks[track.id] = track.copy()  # the edit stays what it is when the document's track changes
    doc.next_id = max(doc.next_id, track.id + 1)
    return RemoveTrack(track.id), _whole(track)


def _set_track(edit: SetTrack, doc: Document) -> tuple[SetTrack, Change]:
    track = _track(doc, edit.id)
    if edit.colour is not None:
        _check_colour(edit.colour)
    if edit.attributes is not None:
        try:
            check_finite(edit.attributes)
        except ValueError as error:
            raise EditError(tr("Track {id}: {error}.").format(id=edit.id, error=error)) from None
    wanted = {name: value for name in _PROPERTIES if (value := getattr(edit, name)) is not None}
    before = SetTrack(edit.id, **{name: getattr(track, name) for name in wanted})
    for name, value in wanted.items():
        setattr(track, name, dict(value) if isinstance(value, dict) else value)
    return before, Change(frozenset({edit.id}), structure=True)


def _set_comment(edit: SetComment, doc: Document) -> tuple[SetComment, Change]:
    before = doc.comments.get(edit.id)
    if edit.comment is None:
        if before is None:
            raise EditError(tr("There is no comment with the id {id}.").format(id=edit.id))
        del doc.comments[edit.id]
    else:
        if edit.comment.id != edit.id:
            raise EditError(
                tr("The comment {id} cannot stand under the id {id2}.").format(id=edit.comment.id, id2=edit.id)
            )
        if before is None and edit.id in doc.tracks:
            raise EditError(tr("The id {id} belongs to a track already.").format(id=edit.id))
        doc.comments[edit.id] = edit.comment
        doc.next_id = max(doc.next_id, edit.id + 1)
    return SetComment(edit.id, before), Change(comments=True)


def _whole(track: Track) -> Change:
    return Change(frozenset({track.id}), {track.id: as_frames(track.frames)}, structure=True)


def _track(doc: Document, id_: int) -> Track:
    try:
        return doc.tracks[id_]
    except KeyError:
        raise EditError(tr("There is no track with the id {id_}.").format(id_=id_)) from None


def _check_colour(colour: str) -> None:
    if not _COLOUR.fullmatch(colour):
        raise EditError(tr("{colour!r} is not a colour of the form #rrggbb.").format(colour=colour))


def _check_labels(labels: Sequence[Label]) -> None:
    for label in labels:
        _check_colour(label.colour)
        told = [attribute.name for attribute in label.attributes]
        if len(set(told)) < len(told):
            twice = next(name for name in told if told.count(name) > 1)
            raise EditError(
                tr("The label {label!r} has the attribute {twice!r} twice.").format(label=label.name, twice=twice)
            )
    names = [label.name for label in labels]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise EditError(tr("The label {twice!r} is in the list twice.").format(twice=twice))


def _check_frames(id_: int, frames: Mapping[int, Observation | None], video: VideoRef | None) -> None:
    if frames and min(frames) < 0:
        raise EditError(
            tr("Track {id_} cannot have the frame {frames}: frames start at 0.").format(id_=id_, frames=min(frames))
        )
    _check_masks(id_, frames, video)


def _check_masks(id_: int, frames: Mapping[int, Observation | None], video: VideoRef | None) -> None:
    if video is None:
        return
    for frame, seen in frames.items():
        if seen is None or (mask := seen.mask) is None:
            continue
        if mask.width != video.width or mask.height != video.height:
            raise EditError(
                tr(
                    "The mask of track {id_} in frame {frame} is {width} x {height} pixels, but the video is "
                    "{width2} x {height2}."
                ).format(
                    id_=id_, frame=frame, width=mask.width, height=mask.height, width2=video.width, height2=video.height
                )
            )
