"""The main lane: where the document lives and what workers post is done."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable
from typing import Any

from app.work.jobs import Job, Post


class MainLane:
    """Someone else's event loop, reached through ``post``; without one, a queue of its own, emptied by hand."""

    def __init__(self, post: Post | None = None) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.post: Post = post or self._queue.put

    def pump(self) -> int:
        """Do what workers have posted; answers with how much there was."""
        done = 0
        while True:
            try:
                call = self._queue.get_nowait()
            except queue.Empty:
                return done
            call()
            done += 1

    def wait(self, until: Job[Any] | Callable[[], bool], timeout: float = 60.0) -> None:
        """Pump until a job has ended or a condition holds. Raises TimeoutError, and the job's own error."""
        deadline = time.monotonic() + timeout
        while not (until.ended if isinstance(until, Job) else until()):
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError(f"waited {timeout:g} s in vain")
            with contextlib.suppress(queue.Empty):
                self._queue.get(timeout=min(left, 0.05))()
        if isinstance(until, Job) and until.error is not None:
            raise until.error
