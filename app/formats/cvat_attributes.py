"""Attributes as CVAT has them: defined by each label, text in the file, of the track or of the frame, never of both."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from itertools import chain
from xml.etree.ElementTree import Element

import msgspec

from app.formats.xml_io import xml_text
from app.model.document import Attribute, AttributeKind, Document, Label
from app.model.tracks import AttributeValue, Track

_INPUTS = {
    AttributeKind.TEXT: "text",
    AttributeKind.CHOICE: "select",
    AttributeKind.NUMBER: "number",
    AttributeKind.FLAG: "checkbox",
}
_KINDS = {text: kind for kind, text in _INPUTS.items()} | {"radio": AttributeKind.CHOICE}


def text_of(value: AttributeValue) -> str:
    """A value as CVAT writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return xml_text(value) if isinstance(value, str) else repr(value)


def value_of(text: str, kind: AttributeKind | None) -> AttributeValue:
    """The value that ``text`` is for an attribute of ``kind``; the text itself where it does not fit."""
    if kind is AttributeKind.FLAG and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind is AttributeKind.NUMBER:
        if re.fullmatch(r"[-+]?\d{1,300}", text, re.ASCII):
            return int(text)
        if re.fullmatch(r"[-+.eE\d]{1,300}", text, re.ASCII):
            try:
                value = float(text)
            except ValueError:
                return text
            return value if math.isfinite(value) else text
    return text


def guessed(text: str) -> AttributeValue:
    """The flag or number that ``text`` reads as, else the text."""
    flag = value_of(text, AttributeKind.FLAG)
    return value_of(text, AttributeKind.NUMBER) if isinstance(flag, str) else flag


def text_safe(doc: Document) -> None:
    """Give the labels and tracks of ``doc`` names that XML can hold, each label once; in place."""
    known: dict[str, Label] = {}
    for label in doc.labels:
        name = xml_text(label.name) or "object"
        known.setdefault(name, msgspec.structs.replace(label, name=name))
    doc.labels = list(known.values())
    for track in doc.tracks.values():
        track.label = xml_text(track.label) or "object"
        if track.label not in known:
            known[track.label] = Label(track.label, track.colour)
            doc.labels.append(known[track.label])


def tidy(doc: Document, tally: Counter[str]) -> None:
    """Bring the attributes of ``doc`` into the shape that CVAT knows; in place, losses counted in ``tally``.

    Every attribute in use is defined by its label. One that any frame has is an attribute of frames, and what the track
    says of it is said on each of its frames.
    """
    for at, label in enumerate(doc.labels):
        tracks = [track for track in doc.tracks.values() if track.label == label.name]
        used = _used(tracks)
        on_frames = set(chain.from_iterable(map(xml_text, o.attributes) for t in tracks for o in t.frames.values()))
        kinds: dict[str, Attribute] = {}
        for known in label.attributes:
            mended = _mended(known)
            if mended is not None:
                kinds.setdefault(mended.name, mended)
        for name, values in used.items():
            kinds.setdefault(name, Attribute(name, _kind(values)))
        for name in on_frames & kinds.keys():
            kinds[name] = msgspec.structs.replace(kinds[name], per_frame=True)
        doc.labels[at] = Label(label.name, label.colour, tuple(kinds.values()))
        for track in tracks:
            _tidy_track(track, kinds, tally)


def definition(attribute: Attribute) -> dict[str, str]:
    """The elements of an attribute's definition in CVAT's meta part."""
    values = list(attribute.values)
    if attribute.kind is AttributeKind.NUMBER:
        values = ["" if bound is None else repr(bound) for bound in (attribute.lowest, attribute.highest)] + ["1"]
    return {
        "name": attribute.name,
        "mutable": "True" if attribute.per_frame else "False",
        "input_type": _INPUTS[attribute.kind],
        "default_value": "" if attribute.default is None else text_of(attribute.default),
        "values": "\n".join(values),
    }


def defined(element: Element) -> Attribute | None:
    """The attribute that an element of the meta part defines; None for what is none of ours."""
    about = {child.tag: child.text or "" for child in element}
    name, kind = xml_text(about.get("name", "")), _KINDS.get(about.get("input_type", "").strip(), AttributeKind.TEXT)
    values = about.get("values", "").split("\n")
    lowest = highest = None
    if kind is AttributeKind.NUMBER:
        bounds = [value_of(text.strip(), kind) for text in values[:2]]
        lowest, highest = (None if isinstance(b, str) else float(b) for b in [*bounds, "", ""][:2])
    choices = tuple(dict.fromkeys(filter(None, map(xml_text, values)))) if kind is AttributeKind.CHOICE else ()
    if not name:
        return None
    if kind is AttributeKind.CHOICE and not choices:
        kind = AttributeKind.TEXT
    per_frame = about.get("mutable", "").strip().lower() == "true"
    bare = Attribute(name, kind, choices, per_frame=per_frame, lowest=lowest, highest=highest)
    default = value_of(xml_text(about.get("default_value", "")), kind)
    return msgspec.structs.replace(bare, default=default) if default != "" and bare.accepts(default) else bare


def _mended(attribute: Attribute) -> Attribute | None:
    """What `defined` will make of the `definition` of ``attribute``."""
    element = Element("attribute")
    for name, text in definition(attribute).items():
        child = Element(name)
        child.text = "\n".join(map(xml_text, text.split("\n"))) if name != "values" else text
        element.append(child)
    if attribute.kind is AttributeKind.CHOICE:
        element[-1].text = "\n".join(map(xml_text, attribute.values))
    return defined(element)


def _used(tracks: list[Track]) -> dict[str, list[AttributeValue]]:
    """Every value of each attribute, by its name in the file."""
    out: dict[str, list[AttributeValue]] = {}
    for track in tracks:
        for told in (track.attributes, *(obs.attributes for obs in track.frames.values())):
            for name, value in told.items():
                if xml_text(name):
                    out.setdefault(xml_text(name), []).append(value)
    return out


def _kind(values: list[AttributeValue]) -> AttributeKind:
    if all(isinstance(value, bool) for value in values):
        return AttributeKind.FLAG
    if any(isinstance(value, bool | str) for value in values):
        return AttributeKind.TEXT
    return AttributeKind.NUMBER


def _tidy_track(track: Track, kinds: Mapping[str, Attribute], tally: Counter[str]) -> None:
    told = _tidied(track.attributes, kinds, tally)
    everywhere = {name: value for name, value in told.items() if kinds[name].per_frame}
    tally["spread"] += len(everywhere)
    track.attributes = {name: value for name, value in told.items() if name not in everywhere}
    for frame, obs in track.frames.items():
        if obs.attributes or everywhere:
            values = everywhere | _tidied(obs.attributes, kinds, tally)
            track.frames[frame] = msgspec.structs.replace(obs, attributes=values)


def _tidied(
    told: Mapping[str, AttributeValue], kinds: Mapping[str, Attribute], tally: Counter[str]
) -> dict[str, AttributeValue]:
    out: dict[str, AttributeValue] = {}
    for name, value in told.items():
        key = xml_text(name)
        if not key or key in out:
            tally["unnamed"] += 1
            continue
        out[key] = value_of(text_of(value), kinds[key].kind)
        tally["reworded"] += out[key] != value
    return out
