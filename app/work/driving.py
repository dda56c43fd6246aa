"""Driving the tracker: which one, its weights, the runs and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.model.edits import SetFrames
from app.model.tracks import Observation, unprotected
from app.work.choice import TrackerChoice, Trackers, bring_in
from app.work.jobs import Job
from app.work.reviewing import Reviewing
from app.work.run import RunStatus, plan
from app.work.tracking import LiveItem, Outcome, TrackRequest


class Driving(Reviewing):
    """The tracking half of the session, and what listens to the desk of the runs (`app.work.run.Listener`)."""

    live: LiveItem | None
    """The newest answer of the run that goes on."""
    _trackers: Trackers
    _special: TrackerChoice | None
    """A tracker with options of its own; it holds for this session."""
    _by_run: bool
    """Whether the edit that is being committed comes from a run."""

    @property
    def live_here(self) -> LiveItem | None:
        """The prediction for the picture on display: the newest of the run, else a remembered one of the selected."""
        at = self.frame if self.shown is None else self.shown.index
        if self.live is not None and self.live.frame == at:
            return self.live
        return self.runs.recent.get(self.selected, at) if self.selected is not None else None

    @property
    def tracker(self) -> TrackerChoice:
        """What the next run is made with."""
        return self._special or TrackerChoice(self.settings.tracker)

    def use_tracker(self, choice: TrackerChoice) -> None:
        """Take a tracker from now on. Options beside its name hold for this session and are never kept."""
        if choice.options:
            self._special = choice
            self.events.settings(self.settings)
        else:
            self.change_settings(tracker=choice.name)

    def import_weights(self, file: Path, name: str) -> Job[Path]:
        """Import published weights for the tracker ``name`` in the background and take it then; see `bring_in`."""

        def end(error: Exception | None, cancelled: bool) -> None:
            self.events.trackers()
            if error is not None:
                self.events.error(error)
            elif job.value is not None:
                self.use_tracker(TrackerChoice(name))
                self.events.message(f"{name} has its weights now")

        job = self.jobs.run("weights", bring_in(file, name, self._trackers), on_end=end)
        return job

    def track(self, direction: int = 1, *, track: int | None = None, until: int | None = None) -> Job[Outcome]:
        """Track the selected object from this frame on, forward (+1) or backward (-1), in the background.

        See `app.work.run.plan` for where it starts and ends. Raises `SessionError` when it cannot start.
        """
        media = self.require_open()
        chosen = self._track(track)
        self.end_drawing()
        self.set_playing(False)
        s = self.settings
        request = plan(
            self.document, chosen, self.frame, direction, run=self.runs.number(), media=media.path,
            frames=self.frame_count, tracker=self.tracker, device=s.device, masks=s.masks, lost_after=s.lost_after,
            until=until, resume=self.runs.resume,
        )  # fmt: skip
        job = self.runs.start(request)
        self.follow = s.follow
        self.events.mode(self.mode)
        return job

    def stop(self) -> None:
        """Stop the run within one frame; what it computed stays and can be undone."""
        self.runs.stop()

    # What the desk of the runs says (see `app.work.run.Listener`)

    def run_results(self, request: TrackRequest, frames: Mapping[int, Observation]) -> None:
        new = unprotected(self.document.tracks[request.track], frames)
        if new:
            self._by_run = True
            try:
                self.commit(SetFrames(request.track, new), "Track", gesture=f"run-{request.run}")
            finally:
                self._by_run = False

    def run_live(self, item: LiveItem) -> None:
        self.live = item
        if self.follow and self.playhead is not None and item.image is not None:
            self.playhead.show(item.image)
        self.events.live(item)

    def run_status(self, status: RunStatus | None) -> None:
        if status is None:
            self.live = None
        self.events.run(status)
        if status is None:
            self.events.mode(self.mode)

    def run_note(self, text: str) -> None:
        self.events.message(text)

    def run_ended(self, request: TrackRequest, outcome: Outcome | None, error: Exception | None, last: int) -> None:
        if self.follow and self.playhead is not None:
            self.playhead.seek(outcome.frame if outcome else last)
        self.follow = self.settings.follow
        if error is not None:
            self.events.error(error)
        elif outcome is not None:
            self.events.message(outcome.message)
        else:
            self.events.message(f"Stopped at frame {last}")
