"""Reading Label Studio video JSON: exports of a task with video rectangles, and what `app.formats.label_studio` writes.

The first annotation that was not cancelled counts, else the first prediction. Between keyframes boxes move on a
straight line, as Label Studio's own tools have it; after the last one, if it is enabled, the box stays to the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import msgspec

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError
from app.formats.extras import Extras, OurFile, OurTrack, add_absent, observed
from app.formats.json_io import decode
from app.formats.keys import Filler
from app.formats.names import colour_or, plain
from app.formats.outline import turned
from app.model.document import COLOURS, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source, Track
from app.words import mark, tr

_FIX = mark("Correct the entry, or export the task from Label Studio again.")
_FARTHEST = 1e7
"""Percent: no coordinate is that far away."""


class _Key(msgspec.Struct):
    frame: int
    x: float
    y: float
    width: float
    height: float
    enabled: bool = True
    rotation: float = 0.0
    auto: bool = False
    siamlabel: Extras | None = None


class _Value(msgspec.Struct):
    sequence: list[_Key] = []
    labels: list[str] = []
    framesCount: float | None = None  # noqa: N815


class _Meta(msgspec.Struct):
    siamlabel: OurTrack | None = None


class _Result(msgspec.Struct):
    type: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")
    id: str = ""
    meta: _Meta | None = None
    original_width: float | None = None
    original_height: float | None = None
    score: float | None = None


class _Annotation(msgspec.Struct):
    result: list[_Result] = []
    was_cancelled: bool | None = None


class _Task(msgspec.Struct):
    annotations: list[_Annotation] = []
    predictions: list[_Annotation] = []
    data: dict[str, Any] = {}
    id: int | str | None = None


def read(path: Path) -> Document:
    """The document in a Label Studio file. Raises `FormatError` naming region and frame."""
    path = Path(path)
    given = decode(path, list[_Task] | _Task, tr("a Label Studio export of a video task"))
    tasks = given if isinstance(given, list) else [given]
    chosen = [(task, results) for task in tasks if (results := _results(task))]
    if len(chosen) > 1:
        names = ", ".join(str(task.id) for task, _ in chosen[:10])
        remedy = tr("Export one task; one clip is read at a time.")
        raise FormatError(
            tr("the file holds {count} tasks with videos: {names}").format(count=len(chosen), names=names),
            path,
            remedy=remedy,
        )
    if not chosen and not (len(tasks) == 1 and "siamlabel" in tasks[0].data):
        raise FormatError(tr("there is no video rectangle in it"), path, remedy=tr("Choose an export of a video task."))
    return _Reader(path).document(*(chosen[0] if chosen else (tasks[0], [])))


def _results(task: _Task) -> list[_Result]:
    done = [annotation for annotation in task.annotations if not annotation.was_cancelled]
    for annotation in (*done, *task.predictions):
        found = [result for result in annotation.result if result.type.lower() == "videorectangle"]
        if found:
            return found
    return []


class _Reader:
    """One pass over a decoded task; every method raises `FormatError` naming the entry at fault."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.doc = Document()
        self.filler = Filler()
        self.size = (0.0, 0.0)
        self.length: int | None = None

    def document(self, task: _Task, results: list[_Result]) -> Document:
        doc = self.doc
        try:
            ours = msgspec.convert(task.data.get("siamlabel", {}), OurFile)
        except msgspec.ValidationError as error:
            self._fail("data.siamlabel", str(error))
        regions = [(self._value(result), result) for result in results]
        self._about(task, ours, regions)
        for label in ours.labels:
            colour = colour_or(label.colour, COLOURS[len(doc.labels) % len(COLOURS)])
            doc.labels.append(Label(label.name, colour, label.attributes))
        for comment in ours.comments:
            if comment.id in doc.comments:
                self._fail("data.siamlabel.comments", tr("comment {id} is there twice").format(id=comment.id))
            doc.comments[comment.id] = comment
        own = {r.meta.siamlabel.id for r in results if r.meta is not None and r.meta.siamlabel is not None}
        free = max((0, *own)) + 1
        for value, result in regions:
            about = (
                result.meta.siamlabel if result.meta is not None and result.meta.siamlabel is not None else OurTrack()
            )
            if about.id < 1 or about.id in doc.tracks:
                about, free = msgspec.structs.replace(about, id=free), free + 1
            self._track(f"region {result.id[:20]}", value, result, about)
        last = max((frame for track in doc.tracks.values() for frame in track.frames), default=-1)
        if doc.video is not None and self.length is None:
            doc.video = msgspec.structs.replace(doc.video, frames=last + 1)
        doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
        return doc

    def _fail(self, where: str, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, self.path, where, remedy)

    def _value(self, result: _Result) -> _Value:
        try:
            return msgspec.json.decode(result.value, type=_Value)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            self._fail(f"region {result.id[:20]}, value", str(error))

    def _about(self, task: _Task, ours: OurFile, regions: list[tuple[_Value, _Result]]) -> None:
        """Length and size of the video: as we wrote them, else as the results or the task's data say."""
        if ours.video is not None:
            try:
                self.doc.video = ours.video.checked()
            except ValueError as error:
                self._fail("data.siamlabel.video", str(error))
            self.length = self.doc.video.frames
            self.size = float(self.doc.video.width), float(self.doc.video.height)
            return
        given = [(r.original_width, r.original_height) for _, r in regions]
        given.append((task.data.get("width"), task.data.get("height")))
        sizes = [size for size in given if all(isinstance(side, int | float) and side > 0 for side in size)]
        if not sizes:
            self._fail(
                "data",
                tr("boxes are percentages of the picture, and its size is not in the file"),
                tr('Add "width" and "height" in pixels to the task\'s "data".'),
            )
        width, height = (int(side or 0) for side in sizes[0])
        if width < 1 or height < 1 or width * height > MAX_PIXELS:
            self._fail(
                "data", tr("a picture of {width} x {height} pixels is not supported").format(width=width, height=height)
            )
        self.size = float(width), float(height)
        counts = [value.framesCount for value, _ in regions if value.framesCount is not None]
        if counts:
            if not 0 <= max(counts) <= MAX_FRAMES:
                self._fail(
                    "framesCount", tr("a video of {counts:g} frames is not supported").format(counts=max(counts))
                )
            self.length = int(max(counts))
        name = next((text for text in task.data.values() if isinstance(text, str) and text), self.path.stem)
        self.doc.video = VideoRef(plain(name), "", self.length or 0, width, height, 0.0)

    def _track(self, where: str, value: _Value, result: _Result, ours: OurTrack) -> None:
        doc = self.doc
        label = plain(value.labels[0] if value.labels else "") or "object"
        known = {one.name: one.colour for one in doc.labels}
        colour = colour_or(ours.colour, known.get(label, COLOURS[len(known) % len(COLOURS)]))
        if label not in known:
            doc.labels.append(Label(label, colour))
        track = Track(ours.id, label, colour, attributes=ours.attributes, ignored=ours.ignored)
        before: tuple[int, bool, Observation] | None = None
        for key in sorted(value.sequence, key=lambda one: one.frame):
            frame = key.frame - 1
            if not 0 <= frame < (MAX_FRAMES if self.length is None else self.length):
                self._fail(
                    where, tr("frame {frame} is no frame of the video; the first one is 1").format(frame=key.frame)
                )
            if before is not None and before[0] == frame:
                self._fail(where, tr("frame {frame} is there twice").format(frame=key.frame))
            obs = self._observation(f"{where}, frame {key.frame}", key, result)
            if before is not None and before[1]:
                self._fill(where, track, before, frame, obs.box)
            track.frames[frame] = obs
            before = frame, key.enabled, obs
        if before is not None and before[1] and self.length is not None:
            self._fill(where, track, before, self.length, None)
        add_absent(track.frames, ours.absent, self.length, self.filler, self._fail, where)
        track.frames = dict(sorted(track.frames.items()))
        doc.tracks[track.id] = track

    def _fill(self, where: str, track: Track, before: tuple[int, bool, Observation], stop: int, to: Box | None) -> None:
        try:
            self.filler.fill(track.frames, before[0], stop, before[2], to)
        except FormatError as error:
            self._fail(where, str(error).rstrip("."))

    def _observation(self, where: str, key: _Key, result: _Result) -> Observation:
        given = key.x, key.y, key.width, key.height
        if not all(abs(value) < _FARTHEST for value in (*given, key.rotation)):
            self._fail(where, tr("coordinates are sensible percentages"))
        if key.width < 0 or key.height < 0:
            self._fail(
                where,
                tr("width and height must not be negative, but they are {width:g} and {height:g}").format(
                    width=key.width, height=key.height
                ),
            )
        across, down = self.size[0] / 100, self.size[1] / 100
        box = Box(key.x * across, key.y * down, key.width * across, key.height * down)
        box = turned(box, key.rotation, corner=True)
        extras = key.siamlabel
        if extras is None:
            made = Source.INTERPOLATED if key.auto else Source.IMPORTED
            extras = Extras(source=made, keyframe=not key.auto, score=result.score)
        return observed(extras, self._fail, where, box=box)
