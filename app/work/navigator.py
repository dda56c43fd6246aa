"""Going about in the open video: the half of the session that needs no document."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

from app.media import Frame, MediaInfo
from app.settings import Settings
from app.words import tr
from app.work.errors import SessionError
from app.work.events import Events, Mode
from app.work.places import frame_at
from app.work.playhead import Playhead
from app.work.run import Runs, RunStatus

RATES: Final = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0)
"""Playback rates that the keys walk through."""


class Navigator(ABC):
    """Where we are and what is shown. Main lane only."""

    events: Events
    settings: Settings
    runs: Runs
    playhead: Playhead | None
    playing: bool
    follow: bool
    """Whether the picture goes with the run; seeking by hand during a run lets go of it."""
    loop: range | None = None
    """The frames in which playing goes round."""

    @abstractmethod
    def change_settings(self, **values: Any) -> None: ...

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

    def at_hand(self, frame: int) -> Frame | None:
        """A frame that is in memory; None for others, which would have to be decoded."""
        return self.playhead.service.cached(frame) if self.playhead else None

    def require_open(self) -> MediaInfo:
        """What is open. Raises `SessionError` when nothing is."""
        if self.playhead is None:
            raise SessionError(tr("Open a video first (Ctrl+O)"))
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

    def go_to(self, place: str | int) -> None:
        """Go to a frame by number, step or time (see `app.work.places.frame_at`). Raises `SessionError`."""
        media = self.require_open()
        self.set_playing(False)
        self.seek(place if isinstance(place, int) else frame_at(place, self.frame, media.times))

    def change_rate(self, steps: int) -> None:
        """Play faster (above zero) or slower, by the steps of `RATES`."""
        rate = self.settings.playback_rate
        later = [r for r in RATES if r > rate] if steps > 0 else [r for r in reversed(RATES) if r < rate]
        if later:
            self.change_settings(playback_rate=later[min(abs(steps), len(later)) - 1])
            self.events.message(
                tr("Playing at {later:g} times the rate of the video").format(
                    later=later[min(abs(steps), len(later)) - 1]
                )
            )

    def set_loop(self, *, start: int | None = None, end: int | None = None) -> None:
        """Have playing go round from ``start`` to ``end``, both inside; what is not given stays, or is the clip's."""
        self.require_open()
        known = self.loop or range(self.frame_count)
        first = known.start if start is None else start
        last = known.stop - 1 if end is None else end
        if first > last:  # the other end makes way
            first, last = (first, self.frame_count - 1) if end is None else (0, last)
        self.loop = range(max(0, first), min(last, self.frame_count - 1) + 1)
        self.events.loop(self.loop)
        self.events.message(
            tr("Playing goes round in frames {start} to {stop}").format(start=self.loop.start, stop=self.loop.stop - 1)
        )

    def end_loop(self) -> None:
        """Play to the end of the clip again."""
        self.loop = None
        self.events.loop(None)

    def set_playing(self, playing: bool) -> None:
        """Play or pause; the clock itself is the window's, which calls `seek`."""
        if playing != self.playing and self.is_open:
            self.playing = playing
            self.events.mode(self.mode)
