"""What an export would write, counted beside the window: newest question only."""

from __future__ import annotations

from collections.abc import Callable, Generator

from app.formats.base import Preflight
from app.work.jobs import Job, Jobs

Count = Callable[[], Preflight]
Told = Callable[["Preflight | None", "Exception | None"], None]


class Counting:
    """Runs one count at a time; of those asked for meanwhile only the newest follows, and only its answer is told."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._job: Job[Preflight] | None = None
        self._next: tuple[Count, Told] | None = None
        self._told: Told | None = None

    def ask(self, count: Count, told: Told) -> None:
        """Count in the background; ``told(plan, None)`` or ``told(None, error)`` comes in the main lane."""
        self._next = count, told
        if self._job is None:
            self._begin()

    def stop(self) -> None:
        """Nobody wants to know any more."""
        self._next = self._told = None
        if self._job is not None:
            self._job.cancel()

    def _begin(self) -> None:
        if self._next is None:
            return
        (count, self._told), self._next = self._next, None
        self._job = self._jobs.run("count", _counted(count), on_end=self._ended)

    def _ended(self, error: Exception | None, cancelled: bool) -> None:
        job, self._job = self._job, None
        if self._next is not None:
            self._begin()
        elif self._told is not None and job is not None:
            self._told(job.value, error)


def _counted(count: Count) -> Generator[None, None, Preflight]:
    yield  # a count that nobody waits for any more is not begun
    return count()


def at_once(count: Count, told: Told) -> None:
    """In place of `Counting.ask` where no session is: count here and now."""
    told(count(), None)
