"""The headless heart: one open video with its document, history, frames, runs and journal.

The window, the command line and the tests all drive this class and nothing below it. It belongs to the main lane: one
thread calls it, and what workers have to say arrives there through ``post``. Without a ``post`` (no event loop) the
session keeps its own queue, emptied by `Session.pump` and `Session.wait`.
"""

from __future__ import annotations

from pathlib import Path

from app import diagnostics
from app.media import open_media
from app.settings import HEAT_KINDS, Settings
from app.threads import WORK
from app.work.choice import CreateTracker, TrackerChoice, Trackers
from app.work.errors import RelinkError, SessionError
from app.work.events import Events, Mode, Status
from app.work.jobs import Jobs, Post
from app.work.lane import MainLane
from app.work.requests import LiveItem, OpenReader
from app.work.run import Runs, RunStatus
from app.work.scopes import Scopes
from tracker import registry

__all__ = ["Events", "LiveItem", "Mode", "RelinkError", "RunStatus", "Session", "SessionError", "Status"]

PAUSED = "paused"
"""The scope of the keys that answer a paused run."""


class Session(Scopes):
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
        project_settings: bool = True,
    ) -> None:
        """``settings_path``: where changed settings are kept, None to keep none. ``project_settings``: those that a
        project or a collection has of its own stand above ``settings``."""
        self.settings = self.mine = settings or Settings()
        self._heeds_projects = project_settings
        self.events = Events()
        lane = MainLane(post)
        self.pump, self.wait, self._post = lane.pump, lane.wait, lane.post
        self._settings_path = settings_path
        self._paths = diagnostics.paths()
        self.jobs = Jobs(self._post, back=0 if post is None else WORK)  # a window goes first, a command line is alone
        self._trackers = Trackers(create_tracker)
        self._special: TrackerChoice | None = None
        self._open_reader = open_reader or (lambda path: open_media(path, self._paths.cache))
        self.runs = Runs(self.jobs, self._post, self._trackers, self, self._open_reader)
        self._opening = ""
        self._long = {}
        self._closed = False
        self._begin_collecting()
        self._clear()

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
        if self.run and not self.run.background:
            return Mode.TRACKING
        if self.mask_tool is not None:
            return Mode.MASKING
        if self.playing:
            return Mode.PLAYING
        return Mode.PAUSED if self.pause else Mode.IDLE

    @property
    def scope(self) -> str:
        """Whose keys hold: the window's, or those of the tool in hand (see `app.commands.keymap`)."""
        if self.mask_tool is not None:
            return "mask"
        free = self.run is None or self.run.background
        return PAUSED if self.pause is not None and free and not self.playing else "window"

    @property
    def status(self) -> Status:
        label = self.document.tracks[self.selected].label if self.selected is not None else None
        here, pause = self.here, self.pause
        waiting = self.document.tracks[pause.aim.track].label if pause is not None else ""
        return Status(
            self.mode, self.frame, self.frame_count, label, here is not None and here.present, self.redraw, self.run,
            self._opening, self.pause, waiting, len(self.selection) if len(self.selection) > 1 else 0,
        )  # fmt: skip

    # Modes and settings

    def escape(self) -> None:
        """Leave the innermost mode: drawing, run, mask, playing, a pause; at last the selection."""
        if self.drawing:
            self.end_drawing()
        elif self.run:
            self.stop()
        elif self.mask_tool is not None:
            self.end_masking()
        elif self.playing:
            self.set_playing(False)
        elif self.pause:
            self.dismiss()
        else:
            self.select()

    def cycle_heat(self) -> None:
        """The next kind of heat map, ``off`` among them."""
        at = HEAT_KINDS.index(self.settings.heat_kind)
        self.change_settings(heat_kind=HEAT_KINDS[(at + 1) % len(HEAT_KINDS)])
