"""Clips of a collection: which videos a folder holds, and what a manifest says of a document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.model.collection import Collection
from app.model.document import Document
from app.words import tr
from app.work import opening, schema
from app.work.errors import SessionError
from app.work.filing import Kept
from app.work.triage import Triage

VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv")


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
    for track in doc.tracks.values():
        labelled.update(track.frames)
    return {
        "project": str(project.absolute()),
        "objects": len(doc.tracks),
        "boxes": sum(one.present for one in seen),
        "labelled": len(labelled),
        "verified": sum(one.verified for one in seen),
        "suspicious": Triage(opening.glance(doc, frames)).left()[1],
    }


def videos_in(folder: Path) -> list[Path]:
    """The videos of a folder in the order of their names. Raises `SessionError` when there is none."""
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in VIDEOS)
    except OSError as error:
        raise SessionError(
            tr("{folder} cannot be read: {error}; choose another folder").format(
                folder=folder, error=error.strerror or error
            )
        ) from error
    if not found:
        raise SessionError(tr("{folder} holds no videos; choose a folder of videos").format(folder=folder.name))
    return found


def holds_videos(folder: Path) -> bool:
    """Whether a folder is one of videos, not of images."""
    try:
        return bool(videos_in(folder))
    except SessionError:
        return False


def with_counts(collection: Collection, told: list[tuple[str, dict[str, Any]]], doc: Document) -> Collection:
    """The collection with new counts, and with the labels of the document that was saved."""
    for video, values in told:
        at = collection.find(video)
        if at is not None:
            collection = collection.with_clip(at, msgspec.structs.replace(collection.clips[at], **values))
    return msgspec.structs.replace(collection, labels=schema.merged(collection.labels, doc.labels))
