"""What every command of the table does, told once for the headless session and for the window.

A case is a generator: it makes the session ready, yields what the command is to be told (what a dialog would gather),
and asserts what has come of it. A command whose effect only a window has, says in `WINDOWED` what it asks of the `Ui`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from session_fakes import FakeTracker, FakeTrackers, square, write_clip

from app.model.document import Label
from app.session import Session
from app.settings import Settings
from app.work.incoming import Incoming
from tracker.api import Box, Image, MaskPatch

SETTINGS = {"tracker": "fake", "theme": "light"}
UNSURE = range(10, 20)
"""Frames on which the tracker of these tests says that it is uncertain."""
LABELS = tuple(Label(f"label {n}", f"#1020{30 + n}") for n in range(1, 10))
BOX = Box(10, 10, 20, 16)

Off = Literal["closed", "bare", "object", ""]
"""A state in which a command cannot be done: nothing is open; a clip without objects; a selected object with a box on
frame 0. Empty: it can always be done."""


class Drawing(FakeTracker):
    """A tracker that also draws masks in boxes: the left half."""

    def segment(self, image: Image, box: Box) -> MaskPatch | None:
        return MaskPatch(int(box.x), int(box.y), np.ones((int(box.h), int(box.w) // 2), bool))


class Trackers(FakeTrackers):
    def __call__(self, name: str, device: str, **options: object) -> FakeTracker:
        return Drawing(unsure=UNSURE)


@dataclass
class World:
    """A session and a place for files.

    ``wait`` waits for a condition, however this world does that; ``take`` says yes to labels that were read.
    """

    session: Session
    clip: Path
    place: Path
    wait: Callable[[Callable[[], bool]], object]
    take: Callable[[Incoming], object]

    def at(self, frame: int) -> None:
        """Go there and wait for the picture."""
        self.session.seek(frame)
        self.wait(lambda: self.session.shown is not None and self.session.shown.index == frame)

    def object(self, frame: int = 0, box: Box | None = None) -> int:
        """A new object on a frame, selected."""
        self.at(frame)
        track = self.session.add_object(square(frame) if box is None else box)
        self.settle()
        return track

    def settle(self) -> None:
        """Wait for the end of runs."""
        self.wait(lambda: self.session.run is None and not self.session.retracking)

    def tracked(self) -> int:
        """An object with a run over all of the clip; the picture is at its start again."""
        track = self.object()
        self.session.track()
        self.settle()
        self.at(0)
        return track

    def pair(self) -> tuple[int, int]:
        """Two objects on frames 0 to 2, both selected."""
        first, second = self.object(0, BOX), self.object(0, Box(50, 30, 12, 12))
        for track, box in ((first, BOX), (second, Box(50, 30, 12, 12))):
            for frame in (1, 2):
                self.session.set_box(box, track, frame)
        self.settle()
        self.session.select(first, second)
        return first, second

    def masked(self) -> int:
        """An object whose mask is the left half of its box; boxes are in hand."""
        track = self.object(0, BOX)
        self.session.select(track)
        self.session.outline([(10, 10), (20, 10), (20, 26), (10, 26)])
        return track

    def collected(self) -> None:
        """Three clips as one collection, the second one open."""
        folder = self.place / "clips"
        folder.mkdir()
        for name in "abc":
            write_clip(folder / f"{name}.mkv", frames=3)
        self.session.open_folder(folder)
        self.wait(lambda: self.session.clip == 0 and self.session.shown is not None)
        self.to_clip(1)

    def to_clip(self, number: int) -> None:
        self.session.go_to_clip(number)
        self.at_clip(number)

    def at_clip(self, number: int) -> None:
        self.wait(lambda: self.session.clip == number and self.session.shown is not None)

    @property
    def frames(self) -> dict[int, Any]:
        """What the selected object holds."""
        assert self.session.selected is not None
        return self.session.document.tracks[self.session.selected].frames

    @property
    def box(self) -> Box:
        here = self.session.here
        assert here is not None
        assert here.box is not None
        return here.box


Case = Generator[dict[str, Any], None, None]
CASES: dict[str, Callable[[World], Case]] = {}
OFF: dict[str, Off] = {}


def case(off: Off, *ids: str) -> Callable[[Callable[[World], Case]], Callable[[World], Case]]:
    """``off``: where the command cannot be done. Without ids the function's name is the command's: ``go__next``."""

    def enter(function: Callable[[World], Case]) -> Callable[[World], Case]:
        for id_ in ids or (function.__name__.replace("__", "."),):
            CASES[id_], OFF[id_] = function, off
        return function

    return enter


def default_settings() -> Settings:
    return Settings(**SETTINGS)


WINDOWED: dict[str, str] = {
    "file.quit": "quit",
    "edit.settings": "settings",
    "mask.close": "shape",
    "view.fit": "fit",
    "view.actual_size": "actual size",
    "view.zoom_in": "zoom 1.25",
    "view.zoom_out": "zoom 0.8",
    "help.palette": "palette",
    "help.keys": "keys",
    "help.tour": "tour",
    "help.log": "log",
}
"""What a command says to the `Ui`, by its id; see `FakeUi`."""

OFF |= {id_: "closed" if id_.startswith("view.") else "" for id_ in WINDOWED} | {"mask.close": "object"}


class FakeUi:
    """Notes what a command asks of the window, in one word."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def zoom(self, factor: float) -> None:
        self.calls.append(f"zoom {factor:g}")

    def finish_shape(self) -> None:
        self.calls.append("shape")

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda: self.calls.append(name.removeprefix("show_").replace("_", " "))


def make_off(w: World, off: Off) -> None:
    """Bring a session on its clip into a state in which a command cannot be done."""
    if off == "object":
        w.object()
