"""VOT's supervised protocol, 2013 to 2019: a lost tracker is started anew five frames later (reference F.2).

The tracker starts on the annotated region. When its answer no longer overlaps it, the frame is a failure, and the
tracker starts again five frames on. Runs are repeated to average over chance, unless the first three are the same.

Frames without a region (other data sets have these) are stepped through but decide nothing, and a start that falls on
one waits for the next region.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from tracker.api import Prediction, Target, Tracker, TrackerError
from tracker.data import raster, regions
from tracker.data.regions import FAILED, INITIALISED, UNKNOWN, Region
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation.expected import INTERVALS, Expected, Variant, expected, fragments

REPETITIONS, ENOUGH = 15, 3
"""Runs of a tracker that answers by chance, and runs after which one that answered the same is taken at its word."""
SKIP, BURN_IN = 5, 10
"""Frames from a failure to the next start; frames from a start on that accuracy leaves out."""
SENSITIVITY = 30
"""Frames that the reliability of the accuracy-robustness plot speaks of."""


@dataclass
class Trajectory:
    """One run. ``answers``: per frame a region, or VOT's code (0 skipped, 1 started, 2 failed); ``seconds``: (N,) time
    of each step, nan elsewhere. ``errors``: sentences of a tracker that broke.
    """

    answers: list[Region | int]
    seconds: np.ndarray
    errors: tuple[str, ...] = ()

    @property
    def failures(self) -> list[int]:
        """Frames that failed."""
        return [index for index, answer in enumerate(self.answers) if isinstance(answer, int) and answer == FAILED]

    @property
    def starts(self) -> list[int]:
        """Frames on which the tracker was started, or broke when it should have been."""
        out, running = [], False
        for index, answer in enumerate(self.answers):
            failed = isinstance(answer, int) and answer == FAILED
            if isinstance(answer, int) and (answer == INITIALISED or (failed and not running)):
                out.append(index)
            running = not failed and (running or (isinstance(answer, int) and answer == INITIALISED))
        return out


@dataclass(frozen=True)
class SupervisedScore:
    """One tracker on one clip, over its repetitions.

    ``overlaps``: (R, N) float64, nan where there is no answer; ``starts``, ``failures``: frames of each repetition;
    ``counted``: (R, N) bool, the frames that accuracy counts;
    ``accuracy``: mean overlap of the frames that count, None when none does; ``fps`` of the steps alone.
    """

    overlaps: np.ndarray
    starts: tuple[tuple[int, ...], ...]
    failures: tuple[tuple[int, ...], ...]
    counted: np.ndarray
    accuracy: float | None
    fps: float | None
    note: str = ""

    @property
    def frames(self) -> int:
        return self.overlaps.shape[1]

    @property
    def mean_failures(self) -> float:
        """Failures of a repetition, on average."""
        return sum(map(len, self.failures)) / len(self.failures)


@dataclass(frozen=True)
class SupervisedSummary:
    """One tracker over all clips.

    ``accuracy``: mean over all frames that count, pooled (pysot, the papers); ``accuracy_toolkit``: mean over clips
    weighted by their lengths. ``robustness``: failures per 100 frames (pysot, the papers); ``failures``: mean failures
    of a clip, weighted by length (Python toolkit). ``reliability``: exp(-30 failures / frames), the abscissa of the
    accuracy-robustness plot. ``eao``: see `tracker.evaluation.expected`.
    """

    accuracy: float | None
    accuracy_toolkit: float | None
    robustness: float
    failures: float
    reliability: float
    eao: Expected
    fps: float | None


def answer_of(prediction: Prediction, masks: bool = False) -> Region:
    """What counts as a tracker's answer: its mask if ``masks``, else its rotated rectangle, else its box."""
    if masks and prediction.mask is not None:
        return prediction.mask
    return prediction.polygon if prediction.polygon is not None else np.array(prediction.box, float)


def run(tracker: Tracker, sequence: Sequence, repetitions: int = REPETITIONS) -> Generator[int, None, list[Trajectory]]:
    """Every repetition on one clip; yields the number of frames done in the present one, returns all.

    Raises `SequenceError` when the clip cannot be read.
    """
    done: list[Trajectory] = []
    while len(done) < repetitions:
        done.append((yield from run_once(tracker, sequence)))
        if len(done) == ENOUGH and settled(done):
            break
    return done


def settled(runs: list[Trajectory]) -> bool:
    """Whether the first three runs gave the same answers, so that more would tell nothing."""
    return len(runs) >= ENOUGH and all(same(runs[0], other) for other in runs[1:ENOUGH])


def same(a: Trajectory, b: Trajectory) -> bool:
    """Whether two runs gave the same answers, to the last digit."""
    pairs = zip(a.answers, b.answers, strict=True)
    return all(
        one == other if isinstance(one, int) or isinstance(other, int) else regions.write(one) == regions.write(other)
        for one, other in pairs
    )


def run_once(tracker: Tracker, sequence: Sequence) -> Generator[int, None, Trajectory]:
    """One repetition; see `run`."""
    total = len(sequence.truth)
    answers: list[Region | int] = [UNKNOWN] * total
    seconds = np.full(total, np.nan)
    errors: list[str] = []
    target: Target | None = None
    restart = sequence.first
    size = sequence.size
    decoded = 0
    with closing(sequence.frames()) as frames:
        for index, image in enumerate(frames):
            if index == total:
                break
            decoded = index + 1
            truth = sequence.region(index)
            try:
                if target is not None:
                    began = time.perf_counter()
                    prediction = target.step(image, want_mask=False)
                    seconds[index] = time.perf_counter() - began
                    answers[index] = answer = answer_of(prediction)
                    if truth is not None and raster.overlap(answer, truth, size) <= 0:
                        answers[index], target, restart = FAILED, None, index + SKIP
                elif index >= restart and truth is not None:
                    answers[index] = INITIALISED
                    target = tracker.start(image, regions.start_box(truth))
            except TrackerError as error:  # a tracker that breaks has failed
                errors.append(str(error))
                answers[index], target, restart = FAILED, None, index + SKIP
            yield index + 1
    if decoded < total:
        raise SequenceError(f"{sequence.media} has {decoded} frames, its ground truth {total}: restore the video.")
    return Trajectory(answers, seconds, tuple(dict.fromkeys(errors)))


def score(runs: list[Trajectory], sequence: Sequence) -> SupervisedScore:
    """The overlaps and failures of a clip's repetitions (at least one). Raises `SequenceError` for a clip unread."""
    size = sequence.size
    overlaps = np.array(
        [[_overlap(answer, sequence.region(index), size) for index, answer in enumerate(item.answers)] for item in runs]
    )
    counted = np.array([_counted(item) for item in runs]) & ~np.isnan(overlaps)
    values = overlaps[counted]
    seconds = np.concatenate([item.seconds for item in runs])
    seconds = seconds[~np.isnan(seconds)]
    return SupervisedScore(
        overlaps=overlaps,
        starts=tuple(tuple(item.starts) for item in runs),
        failures=tuple(tuple(item.failures) for item in runs),
        counted=counted,
        accuracy=_mean(_per_frame(overlaps, counted)) if len(values) else None,
        fps=len(seconds) / float(seconds.sum()) if seconds.sum() > 0 else None,
        note=" ".join(dict.fromkeys(error for item in runs for error in item.errors)),
    )


def summary(
    scores: Mapping[str, SupervisedScore], interval: str = "vot2018", variant: Variant = "legacy"
) -> SupervisedSummary:
    """All clips of one tracker (at least one) together; ``interval`` is a key of `INTERVALS`."""
    clips = list(scores.values())
    frames = sum(clip.frames for clip in clips)
    pooled = np.concatenate([_per_frame(clip.overlaps, clip.counted) for clip in clips])
    rated = [(clip.accuracy, clip.frames) for clip in clips if clip.accuracy is not None]
    failures = sum(clip.mean_failures for clip in clips)
    pieces, weights = [], []
    for clip in clips:
        for row, begun, failed in zip(clip.overlaps, clip.starts, clip.failures, strict=True):
            found = fragments(row, begun, failed, SKIP, variant)
            pieces += found
            weights += [1 / len(clip.failures)] * len(found)
    speeds = [clip.fps for clip in clips if clip.fps is not None]
    longest = max(clip.frames for clip in clips)
    return SupervisedSummary(
        accuracy=_mean(pooled),
        accuracy_toolkit=sum(a * n for a, n in rated) / sum(n for _, n in rated) if rated else None,
        robustness=per_hundred(failures, frames),
        failures=sum(clip.mean_failures * clip.frames for clip in clips) / frames,
        reliability=math.exp(-SENSITIVITY * failures / frames),
        eao=expected(pieces, weights, longest, INTERVALS[interval], variant),
        fps=sum(speeds) / len(speeds) if speeds else None,
    )


def per_hundred(failures: float, frames: int) -> float:
    """Failures per 100 frames, the R of the papers' tables."""
    return 100 * failures / frames


def _overlap(answer: Region | int, truth: Region | None, size: tuple[int, int]) -> float:
    if isinstance(answer, int):
        return 0.0 if answer == FAILED else np.nan
    return np.nan if truth is None else raster.overlap(answer, truth, size)


def _counted(item: Trajectory) -> np.ndarray:
    """Which frames accuracy counts: (N,) bool; neither codes nor the first frames from a start on."""
    out = np.array([not isinstance(answer, int) for answer in item.answers])
    for index, answer in enumerate(item.answers):
        if isinstance(answer, int) and answer == INITIALISED:
            out[index : index + BURN_IN] = False
    return out


def _per_frame(overlaps: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean over the repetitions in which a frame counts; frames that never do are left out."""
    times = counted.sum(axis=0)
    sums = np.where(counted, overlaps, 0.0).sum(axis=0)
    return sums[times > 0] / times[times > 0]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
