"""Reading COCO: what `app.formats.coco` writes, and plain COCO, CocoVID or CVAT files about one video.

Everything is checked before it becomes part of a document; nothing in a file decides about paths or memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError
from app.formats.coco_file import content
from app.formats.coco_masks import mask_of
from app.formats.coco_others import crowd, first_name, frames_of, root_of
from app.formats.coco_seen import observed
from app.formats.extras import plain_values
from app.formats.json_io import decoded
from app.formats.keys import Filler
from app.formats.names import colour_or, leads_away
from app.formats.several import member_of, the_one
from app.model.document import COLOURS, Attribute, Comment, Document, Label, VideoRef
from app.model.masks import Mask, broken
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark, tr

APART = "siamlabel_ignored"
"""The list of annotations that other tools must not see."""

_FIX = mark("Correct the entry, or export the file again.")


class _Video(msgspec.Struct):
    id: int
    name: str = ""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    length: int | None = None
    fingerprint: str = ""


class _Image(msgspec.Struct):
    id: int
    width: int
    height: int
    file_name: str = ""
    extra: Any = None
    video_id: int | None = None
    frame_id: int | None = None
    frame_index: int | None = None  # TAO's name


class _Category(msgspec.Struct):
    id: int
    name: str
    supercategory: Any = ""
    colour: str = ""
    siamlabel_attributes: tuple[Attribute, ...] = ()


class _Run(msgspec.Struct):
    first: int
    last: int
    state: State
    source: Source = Source.IMPORTED
    verified: bool = False
    keyframe: bool = False
    score: float | None = None
    cover: int | None = None
    signals: dict[str, float] = {}
    attributes: dict[str, AttributeValue] = {}


class _Track(msgspec.Struct):
    id: int
    category_id: int
    video_id: int | None = None
    colour: str = ""
    absent: list[_Run] = []
    ignored: bool = False
    attributes: dict[str, Any] = {}


class _Annotation(msgspec.Struct):
    id: int
    image_id: int
    category_id: int
    bbox: list[float] | None = None
    segmentation: Any = None
    track_id: int | None = None
    instance_id: int | None = None  # CocoVID's name
    attributes: dict[str, Any] | None = None
    iscrowd: int | None = 0
    score: float | None = None


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation] = []
    categories: list[_Category] = []
    videos: list[_Video] = []
    tracks: list[_Track] = []
    siamlabel_comments: list[Comment] = []
    siamlabel_ignored: list[_Annotation] = []


_Entry = TypeVar("_Entry", _Video, _Image, _Category, _Track, _Annotation)


def read(path: Path) -> Document:
    """The document of a video in a COCO file, or in one of an archive; ``FILE/NAME`` is one of several of either.

    Images without ``frame_id`` count as frames in the order of their names, see `app.formats.coco_others`. Without a
    track id an annotation is a track of its own; without a box it has its mask's. Raises `FormatError`.
    """
    path, wanted = member_of(Path(path))
    data, wanted = content(path, wanted)
    file = decoded(data, path, _File, tr("a COCO annotation file"), strict=False)
    if file.videos:
        chosen = file.videos[the_one(path, wanted, [one.name or str(one.id) for one in file.videos], "videos")]
        if len(file.videos) > 1:
            _narrow(file, chosen)
    elif wanted:
        raise FormatError(
            tr("the file does not say which clips it is about"), path, "videos", tr("Choose the file itself.")
        )
    return _Reader(path, file).document()


def _narrow(file: _File, video: _Video) -> None:
    """Leave nothing in ``file`` but what is about ``video``."""
    file.videos = [video]
    file.images = [image for image in file.images if image.video_id == video.id]
    there = {image.id for image in file.images}
    file.annotations = [note for note in file.annotations if note.image_id in there]
    seen = {note.track_id for note in file.annotations}
    file.tracks = [track for track in file.tracks if track.id in seen or track.video_id == video.id]
    used = {one.category_id for one in (*file.annotations, *file.tracks)}
    file.categories = [category for category in file.categories if category.id in used]


class _Reader:
    """One pass over a decoded file; every method raises `FormatError` naming the entry at fault."""

    def __init__(self, path: Path, file: _File) -> None:
        self.path = path
        self.file = file
        file.annotations += file.siamlabel_ignored
        self.filler = Filler()
        self.images = self._by_id("images", file.images)
        self.categories = self._by_id("categories", file.categories)
        self.videos = self._by_id("videos", file.videos)
        self.declared = self._by_id("tracks", file.tracks)
        self._by_id("annotations", file.annotations)

    def document(self) -> Document:
        frames = self._frames()
        video = self._video(frames)
        labels = self._labels()
        doc = Document(video=video, labels=list(labels.values()))
        observations = self._observations()
        names = self._track_names()
        for declared in self.file.tracks:
            track = self._track(doc, names[declared.id], declared.category_id, labels, declared.colour)
            track.ignored = declared.ignored
            track.attributes = plain_values(declared.attributes)
        for number, (note, obs) in enumerate(zip(self.file.annotations, observations, strict=True)):
            given = _given_id(note)
            name = names[("alone", number) if given is None else given]
            track = self._track(doc, name, note.category_id, labels, "")
            frame = frames[note.image_id]
            if frame in track.frames:
                self._fail(
                    f"annotations, id {note.id}",
                    tr("track {given} has two entries for frame {frame}").format(given=given, frame=frame),
                )
            ignored = crowd(note.iscrowd, note.segmentation, note.attributes or {})
            if not track.frames and ignored:
                track.ignored = True
            elif not ignored:
                track.ignored = False  # one proper annotation makes it an object
            track.frames[frame] = obs
        for declared in self.file.tracks:
            self._absent(doc.tracks[names[declared.id]], declared, video)
        for track in doc.tracks.values():
            track.frames = dict(sorted(track.frames.items()))
        self._comments(doc)
        doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
        return doc

    def _comments(self, doc: Document) -> None:
        length = doc.video.frames if doc.video is not None else 0
        for comment in self.file.siamlabel_comments:
            where = f"siamlabel_comments, id {comment.id}"
            if comment.id in doc.comments or comment.id in doc.tracks:
                self._fail(where, tr("the id is used twice"))
            if comment.frame >= length:
                self._fail(where, tr("there is no frame {frame}").format(frame=comment.frame))
            if comment.track is not None and comment.track not in doc.tracks:
                self._fail(where, tr("there is no track {track}").format(track=comment.track))
            doc.comments[comment.id] = comment

    def _fail(self, where: str, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, self.path, where, remedy)

    def _by_id(self, key: str, entries: list[_Entry]) -> dict[int, _Entry]:
        known: dict[int, _Entry] = {}
        for entry in entries:
            if entry.id in known:
                self._fail(f"{key}, id {entry.id}", tr("the id is used twice"))
            known[entry.id] = entry
        return known

    def _frames(self) -> dict[int, int]:
        """Frame number of each image id."""
        numbered = [image.frame_id if image.frame_id is not None else image.frame_index for image in self.file.images]
        if None in numbered and any(number is not None for number in numbered):
            self._fail("images", tr("some images have a frame_id and some have none"))
        if None in numbered:
            numbered = list(frames_of([first_name(image.file_name, image.extra) for image in self.file.images]))
        out: dict[int, int] = {}
        used: set[int] = set()
        for image, frame in zip(self.file.images, numbered, strict=True):
            where = f"images, id {image.id}"
            assert frame is not None
            if not 0 <= frame < MAX_FRAMES:
                self._fail(where, tr("frame number {frame} is impossible").format(frame=frame))
            if frame in used:
                self._fail(
                    where,
                    tr("frame {frame} is there twice").format(frame=frame),
                    tr("Several videos in one file? List them."),
                )
            if image.width <= 0 or image.height <= 0 or image.width * image.height > MAX_PIXELS:
                self._fail(
                    where,
                    tr("a picture of {width} x {height} pixels is not supported").format(
                        width=image.width, height=image.height
                    ),
                )
            if leads_away(image.file_name):
                self._fail(where, tr("the file name '{name}' leads out of its folder").format(name=image.file_name))
            used.add(frame)
            out[image.id] = frame
        return out

    def _video(self, frames: dict[int, int]) -> VideoRef | None:
        about = self.file.videos[0] if self.file.videos else _Video(id=1)
        for image in self.file.images:
            if self.file.videos and image.video_id not in (None, about.id):
                self._fail(f"images, id {image.id}", tr("there is no video {video_id}").format(video_id=image.video_id))
        sizes = {(image.width, image.height) for image in self.file.images}
        if about.width is not None and about.height is not None:
            sizes.add((about.width, about.height))
        if len(sizes) > 1:
            self._fail(
                "images", tr("the pictures have different sizes"), tr("One file describes one video of one size.")
            )
        if not sizes:
            return None
        length = max(frames.values(), default=-1) + 1
        if about.length is not None:
            if not length <= about.length < MAX_FRAMES:
                self._fail(
                    f"videos, id {about.id}",
                    tr("length {length} does not fit the {length2} frames listed").format(
                        length=about.length, length2=length
                    ),
                )
            length = about.length
        width, height = sizes.pop()
        if width <= 0 or height <= 0 or width * height > MAX_PIXELS:
            self._fail(
                f"videos, id {about.id}",
                tr("a picture of {width} x {height} pixels is not supported").format(width=width, height=height),
            )
        fps = about.fps if about.fps is not None and about.fps >= 0 else 0.0
        return VideoRef(about.name or self.path.stem, about.fingerprint, length, width, height, fps)

    def _labels(self) -> dict[int, Label]:
        labels: dict[int, Label] = {}
        names: set[str] = set()
        told = [(one.id, one.name, one.supercategory) for one in self.file.categories]
        used = {one.category_id for one in (*self.file.annotations, *self.file.tracks)}
        root = root_of(told, used)
        for order, category in enumerate(one for one in self.file.categories if one.id != root):
            if category.name in names:
                self._fail(
                    f"categories, id {category.id}",
                    tr("the name '{category}' is used twice").format(category=category.name),
                )
            names.add(category.name)
            labels[category.id] = Label(
                category.name,
                colour_or(category.colour, COLOURS[order % len(COLOURS)]),
                category.siamlabel_attributes,
            )
        return labels

    def _track_names(self) -> dict[int | tuple[str, int], int]:
        """Track number for each id in the file; ids below 1 and annotations without one get new numbers."""
        given = [_given_id(note) for note in self.file.annotations]
        wanted = dict.fromkeys([*self.declared, *(name for name in given if name is not None)])
        names: dict[int | tuple[str, int], int] = {name: name for name in wanted if name >= 1}
        fresh = max((name for name in wanted), default=0)
        fresh = max(fresh, 0)
        for name in [*wanted, *(("alone", number) for number, name in enumerate(given) if name is None)]:
            if name not in names:
                fresh += 1
                names[name] = fresh
        return names

    def _track(self, doc: Document, name: int, category: int, labels: dict[int, Label], colour: str) -> Track:
        label = labels.get(category)
        if label is None:
            return self._fail(f"track {name}", tr("there is no category {category}").format(category=category))
        track = doc.tracks.get(name)
        if track is None:
            track = doc.tracks[name] = Track(id=name, label=label.name, colour=colour_or(colour, label.colour))
        elif track.label != label.name:
            self._fail(
                f"track {name}", tr("it is both '{label}' and '{label2}'").format(label=track.label, label2=label.name)
            )
        return track

    def _absent(self, track: Track, declared: _Track, video: VideoRef | None) -> None:
        where = f"tracks, id {declared.id}"
        length = video.frames if video is not None else 0
        for run in declared.absent:
            if not 0 <= run.first <= run.last < length:
                self._fail(
                    where,
                    tr("absent frames {first} to {last} are not frames of the video").format(
                        first=run.first, last=run.last
                    ),
                )
            if run.state not in (State.OUT_OF_VIEW, State.LOST):
                self._fail(where, tr("'{state}' is no state of an absent object").format(state=run.state))
            self.filler.take(run.last - run.first + 1)
            try:
                obs = Observation(
                    **{name: getattr(run, name) for name in _Run.__struct_fields__ if name not in ("first", "last")}
                )
            except ValueError as error:
                self._fail(where, str(error))
            for frame in range(run.first, run.last + 1):
                if frame in track.frames:
                    self._fail(where, tr("frame {frame} is there twice").format(frame=frame))
                track.frames[frame] = obs

    def _observations(self) -> list[Observation]:
        masks: list[Mask | None] = []
        found = []
        for note in self.file.annotations:
            where = f"annotations, id {note.id}"
            image = self.images.get(note.image_id)
            if image is None:
                return self._fail(where, tr("there is no image {image_id}").format(image_id=note.image_id))
            try:
                masks.append(mask_of(note.segmentation, image.height, image.width))
            except (ValueError, TypeError, OverflowError) as error:
                self._fail(f"{where}, segmentation", str(error))
            found.append(
                observed(note.bbox, bool(note.segmentation), note.attributes or {}, note.score, where, self._fail)
            )
        self._check_runs(masks)
        for at, (obs, mask) in enumerate(zip(found, masks, strict=True)):
            if obs.state in (State.OUT_OF_VIEW, State.LOST):
                continue
            found[at] = obs = msgspec.structs.replace(obs, mask=mask, box=obs.box or (mask.box if mask else None))
            if obs.box is None:
                self._fail(f"annotations, id {self.file.annotations[at].id}", tr("there is neither a box nor a mask"))
        return found

    def _check_runs(self, masks: list[Mask | None]) -> None:
        there = [(note.id, mask) for note, mask in zip(self.file.annotations, masks, strict=True) if mask is not None]
        for start in range(0, len(there), 256):
            part = there[start : start + 256]
            for (number, mask), bad in zip(part, broken([mask for _, mask in part]), strict=True):
                if bad:
                    where = f"annotations, id {number}, segmentation"
                    self._fail(
                        where,
                        tr("the run lengths do not fill {width} x {height} pixels").format(
                            width=mask.width, height=mask.height
                        ),
                    )


def _given_id(note: _Annotation) -> int | None:
    inner = (note.attributes or {}).get("track_id")
    named = inner if isinstance(inner, int) and not isinstance(inner, bool) else None
    return next((name for name in (note.track_id, note.instance_id, named) if name is not None), None)
