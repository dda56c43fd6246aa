"""Several trackers over several clips: the loop around a protocol, resumable and, when asked, parallel over clips."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2

from tracker import registry
from tracker.api import Tracker
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation import raw
from tracker.evaluation.protocols import OnePass, Protocol


@dataclass(frozen=True)
class Contender:
    """One tracker to evaluate. ``label``: how the caller called it (a name or an alias); ``options``: for `create`."""

    label: str
    device: str = "auto"
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, label: str, device: str = "auto", options: Mapping[str, Any] | None = None) -> Contender:
        """With those of the ``options`` that the tracker accepts. Raises `TrackerError` for an unknown name."""
        accepted = registry.accepts(label)
        return cls(label, device, tuple((key, value) for key, value in (options or {}).items() if key in accepted))

    def create(self) -> Tracker:
        """Raises `TrackerError` when the tracker cannot be made."""
        return registry.create(self.label, self.device, **dict(self.options))

    @property
    def masks(self) -> bool:
        return registry.info(self.label).masks


@dataclass(frozen=True)
class Progress:
    """``done`` of ``frames`` frames of a clip; ``score`` on its last message (None there if the clip was left out)."""

    label: str
    clip: str
    done: int
    frames: int
    finished: bool = False
    score: Any = None


@dataclass
class Comparison:
    """Scores by tracker label and clip name; ``problems``: sentences about clips left out and trackers that failed."""

    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Done:
    """What one tracker left on one clip: a run of the protocol's kind, or what kept the clip from being read."""

    protocol: Protocol
    contender: Contender
    sequence: Sequence
    run: Any
    problem: str = ""


_Task = tuple[Protocol, Contender, Sequence]


def compare(
    contenders: list[Contender],
    sequences: list[Sequence],
    *,
    protocol: Protocol | None = None,
    raw_root: Path | None = None,
    jobs: int = 1,
) -> Generator[Progress, None, Comparison]:
    """Run every tracker over every clip; yields `Progress`, returns the `Comparison`.

    ``protocol``: one pass under OTB's profile when None. ``raw_root``: folder of raw results; clips that it already
    holds are scored without running. ``jobs``: processes over clips (speeds then include each other's load). Raises
    `TrackerError` before the first clip when a tracker cannot be made; a clip that cannot be read is left out for
    all trackers and named among the problems.
    """
    protocol = protocol or OnePass()
    trackers = {contender: contender.create() for contender in contenders}
    stores: dict[Contender, raw.RawStore] = {}
    done: list[_Done] = []
    waiting: list[_Task] = []
    for contender in contenders:
        if raw_root is not None:
            who = raw.identity(contender.label, contender.device, **dict(contender.options))
            stores[contender] = raw.RawStore(raw_root, who)
        for sequence in sequences:
            run = protocol.load(stores[contender], sequence) if contender in stores else None
            if run is None:
                waiting.append((protocol, contender, sequence))
            else:
                done.append(_Done(protocol, contender, sequence, run))
                yield _finished(done[-1])
    if jobs > 1:
        trackers.clear()  # the workers make their own
    for message in _parallel(waiting, jobs) if jobs > 1 else _serial(waiting, trackers):
        if isinstance(message, Progress):
            yield message
            continue
        if message.run is not None and message.contender in stores:
            protocol.save(stores[message.contender], message.sequence, message.run)
        done.append(message)
        yield _finished(message)
    return _summary(contenders, sequences, done)


def _summary(contenders: list[Contender], sequences: list[Sequence], done: list[_Done]) -> Comparison:
    found = {(item.contender, item.sequence.name): item for item in done}
    result = Comparison()
    left_out = {item.sequence.name: item.problem for item in done if item.run is None}
    result.problems += [f"{name} is left out: {problem}" for name, problem in sorted(left_out.items())]
    for contender in contenders:
        scores = result.scores[contender.label] = {}
        for sequence in sequences:
            run = found[contender, sequence.name].run
            if run is None or sequence.name in left_out:
                continue
            scores[sequence.name] = score = found[contender, sequence.name].protocol.score(run, sequence)
            if score.note:
                result.problems.append(f"{contender.label} on {sequence.name}: {score.note}")
    return result


def _finished(done: _Done) -> Progress:
    frames = len(done.sequence.truth)
    score = done.protocol.score(done.run, done.sequence) if done.run is not None else None
    return Progress(done.contender.label, done.sequence.name, frames, frames, finished=True, score=score)


def _serial(tasks: list[_Task], trackers: Mapping[Contender, Tracker]) -> Generator[Progress | _Done, None, None]:
    for protocol, contender, sequence in tasks:
        steps = protocol.run(trackers[contender], sequence, contender.masks)
        try:
            while True:
                yield Progress(contender.label, sequence.name, next(steps), len(sequence.truth))
        except StopIteration as end:
            yield _Done(protocol, contender, sequence, end.value)
        except SequenceError as error:
            yield _Done(protocol, contender, sequence, None, str(error))
        finally:
            steps.close()


def _parallel(tasks: list[_Task], jobs: int) -> Generator[_Done, None, None]:
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread)
    try:
        for future in as_completed([pool.submit(_work, *task) for task in tasks]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _work(protocol: Protocol, contender: Contender, sequence: Sequence) -> _Done:
    for message in _serial([(protocol, contender, sequence)], {contender: _cached(contender)}):
        if isinstance(message, _Done):
            return message
    raise AssertionError("a task ends with its result")


@lru_cache(maxsize=1)
def _cached(contender: Contender) -> Tracker:
    return contender.create()


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
