"""Failures as strips of pictures: what each frame shows around the target, who answered what, and the heat map.

The heat map of a failing tracker is made by running it again over the stretch, from the start of its run; where it does
not answer as it did, the map would be of another story and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

import cv2
import numpy as np

from tracker.api import Box, HeatMap, Image, Target, Tracker, TrackerError
from tracker.boxes import iou
from tracker.data import regions
from tracker.data.regions import Region
from tracker.data.sequences import Sequence
from tracker.evaluation.failures import Failure, Trace, places
from tracker.evaluation.multi_start import Start
from tracker.evaluation.one_pass import ClipRun
from tracker.evaluation.stored import Study

SIDE = 240
"""Pixels of a picture."""
AROUND = 5.0
"""Sides of the target that a picture shows, if the image is that large."""
ENOUGH = 1.2
"""Sides of the target that it shows at least."""
QUALITY = 80
SAME = 0.8
"""Overlap with its stored answer from which on a tracker that runs again tells the same story."""
MAP = "fused"
"""The heat map that is shown: what the tracker finally chooses by."""
LARGEST = 8_000_000
"""Bytes of all pictures of a report; strips that would exceed it are left out."""


@dataclass(frozen=True)
class Overlay:
    """A heat map as a picture with transparency, (rows, columns, 4) as PNG, over ``rect`` of the image."""

    png: bytes
    rect: Box


@dataclass(frozen=True)
class Shot:
    """One picture. ``window``: the square of the image that it shows; ``truth``: None where the target is absent.

    ``answers`` and ``overlaps`` by tracker; overlaps are nan where nothing counts.
    """

    frame: int
    jpeg: bytes
    window: Box
    truth: Region | None
    answers: dict[str, Region]
    overlaps: dict[str, float]
    heat: Overlay | None = None


@dataclass
class Strip:
    """The pictures of a failure. ``mapped``: the tracker whose heat map they show, empty without; ``note``: why not."""

    failure: Failure
    shots: list[Shot] = field(default_factory=list)
    mapped: str = ""
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes of its pictures."""
        return sum(len(shot.jpeg) + (len(shot.heat.png) if shot.heat else 0) for shot in self.shots)


def make(
    study: Study, found: list[Failure], traces: list[Trace], *, heat: bool = True
) -> Generator[tuple[int, int], None, list[Strip]]:
    """The strips of failures; yields how many of the frames to walk through are done, and how many there are.

    ``heat``: run trackers again for their heat maps. Raises `SequenceError` when a clip cannot be read any more.
    """
    total = sum(_last(failure, traces) + 1 for failure in found)
    done, size = 0, 0
    strips = []
    makers = _Makers(study) if heat else None
    for failure in found:
        steps = _strip(study, failure, [trace for trace in traces if trace.clip == failure.clip], makers)
        while True:
            try:
                yield done + next(steps), total
            except StopIteration as end:
                strip: Strip = end.value
                break
        done += _last(failure, traces) + 1
        size += strip.size
        if size > LARGEST:
            break
        strips.append(strip)
    return strips


class _Makers:
    """Trackers made again when they are asked for, and kept."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.made: dict[str, Tracker | None] = {}

    def __call__(self, label: str) -> Tracker | None:
        if label not in self.made:
            contender = self.study.contenders.get(label)
            try:
                self.made[label] = contender.create() if contender is not None else None
            except TrackerError:
                self.made[label] = None
        return self.made[label]


class _Replay:
    """A tracker on its way through the run again; ``over`` when it has no maps or does not answer as it did."""

    def __init__(self, trace: Trace, tracker: Tracker, region: Region, masks: bool) -> None:
        self.trace, self.tracker, self.region, self.masks = trace, tracker, region, masks
        self.target: Target | None = None
        self.over = self.strays = False
        self.maps: dict[int, HeatMap] = {}

    def step(self, place: int, image: Image, wanted: bool) -> None:
        if self.over:
            return
        try:
            if self.target is None:
                self.target = self.tracker.start(image, regions.start_box(self.region))
                return
            found = self.target.step(image, want_mask=self.masks)
        except TrackerError:
            self.over = True
            return
        before = self.trace.answers[place]
        if not found.heat:
            self.over = True
        elif isinstance(before, np.ndarray) and before.ndim == 1 and iou(before, np.array(found.box, float)) < SAME:
            self.strays = self.over = True
        elif wanted and MAP in found.heat:
            self.maps[place] = found.heat[MAP]


def _strip(study: Study, failure: Failure, here: list[Trace], makers: _Makers | None) -> Generator[int, None, Strip]:
    sequence, strip = study.sequences[failure.clip], Strip(failure)
    own = {trace.label: trace for trace in here if trace.start == failure.start}
    first = own[failure.labels[0]]
    wanted = places(failure, len(first.answers))
    replays = _replays(study, sequence, failure, own, makers) if makers is not None else []
    windows = _windows(sequence, first, wanted)
    shown: list[tuple[int, int, Image]] = []
    with closing(_walk(sequence, first, wanted, every=bool(replays))) as frames:
        for place, frame, image in frames:
            for replay in replays:
                replay.step(place, image, place in wanted)
            if place in wanted:
                shown.append((place, frame, image))
            yield place + 1
    told = next((replay for replay in replays if replay.maps and not replay.strays), None)
    if told is not None:
        strip.mapped = told.trace.label
    elif strays := [replay.trace.label for replay in replays if replay.strays]:
        strip.note = f"No heat map: run again, {' and '.join(strays)} does not answer as it did."
    for place, frame, image in shown:
        heat = told.maps.get(place) if told is not None else None
        jpeg = _cut(image, windows[place])
        answers, overlaps = _answers(here, failure.start, frame)
        strip.shots.append(
            Shot(frame, jpeg, windows[place], sequence.region(frame), answers, overlaps, heat and _overlay(heat))
        )
    return strip


def _replays(
    study: Study, sequence: Sequence, failure: Failure, own: dict[str, Trace], makers: _Makers
) -> list[_Replay]:
    out = []
    for label in failure.labels:
        one_pass = isinstance(study.comparison.runs[label][failure.clip], ClipRun)
        region = sequence.truth[failure.start.frame] if one_pass else sequence.region(failure.start.frame)
        tracker = makers(label)
        if tracker is not None and region is not None and label in own:
            masks = study.contenders[label].draws(sequence) and one_pass
            out.append(_Replay(own[label], tracker, region, masks))
    return out


def _answers(here: list[Trace], start: Start, frame: int) -> tuple[dict[str, Region], dict[str, float]]:
    """What each tracker answered on a frame, and its overlap: in the run from ``start``, else in the one it was in."""
    answers, overlaps = {}, {}
    for trace in sorted(here, key=lambda trace: trace.start == start):  # those of this start are taken last, and count
        if frame in trace.frames and trace.start.backward == start.backward:
            place = trace.frames.index(frame)
            overlaps[trace.label] = float(trace.overlaps[place])
            answers.pop(trace.label, None)
            answer = trace.answers[place]
            if answer is not None:
                answers[trace.label] = answer
    return answers, overlaps


def _walk(
    sequence: Sequence, trace: Trace, wanted: list[int], every: bool
) -> Generator[tuple[int, int, Image], None, None]:
    """Places, frames and pictures of a run up to the last wanted one; all of them, or only the wanted."""
    order = trace.frames
    start = trace.start
    with closing(sequence.backwards(start.frame) if start.backward else sequence.frames()) as images:
        skip = 0 if start.backward else start.frame
        for number, image in enumerate(images):
            place = number - skip
            if place > wanted[-1]:
                return
            if place >= 0 and (every or place in wanted):
                yield place, order[place], image


def _windows(sequence: Sequence, trace: Trace, wanted: list[int]) -> dict[int, Box]:
    """The square to show at each place: around the target, or where it was last; one size for the strip."""
    order = trace.frames
    sizes = [(w, h) for *_, w, h in sequence.truth[[order[place] for place in wanted]].tolist() if w * h > 0]
    width, height = sequence.size
    around = AROUND * max((math.sqrt(w * h) for w, h in sizes), default=8.0)
    side = max(min(around, width, height), *(ENOUGH * max(size) for size in sizes), 8.0)
    known = np.flatnonzero(sequence.present)
    out = {}
    for place in wanted:
        x, y, w, h = sequence.truth[known[np.argmin(np.abs(known - order[place]))]].tolist()
        cx, cy = _inside(x + w / 2, side, width), _inside(y + h / 2, side, height)
        out[place] = Box(cx - side / 2, cy - side / 2, side, side)
    return out


def _inside(centre: float, side: float, length: float) -> float:
    """A window's centre, moved so that the window stays inside the image where it can."""
    if side >= length:
        return length / 2
    return min(max(centre, side / 2), length - side / 2)


def _cut(image: Image, window: Box) -> bytes:
    """The window as JPEG, `SIDE` pixels a side; grey beyond the image."""
    scale = SIDE / window.w
    if scale < 1:  # warping does not average
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grow = max(scale, 1.0)
    move = np.array([[grow, 0, -window.x * scale], [0, grow, -window.y * scale]])
    _, jpeg = cv2.imencode(
        ".jpg",
        cv2.warpAffine(image, move, (SIDE, SIDE), borderValue=(128, 128, 128)),
        [cv2.IMWRITE_JPEG_QUALITY, QUALITY],
    )
    return jpeg.tobytes()


def _overlay(heat: HeatMap) -> Overlay:
    """Warm colours, the more opaque the higher the response."""
    values = np.clip(np.nan_to_num(heat.values), 0, None)
    share = values / max(float(values.max()), 1e-6)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opaque = (np.sqrt(share) * 190).astype(np.uint8)
    _, png = cv2.imencode(".png", np.dstack([colours, opaque]))
    return Overlay(png.tobytes(), heat.rect)


def _last(failure: Failure, traces: list[Trace]) -> int:
    own = next(
        trace
        for trace in traces
        if (trace.label, trace.clip, trace.start) == (failure.labels[0], failure.clip, failure.start)
    )
    return places(failure, len(own.answers))[-1]
