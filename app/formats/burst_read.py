"""Reading BURST: what `app.formats.burst` writes, and files of others about one sequence, results among them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NoReturn

import msgspec

from app.formats.base import MAX_FRAMES, MAX_PIXELS, FormatError
from app.formats.extras import Extras, OurFile, Run, add_absent, observed
from app.formats.json_io import decode
from app.formats.keys import Filler
from app.formats.names import colour_or, leads_away
from app.formats.several import member_of, the_one
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask, broken
from app.model.tracks import AttributeValue, Source, State, Track
from app.words import mark, tr

_FIX = mark("Correct the entry, or export the file again.")


class Hidden(msgspec.Struct, omit_defaults=True):
    """A region that BURST has no entry for: a box alone, or one of an ignored region."""

    bbox: list[float]
    rle: str | None = None


class TrackSays(msgspec.Struct, omit_defaults=True):
    """What we add for a track. ``ignored``: the category of an ignored region; ``frames``: of each that has a box."""

    colour: str = ""
    attributes: dict[str, AttributeValue] = {}
    ignored: int | None = None
    absent: list[Run] = []
    frames: dict[int, Extras] = {}
    hidden: dict[int, Hidden] = {}


class _Entry(msgspec.Struct):
    rle: str | None = None
    is_gt: bool | None = None
    score: float | None = None
    bbox: list[float] | None = None


class _Sequence(msgspec.Struct):
    width: int
    height: int
    segmentations: list[dict[int, _Entry]]
    annotated_image_paths: list[str]
    all_image_paths: list[str] = []
    track_category_ids: dict[int, int] = {}
    seq_name: str = ""
    fps: float = 0.0
    siamlabel: dict[int, TrackSays] = {}


class _Category(msgspec.Struct):
    id: int
    name: str


class _File(msgspec.Struct):
    sequences: list[_Sequence]
    categories: list[_Category] = []
    siamlabel: OurFile | None = None


def read(path: Path) -> Document:
    """The document of a sequence in a BURST file; ``FILE/NAME`` is one of several.

    Raises `FormatError` naming track and frame.

    In files of others ``is_gt: false`` means that a tracker said so, with its score, and a frame without a mask of an
    object says nothing about it: files of first frames look like that, too.
    """
    path, wanted = member_of(Path(path))
    return _Reader(path, wanted, decode(path, _File, tr("a BURST annotation file"))).document()


class _Reader:
    """One pass over a decoded file; every method raises `FormatError` naming the entry at fault."""

    def __init__(self, path: Path, wanted: str, file: _File) -> None:
        self.path = path
        self.file = file
        names = [one.seq_name for one in file.sequences]
        self.sequence = file.sequences[the_one(path, wanted, names, "sequences")]
        self.ours = file.siamlabel or OurFile()
        self.filler = Filler()

    def document(self) -> Document:
        video = self._video()
        frames = self._frames()
        categories = self._categories()
        doc = Document(video=video, labels=self.ours.named(list(categories.values())))
        colours = {label.name: label.colour for label in doc.labels}
        members = dict(self.sequence.track_category_ids)
        for key, says in self.sequence.siamlabel.items():
            if says.ignored is not None:
                if key in members:
                    self._fail(f"siamlabel, track {key}", tr("the id is used twice"))
                members[key] = says.ignored
        shift = max(0, 1 - min(members, default=1))
        for key, category in members.items():
            if category not in categories:
                self._fail(
                    f"track_category_ids, {key}", tr("there is no category {category}").format(category=category)
                )
            says = self.sequence.siamlabel.get(key) or TrackSays()
            name = categories[category]
            colour = colour_or(says.colour, colours[name])
            track = Track(key + shift, name, colour, attributes=says.attributes, ignored=says.ignored is not None)
            doc.tracks[track.id] = track
        self._regions(doc, shift, frames, video)
        for key, says in self.sequence.siamlabel.items():
            if key not in members:
                self._fail(f"siamlabel, track {key}", tr("there is no such track"))
            seen = doc.tracks[key + shift].frames
            add_absent(seen, says.absent, video.frames, self.filler, self._fail, f"siamlabel, track {key}, absent")
        for track in doc.tracks.values():
            track.frames = dict(sorted(track.frames.items()))
        doc.tracks = dict(sorted(doc.tracks.items()))
        self.ours.put_comments(doc, video.frames, self._fail)
        doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
        return doc

    def _fail(self, where: str, what: str, remedy: str = _FIX) -> NoReturn:
        raise FormatError(what, self.path, where, remedy)

    def _video(self) -> VideoRef:
        one = self.sequence
        if one.width < 1 or one.height < 1 or one.width * one.height > MAX_PIXELS:
            self._fail(
                "sequences",
                tr("a picture of {width} x {height} pixels is not supported").format(
                    width=one.width, height=one.height
                ),
            )
        length = len(one.all_image_paths or one.annotated_image_paths)
        if length >= MAX_FRAMES:
            self._fail("sequences", tr("a length of {length} frames is impossible").format(length=length))
        about = self.ours.video
        fps = about.fps if about is not None else one.fps
        name = about.name if about is not None else one.seq_name or self.path.stem
        fingerprint = about.fingerprint if about is not None else ""
        return VideoRef(name, fingerprint, length, one.width, one.height, max(fps, 0.0))

    def _frames(self) -> list[int]:
        """The frame of each entry of the segmentations."""
        one = self.sequence
        every = one.all_image_paths or one.annotated_image_paths
        numbers = {name: frame for frame, name in enumerate(every)}
        for name in numbers:
            if leads_away(name):
                self._fail("all_image_paths", tr("the file name '{name}' leads out of its folder").format(name=name))
        if len(numbers) != len(every):
            self._fail("all_image_paths", tr("a picture is there twice"))
        if len(one.segmentations) != len(one.annotated_image_paths):
            what = tr("{count} entries do not fit {count2} annotated pictures").format(
                count=len(one.segmentations), count2=len(one.annotated_image_paths)
            )
            self._fail("segmentations", what)
        for name in one.annotated_image_paths:
            if name not in numbers:
                self._fail("annotated_image_paths", tr("'{name}' is not among all pictures").format(name=name))
        frames = [numbers[name] for name in one.annotated_image_paths]
        if len(set(frames)) != len(frames):
            self._fail("annotated_image_paths", tr("a picture is there twice"))
        return frames

    def _categories(self) -> dict[int, str]:
        out: dict[int, str] = {}
        names: set[str] = set()
        for category in self.file.categories:
            if category.id in out or category.name in names:
                self._fail(f"categories, id {category.id}", tr("the id or the name is used twice"))
            out[category.id] = category.name
            names.add(category.name)
        if not out:  # results need not name them
            out = {number: f"category {number}" for number in sorted({*self.sequence.track_category_ids.values()})}
        if self.ours.video is None:  # others list all of LVIS
            out = {key: name for key, name in out.items() if key in self.sequence.track_category_ids.values()}
        return out

    def _regions(self, doc: Document, shift: int, frames: list[int], video: VideoRef) -> None:
        """Put every region into its track; masks are checked all at once, which is much quicker."""
        there = [
            (key, frame, entry)
            for frame, entries in zip(frames, self.sequence.segmentations, strict=True)
            for key, entry in entries.items()
        ]
        for key, says in self.sequence.siamlabel.items():
            there += [(key, at, _Entry(rle=one.rle, bbox=one.bbox)) for at, one in says.hidden.items()]
        given = [
            None if entry.rle is None else Mask(video.height, video.width, entry.rle.encode("ascii", "replace"))
            for _, _, entry in there
        ]
        bad = iter(broken([mask for mask in given if mask is not None]))
        for (key, frame, entry), mask in zip(there, given, strict=True):
            where = f"track {key}, frame {frame}"
            if mask is not None and next(bad):
                self._fail(
                    where,
                    tr("the run lengths do not fill {width} x {height} pixels").format(
                        width=video.width, height=video.height
                    ),
                )
            if key + shift not in doc.tracks:
                self._fail(where, tr("the track has no category in track_category_ids"))
            if not 0 <= frame < video.frames:
                self._fail(where, tr("it is no frame of the clip"))
            seen = doc.tracks[key + shift].frames
            if frame in seen:
                self._fail(where, tr("the frame is there twice"))
            box = self._box(entry, where)
            if mask is not None and not mask.area:
                mask = None
            if mask is not None and box is None:
                box = mask.box
            if box is None:
                if entry.rle is None:
                    self._fail(where, tr("it has neither a mask (rle) nor a box (bbox)"))
                continue  # a mask without pixels says nothing
            extras = self._extras(key, frame, entry)
            if extras.state in (State.OUT_OF_VIEW, State.LOST):
                self._fail(where, tr("an absent object has no box"))
            seen[frame] = observed(extras, self._fail, where, box=box, mask=mask)

    def _box(self, entry: _Entry, where: str) -> Box | None:
        box = entry.bbox
        if box is None:
            return None
        if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) < 0:
            self._fail(f"{where}, bbox", tr("a box is x, y, and a width and a height of at least 0"))
        return Box(*box)

    def _extras(self, key: int, frame: int, entry: _Entry) -> Extras:
        says = self.sequence.siamlabel.get(key)
        if says is not None and frame in says.frames:
            return says.frames[frame]
        source = Source.TRACKER if entry.is_gt is False else Source.IMPORTED
        return Extras(source=source, score=None if entry.is_gt else entry.score)
