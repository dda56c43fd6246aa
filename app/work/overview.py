"""The document at a glance: a few bytes per frame and track as arrays, kept up to date from each `Change`.

The timeline asks for pixels: however long the clip, a lane costs as much as the widget is wide. The review asks for
stretches of suspicious frames (`app.work.triage`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.model.document import Change, Document
from app.model.tracks import Observation, Source, State, Track
from app.words import tr

NONE, IMPORTED, INTERPOLATED, TRACKER, MANUAL = range(5)
"""Sources in order of precedence: when many frames share a pixel, the highest is shown."""
VISIBLE, OCCLUDED, OUT_OF_VIEW, LOST = 1, 2, 3, 4

_SOURCE = {
    Source.IMPORTED: IMPORTED,
    Source.INTERPOLATED: INTERPOLATED,
    Source.TRACKER: TRACKER,
    Source.MANUAL: MANUAL,
}
_STATE = {State.VISIBLE: VISIBLE, State.OCCLUDED: OCCLUDED, State.OUT_OF_VIEW: OUT_OF_VIEW, State.LOST: LOST}
_STATE_SHIFT, _KEY, _VERIFIED = 3, 0x40, 0x80
NO_SCORE = 0
"""Nothing is 0 in every array, so that the empty part of a long clip takes no memory until it is written."""
SUSPICIOUS = 128
"""From this much doubt on (0 none, 255 all) a frame is one to look at."""
VOUCHES = 5
"""Frames beside one that a person looked at which are taken for looked at, too: they differ little from it."""


def code(seen: Observation | None) -> int:
    """One observation as a byte: source in bits 0-2, state in bits 3-5, keyframe in bit 6, verified in bit 7."""
    if seen is None:
        return 0
    return (
        _SOURCE[seen.source]
        | _STATE[seen.state] << _STATE_SHIFT
        | (_KEY if seen.keyframe else 0)
        | (_VERIFIED if seen.verified else 0)
    )


def doubt(seen: Observation) -> tuple[float, str]:
    """How much a person should doubt an observation, 0..1, and why in words; nothing that a person vouches for.

    A tracker's answer counts by what it said itself (lost, uncertain, its score) and by what came out when a gap was
    tracked from both sides (``disagreement``, 1 - IoU of the two answers).
    """
    if seen.protected or seen.source is not Source.TRACKER:
        return 0.0, ""
    if seen.state is State.LOST:
        return 1.0, tr("lost")
    apart = seen.signals.get("disagreement", 0.0)
    score = 1.0 if seen.score is None else min(1.0, max(0.0, seen.score))
    unsure = 0.75 + 0.2 * (1 - score) if seen.signals.get("uncertain") else 0.0
    torn = min(1.0, apart + 0.2) if apart >= 0.3 else 0.0
    if unsure >= max(torn, 1 - score):
        return unsure, tr("the tracker is uncertain")
    if torn >= 1 - score:
        return torn, tr("both directions disagree (IoU {value:.2f})").format(value=1 - apart)
    return 1 - score, tr("score {score:.2f}").format(score=score)


@dataclass
class Strip:
    """A lane aggregated to ``n`` pixels: ``source`` and ``state`` uint8 (n,), ``keys`` bool (n,)."""

    source: np.ndarray
    state: np.ndarray
    keys: np.ndarray


@dataclass(frozen=True)
class Stretch:
    """Suspicious frames of one track in a row: [start, stop), the most suspicious one, its doubt in 0..255."""

    track: int
    start: int
    stop: int
    worst: int
    doubt: int


class Lane:
    """One track: ``codes``, ``scores`` and ``doubts`` uint8 (frames,); a score is 1..255, or `NO_SCORE`."""

    def __init__(self, frames: int, track: Track) -> None:
        self.track = track.id
        self.made_of = track
        self.codes = np.zeros(frames, np.uint8)
        self.scores = np.zeros(frames, np.uint8)
        self.doubts = np.zeros(frames, np.uint8)
        self.version = 0
        self._stretches: tuple[int, list[Stretch]] = (-1, [])
        self._summary: tuple[int, tuple[int, int, int]] = (-1, (0, 0, -1))
        for frame, seen in track.frames.items():
            self.put(frame, seen)

    def put(self, frame: int, seen: Observation | None) -> None:
        """Note what one frame holds now; frames outside the clip are left out."""
        if 0 <= frame < len(self.codes):
            self.codes[frame] = code(seen)
            score = None if seen is None else seen.score
            self.scores[frame] = NO_SCORE if score is None else 1 + round(min(1.0, max(0.0, score)) * 254)
            self.doubts[frame] = 0 if seen is None else round(doubt(seen)[0] * 255)

    def stretches(self) -> list[Stretch]:
        """Where to look, in the order of the frames; what a person looked at vouches for its neighbours."""
        if self._stretches[0] != self.version:
            self._stretches = self.version, self._find()
        return self._stretches[1]

    def _find(self) -> list[Stretch]:
        odd = self.doubts >= SUSPICIOUS
        if not odd.any():
            return []
        sure = self.sure()
        for away in range(-VOUCHES, VOUCHES + 1):
            near = sure + away
            odd[near[(near >= 0) & (near < len(odd))]] = False
        edges = np.flatnonzero(np.diff(np.concatenate(([0], odd.view(np.int8), [0]))))
        found = []
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            worst = a + int(self.doubts[a:b].argmax())
            found.append(Stretch(self.track, a, b, worst, int(self.doubts[worst])))
        return found

    def sure(self) -> np.ndarray:
        """The frames (n,) that a person vouches for (`Observation.protected`), ascending."""
        return np.flatnonzero((self.codes & (_KEY | _VERIFIED) > 0) | (self.codes & 7 == MANUAL))

    def summary(self) -> tuple[int, int, int]:
        """Frames where the object is present, first and last frame that say anything; (0, 0, -1) when empty."""
        if self._summary[0] != self.version:  # a list of objects asks for all of them at every change
            self._summary = self.version, self._sum()
        return self._summary[1]

    def _sum(self) -> tuple[int, int, int]:
        known = np.flatnonzero(self.codes)
        if not len(known):
            return 0, 0, -1
        states = (self.codes[known] >> _STATE_SHIFT) & 7
        return int(np.count_nonzero(states <= OCCLUDED)), int(known[0]), int(known[-1])

    def strip(self, start: float, stop: float, pixels: int) -> Strip:
        """The frames [start, stop) over ``pixels`` columns; a column outside the clip is empty."""
        bins = _bins(start, stop, pixels, len(self.codes))
        return Strip(
            _reduce(np.maximum, self.codes & 7, bins),
            _reduce(np.maximum, (self.codes >> _STATE_SHIFT) & 7, bins),
            _reduce(np.maximum, self.codes & _KEY, bins) > 0,
        )

    def curve(self, start: float, stop: float, pixels: int) -> tuple[np.ndarray, np.ndarray]:
        """The lowest score of each column: frame positions (n,) and scores (n,) float, nan where there is none."""
        bins = _bins(start, stop, pixels, len(self.scores))
        low = _reduce(np.minimum, self.scores - np.uint8(1), bins, 255).astype(float)  # no score wraps to the top
        low[low == 255] = np.nan
        return bins.centres, low / 254


@dataclass
class _Bins:
    """Columns: ``first`` frame and the one after the last, whether the first is ``inside`` the clip, their middles."""

    first: np.ndarray
    after: np.ndarray
    inside: np.ndarray
    centres: np.ndarray


def _bins(start: float, stop: float, pixels: int, frames: int) -> _Bins:
    """With less than a frame per pixel, columns are whole frames instead of pixels."""
    if stop - start <= pixels:
        first = np.arange(int(np.floor(start)), int(np.ceil(stop)))
        after = first + 1
        centres = first + 0.5
    else:
        edges = start + (stop - start) * np.arange(pixels + 1) / pixels
        first = np.floor(edges[:-1]).astype(int)
        after = np.floor(edges[1:]).astype(int)
        centres = (edges[:-1] + edges[1:]) / 2
    return _Bins(first, after, (first >= 0) & (first < frames), centres)


def _reduce(how: np.ufunc, values: np.ndarray, bins: _Bins, empty: int = 0) -> np.ndarray:
    out = np.full(len(bins.first), empty, values.dtype)
    if bins.inside.any():
        out[bins.inside] = how.reduceat(values[: int(bins.after[bins.inside][-1])], bins.first[bins.inside])
    return out


class Lanes:
    """All lanes of a document, in track order."""

    def __init__(self) -> None:
        self.frames = 0
        self.lanes: dict[int, Lane] = {}
        self._spare: dict[int, Lane] = {}

    def reset(self, doc: Document, frames: int) -> None:
        """Start over for another document; ``frames`` is the clip's length."""
        self.frames = frames
        self.lanes = {number: Lane(frames, track) for number, track in doc.tracks.items()}
        for lane in self.lanes.values():
            lane.summary()  # here, beside the window: all are asked for once it shows the document

    @property
    def first(self) -> int:
        """The first frame that says anything of any object; 0 when none does."""
        said = (lane.summary() for lane in self.lanes.values())
        return min((first for _, first, last in said if last >= 0), default=0)

    def expect(self, lanes: dict[int, Lane]) -> None:
        """Lanes of tracks that are about to come in, made in a worker. They count where they say what is there."""
        self._spare = lanes

    def frames_vouched(self, track: int | None) -> np.ndarray:
        """The frames (n,) of a track that a person vouches for, ascending; none of no track."""
        lane = None if track is None else self.lanes.get(track)
        return np.zeros(0, np.intp) if lane is None else lane.sure()

    def coverage(self) -> tuple[int, int]:
        """How many frames say something, and on how many of them a person vouches for all that they say."""
        labelled, unsure = np.zeros(self.frames, bool), np.zeros(self.frames, bool)
        for lane in self.lanes.values():
            says = lane.codes != NONE
            labelled |= says
            says[lane.sure()] = False
            unsure |= says
        return int(labelled.sum()), int((labelled & ~unsure).sum())

    def update(self, doc: Document, change: Change) -> set[int]:
        """Follow a change; returns the tracks whose lanes look different now."""
        touched: set[int] = set()
        if change.structure:
            gone = {number: lane for number, lane in self.lanes.items() if number not in doc.tracks}
            for number, track in doc.tracks.items():
                if number not in self.lanes:
                    self.lanes[number] = self._spared(track) or Lane(self.frames, track)
                    touched.add(number)
            if gone:
                self._spare = gone  # an undo may bring them back, a redo take them again
                touched |= gone.keys()
            self.lanes = {number: self.lanes[number] for number in doc.tracks}
        for number, frames in change.frames.items():
            lane, track = self.lanes.get(number), doc.tracks.get(number)
            if lane is None or track is None or number in touched:
                continue
            for frame in frames:
                lane.put(frame, track.frames.get(frame))
            lane.version += 1
            touched.add(number)
        return touched

    def _spared(self, track: Track) -> Lane | None:
        """The lane that was made of a track with these very frames, if there is one."""
        lane = self._spare.pop(track.id, None)
        if lane is None or len(lane.codes) != self.frames or lane.made_of.frames != track.frames:
            return None
        lane.made_of = track
        return lane
