"""Work to be journaled, for the tests of the journal."""

from __future__ import annotations

from pathlib import Path

from app.model import AddTrack, Box, Document, History, Observation, SetFrames, apply
from app.work.journal import Journal, Leftover, leftovers

PATIENCE = 60.0
"""Seconds before a wait counts as hung; never a measurement."""


def seen(x: float) -> Observation:
    return Observation(Box(x, 0, 1, 1))


def journaled(home: Path, doc: Document | None = None, **options) -> tuple[History, Journal]:
    history = History(Document() if doc is None else doc)
    journal = Journal.create(home, history.document, None, **options)
    history.subscribe(lambda edit, _: journal.record(edit))
    return history, journal


def some_work(history: History, frames: int = 20) -> None:
    history.commit(AddTrack(history.document.new_track()))
    for frame in range(frames):
        history.commit(SetFrames(1, {frame: seen(frame)}))


def only(home: Path) -> Leftover:
    found = leftovers(home)
    assert len(found) == 1
    return found[0]


def prefix(edits_done: int) -> Document:
    doc = Document()
    if edits_done:
        apply(AddTrack(doc.new_track()), doc)
        for frame in range(edits_done - 1):
            apply(SetFrames(1, {frame: seen(frame)}), doc)
    return doc
