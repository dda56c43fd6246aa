"""Which tracker a run is made with, and the trackers that are loaded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tracker import registry
from tracker.api import Tracker


class CreateTracker(Protocol):
    """`tracker.registry.create`, or what stands for it in a test."""

    def __call__(self, name: str, device: str, **options: Any) -> Tracker: ...


@dataclass(frozen=True)
class TrackerChoice:
    """A tracker by name and what it is made from.

    ``untrained``: with random weights, which are only ever used when asked for. ``weights``: a file of the user's own.
    ``profile``: which of the published hyper-parameters.
    """

    name: str
    untrained: bool = False
    weights: Path | None = None
    profile: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What `CreateTracker` is to be given beside name and device."""
        given = {"untrained": self.untrained or None, "weights": self.weights, "profile": self.profile}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def title(self) -> str:
        """The name for people; says when the answers mean nothing or the weights are not the usual ones."""
        notes = ["untrained"] if self.untrained else [self.weights.name] if self.weights else []
        if self.profile:
            notes.append(self.profile)
        return f"{self.name} ({', '.join(notes)})" if notes else self.name


class Trackers:
    """Loaded trackers by (choice, device), created on first use in the worker that asks; keeps the last two."""

    def __init__(self, create: CreateTracker, keep: int = 2) -> None:
        self._create = create
        self._keep = keep
        self._lock = threading.Lock()
        self._loaded: OrderedDict[tuple[TrackerChoice, str], Tracker] = OrderedDict()

    def get(self, choice: TrackerChoice, device: str) -> Tracker:
        """The tracker, loaded now if need be. Raises `TrackerError`."""
        with self._lock:
            key = (choice, device)
            if key not in self._loaded:
                self._loaded[key] = self._create(choice.name, device, **choice.options)
                while len(self._loaded) > self._keep:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def ready(self, choice: TrackerChoice, device: str) -> bool:
        """Whether `get` would answer at once."""
        return (choice, device) in self._loaded

    def drop(self, choice: TrackerChoice, device: str) -> None:
        """Forget a tracker, so that its memory can be freed."""
        with self._lock:
            self._loaded.pop((choice, device), None)

    def clear(self) -> None:
        """Forget all: their weights may have changed."""
        with self._lock:
            self._loaded.clear()


def bring_in(file: Path, name: str, trackers: Trackers) -> Generator[None, None, Path]:
    """Import published weights for a tracker, as work for a lane; answers with where they lie now.

    Raises `TrackerError` when the file does not fit; nothing is written then.
    """
    yield
    written = registry.import_weights(file, name)
    trackers.clear()
    return written
