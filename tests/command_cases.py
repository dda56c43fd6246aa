"""What every command of the table does, told once for the headless session and for the window.

A case is a generator: it makes the session ready, yields what the command is to be told (what a dialog would gather),
and asserts what has come of it. A command whose effect only a window has, says in `WINDOWED` what it asks of the `Ui`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from session_fakes import FRAMES, FakeTracker, FakeTrackers, square, write_clip

from app.formats.project import load_project
from app.model.document import Attribute, AttributeKind, Label
from app.model.tracks import Source, State
from app.session import PAUSED, Mode, Session
from app.settings import Settings
from app.work.painting import MaskTool
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
    """A session and a place for files. ``wait`` waits for a condition, however this world does that."""

    session: Session
    clip: Path
    place: Path
    wait: Callable[[Callable[[], bool]], object]

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


# --- File -----------------------------------------------------------------------------------------------------------


@case("")
def file__open(w: World) -> Case:
    other = write_clip(w.place / "other.mkv", frames=5)
    yield {"path": other}
    w.wait(lambda: w.session.media is not None and w.session.media.path == other)
    assert w.session.frame_count == 5


@case("")
def file__open_folder(w: World) -> Case:
    folder = w.place / "day"
    folder.mkdir()
    for name in "ab":
        write_clip(folder / f"{name}.mkv", frames=3)
    yield {"folder": folder}
    w.at_clip(0)
    assert w.session.collection is not None
    assert len(w.session.collection.clips) == 2


@case("")
def file__sample(w: World) -> Case:
    yield {}
    w.wait(lambda: w.session.media is not None and w.session.media.path != w.clip)
    assert w.session.frame_count > FRAMES


@case("closed")
def file__save(w: World) -> Case:
    track = w.object()
    yield {}
    w.wait(lambda: not w.session.dirty)
    assert w.session.project is not None
    assert w.session.project.parent == w.clip.parent
    assert load_project(w.session.project).tracks.keys() == {track}


@case("closed")
def file__save_as(w: World) -> Case:
    w.object()
    target = w.place / "elsewhere.siamlabel"
    yield {"path": target}
    w.wait(lambda: w.session.project == target)
    assert load_project(target).tracks
    assert not w.session.dirty


def _incoming(w: World, make: Callable[[Path], object]) -> Case:
    """What is read is told and changes nothing yet."""
    w.object()
    out = w.place / "labels"
    make(out)
    came: list[Any] = []
    stop = w.session.events.incoming.connect(came.append)
    yield {"path": next(path for path in (out, out.with_suffix(".json")) if path.exists())}
    w.wait(lambda: bool(came))
    stop()
    assert len(w.session.document.tracks) == 1
    w.session.take_labels(came[0])
    assert len(w.session.document.tracks) == 2


def _exported(w: World, format_id: str, out: Path) -> None:
    job = w.session.export(format_id, out)
    w.wait(lambda: job.ended)
    assert job.error is None


@case("closed")
def file__import(w: World) -> Case:
    return _incoming(w, lambda out: _exported(w, "coco", out.with_suffix(".json")))


@case("closed")
def file__import_folder(w: World) -> Case:
    return _incoming(w, lambda out: _exported(w, "vot", out))


@case("closed")
def file__export(w: World) -> Case:
    w.object()
    out = w.place / "out.json"
    yield {"format_id": "coco", "out": out}
    w.wait(out.exists)
    w.wait(lambda: not w.session.cancellable("Exporting coco"))
    assert len(json.loads(out.read_bytes())["annotations"]) == 1


@case("closed")
def file__export_frames(w: World) -> Case:
    w.object(3)
    out = w.place / "pictures"
    yield {"out": out, "frames": "labelled"}
    w.wait(lambda: (out / "frames.csv").exists())
    assert [path.name for path in out.glob("*.jpg")] == ["000003.jpg"]


# --- Edit -----------------------------------------------------------------------------------------------------------


@case("bare")
def edit__undo(w: World) -> Case:
    w.object()
    yield {}
    assert not w.session.document.tracks


@case("object")
def edit__redo(w: World) -> Case:
    w.object()
    w.session.undo()
    yield {}
    assert len(w.session.document.tracks) == 1


# --- Object ---------------------------------------------------------------------------------------------------------


@case("closed")
def object__new(w: World) -> Case:
    w.object()
    yield {}
    assert (w.session.mode, w.session.redraw) == (Mode.DRAWING, False)
    w.session.add_object(BOX)
    assert len(w.session.document.tracks) == 2


@case("bare")
def object__redraw(w: World) -> Case:
    w.object()
    yield {}
    assert (w.session.mode, w.session.redraw) == (Mode.DRAWING, True)
    w.session.set_box(BOX)
    assert w.box == BOX
    assert len(w.session.document.tracks) == 1


@case("bare")
def object__keyframe(w: World) -> Case:
    w.tracked()
    w.at(5)
    yield {}
    assert w.frames[5].keyframe


@case("bare")
def object__occluded(w: World) -> Case:
    w.object()
    yield {}
    assert w.frames[0].state is State.OCCLUDED
    assert w.frames[0].present


@case("bare")
def object__out_of_view(w: World) -> Case:
    w.object()
    yield {}
    assert w.frames[0].state is State.OUT_OF_VIEW
    assert w.frames[0].box is None


@case("bare")
def object__hide(w: World) -> Case:
    track = w.object()
    yield {}
    assert not w.session.document.tracks[track].visible


@case("bare")
def object__lock(w: World) -> Case:
    track = w.object()
    yield {}
    assert w.session.document.tracks[track].locked


@case("bare")
def object__ignored(w: World) -> Case:
    track = w.object()
    yield {}
    assert w.session.document.tracks[track].ignored


@case("bare")
def object__select_all(w: World) -> Case:
    both = set(w.pair())
    w.session.select()
    yield {}
    assert w.session.selection == both


@case("bare")
def object__copy(w: World) -> Case:
    w.object()
    yield {}
    assert w.session.clipboard == w.session.here


@case("bare")
def object__paste(w: World) -> Case:
    w.object(0, BOX)
    w.session.copy_box()
    w.at(7)
    yield {}
    assert w.frames[7].box == BOX
    assert w.frames[7].source is Source.MANUAL


@case("bare")
def object__propagate(w: World) -> Case:
    w.object(0, BOX)
    yield {"count": 4}
    assert {f for f, seen in w.frames.items() if seen.box == BOX} == set(range(5))


@case("bare")
def object__extend(w: World) -> Case:
    w.object(0, BOX)
    w.at(5)
    yield {}
    assert {f for f, seen in w.frames.items() if seen.box == BOX} == set(range(6))
    assert w.frames[5].keyframe


@case("bare")
def object__split(w: World) -> Case:
    old = w.tracked()
    w.at(9)
    yield {}
    assert w.session.selected != old
    assert min(w.frames) == 9
    assert max(w.session.document.tracks[old].frames) == 8


@case("object")
def object__merge(w: World) -> Case:
    first, _ = w.pair()
    yield {}
    assert w.session.document.tracks.keys() == {first}
    assert w.session.selected == first


@case("object")
def object__swap(w: World) -> Case:
    first, second = w.pair()
    w.at(1)
    yield {}
    tracks = w.session.document.tracks
    assert [tracks[first].frames[f].box == BOX for f in range(3)] == [True, False, False]
    assert [tracks[second].frames[f].box == BOX for f in range(3)] == [False, True, True]


@case("bare")
def object__simplify(w: World) -> Case:
    w.tracked()
    yield {"tolerance": 3.0}
    assert sum(seen.keyframe for seen in w.frames.values()) == 2
    assert {seen.source for seen in w.frames.values()} >= {Source.INTERPOLATED}


@case("bare")
def object__delete_range(w: World) -> Case:
    w.tracked()
    yield {"first": 3, "last": 8, "protected": False}
    assert w.frames.keys() == set(range(FRAMES)) - set(range(3, 9))


@case("bare")
def object__delete_box(w: World) -> Case:
    w.tracked()
    w.at(4)
    yield {}
    assert w.frames.keys() == set(range(FRAMES)) - {4}


@case("bare")
def object__delete(w: World) -> Case:
    w.object()
    yield {}
    assert not w.session.document.tracks


def _nudge(id_: str, dx: int, dy: int, dw: int, dh: int) -> None:
    @case("bare", f"object.{id_}")
    def moved(w: World) -> Case:
        w.object(0, Box(30, 20, 20, 20))
        yield {}
        assert w.box == Box(30 + dx, 20 + dy, 20 + dw, 20 + dh)
        w.settle()


for _far, _tail in ((1, ""), (10, "_far")):
    for _way, (_x, _y) in {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}.items():
        _nudge(f"nudge_{_way}{_tail}", _x * _far, _y * _far, 0, 0)
    for _way, (_x, _y) in {"narrower": (-1, 0), "wider": (1, 0), "lower": (0, -1), "higher": (0, 1)}.items():
        _nudge(f"{_way}{_tail}", 0, 0, _x * _far, _y * _far)


# --- Mask -----------------------------------------------------------------------------------------------------------


@case("bare")
def mask__edit(w: World) -> Case:
    w.object()
    yield {}
    assert (w.session.mode, w.session.mask_tool) == (Mode.MASKING, MaskTool.BRUSH)


def _tool(tool: MaskTool, before: MaskTool) -> None:
    @case("object", f"mask.{tool}")
    def taken(w: World) -> Case:
        w.object()
        w.session.begin_masking(before)
        yield {}
        assert w.session.mask_tool is tool


for _tool_ in MaskTool:
    _tool(_tool_, MaskTool.BRUSH if _tool_ is not MaskTool.BRUSH else MaskTool.ERASER)


def _sized(id_: str, by: float) -> None:
    @case("object", id_)
    def sized(w: World) -> Case:
        w.object()
        w.session.begin_masking()
        yield {}
        assert w.session.settings.brush == Settings().brush * by


_sized("mask.larger", 1.25)
_sized("mask.smaller", 0.8)


@case("bare")
def mask__refine(w: World) -> Case:
    w.object(0, BOX)
    yield {}
    w.wait(lambda: w.frames[0].mask is not None)
    assert w.frames[0].mask.area == 10 * 16


@case("object")
def mask__to_box(w: World) -> Case:
    w.masked()
    yield {}
    assert w.box == Box(10, 10, 10, 16)


@case("bare")
def mask__from_box(w: World) -> Case:
    w.object(0, BOX)
    yield {}
    assert w.frames[0].mask.area == BOX.w * BOX.h


@case("object")
def mask__remove(w: World) -> Case:
    w.masked()
    yield {}
    assert w.frames[0].mask is None
    assert w.box == BOX


# --- Label ----------------------------------------------------------------------------------------------------------


@case("closed")
def label__edit(w: World) -> Case:
    w.object()
    w.session.set_track(1, label="cat")
    w.session.set_labels([Label("cat", "#112233")])
    yield {"labels": (Label("lion", "#112233"),), "renamed": {"cat": "lion"}}
    assert [label.name for label in w.session.document.labels] == ["lion"]
    assert w.session.document.tracks[1].label == "lion"


@case("closed")
def label__import(w: World) -> Case:
    file = w.place / "labels.json"
    file.write_text(json.dumps([{"name": "tram", "attributes": [{"name": "full", "input_type": "checkbox"}]}]))
    yield {"path": file}
    (label,) = w.session.document.labels
    assert (label.name, label.attributes) == ("tram", (Attribute("full", AttributeKind.FLAG),))


def _numbered(word: str, label: Label) -> None:
    @case("bare", f"label.{word}")
    def numbered(w: World) -> Case:
        w.object()
        w.session.set_labels(LABELS)
        yield {}
        track = w.session.document.tracks[1]
        assert (track.label, track.colour) == (label.name, label.colour)


for _word, _label in zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], LABELS, strict=True):
    _numbered(_word, _label)


@case("closed")
def label__comment(w: World) -> Case:
    track = w.object(3)
    yield {"text": "too wide", "track": track}
    (comment,) = w.session.document.comments.values()
    assert (comment.text, comment.track, comment.frame, comment.resolved) == ("too wide", track, 3, False)


# --- Track ----------------------------------------------------------------------------------------------------------


@case("bare")
def track__forward(w: World) -> Case:
    w.object(30)
    yield {}
    w.settle()
    assert w.frames.keys() == set(range(30, FRAMES))
    assert w.frames[FRAMES - 1].source is Source.TRACKER


@case("bare")
def track__backward(w: World) -> Case:
    w.object(5)
    yield {}
    w.settle()
    assert w.frames.keys() == set(range(6))
    assert w.frames[0].box == square(0)


@case("bare")
def track__gap(w: World) -> Case:
    w.object()
    w.session.set_box(square(8), frame=8)
    w.settle()
    w.at(4)
    yield {}
    w.settle()
    assert w.frames.keys() == set(range(9))
    assert all(w.frames[f].box == square(f) for f in range(9))


@case("bare")
def track__again(w: World) -> Case:
    w.object(0, square(0))
    w.session.propagate_box(6)
    yield {}
    w.settle()
    assert w.frames[6].box == square(6)


@case("bare")
def track__range(w: World) -> Case:
    w.object()
    yield {"first": 0, "last": 6, "mode": "fill"}
    w.settle()
    assert w.frames.keys() == set(range(7))


@case("object")
def track__accept(w: World) -> Case:
    w.object()
    w.session.change_settings(pause_on="uncertain", uncertain_after=5)
    w.session.track()
    w.wait(lambda: w.session.scope == PAUSED)
    at = w.session.frame
    yield {}
    w.settle()
    assert w.frames[at].verified
    assert w.session.pause is None
    assert max(w.frames) == FRAMES - 1


@case("bare")
def track__interpolate(w: World) -> Case:
    w.object()
    w.session.set_box(square(8), frame=8)
    w.settle()
    w.at(4)
    yield {}
    assert w.frames.keys() == set(range(9))
    assert w.frames[4].source is Source.INTERPOLATED


@case("bare")
def track__stop(w: World) -> Case:
    w.session.begin_drawing()
    yield {}
    assert w.session.mode is Mode.IDLE


# --- Review ---------------------------------------------------------------------------------------------------------


@case("closed")
def review__next(w: World) -> Case:
    w.tracked()
    yield {}
    assert w.session.frame == UNSURE.start


@case("closed")
def review__previous(w: World) -> Case:
    w.tracked()
    w.at(30)
    yield {}
    assert w.session.frame == UNSURE.start


@case("bare")
def review__verify(w: World) -> Case:
    w.tracked()
    w.at(12)
    yield {}
    assert w.frames[12].verified
    assert w.session.triage.around(12, 1) is None


@case("bare")
def review__verify_stretch(w: World) -> Case:
    w.tracked()
    w.at(12)
    yield {}
    assert {f for f, seen in w.frames.items() if seen.verified} == set(UNSURE)
    assert w.session.triage.left() == (0, 0)


@case("object")
def review__unverify(w: World) -> Case:
    w.tracked()
    w.at(30)
    w.session.verify_stretch()
    w.at(30)
    yield {}
    assert not w.frames[30].verified


# --- Go -------------------------------------------------------------------------------------------------------------


def _goes(id_: str, start: int, end: int) -> None:
    @case("closed", f"go.{id_}")
    def gone(w: World) -> Case:
        w.session.change_settings(jump=3)
        w.at(start)
        yield {}
        assert w.session.frame == end


for _id, _start, _end in (
    ("next", 4, 5), ("previous", 4, 3), ("forward", 4, 7), ("back", 4, 1), ("far_forward", 4, 34), ("far_back", 34, 4),
    ("first", 4, 0), ("last", 4, FRAMES - 1),
):  # fmt: skip
    _goes(_id, _start, _end)


@case("closed")
def go__frame(w: World) -> Case:
    yield {"place": "21"}
    assert w.session.frame == 21


def _to_keyframe(id_: str, end: int) -> None:
    @case("closed", f"go.{id_}")
    def gone(w: World) -> Case:
        w.object(2)
        w.session.set_box(square(20), frame=20)
        w.settle()
        w.at(10)
        yield {}
        assert w.session.frame == end


_to_keyframe("next_keyframe", 20)
_to_keyframe("previous_keyframe", 2)


@case("closed")
def go__play(w: World) -> Case:
    yield {}
    assert w.session.mode is Mode.PLAYING
    w.session.set_playing(False)


@case("closed")
def go__faster(w: World) -> Case:
    yield {}
    assert w.session.settings.playback_rate == 1.5


@case("closed")
def go__slower(w: World) -> Case:
    yield {}
    assert w.session.settings.playback_rate == 0.5


@case("closed")
def go__loop_from(w: World) -> Case:
    w.at(7)
    yield {}
    assert w.session.loop == range(7, FRAMES)


@case("closed")
def go__loop_to(w: World) -> Case:
    w.at(7)
    yield {}
    assert w.session.loop == range(8)


@case("object")
def go__loop_off(w: World) -> Case:
    w.session.set_loop(start=3)
    yield {}
    assert w.session.loop is None


@case("object")
def go__next_clip(w: World) -> Case:
    w.collected()
    yield {}
    w.at_clip(2)


@case("object")
def go__previous_clip(w: World) -> Case:
    w.collected()
    yield {}
    w.at_clip(0)


# --- View -----------------------------------------------------------------------------------------------------------


@case("")
def view__heat(w: World) -> Case:
    yield {}
    assert w.session.settings.heat_kind == "classification"


@case("")
def view__mask_style(w: World) -> Case:
    yield {}
    assert w.session.settings.mask_style == "fill"


def _switch(id_: str, name: str) -> None:
    @case("", f"view.{id_}")
    def switched(w: World) -> Case:
        yield {}
        assert getattr(w.session.settings, name) is not getattr(Settings(), name)


for _id, _name in {
    "masks": "show_masks",
    "ghost": "show_ghost",
    "labels": "show_labels",
    "lock_camera": "lock_camera",
    "magnifier": "magnifier",
    "search": "show_search",
}.items():
    _switch(_id, _name)


# --- What only a window can do --------------------------------------------------------------------------------------

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
