"""What the session tells: events as plain callbacks in the main lane, and its state as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, ParamSpec

from app.formats.base import ExportReport
from app.media import Frame
from app.model.document import Change
from app.settings import Settings
from app.work.incoming import Incoming
from app.work.requests import Ending, LiveItem
from app.work.run import RunStatus

P = ParamSpec("P")


class Event(Generic[P]):
    """Something that happens; calling it tells everyone who connected, in order."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def connect(self, listener: Callable[P, object]) -> Callable[[], None]:
        """Have ``listener`` called from now on; answers with the function that ends it."""
        self._listeners.append(listener)

        def disconnect() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return disconnect

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        for listener in tuple(self._listeners):
            listener(*args, **kwargs)


class Mode(StrEnum):
    """What the next key or click means."""

    EMPTY = "empty"
    OPENING = "opening"
    IDLE = "idle"
    DRAWING = "drawing"
    PLAYING = "playing"
    TRACKING = "tracking"
    MASKING = "masking"
    PAUSED = "paused"


@dataclass(frozen=True)
class Status:
    """What the status line says, as a value (see `app.scene.mode_line`).

    ``selected``: label of the selected track; ``has_box``: whether it has one on this frame; ``redraw``: the box being
    drawn is a new one of the selected track, not a new object. ``pause``: what a run waits for; ``waiting``: its label.
    ``several``: how many objects are selected, when it is more than one.
    """

    mode: Mode
    frame: int = 0
    frames: int = 0
    selected: str | None = None
    has_box: bool = False
    redraw: bool = False
    run: RunStatus | None = None
    opening: str = ""
    pause: Ending | None = None
    waiting: str = ""
    several: int = 0


class Events:
    """Everything a view can hear of. All are told in the main lane."""

    def __init__(self) -> None:
        self.opened: Event[[]] = Event()
        """Another video or project is open (or none)."""
        self.document: Event[[Change]] = Event()
        """The document changed; listeners must not change it in turn."""
        self.selection: Event[[]] = Event()
        self.position: Event[[int]] = Event()
        """The current frame is another one; its picture may still be on the way."""
        self.shown: Event[[Frame]] = Event()
        """The picture of the current frame is here."""
        self.live: Event[[LiveItem]] = Event()
        """A running tracker's newest answers are here (`Session.lives`); the first of them."""
        self.run: Event[[RunStatus | None]] = Event()
        """Progress of the run; None when it ended."""
        self.mode: Event[[Mode]] = Event()
        self.message: Event[[str]] = Event()
        """A sentence for the status line."""
        self.error: Event[[Exception]] = Event()
        """Something asked for failed; str() is a sentence for people, `RelinkError` asks a question."""
        self.progress: Event[[str, float | None]] = Event()
        """Long work by name, 0 to 1; None when it ended."""
        self.settings: Event[[Settings]] = Event()
        self.incoming: Event[[Incoming]] = Event()
        """Labels of another tool were read and wait to be taken."""
        self.loop: Event[[range | None]] = Event()
        """Playing goes round in these frames from now on; None: no longer."""
        self.trackers: Event[[]] = Event()
        """Weights were imported, or could not be: which trackers are ready may have changed."""
        self.saved: Event[[Path]] = Event()
        self.exported: Event[[ExportReport]] = Event()
        """Labels were written in a format and read back."""
        self.clips: Event[[]] = Event()
        """The collection, one of its clips, or which of them is open changed."""
        self.cached: Event[[]] = Event()
        """The set of frames that can be shown at once changed."""
