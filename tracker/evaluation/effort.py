"""Effort: how often a person must correct a tracker until every box of a clip is right.

The simulated annotator draws the first box and reviews the frames in order. The first one whose overlap with the truth
is below a threshold is corrected; what comes after it is tracked again from there, by a target that learns from the
correction if it can and by one started anew if not. What was reviewed is right and never changes. A frame that the
tracker calls lost has no box in the product, so it is wrong if the target is there; frames without a box in the truth
are not reviewed.

With ``ahead`` the annotator goes on by so many frames from the first wrong one and corrects there. The gap is then
tracked from both sides and fused (`tracker.fusing`), as the product does it, and reviewed from the first wrong frame
on: what is still wrong in it is corrected too, and the rest of the gap tracked again. In a review in order and without
it no gap is left to fill: all before the correction is right.

A tracker that cannot start on a box (too small, for one) leaves the frames to the person until it can.

The annotator draws the truth to the pixel, or with a `hand`: people do not, and a count of corrections that turns on
hundredths of a box is worth knowing only as the mean over several hands.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tracker import boxes
from tracker.api import Box, Image, Target, Teachable, Tracker, TrackerError, Verdict
from tracker.data.sequences import Sequence
from tracker.evaluation.raw import RawStore, write_lines
from tracker.fusing import fuse_boxes, shares

HAND = 0.01
"""How far a hand is off: one deviation of centre and sides, in sides of the box. Its boxes overlap the truth by .97."""
NOTHING = (np.full(4, np.nan), 0.0)
"""The answer of a tracker that has none."""

Answer = tuple[np.ndarray, float]
"""A box (4,), nan where there is none, and its score."""


@dataclass(frozen=True)
class Effort:
    """``corrections`` after the first box, in ``frames`` reviewed ones; ``at``: the corrected frames.

    ``note``: why the tracker had to be started anew, if it failed.
    """

    corrections: int
    frames: int
    at: tuple[int, ...] = ()
    note: str = ""

    @property
    def per_thousand(self) -> float:
        """Corrections per 1 000 reviewed frames."""
        return 1000 * self.corrections / max(1, self.frames)


@dataclass(frozen=True)
class Annotator:
    """The simulated annotator, as a protocol of `tracker.evaluation.compare`.

    ``threshold``: overlap that every frame must reach; ``ahead``: frames from the first wrong one to the corrected;
    ``hand``: whose, 0 for one that is never off.
    """

    threshold: float = 0.5
    ahead: int = 0
    hand: int = 0

    @property
    def name(self) -> str:
        return f"effort-{self.threshold:g}-{self.ahead}" + (f"-hand{self.hand}" if self.hand else "")

    def drawn(self, truth: Box, frame: int) -> Box:
        """The box that this hand draws around a target of ``frame``; the same whenever it does."""
        if not self.hand:
            return truth
        dx, dy, dw, dh = np.random.default_rng((self.hand, frame)).normal(0, HAND, 4)
        w, h = truth.w * math.exp(dw), truth.h * math.exp(dh)
        return Box.from_centre(truth.cx + dx * truth.w, truth.cy + dy * truth.h, w, h)

    def run(self, tracker: Tracker, sequence: Sequence, masks: bool) -> Generator[int, None, Effort]:
        """Corrections that ``tracker`` needs on one clip; yields the number of frames done.

        Boxes alone count; with ``masks`` they are those that the masks have corrected. Raises `SequenceError` when the
        clip cannot be read.
        """
        return _Review(self, tracker, sequence, masks).run()

    def score(self, run: Effort, sequence: Sequence) -> Effort:
        return run

    def load(self, store: RawStore, sequence: Sequence) -> Effort | None:
        """The stored run of a clip; None when there is none, or none that fits."""
        try:
            told = json.loads(self._file(store, sequence).read_text(encoding="utf-8"))
            if told.pop("of") != len(sequence.truth):
                return None
            return Effort(**{**told, "at": tuple(told["at"])})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, store: RawStore, sequence: Sequence, run: Effort) -> None:
        path = self._file(store, sequence)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_lines(path, [json.dumps({**asdict(run), "of": len(sequence.truth)})])

    def _file(self, store: RawStore, sequence: Sequence) -> Path:
        path = store.folder / self.name / sequence.name
        return path.with_name(f"{path.name}.json")


@dataclass
class _Frame:
    index: int
    image: Image
    answer: Answer


@dataclass
class _Review:
    """One clip under review."""

    annotator: Annotator
    tracker: Tracker
    sequence: Sequence
    masks: bool
    target: Target | None = None
    keyframe: int = 0
    corrected: list[int] = field(default_factory=list)
    reviewed: int = 1
    note: str = ""

    def run(self) -> Generator[int, None, Effort]:
        first, last = self.sequence.first, len(self.sequence.truth)
        with closing(self.sequence.frames()) as images:
            frames = ((i, image) for i, image in zip(range(last), images, strict=False) if i >= first)
            for index, image in frames:
                if index == first:
                    self._take(index, image)
                    continue
                frame = _Frame(index, image, self._step(image))
                self.reviewed += int(self.sequence.present[index])
                if self._wrong(index, frame.answer[0]):
                    gap = [frame, *self._further(frames)]
                    self.reviewed += sum(int(self.sequence.present[other.index]) for other in gap[1:])
                    self._settle(gap)
                    index = gap[-1].index
                yield index + 1
        return Effort(len(self.corrected), self.reviewed, tuple(sorted(self.corrected)), self.note)

    def _further(self, frames: Iterator[tuple[int, Image]]) -> Iterator[_Frame]:
        for _, (index, image) in zip(range(self.annotator.ahead), frames, strict=False):
            yield _Frame(index, image, self._step(image))

    def _settle(self, gap: list[_Frame]) -> None:
        """Make the frames of ``gap`` right, of which the first is wrong: correct the last that shows the target.

        The target goes on from the last frame.
        """
        seen = [frame for frame in gap if self.sequence.present[frame.index]]
        end, inner = seen[-1], [frame for frame in gap if frame.index < seen[-1].index]
        behind = self._backward(end, inner)
        forward = [frame.answer for frame in inner]
        self.corrected.append(end.index)
        while (wrong := self._first_wrong(inner, forward, behind, end.index)) is not None:
            frame = inner[wrong]
            self.corrected.append(frame.index)
            self._take(frame.index, frame.image)
            inner, behind = inner[wrong + 1 :], behind[wrong + 1 :]
            forward = [self._step(other.image) for other in inner]
        self._take(end.index, end.image)
        for frame in gap:
            if frame.index > end.index:
                self._step(frame.image)

    def _first_wrong(self, inner: list[_Frame], forward: list[Answer], behind: list[Answer], end: int) -> int | None:
        """The first frame of a gap that is wrong after fusing both sides; the gap begins at the last keyframe."""
        reviewed = inner[0].index - self.keyframe - 1 if inner else 0
        first, second = ([NOTHING] * reviewed + answers for answers in (forward, behind))
        (a, sa), (b, sb) = (
            (np.array([box for box, _ in side]).reshape(-1, 4), np.array([score for _, score in side]))
            for side in (first, second)
        )
        fused = fuse_boxes(a, b, shares(a, b, sa, sb))[reviewed:]
        return next((i for i, frame in enumerate(inner) if self._wrong(frame.index, fused[i])), None)

    def _backward(self, end: _Frame, inner: list[_Frame]) -> list[Answer]:
        """What a target started on the corrected frame answers backwards, in order of time."""
        if not inner:
            return []
        try:
            target = self.tracker.start(end.image, self._drawn(end.index))
        except TrackerError as error:
            self.note = str(error)
            return [NOTHING] * len(inner)
        return [self._ask(target, frame.image) for frame in reversed(inner)][::-1]

    def _step(self, image: Image) -> Answer:
        return NOTHING if self.target is None else self._ask(self.target, image)

    def _ask(self, target: Target, image: Image) -> Answer:
        try:
            found = target.step(image, want_mask=self.masks)
        except TrackerError as error:
            self.note = str(error)
            return NOTHING
        return NOTHING if found.verdict is Verdict.LOST else (np.array(found.box), found.score)

    def _wrong(self, index: int, box: np.ndarray) -> bool:
        truth = self.sequence.truth[index]
        return bool(self.sequence.present[index] and boxes.iou(box, truth) < self.annotator.threshold)

    def _drawn(self, index: int) -> Box:
        return self.annotator.drawn(Box(*self.sequence.truth[index]), index)

    def _take(self, index: int, image: Image) -> None:
        """Give the tracker the annotator's box of a frame."""
        self.keyframe = index
        right = self._drawn(index)
        try:
            if isinstance(self.target, Teachable):
                self.target.correct(image, right)
            else:
                self.target = self.tracker.start(image, right)
        except TrackerError as error:
            self.note, self.target = str(error), None
