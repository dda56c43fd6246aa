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
    """One tracker to evaluate. ``label``: how the caller called it (a name or an alias); ``options``: for `create`;
    ``always_masks``: ask it for masks on every clip, as the window does, not only where the truth has them."""

    label: str
    device: str = "auto"
    options: tuple[tuple[str, Any], ...] = ()
    always_masks: bool = False

    @classmethod
    def of(
        cls, label: str, device: str = "auto", options: Mapping[str, Any] | None = None, *, always_masks: bool = False
    ) -> Contender:
        """With those of the ``options`` that the tracker accepts. Raises `TrackerError` for an unknown name."""
        accepted = registry.accepts(label)
        kept = tuple((key, value) for key, value in (options or {}).items() if key in accepted)
        return cls(label, device, kept, always_masks and registry.info(label).masks)

    def create(self) -> Tracker:
        """Raises `TrackerError` when the tracker cannot be made."""
        return registry.create(self.label, self.device, **dict(self.options))

    def draws(self, sequence: Sequence) -> bool:
        """It is asked for masks on this clip."""
        return registry.info(self.label).masks and (sequence.has_masks or self.always_masks)

    def identity(self) -> dict[str, Any]:
        """What decides its raw results, see `raw.identity`."""
        who = raw.identity(self.label, self.device, **dict(self.options))
        return who | {"masks": "always"} if self.always_masks else who


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
    """Scores and runs by tracker label and clip name, of the protocol's own types; ``problems``: sentences about clips
    left out and trackers that failed."""

    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What one tracker left on one clip: a run and its score, or the problem for which there is none."""

    label: str
    clip: str
    run: Any = None
    score: Any = None
    problem: str = ""


_Task = tuple[Protocol, Contender, Sequence]


def compare(
    contenders: list[Contender],
    sequences: list[Sequence],
    *,
    protocol: Protocol | None = None,
    raw_root: Path | None = None,
    source: Path | None = None,
    jobs: int = 1,
) -> Generator[Progress, None, Comparison]:
    """Run every tracker over every clip; yields `Progress`, returns the `Comparison`.

    ``protocol``: one pass under OTB's profile when None. ``raw_root``: folder of raw results; clips that it already
    holds are scored without running; ``source``: where the clips were found, noted there. ``jobs``: processes over
    clips (speeds then include each other's load). Raises `TrackerError` before the first clip when a tracker cannot be
    made; a clip that cannot be read or scored is left out for all trackers and named among the problems.
    """
    protocol = protocol or OnePass()
    trackers = {contender: contender.create() for contender in contenders}
    stores: dict[str, raw.RawStore] = {}
    done: list[Done] = []
    waiting: list[_Task] = []
    for contender in contenders:
        if raw_root is not None:
            stores[contender.label] = store = raw.RawStore.claim(raw_root, contender.identity())
            if source is not None:
                store.note_origin(source, dict(contender.options))
        for sequence in sequences:
            found = stored(protocol, contender.label, sequence, stores.get(contender.label))
            if found is None:
                waiting.append((protocol, contender, sequence))
            else:
                done.append(found)
                yield _finished(found, sequence)
    if jobs > 1:
        trackers.clear()  # the workers make their own
    frames = {sequence.name: sequence for sequence in sequences}
    for message in _parallel(waiting, jobs) if jobs > 1 else _serial(waiting, trackers):
        if isinstance(message, Progress):
            yield message
            continue
        if message.run is not None and message.label in stores:
            protocol.save(stores[message.label], frames[message.clip], message.run)
        done.append(message)
        yield _finished(message, frames[message.clip])
    return summary([contender.label for contender in contenders], sequences, done)


def stored(protocol: Protocol, label: str, sequence: Sequence, store: raw.RawStore | None) -> Done | None:
    """A clip's stored run, scored; None when it has to be run."""
    try:
        run = protocol.load(store, sequence) if store is not None else None
        return None if run is None else Done(label, sequence.name, run, protocol.score(run, sequence))
    except SequenceError as error:
        return Done(label, sequence.name, problem=str(error))


def summary(labels: list[str], sequences: list[Sequence], done: list[Done]) -> Comparison:
    """The clips that every tracker has, in the order of ``sequences``; ``done`` holds each tracker on each clip."""
    found = {(item.label, item.clip): item for item in done}
    result = Comparison()
    left_out = {item.clip: item.problem for item in done if item.run is None}
    result.problems += [f"{name} is left out: {problem}" for name, problem in sorted(left_out.items())]
    for label in labels:
        scores, runs = result.scores.setdefault(label, {}), result.runs.setdefault(label, {})
        for sequence in sequences:
            if sequence.name in left_out:
                continue
            item = found[label, sequence.name]
            scores[sequence.name], runs[sequence.name] = item.score, item.run
            if item.score.note:
                result.problems.append(f"{label} on {sequence.name}: {item.score.note}")
    return result


def _finished(done: Done, sequence: Sequence) -> Progress:
    frames = len(sequence.truth)
    return Progress(done.label, done.clip, frames, frames, finished=True, score=done.score)


def _serial(tasks: list[_Task], trackers: Mapping[Contender, Tracker]) -> Generator[Progress | Done, None, None]:
    for protocol, contender, sequence in tasks:
        steps = protocol.run(trackers[contender], sequence, contender.draws(sequence))
        label, clip = contender.label, sequence.name
        try:
            while True:
                yield Progress(label, clip, next(steps), len(sequence.truth))
        except StopIteration as end:
            run = end.value
        except SequenceError as error:
            yield Done(label, clip, problem=str(error))
            continue
        finally:
            steps.close()
        try:
            yield Done(label, clip, run, protocol.score(run, sequence))
        except SequenceError as error:
            yield Done(label, clip, problem=str(error))


def _parallel(tasks: list[_Task], jobs: int) -> Generator[Done, None, None]:
    # the longest clips first, or one worker is left with one of them at the end
    tasks = sorted(tasks, key=lambda task: -len(task[2].truth))
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread)
    try:
        for future in as_completed([pool.submit(_work, *task) for task in tasks]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _work(protocol: Protocol, contender: Contender, sequence: Sequence) -> Done:
    for message in _serial([(protocol, contender, sequence)], {contender: _cached(contender)}):
        if isinstance(message, Done):
            return message
    raise AssertionError("a task ends with its result")


@lru_cache(maxsize=1)
def _cached(contender: Contender) -> Tracker:
    return contender.create()


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
