"""DIVE annotation JSON, version 2: tracks with features on their keyframes; DIVE interpolates where a feature says so.

- ``bounds`` are x1, y1, x2, y2 in pixels; frames count from 0. ``interpolate`` is about the way to the next feature.
- ``geometry`` holds a mask as GeoJSON polygons on pixel borders, one for each part, with its holes: exact.
- What DIVE has no word for lies under ``siamlabel``: of a feature (state, source, score ...), in a track's ``meta``
  (colour, absent frames) and of the file (video, labels, comments). DIVE passes it over, and loses it on saving.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from app.formats.base import KEPT, Aspect, Preflight
from app.formats.dive_read import RESERVED, read
from app.formats.extras import Definitions, OurFile, OurTrack, OurVideo, absent_runs, extras_of
from app.formats.keys import KeyParams, corners_rounded, key_frames, stretches, thinned, written_keys
from app.formats.names import stem
from app.formats.one_file import OneFile, first_bytes
from app.formats.outline import parts
from app.formats.selection import Extra, Selection, select
from app.model.document import Document
from app.model.masks import Mask
from app.model.tracks import Observation, Track
from app.words import mark, tr


class DiveParams(KeyParams, frozen=True, kw_only=True):
    """Options of a DIVE export."""

    masks: Annotated[bool, msgspec.Meta(title="Masks", description="Write masks as polygons; each is a keyframe")] = (
        True
    )


class DiveFormat(OneFile):
    """See the module's text for the conventions, `DiveParams` for the options."""

    id = "dive"
    title = "DIVE JSON"
    suffix = ".json"
    params = DiveParams
    holds: ClassVar[Mapping[Aspect, str]] = dict.fromkeys(Aspect, KEPT) | {
        Aspect.BOXES: "within 0.5 px, by keyframes; rounded to 0.001 px if there is one on every frame",
        Aspect.STATES: "under siamlabel, which DIVE passes over",
        Aspect.SOURCE: "of keyframes, under siamlabel",
        Aspect.VERIFIED: "of keyframes, under siamlabel; written frames read as keyframes",
        Aspect.SCORE: "of keyframes, under siamlabel",
        Aspect.ATTRIBUTES: "kept, except the three names that DIVE reserves",
        Aspect.COVER: "under siamlabel",
        Aspect.IGNORED: "under siamlabel",
        Aspect.COMMENTS: "under siamlabel",
        Aspect.VIDEO: "under siamlabel",
        Aspect.UNLABELLED: "under siamlabel; DIVE itself has a gap for either",
    }

    def recognises(self, path: Path) -> bool:
        head = first_bytes(path)
        return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"tracks"' in head and b'"features"' in head

    def chosen(self, doc: Document, params: DiveParams) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, tuple(Extra))
        tally: Counter[str] = Counter()
        kept = chosen.document
        for key, track in list(kept.tracks.items()):
            if not any(obs.present for obs in track.frames.values()):
                tally["empty"] += 1
                del kept.tracks[key]
                continue
            track.attributes = _allowed(track.attributes, tally)
            for frame, obs in track.frames.items():
                track.frames[frame] = _kept(obs, params, tally)
        kept.comments = {
            key: comment
            for key, comment in kept.comments.items()
            if comment.track is None or comment.track in kept.tracks
        }
        counts = chosen.preflight(masks=params.masks, losses=[]).counts
        for track in kept.tracks.values():
            keys = key_frames(track.frames, params, _alike)
            keys |= {frame for frame, obs in track.frames.items() if obs.mask is not None}
            tally["between"] += sum(obs.present for obs in track.frames.values()) - len(keys)
            track.frames = thinned(track.frames, keys, params)
        losses = [
            tr(text).format(n=tally[name], px=params.tolerance, names=", ".join(RESERVED))
            for name, text in _SENTENCES.items()
            if tally[name]
        ]
        losses.append(tr("Coordinates are rounded to 0.001 px; DIVE's server takes whole pixels of them."))
        return chosen, Preflight(counts, chosen.losses() + losses)

    def rows(self, kept: Document, params: DiveParams, names: Sequence[str]) -> Iterator[bytes]:
        encode = msgspec.json.Encoder().encode
        video = kept.video
        assert video is not None
        yield b'{"version":2,"fps":' + encode(video.fps) + b',"tracks":{'
        for at, track in enumerate(kept.tracks.values()):
            features = _features(track, written_keys(track.frames, params))
            head = encode(_track(track))[:-1]
            yield (b",\n" if at else b"\n") + encode(str(track.id)) + b":" + head + b',"features":['
            for place, feature in enumerate(features):
                yield (b",\n" if place else b"\n") + encode(feature)
            yield b"]}"
        about = OurVideo(stem(video), video.frames, video.width, video.height, video.fps, video.fingerprint)
        ours = OurFile(about, [Definitions.of(label) for label in kept.labels], list(kept.comments.values()))
        yield b'},"groups":{},"siamlabel":' + encode(ours) + b"}\n"

    def read(self, path: Path) -> Document:
        """The document in a DIVE file; see `app.formats.dive_read.read`."""
        return read(path)


DIVE = DiveFormat()

_SENTENCES = {
    "empty": mark("Tracks without a box on any frame, not written: {n}."),
    "between": mark(
        "Frames left to DIVE's interpolation, at most {px:g} px off, all else as on the keyframe before: {n}."
    ),
    "mask_off": mark("Masks, not written because masks are switched off: {n}."),
    "reserved": mark("Attributes with a name that DIVE reserves ({names}), not written: {n}."),
}


def _alike(a: Observation, b: Observation) -> bool:
    return (a.state, a.cover, a.attributes) == (b.state, b.cover, b.attributes)


def _allowed(told: Mapping[str, Any], tally: Counter[str]) -> dict[str, Any]:
    tally["reserved"] += sum(name in RESERVED for name in told)
    return {name: value for name, value in told.items() if name not in RESERVED}


def _kept(obs: Observation, params: DiveParams, tally: Counter[str]) -> Observation:
    obs = msgspec.structs.replace(obs, attributes=_allowed(obs.attributes, tally))
    if obs.mask is not None and not params.masks:
        tally["mask_off"] += 1
        obs = msgspec.structs.replace(obs, mask=None)
    return obs if obs.box is None else msgspec.structs.replace(obs, box=corners_rounded(obs.box))


def _track(track: Track) -> dict[str, Any]:
    present = [frame for frame, obs in track.frames.items() if obs.present]
    ours = OurTrack(track.colour, track.ignored, absent_runs(track.frames))
    return {
        "id": track.id,
        "begin": present[0],
        "end": present[-1],
        "confidencePairs": [[track.label, 1.0]],
        "attributes": track.attributes,
        "meta": {"siamlabel": ours},
    }


def _features(track: Track, keys: set[int]) -> Iterator[dict[str, Any]]:
    for run in stretches(track.frames):
        for frame, after in pairwise([*(frame for frame in run if frame in keys), None]):
            assert frame is not None
            obs = track.frames[frame]
            assert obs.box is not None
            feature: dict[str, Any] = {
                "frame": frame,
                "bounds": [round(float(edge), 3) for edge in (obs.box.x, obs.box.y, obs.box.x2, obs.box.y2)],
                "keyframe": True,
                "interpolate": after is not None,
                "attributes": obs.attributes,
                "siamlabel": msgspec.structs.replace(extras_of(obs), attributes={}),
            }
            if obs.mask is not None:
                feature["geometry"] = _geometry(obs.mask)
            yield feature


def _geometry(mask: Mask) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"key": "" if at == 0 else str(at)},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[*ring.tolist(), ring[0].tolist()] for ring in rings],
                },
            }
            for at, rings in enumerate(parts(mask))
        ],
    }
