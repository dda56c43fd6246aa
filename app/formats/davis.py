"""DAVIS: ``Annotations/480p/<clip>/00000.png``, a picture with a palette for each frame.

- 0 is no object, 1 to n are the objects, the same on every frame; 255 is void, not to be evaluated: ignored regions.
  When reading, 254 is void, too, as long as there are fewer objects.
- An object that is not in a frame's picture is absent there.
- ``JPEGImages/480p/<clip>/00000.jpg``, ``ImageSets/2017/val.txt`` lists the clip. Pictures have the size of the video
  whatever the folder is called.
- Masks do not overlap, see `app.formats.layers`.
- When reading, a folder of mask pictures is enough, as other tools write them: alike but for the number of the frame at
  the end of their names. Where all there is is white, it is the object, also in DAVIS 2016.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from app.formats.base import LOST, Aspect, FormatError, Preflight
from app.formats.davis_read import VOID, read, recognises
from app.formats.layers import layer, masked, told
from app.formats.names import stem
from app.formats.selection import Selection
from app.formats.sequence_folder import NOTE, FolderParams, SequenceFolder, note_of, put, put_numbers
from app.model.document import Document
from app.words import tr

MAX_OBJECTS = 253


class DavisParams(FolderParams, frozen=True, kw_only=True):
    """Options of a DAVIS export."""

    resolution: Annotated[
        Literal["480p", "Full-Resolution"],
        msgspec.Meta(title="Folder", description="What the folder of the clip is called; sizes are the video's"),
    ] = "480p"


class DavisFormat(SequenceFolder):
    """See the module's text for the conventions, `DavisParams` for the options."""

    id = "davis"
    title = "DAVIS"
    params = DavisParams
    needs = "mask"
    ours = re.compile(
        rf"{re.escape(NOTE)}|ImageSets/2017/val\.txt|"
        r"Annotations/(480p|Full-Resolution)/[^/]+/\d{5,}\.png|JPEGImages/(480p|Full-Resolution)/[^/]+/\d{5,}\.jpg"
    )
    holds: Mapping[Aspect, str] = {
        Aspect.BOXES: "those of the masks",
        Aspect.MASKS: "kept where they do not overlap; the smaller one is in front",
        Aspect.TRACKS: "numbered from 1; ids in siamlabel.json; those without a mask are lost",
        Aspect.LABELS: "in siamlabel.json; those without a track are lost",
        Aspect.STATES: "out of view is kept; lost becomes out of view, occluded visible",
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: LOST,
        Aspect.COVER: LOST,
        Aspect.IGNORED: "kept as one",
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "in siamlabel.json",
        Aspect.UNLABELLED: "become absent",
    }

    def chosen(self, doc: Document, params: Any) -> tuple[Selection, Preflight]:
        chosen, tally = masked(doc, params, absent=True)
        if len(chosen.document.tracks) > MAX_OBJECTS:
            raise FormatError(
                tr("{count} objects are too many for DAVIS").format(count=len(chosen.document.tracks)),
                remedy=tr("Choose up to {MAX_OBJECTS} tracks.").format(MAX_OBJECTS=MAX_OBJECTS),
            )
        others = [tr("Frame pictures are written as JPEG, which alters pixels slightly.")] if params.with_frames else []
        return chosen, told(chosen, tally, *others)

    def labels(self, kept: Document, part: Path, params: Any) -> Generator[float, None, list[str]]:
        video = kept.video
        assert video is not None
        numbers = numbers_of(kept)
        clip = stem(video)
        written = [
            put(part, NOTE, note_of(kept, numbers)),
            put(part, "ImageSets/2017/val.txt", f"{clip}\n"),
        ]
        for frame in range(video.frames):
            pixels = layer(kept.tracks, numbers, frame, video.height, video.width).astype(np.uint8)
            name = f"Annotations/{params.resolution}/{clip}/{frame:05d}.png"
            written.append(put_numbers(part, name, pixels, palette()))
            yield frame / video.frames
        return written

    def shown(self, kept: Document, params: Any) -> Path:
        assert kept.video is not None
        return Path("JPEGImages", params.resolution, stem(kept.video))

    def picture(self, frame: int, params: Any) -> str:
        return f"{frame:05d}.jpg"

    def read(self, path: Path) -> Document:
        return read(Path(path))

    def recognises(self, path: Path) -> bool:
        return recognises(Path(path))


DAVIS = DavisFormat()


def palette() -> np.ndarray:
    """DAVIS' colours, which are PASCAL VOC's, by number: (256, 3) uint8 RGB."""
    numbers = np.arange(256)
    out = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            out[:, channel] |= (((numbers >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return out


def numbers_of(kept: Document) -> dict[int, int]:
    """The numbers in the pictures by the tracks' ids: 1 to n, `VOID` for the ignored region."""
    objects = [key for key, track in kept.tracks.items() if not track.ignored]
    return {key: VOID for key, track in kept.tracks.items() if track.ignored} | {
        key: at for at, key in enumerate(objects, 1)
    }
