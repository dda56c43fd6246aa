"""Where we are in the video and which picture stands there.

Only the newest request is decoded next, yet whatever arrives is shown when it is newer than the picture on display, so
a fast drag over frames that are not cached shows some of them on its way. The last one asked for is shown in the end.
"""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

from app.media import Frame, FrameService, MediaError, MediaInfo
from app.work.events import Events
from app.work.jobs import Post
from app.work.latest import Latest


class Playhead:
    """The display's side of one open video. Main lane only; the frame service is its worker."""

    def __init__(
        self, media: MediaInfo, events: Events, post: Post, cache_mb: int, store_mb: int, cache_dir: Path
    ) -> None:
        self.media = media
        self.frame = 0
        """Index of the current frame."""
        self.shown: Frame | None = None
        """The picture on display; while the current one is being decoded, an earlier one."""
        self._shown_generation = 0
        self._broken = False  # whether it was said that the current frame cannot be shown
        self._events = events
        self._generations = itertools.count(1)
        self._generation = 0
        self._closed = False
        self._arriving = threading.Lock()
        self._arrived_generation = 0
        self._arrived: Latest[tuple[int, Frame | MediaError]] = Latest(lambda: post(self._show_arrived))
        self._cached: Latest[bool] = Latest(lambda: post(self._tell_cached))
        self.service = FrameService(
            media.path,
            self._arrive,
            cache_mb,
            lambda: self._cached.put(True),
            cache_dir=cache_dir,
            store_mb=store_mb,
        )

    def seek(self, frame: int) -> None:
        """Go to ``frame`` (held inside the video). A cached picture is shown at once, another one when decoded.

        Until then pictures of earlier requests may be shown, in the order in which they were asked for.
        """
        frame = min(max(frame, 0), self.media.frames - 1)
        moved, self.frame = frame != self.frame, frame
        generation = self._generation = next(self._generations)
        if moved:
            self._events.position(frame)
        if frame != self.frame:  # a listener went elsewhere
            return
        here = self.shown if self.shown is not None and self.shown.index == frame else self.service.cached(frame)
        if here is not None:
            self._show(here, generation)
        self.service.request(frame, generation)

    def show(self, frame: Frame) -> None:
        """Go to a frame whose picture is at hand (that of a running tracker), without asking the service."""
        moved, self.frame = frame.index != self.frame, frame.index
        generation = self._generation = next(self._generations)
        if moved:
            self._events.position(frame.index)
        self._show(frame, generation)

    def close(self) -> None:
        """End the service; waits for the packet being decoded."""
        self._closed = True
        self.service.close()

    def _show(self, frame: Frame, generation: int) -> None:
        """Show what is newer than the picture on display; the same picture again only counts as newer."""
        if generation <= self._shown_generation:
            return
        self._shown_generation = generation
        if frame is not self.shown or self._broken:
            self.shown, self._broken = frame, False
            self._events.shown(frame)

    def _arrive(self, generation: int, answer: Frame | MediaError) -> None:
        """From the service, in its thread or in ours: an answer of one must not displace a newer one of the other."""
        with self._arriving:
            if generation > self._arrived_generation:
                self._arrived_generation = generation
                self._arrived.put((generation, answer))

    def _show_arrived(self) -> None:
        item = self._arrived.take()
        if item is None or self._closed:
            return
        generation, answer = item
        if not isinstance(answer, MediaError):
            self._show(answer, generation)
        elif generation == self._generation:  # of frames that were only passed nobody wants to read
            self._shown_generation, self._broken = generation, True
            self._events.error(answer)

    def _tell_cached(self) -> None:
        if self._cached.take() and not self._closed:
            self._events.cached()
