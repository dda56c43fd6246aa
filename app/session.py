"""The headless heart: one open video with its document, history, frames, runs and journal.

The window, the command line and the tests all drive this class and nothing below it. It belongs to the main lane: one
thread calls it, and what workers have to say arrives there through ``post``. Without a ``post`` (no event loop) the
session keeps its own queue, emptied by `Session.pump` and `Session.wait`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app import diagnostics
from app.formats import base as formats
from app.formats.project import save_project
from app.media import open_media
from app.model.document import Change, Document
from app.model.edits import Edit, SetFrames, SetVideo
from app.model.history import History
from app.model.tracks import Observation, unprotected
from app.settings import HEAT_KINDS, Settings, save_settings
from app.work import opening
from app.work.choice import CreateTracker, TrackerChoice, Trackers, bring_in
from app.work.errors import RelinkError, SessionError
from app.work.events import Events, Mode, Status
from app.work.hand import Hand
from app.work.jobs import Job, Jobs, Post
from app.work.journal import Journal, Leftover, forget, leftovers
from app.work.lane import MainLane
from app.work.latest import Latest
from app.work.playhead import Playhead
from app.work.run import Runs, RunStatus, plan
from app.work.tracking import LiveItem, OpenReader, Outcome, TrackRequest
from tracker import registry

__all__ = ["Events", "LiveItem", "Mode", "RelinkError", "RunStatus", "Session", "SessionError", "Status"]


class Session(Hand):
    """See the module. Methods raise `SessionError` for what cannot be done now; work in the background reports to
    ``events.error``."""

    def __init__(
        self,
        settings: Settings | None = None,
        post: Post | None = None,
        *,
        settings_path: Path | None = None,
        create_tracker: CreateTracker = registry.create,
        open_reader: OpenReader | None = None,
    ) -> None:
        """``settings_path``: where changed settings are kept, None to keep none."""
        self.settings = settings or Settings()
        self.events = Events()
        lane = MainLane(post)
        self.pump, self.wait, self._post = lane.pump, lane.wait, lane.post
        self._settings_path = settings_path
        self._paths = diagnostics.paths()
        self.jobs = Jobs(self._post)
        self._trackers = Trackers(create_tracker)
        self._special: TrackerChoice | None = None
        self._open_reader = open_reader or (lambda path: open_media(path, self._paths.cache))
        self.runs = Runs(self.jobs, self._post, self._trackers, self, self._open_reader)
        self._opening = ""
        self._closed = False
        self._clear()

    def _clear(self) -> None:
        self.history = History(Document())
        self.playhead = None
        self.journal: Journal | None = None
        self.project: Path | None = None
        """The file that the document lives in; None until it is saved for the first time."""
        self.selection = frozenset()
        self.live: LiveItem | None = None
        self.follow = self.settings.follow
        self.playing = False
        self.drawing = self.redraw = False
        self._by_run = self._abandoned = False
        self.runs.recent.clear()
        self.runs.resume = None

    # State

    @property
    def title(self) -> str:
        """The project's name, else the video's."""
        if self.project is not None:
            return self.project.name
        return self.media.path.name if self.media else ""

    @property
    def mode(self) -> Mode:
        if self._opening:
            return Mode.OPENING
        if not self.is_open:
            return Mode.EMPTY
        if self.drawing:
            return Mode.DRAWING
        if self.run:
            return Mode.TRACKING
        return Mode.PLAYING if self.playing else Mode.IDLE

    @property
    def status(self) -> Status:
        label = self.document.tracks[self.selected].label if self.selected is not None else None
        here = self.here
        return Status(
            self.mode, self.frame, self.frame_count, label, here is not None and here.present, self.redraw, self.run,
            self._opening,
        )  # fmt: skip

    @property
    def live_here(self) -> LiveItem | None:
        """The prediction for the picture on display: the newest of the run, else a remembered one of the selected."""
        at = self.frame if self.shown is None else self.shown.index
        if self.live is not None and self.live.frame == at:
            return self.live
        return self.runs.recent.get(self.selected, at) if self.selected is not None else None

    # Opening, saving, closing

    def open(
        self, path: Path | str | None = None, *, video: Path | None = None, accept: bool = False, fresh: bool = False
    ) -> Job[Any]:
        """Open a video, a folder of images, a project, or the sample clip (None), in the background.

        ``events.opened`` or ``events.error`` tells how it went. ``video``: where a project's video lies now, after
        `RelinkError`; ``accept``: take it although its content differs. ``fresh``: begin anew even when the video has
        a project beside it. Unsaved work of the present document stays in its journal, so ask before calling.
        """
        target = None if path is None else Path(path)
        return self._open(opening.open_path(target, self._paths.cache, video, accept, fresh), target)

    def leftovers(self) -> list[Leftover]:
        """Unsaved work of sessions that ended without saving, newest first."""
        return leftovers(self._paths.state)

    def recover(self, leftover: Leftover, *, video: Path | None = None, accept: bool = False) -> Job[Any]:
        """Open what a leftover holds; it counts as unsaved. The leftover goes when a new journal holds its work."""
        work = opening.open_leftover(leftover, self._paths.cache, video, accept)
        return self._open(work, leftover.project, leftover)

    def forget(self, leftover: Leftover) -> None:
        """Delete a leftover that the user does not want."""
        forget(leftover)

    def _open(self, work: Any, path: Path | None, leftover: Leftover | None = None) -> Job[Any]:
        if self._opening:
            raise SessionError("Something is being opened already; wait a moment")
        self._opening = f"Opening {path.name if path else 'the sample clip'}…"
        self.events.mode(self.mode)

        def end(error: Exception | None, cancelled: bool) -> None:
            self._opening = ""
            if job.value is not None and not self._closed:
                self._install(job.value, leftover)
            self.events.mode(self.mode)
            if error is not None:
                self.events.error(error)

        job: Job[opening.Opened] = self.jobs.run("open", work, on_end=end)
        return job

    def _install(self, found: opening.Opened, leftover: Leftover | None) -> None:
        self._shut()
        self._clear()
        self.project = found.project
        recovered = leftover is not None
        self.history = History(found.document, dirty=recovered)
        self.journal = Journal.create(
            self._paths.state, found.document, found.project, dirty=recovered, on_error=self._journal_failed
        )
        self.history.subscribe(self._changed)
        if leftover is not None:
            self.jobs.run("open", opening.forget_when_safe(self.journal, leftover))
        self.playhead = Playhead(found.media, self.events, self._post, self.settings.cache_mb, self._paths.cache)
        if found.relinked is not None:
            self.commit(SetVideo(found.relinked), "Relink the video")
        self.events.opened()
        self.events.selection()
        self.seek(min((t.span().start for t in found.document.tracks.values() if t.frames), default=0))
        self.events.message(found.message)

    def save(self, path: Path | str | None = None) -> Path:
        """Save the project: at ``path``, where it lives, or beside the video under the video's name.

        Raises `ProjectError`; what was on disk is untouched then.
        """
        media = self.require_open()
        target = Path(path) if path else self.project or opening.free_name(opening.default_project(media.path))
        if target.suffix.lower() != opening.SUFFIX:
            target = target.with_name(target.name + opening.SUFFIX)
        self.runs.flush()
        with contextlib.suppress(OSError):  # the writer reports a folder that cannot be made
            target.parent.mkdir(parents=True, exist_ok=True)
        save_project(self.document, target)
        self.history.mark_saved()
        self.project = target
        if self.journal is not None:
            self.journal.rebase(self.document, target)
        self.events.saved(target)
        self.events.message(f"Saved {target}")
        return target

    def close(self, *, discard: bool = False, timeout: float = 5.0) -> None:
        """End everything: the run (keeping what it computed), the workers, the frames, the journal.

        Unsaved work stays in its journal and is offered at the next start, unless ``discard``. A second call does
        nothing.
        """
        if self._closed:
            return
        self._closed = True
        self.runs.stop()
        self.jobs.close(timeout)
        self.runs.flush()
        self.runs.drop()
        self._shut(discard=discard)
        self._clear()

    def _shut(self, *, discard: bool = False) -> None:
        """Let go of the open video and document."""
        self.runs.flush()
        self.runs.drop()
        if self.playhead is not None:
            self.playhead.close()
        if self.journal is not None:
            if discard or self._abandoned or not self.dirty:
                self.journal.discard()
            else:
                self.journal.close()

    def abandon(self) -> None:
        """The unsaved work is not wanted: it is not offered again, unless an edit follows. A run ends and adds none."""
        self.runs.drop()
        self._abandoned = True

    def export(
        self, format_id: str, out: Path | str, params: msgspec.Struct | None = None
    ) -> Job[formats.ExportReport]:
        """Write the labels in a format, in the background; the job's value is the report. Raises `FormatError`."""
        media = self.require_open()
        self.runs.flush()
        title = f"Exporting {format_id}"
        work = formats.export(self.document, media.path, format_id, out, params, self._open_reader)

        def show() -> None:
            if (done := newest.take()) is not None and not job.ended:
                self.events.progress(title, done)

        def end(error: Exception | None, cancelled: bool) -> None:
            self.events.progress(title, None)
            if error is not None:
                self.events.error(error)
            elif job.value is not None:
                self.events.message(f"Exported to {job.value.written[0]}")

        newest: Latest[float] = Latest(lambda: self._post(show))
        job = self.jobs.run("export", work, newest.put, end)
        return job

    # Modes and settings

    def escape(self) -> None:
        """Leave the innermost mode: drawing, then the run, then playing, then the selection."""
        if self.drawing:
            self.end_drawing()
        elif self.run:
            self.stop()
        elif self.playing:
            self.set_playing(False)
        else:
            self.select()

    def change_settings(self, **values: Any) -> None:
        """Change some settings by name, tell everyone, keep them."""
        if "tracker" in values:
            self._special = None
        self.settings = msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(self.settings, **values)), Settings)
        if self._settings_path is not None:
            save_settings(self.settings, self._settings_path)
        self.events.settings(self.settings)

    def cycle_heat(self) -> None:
        """The next kind of heat map, ``off`` among them."""
        at = HEAT_KINDS.index(self.settings.heat_kind)
        self.change_settings(heat_kind=HEAT_KINDS[(at + 1) % len(HEAT_KINDS)])

    # What the history and the journal say

    def _journal_failed(self, error: Exception) -> None:
        self._post(lambda: self.events.error(error))

    def _changed(self, edit: Edit, change: Change) -> None:
        """Every applied edit comes by here, those of undo and of runs too."""
        self._abandoned = False
        if self.journal is not None:
            self.journal.record(edit)
        if not self._by_run:
            for track, frames in change.frames.items():
                self.runs.touched(track, frames)
        self.events.document(change)
        self.select(*self.selection)

    # Tracking

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
