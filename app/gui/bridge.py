"""The only QObject that other threads touch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import perf_counter

from PySide6.QtCore import QObject, Qt, Signal, Slot

SLICE = 0.008
"""Seconds of posted work done in one turn of the event loop, so painting and input keep their place in it."""


class Bridge(QObject):
    """Runs what workers post in the main thread, in order, lossless; one wake-up per burst.

    Display data is thinned before it comes here (newest-only mailboxes), so the queue stays short.
    """

    _woke = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = Lock()
        self._queue: deque[Callable[[], object]] = deque()
        self._awake = False
        self._open = True
        self._woke.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], object]) -> None:
        """Run ``call`` in the main thread soon. Callable from any thread; after `close` it is dropped."""
        with self._lock:
            if not self._open:
                return
            self._queue.append(call)
            wake = not self._awake
            self._awake = True
            if wake:  # inside the lock: close() then knows that no emit comes after it
                self._woke.emit()

    def close(self) -> None:
        """Drop what is waiting and whatever comes later."""
        with self._lock:
            self._open = False
            self._queue.clear()

    @Slot()
    def _drain(self) -> None:
        end = perf_counter() + SLICE
        while True:
            with self._lock:
                if not self._queue:
                    self._awake = False
                    return
                if perf_counter() > end:
                    self._woke.emit()
                    return
                call = self._queue.popleft()
            try:
                call()
            except BaseException:
                with self._lock:
                    self._awake = bool(self._queue)
                    if self._awake:
                        self._woke.emit()
                raise
