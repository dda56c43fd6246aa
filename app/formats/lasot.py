"""LaSOT: ``<class>/<class>-<n>`` with ``groundtruth.txt`` and flags for the frames in which nothing can be seen.

- ``groundtruth.txt``: ``x,y,w,h`` a line in whole pixels counted from 1; ``0,0,0,0`` where there is no box.
- ``full_occlusion.txt`` and ``out_of_view.txt``: one line of 0 and 1 with commas between. An object that is lost is
  written as fully occluded and an object out of view as that; a fully occluded one is read as lost.
- ``nlp.txt``: one line that describes the object: the attribute ``description``, else the label.
- ``img/00000001.jpg`` is frame 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.formats.base import read_text
from app.formats.names import file_name, plain
from app.formats.selection import Extra
from app.formats.single import FILLED, SingleFormat, held, lines, seen, text_kind
from app.formats.single_read import NOTE, Row, Spot, folders_of, read_levels
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.tracks import AttributeValue, Observation, Source, State, Track
from app.words import mark

_HIDDEN, _AWAY, _WORDS = "full_occlusion.txt", "out_of_view.txt", "nlp.txt"
_DESCRIPTION = "description"


class LasotFormat(SingleFormat):
    """See the module's text for the conventions, `app.formats.single.SingleParams` for the options."""

    id = "lasot"
    title = "LaSOT"
    holds = held(
        boxes="rounded to whole pixels",
        states="occluded becomes visible; lost is fully occluded",
        attributes="the track's 'description' is kept",
    )
    origin = 1
    keeps = (Extra.ATTRIBUTES,)
    kinds = (text_kind(_DESCRIPTION),)
    always = (mark("Coordinates are rounded to whole pixels."),)
    ours = re.compile(rf"[^/]+/[^/]+/(groundtruth\.txt|{_HIDDEN}|{_AWAY}|{_WORDS}|{NOTE}|img/\d{{8,}}\.jpg)")

    def sequences(self, kept: Document) -> dict[str, list[Track]]:
        return {f"{_class(track.label)}-{track.id}": [track] for track in kept.tracks.values()}

    def place(self, root: Path, name: str, tracks: Sequence[Track]) -> Spot:
        return self._spot(root / _class(tracks[0].label) / name)

    def find(self, path: Path) -> Iterator[Spot]:
        for folder in folders_of(path, ("groundtruth.txt", _HIDDEN, _AWAY, _WORDS)):
            if (folder / "groundtruth.txt").is_file() and any(
                (folder / name).is_file() for name in (_HIDDEN, _AWAY, _WORDS)
            ):
                yield self._spot(folder)

    def settle(self, obs: Observation, video: VideoRef, tally: Counter[str]) -> Observation | None:
        tally["attributes"] += len(obs.attributes)
        if obs.box is None:
            tally["hidden"] += obs.state is State.LOST
            return Observation(source=Source.IMPORTED, state=obs.state)
        tally["occluded"] += obs.state is State.OCCLUDED
        x, w = _whole(obs.box.x, obs.box.w, video.width)
        y, h = _whole(obs.box.y, obs.box.h, video.height)
        return seen(Box(x, y, w, h))

    def observe(self, truth: Path, rows: Sequence[Row]) -> dict[int, Observation]:
        hidden = read_levels(truth.with_name(_HIDDEN), len(rows)) or [0] * len(rows)
        away = read_levels(truth.with_name(_AWAY), len(rows)) or [0] * len(rows)
        lost = Observation(source=Source.IMPORTED, state=State.LOST)
        out: dict[int, Observation] = {}
        for frame, box in enumerate(rows):
            if away[frame] or hidden[frame]:
                out[frame] = FILLED if away[frame] else lost
            elif box is not None:
                out[frame] = seen(box)
        return out

    def attributes(self, track: Track, tally: Counter[str]) -> dict[str, AttributeValue]:
        out = super().attributes(track, tally)
        return {} if out.get(_DESCRIPTION) == track.label else out

    def about(self, truth: Path, label: str) -> dict[str, AttributeValue]:
        path = truth.with_name(_WORDS)
        told = plain(read_text(path)) if path.is_file() else ""
        return {_DESCRIPTION: told} if told and told != label else {}

    def beside(self, truth: Path, track: Track, video: VideoRef) -> dict[Path, str]:
        found = [track.frames.get(frame) for frame in range(video.frames)]
        flags = {
            name: lines([",".join(str(int(obs is not None and obs.state is state)) for obs in found)])
            for name, state in ((_HIDDEN, State.LOST), (_AWAY, State.OUT_OF_VIEW))
        }
        words = lines([str(track.attributes.get(_DESCRIPTION) or track.label)])
        return {truth.with_name(name): text for name, text in (flags | {_WORDS: words}).items()}

    def _spot(self, folder: Path) -> Spot:
        label = re.sub(r"-\d+$", "", folder.name)
        return Spot(folder.name, {0: folder / "groundtruth.txt"}, folder / "img", folder / NOTE, label)


def _whole(start: float, length: float, size: int) -> tuple[float, float]:
    """A box's side in whole pixels, at least one of them inside the picture."""
    pixels = max(1, round(length))
    return float(min(max(round(start), 1 - pixels), size - 1)), float(pixels)


def _class(label: str) -> str:
    """A label as LaSOT's folders are called; the dash is for the number that follows."""
    return file_name(label).replace("-", "_") or "object"


LASOT = LasotFormat()
