"""Label Studio video JSON: one task with a ``videorectangle`` for each track, keyframes in its ``sequence``.

- ``x, y, width, height`` are percentages of the picture; frames count from 1; ``time`` is the frame over the rate.
- ``enabled`` is about the frames up to the next keyframe: they are interpolated, or the object is not there.
- What Label Studio has no word for lies under ``siamlabel``, in a result's ``meta`` and in the task's ``data``. It
  keeps both; what we add to single keyframes it loses on saving. ``data`` also says how large the picture is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from app.formats.base import KEPT, LOST, Aspect, Preflight
from app.formats.extras import Definitions, OurFile, OurTrack, OurVideo, absent_runs, extras_of
from app.formats.keys import KeyParams, key_frames, stretches, thinned, written_keys
from app.formats.label_studio_read import read
from app.formats.names import stem
from app.formats.one_file import OneFile, first_bytes
from app.formats.selection import Extra, Selection, select
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Track
from app.words import mark, tr


class LabelStudioParams(KeyParams, frozen=True, kw_only=True):
    """Options of a Label Studio export."""


class LabelStudioFormat(OneFile):
    """See the module's text for the conventions, `LabelStudioParams` for the options."""

    id = "label_studio"
    title = "Label Studio video JSON"
    suffix = ".json"
    params = LabelStudioParams
    holds: ClassVar[Mapping[Aspect, str]] = dict.fromkeys(Aspect, KEPT) | {
        Aspect.BOXES: "within 0.5 px, by keyframes; rounded to 0.001 px if there is one on every frame",
        Aspect.MASKS: LOST,
        Aspect.STATES: "under siamlabel",
        Aspect.SOURCE: "of keyframes, under siamlabel",
        Aspect.VERIFIED: "of keyframes, under siamlabel; written frames read as keyframes",
        Aspect.SCORE: "of keyframes, under siamlabel",
        Aspect.ATTRIBUTES: "under siamlabel",
        Aspect.COVER: "under siamlabel",
        Aspect.IGNORED: "under siamlabel",
        Aspect.COMMENTS: "under siamlabel",
        Aspect.VIDEO: "under siamlabel",
        Aspect.UNLABELLED: "under siamlabel; Label Studio itself has a gap for either",
    }

    def recognises(self, path: Path) -> bool:
        head = first_bytes(path, 1 << 16)
        return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{") and b'"videorectangle"' in head

    def chosen(self, doc: Document, params: LabelStudioParams) -> tuple[Selection, Preflight]:
        chosen = select(doc, params, tuple(Extra))
        tally: Counter[str] = Counter()
        kept = chosen.document
        for key, track in list(kept.tracks.items()):
            if not any(obs.present for obs in track.frames.values()):
                tally["empty"] += 1
                del kept.tracks[key]
                continue
            for frame, obs in track.frames.items():
                tally["mask_off"] += obs.mask is not None
                if obs.box is not None:
                    rounded = Box(*(round(float(value), 3) for value in obs.box))
                    track.frames[frame] = msgspec.structs.replace(obs, box=rounded, mask=None)
        kept.comments = {
            key: one for key, one in kept.comments.items() if one.track is None or one.track in kept.tracks
        }
        counts = chosen.preflight(masks=False, losses=[]).counts
        for track in kept.tracks.values():
            keys = key_frames(track.frames, params, _alike)
            tally["between"] += sum(obs.present for obs in track.frames.values()) - len(keys)
            track.frames = thinned(track.frames, keys, params)
        losses = [
            tr(text).format(n=tally[name], px=params.tolerance) for name, text in _SENTENCES.items() if tally[name]
        ]
        losses.append(tr("Coordinates are rounded to 0.001 px, and written as percentages of the picture."))
        return chosen, Preflight(counts, chosen.losses() + losses)

    def rows(self, kept: Document, params: LabelStudioParams, names: Sequence[str]) -> Iterator[bytes]:
        encode = msgspec.json.Encoder().encode
        video = kept.video
        assert video is not None
        about = OurVideo(stem(video), video.frames, video.width, video.height, video.fps, video.fingerprint)
        ours = OurFile(about, [Definitions.of(label) for label in kept.labels], list(kept.comments.values()))
        data = {"video": stem(video), "width": video.width, "height": video.height, "siamlabel": ours}
        # The results first: a task begins with what tells it from other JSON.
        yield b'[{"id":1,"annotations":[{"id":1,"result":['
        for at, track in enumerate(kept.tracks.values()):
            head = encode(_head(track, video))[:-1]
            yield (b",\n" if at else b"\n") + head + b',"value":' + encode(_value(track, video))[:-1] + b',"sequence":['
            for place, key in enumerate(_sequence(track, video, written_keys(track.frames, params))):
                yield (b",\n" if place else b"\n") + encode(key)
            yield b"]}}"
        yield b']}],"data":' + encode(data) + b"}]\n"

    def read(self, path: Path) -> Document:
        """The document in a Label Studio file; see `app.formats.label_studio_read.read`."""
        return read(path)


LABEL_STUDIO = LabelStudioFormat()

_SENTENCES = {
    "empty": mark("Tracks without a box on any frame, not written: {n}."),
    "between": mark(
        "Frames left to Label Studio's interpolation, at most {px:g} px off, all else as on the keyframe before: {n}."
    ),
    "mask_off": mark("Masks, not written: {n}."),
}


def _alike(a: Observation, b: Observation) -> bool:
    return (a.state, a.cover, a.attributes) == (b.state, b.cover, b.attributes)


def _head(track: Track, video: VideoRef) -> dict[str, Any]:
    ours = OurTrack(track.colour, track.ignored, absent_runs(track.frames), track.id, track.attributes)
    return {
        "id": f"track-{track.id}",
        "type": "videorectangle",
        "from_name": "box",
        "to_name": "video",
        "origin": "manual",
        "original_width": video.width,
        "original_height": video.height,
        "meta": {"siamlabel": ours},
    }


def _value(track: Track, video: VideoRef) -> dict[str, Any]:
    duration = video.frames / video.fps if video.fps > 0 else 0.0
    return {"labels": [track.label], "framesCount": video.frames, "duration": duration}


def _sequence(track: Track, video: VideoRef, keys: set[int]) -> Iterator[dict[str, Any]]:
    for run in stretches(track.frames):
        for frame, after in pairwise([*(frame for frame in run if frame in keys), None]):
            assert frame is not None
            obs = track.frames[frame]
            assert obs.box is not None
            yield {
                "frame": frame + 1,
                "enabled": after is not None,
                "x": 100 * obs.box.x / video.width,
                "y": 100 * obs.box.y / video.height,
                "width": 100 * obs.box.w / video.width,
                "height": 100 * obs.box.h / video.height,
                "rotation": 0,
                "time": (frame + 1) / video.fps if video.fps > 0 else 0.0,
                "siamlabel": extras_of(obs),
            }
