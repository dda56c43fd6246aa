"""The options of a format as text: ``name=value`` on the command line, and what there is to choose."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Literal

import msgspec

from app.formats.base import Format, FormatError
from app.words import tr

_YES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class Option(msgspec.Struct, frozen=True):
    """One option for people. ``values``: what it may be, in words; ``default`` as it would be given."""

    name: str
    values: str
    default: str
    hint: str


def options_of(chosen: Format, kind: type[msgspec.Struct] | None = None) -> list[Option]:
    """The options of a format, in the order in which the dialogs show them. ``kind``: those at reading, else export."""
    kind = kind or chosen.params
    hints = typing.get_type_hints(kind, include_extras=True)
    return [
        Option(field.name, _values(hints[field.name]), _text(field), _hint(hints[field.name]))
        for field in msgspec.structs.fields(kind)
    ]


def parse_options(chosen: Format, given: Sequence[str], kind: type[msgspec.Struct] | None = None) -> msgspec.Struct:
    """The params of a format (or a ``kind`` of its own) from ``name=value`` texts; the others keep their defaults.

    Several values of one option have commas between them. Raises `FormatError` naming the option and what it may be.
    """
    kind = kind or chosen.params
    known = {option.name: option for option in options_of(chosen, kind)}
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in known:
            names = ", ".join(known) or "none"
            what = f"{chosen.title} has no option '{name}'" if equals else f"the option '{name}' has no value"
            raise FormatError(what, remedy=tr("Give it as name=value; known are: {names}.").format(names=names))
        if name in values:
            raise FormatError(tr("the option '{name}' is given twice").format(name=name), remedy=tr("Give it once."))
        several = typing.get_origin(_present(hints[name])[0]) in (tuple, list)
        raw: Any = [part.strip() for part in value.split(",") if part.strip()] if several else value
        if bool in _present(hints[name]):
            raw = _YES.get(value.lower(), value)
        try:
            msgspec.convert({name: raw}, kind, strict=False)
        except msgspec.ValidationError as error:
            why = str(error).partition(" - at ")[0]
            raise FormatError(
                tr("the option {name}={value} is not possible ({why})").format(name=name, value=value, why=why),
                remedy=tr("It may be {values}.").format(values=known[name].values),
            ) from None
        values[name] = raw
    return msgspec.convert(values, kind, strict=False)


def _present(hint: Any) -> list[Any]:
    """The types that a value may have, without None and annotations."""
    if typing.get_origin(hint) is typing.Annotated:
        return _present(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, UnionType):
        return [kind for part in typing.get_args(hint) if part is not NoneType for kind in _present(part)]
    return [hint]


def _metas(hint: Any) -> list[msgspec.Meta]:
    found = [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, msgspec.Meta)]
    return found + [meta for part in typing.get_args(hint) for meta in _metas(part)]


def _hint(hint: Any) -> str:
    metas = _metas(hint)
    return next((meta.description or meta.title or "" for meta in metas if meta.description or meta.title), "")


def _values(hint: Any) -> str:
    kind = _present(hint)[0]
    if typing.get_origin(kind) is Literal:
        return " or ".join(map(str, typing.get_args(kind)))
    if kind is bool:
        return "yes or no"
    if typing.get_origin(kind) in (tuple, list):
        return "numbers with commas between" if int in typing.get_args(kind) else "words with commas between"
    bounds = {
        name: value
        for meta in _metas(hint)
        for name in ("ge", "gt", "le", "lt")
        if (value := getattr(meta, name)) is not None
    }
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    limits = " ".join(words[name].format(value) for name, value in bounds.items())
    what = {int: "a whole number", float: "a number"}.get(kind, "text")
    return f"{what} {limits}".strip()


def _text(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else None
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
