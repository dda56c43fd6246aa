"""Documents and edits as bytes for the journal, piece by piece: packing lets no other thread run meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.model.document import Document
from app.model.edits import Edit, Group


@dataclass(frozen=True)
class Base:
    """The document that the edits after it are made to."""

    project: str | None
    video: str
    unsaved: bool
    at: float
    document: bytes


@dataclass(frozen=True)
class Entry:
    """An edit on its way to the journal."""

    at: float
    edit: Edit


@dataclass(frozen=True)
class Row:
    """An edit as the journal keeps it."""

    at: float
    body: bytes


def latest(items: Sequence[Base | Row]) -> list[Base | Row]:
    """Without what a later base makes obsolete."""
    start = max((at for at, item in enumerate(items) if isinstance(item, Base)), default=0)
    return list(items[start:])


def packed(what: Edit | Document) -> bytes:
    """As msgpack. Raises ValueError, TypeError or OverflowError for what cannot be kept (an integer beyond 64 bits)."""
    if isinstance(what, Group):
        return msgspec.msgpack.encode({"type": "Group", "edits": [msgspec.Raw(packed(part)) for part in what.edits]})
    if isinstance(what, Document):
        fields = {name: getattr(what, name) for name in Document.__struct_fields__}
        tracks = {id_: msgspec.Raw(msgspec.msgpack.encode(track)) for id_, track in what.tracks.items()}
        return msgspec.msgpack.encode(fields | {"tracks": tracks})
    return msgspec.msgpack.encode(what)


def pack(doc: Document) -> bytes | None:
    """``doc`` as the journal keeps it; None when it holds what cannot be kept, which the journal then tells itself."""
    try:
        return packed(doc)
    except (ValueError, TypeError, OverflowError):
        return None
