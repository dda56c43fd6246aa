"""What the data sets with several objects in one clip share: a folder with labels, a note, and perhaps the pictures.

The note, ``siamlabel.json``, which other tools ignore, holds what such a data set does not write down: the clip's name,
length, size and rate, and id, label and colour of each object by its number in the files.
"""

from __future__ import annotations

import math
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, final

import msgspec
import numpy as np

from app.formats.atomic import write_bytes
from app.formats.base import MAX_FRAMES, MAX_PIXELS, Aspect, FormatError, Picture, Preflight, read_text, scaled
from app.formats.compare import differences
from app.formats.names import plain, stem
from app.formats.pictures import check_pictures, write_pictures
from app.formats.selection import Choice, Selection
from app.formats.single_read import FPS, NOTE, pictures
from app.model.document import Count, Document, VideoRef
from app.model.tracks import Colour, Track, TrackId
from app.words import tr


class FolderParams(Choice, frozen=True, kw_only=True):
    """Options of the data sets with several objects."""

    with_frames: Annotated[bool, msgspec.Meta(title="Frames", description="Write the pictures as JPEG, too")] = False
    jpeg_quality: Annotated[int, msgspec.Meta(title="JPEG quality", ge=1, le=100)] = 95


class NotedTrack(msgspec.Struct, frozen=True):
    """An object; ``number``: which one it is in the files."""

    number: Count
    id: TrackId
    label: str
    colour: Colour
    ignored: bool = False


class ClipNote(msgspec.Struct, frozen=True):
    """See the module's text; ``video``: the clip's name."""

    video: str
    frames: Count
    width: Count
    height: Count
    fps: float
    objects: list[NotedTrack]


class SequenceFolder(ABC):
    """One such data set; what is special about it is in the methods and values that its file overrides."""

    id: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str] = ""
    folder: ClassVar[bool] = True
    params: type[msgspec.Struct] = FolderParams
    holds: Mapping[Aspect, str]
    ours: ClassVar[re.Pattern[str]]
    """The paths of an export below its folder, with slashes."""
    needs: ClassVar[str] = "box"
    """What a track must have on some frame."""

    @abstractmethod
    def chosen(self, doc: Document, params: Any) -> tuple[Selection, Preflight]:
        """What is kept of ``doc`` and the preflight that says so."""

    @abstractmethod
    def labels(self, kept: Document, part: Path, params: Any) -> Generator[float, None, list[str]]:
        """Write all but the pictures; returns the names of the files below ``part``."""

    @abstractmethod
    def shown(self, kept: Document, params: Any) -> Path:
        """The folder of the pictures, below that of the export."""

    @abstractmethod
    def picture(self, frame: int, params: Any) -> str:
        """The name of a picture."""

    @abstractmethod
    def read(self, path: Path) -> Document:
        """See `Format.read`."""

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """See `Format.recognises`."""

    @final
    def plan(self, doc: Document, params: Any) -> Preflight:
        return self.chosen(doc, params)[1]

    @final
    def keep(self, doc: Document, params: Any) -> Document:
        kept = self.chosen(doc, params)[0].document
        if not kept.tracks:
            raise FormatError(
                tr("there is no track with a {needs} to write").format(needs=self.needs),
                remedy=tr("A {title} sequence needs one; label a frame, or choose tracks.").format(title=self.title),
            )
        return kept

    @final
    def wants_pictures(self, params: Any) -> bool:
        return params.with_frames

    @final
    def may_replace(self, out: Path) -> str:
        """Only an empty folder or an earlier export makes way, never a data set or what holds anything else."""
        if not any(out.iterdir()):
            return ""
        noted = False
        for folder, _, files in os.walk(out):
            for file in files:
                inside = Path(folder, file).relative_to(out).as_posix()
                noted = noted or file == NOTE
                if not self.ours.fullmatch(inside):
                    return tr("the folder holds '{inside}', which is no part of a {title} export").format(
                        inside=inside, title=self.title
                    )
        return "" if noted else tr("the folder holds what SiamLabel did not write as {title}").format(title=self.title)

    @final
    def write(
        self, kept: Document, part: Path, params: Any, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`."""
        assert kept.video is not None
        share = 0.3 if pictures is not None else 1.0
        part.mkdir()
        written = yield from scaled(self.labels(kept, part, params), 0.0, share)
        if pictures is not None:
            below = self.shown(kept, params)
            named = lambda frame: self.picture(frame, params)  # noqa: E731
            writing = write_pictures([part / below], named, kept.video, pictures, params.jpeg_quality)
            files = yield from scaled(writing, share, 1.0)
            written += [(below / file).as_posix() for file in files]
        return written

    @final
    def proof(self, part: Path, kept: Document, params: Any) -> Generator[float, None, list[str]]:
        found = differences(kept, self.read(part))
        yield 0.5
        if params.with_frames:
            assert kept.video is not None
            named = lambda frame: self.picture(frame, params)  # noqa: E731
            found += yield from scaled(check_pictures([part / self.shown(kept, params)], named, kept.video), 0.5, 1.0)
        return found


def put(part: Path, name: str, text: str) -> str:
    """Write a file of an export, its folders made; returns ``name``, its path below ``part``."""
    path = part / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, text.encode())
    return name


def put_numbers(part: Path, name: str, pixels: np.ndarray, palette: np.ndarray | None = None) -> str:
    """Write numbers, (height, width) uint8 or uint16, as a PNG; returns ``name``. ``palette``: (256, 3) uint8 RGB.

    Does not wait for the disk: there are thousands of them.
    """
    from PIL import Image  # most of the time nobody needs it

    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(palette.ravel().tolist())  # makes it a picture with a palette
    path = part / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "PNG")
    return name


def note_of(kept: Document, numbers: Mapping[int, int]) -> str:
    """The note of an export; ``numbers``: those in the files by the tracks' ids."""
    video = kept.video
    assert video is not None
    objects = [
        NotedTrack(numbers[key], key, track.label, track.colour, track.ignored) for key, track in kept.tracks.items()
    ]
    note = ClipNote(stem(video), video.frames, video.width, video.height, video.fps, objects)
    return msgspec.json.format(msgspec.json.encode(note), indent=1).decode() + "\n"


def read_clip_note(path: Path) -> ClipNote | None:
    """The note at ``path``, None when there is none. Raises `FormatError`."""
    if not path.is_file():
        return None
    remedy = tr("Correct the note, or remove it: the sequence can be read without.")
    try:
        note = msgspec.json.decode(read_text(path), type=ClipNote)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FormatError(str(error).replace("`$.", "`"), path, remedy=remedy) from None
    if not (0 < note.width * note.height <= MAX_PIXELS and note.frames <= MAX_FRAMES):
        what = tr("{frames} frames of {width} x {height} pixels are not possible").format(
            frames=note.frames, width=note.width, height=note.height
        )
        raise FormatError(what, path, "", remedy)
    if not (math.isfinite(note.fps) and note.fps >= 0):
        raise FormatError(tr("the rate {fps} is not possible").format(fps=note.fps), path, "fps", remedy)
    for found in ([one.id for one in note.objects], [one.number for one in note.objects]):
        if len(set(found)) < len(found):
            raise FormatError(tr("every object needs an id and a number of its own"), path, "objects", remedy)
    return note


def video_of(
    note: ClipNote | None, folder: Path, name: str, longest: int, size: tuple[int, int] | None, fps: float = FPS
) -> VideoRef | None:
    """The clip of a sequence: its note's, or else of ``longest`` frames; None where nothing says its ``size``.

    ``folder``: of the pictures, which may not be there. Raises `FormatError` for labels beyond the last frame.
    """
    shown = pictures(folder)
    frames = note.frames if note else max(longest, len(shown))
    if longest > frames:
        what = tr("there are labels up to frame {longest}, but only {frames} frames").format(
            longest=longest - 1, frames=frames
        )
        raise FormatError(what, folder.parent / NOTE, remedy=tr("Correct the labels or the note."))
    width, height = (note.width, note.height) if note else size or (0, 0)
    if not 0 < width * height <= MAX_PIXELS or frames > MAX_FRAMES:
        return None
    path = str(folder.absolute()) if shown and len(shown) == frames else plain(note.video) if note else name
    return VideoRef(path, "", frames, width, height, note.fps if note else fps)


def one_of(found: Sequence[Path], path: Path, title: str) -> Path:
    """The only one of the sequences at ``path``. Raises `FormatError` for none, and for several naming ten of them."""
    if not found:
        raise FormatError(
            tr("there is no {title} sequence").format(title=title), path, remedy=tr("Choose the folder of a sequence.")
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:10]) + (
            tr(" and {count} more").format(count=len(found) - 10) if len(found) > 10 else ""
        )
        raise FormatError(
            tr("there are {count} sequences").format(count=len(found)),
            path,
            remedy=tr("Choose one: {names}.").format(names=names),
        )
    return found[0]


def dressed(track: Track, noted: NotedTrack | None) -> Track:
    """``track`` with what the note says about it."""
    if noted is not None:
        track.id, track.label, track.colour = noted.id, plain(noted.label) or "object", noted.colour
        track.ignored = noted.ignored
    return track
