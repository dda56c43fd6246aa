"""Going about in the open video: the half of the session that needs no document."""

from __future__ import annotations

from abc import ABC, abstractmethod

from app.media import Frame, MediaInfo
from app.work.errors import SessionError
from app.work.events import Events, Mode
from app.work.playhead import Playhead
from app.work.run import Runs, RunStatus


class Navigator(ABC):
    """Where we are and what is shown. Main lane only."""

    events: Events
    runs: Runs
    playhead: Playhead | None
    playing: bool
    follow: bool
    """Whether the picture goes with the run; seeking by hand during a run lets go of it."""

    @property
    @abstractmethod
    def mode(self) -> Mode: ...

    @property
    def run(self) -> RunStatus | None:
        """The tracking run that goes on, if any."""
        return self.runs.status

    @property
    def media(self) -> MediaInfo | None:
        return self.playhead.media if self.playhead else None

    @property
    def is_open(self) -> bool:
        return self.playhead is not None

    @property
    def frame(self) -> int:
        """Index of the current frame."""
        return self.playhead.frame if self.playhead else 0

    @property
    def shown(self) -> Frame | None:
        """The picture on display; while the current one is being decoded, the one before."""
        return self.playhead.shown if self.playhead else None

    @property
    def frame_count(self) -> int:
        return self.playhead.media.frames if self.playhead else 0

    def cached_frames(self) -> list[int]:
        """Frames that can be shown at once, ascending."""
        return self.playhead.service.cached_indices() if self.playhead else []

    def require_open(self) -> MediaInfo:
        """What is open. Raises `SessionError` when nothing is."""
        if self.playhead is None:
            raise SessionError("Open a video first (Ctrl+O)")
        return self.playhead.media

    def seek(self, frame: int) -> None:
        """Go to a frame (held inside the video). During a run the picture stops following it."""
        if self.playhead is None:
            return
        self.follow = self.follow and self.run is None
        self.playhead.seek(frame)

    def step(self, count: int) -> None:
        """Go ``count`` frames on (back when negative); stops playing."""
        self.set_playing(False)
        self.seek(self.frame + count)

    def set_playing(self, playing: bool) -> None:
        """Play or pause; the clock itself is the window's, which calls `seek`."""
        if playing != self.playing and self.is_open:
            self.playing = playing
            self.events.mode(self.mode)
