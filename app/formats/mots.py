"""MOTS: masks of objects by their classes, as text or as pictures.

- Text: ``<clip>/gt/gt.txt``, a line ``frame id class height width mask`` for each object on each frame, frames counted
  from 1, the mask in COCO's compressed run lengths.
- Pictures: ``instances/<clip>/000000.png`` of 16 bits for each frame, the pixels being ids, 0 where there is none.
- An id is 1000 times the class and the object's number. Classes: 1 car, 2 pedestrian, 10 ignored (always 10000), and
  our others from 3 on, which official tools refuse.
- A frame without the object was never labelled, or the object is absent.
- Masks do not overlap, see `app.formats.layers`.
- Frame pictures: ``<clip>/img1/000001.jpg`` beside the text, ``images/<clip>/000000.jpg`` beside the pictures.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from app.formats.base import LOST, Aspect, FormatError, Preflight
from app.formats.layers import layer, masked, told
from app.formats.mot import seqinfo
from app.formats.mots_read import IGNORED, NAMES, PER_CLASS, read, recognises
from app.formats.names import stem
from app.formats.selection import Selection
from app.formats.sequence_folder import NOTE, FolderParams, SequenceFolder, note_of, put, put_numbers
from app.model.document import Document
from app.words import tr

_HIGHEST = 65  # a class whose ids fit into 16 bits


class MotsParams(FolderParams, frozen=True, kw_only=True):
    """Options of a MOTS export."""

    masks: Annotated[
        Literal["text", "pictures"],
        msgspec.Meta(title="Masks", description="A text of run lengths, or a picture of 16 bits a frame"),
    ] = "text"


class MotsFormat(SequenceFolder):
    """See the module's text for the conventions, `MotsParams` for the options."""

    id = "mots"
    title = "MOTS"
    params = MotsParams
    needs = "mask"
    ours = re.compile(
        rf"[^/]+/(gt/gt\.txt|seqinfo\.ini|{re.escape(NOTE)}|img1/\d{{6,}}\.jpg)|{re.escape(NOTE)}|"
        r"instances/[^/]+/\d{6,}\.png|images/[^/]+/\d{6,}\.jpg"
    )
    holds: Mapping[Aspect, str] = {
        Aspect.BOXES: "those of the masks",
        Aspect.MASKS: "kept where they do not overlap; the smaller one is in front",
        Aspect.TRACKS: "ids in siamlabel.json; those without a mask are lost",
        Aspect.LABELS: "in siamlabel.json; those without a track are lost; official tools know car and pedestrian",
        Aspect.STATES: LOST,
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: LOST,
        Aspect.COVER: LOST,
        Aspect.IGNORED: "kept as one",
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "in siamlabel.json",
        Aspect.UNLABELLED: "kept; absent frames become unlabelled",
    }

    def chosen(self, doc: Document, params: Any) -> tuple[Selection, Preflight]:
        chosen, tally = masked(doc, params, absent=False)
        others = []
        own = [number for number in classes_of(chosen.document).values() if number not in (1, 2)]
        if own and any(not track.ignored for track in chosen.document.tracks.values()):
            others.append(
                tr("Labels that official tools for MOTS refuse, who know car and pedestrian: {count}.").format(
                    count=len(own)
                )
            )
        if params.with_frames:
            others.append(tr("Frame pictures are written as JPEG, which alters pixels slightly."))
        numbers_of(chosen.document)
        return chosen, told(chosen, tally, *others)

    def labels(self, kept: Document, part: Path, params: Any) -> Generator[float, None, list[str]]:
        assert kept.video is not None
        numbers = numbers_of(kept)
        note, clip = note_of(kept, numbers), stem(kept.video)
        if params.masks == "text":
            rows = sorted((frame, key) for key, track in kept.tracks.items() for frame in track.frames)
            lines = []
            for done, (frame, key) in enumerate(rows):
                mask = kept.tracks[key].frames[frame].mask
                assert mask is not None
                number = numbers[key]
                told = (frame + 1, number, number // PER_CLASS, mask.height, mask.width, mask.counts.decode("ascii"))
                lines.append(" ".join(map(str, told)) + "\n")
                if done % 500 == 499:
                    yield done / len(rows)
            return [
                put(part, f"{clip}/gt/gt.txt", "".join(lines)),
                put(part, f"{clip}/seqinfo.ini", seqinfo(kept.video)),
                put(part, f"{clip}/{NOTE}", note),
            ]
        written = [put(part, NOTE, note)]
        for frame in range(kept.video.frames):
            pixels = layer(kept.tracks, numbers, frame, kept.video.height, kept.video.width)
            written.append(put_numbers(part, f"instances/{clip}/{frame:06d}.png", pixels))
            yield frame / kept.video.frames
        return written

    def shown(self, kept: Document, params: Any) -> Path:
        assert kept.video is not None
        clip = stem(kept.video)
        return Path(clip, "img1") if params.masks == "text" else Path("images", clip)

    def picture(self, frame: int, params: Any) -> str:
        return f"{frame + (params.masks == 'text'):06d}.jpg"

    def read(self, path: Path) -> Document:
        return read(Path(path))

    def recognises(self, path: Path) -> bool:
        return recognises(Path(path))


MOTS = MotsFormat()


def classes_of(kept: Document) -> dict[str, int]:
    """The number of each label's class."""
    known = {name: number for number, name in NAMES.items()}
    labels = dict.fromkeys(track.label for track in kept.tracks.values() if not track.ignored)
    numbers = {label: known[label.lower()] for label in labels if label.lower() in known}
    free = (number for number in range(3, _HIGHEST + 2) if number != IGNORED // PER_CLASS)
    return numbers | {label: next(free, _HIGHEST + 1) for label in labels if label not in numbers}


def numbers_of(kept: Document) -> dict[int, int]:
    """The ids in the files by those of the tracks: the same within a class where they are small enough.

    Raises `FormatError` for more classes or objects than there are ids.
    """
    classes = classes_of(kept)
    if any(number > _HIGHEST for number in classes.values()):
        raise FormatError(
            tr("{count} labels are too many for MOTS").format(count=len(classes)),
            remedy=tr("Choose tracks of fewer labels."),
        )
    large = any(key >= PER_CLASS for key in kept.tracks)
    out: dict[int, int] = {}
    used: dict[int, int] = {}
    for key, track in kept.tracks.items():
        if track.ignored:
            out[key] = IGNORED
            continue
        kind = classes[track.label]
        used[kind] = used.get(kind, 0) + 1
        if used[kind] >= PER_CLASS:
            raise FormatError(
                tr("there are more than 999 objects called '{label}'").format(label=track.label),
                remedy=tr("Choose fewer tracks."),
            )
        out[key] = PER_CLASS * kind + (used[kind] if large else key)
    return out
