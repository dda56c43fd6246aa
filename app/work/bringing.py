"""The labels that a data set has for a clip, brought in while it is opened, as one step that can be taken back."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from app.formats.base import FormatError
from app.formats.detect import read
from app.formats.project import ProjectError
from app.formats.roots import title
from app.model.collection import Clip
from app.model.edits import Edit, Group, apply
from app.model.history import Taken
from app.words import tr, trn
from app.work import opening
from app.work.incoming import fit
from app.work.opening import Opened
from app.work.packing import pack


@dataclass(frozen=True)
class Brought:
    """What came in, in words, and what of it does not fit the clip; or why nothing could be read."""

    said: str = ""
    notes: tuple[str, ...] = ()
    error: Exception | None = None


def bring(clip: Clip, found: Opened) -> Generator[str, None, tuple[Opened, Brought]]:
    """What was opened with the labels of ``clip.truths`` in it, or as it was where they cannot be read; slow.

    All of the work is done here, that of the main lane too: the lanes of long ones take their time.
    """
    name = title(clip.format)
    yield tr("Reading the labels of {name}…").format(name=name)
    doc, notes = found.document.copy(), []
    edits: list[Edit] = []
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
        return found, Brought(error=error)
    if not edits:
        return found, Brought()
    doc = found.document.copy()
    back, change = apply(Group(tuple(edits)), doc)
    taken = Taken(tr("Import the labels of {clip}").format(clip=clip.name), back, change)
    said = trn("{name} brought {count} object with {boxes} boxes; Ctrl+Z takes it back",
               "{name} brought {count} objects with {boxes} boxes; Ctrl+Z takes them back", objects)  # fmt: skip
    lanes = opening.glance(doc, found.media.frames)
    opened = dataclasses.replace(found, document=doc, lanes=lanes, packed=pack(doc), taken=taken)
    return opened, Brought(said.format(name=name, count=objects, boxes=boxes), tuple(notes))
