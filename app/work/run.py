"""The desk of the tracking runs, as the main lane sees it: one run at a time, its status, its chunks, its end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from app.model.document import Frames
from app.words import tr
from app.work.choice import Trackers
from app.work.errors import SessionError
from app.work.gap import track_gap
from app.work.jobs import Job, Jobs, Post
from app.work.latest import Chunks, Latest
from app.work.recent import Recent
from app.work.requests import (
    PAUSES,
    Aim,
    Book,
    Ending,
    Found,
    GapRequest,
    LiveItem,
    Note,
    OpenReader,
    Outcome,
    Part,
    Tracked,
    TrackRequest,
)
from app.work.tracking import track_frames
from tracker.api import Verdict

LANE = "tracking"


class Phase(StrEnum):
    LOADING = "loading"
    TRACKING = "tracking"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Followed:
    """How one object of a run stands: the newest frame, its score, what the tracker thinks of it."""

    track: int
    frame: int
    score: float
    verdict: Verdict


@dataclass(frozen=True)
class RunStatus:
    """What a panel or progress bar needs to know of the run; ``done`` of ``total`` frames are computed.

    ``start``, ``stop`` and ``step`` are those of the part that goes on; ``track`` is the first of ``tracks``.
    ``objects``: those that are still followed. ``tracker``: the choice in words; ``untrained``: its answers mean
    nothing. ``background``: nobody asked for it by hand, and whoever works need not mind it.
    """

    run: int
    track: int
    start: int
    frame: int
    stop: int
    step: int
    tracker: str
    device: str
    phase: Phase
    done: int
    total: int
    fps: float = 0.0
    score: float | None = None
    untrained: bool = False
    tracks: tuple[int, ...] = ()
    objects: tuple[Followed, ...] = ()
    background: bool = False
    gap: bool = False


@dataclass(frozen=True)
class Work:
    """One run: its parts are done one after another, and all it writes is one step of undo, ``title``.

    ``joins``: the gesture whose step that is; None for a step of its own.
    """

    run: int
    parts: tuple[Part, ...]
    title: str = "Track"
    background: bool = False
    joins: str | None = None

    @property
    def tracks(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(track for part in self.parts for track in part.tracks))

    @property
    def gesture(self) -> str:
        return self.joins or f"run-{self.run}"


class Listener(Protocol):
    """What the desk needs from its owner; every method is called in the main lane."""

    def run_results(self, work: Work, found: Sequence[Found]) -> None: ...
    def run_live(self, items: tuple[LiveItem, ...]) -> None: ...
    def run_status(self, status: RunStatus | None) -> None: ...
    def run_note(self, text: str) -> None: ...
    def run_ended(self, work: Work, outcome: Outcome | None, error: Exception | None, last: int) -> None:
        """``outcome`` is None when the run was stopped or failed; ``last``: the last frame that was computed."""
        ...

    def run_dropped(self, work: Work) -> None:
        """A run ended without a word, because someone changed what it wrote."""
        ...


class _Run:
    """One run: what it is to do, its job and its queue of results."""

    def __init__(self, work: Work, wake: Callable[[_Run], None], status: RunStatus) -> None:
        self.work = work
        self.status = status
        self.chunks: Chunks[Found] = Chunks(lambda: wake(self))
        self.job: Job[Outcome] | None = None
        self.last = status.start
        self.walked = 0
        self.released: set[int] = set()
        """Tracks that people have changed since: the run leaves them alone."""


class Runs:
    """Starts, feeds and ends runs. Main lane only, save for what the worker hands over."""

    def __init__(self, jobs: Jobs, post: Post, trackers: Trackers, listener: Listener, open_reader: OpenReader) -> None:
        self.recent = Recent()
        self.book: Book = {}
        self.pauses: tuple[Ending, ...] = ()
        """Objects that wait for a person to say how to go on, in the order in which their runs paused."""
        self._jobs = jobs
        self._post = post
        self._trackers = trackers
        self._listener = listener
        self._open_reader = open_reader
        self._numbers = itertools.count(1)
        self._run: _Run | None = None
        self._live: Latest[tuple[LiveItem, ...]] = Latest(lambda: post(self._show_live))

    @property
    def status(self) -> RunStatus | None:
        return self._run.status if self._run else None

    @property
    def work(self) -> Work | None:
        """The run that goes on."""
        return self._run.work if self._run else None

    @property
    def tracks(self) -> tuple[int, ...]:
        """The tracks that are being written."""
        return tuple(t for t in self._run.work.tracks if t not in self._run.released) if self._run else ()

    @property
    def job(self) -> Job[Outcome] | None:
        return self._run.job if self._run else None

    def number(self) -> int:
        """A fresh run id."""
        return next(self._numbers)

    def unfinished(self, track: int) -> tuple[Aim, int] | None:
        """Where the run that goes on, or the one that paused, wants to go with a track, and by which step."""
        if self._run is not None and track not in self._run.released:
            for part in self._run.work.parts:
                if isinstance(part, TrackRequest):
                    for aim in part.aims:
                        if aim.track == track:
                            return aim, part.step
        for ending in self.pauses:
            if ending.aim.track == track and ending.memory is not None:
                return ending.aim, ending.memory.step
        return None

    def start(self, work: Work) -> Job[Outcome]:
        """Begin; raises `SessionError` while another run goes on."""
        if self._run is not None:
            raise SessionError(tr("A run is going on; press Esc to stop it first"))
        first = work.parts[0]
        status = RunStatus(
            work.run, first.tracks[0], first.start, first.start, first.stop, first.step, first.tracker.title,
            first.device, Phase.LOADING, 0, sum(part.total for part in work.parts), untrained=first.tracker.untrained,
            tracks=work.tracks, background=work.background, gap=isinstance(first, GapRequest),
        )  # fmt: skip
        run = self._run = _Run(work, lambda run: self._post(lambda: self._take(run)), status)
        self.pauses = tuple(p for p in self.pauses if p.aim.track not in work.tracks)
        run.job = self._jobs.run(
            LANE,
            _perform(run.work.parts, self._trackers, self._open_reader, self.book, run.released),
            on_item=lambda item: self._work_item(run, item),
            on_end=lambda error, cancelled: self._end(run, error),
        )
        self._listener.run_status(status)
        return run.job

    def stop(self) -> None:
        """Ask the run to stop within one frame; what it computed is kept. Nothing happens without a run."""
        if self._run is not None and self._run.job is not None:
            self._run.job.cancel()
            self._set(self._run, phase=Phase.STOPPING)

    def drop(self) -> None:
        """End the run now and drop whatever it still has to say (its track was changed by hand)."""
        if self._run is not None and self._run.job is not None:
            run = self._run
            self._run.job.cancel()
            self._run = None
            self._live.take()
            self._listener.run_status(None)
            self._listener.run_dropped(run.work)

    def touched(self, track: int, frames: Frames) -> None:
        """Frames of a track were changed by someone else: a run leaves it alone, and what was remembered of it goes."""
        self.recent.forget(track, frames)
        self.pauses = tuple(p for p in self.pauses if p.aim.track != track)
        if self._run is not None and track in self._run.work.tracks:
            self._run.released.add(track)
            if not self.tracks:
                self.drop()

    def forget(self) -> None:
        """Another document: nothing that was learnt is true of it."""
        self.recent.clear()
        self.book.clear()
        self.pauses = ()

    def flush(self) -> None:
        """Write what the run has computed so far."""
        if self._run is not None:
            self._take(self._run)

    def _work_item(self, run: _Run, item: Note | Tracked) -> None:
        """In the worker: results into the lossless queue, display into the newest-only one."""
        if isinstance(item, Note):
            self._post(lambda: self._note(run, item))
            return
        for found in item.found:
            run.chunks.put(found)
        if item.live and run is self._run:  # what a dropped run still says is no longer true
            run.walked += 1
            for live in item.live:
                self.recent.put(live)
            self._live.put(item.live)

    def _note(self, run: _Run, note: Note) -> None:
        if run is self._run:
            if note.device:
                self._set(run, device=note.device)
            if note.part is not None:
                p = note.part
                gap = isinstance(p, GapRequest)
                self._set(run, track=p.tracks[0], start=p.start, stop=p.stop, step=p.step, gap=gap)
            if note.text:
                self._listener.run_note(note.text)

    def _take(self, run: _Run) -> None:
        found = run.chunks.take()
        if run is self._run and found:
            run.last = found[-1].frame
            kept = [one for one in found if one.track not in run.released]
            if kept:
                self._listener.run_results(run.work, kept)

    def _show_live(self) -> None:
        items = self._live.take()
        run = self._run
        if not items or run is None or items[0].run != run.work.run:
            return
        phase = Phase.STOPPING if run.status.phase is Phase.STOPPING else Phase.TRACKING
        first = items[0]
        objects = tuple(Followed(i.track, i.frame, i.prediction.score, i.prediction.verdict) for i in items)
        self._set(
            run, frame=first.frame, phase=phase, done=run.walked, fps=first.fps, score=first.prediction.score,
            objects=objects,
        )  # fmt: skip
        self._listener.run_live(items)

    def _set(self, run: _Run, **values: object) -> None:
        run.status = replace(run.status, **values)  # type: ignore[arg-type]
        self._listener.run_status(run.status)

    def _end(self, run: _Run, error: Exception | None) -> None:
        self._take(run)
        if run is not self._run:
            return
        outcome = run.job.value if run.job else None
        self._run = None
        if outcome is not None:
            waiting = (e for e in outcome.endings if e.reason in PAUSES and e.aim.track not in run.released)
            self.pauses = (*self.pauses, *waiting)
        self._listener.run_status(None)
        self._listener.run_ended(run.work, outcome, error, run.last)


def _perform(
    parts: Sequence[Part], trackers: Trackers, open_reader: OpenReader, book: Book, released: set[int]
) -> Generator[Note | Tracked, None, Outcome]:
    """All parts one after another, as work for a lane."""
    total = Outcome()
    for part in parts:
        yield Note(part=part)
        if isinstance(part, GapRequest):
            done = yield from track_gap(part, trackers, open_reader, book)
        else:
            done = yield from track_frames(part, trackers, open_reader, book, released)
        total = Outcome((*total.endings, *done.endings), (*total.meetings, *done.meetings))
    return total
