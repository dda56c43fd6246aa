"""Long work is a plain generator; the runner owns its thread, its cancellation, its closing and its errors.

Work on the same lane runs one after the other in one thread, work on different lanes side by side. The queue of a lane
loses nothing: a job waits until those before it have ended.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from app.threads import stand_back

log = logging.getLogger(__name__)

R = TypeVar("R")

Post = Callable[[Callable[[], None]], None]
"""Runs a function in the main lane, soon; may be called from any thread."""

OnEnd = Callable[[Exception | None, bool], None]


class Job(Generic[R]):
    """One piece of work. ``value`` is what the generator returned; ``error`` what it raised."""

    def __init__(
        self, lane: str, gen: Generator[Any, None, R], on_item: Callable[[Any], None] | None, on_end: OnEnd | None
    ) -> None:
        self.lane = lane
        self.value: R | None = None
        self.error: Exception | None = None
        self.cancelled = False
        self.ended = False
        """Whether ``on_end`` was called; main lane only."""
        self._gen = gen
        self._on_item = on_item
        self._on_end = on_end
        self._token = threading.Event()
        self._left = threading.Event()

    def cancel(self) -> None:
        """Ask to stop before the next item. Any thread; returns at once."""
        self._token.set()

    @property
    def running(self) -> bool:
        """Whether the worker has not left the generator yet (waiting for the lane counts as running)."""
        return not self._left.is_set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the worker has left the generator; False when it has not within ``timeout`` seconds."""
        return self._left.wait(timeout)

    def _perform(self) -> None:
        try:
            with contextlib.closing(self._gen):
                self._walk()
        except Exception as error:
            self.error = error
        finally:
            self._left.set()

    def _walk(self) -> None:
        while not self._token.is_set():
            try:
                item = next(self._gen)
            except StopIteration as stop:
                self.value = stop.value
                return
            if self._on_item is not None:
                self._on_item(item)
        self.cancelled = True

    def _finish(self) -> None:
        self.ended = True
        if self._on_end is not None:
            self._on_end(self.error, self.cancelled)
        elif self.error is not None:
            log.error("Work on lane %r failed", self.lane, exc_info=self.error)


class Jobs:
    """One thread per lane, started when the lane gets its first job."""

    def __init__(self, post: Post, *, back: int = 0) -> None:
        """``back``: how far the threads stand back, see `app.threads`."""
        self._post = post
        self._back = back
        self._lanes: dict[str, queue.SimpleQueue[Job[Any] | None]] = {}
        self._threads: list[threading.Thread] = []
        self._jobs: list[Job[Any]] = []
        self._closed = False

    def run(
        self,
        lane: str,
        gen: Generator[Any, None, R],
        on_item: Callable[[Any], None] | None = None,
        on_end: OnEnd | None = None,
    ) -> Job[R]:
        """Walk ``gen`` in the lane's thread. Main lane only.

        ``on_item(item)`` is called in the worker, for every item that was produced; ``on_end(error, cancelled)`` once
        in the main lane, after the generator was closed in the worker. Without ``on_end`` an error is logged.
        Raises RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("the jobs are closed")
        job = Job(lane, gen, on_item, on_end)
        self._jobs = [j for j in self._jobs if j.running]
        self._jobs.append(job)
        if lane not in self._lanes:
            self._lanes[lane] = queue.SimpleQueue()
            thread = threading.Thread(target=self._work, args=(self._lanes[lane],), name=f"lane-{lane}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._lanes[lane].put(job)
        return job

    def close(self, timeout: float = 5.0) -> bool:
        """Cancel everything and wait at most ``timeout`` seconds in all; True when every thread has left.

        Threads are daemons: one that is stuck in native code cannot keep the process alive.
        """
        self._closed = True
        for job in self._jobs:
            job.cancel()
        for lane in self._lanes.values():
            lane.put(None)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        stuck = [thread.name for thread in self._threads if thread.is_alive()]
        if stuck:
            log.warning("Still busy %.0f s after being asked to stop: %s", timeout, ", ".join(stuck))
        return not stuck

    def _work(self, lane: queue.SimpleQueue[Job[Any] | None]) -> None:
        stand_back(self._back)
        while (job := lane.get()) is not None:
            job._perform()
            self._post(job._finish)
