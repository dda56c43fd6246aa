"""Reading YouTube-VIS: what `app.formats.youtube_vis` writes, and files of others about one video."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError
from app.formats.coco_masks import mask_of
from app.formats.extras import Extras, OurFile, Run, add_absent, observed
from app.formats.json_io import decode
from app.formats.keys import Filler
from app.formats.names import colour_or, leads_away
from app.formats.several import member_of, the_one
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask, broken
from app.model.tracks import AttributeValue, State, Track
from app.words import mark, tr

_FIX = mark("Correct the entry, or export the file again.")


class TrackSays(msgspec.Struct, omit_defaults=True):
    """What we add to an annotation; ``frames``: what is said on each frame that has a box."""

    colour: str = ""
    attributes: dict[str, AttributeValue] = {}
    absent: list[Run] = []
    frames: dict[int, Extras] = {}


class _Video(msgspec.Struct):
    id: int
    width: int
    height: int
    length: int
    file_names: list[str] = []


class _Category(msgspec.Struct):
    id: int
    name: str


class _Annotation(msgspec.Struct):
    id: int
    category_id: int
    video_id: int | None = None
    bboxes: list[list[float] | None] | None = None
    segmentations: list[Any] | None = None
    iscrowd: int = 0
    siamlabel: TrackSays | None = None


class _File(msgspec.Struct):
    videos: list[_Video]
    categories: list[_Category] = []
    annotations: list[_Annotation] | None = None  # null in the published files without labels
    siamlabel: OurFile | None = None


def read(path: Path) -> Document:
    """The document of a video in a YouTube-VIS file; ``FILE/NAME`` is one of several.

    Raises `FormatError` naming annotation and frame.
    """
    path, wanted = member_of(Path(path))
    return _Reader(path, wanted, decode(path, _File, tr("a YouTube-VIS annotation file"))).document()


class _Reader:
    """One pass over a decoded file; every method raises `FormatError` naming the entry at fault."""

    def __init__(self, path: Path, wanted: str, file: _File) -> None:
        self.path = path
        self.file = file
        names = [_name(video) or str(video.id) for video in file.videos]
        self.about = file.videos[the_one(path, wanted, names, "videos")]
        self.notes = file.annotations or []
        if len(file.videos) > 1:
            self.notes = [note for note in self.notes if note.video_id == self.about.id]
            used = {note.category_id for note in self.notes}
            file.categories = [category for category in file.categories if category.id in used]
        self.ours = file.siamlabel or OurFile()
        self.filler = Filler()

    def document(self) -> Document:
        video = self._video()
        categories = self._categories()
        doc = Document(video=video, labels=self.ours.named(list(categories.values())))
        colours = {label.name: label.colour for label in doc.labels}
        shift = max(0, 1 - min((note.id for note in self.notes), default=1))
        for note in self.notes:
            where = f"annotations, id {note.id}"
            if note.id + shift in doc.tracks:
                self._fail(where, tr("the id is used twice"))
            if note.video_id not in (None, self.about.id):
                self._fail(where, tr("there is no video {video_id}").format(video_id=note.video_id))
            name = categories.get(note.category_id)
            if name is None:
                self._fail(where, tr("there is no category {category_id}").format(category_id=note.category_id))
            says = note.siamlabel or TrackSays()
            colour = colour_or(says.colour, colours[name])
            track = Track(note.id + shift, name, colour, attributes=says.attributes, ignored=bool(note.iscrowd))
            self._frames(track, note, says, video, where)
            doc.tracks[track.id] = track
        self.ours.put_comments(doc, video.frames, self._fail)
        doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
        return doc

    def _fail(self, where: str, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, self.path, where, remedy)

    def _video(self) -> VideoRef:
        video = self.about
        where = f"videos, id {video.id}"
        if not 0 <= video.length < MAX_FRAMES:
            self._fail(where, tr("a length of {length} frames is impossible").format(length=video.length))
        if video.width < 1 or video.height < 1 or video.width * video.height > MAX_PIXELS:
            self._fail(
                where,
                tr("a picture of {width} x {height} pixels is not supported").format(
                    width=video.width, height=video.height
                ),
            )
        if video.file_names and len(video.file_names) != video.length:
            self._fail(
                where,
                tr("{count} file names do not fit a length of {length}").format(
                    count=len(video.file_names), length=video.length
                ),
            )
        if any(map(leads_away, video.file_names)):
            self._fail(where, tr("a file name leads out of its folder"))
        about = self.ours.video
        fps = about.fps if about is not None and about.fps >= 0 else 0.0
        name = about.name if about is not None else _name(video) or self.path.stem
        fingerprint = about.fingerprint if about is not None else ""
        return VideoRef(name, fingerprint, video.length, video.width, video.height, fps)

    def _categories(self) -> dict[int, str]:
        out: dict[int, str] = {}
        for category in self.file.categories:
            if category.id in out or category.name in out.values():
                self._fail(f"categories, id {category.id}", tr("the id or the name is used twice"))
            out[category.id] = category.name
        return out

    def _frames(self, track: Track, note: _Annotation, says: TrackSays, video: VideoRef, where: str) -> None:
        masks: dict[int, Mask] = {}
        for name, given in (("bboxes", note.bboxes), ("segmentations", note.segmentations)):
            if given is not None and len(given) != video.frames:
                self._fail(
                    f"{where}, {name}",
                    tr("{count} entries do not fit the {frames} frames of the video").format(
                        count=len(given), frames=video.frames
                    ),
                )
        for frame, segmentation in enumerate(note.segmentations or ()):
            try:
                mask = mask_of(segmentation, video.height, video.width)
            except (ValueError, TypeError, OverflowError) as error:
                self._fail(f"{where}, segmentations, frame {frame}", str(error))
            if mask is not None:
                masks[frame] = mask
        for frame, bad in zip(masks, broken(list(masks.values())), strict=True):
            if bad:
                what = tr("the run lengths do not fill {width} x {height} pixels").format(
                    width=video.width, height=video.height
                )
                self._fail(f"{where}, segmentations, frame {frame}", what)
        boxes: dict[int, Box] = {}
        for frame, box in enumerate(note.bboxes or ()):
            if box is None:
                continue
            if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) < 0:
                self._fail(
                    f"{where}, bboxes, frame {frame}", tr("a box is x, y, and a width and a height of at least 0")
                )
            boxes[frame] = Box(*box)
        for frame in sorted(boxes.keys() | masks.keys()):
            mask = masks.get(frame)
            box = boxes.get(frame) or (mask.box if mask is not None else None)
            if box is None:
                continue  # a mask without pixels says nothing
            extras = says.frames.get(frame, Extras())
            if extras.state in (State.OUT_OF_VIEW, State.LOST):
                self._fail(f"{where}, siamlabel.frames, {frame}", tr("an absent object has no box"))
            track.frames[frame] = observed(extras, self._fail, f"{where}, frame {frame}", box=box, mask=mask)
        add_absent(track.frames, says.absent, video.frames, self.filler, self._fail, f"{where}, siamlabel.absent")
        track.frames = dict(sorted(track.frames.items()))


def _name(video: _Video) -> str:
    """The folder of the pictures, which YouTube-VIS has instead of a name."""
    return video.file_names[0].replace("\\", "/").rpartition("/")[0] if video.file_names else ""
