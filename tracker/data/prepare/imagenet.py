"""ImageNet's VID and DET: XML in ``Annotations/<VID|DET>/<split>`` beside pictures in ``Data/<VID|DET>/<split>``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tracker.data.prepare.films import Picture, PrepareError, Thing, boxes_of, folder

SUFFIX = ".JPEG"


@dataclass(frozen=True)
class VidClip:
    """One video: ``notes`` holds an XML file per frame, ``images`` the frames."""

    name: str
    notes: Path
    images: Path

    def pictures(self) -> Iterator[Picture]:
        """Each unbroken run of an object's frames is a track of its own; frames that stand alone are dropped.

        pysot's script files every run of an object under the same key, so that only the last survives (E.1).
        """
        paths = sorted(self.notes.glob("*.xml"))
        try:
            order = [int(path.stem) for path in paths]
        except ValueError as error:
            raise PrepareError(f"{self.notes}: frames are numbered, but one is called otherwise ({error}).") from error
        found = [boxes_of(path) for path in paths]
        frames: dict[str, list[int]] = {}
        for place, objects in enumerate(found):
            for track in {track for track, _ in objects}:
                frames.setdefault(track, []).append(place)
        number: dict[tuple[int, str], int] = {}
        count = 0
        for track in sorted(frames):
            for run in _runs(frames[track], order):
                number |= {(place, track): count for place in run}
                count += 1
        for place, objects in enumerate(found):
            things = tuple(Thing(number[place, track], box) for track, box in objects if (place, track) in number)
            yield Picture(order[place], self.images / f"{paths[place].stem}{SUFFIX}", things)


def _runs(places: list[int], order: list[int]) -> Iterator[list[int]]:
    """The places, ascending, parted where frames are missing between them; runs of one are left out."""
    run = places[:1]
    for before, after in pairwise(places):
        if order[after] - order[before] != 1:
            if len(run) > 1:
                yield run
            run = []
        run.append(after)
    if len(run) > 1:
        yield run


@dataclass(frozen=True)
class DetPicture:
    """One still picture and its annotation."""

    name: str
    notes: Path
    path: Path

    def pictures(self) -> Iterator[Picture]:
        things = tuple(Thing(number, box) for number, (_, box) in enumerate(boxes_of(self.notes)))
        yield Picture(0, self.path, things)


def vid(source: Path, split: str) -> list[VidClip]:
    """The videos of a split, in whatever folders it parts them. Raises `PrepareError`."""
    notes = folder(source / "Annotations" / "VID" / split, "the annotations of ImageNet VID")
    images = folder(source / "Data" / "VID" / split, "the frames of ImageNet VID")
    clips = sorted({path.parent for path in notes.rglob("*.xml")})
    names = [clip.relative_to(notes).as_posix() for clip in clips]
    return [VidClip(name, clip, images / name) for name, clip in zip(names, clips, strict=True)]


def det(source: Path, split: str) -> list[DetPicture]:
    """The pictures of a split. Raises `PrepareError`."""
    notes = folder(source / "Annotations" / "DET" / split, "the annotations of ImageNet DET")
    images = folder(source / "Data" / "DET" / split, "the pictures of ImageNet DET")
    found = []
    for path in sorted(notes.rglob("*.xml")):
        name = path.relative_to(notes).with_suffix("").as_posix()
        found.append(DetPicture(name, path, images / f"{name}{SUFFIX}"))
    return found
