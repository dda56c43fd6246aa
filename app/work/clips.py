"""Clips of a collection: where its manifest lies, and what that says of a document."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app import diagnostics
from app.formats.collection import SUFFIX
from app.model.collection import Collection
from app.model.document import Document
from app.work import opening, schema
from app.work.filing import Kept
from app.work.triage import Triage


@dataclass(frozen=True)
class Saving:
    """A clip that was left, as it is about to be saved."""

    kept: Kept
    video: str
    doc: Document
    state: int
    target: Path


def counts(doc: Document, project: Path) -> dict[str, Any]:
    """What a manifest says of a document, by the names of `Clip`."""
    frames = doc.video.frames if doc.video is not None else 0
    seen = [one for track in doc.tracks.values() for one in track.frames.values()]
    labelled: set[int] = set()
    open_: set[int] = set()
    for track in doc.tracks.values():
        labelled.update(track.frames)
        open_.update(frame for frame, one in track.frames.items() if not one.protected)
    return {
        "project": str(project.absolute()),
        "objects": len(doc.tracks),
        "boxes": sum(one.present for one in seen),
        "labelled": len(labelled),
        "vouched": len(labelled - open_),
        "verified": sum(one.verified for one in seen),
        "suspicious": Triage(opening.glance(doc, frames)).left()[1],
    }


def manifest_for(folder: Path) -> Path:
    """Where the manifest of a folder's clips lies: in it, or among the user's documents where it cannot be written."""
    inside = folder / f"{folder.name}{SUFFIX}"
    if inside.exists() or os.access(folder, os.W_OK):
        return inside
    return diagnostics.paths().documents / f"{folder.parent.name}-{folder.name}{SUFFIX}"


def with_counts(collection: Collection, told: list[tuple[str, dict[str, Any]]], doc: Document) -> Collection:
    """The collection with new counts, and with the labels of the document that was saved."""
    for video, values in told:
        at = collection.find(video)
        if at is not None:
            collection = collection.with_clip(at, msgspec.structs.replace(collection.clips[at], **values))
    return msgspec.structs.replace(collection, labels=schema.merged(collection.labels, doc.labels))
