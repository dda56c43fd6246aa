"""VOT's multi-start protocol, 2020 and later: from many anchors, to the clip's end or back to its begin, no restarts.

From an anchor the tracker runs in the direction that the data set gives. It has failed where its overlap first stays at
or below .1 for ten frames that show the target (reference F.3). The frame of the start has overlap 0, as the official
toolkit scores its code. Where a data set has masks, they are the truth, and a box answers as if it were filled.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tracker.api import Target, Tracker, TrackerError
from tracker.data import raster, regions
from tracker.data.regions import INITIALISED, UNKNOWN, Region
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation.expected import Expected
from tracker.evaluation.supervised import Trajectory, answer_of

APART = 50
"""Frames between the anchors that are made where a data set has none."""
GRACE, THRESHOLD = 10, 0.1
INTERVAL = (115, 755)
"""The lengths over which the expected average overlap is averaged, the curve itself ending with the last but one."""


@dataclass(frozen=True)
class Start:
    """An anchor: its frame, and whether the run goes backward from there to frame 0."""

    frame: int
    backward: bool

    def frames(self, total: int) -> range:
        """The frames of the run, in its order, of a clip of ``total`` frames."""
        return range(self.frame, -1, -1) if self.backward else range(self.frame, total)


@dataclass(frozen=True)
class MultiStartScore:
    """One tracker on one clip. ``overlaps``: of each run, in its order; ``progress``: frames before each failure.

    ``accuracy``: mean overlap before failure, None when there is no such frame; ``robustness``: share of the frames
    before failure; ``frames`` of the clip.
    """

    overlaps: tuple[np.ndarray, ...]
    progress: tuple[int, ...]
    frames: int
    fps: float | None
    note: str = ""

    @property
    def accuracy(self) -> float | None:
        before = sum(float(row[:end].sum()) for row, end in zip(self.overlaps, self.progress, strict=True))
        return before / sum(self.progress) if sum(self.progress) else None

    @property
    def robustness(self) -> float:
        return sum(self.progress) / sum(map(len, self.overlaps))


@dataclass(frozen=True)
class MultiStartSummary:
    """All clips of one tracker.

    ``accuracy``: overlap pooled over the frames before failure; ``robustness``: of the clips, weighted by length, as
    the toolkit prints it; these are also the values of the accuracy-robustness plot.
    """

    accuracy: float | None
    robustness: float
    eao: Expected
    fps: float | None


def starts(sequence: Sequence) -> list[Start]:
    """The clip's anchors, or one for each 50 frames run towards the farther end. Raises `SequenceError` for none."""
    usable = [sequence.region(frame) is not None for frame in range(len(sequence.truth))]
    if sequence.anchors is not None and sequence.anchors.any():
        forward = np.flatnonzero(sequence.anchors > 0).tolist()
        backward = np.flatnonzero(sequence.anchors < 0).tolist()
        found = [Start(frame, False) for frame in forward] + [Start(frame, True) for frame in backward]
        if bad := [start.frame for start in found if not usable[start.frame]]:
            raise SequenceError(f"{sequence.name}: frame {bad[0]} is an anchor without a region. Correct anchor.value.")
        return found
    last = len(usable) - 1
    frames = sorted(
        {next((frame for frame in range(place, last) if usable[frame]), -1) for place in range(0, last, APART)} - {-1}
    )
    if not frames:
        raise SequenceError(f"{sequence.name}: its ground truth holds no region to start from.")
    return [Start(frame, backward=frame > last - frame) for frame in frames]


def run(tracker: Tracker, sequence: Sequence, *, masks: bool) -> Generator[int, None, list[Trajectory]]:
    """A run from every anchor, in the order of `starts`; yields the number of frames done in the present one.

    ``masks``: the tracker's masks are its answers where the clip has masks. Raises `SequenceError`.
    """
    done = []
    for start in starts(sequence):
        done.append((yield from _run(tracker, sequence, start, masks and sequence.has_masks)))
    return done


def _run(tracker: Tracker, sequence: Sequence, start: Start, masks: bool) -> Generator[int, None, Trajectory]:
    order = start.frames(len(sequence.truth))
    answers: list[Region | int] = [UNKNOWN] * len(order)
    seconds = np.full(len(order), np.nan)
    error = ""
    target: Target | None = None
    truth = sequence.mask_region(start.frame)
    if truth is None:
        raise SequenceError(f"{sequence.name}: frame {start.frame} has no region to start from.")
    walked = 0
    with closing(sequence.backwards(start.frame) if start.backward else sequence.frames()) as source:
        images = source if start.backward else islice(source, start.frame, len(sequence.truth))
        for index, image in enumerate(images):
            walked = index + 1
            try:
                if target is None:
                    target = tracker.start(image, regions.start_box(truth))
                    answers[index] = INITIALISED
                else:
                    began = time.perf_counter()
                    prediction = target.step(image, want_mask=masks)
                    seconds[index] = time.perf_counter() - began
                    answers[index] = answer_of(prediction, masks)
            except TrackerError as problem:  # the rest of the run has no answers
                error, walked = str(problem), len(order)
                break
            yield index + 1
    if walked < len(order):
        raise SequenceError(f"{sequence.media} ends before its ground truth: restore the video.")
    return Trajectory(answers, seconds, (error,) if error else ())


def score(runs: list[Trajectory], sequence: Sequence) -> MultiStartScore:
    """The overlaps and progress of a clip's runs. Raises `SequenceError`."""
    overlaps, progress = [], []
    every = [sequence.mask_region(frame) for frame in range(len(sequence.truth))]
    for item, start in zip(runs, starts(sequence), strict=True):
        truths = [every[frame] for frame in start.frames(len(sequence.truth))]
        row = np.array(
            [
                0.0 if isinstance(answer, int) or truth is None else raster.overlap(answer, truth, sequence.size)
                for answer, truth in zip(item.answers, truths, strict=True)
            ]
        )
        overlaps.append(row)
        progress.append(progress_of(row, np.array([truth is not None for truth in truths])))
    seconds = np.concatenate([item.seconds for item in runs])
    seconds = seconds[~np.isnan(seconds)]
    fps = len(seconds) / float(seconds.sum()) if seconds.sum() > 0 else None
    note = " ".join(dict.fromkeys(error for item in runs for error in item.errors))
    return MultiStartScore(tuple(overlaps), tuple(progress), len(sequence.truth), fps, note)


def progress_of(overlaps: np.ndarray, shown: np.ndarray) -> int:
    """Frames before the first ten in a row at or below .1 that show the target; all when there are no such ten."""
    streak = 0
    for index, (value, visible) in enumerate(zip(overlaps.tolist(), shown.tolist(), strict=True)):
        streak = streak + 1 if value <= THRESHOLD and visible else 0
        if streak == GRACE:
            return index + 1 - GRACE
    return len(overlaps)


def summary(scores: Mapping[str, MultiStartScore]) -> MultiStartSummary:
    """All clips of one tracker (at least one) together."""
    clips = list(scores.values())
    frames = sum(clip.frames for clip in clips)
    before = sum(sum(clip.progress) for clip in clips)
    overlap = sum(
        float(row[:end].sum()) for clip in clips for row, end in zip(clip.overlaps, clip.progress, strict=True)
    )
    speeds = [clip.fps for clip in clips if clip.fps is not None]
    return MultiStartSummary(
        accuracy=overlap / before if before else None,
        robustness=sum(clip.robustness * clip.frames for clip in clips) / frames,
        eao=expected(clips),
        fps=sum(speeds) / len(speeds) if speeds else None,
    )


def expected(clips: list[MultiStartScore], interval: tuple[int, int] = INTERVAL) -> Expected:
    """The curve over all runs of all clips, and its mean over the interval (None when no run is that long).

    At length j a run counts with its mean overlap in frames 1 … j, counted from 0; one that failed and is shorter goes
    on with its sum over j - 1, as the toolkit divides.
    """
    low, high = interval
    total, active = np.zeros(high), np.zeros(high)
    at = np.arange(high)
    for clip in clips:
        for row, end in zip(clip.overlaps, clip.progress, strict=True):
            kept = np.where(np.arange(len(row)) < end, row, 0.0)
            kept[:1] = 0.0
            inside = min(len(row), high)
            sums = np.cumsum(kept)
            total[1:inside] += sums[1:inside] / at[1:inside]
            active[1:inside] += 1
            if end < len(row) and inside < high:
                beyond = np.arange(max(inside, 2), high)
                total[beyond] += sums[-1] / (beyond - 1)
                active[beyond] += 1
    values = np.divide(total, active, out=np.zeros(high), where=active > 0)
    reached = active[low : high + 1] > 0
    value = float(values[low : high + 1].mean()) if reached.any() else None
    return Expected(tuple(values.tolist()), value)
