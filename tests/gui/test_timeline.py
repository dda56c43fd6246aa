"""The timeline's arrays and its widgets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.gui.application import prepare
from app.gui.lane_view import GUTTER, gutter_point
from app.gui.panels.transport import clock
from app.gui.span import Span
from app.gui.timeline import Timeline
from app.model.document import Change, Document
from app.model.tracks import Observation, Source, State, Track
from app.work import overview as codes
from app.work.overview import Lane, Lanes
from tracker.api import Box

BOX = Box(1, 2, 3, 4)


def track(number=1, frames=()):
    seen = Observation(box=BOX, source=Source.TRACKER, score=0.5)
    return Track(number, "car", "#ff0000", True, dict.fromkeys(frames, seen))


def test_a_single_frame_is_never_lost_in_aggregation():
    lane = Lane(100_000, track(frames=[77_777]))
    strip = lane.strip(0, 100_000, 500)
    assert strip.source.tolist().count(codes.TRACKER) == 1
    assert strip.source[int(77_777 / 200)] == codes.TRACKER


def test_the_strongest_source_and_the_worst_state_win_a_pixel():
    lane = Lane(100, track(frames=range(100)))
    lane.put(3, Observation(box=BOX, keyframe=True))
    lane.put(5, Observation(source=Source.TRACKER, state=State.LOST))
    strip = lane.strip(0, 100, 10)
    assert strip.source[0] == codes.MANUAL
    assert strip.state[0] == codes.LOST
    assert strip.keys[0]
    assert not strip.keys[1:].any()


def test_the_curve_shows_dips_and_gaps():
    lane = Lane(1000, track(frames=range(500)))
    lane.put(250, Observation(box=BOX, source=Source.TRACKER, score=0.1))
    _, score = lane.curve(0, 1000, 100)
    assert score[25] == pytest.approx(0.1, abs=0.01)
    assert score[24] == pytest.approx(0.5, abs=0.01)
    assert np.isnan(score[50:]).all()


@given(st.integers(1, 400), st.floats(0, 300), st.floats(1, 400), st.integers(1, 300), st.sets(st.integers(0, 399)))
def test_aggregation_equals_the_plain_loop(frames, start, length, pixels, known):
    known = {f for f in known if f < frames}
    lane = Lane(frames, track(frames=known))
    stop = start + length
    strip = lane.strip(start, stop, pixels)
    if length <= pixels:
        columns = range(int(np.floor(start)), int(np.ceil(stop)))
        assert [bool(v) for v in strip.source] == [f in known for f in columns]
    else:
        edges = [int(np.floor(start + length * i / pixels)) for i in range(pixels + 1)]
        for i, (a, b) in enumerate(pairwise(edges)):
            assert bool(strip.source[i]) == any(f in known for f in range(a, b))


def test_lanes_follow_changes():
    doc = Document(tracks={1: track(1, [3])})
    lanes = Lanes()
    lanes.reset(doc, 50)
    doc.tracks[1].frames[4] = Observation(box=BOX)
    assert lanes.update(doc, Change(frozenset({1}), {1: range(4, 5)})) == {1}
    assert lanes.lanes[1].summary() == (2, 3, 4)
    doc.tracks[2] = track(2, [9])
    assert lanes.update(doc, Change(frozenset({2}), {2: range(9, 10)}, structure=True)) == {2}
    del doc.tracks[1]
    assert lanes.update(doc, Change(frozenset({1}), structure=True)) == {1}
    assert list(lanes.lanes) == [2]


def test_the_span_zooms_about_a_frame_and_stays_inside():
    span = Span()
    span.reset(1000)
    span.zoom_at(300, 4)
    assert (span.stop - span.start) == pytest.approx(250)
    assert (300 - span.start) / (span.stop - span.start) == pytest.approx(0.3)
    span.pan(-10_000)
    assert span.start == 0
    assert span.reveal(900)
    assert span.start <= 900 < span.stop


@pytest.fixture
def timeline(qtbot, qapp):
    prepare(qapp)
    doc = Document(tracks={1: track(1, range(20)), 2: track(2, [5])})
    lanes = Lanes()
    lanes.reset(doc, 100)
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(GUTTER + 500, 160)
    widget.reset(doc, 100, lanes)
    widget.show()
    return widget


def test_clicks_scrub_and_pick(timeline, qtbot):
    view = timeline.lane_view
    frames: list[int] = []
    tracks: list[int] = []
    timeline.scrubbed.connect(frames.append)
    timeline.picked.connect(tracks.append)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPointF(view.x_of(42.5), 8).toPoint())
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=gutter_point(1))
    assert frames == [42]
    assert tracks == [2]


def test_a_drag_scrubs_to_the_very_ends(timeline):
    view = timeline.lane_view
    frames: list[int] = []
    timeline.scrubbed.connect(frames.append)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPointF(view.x_of(50), 8).toPoint())
    QTest.mouseMove(view, QPointF(view.width() + 50, 8).toPoint())
    QTest.mouseMove(view, QPointF(0, 8).toPoint())
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPointF(0, 8).toPoint())
    assert frames[-2:] == [99, 0]


def test_lanes_and_curve_share_their_columns(timeline):
    """The playhead must stand at the same x in both."""
    timeline.set_selected(1)
    timeline.set_frame(60)
    curve = timeline.curve
    scene_x = curve.getViewBox().mapViewToScene(curve._head.pos()).x()
    assert GUTTER + scene_x == pytest.approx(timeline.lane_view.x_of(60.5), abs=0.6)


def test_clock_reads_as_people_write_it():
    assert [clock(s) for s in (0, 61.5, 3723.25)] == ["0:00.000", "1:01.500", "1:02:03.250"]
