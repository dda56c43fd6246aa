"""What the single-object data sets share: a text with one box a frame for each object, and the pictures in a folder.

A document of several objects becomes a sequence for each of them; the option *Tracks* chooses some. Beside each ground
truth lies a note, ``siamlabel.json``, which other tools ignore: the clip's name, length, size and rate, and id, label
and colour of the object, none of which these data sets write down. Data sets without a note are read, too.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, final

import msgspec

from app.formats.atomic import write_bytes
from app.formats.base import KEPT, LOST, Aspect, FormatError, Picture, Preflight, scaled
from app.formats.compare import differences
from app.formats.names import plain, stem
from app.formats.pictures import check_pictures, write_pictures
from app.formats.selection import Choice, Extra, Selection, select
from app.formats.single_read import Note, NoteTrack, Row, Spot, first_spots, one_document
from app.model.document import Attribute, AttributeKind, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark, tr

FILLED = Observation(source=Source.IMPORTED, state=State.OUT_OF_VIEW)
"""What an absent frame reads as."""


class SingleParams(Choice, frozen=True, kw_only=True):
    """Options of the single-object data sets."""

    with_frames: Annotated[bool, msgspec.Meta(title="Frames", description="Write the pictures as JPEG, too")] = False
    jpeg_quality: Annotated[int, msgspec.Meta(title="JPEG quality", ge=1, le=100)] = 95


def held(**others: str) -> dict[Aspect, str]:
    """What such a data set keeps, with ``others`` by the name of the aspect in place of what is usual."""
    usual = {
        Aspect.BOXES: "rounded to 0.001 px",
        Aspect.MASKS: LOST,
        Aspect.TRACKS: "a sequence for each; ids in siamlabel.json",
        Aspect.LABELS: "in siamlabel.json; those without a track are lost",
        Aspect.STATES: LOST,
        Aspect.SOURCE: LOST,
        Aspect.VERIFIED: LOST,
        Aspect.SCORE: LOST,
        Aspect.ATTRIBUTES: LOST,
        Aspect.COVER: LOST,
        Aspect.IGNORED: LOST,
        Aspect.COMMENTS: LOST,
        Aspect.VIDEO: "in siamlabel.json",
        Aspect.UNLABELLED: KEPT,
    }
    return usual | {Aspect[name.upper()]: text for name, text in others.items()}


class SingleFormat(ABC):
    """One such data set; what is special about it is in the methods and values that its file overrides."""

    id: ClassVar[str]
    title: ClassVar[str]
    suffix = ""
    folder = True
    params: type[msgspec.Struct] = SingleParams
    holds: Mapping[Aspect, str]
    origin: ClassVar[int] = 0
    """The number of the first pixel."""
    empty: ClassVar[str] = "0,0,0,0"
    """The row of a frame without a box."""
    picture: ClassVar[str] = "{:08d}.jpg"
    first: ClassVar[int] = 1
    """The number of the first picture."""
    keeps: ClassVar[Collection[Extra]] = ()
    kinds: ClassVar[tuple[Attribute, ...]] = ()
    """The attributes that the data set has a place for."""
    always: ClassVar[tuple[str, ...]] = ()
    """Losses of every export."""
    ours: ClassVar[re.Pattern[str]]
    """The paths of an export below its folder, with slashes."""

    # What a data set decides

    @abstractmethod
    def place(self, root: Path, name: str, tracks: Sequence[Track]) -> Spot:
        """Where to write a sequence."""

    @abstractmethod
    def find(self, path: Path) -> Iterator[Spot]:
        """The sequences at ``path``, in order: a data set, one of its sequences, or a ground truth."""

    @abstractmethod
    def settle(self, obs: Observation, video: VideoRef, tally: Counter[str]) -> Observation | None:
        """``obs`` as it will be read again; None when it will read as never labelled. Losses go into ``tally``."""

    @abstractmethod
    def observe(self, truth: Path, rows: Sequence[Row]) -> dict[int, Observation]:
        """What the rows of a ground truth and the files beside it say, by row. Raises `FormatError`."""

    def beside(self, truth: Path, track: Track, video: VideoRef) -> dict[Path, str]:
        """Further files for a track, with their text."""
        return {}

    def about(self, truth: Path, label: str) -> dict[str, AttributeValue]:
        """The attributes of a track, from files beside its ground truth. Raises `FormatError`."""
        return {}

    def attributes(self, track: Track, tally: Counter[str]) -> dict[str, AttributeValue]:
        """Those of a track that the data set has a place for, as they will be read."""
        out = {}
        for kind in self.kinds:
            if kind.per_frame or (value := track.attributes.get(kind.name)) is None:
                continue
            value = plain(value) if isinstance(value, str) else value
            if kind.accepts(value) and value not in ("", False):
                out[kind.name] = value
        tally["attributes"] += len(track.attributes.keys() - out.keys())
        return out

    def whole(self, video: VideoRef, frames: dict[int, Observation], tally: Counter[str]) -> None:
        """Add what frames without a label will be read as."""
        tally["unlabelled"] += video.frames - len(frames)

    def listing(self, names: Sequence[str]) -> dict[str, str]:
        """Files of the data set's root, with their text."""
        return {}

    def sequences(self, kept: Document) -> dict[str, list[Track]]:
        """The name of each sequence with its tracks."""
        assert kept.video is not None
        name, tracks = stem(kept.video), list(kept.tracks.values())
        return {name: tracks} if len(tracks) == 1 else {f"{name}-{track.id}": [track] for track in tracks}

    # The protocol

    @final
    def recognises(self, path: Path) -> bool:
        try:
            return next(iter(self.find(Path(path))), None) is not None
        except (OSError, FormatError, ValueError):
            return False

    @final
    def plan(self, doc: Document, params: SingleParams) -> Preflight:
        return self._chosen(doc, params)[1]

    @final
    def keep(self, doc: Document, params: SingleParams) -> Document:
        kept = self._chosen(doc, params)[0].document
        if not kept.tracks:
            raise FormatError(
                tr("there is no track with a box to write"),
                remedy=tr("A {title} sequence needs one; label a frame, or choose tracks.").format(title=self.title),
            )
        return kept

    @final
    def wants_pictures(self, params: SingleParams) -> bool:
        return params.with_frames

    @final
    def may_replace(self, out: Path) -> str:
        """Only an empty folder or an earlier export makes way, never a data set or what holds anything else."""
        if not any(out.iterdir()):
            return ""
        for folder, _, files in os.walk(out):
            for file in files:
                inside = Path(folder, file).relative_to(out).as_posix()
                if not self.ours.fullmatch(inside):
                    return tr("the folder holds '{inside}', which is no part of a {title} export").format(
                        inside=inside, title=self.title
                    )
        spots = list(self.find(out))
        if not spots or not all(spot.note.is_file() for spot in spots):
            return tr("the folder holds sequences that SiamLabel did not write as {title}").format(title=self.title)
        return ""

    @final
    def write(
        self, kept: Document, part: Path, params: SingleParams, names: Sequence[str], pictures: Iterator[Picture] | None
    ) -> Generator[float, None, list[str]]:
        """See `Format.write`."""
        assert kept.video is not None
        sequences = self.sequences(kept)
        spots = {name: self.place(part, name, tracks) for name, tracks in sequences.items()}
        share = 0.3 if pictures is not None else 1.0
        part.mkdir()
        written = _put(part, {part / name: text for name, text in self.listing(list(sequences)).items()})
        for number, (name, tracks) in enumerate(sequences.items()):
            texts = {spots[name].note: note_text(kept.video, tracks)}
            for track, truth in zip(tracks, spots[name].truths.values(), strict=True):
                texts[truth] = lines([self._row(track.frames.get(frame)) for frame in range(kept.video.frames)])
                texts |= self.beside(truth, track, kept.video)
            written += _put(part, texts)
            yield share * (number + 1) / len(sequences)
        if pictures is not None:
            folders = [spot.pictures for spot in spots.values()]
            writing = write_pictures(folders, self._picture, kept.video, pictures, params.jpeg_quality)
            files = yield from scaled(writing, share, 1.0)
            written += [(folder / file).relative_to(part).as_posix() for folder in folders for file in files]
        return written

    @final
    def proof(self, part: Path, kept: Document, params: SingleParams) -> Generator[float, None, list[str]]:
        found = differences(kept, self.read(part))
        yield 0.5
        if params.with_frames:
            assert kept.video is not None
            folders = [self.place(part, name, tracks).pictures for name, tracks in self.sequences(kept).items()]
            found += yield from scaled(check_pictures(folders, self._picture, kept.video), 0.5, 1.0)
        return found

    @final
    def read(self, path: Path) -> Document:
        """The document in a data set of one clip, a sequence, or a ground truth. Raises `FormatError`.

        Several sequences are read as one document when their notes say that they are about the same clip.
        """
        path = Path(path)
        doc = one_document(self, first_spots(self, path), path)
        doc.labels = _labels(doc, self.kinds)
        return doc

    # The work

    def _chosen(self, doc: Document, params: SingleParams) -> tuple[Selection, Preflight]:
        """What is kept of ``doc`` and the preflight that says so."""
        chosen = select(doc, params, self.keeps)
        video, tally, late = chosen.video, Counter[str](), list[int]()
        for key, track in list(chosen.document.tracks.items()):
            present = [frame for frame, obs in track.frames.items() if obs.present]
            if not present:
                tally["no_box"] += 1
                del chosen.document.tracks[key]
            elif present[0] > 0:
                late.append(key)
        counts = chosen.preflight(masks=False, losses=[]).counts  # before provenance is dropped
        for track in chosen.document.tracks.values():
            tally["masks"] += sum(obs.mask is not None for obs in track.frames.values())
            settled = {frame: self.settle(obs, video, tally) for frame, obs in track.frames.items()}
            track.frames = {frame: obs for frame, obs in settled.items() if obs is not None}
            self.whole(video, track.frames, tally)
            track.attributes = self.attributes(track, tally)
        kinds = sum(len(label.attributes) for label in chosen.document.labels)
        chosen.document.labels = _labels(chosen.document, self.kinds)
        tally["kinds"] = max(0, kinds - sum(len(label.attributes) for label in chosen.document.labels))
        chosen.document.next_id = max(chosen.document.tracks, default=0) + 1
        several = len(self.sequences(chosen.document)) if len(chosen.document.tracks) > 1 else 0
        losses = [tr(sentence).format(n=tally[key]) for key, sentence in _SENTENCES.items() if tally[key]]
        if several > 1:
            losses.append(
                tr("Several objects, each written as a sequence of its own: {several}.").format(several=several)
            )
        if late:
            losses.append(
                tr("Objects absent on the first frame, where trackers start: {objects}.").format(
                    objects=", ".join(map(str, late))
                )
            )
        if params.with_frames:
            losses.append(tr("Frame pictures are written as JPEG, which alters pixels slightly."))
        losses += [*map(tr, self.always), *map(tr, _ALWAYS)]
        return chosen, Preflight(counts, chosen.losses() + losses)

    def _row(self, obs: Observation | None) -> str:
        if obs is None or obs.box is None:
            return self.empty
        x, y, w, h = obs.box
        return ",".join(map(self.number, (x + self.origin, y + self.origin, w, h)))

    def number(self, value: float) -> str:
        """A coordinate as text."""
        return repr(round(float(value), 3)).removesuffix(".0")

    def _picture(self, frame: int) -> str:
        return self.picture.format(frame + self.first)


_SENTENCES = {
    "no_box": mark("Tracks without a box on any frame, not written: {n}."),
    "masks": mark("Masks, not written: {n}."),
    "attributes": mark("Attributes that the data set has no place for, not written: {n}."),
    "kinds": mark("Attributes that labels define without a place in the data set, not written: {n}."),
    "occluded": mark("Frames where the object is occluded, written as visible: {n}."),
    "absent": mark("Frames where the object is absent, written as frames without a box: {n}."),
    "lost": mark("Frames where the object is lost, written as out of view: {n}."),
    "hidden": mark("Frames where the object is lost, written as fully occluded: {n}."),
    "states": mark("Frames whose state does not fit their cover, read again by the cover: {n}."),
    "no_cover": mark("Frames without a cover level, written as 8 where visible and 4 where occluded: {n}."),
    "filled": mark("Frames never labelled (of each object), written as absent: {n}."),
    "unlabelled": mark("Frames never labelled (of each object), written without a box: {n}."),
}
_ALWAYS = (
    mark("Source, verification, keyframes and scores of frames are not written; nor are labels without a track."),
    mark("Ids, label names, colours and the clip's size lie in siamlabel.json, which other tools ignore."),
)


def lines(rows: Sequence[str]) -> str:
    """Rows as the text of a file."""
    return "".join(f"{row}\n" for row in rows)


def seen(box: Box) -> Observation:
    """A visible object at ``box``, as a data set tells it."""
    return Observation(box=box, source=Source.IMPORTED)


def _labels(doc: Document, kinds: Sequence[Attribute]) -> list[Label]:
    """One label for each name that a track has, in the colour of its first track, with the attributes it uses."""
    colours: dict[str, str] = {}
    used: dict[str, set[str]] = {}
    for _, track in sorted(doc.tracks.items()):
        colours.setdefault(track.label, track.colour)
        names = used.setdefault(track.label, set())
        names.update(track.attributes)
        for obs in track.frames.values():
            names.update(obs.attributes)
    return [
        Label(name, colour, tuple(kind for kind in kinds if kind.name in used[name]))
        for name, colour in colours.items()
    ]


def _put(part: Path, texts: Mapping[Path, str]) -> list[str]:
    """Write the files; returns their names below ``part``."""
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, text.encode())
    return [path.relative_to(part).as_posix() for path in texts]


def note_text(video: VideoRef, tracks: Sequence[Track]) -> str:
    """The note beside the ground truth of ``tracks``."""
    note = Note(
        stem(video), video.frames, video.width, video.height, video.fps,
        [NoteTrack(track.id, track.label, track.colour) for track in tracks],
    )  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(note), indent=1).decode() + "\n"


def text_kind(name: str) -> Attribute:
    """An attribute of a track that is a line of text."""
    return Attribute(name, AttributeKind.TEXT)
