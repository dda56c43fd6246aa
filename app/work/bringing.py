"""The labels that a data set has for a clip, read when the clip is first opened; to be taken in one step."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from app.formats.base import FormatError
from app.formats.detect import read
from app.formats.project import ProjectError
from app.formats.roots import title
from app.model.collection import Clip
from app.model.document import Document
from app.model.edits import Edit, Group, apply
from app.words import tr, trn
from app.work.incoming import fit


@dataclass(frozen=True)
class Brought:
    """``edit`` brings the labels in; None when there are none or ``error`` says why they cannot be read.

    ``said``: what comes in, in words; ``notes``: what of it does not fit the clip.
    """

    edit: Edit | None = None
    said: str = ""
    notes: tuple[str, ...] = ()
    error: Exception | None = None


def bring(clip: Clip, here: Document) -> Generator[str, None, Brought]:
    """Read what ``clip.truths`` hold and fit it to ``here``, which stays as it is; slow. Yields words about it."""
    name = title(clip.format)
    yield tr("Reading the labels of {name}…").format(name=name)
    doc, edits, notes = here.copy(), [], []
    objects = boxes = 0
    try:
        for truth in map(Path, clip.truths):
            incoming = fit(read(truth, clip.format), doc, truth, clip.format)
            apply(incoming.edit, doc)
            edits += incoming.edit.edits
            notes += [note for note in incoming.notes if note not in notes]
            objects += len(incoming.tracks)
            boxes += sum(one[1] for one in incoming.tracks)
            yield ""
    except (FormatError, ProjectError, OSError, MemoryError) as error:
        return Brought(error=error)
    if not edits:
        return Brought()
    said = trn("{name} brought {count} object with {boxes} boxes; Ctrl+Z takes it back",
               "{name} brought {count} objects with {boxes} boxes; Ctrl+Z takes them back", objects)  # fmt: skip
    return Brought(Group(tuple(edits)), said.format(name=name, count=objects, boxes=boxes), tuple(notes))
