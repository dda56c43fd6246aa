"""Driving the tracker: which one, its weights, the runs and what they say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.model.edits import Group
from app.settings import CommitMode
from app.words import tr
from app.work import planning
from app.work.choice import TrackerChoice, Trackers, bring_in
from app.work.corrections import Means, Passes, gap, gaps_at
from app.work.errors import SessionError
from app.work.jobs import Job
from app.work.planning import Way
from app.work.requests import Aim, Found, LiveItem, Outcome, Part, TrackRequest
from app.work.reviewing import Reviewing
from app.work.run import RunStatus, Work
from app.work.wording import outcome_words


class Driving(Reviewing):
    """The tracking half of the session, and what listens to the desk of the runs (`app.work.run.Listener`)."""

    live: LiveItem | None
    """The newest answer of the run that goes on, for its first object."""
    lives: tuple[LiveItem, ...]
    """The newest answers for all objects of the run."""
    _trackers: Trackers
    _special: TrackerChoice | None
    """A tracker with options of its own; it holds for this session."""
    _by_run: bool
    """Whether the edit that is being committed comes from a run."""
    _began: int
    """The frame on which the newest run was asked for."""
    _passes: Passes

    @abstractmethod
    def change_settings(self, **values: Any) -> None: ...

    @property
    def live_here(self) -> LiveItem | None:
        """The prediction for the picture on display: the newest of the run, else a remembered one of the selected."""
        at = self.frame if self.shown is None else self.shown.index
        now = [item for item in self.lives_here if item.frame == at]
        if now:
            return next((item for item in now if item.track == self.selected), now[0])
        return self.runs.recent.get(self.selected, at) if self.selected is not None else None

    @property
    def lives_here(self) -> tuple[LiveItem, ...]:
        """The newest answers for all objects of a run that the picture goes with; they run ahead of the document."""
        return self.lives if self._leads else ()

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
                self.events.message(tr("{name} has its weights now").format(name=name))

        job = self.jobs.run("weights", bring_in(file, name, self._trackers), on_end=end)
        return job

    # Runs by hand

    def track(
        self,
        direction: int = 1,
        *,
        track: int | None = None,
        until: int | None = None,
        mode: CommitMode | None = None,
        frame: int | None = None,
    ) -> Job[Outcome]:
        """Track the selected objects together from this frame on, forward (+1) or backward (-1), in the background.

        ``track``: this one instead; ``frame``: from there; ``until``: no farther; ``mode``: what may be written, see
        `app.settings.CommitMode`. See `app.work.planning` for where each object starts and ends. Objects that have
        nowhere to go are left out; raises `SessionError` when there is none left.
        """
        self._require_free()
        chosen = [self._track(track)] if track is not None or len(self.selection) < 2 else sorted(self.selection)
        means = self._means()
        start = self.frame if frame is None else frame
        way = Way(direction, self.frame_count, means.tracker, until)
        aims, refused = [], None
        for one in chosen:
            try:
                aims.append(self._aim(one, start, way, mode))
            except SessionError as error:
                refused = error
        if refused is not None and not aims:
            raise refused
        keys = planning.keys_on(self.document, tuple(aims))
        part = TrackRequest(
            means.run, means.media, direction, means.tracker, means.device, tuple(aims), means.masks, means.lost_after,
            means.uncertain_after, keys,
        )  # fmt: skip
        return self._start((part,), tr("Track"))

    def _aim(self, track: int, frame: int, way: Way, mode: CommitMode | None) -> Aim:
        paused = next((p for p in self.runs.pauses if p.aim.track == track), None)
        doubtful = self._doubts(track, frame)
        chosen = mode or ("replace" if doubtful else self.settings.commit_mode)
        return planning.aim(self.document, track, frame, way, chosen, paused, taught=doubtful)

    def track_range(self, first: int, last: int, *, mode: CommitMode = "range") -> Job[Outcome]:
        """Track the selected objects from frame ``first`` to ``last``, both inside; backward when ``last`` is less.

        With the mode "range" keyframes on the way do not end the run but correct it.
        """
        if first == last:
            raise SessionError(tr("The range has one frame; give a first and a last one"))
        return self.track(1 if last > first else -1, frame=first, until=last, mode=mode)

    def track_gap(self, track: int | None = None, *, frame: int | None = None) -> Job[Outcome]:
        """Track the gap around ``frame`` (this one) from the keyframes on both sides and fuse what they say.

        On a keyframe, both gaps beside it. Raises `SessionError` where there is no gap.
        """
        self._require_free()
        history = self.document.tracks[self._editable(track)]
        means, at = self._means(), self.frame if frame is None else frame
        return self._start(tuple(gap(history, a, b, means) for a, b in gaps_at(history, at)), tr("Track the gap"))

    def stop(self) -> None:
        """Stop the run within one frame; what it computed stays and can be undone."""
        self.runs.stop()

    def _require_free(self) -> None:
        """Raises `SessionError` while a run that was asked for by hand goes on, and when nothing is open."""
        self.require_open()
        if self.run is not None and not self.run.background:
            raise SessionError(tr("A run is going on; press Esc to stop it first"))

    def _means(self) -> Means:
        s, media = self.settings, self.require_open()
        return Means(
            self.runs.number(), media.path, self.tracker, s.device, s.masks,
            None if s.pause_on == "never" else s.lost_after, s.uncertain_after if s.pause_on == "uncertain" else None,
        )  # fmt: skip

    def _start(self, parts: tuple[Part, ...], title: str) -> Job[Outcome]:
        """A run that was asked for by hand; one that goes on in the background makes way for it."""
        self.end_drawing()
        self.set_playing(False)
        self._make_way(parts)
        self._began = self.frame
        job = self.runs.start(Work(parts[0].run, parts, title))
        self.follow = self.settings.follow
        self.events.mode(self.mode)
        return job

    @abstractmethod
    def _doubts(self, track: int, frame: int) -> bool:
        """Whether ``frame`` is a correction beside which the tracker's frames are out of date."""

    @abstractmethod
    def _make_way(self, parts: tuple[Part, ...]) -> None:
        """A run by hand begins now."""

    # What the desk of the runs says (see `app.work.run.Listener`)

    def run_results(self, work: Work, found: Sequence[Found]) -> None:
        edits = planning.written(self.document, found)
        if not edits:
            return
        self._passes.note({edit.track: edit.frames.keys() for edit in edits}, work.parts)
        self._by_run = True
        try:
            self.commit(edits[0] if len(edits) == 1 else Group(tuple(edits)), work.title, gesture=work.gesture)
        finally:
            self._by_run = False

    def run_live(self, items: tuple[LiveItem, ...]) -> None:
        self.lives, self.live = items, items[0]
        image = items[0].image
        if self.follow and self._leads and self.playhead is not None and image is not None:
            self.playhead.show(image)
        self.events.live(items[0])

    @property
    def _leads(self) -> bool:
        """Whether the run that goes on was asked for by hand, so that the picture may go with it."""
        return self.run is not None and not self.run.background

    def run_status(self, status: RunStatus | None) -> None:
        if self.playhead is not None:
            self.playhead.service.fill(status is None)
        if status is None:
            self.live, self.lives = None, ()
        self.events.run(status)
        if status is None:
            self.events.mode(self.mode)

    def run_note(self, text: str) -> None:
        self.events.message(text)

    def run_ended(self, work: Work, outcome: Outcome | None, error: Exception | None, last: int) -> None:
        if not work.background:
            if self.follow and self.playhead is not None:
                look = last if outcome is None else outcome.frame
                self.playhead.seek(self._began if look is None else look)
                if self.runs.pauses:  # whoever follows the run is asked about this object
                    self.select(self.runs.pauses[0].aim.track)
            self.follow = self.settings.follow
        if error is not None:
            self.events.error(error)
        elif outcome is not None:
            names = {track.id: f"{track.label} {track.id}" for track in self.document.tracks.values()}
            self.events.message(outcome_words(outcome, names))
        else:
            self.events.message(tr("Stopped at frame {last}").format(last=last))
        self._run_over()

    @abstractmethod
    def _run_over(self) -> None:
        """A run has ended, and its listeners know."""
