"""Files: opening, saving, recovering, exporting, leaving."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from app import diagnostics
from app.formats import base as formats
from app.formats.project import save_project
from app.model.document import Change, Document
from app.model.edits import Edit, SetVideo
from app.model.history import History
from app.words import tr
from app.work import opening
from app.work.corrections import Passes
from app.work.errors import SessionError
from app.work.frame_export import FrameParams, FrameReport, export_frames, wanted
from app.work.importing import Importing
from app.work.jobs import Job
from app.work.journal import Journal, Leftover, forget, leftovers
from app.work.latest import Latest
from app.work.overview import Lanes
from app.work.packing import pack
from app.work.playhead import Playhead
from app.work.triage import Triage

R = TypeVar("R")


@dataclass
class Kept:
    """A document that was left and may come back with its undo; its journal goes on holding its unsaved work."""

    history: History
    journal: Journal
    project: Path | None
    frame: int


@dataclass(frozen=True)
class AlsoSaved:
    """What is saved together with the open document: ``work`` in the worker, ``done`` in the main lane afterwards."""

    work: Callable[[], object] = lambda: None
    done: Callable[[], object] = lambda: None


class Filing(Importing):
    """The part of the session that knows where things lie."""

    journal: Journal | None
    project: Path | None
    """The file that the document lives in; None until it is saved for the first time."""
    _paths: diagnostics.Paths
    _opening: str
    """What is being opened, in words; empty when nothing is."""
    _long: dict[str, Job[Any]]
    """Work that can be ended, by the title under which ``events.progress`` tells of it."""
    _closed: bool
    _abandoned: bool
    """Whether the unsaved work is not wanted any more."""

    def _clear(self) -> None:
        """The state of a session in which nothing is open."""
        self.history = History(Document())
        self.lanes = Lanes()
        self.triage = Triage(self.lanes)
        self.playhead = None
        self.journal = None
        self.project = None
        self.selection = frozenset()
        self.live, self.lives = None, ()
        self.follow = self.settings.follow
        self.mask_tool = None
        self.next_label = None
        self.playing = False
        self.loop = None
        self.drawing = self.redraw = False
        self._by_run = self._abandoned = False
        self._began, self.clipboard = 0, None
        self._waiting, self._retracking, self._failed = [], None, None
        self._doubtful = set()
        self._passes = Passes()
        self.runs.forget()

    def open(
        self, path: Path | str | None = None, *, video: Path | None = None, accept: bool = False, fresh: bool = False
    ) -> Job[Any]:
        """Open a video, a folder of images, a project, or the sample clip (None), in the background.

        ``events.opened`` or ``events.error`` tells how it went. ``video``: where a project's video lies now, after
        `RelinkError`; ``accept``: take it although its content differs. ``fresh``: begin anew even when the video has
        a project beside it. Unsaved work of the present document stays in its journal, so ask before calling.
        """
        target = None if path is None else Path(path)
        return self._open(self._find(target, video, accept, fresh), target)

    def _find(
        self, target: Path | None, video: Path | None, accept: bool, fresh: bool
    ) -> Generator[str, None, opening.Opened]:
        """The work of opening a path, in the worker."""
        return opening.open_path(target, self._paths.cache, video, accept, fresh)

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

    def _not_opening(self) -> None:
        if self._opening:
            raise SessionError(tr("Something is being opened already; wait a moment"))

    def _open(
        self, work: Any, path: Path | None, leftover: Leftover | None = None, kept: Kept | None = None
    ) -> Job[Any]:
        self._not_opening()
        self._opening = tr("Opening {name}…").format(name=path.name) if path else tr("Opening the sample clip…")
        self.events.mode(self.mode)

        title = self._opening

        def end(error: Exception | None, cancelled: bool) -> None:
            self._opening = ""
            self._long.pop(title, None)
            self.events.progress(title, None)
            if job.value is not None and not self._closed:
                self._install(job.value, leftover, kept)
            self.events.mode(self.mode)
            if error is not None:
                self.events.error(error)
                self._open_failed(error)

        self.events.progress(title, 0.0)
        job: Job[opening.Opened] = self.jobs.run("open", work, on_end=end)
        self._long[title] = job
        return job

    def _before_opened(self) -> None:
        """Another document is there; nobody was told yet."""

    def _open_failed(self, error: Exception) -> None:
        """What was to be opened is not, as everyone was told."""

    def cancel(self, title: str) -> None:
        """End the long work that ``events.progress`` tells of under this title, if it can be ended."""
        if title in self._long:
            self._long[title].cancel()

    def cancellable(self, title: str) -> bool:
        return title in self._long

    def _install(self, found: opening.Opened, leftover: Leftover | None, kept: Kept | None = None) -> None:
        self._shut()
        self._clear()
        self.project = found.project
        recovered = leftover is not None
        fresh = History(found.document, dirty=recovered, taken=found.taken)
        self.history = fresh if kept is None else kept.history
        self.lanes = found.lanes
        self.triage = Triage(self.lanes)
        if kept is None:
            self.journal = Journal.create(
                self._paths.state, found.document, found.project, dirty=self.history.dirty, packed=found.packed,
                on_error=self._journal_failed,
            )  # fmt: skip
            self.history.subscribe(self._changed)
        else:
            self.journal = kept.journal
        if leftover is not None and self.journal is not None:
            self.jobs.run("open", opening.forget_when_safe(self.journal, leftover))
        room, store = self.settings.cache_mb, self.settings.store_mb
        self.playhead = Playhead(found.media, self.events, self._post, room, store, self._paths.cache)
        if found.relinked is not None:
            self.commit(SetVideo(found.relinked), tr("Relink the video"))
        self._before_opened()
        self.events.opened()
        self.events.selection()
        self.seek(self.lanes.first if kept is None else kept.frame)
        self.events.message(found.message)

    def save(self, path: Path | str | None = None) -> Job[Path]:
        """Save the project in the background: at ``path``, where it lives, or beside the video under its name.

        What is saved is the document as it is now; edits made meanwhile count as unsaved. ``events.saved`` or
        ``events.error`` (`ProjectError`) tells how it went; after a failure the disk holds what it held before.
        """
        media = self.require_open()
        target = Path(path) if path else self.project or opening.free_name(opening.default_project(media.path))
        if target.suffix.lower() != opening.SUFFIX:
            target = target.with_name(target.name + opening.SUFFIX)
        self.runs.flush()
        doc, state, history, journal = self.document.copy(), self.history.state, self.history, self.journal
        also = self._also_save(doc, target)
        since: list[Edit] = []
        stop_listening = history.subscribe(lambda edit, change: since.append(edit))

        def end(error: Exception | None, cancelled: bool) -> None:
            stop_listening()
            self.events.progress(title, None)
            if error is not None:
                self.events.error(error)
            elif job.value is not None and history is self.history:
                history.mark_saved(state)
                self.project = job.value
                also.done()
                if journal is not None and not self._closed:
                    journal.rebase(doc, job.value, dirty=bool(since), packed=packed[0])
                    for edit in since:
                        journal.record(edit)
                self.events.saved(job.value)
                self.events.message(tr("Saved {value}").format(value=job.value))

        def work() -> Generator[None, None, Path]:
            yield
            with contextlib.suppress(OSError):  # the writer reports a folder that cannot be made
                target.parent.mkdir(parents=True, exist_ok=True)
            save_project(doc, target)
            also.work()
            packed.append(pack(doc))
            return target

        packed: list[bytes | None] = []
        title = tr("Saving {target}").format(target=target.name)
        self.events.progress(title, 0.0)
        job = self.jobs.run("files", work(), on_end=end)
        return job

    def _also_save(self, doc: Document, target: Path) -> AlsoSaved:
        """What goes to the disk together with ``doc``, which is about to be saved at ``target``."""
        return AlsoSaved()

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
        self._waiting.clear()
        self._retracking = None
        self.runs.drop()
        self._abandoned = True

    def export(
        self, format_id: str, out: Path | str, params: msgspec.Struct | None = None
    ) -> Job[formats.ExportReport]:
        """Write the labels in a format, in the background; the job's value is the report. Raises `FormatError`."""
        media = self.require_open()
        self.runs.flush()
        work = formats.export(self.document, media.path, format_id, out, params, self._open_reader)
        title = tr("Exporting {format_id}").format(format_id=format_id)

        def done(report: formats.ExportReport) -> str:
            self.events.exported(report)
            return tr("Exported to {written}").format(written=report.written[0])

        return self._tell_progress("export", title, work, done)

    def _tell_progress(
        self, lane: str, title: str, work: Generator[float, None, R], done: Callable[[R], str]
    ) -> Job[R]:
        """Run work that yields its progress in 0..1; ``done`` says what it came to."""

        def show() -> None:
            if (share := newest.take()) is not None and not job.ended:
                self.events.progress(title, share)

        def end(error: Exception | None, cancelled: bool) -> None:
            self._long.pop(title, None)
            self.events.progress(title, None)
            if error is not None:
                self.events.error(error)
            elif job.value is not None:
                self.events.message(done(job.value))

        newest: Latest[float] = Latest(lambda: self._post(show))
        job: Job[R] = self.jobs.run(lane, work, newest.put, end)
        self._long[title] = job
        return job

    def export_frames(
        self, out: Path | str, frames: str = "labelled", every: int = 1, params: FrameParams | None = None
    ) -> Job[FrameReport]:
        """Write frames in the background; see `app.work.frame_export` for what ``frames`` may say.

        Raises `SessionError` when no frame is meant; what goes wrong later goes to ``events.error``.
        """
        media = self.require_open()
        chosen = wanted(self.document, media.frames, frames, every)
        target = Path(out)
        work = export_frames(media.path, target, chosen, params or FrameParams(), self._open_reader)
        return self._tell_progress(
            "export",
            tr("Writing {target}").format(target=target.name),
            work,
            lambda report: tr("Wrote {frames} frames").format(frames=report.frames),
        )

    # What the history and the journal say

    def _journal_failed(self, error: Exception) -> None:
        self._post(lambda: self.events.error(error))

    def _changed(self, edit: Edit, change: Change) -> None:
        """Every applied edit comes by here, those of undo and of runs too."""
        self._abandoned = False
        if self.journal is not None:
            self.journal.record(edit)
        self.lanes.update(self.document, change)
        if not self._by_run:
            for track, frames in change.frames.items():
                self.runs.touched(track, frames)
                self._passes.touched(track, frames)
        before, self.selection = self.selection, self.selection & self.document.tracks.keys()
        self.events.document(change)
        if self.selection != before:
            self.events.selection()
