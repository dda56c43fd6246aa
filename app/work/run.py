"""The desk of the tracking runs, as the main lane sees it: one run at a time, its status, its chunks, its end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from app.model.document import Document, Frames
from app.model.tracks import Observation
from app.work.choice import TrackerChoice, Trackers
from app.work.errors import SessionError
from app.work.jobs import Job, Jobs, Post
from app.work.latest import Chunks, Latest
from app.work.tracking import (
    LiveItem,
    Note,
    OpenReader,
    Outcome,
    Reason,
    Recent,
    Resume,
    Tracked,
    TrackRequest,
    track_frames,
)

LANE = "tracking"


class Phase(StrEnum):
    LOADING = "loading"
    TRACKING = "tracking"
    STOPPING = "stopping"


@dataclass(frozen=True)
class RunStatus:
    """What a panel or progress bar needs to know of the run; ``done`` of ``total`` frames are computed.

    ``tracker``: the choice in words; ``untrained``: its answers mean nothing.
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


class Listener(Protocol):
    """What the desk needs from its owner; every method is called in the main lane."""

    def run_results(self, request: TrackRequest, frames: Mapping[int, Observation]) -> None: ...
    def run_live(self, item: LiveItem) -> None: ...
    def run_status(self, status: RunStatus | None) -> None: ...
    def run_note(self, text: str) -> None: ...
    def run_ended(self, request: TrackRequest, outcome: Outcome | None, error: Exception | None, last: int) -> None:
        """``outcome`` is None when the run was stopped or failed; ``last``: the last frame that was computed."""
        ...


class _Run:
    """One run: the request, its job and its queue of results."""

    def __init__(self, request: TrackRequest, wake: Callable[[_Run], None], status: RunStatus) -> None:
        self.request = request
        self.status = status
        self.chunks: Chunks[tuple[int, Observation]] = Chunks(lambda: wake(self))
        self.job: Job[Outcome] | None = None
        self.last = request.start


class Runs:
    """Starts, feeds and ends runs. Main lane only, save for what the worker hands over."""

    def __init__(self, jobs: Jobs, post: Post, trackers: Trackers, listener: Listener, open_reader: OpenReader) -> None:
        self.recent = Recent()
        self.resume: Resume | None = None
        """The memory of the last run, when that ended lost and nothing has touched its track since."""
        self._jobs = jobs
        self._post = post
        self._trackers = trackers
        self._listener = listener
        self._open_reader = open_reader
        self._numbers = itertools.count(1)
        self._run: _Run | None = None
        self._live: Latest[LiveItem] = Latest(lambda: post(self._show_live))

    @property
    def status(self) -> RunStatus | None:
        return self._run.status if self._run else None

    @property
    def track(self) -> int | None:
        """The track that is being written, if any."""
        return self._run.request.track if self._run else None

    @property
    def job(self) -> Job[Outcome] | None:
        return self._run.job if self._run else None

    def number(self) -> int:
        """A fresh run id."""
        return next(self._numbers)

    def start(self, request: TrackRequest) -> Job[Outcome]:
        """Begin; raises `SessionError` while another run goes on."""
        if self._run is not None:
            raise SessionError("A run is going on; press Esc to stop it first")
        r = request
        status = RunStatus(
            r.run,
            r.track,
            r.start,
            r.start,
            r.stop,
            r.step,
            r.tracker.title,
            r.device,
            Phase.LOADING,
            0,
            r.total,
            untrained=r.tracker.untrained,
        )
        run = self._run = _Run(request, lambda run: self._post(lambda: self._take(run)), status)
        self.resume = None
        run.job = self._jobs.run(
            LANE,
            track_frames(request, self._trackers, self._open_reader),
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
            self._run.job.cancel()
            self._run = None
            self._live.take()
            self._listener.run_status(None)

    def touched(self, track: int, frames: Frames) -> None:
        """Frames of a track were changed by someone else: its run ends, and what was remembered of them goes."""
        self.recent.forget(track, frames)
        if self.resume is not None and self.resume.track == track:
            self.resume = None
        if self.track == track:
            self.drop()

    def flush(self) -> None:
        """Write what the run has computed so far."""
        if self._run is not None:
            self._take(self._run)

    def _work_item(self, run: _Run, item: Note | Tracked) -> None:
        """In the worker: results into the lossless queue, display into the newest-only one."""
        if isinstance(item, Note):
            self._post(lambda: self._note(run, item))
            return
        run.chunks.put((item.frame, item.observation))
        if run is self._run:  # what a dropped run still says is no longer true
            self.recent.put(item.live)
            self._live.put(item.live)

    def _note(self, run: _Run, note: Note) -> None:
        if run is self._run:
            if note.device:
                self._set(run, device=note.device)
            if note.text:
                self._listener.run_note(note.text)

    def _take(self, run: _Run) -> None:
        frames = dict(run.chunks.take())
        if run is self._run and frames:
            run.last = next(reversed(frames))
            self._listener.run_results(run.request, frames)

    def _show_live(self) -> None:
        item = self._live.take()
        run = self._run
        if item is None or run is None or item.run != run.request.run:
            return
        phase = Phase.STOPPING if run.status.phase is Phase.STOPPING else Phase.TRACKING
        done = abs(item.frame - run.request.start)
        self._set(run, frame=item.frame, phase=phase, done=done, fps=item.fps, score=item.prediction.score)
        self._listener.run_live(item)

    def _set(self, run: _Run, **values: object) -> None:
        run.status = replace(run.status, **values)  # type: ignore[arg-type]
        self._listener.run_status(run.status)

    def _end(self, run: _Run, error: Exception | None) -> None:
        self._take(run)
        if run is not self._run:
            return
        outcome = run.job.value if run.job else None
        self._run = None
        self.resume = outcome.resume if outcome else None
        self._listener.run_status(None)
        self._listener.run_ended(run.request, outcome, error, run.last)


def plan(
    doc: Document,
    track: int,
    frame: int,
    step: int,
    *,
    run: int,
    media: Path,
    frames: int,
    tracker: TrackerChoice,
    device: str,
    masks: bool = True,
    lost_after: int = 4,
    until: int | None = None,
    resume: Resume | None = None,
) -> TrackRequest:
    """The run that starts at ``frame`` of ``track`` in direction ``step``, in a clip of ``frames`` frames.

    It begins with the box of that frame, or, when the target is lost there, goes on after the loss: with the memory of
    the run that lost it (``resume``), else from the last box before. It ends before the next protected frame, after
    ``until``, or at the end of the clip. Raises `SessionError` when there is nothing to start from or nowhere to go.
    """
    history = doc.tracks[track]
    here = history.at(frame)
    end = frames if step > 0 else -1
    start, persist = frame, False
    if here is None or not here.present:
        start, persist = _last_box(doc, track, frame, step), True
        if resume is not None and (resume.track != track or resume.step != step or resume.tracker != tracker):
            resume = None
    else:
        resume = None
    observation = history.at(start)
    assert observation is not None
    assert observation.box is not None
    after = resume.frame if resume else start
    stop, ending = end, Reason.END
    keyframe = history.next_keyframe(after, step)
    if keyframe is not None:
        stop, ending = keyframe, Reason.KEYFRAME
    if until is not None and (until + step - stop) * step <= 0:
        stop, ending = until + step, Reason.UNTIL
    if (stop - after) * step <= 1:
        raise SessionError(_nowhere(ending, stop, step))
    return TrackRequest(
        run=run, track=track, media=media, start=after if resume else start, stop=stop, step=step,
        box=observation.box, tracker=tracker, device=device, masks=masks, lost_after=lost_after, persist=persist,
        ending=ending, resume=resume,
    )  # fmt: skip


def _last_box(doc: Document, track: int, frame: int, step: int) -> int:
    behind = [f for f, o in doc.tracks[track].frames.items() if o.present and (frame - f) * step > 0]
    if not behind:
        side = "before" if step > 0 else "after"
        raise SessionError(f"The object has no box on this frame nor {side} it; draw one first")
    return max(behind) if step > 0 else min(behind)


def _nowhere(ending: Reason, stop: int, step: int) -> str:
    match ending:
        case Reason.KEYFRAME:
            return f"The next frame ({stop}) is a keyframe already; track from there or delete its box"
        case Reason.UNTIL:
            return f"Frame {stop - step} does not lie {'after' if step > 0 else 'before'} the start of the run"
        case _:
            return "This is the last frame" if step > 0 else "This is the first frame"
