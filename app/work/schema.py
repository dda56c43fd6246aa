"""Label sets as files: our own JSON, that of CVAT's label constructor, and those of other projects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.formats.project import SUFFIX, ProjectError, load_project
from app.model.document import COLOURS, Attribute, AttributeKind, Label
from app.words import tr
from app.work.errors import SessionError

FORMAT = "siamlabel-labels"
LARGEST = 16 << 20
"""Bytes; a label set is small."""


class _Ours(msgspec.Struct):
    format: str
    labels: list[Label]


class _CvatAttribute(msgspec.Struct):
    name: str
    input_type: str = "text"
    mutable: bool = False
    values: list[Any] = []
    default_value: Any = None


class _CvatLabel(msgspec.Struct):
    name: str
    color: str | None = None
    attributes: list[_CvatAttribute] = []


def read(path: Path) -> list[Label]:
    """The labels in a file. Raises `SessionError` naming the file and what is wrong with it."""
    if path.suffix.lower() == SUFFIX:
        try:
            return load_project(path).labels
        except ProjectError as error:
            raise SessionError(str(error)) from error
    try:
        if path.stat().st_size > LARGEST:
            raise SessionError(tr("{path} is too large for a label set; choose another file").format(path=path))
        data = path.read_bytes()
    except OSError as error:
        raise SessionError(
            tr("{path} cannot be read: {error}").format(path=path, error=error.strerror or error)
        ) from error
    try:
        if data.lstrip()[:1] == b"[":
            found = [_from_cvat(label, n) for n, label in enumerate(msgspec.json.decode(data, type=list[_CvatLabel]))]
        else:
            ours = msgspec.json.decode(data, type=_Ours)
            if ours.format != FORMAT:
                raise SessionError(
                    tr("{path} is not a label set: its format is {format!r} instead of {FORMAT!r}").format(
                        path=path, format=ours.format, FORMAT=FORMAT
                    )
                )
            found = ours.labels
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SessionError(
            tr(
                "{path} is not a label set ({error}); choose a project, a file that was saved here, or CVAT's labels"
            ).format(path=path, error=error)
        ) from error
    names = [label.name for label in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SessionError(
            tr("{path} has the label {twice!r} twice; rename one of them").format(path=path, twice=twice)
        )
    return found


def write(labels: Sequence[Label], path: Path) -> None:
    """Write a label set for other projects. Raises `SessionError` when the disk refuses."""
    data = msgspec.json.format(msgspec.json.encode(_Ours(FORMAT, list(labels))), indent=2) + b"\n"
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SessionError(
            tr("{path} cannot be written: {error}; choose another place").format(
                path=path, error=error.strerror or error
            )
        ) from error


def merged(known: Sequence[Label], found: Sequence[Label]) -> tuple[Label, ...]:
    """``known`` with the labels of ``found`` it lacks; those in both take the attributes that they lack."""
    new = {label.name: label for label in found}
    out: list[Label] = []
    for label in known:
        theirs = new.pop(label.name, None)
        if theirs is not None:
            told = {attribute.name for attribute in label.attributes}
            extra = tuple(attribute for attribute in theirs.attributes if attribute.name not in told)
            label = msgspec.structs.replace(label, attributes=label.attributes + extra)
        out.append(label)
    return (*out, *new.values())


def _from_cvat(label: _CvatLabel, number: int) -> Label:
    """Raises ValueError for what cannot be one of our attributes."""
    colour = (label.color or "").lower()
    if len(colour) != 7 or any(c not in "0123456789abcdef" for c in colour[1:]) or colour[0] != "#":
        colour = COLOURS[number % len(COLOURS)]
    return Label(label.name, colour, tuple(_attribute(one) for one in label.attributes))


def _attribute(said: _CvatAttribute) -> Attribute:
    values = [str(value) for value in said.values]
    given = None if said.default_value is None else str(said.default_value)
    match said.input_type:
        case "checkbox":
            default = None if given is None else given.lower() == "true"
            return Attribute(said.name, AttributeKind.FLAG, default=default, per_frame=said.mutable)
        case "number":
            bounds = [float(value) for value in values[:2]]
            low, high = (bounds[0], bounds[1]) if len(bounds) == 2 else (None, None)
            default = None if given is None else float(given)
            return Attribute(said.name, AttributeKind.NUMBER, (), default, said.mutable, low, high)
        case "select" | "radio":
            default = given if given in values else None
            return Attribute(said.name, AttributeKind.CHOICE, tuple(values), default, said.mutable)
    return Attribute(said.name, AttributeKind.TEXT, default=given, per_frame=said.mutable)
