"""Frames for a view that scrubs: newest request only, from a cache at once, with frames decoded ahead of travel."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from app.media.base import Interrupted, Reader
from app.media.filling import Filler, open_filler
from app.media.frames import Frame, FrameCache, MediaError, MediaInfo
from app.media.reader import open_media
from app.media.video import VideoReader
from app.threads import FRAMES, stand_back
from app.words import tr

log = logging.getLogger(__name__)

OnFrame = Callable[[int, "Frame | MediaError"], None]

_AHEAD_SHARE, _AHEAD_FRAMES = 0.4, 120  # of the cache, decoded in the direction of travel
_BEHIND_SHARE, _BEHIND_FRAMES = 0.2, 30  # the other way, when nothing else is to do; the rest keeps what was seen
_LEAST_REVERSE = 32 << 20
_STEP = 16  # frames; a longer way is a jump
_TELL_EVERY = 0.1  # seconds between two calls of on_cached
_BREATH = 0.012  # seconds after a cached answer in which nothing is decoded ahead: the view is painting it
_CALM = 0.6  # seconds without a request after which frames are kept on disk


class FrameService:
    """Answers requests for frames from its own thread, which alone touches the reader.

    `request` keeps the newest request only: one that no thread has begun is dropped when the next comes. Answers come
    with ascending generations, so a view may show every answer that is newer than what it shows.
    """

    def __init__(
        self,
        path: str | Path,
        on_frame: OnFrame,
        cache_mb: int = 512,
        on_cached: Callable[[], None] | None = None,
        *,
        cache_dir: str | Path | None = None,
        store_mb: int = 0,
    ) -> None:
        """``on_frame(generation, frame or error)`` is called in the requesting thread when the frame is in the cache,
        else in the service's; it must return quickly. ``on_cached()`` says that `cached_indices` changed, at most ten
        times a second, in the service's thread. ``cache_dir``: see `open_media`; while nobody asks, up to
        ``store_mb`` of pictures that take long to decode are kept there. Never blocks, never raises: a file that
        cannot be opened answers every request with its `MediaError`.
        """
        self.info: MediaInfo | None = None
        """What is known of the file; None until it is open."""
        self._path = Path(path)
        self._on_frame = on_frame
        self._on_cached = on_cached or (lambda: None)
        self._cache = FrameCache(cache_mb << 20)
        self._cache_dir = Path(cache_dir) if cache_dir is not None else None
        self._store_bytes = store_mb << 20
        self._fills = True
        self._asked = time.monotonic()
        self._wake = threading.Condition()
        self._wanted: tuple[int, int] | None = None  # index, generation
        self._moved = False
        self._at: int | None = None
        self._direction = 1
        self._answered = -1  # newest generation that got an answer
        self._closed = False
        self._changed = False
        self._told = 0.0
        self._rest_until = 0.0
        self._thread = threading.Thread(target=self._run, name=f"frames of {self._path.name}", daemon=True)
        self._thread.start()

    def request(self, index: int, generation: int) -> None:
        """Ask for a frame; the answer comes through ``on_frame``. Callable from any thread, never waits for a decode.

        Nothing comes after `close`, or when a newer request overtakes this one.
        """
        frame = self._cache.get(index)
        with self._wake:
            if self._closed:
                return
            if self._at is None or abs(index - self._at) > _STEP:
                self._direction = 1  # a jump says nothing about where to go next
            elif index != self._at:
                self._direction = 1 if index > self._at else -1
            self._at = index
            self._moved = True
            self._asked = time.monotonic()
            self._wanted = (index, generation) if frame is None else None
            self._wake.notify()
            if frame is not None:
                self._rest_until = time.monotonic() + _BREATH
        if frame is not None:
            self._answer(generation, frame)

    def fill(self, on: bool) -> None:
        """Whether frames may be kept on disk while nobody asks for one; off while the cores are wanted elsewhere."""
        with self._wake:
            self._fills = on
            self._wake.notify()

    def cached(self, index: int) -> Frame | None:
        """The frame if it is in the cache; callable from any thread."""
        return self._cache.get(index)

    def cached_indices(self) -> list[int]:
        """Indices in the cache, ascending; callable from any thread."""
        return self._cache.indices()

    def close(self) -> None:
        """End the thread and free the file and the cache; waits for the packet being decoded, not for the frame."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._cache.clear()

    # The service's thread.

    def _run(self) -> None:
        stand_back(FRAMES)
        try:
            reader = open_media(
                self._path,
                self._cache_dir,
                reverse_bytes=max(_LEAST_REVERSE, self._cache.budget // 4),
                progress=self._opening,
            )
        except Interrupted:
            return
        except MediaError as e:
            self._refuse(e)
            return
        with reader:
            self.info = reader.info
            server = _Server(self, reader, self._open_store(reader))
            try:
                server.run()
            finally:
                server.close()

    def _open_store(self, reader: Reader) -> Filler | None:
        if not isinstance(reader, VideoReader):
            return None
        found = open_filler(self._path, reader.index, self._cache_dir, self._store_bytes)
        if found is None:
            return None
        reader.store, filler = found
        return filler

    def _opening(self, done: float) -> None:
        if self._closed:
            raise Interrupted

    def _refuse(self, failure: MediaError) -> None:
        """Answer every request with the reason why the file did not open."""
        while (task := self._next_task(idle=True)) is not None:
            if task.wanted is not None:
                self._answer(task.wanted[1], failure)

    def _next_task(self, *, idle: bool, fills: bool = False) -> _Task | None:
        """What to do next; waits for it when ``idle``, with ``fills`` until it is calm. None when closed."""
        with self._wake:
            calm = False
            while not self._closed and self._wanted is None:
                rest = None if idle else self._rest_until - time.monotonic()
                if (idle and self._moved) or (rest is not None and rest <= 0):
                    break
                if idle and fills and self._fills:
                    rest = self._asked + _CALM - time.monotonic()
                    calm = rest <= 0
                    if calm:
                        break
                self._wake.wait(rest)
            if self._closed:
                return None
            task = _Task(self._wanted, self._moved, self._at or 0, self._direction, calm and self._wanted is None)
            self._wanted, self._moved = None, False
            return task

    def _answer(self, generation: int, answer: Frame | MediaError) -> None:
        with self._wake:
            if self._closed or generation < self._answered:
                return
            self._answered = generation
        try:
            self._on_frame(generation, answer)
        except Exception:
            log.exception("showing a frame of %s failed", self._path)

    def _keep(self, frame: Frame) -> None:
        self._cache.put(frame)
        self._changed = True
        if time.monotonic() - self._told >= _TELL_EVERY:
            self._tell()

    def _tell(self) -> None:
        """Say that the set of cached frames changed, if it did."""
        if self._changed and not self._closed:
            self._changed = False
            self._told = time.monotonic()
            try:
                self._on_cached()
            except Exception:
                log.exception("showing the cached frames of %s failed", self._path)


@dataclass(frozen=True)
class _Task:
    wanted: tuple[int, int] | None  # index, generation
    moved: bool
    at: int
    direction: int
    calm: bool
    """Nobody asked for a while: frames may be kept on disk."""


class _Server:
    """What the service's thread does once the file is open."""

    def __init__(self, service: FrameService, reader: Reader, filler: Filler | None) -> None:
        self._s = service
        self._reader = reader
        self._filler = filler
        self._bad: set[int] = set()
        self._stream: Generator[Frame, None, None] | None = None
        self._stream_at = (0, 0)  # next index and direction of the open stream
        info = reader.info
        fit = service._cache.budget // (info.width * info.height * 3)
        self._ahead = min(_AHEAD_FRAMES, int(fit * _AHEAD_SHARE))
        self._behind = min(_BEHIND_FRAMES, int(fit * _BEHIND_SHARE))

    def run(self) -> None:
        s, at, direction, busy, fills = self._s, 0, 1, False, False
        while (task := s._next_task(idle=not busy, fills=fills)) is not None:
            if task.calm:
                fills = self._fill()
                continue
            if task.wanted is not None:
                self._reader.abort = lambda: s._closed
                self._fetch(*task.wanted, task.direction)
            if task.moved:
                at, direction, busy, fills = task.at, task.direction, True, self._filler is not None
                if self._filler is not None:
                    self._filler.go_to(at)
            if s._wanted is not None:
                continue  # somebody waits: nothing is decoded ahead
            self._reader.abort = lambda: s._closed or s._wanted is not None
            index, way = self._next_ahead(at, direction)
            busy = index is not None
            if index is None:
                self._close_stream()
                s._tell()
                continue
            try:
                s._keep(self._pull(index, way))
            except Interrupted:
                self._close_stream()
            except MediaError:
                self._bad.add(index)
            except Exception:
                log.exception("decoding frame %d of %s ahead", index, s._path)
                self._bad.add(index)

    def _fetch(self, index: int, generation: int, direction: int) -> None:
        s = self._s
        frame = s._cache.get(index)
        if frame is None:
            try:
                # Stepping back decodes a group once for many frames; anything else goes the shortest way.
                frame = self._pull(index, -1) if direction < 0 else self._reader.get(index)
            except Interrupted:
                return
            except MediaError as e:
                s._answer(generation, e)
                return
            except IndexError as e:
                s._answer(generation, MediaError(f"{e}."))
                return
            except Exception as e:
                log.exception("frame %d of %s", index, s._path)
                s._answer(
                    generation,
                    MediaError(
                        tr("Frame {index} of {path} cannot be shown: {e!r}. See the log.").format(
                            index=index, path=s._path.name, e=e
                        )
                    ),
                )
                return
            s._keep(frame)
        s._answer(generation, frame)

    def _fill(self) -> bool:
        """Keep one frame on disk; False when there is nothing left to keep."""
        assert self._filler is not None
        try:
            return self._filler.step(lambda: self._s._closed or self._s._wanted is not None)
        except Interrupted:
            return True
        except Exception:
            log.exception("keeping frames of %s on disk", self._s._path)
            return False

    def close(self) -> None:
        """Free what the thread opened beside the reader."""
        if self._filler is not None:
            self._filler.close()

    def _next_ahead(self, at: int, direction: int) -> tuple[int | None, int]:
        """The frame worth decoding next: first in the direction of travel, then a few the other way."""
        for way, room in ((direction, self._ahead), (-direction, self._behind)):
            for index in range(at + way, at + way * (room + 1), way):
                if not 0 <= index < self._reader.info.frames:
                    break
                if index not in self._s._cache and index not in self._bad:
                    return index, way
        return None, direction

    def _pull(self, index: int, way: int) -> Frame:
        """Frame ``index`` from the stream that is open, if it is next there, else from a new one."""
        if self._stream is None or self._stream_at != (index, way):
            self._close_stream()
            self._stream = self._reader.iter(index, self._reader.info.frames if way > 0 else -1, way)
        self._stream_at = (index + way, way)
        try:
            return next(self._stream)
        except BaseException:
            self._close_stream()
            raise

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
