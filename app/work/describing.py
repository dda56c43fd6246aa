"""Saying what things are: labels, attributes, cover levels, comments. Each call is one undo step."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.model.document import Attribute, Comment, Label
from app.model.edits import Edit, Group, SetComment, SetFrames, SetLabels, SetTrack
from app.model.tracks import AttributeValue, Observation
from app.words import tr
from app.work import schema
from app.work.errors import SessionError
from app.work.painting import Painting


class Describing(Painting):
    """The describing part of the session."""

    # Labels

    def set_labels(self, labels: Iterable[Label], renamed: dict[str, str] | None = None) -> None:
        """Replace the label set. ``renamed``: old names by new ones; their objects follow, in name and colour.

        Raises `EditError` for a name that is there twice.
        """
        wanted = tuple(labels)
        self.require_open()
        known = {label.name: label for label in wanted}
        edits: list[Edit] = [SetLabels(wanted)]
        before = {label.name: label.colour for label in self.document.labels}
        for track in self.document.tracks.values():
            label = known.get((renamed or {}).get(track.label, track.label))
            if label is None:
                continue
            colour = label.colour if track.colour == before.get(track.label) else track.colour
            if (label.name, colour) != (track.label, track.colour):
                edits.append(SetTrack(track.id, label=label.name, colour=colour))
        self.commit(Group(tuple(edits)), tr("Change the labels"))

    def import_labels(self, path: Path) -> int:
        """Add the labels of a file to the label set: a project, our schema, or CVAT's; answers with how many are new.

        A label that is there already takes the attributes of the file that it lacks. Raises `SessionError`.
        """
        found = schema.read(path)
        merged = schema.merged(self.document.labels, found)
        new = len(merged) - len(self.document.labels)
        if list(merged) != self.document.labels:
            self.set_labels(merged)
        return new

    def label_with(self, number: int) -> None:
        """Give the selected object the label of a number (from 1), or without one say what the next object will be."""
        labels = self.document.labels
        if not 1 <= number <= len(labels):
            raise SessionError(tr("There is no label {number}; Ctrl+Shift+L edits the label set").format(number=number))
        label = labels[number - 1]
        if self.selected is None:
            self.next_label = label.name
            self.events.message(tr("The next new object is a {label}").format(label=label.name))
        else:
            self.commit(
                SetTrack(self._editable(), label=label.name, colour=label.colour),
                tr("Label as {label}").format(label=label.name),
            )

    def attributes_of(self, track: int) -> tuple[Attribute, ...]:
        """What is to be said about a track, by its label."""
        label = self.document.tracks[track].label
        return next((known.attributes for known in self.document.labels if known.name == label), ())

    # Attributes

    def set_attribute(self, name: str, value: AttributeValue | None, *, track: int | None = None) -> None:
        """Say something about the selected object; about this frame, when the label says so. None takes it back.

        Raises `SessionError` when the label's attribute does not accept the value.
        """
        chosen = self._editable(track)
        known = next((one for one in self.attributes_of(chosen) if one.name == name), None)
        if known is not None and value is not None and not known.accepts(value):
            raise SessionError(
                tr("{name} cannot be {value!r}; {allowed}").format(name=name, value=value, allowed=_allowed(known))
            )
        if known is not None and known.per_frame:
            here = self.document.tracks[chosen].at(self.frame)
            if here is None:
                raise SessionError(tr("The object has nothing on this frame that an attribute could be said of"))
            new = msgspec.structs.replace(here, attributes=_with(here.attributes, name, value))
            self.commit(
                SetFrames(chosen, {self.frame: new}),
                tr("Set {name}").format(name=name),
                f"attribute-{chosen}-{self.frame}-{name}",
            )
        else:
            attributes = _with(self.document.tracks[chosen].attributes, name, value)
            self.commit(
                SetTrack(chosen, attributes=attributes),
                tr("Set {name}").format(name=name),
                f"attribute-{chosen}-{name}",
            )

    def carry_attributes(self, until: int) -> None:
        """Repeat this frame's attributes of the selected object up to ``until``, inside, either way."""
        chosen, here = self._editable(), self.here
        if here is None:
            raise SessionError(tr("The object has nothing on this frame"))
        frames = self.document.tracks[chosen].frames
        low, high = sorted((self.frame, until))
        told: dict[int, Observation | None] = {
            frame: msgspec.structs.replace(seen, attributes=dict(here.attributes))
            for frame, seen in frames.items()
            if low <= frame <= high and seen.attributes != here.attributes
        }
        if told:
            self.commit(SetFrames(chosen, told), tr("Repeat the attributes"))

    def set_cover(self, level: int | None) -> None:
        """How much of the selected object can be seen on this frame: GOT-10k's levels 0 to 8, None for not said."""
        chosen, here = self._editable(), self.here
        if here is None:
            raise SessionError(tr("The object has nothing on this frame; draw a box first (Shift+N)"))
        new = msgspec.structs.replace(here, cover=level)
        self.commit(SetFrames(chosen, {self.frame: new}), tr("Set the cover level"), f"cover-{chosen}-{self.frame}")

    # Comments

    def comment(self, text: str, track: int | None = None) -> int:
        """Leave a remark on this frame, about a track or the whole picture; answers with its id."""
        self.require_open()
        if not text.strip():
            raise SessionError(tr("An empty comment says nothing"))
        id_ = self.document.next_id
        self.commit(SetComment(id_, Comment(id_, self.frame, text.strip(), track)), tr("Comment"))
        return id_

    def change_comment(self, id_: int, *, text: str | None = None, resolved: bool | None = None) -> None:
        """Rewrite a comment, or say whether it is dealt with."""
        old = self._comment(id_)
        new = msgspec.structs.replace(
            old,
            text=old.text if text is None else text.strip(),
            resolved=old.resolved if resolved is None else resolved,
        )
        self.commit(SetComment(id_, new), tr("Change the comment"))

    def delete_comment(self, id_: int) -> None:
        self._comment(id_)
        self.commit(SetComment(id_, None), tr("Delete the comment"))

    def go_to_comment(self, id_: int) -> None:
        """Go to the frame of a comment and select what it is about."""
        found = self._comment(id_)
        self.set_playing(False)
        if found.track is not None:
            self.select(found.track)
        self.seek(found.frame)

    def _comment(self, id_: int) -> Comment:
        try:
            return self.document.comments[id_]
        except KeyError:
            raise SessionError(tr("This comment is gone")) from None


def _with(attributes: dict[str, AttributeValue], name: str, value: AttributeValue | None) -> dict[str, AttributeValue]:
    rest = {key: known for key, known in attributes.items() if key != name}
    return rest if value is None else {**rest, name: value}


def _range_words(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return tr("it is a number from {low:g} to {high:g}").format(low=low, high=high)
    if low is not None:
        return tr("it is a number from {low:g}").format(low=low)
    return tr("it is a number") if high is None else tr("it is a number up to {high:g}").format(high=high)


def _allowed(attribute: Attribute) -> str:
    match attribute.kind:
        case "choice":
            return tr("choose one of {values}").format(values=", ".join(attribute.values))
        case "number":
            return _range_words(attribute.lowest, attribute.highest)
        case "flag":
            return tr("it is yes or no")
    return tr("it is a text")
