"""Two mailboxes between a worker and the main lane, each named by its overflow rule.

`Latest` keeps the newest item and forgets the others (display). `Chunks` forgets nothing and hands over in batches
(results). Both wake the reader once per fill, so a reader that is busy gets one call, however much piled up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Newest wins. ``wake`` is called in the putting thread, once between two takes."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._item: T | None = None
        self._full = False

    def put(self, item: T) -> None:
        """Replace whatever waits. Any thread."""
        with self._lock:
            first = not self._full
            self._item, self._full = item, True
        if first:
            self._wake()

    def take(self) -> T | None:
        """The newest item, or None when nothing came since the last take. Any thread."""
        with self._lock:
            item, self._item, self._full = self._item, None, False
            return item


class Chunks(Generic[T]):
    """Nothing is lost: the queue grows while the reader is busy, so items must be small.

    ``wake`` is called in the putting thread when ``count`` items wait or the oldest waits for ``seconds``, and not
    again before the next take. What waits when the work ends is for the reader to take.
    """

    def __init__(self, wake: Callable[[], None], count: int = 32, seconds: float = 0.15) -> None:
        self._wake = wake
        self._count = count
        self._seconds = seconds
        self._lock = threading.Lock()
        self._items: list[T] = []
        self._since = 0.0
        self._woken = False

    def put(self, item: T) -> None:
        """Append in order. Any thread."""
        now = time.monotonic()
        with self._lock:
            if not self._items:
                self._since = now
            self._items.append(item)
            due = len(self._items) >= self._count or now - self._since >= self._seconds
            wake, self._woken = due and not self._woken, self._woken or due
        if wake:
            self._wake()

    def take(self) -> list[T]:
        """All that waits, oldest first. Any thread."""
        with self._lock:
            items, self._items, self._woken = self._items, [], False
            return items
