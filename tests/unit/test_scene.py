from __future__ import annotations

import numpy as np
import pytest

from app.model.document import Document
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track
from app.scene import Dash, Ghost, Grip, Heat, Label, MaskFill, Missing, Rect, SearchRegion, grips, mode_line, scene
from app.session import LiveItem, Mode, RunStatus, Status
from app.settings import Settings
from app.work.run import Phase
from tracker.api import Box, Crop, HeatMap, MaskPatch, Prediction, Verdict

PLAIN = Settings(show_labels=False, show_search=False, heat_kind="off")
BITS = np.zeros((20, 30), bool)
BITS[4:9, 6:16] = True
BOX = Box(5, 5, 10, 8)


def document(**tracks: dict[int, Observation]) -> Document:
    made = {int(name[1:]): frames for name, frames in tracks.items()}
    return Document(tracks={id_: Track(id_, f"label{id_}", f"#00000{id_}", frames=f) for id_, f in made.items()})


def live(frame: int = 3, track: int = 1, image: object = "picture", **more: object) -> LiveItem:
    values: dict[str, object] = {"box": Box(1, 2, 3, 4), "score": 0.5} | more
    return LiveItem(1, track, frame, Prediction(**values), image)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "dash"),
    [
        (Source.MANUAL, Dash.SOLID),
        (Source.TRACKER, Dash.DASHED),
        (Source.INTERPOLATED, Dash.DOTTED),
        (Source.IMPORTED, Dash.DOTTED),
    ],
)
def test_the_line_says_where_a_box_comes_from(source: Source, dash: Dash):
    doc = document(t1={3: Observation(box=BOX, source=source)})
    assert scene(doc, 3, (), None, PLAIN) == (Rect(BOX, "#000001", dash, 1),)


def test_other_frames_and_hidden_tracks_are_not_drawn():
    doc = document(t1={3: Observation(box=BOX)}, t2={3: Observation(box=BOX)})
    doc.tracks[2].visible = False
    assert scene(doc, 4, (), None, PLAIN) == ()
    assert [p.track for p in scene(doc, 3, (), None, PLAIN)] == [1]  # type: ignore[union-attr]


def test_the_selected_track_lies_on_top_and_has_handles():
    doc = document(t1={3: Observation(box=BOX)}, t2={3: Observation(box=BOX)})
    shapes = scene(doc, 3, {1}, None, PLAIN)
    assert shapes[:2] == (Rect(BOX, "#000002", Dash.SOLID, 2), Rect(BOX, "#000001", Dash.SOLID, 1, selected=True))
    assert shapes[2:] == grips(BOX, 1)
    assert not [s for s in scene(doc, 3, {1, 2}, None, PLAIN) if isinstance(s, Grip)], "several selected: no handles"


def test_handles_lie_on_the_box():
    at = {g.handle: (g.x, g.y) for g in grips(BOX, 1)}
    assert at["nw"] == (5, 5)
    assert at["se"] == (15, 13)
    assert at["n"] == (10, 5)
    assert at["w"] == (5, 9)
    assert len(at) == 8


def test_labels_name_the_track_its_score_and_its_state():
    doc = document(
        t1={3: Observation(box=BOX, source=Source.TRACKER, score=0.876)},
        t2={3: Observation(box=BOX, state=State.OCCLUDED)},
    )
    shapes = scene(doc, 3, (), None, Settings(show_search=False))
    assert [s.text for s in shapes if isinstance(s, Label)] == ["label1 1 · 0.88", "label2 2 · occluded"]
    assert [s.occluded for s in shapes if isinstance(s, Rect)] == [False, True]


@pytest.mark.parametrize("state", [State.LOST, State.OUT_OF_VIEW])
def test_a_track_that_is_not_seen_is_marked_where_it_was_last(state: State):
    doc = document(t1={1: Observation(box=BOX), 3: Observation(source=Source.TRACKER, state=state, score=0.12)})
    (shape,) = scene(doc, 3, {1}, None, PLAIN)
    words = "lost" if state is State.LOST else "out of view"
    assert shape == Missing(BOX, f"{words} (score 0.12)", "#000001", 1, selected=True)
    (shape,) = scene(document(t1={3: Observation(state=state)}), 3, (), None, PLAIN)
    assert shape == Missing(None, words, "#000001", 1)


def test_masks_lie_under_boxes_as_the_smallest_patch():
    doc = document(t1={3: Observation(box=BOX, mask=Mask.encode(BITS))})
    fill, rect = scene(doc, 3, (), None, PLAIN)
    assert isinstance(rect, Rect)
    assert isinstance(fill, MaskFill)
    assert (fill.patch.x, fill.patch.y, fill.patch.bits.shape, fill.opacity) == (6, 4, (5, 10), PLAIN.mask_opacity)
    assert (fill.patch.full(20, 30) == BITS).all()
    clear = scene(doc, 3, (), None, Settings(mask_opacity=0, show_labels=False))
    assert [type(s) for s in clear] == [Rect]
    empty = document(t1={3: Observation(box=BOX, mask=Mask.encode(np.zeros((20, 30), bool)))})
    assert [type(s) for s in scene(empty, 3, (), None, PLAIN)] == [Rect]


def test_the_ghost_is_the_box_of_the_frame_before():
    doc = document(t1={2: Observation(box=BOX)})
    assert scene(doc, 3, {1}, None, Settings(show_ghost=True)) == (Ghost(BOX, "#000001", 1),)
    assert scene(doc, 3, (), None, Settings(show_ghost=True)) == ()


def test_the_newest_answer_stands_for_its_track_before_the_document_has_it():
    patch = MaskPatch(1, 2, np.ones((4, 3), bool))
    doc = document(t1={3: Observation(box=BOX)})
    fill, rect = scene(doc, 3, {1}, live(mask=patch), PLAIN)
    assert isinstance(fill, MaskFill)
    assert fill.patch is patch
    assert rect == Rect(Box(1, 2, 3, 4), "#000001", Dash.DASHED, 1, selected=True, live=True)
    (shape,) = scene(document(t1={}), 3, (), live(verdict=Verdict.LOST), PLAIN)
    assert shape == Missing(None, "lost (score 0.50)", "#000001", 1)


def test_a_remembered_answer_gives_its_heat_map_but_not_its_box():
    heat = {"fused": HeatMap(np.eye(5), Box(0, 0, 9, 9))}
    doc = document(t1={3: Observation(box=BOX)})
    shapes = scene(doc, 3, (), live(image=None, heat=heat), Settings(show_labels=False))
    assert shapes[0] == Heat(heat["fused"].values, Box(0, 0, 9, 9), "fused", 0.5)
    assert shapes[1] == Rect(BOX, "#000001", Dash.SOLID, 1)


def test_an_answer_of_another_frame_is_not_drawn():
    assert scene(document(t1={}), 4, (), live(frame=3), Settings()) == ()


def test_heat_map_and_search_region_follow_the_settings():
    heat = {kind: HeatMap(np.eye(5), Box(0, 0, 9, 9)) for kind in ("fused", "attention")}
    item = live(heat=heat, crop=Crop(Box(-3, -3, 15, 15), 255))
    doc = document(t1={})
    shapes = scene(doc, 3, (), item, Settings(heat_kind="attention", heat_opacity=0.8, show_labels=False))
    assert [type(s) for s in shapes] == [Heat, SearchRegion, Rect]
    assert isinstance(shapes[0], Heat)
    assert (shapes[0].kind, shapes[0].opacity) == ("attention", 0.8)
    assert shapes[1] == SearchRegion(Box(-3, -3, 15, 15), "#000001")
    missing_kind = scene(doc, 3, (), item, Settings(heat_kind="mask", show_search=False, show_labels=False))
    assert [type(s) for s in missing_kind] == [Rect]


def run_status(phase: Phase = Phase.TRACKING, step: int = 1) -> RunStatus:
    return RunStatus(1, 1, 0, 12, 100, step, "t", "cpu", phase, 12, 99, 61.4, 0.876)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(Mode.EMPTY), ["Nothing is open", "Ctrl+O"]),
        (Status(Mode.OPENING, opening="Opening a.mp4…"), ["Opening a.mp4…"]),
        (Status(Mode.IDLE), ["N draws", "F1"]),
        (Status(Mode.IDLE, selected="cat", has_box=True), ["cat", "T tracks forward", "Esc lets go"]),
        (Status(Mode.IDLE, selected="cat"), ["no box here", "Shift+N", "T goes on"]),
        (Status(Mode.DRAWING), ["drag a box", "Esc cancels"]),
        (Status(Mode.DRAWING, redraw=True, selected="cat"), ["new box for cat", "Esc cancels"]),
        (Status(Mode.PLAYING), ["Playing", "Space"]),
        (Status(Mode.TRACKING), ["loading", "Esc stops"]),
        (Status(Mode.TRACKING, run=run_status(Phase.LOADING)), ["loading", "Esc stops"]),
        (Status(Mode.TRACKING, run=run_status(Phase.STOPPING)), ["stopping"]),
        (Status(Mode.TRACKING, run=run_status()), ["forward", "frame 12", "61 fps", "score 0.88", "Esc stops"]),
        (Status(Mode.TRACKING, run=run_status(step=-1)), ["backward"]),
    ],
)
def test_the_status_line_says_the_mode_and_how_to_leave_it(status: Status, words: list[str]):
    line = mode_line(status)
    assert all(word in line for word in words), line
