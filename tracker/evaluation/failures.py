"""Where trackers fail worst: stretches of a run in which the target is missed, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracker.data import raster, regions
from tracker.data.regions import FAILED, Region
from tracker.data.sequences import Sequence, labelled
from tracker.evaluation import metrics, multi_start
from tracker.evaluation.multi_start import MultiStartScore, Start
from tracker.evaluation.one_pass import ClipRun
from tracker.evaluation.stored import Study
from tracker.evaluation.supervised import SupervisedScore, Trajectory

MISSED = 0.2
"""Overlap below which the target is missed."""
BRIDGE = 5
"""Frames above it that do not end a failure: a box that the target happens to cross."""


@dataclass(frozen=True)
class Trace:
    """What one tracker answered from one start on, by place in the run; the frames are those of ``start``.

    ``answers``: regions, None where there is none; ``overlaps``: (N,) float64, nan where nothing counts.
    """

    label: str
    clip: str
    start: Start
    answers: tuple[Region | None, ...]
    overlaps: np.ndarray

    @property
    def frames(self) -> range:
        """The frames of the places."""
        step = -1 if self.start.backward else 1
        return range(self.start.frame, self.start.frame + step * len(self.answers), step)


@dataclass(frozen=True)
class Failure:
    """``labels`` miss the target from place ``begin`` to ``end`` (counted) of a run from ``start``, the worst first.

    ``cost``: what it takes away from the mean overlap of the run of the first of them.
    """

    clip: str
    labels: tuple[str, ...]
    start: Start
    begin: int
    end: int
    cost: float


def traces(study: Study) -> list[Trace]:
    """Every start of every tracker; of runs repeated, the first."""
    return [
        trace
        for label, runs in study.comparison.runs.items()
        for clip, run in runs.items()
        for trace in _of(label, study.sequences[clip], run, study.comparison.scores[label][clip])
    ]


def find(trace: Trace) -> list[Failure]:
    """The failures of one run, in its order."""
    counted = np.flatnonzero(np.isfinite(trace.overlaps))
    missed = trace.overlaps[counted] < MISSED
    out = []
    edges = np.flatnonzero(np.diff(missed.astype(np.int8), prepend=0, append=0))
    pairs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    joined: list[tuple[int, int]] = []
    for begin, end in pairs:
        if joined and begin - joined[-1][1] <= BRIDGE:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    for begin, end in joined:
        cost = float((1 - trace.overlaps[counted[begin:end]]).sum()) / len(counted)
        out.append(Failure(trace.clip, (trace.label,), trace.start, int(counted[begin]), int(counted[end - 1]), cost))
    return out


def worst(found: Iterable[Trace], most: int) -> list[Failure]:
    """At most ``most`` failures: the worst of each tracker in turn, then their second worst, and so on.

    Of each clip a tracker's worst comes before its second worst of any. Trackers that fail at the same place share one.
    """
    waiting: dict[str, list[Failure]] = {}
    for trace in found:
        waiting.setdefault(trace.label, []).extend(find(trace))
    for failures in waiting.values():
        failures.sort(key=lambda failure: -failure.cost)
        often: Counter[str] = Counter()
        place = {}
        for failure in failures:
            place[failure] = often[failure.clip]
            often[failure.clip] += 1
        failures.sort(key=lambda failure: (-place[failure], failure.cost))  # those to show first stand last
    chosen: list[Failure] = []
    while len(chosen) < most and any(waiting.values()):
        for failures in waiting.values():
            while failures and _joined(chosen, failures[-1]):
                failures.pop()
            if failures and len(chosen) < most:
                chosen.append(failures.pop())
    return sorted(chosen, key=lambda failure: -failure.cost)


def places(failure: Failure, length: int) -> list[int]:
    """The places of a run to show of a failure, of ``length`` in all: before, the loss, its course, and after."""
    begin, end = failure.begin, failure.end
    third = (end - begin) / 3
    wanted = (begin - 8, begin - 3, begin, round(begin + third), round(begin + 2 * third), end, end + 3)
    return sorted({min(max(place, 0), length - 1) for place in wanted})


def _joined(chosen: list[Failure], failure: Failure) -> bool:
    """Whether a failure is one that is shown already; if of another tracker, that is named there."""
    for index, other in enumerate(chosen):
        if (other.clip, other.start) != (failure.clip, failure.start):
            continue
        common = min(other.end, failure.end) - max(other.begin, failure.begin) + 1
        if common > 0.5 * min(other.end - other.begin + 1, failure.end - failure.begin + 1):
            chosen[index] = replace(other, labels=tuple(dict.fromkeys((*other.labels, *failure.labels))))
            return True
    return False


def _of(label: str, sequence: Sequence, run: Any, score: Any) -> Iterator[Trace]:
    if isinstance(run, ClipRun):
        yield _one_pass(label, sequence, run)
    elif isinstance(score, MultiStartScore):
        for start, item, overlaps in zip(multi_start.starts(sequence), run, score.overlaps, strict=True):
            values = overlaps.copy()
            shown = [sequence.region(frame) is not None for frame in start.frames(len(sequence.truth))]
            values[~np.array(shown)] = np.nan
            values[0] = np.nan  # the start itself
            yield Trace(label, sequence.name, start, _regions(item.answers), values)
    elif isinstance(score, SupervisedScore):
        yield from _supervised(label, sequence, run[0])


def _one_pass(label: str, sequence: Sequence, run: ClipRun) -> Trace:
    first = sequence.first
    counted = sequence.present & (np.arange(len(sequence.truth)) < run.decoded)
    overlaps = np.where(counted, metrics.overlaps(run.boxes, sequence.truth), np.nan)
    known = labelled(run.boxes)
    answers = tuple(box if good else None for box, good in zip(run.boxes[first:], known[first:], strict=True))
    return Trace(label, sequence.name, Start(first, backward=False), answers, overlaps[first:])


def _supervised(label: str, sequence: Sequence, run: Trajectory) -> Iterator[Trace]:
    """A trace for each start, up to the failure that ends it."""
    starts = run.starts
    for begin, following in zip(starts, (*starts[1:], len(run.answers)), strict=True):
        failure = next((frame for frame in run.failures if begin <= frame < following), None)
        end = following if failure is None else failure + 1
        answers = run.answers[begin:end]
        overlaps = np.full(len(answers), np.nan)
        for place, answer in enumerate(answers):
            truth = sequence.region(begin + place)
            if isinstance(answer, int):
                overlaps[place] = 0.0 if answer == FAILED else np.nan
            elif truth is not None:
                overlaps[place] = raster.overlap(answer, truth, sequence.size)
        yield Trace(label, sequence.name, Start(begin, backward=False), _regions(answers), overlaps)


def _regions(answers: list[Region | int]) -> tuple[Region | None, ...]:
    return tuple(None if isinstance(answer, int) else answer for answer in answers)


def box_of(region: Region | None) -> np.ndarray | None:
    """The box around a region, (4,) float64; None without one, or around an empty mask."""
    if region is None:
        return None
    try:
        return np.array(regions.bounding_box(region), float)
    except ValueError:
        return None
