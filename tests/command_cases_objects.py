"""What the commands about objects, masks and labels do; see `command_world`."""

from __future__ import annotations

import json

from command_world import BOX, LABELS, Case, World, case
from session_fakes import FRAMES

from app.model.document import Attribute, AttributeKind, Label
from app.model.tracks import Source, State
from app.session import Mode
from app.settings import Settings
from app.work.painting import MaskTool
from tracker.api import Box

# --- Object -----------------------------------------------------------------------------------------------------------


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


# --- Mask -------------------------------------------------------------------------------------------------------------


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


# --- Label ------------------------------------------------------------------------------------------------------------


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
