"""The protocols behind one door: how a clip is run, scored, kept as text and taken up again."""

from __future__ import annotations

import typing
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from tracker.api import Tracker
from tracker.data.sequences import Sequence
from tracker.evaluation import multi_start, one_pass, supervised, vot_raw
from tracker.evaluation.one_pass import ClipRun, ClipScore
from tracker.evaluation.profiles import OTB, Profile
from tracker.evaluation.raw import RawStore
from tracker.evaluation.supervised import Trajectory

BASELINE, MULTISTART = "baseline", "multistart"
"""Folders of the two VOT protocols in a tracker's results, called as the VOT toolkit calls its experiments."""


class Protocol(typing.Protocol):
    """What `compare` needs of a protocol; a run and a score are of the protocol's own types."""

    @property
    def name(self) -> str: ...

    def run(self, tracker: Tracker, sequence: Sequence, masks: bool) -> Generator[int, None, Any]:
        """Run one clip; yields the number of frames done, returns the run. Raises `SequenceError`."""
        ...

    def score(self, run: Any, sequence: Sequence) -> Any:
        """The score of a run, with a ``note`` on what went wrong. Raises `SequenceError`."""
        ...

    def load(self, store: RawStore, sequence: Sequence) -> Any:
        """The complete stored run of a clip, None when there is none."""
        ...

    def save(self, store: RawStore, sequence: Sequence, run: Any) -> None:
        """Keep a run as text."""
        ...


@dataclass(frozen=True)
class OnePass:
    """Start on the first box, follow to the end; raw results as OTB and GOT-10k keep them."""

    profile: Profile = OTB
    name: str = "one-pass"

    def run(self, tracker: Tracker, sequence: Sequence, masks: bool) -> Generator[int, None, ClipRun]:
        return one_pass.run_clip(tracker, sequence, masks=masks)

    def score(self, run: ClipRun, sequence: Sequence) -> ClipScore:
        return one_pass.score(run, sequence, self.profile)

    def load(self, store: RawStore, sequence: Sequence) -> ClipRun | None:
        return store.load(sequence.name, len(sequence.truth))

    def save(self, store: RawStore, sequence: Sequence, run: ClipRun) -> None:
        store.save(sequence.name, run)


@dataclass(frozen=True)
class Supervised:
    """VOT 2013 to 2019: started anew after each failure; raw results as the VOT toolkit keeps them."""

    repetitions: int = supervised.REPETITIONS
    name: str = "supervised"

    def run(self, tracker: Tracker, sequence: Sequence, masks: bool) -> Generator[int, None, list[Trajectory]]:
        return supervised.run(tracker, sequence, self.repetitions)

    def score(self, run: list[Trajectory], sequence: Sequence) -> supervised.SupervisedScore:
        return supervised.score(run, sequence)

    def load(self, store: RawStore, sequence: Sequence) -> list[Trajectory] | None:
        frames = len(sequence.truth)
        names = [f"{number:03d}" for number in range(1, self.repetitions + 1)]
        runs = vot_raw.load(store.folder / BASELINE, sequence.name, [(name, frames) for name in names])
        return runs if len(runs) == self.repetitions or supervised.settled(runs) else None

    def save(self, store: RawStore, sequence: Sequence, run: list[Trajectory]) -> None:
        names = [f"{number:03d}" for number in range(1, len(run) + 1)]
        vot_raw.save(store.folder / BASELINE, sequence.name, names, run)


@dataclass(frozen=True)
class MultiStart:
    """VOT 2020 and later: a run from each anchor; raw results as the VOT toolkit keeps them."""

    name: str = "multi-start"

    def run(self, tracker: Tracker, sequence: Sequence, masks: bool) -> Generator[int, None, list[Trajectory]]:
        return multi_start.run(tracker, sequence, masks=masks)

    def score(self, run: list[Trajectory], sequence: Sequence) -> multi_start.MultiStartScore:
        return multi_start.score(run, sequence)

    def load(self, store: RawStore, sequence: Sequence) -> list[Trajectory] | None:
        wanted = [(name, len(start.frames(len(sequence.truth)))) for name, start in self._names(sequence)]
        runs = vot_raw.load(store.folder / MULTISTART, sequence.name, wanted)
        return runs if len(runs) == len(wanted) else None

    def save(self, store: RawStore, sequence: Sequence, run: list[Trajectory]) -> None:
        vot_raw.save(store.folder / MULTISTART, sequence.name, [name for name, _ in self._names(sequence)], run)

    def _names(self, sequence: Sequence) -> list[tuple[str, multi_start.Start]]:
        return [(f"{start.frame:08d}", start) for start in multi_start.starts(sequence)]
