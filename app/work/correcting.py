"""Corrections and pauses: what a person says during or after a run, and how the tracking goes on from there."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from app.model.edits import SetFrames
from app.model.tracks import Observation, State
from app.words import tr
from app.work import editing, planning, surgery
from app.work.choice import TrackerChoice
from app.work.corrections import Correction, filled_by_line, gaps_at, parts
from app.work.driving import Driving
from app.work.errors import SessionError
from app.work.jobs import Job, Post
from app.work.planning import Way
from app.work.requests import Aim, Ending, Outcome, Part, Reason, TrackRequest
from app.work.run import Work
from app.work.wording import state_words
from tracker.api import Box


class Correcting(Driving):
    """The part of the session that listens to the hand while trackers run."""

    _post: Post
    _closed: bool
    _waiting: list[Correction]
    """Corrections beside which the gaps are still to be tracked again, oldest first."""
    _doubtful: set[tuple[int, int]]
    """Corrections (track, frame) beside which nothing is tracked again unless somebody asks."""
    _retracking: Correction | None
    """The one whose gaps are being tracked now."""
    _failed: TrackerChoice | None
    """A tracker that could not work in the background; it is not tried again there until it was asked for by hand."""

    @property
    def pause(self) -> Ending | None:
        """Why a run waits for a person: ``frame``, ``reason``, ``why`` in words. None when nothing waits."""
        return self.runs.pauses[0] if self.runs.pauses else None

    @property
    def retracking(self) -> bool:
        """Whether gaps beside corrections are being tracked again, or wait for it."""
        return bool(self._waiting) or self._retracking is not None

    def accept(self) -> Job[Outcome]:
        """On from a pause: what is there is right. A box that was uncertain is verified; a lost object is sought on.

        Raises `SessionError` when no run waits.
        """
        paused = self._paused()
        track = self.document.tracks[paused.aim.track]
        if paused.reason is Reason.UNCERTAIN:
            at = self.frame if self._inside(paused, self.frame) else paused.frame
            seen = track.at(at)
            if seen is not None and seen.present and not track.locked:
                self.commit(
                    SetFrames(track.id, {at: msgspec.structs.replace(seen, verified=True)}), tr("Verify the frame")
                )
        return self._resume(paused)

    def dismiss(self) -> None:
        """Leave the pause: the object stays as the run left it. The next one that waits is shown."""
        self.runs.pauses = self.runs.pauses[1:]
        if self.pause is not None:
            self.select(self.pause.aim.track)
            self.seek(self.pause.frame)
        self.events.mode(self.mode)

    def stop(self) -> None:
        """Stop the run within one frame; of what waits in the background nothing is done any more."""
        if self.run is not None and self.run.background:
            self._waiting.clear()
        super().stop()

    def set_box(self, box: Box, track: int | None = None, frame: int | None = None, gesture: str | None = None) -> None:
        """Say by hand where a track (the selected one) is on a frame (this one): a manual keyframe.

        The gaps on both sides of it are tracked again in the background, and a run that was interrupted or paused goes
        on from here, knowing better.
        """
        chosen, at = self._track(track), self.frame if frame is None else frame
        unfinished = self.runs.unfinished(chosen)
        paused = self.runs.work is None and any(p.aim.track == chosen for p in self.runs.pauses)
        was = self.document.tracks[chosen].at(at)
        gesture = gesture or self.new_gesture()
        super().set_box(box, chosen, at, gesture)
        self.corrected(chosen, at, unfinished, leads=paused, was=was, gesture=gesture)

    def set_state(self, state: State) -> None:
        """Say how the selected object is to be seen on this frame. A paused run takes it as an answer and goes on."""
        paused = self.pause
        chosen = self._track()
        if (
            paused is None
            or paused.aim.track != chosen
            or not self._inside(paused, self.frame)
            or state not in (State.OCCLUDED, State.OUT_OF_VIEW)
        ):
            super().set_state(state)
            return
        edit = editing.absent(self.document, chosen, self.frame, paused.last, state)
        self.commit(edit, tr("Mark as {state}").format(state=state_words(state)))
        self._resume(paused, state if state is State.OUT_OF_VIEW else State.LOST)

    def corrected(
        self,
        track: int,
        frame: int,
        unfinished: tuple[Aim, int] | None = None,
        *,
        leads: bool = False,
        was: Observation | None = None,
        gesture: str | None = None,
    ) -> None:
        """A person has drawn ``track`` on ``frame``: the gaps beside it are tracked again, if the settings say so.

        ``unfinished``: the way of the run that this interrupted (`Runs.unfinished`). ``leads``: that run had paused,
        and goes on as one that was asked for by hand, whatever the settings say. ``was``: what stood there before.
        ``gesture``: that of the correction; one undo then takes back both, whenever it comes.
        """
        goal, sides = None, (1, -1)
        if unfinished is not None:
            aim, step = unfinished
            goal, sides = aim.stop, (step, -step)
            if (goal - frame) * step <= 1:
                goal = None
        if was is None or was.protected:  # corrected before, a moment ago: what counts is what the tracker said
            coming = [*self._waiting, *([self._retracking] if self._retracking else [])]
            was = next((c.was for c in coming if (c.track, c.frame) == (track, frame)), None)
        self._waiting = [c for c in self._waiting if (c.track, c.frame) != (track, frame)]
        correction = Correction(track, frame, sides, goal, was, gesture)
        if self.settings.retrack_on_correction and self._failed != self.tracker:
            self._doubtful.discard((track, frame))
            self._waiting.append(correction)
        else:
            self._doubtful.add((track, frame))
        if leads and goal is not None:
            ahead = parts(self.document, replace(correction, sides=sides[:1]), self._means(), self._passes)
            if ahead:
                self._done(track, frame, sides[0])
                self._start(ahead, tr("Track"))
        self._next()

    # The queue of corrections

    def _next(self) -> None:
        """Track the gaps of the oldest correction that waits, unless a run goes on."""
        while self._waiting and self.runs.work is None and self.is_open and not self._closed:
            correction = self._waiting.pop(0)
            self._draw_lines(correction)
            work = parts(self.document, correction, self._means(), self._passes)
            if work:
                self._retracking = correction
                self.runs.start(
                    Work(work[0].run, work, tr("Track the gaps again"), background=True, joins=correction.gesture)
                )
                self.events.mode(self.mode)

    def _draw_lines(self, correction: Correction) -> None:
        """Gaps that were interpolated are interpolated anew; the tracker has no business there."""
        track = self.document.tracks.get(correction.track)
        here = track.at(correction.frame) if track is not None else None
        if track is None or here is None or not here.protected:
            return
        try:
            pairs = gaps_at(track, correction.frame)
        except SessionError:
            return
        for left, right in pairs:
            if filled_by_line(track, left, right) and track.frames[left].present and track.frames[right].present:
                self.commit(surgery.interpolated(track, left, right), tr("Interpolate the gap"), correction.gesture)

    def _doubts(self, track: int, frame: int) -> bool:
        coming = [*self._waiting, *([self._retracking] if self._retracking else [])]
        return (track, frame) in self._doubtful or any((c.track, c.frame) == (track, frame) for c in coming)

    def _make_way(self, parts: tuple[Part, ...]) -> None:
        self._failed = None
        if self.run is not None and self.run.background:
            self.runs.drop()
        for part in parts:
            if isinstance(part, TrackRequest):
                for aim in part.aims:
                    self._done(aim.track, aim.start, part.step)

    def _done(self, track: int, frame: int, step: int) -> None:
        """A run by hand takes care of this side of a correction."""
        self._doubtful.discard((track, frame))
        left = (
            replace(c, sides=tuple(side for side in c.sides if side != step), goal=None)
            if (c.track, c.frame) == (track, frame)
            else c
            for c in self._waiting
        )
        self._waiting = [c for c in left if c.sides]

    def undo(self) -> None:
        """Take back the last step. What it led to is not tracked again behind one's back."""
        self._waiting.clear()
        self._retracking = None
        super().undo()

    def run_dropped(self, work: Work) -> None:
        if self._retracking is not None and work.background:  # what was edited may have moved its gaps
            self._waiting.insert(0, self._retracking)
        self._retracking = None
        self._post(self._next)

    def run_ended(self, work: Work, outcome: Outcome | None, error: Exception | None, last: int) -> None:
        if error is not None and work.background:
            self._failed = self.tracker
        super().run_ended(work, outcome, error, last)

    def _run_over(self) -> None:
        self._retracking = None
        self._post(self._next)

    # Pauses

    def _paused(self) -> Ending:
        if self.pause is None:
            raise SessionError(tr("No run waits for an answer"))
        return self.pause

    @staticmethod
    def _inside(paused: Ending, frame: int) -> bool:
        """Whether a frame belongs to what the paused run has walked."""
        low, high = sorted((paused.aim.start, paused.last))
        return low <= frame <= high

    def _resume(self, paused: Ending, absent: State = State.LOST) -> Job[Outcome]:
        assert paused.memory is not None
        means = self._means()
        step = paused.memory.step
        way = Way(step, self.frame_count, means.tracker, paused.aim.stop - step)
        self.runs.pauses = tuple(p for p in self.runs.pauses if p is not paused)
        aim = planning.going_on(self.document, paused, way, absent)
        part = TrackRequest(
            means.run, means.media, way.step, paused.memory.tracker, paused.memory.device, (aim,), means.masks,
            means.lost_after, means.uncertain_after,
        )  # fmt: skip
        return self._start((part,), tr("Track"))
