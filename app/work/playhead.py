"""Where we are in the video and which picture stands there: newest request only, stale answers dropped."""

from __future__ import annotations

import itertools
from pathlib import Path

from app.media import Frame, FrameService, MediaError, MediaInfo
from app.work.events import Events
from app.work.jobs import Post
from app.work.latest import Latest


class Playhead:
    """The display's side of one open video. Main lane only; the frame service is its worker."""

    def __init__(self, media: MediaInfo, events: Events, post: Post, cache_mb: int, cache_dir: Path) -> None:
        self.media = media
        self.frame = 0
        """Index of the current frame."""
        self.shown: Frame | None = None
        """The picture on display; while the current one is being decoded, the one before."""
        self._events = events
        self._generations = itertools.count(1)
        self._generation = 0
        self._closed = False
        self._arrived: Latest[tuple[int, Frame | MediaError]] = Latest(lambda: post(self._show_arrived))
        self._cached: Latest[bool] = Latest(lambda: post(self._tell_cached))
        self.service = FrameService(
            media.path,
            lambda generation, answer: self._arrived.put((generation, answer)),
            cache_mb,
            lambda: self._cached.put(True),
            cache_dir=cache_dir,
        )

    def seek(self, frame: int) -> None:
        """Go to ``frame`` (held inside the video). A cached picture is shown at once, another one when decoded."""
        frame = min(max(frame, 0), self.media.frames - 1)
        moved, self.frame = frame != self.frame, frame
        self._generation = next(self._generations)
        if moved:
            self._events.position(frame)
        if frame != self.frame:  # a listener went elsewhere
            return
        here = self.service.cached(frame)
        if here is not None and here is not self.shown:
            self._show(here)
        self.service.request(frame, self._generation)

    def show(self, frame: Frame) -> None:
        """Go to a frame whose picture is at hand (that of a running tracker), without asking the service."""
        moved, self.frame = frame.index != self.frame, frame.index
        self._generation = next(self._generations)
        if moved:
            self._events.position(frame.index)
        self._show(frame)

    def close(self) -> None:
        """End the service; waits for the packet being decoded."""
        self._closed = True
        self.service.close()

    def _show(self, frame: Frame) -> None:
        self.shown = frame
        self._events.shown(frame)

    def _show_arrived(self) -> None:
        item = self._arrived.take()
        if item is None or self._closed or item[0] != self._generation:
            return
        answer = item[1]
        if isinstance(answer, MediaError):
            self._events.error(answer)
        elif answer is not self.shown:
            self._show(answer)

    def _tell_cached(self) -> None:
        if self._cached.take() and not self._closed:
            self._events.cached()
