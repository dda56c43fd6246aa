"""Reading DIVE annotation JSON, versions 1 and 2: what `app.formats.dive` writes, and what DIVE itself does.

The label of a track is its likeliest class; a confidence below 1 becomes the score of its frames. A rotated box becomes
the box around it. Groups, head and tail points and notes are passed over.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import numpy as np

from app.formats.base import MAX_FRAMES, FormatError
from app.formats.extras import Extras, OurFile, OurTrack, add_absent, observed, plain_values
from app.formats.json_io import decode
from app.formats.keys import Filler
from app.formats.names import colour_or, plain
from app.formats.outline import joined, turned
from app.model.document import COLOURS, Document, Label
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, Track
from app.words import mark, tr

RESERVED = ("rotation", "userModified", "userCreated")
"""Names of attributes that mean something to DIVE."""
_FIX = mark("Correct the entry, or export the file from DIVE again.")
_FARTHEST = 1e7
"""Pixels: no coordinate is that far away."""


class _Feature(msgspec.Struct):
    frame: int
    bounds: list[float] | None = None
    keyframe: bool | None = None
    interpolate: bool | None = None
    attributes: dict[str, Any] | None = None
    geometry: Any = None
    siamlabel: Extras | None = None


class _Meta(msgspec.Struct):
    siamlabel: OurTrack | None = None


class _Track(msgspec.Struct):
    features: list[_Feature]
    id: int | None = None
    confidencePairs: list[tuple[str, float]] = []  # noqa: N815
    attributes: dict[str, Any] | None = None
    meta: _Meta | None = None


class _File(msgspec.Struct):
    tracks: dict[str, _Track]
    fps: float | None = None
    siamlabel: OurFile | None = None


def read(path: Path) -> Document:
    """The document in a DIVE file. Raises `FormatError` naming track and frame."""
    path = Path(path)
    given = decode(path, dict[str, Any] | list[Any], tr("a DIVE annotation file"))
    file = given if isinstance(given, dict) and "tracks" in given else {"tracks": given}
    try:
        return _Reader(path).document(msgspec.convert(file, _File))
    except msgspec.ValidationError as error:
        found, _, where = str(error).partition(" - at ")
        remedy = tr("Check that this is a DIVE annotation file.")
        raise FormatError(found, path, where.strip("`"), remedy) from None


class _Reader:
    """One pass over a decoded file; every method raises `FormatError` naming the entry at fault."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.doc = Document()
        self.filler = Filler()

    def document(self, file: _File) -> Document:
        doc, ours = self.doc, file.siamlabel or OurFile()
        if ours.video is not None:
            try:
                doc.video = ours.video.checked()
            except ValueError as error:
                self._fail("siamlabel.video", str(error))
        for label in ours.labels:
            colour = colour_or(label.colour, COLOURS[len(doc.labels) % len(COLOURS)])
            doc.labels.append(Label(label.name, colour, label.attributes))
        for comment in ours.comments:
            if comment.id in doc.comments:
                self._fail("siamlabel.comments", tr("comment {id} is there twice").format(id=comment.id))
            doc.comments[comment.id] = comment
        ids = [self._number(name, track) for name, track in file.tracks.items()]
        shift = 1 - min(ids, default=1) if min(ids, default=1) < 1 else 0  # DIVE counts tracks from 0
        for key, (name, track) in zip(ids, file.tracks.items(), strict=True):
            if key + shift in doc.tracks:
                self._fail(f"tracks, {name[:20]}", tr("track {key} is there twice").format(key=key))
            self._track(name[:20], key + shift, track)
        doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
        return doc

    def _fail(self, where: str, what: str) -> NoReturn:
        raise FormatError(what, self.path, where, _FIX)

    def _number(self, name: str, track: _Track) -> int:
        if track.id is not None:
            key = track.id
        elif name.isascii() and name.isdigit() and len(name) < 12:
            key = int(name)
        else:
            self._fail(f"tracks, {name[:20]}", tr("the track has no number"))
        if abs(key) > 10**12:
            self._fail(f"tracks, {name[:20]}", tr("{key} is no sensible number of a track").format(key=key))
        return key

    def _track(self, name: str, key: int, given: _Track) -> None:
        doc, where = self.doc, f"tracks, {name}"
        ours = given.meta.siamlabel if given.meta is not None and given.meta.siamlabel is not None else OurTrack()
        label, sure = max(given.confidencePairs, key=lambda pair: pair[1], default=("object", 1.0))
        label = plain(label) or "object"
        known = {one.name: one.colour for one in doc.labels}
        colour = colour_or(ours.colour, known.get(label, COLOURS[len(known) % len(COLOURS)]))
        if label not in known:
            doc.labels.append(Label(label, colour))
        told = plain_values(given.attributes or {})
        track = Track(key, label, colour, attributes=_open(told), ignored=ours.ignored)
        features = sorted(given.features, key=lambda feature: feature.frame)
        length = doc.video.frames if doc.video is not None else None
        before: tuple[_Feature, Observation] | None = None
        for feature in features:
            if not 0 <= feature.frame < (MAX_FRAMES if length is None else length):
                self._fail(where, tr("frame {frame} is no frame of the clip").format(frame=feature.frame))
            if feature.bounds is None:
                continue  # a feature may be a point, or a note
            if feature.frame in track.frames:
                self._fail(where, tr("frame {frame} is there twice").format(frame=feature.frame))
            obs = self._observation(f"{where}, frame {feature.frame}", feature, feature.bounds, sure)
            if before is not None and before[0].interpolate:
                self._fill(where, track, before, feature.frame, obs)
            track.frames[feature.frame] = obs
            before = feature, obs
        add_absent(track.frames, ours.absent, length, self.filler, self._fail, where)
        track.frames = dict(sorted(track.frames.items()))
        doc.tracks[key] = track

    def _fill(self, where: str, track: Track, before: tuple[_Feature, Observation], stop: int, to: Observation) -> None:
        feature, obs = before
        try:
            self.filler.fill(track.frames, feature.frame, stop, obs, to.box)
        except FormatError as error:
            self._fail(where, str(error).rstrip("."))

    def _observation(self, where: str, feature: _Feature, bounds: list[float], sure: float) -> Observation:
        if len(bounds) != 4 or not all(abs(edge) < _FARTHEST for edge in bounds):
            self._fail(f"{where}, bounds", tr("bounds are four sensible numbers: x1, y1, x2, y2"))
        if bounds[2] < bounds[0] or bounds[3] < bounds[1]:
            self._fail(f"{where}, bounds", tr("the corners are the wrong way round: {bounds}").format(bounds=bounds))
        told = plain_values(feature.attributes or {})
        box = Box.from_corners(*bounds)
        angle = told.get("rotation", 0.0)
        if isinstance(angle, float | int) and not isinstance(angle, bool):
            box = turned(box, -math.degrees(angle))
        extras = feature.siamlabel
        if extras is None:
            found = Source.IMPORTED if feature.keyframe is not False else Source.INTERPOLATED
            score = sure if 0 <= sure < 1 else None
            extras = Extras(source=found, keyframe=feature.keyframe is True, score=score)
        extras = msgspec.structs.replace(extras, attributes=_open(told))
        return observed(extras, self._fail, where, box=box, mask=self._mask(where, feature.geometry))

    def _mask(self, where: str, geometry: Any) -> Mask | None:
        """The mask of GeoJSON polygons; None without any, or when the size of the picture is not known."""
        video = self.doc.video
        if video is None or not isinstance(geometry, dict):
            return None
        features = geometry.get("features")
        shapes = [f.get("geometry") for f in features if isinstance(f, dict)] if isinstance(features, list) else []
        polygons = [s.get("coordinates") for s in shapes if isinstance(s, dict) and s.get("type") == "Polygon"]
        try:
            rings = [[np.asarray(ring, np.float64)[:-1] for ring in polygon] for polygon in polygons if polygon]
            return joined(rings, video.height, video.width)
        except (ValueError, TypeError, OverflowError, IndexError) as error:
            self._fail(f"{where}, geometry", str(error))


def _open(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in RESERVED}
