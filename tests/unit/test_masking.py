from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_fakes import HEIGHT, WIDTH, FakeTrackers, square, write_clip

from app.model.masks import Mask
from app.model.tracks import Source
from app.session import Mode, Session, SessionError
from app.settings import Settings
from app.work import masking
from app.work.painting import MaskTool
from tracker.api import Box, MaskPatch

SIZE = (40, 30)
points = st.lists(st.tuples(st.floats(-5, 45), st.floats(-5, 35)), min_size=1, max_size=6)
radii = st.floats(0.5, 9)


@given(points, radii)
def test_what_the_brush_paints_the_eraser_takes_away(line, radius) -> None:
    painted = masking.brushed(None, SIZE, line, radius)
    assert masking.brushed(painted, SIZE, line, radius, erase=True) is None


@given(points, points, radii)
def test_the_brush_only_adds_and_the_eraser_only_takes(first, second, radius) -> None:
    before = masking.brushed(None, SIZE, first, radius)
    if before is None:
        return
    more = masking.brushed(before, SIZE, second, radius)
    less = masking.brushed(before, SIZE, second, radius, erase=True)
    assert more is not None
    assert (more.decode() >= before.decode()).all()
    assert less is None or (less.decode() <= before.decode()).all()


def test_a_dab_is_a_disc_about_its_point() -> None:
    mask = masking.brushed(None, SIZE, [(20.5, 15.5)], 5)
    assert mask is not None
    ys, xs = np.nonzero(mask.decode())
    far = np.hypot(xs - 20, ys - 15)
    assert far.max() <= 5.75
    inside = np.hypot(*np.meshgrid(np.arange(40) - 20, np.arange(30) - 15)) <= 4
    assert mask.decode()[inside].all()


def test_a_polygon_is_filled_and_cut_out() -> None:
    square_ = [(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)]
    mask = masking.polygon(None, SIZE, square_)
    assert mask is not None
    assert mask.decode()[15, 15]
    assert mask.area == 100
    assert masking.polygon(mask, SIZE, square_, erase=True) is None
    assert masking.polygon(mask, SIZE, square_[:2]) == mask


def test_fill_closes_a_hole_keeps_the_ground_and_removes_a_part() -> None:
    bits = np.zeros((30, 40), bool)
    bits[5:15, 5:15] = True
    bits[8:12, 8:12] = False
    bits[20:25, 20:25] = True
    ring = Mask.encode(bits)
    closed = masking.filled(ring, SIZE, (10, 10))
    assert closed is not None
    assert closed.area == ring.area + 16
    assert masking.filled(ring, SIZE, (1, 1)) == ring
    alone = masking.filled(ring, SIZE, (6, 6), erase=True)
    assert alone is not None
    assert alone.box == Box(20, 20, 5, 5)
    assert masking.filled(ring, SIZE, (-3, 99)) == ring


def test_the_mask_of_a_box_has_that_box() -> None:
    assert masking.of_box(Box(3, 4, 10, 8), SIZE).box == Box(3, 4, 10, 8)  # type: ignore[union-attr]
    assert masking.of_box(Box(100, 4, 10, 8), SIZE) is None


class Cutting(FakeTrackers):
    """Trackers that also draw the mask in a box: all of it but its first row."""

    def __call__(self, name, device, **options):
        tracker = super().__call__(name, device, **options)

        def segment(image, box):
            x, y, w, h = (round(v) for v in box)
            bits = np.ones((h, w), bool)
            bits[0] = False
            return MaskPatch(x, y, bits)

        tracker.segment = segment  # type: ignore[attr-defined]
        return tracker


@pytest.fixture
def session(tmp_path):
    session = Session(Settings(tracker="fake"), create_tracker=Cutting())
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    while session.shown is None:
        time.sleep(0.005)
        session.pump()
    session.add_object(square(0))
    yield session
    session.close(discard=True)


def test_a_stroke_is_a_manual_keyframe_and_one_step(session) -> None:
    session.begin_masking()
    assert (session.mode, session.scope) == (Mode.MASKING, "mask")
    session.brush([(10, 25), (14, 25)])
    here = session.here
    assert (here.source, here.keyframe, here.box) == (Source.MANUAL, True, square(0))
    assert here.mask.decode()[25, 12]
    session.undo()
    assert session.here.mask is None
    session.escape()
    assert session.mask_tool is None


def test_the_box_comes_from_the_mask_and_the_mask_from_the_box(session) -> None:
    session.mask_from_box()
    assert session.here.mask.box == square(0)
    session.begin_masking(MaskTool.BRUSH)
    session.brush([(40, 40)])
    session.box_from_mask()
    assert session.here.box == session.here.mask.box
    session.remove_mask()
    assert session.here.mask is None
    with pytest.raises(SessionError, match="has no mask"):
        session.box_from_mask()


def test_erasing_all_of_an_object_that_had_only_a_mask_forgets_the_frame(session) -> None:
    session.delete_box()
    session.begin_masking()
    session.brush([(40, 40)])
    assert session.here.box is not None
    session.change_settings(brush=200)
    session.brush([(40, 40)], erase=True)
    assert session.here.mask is None


def test_the_tracker_draws_the_mask_in_an_edited_box(session) -> None:
    session.set_box(Box(20, 10, 12, 10))
    session.wait(session.refine_mask())
    assert session.here.mask.box == Box(20, 11, 12, 9)
    assert (session.document.video.width, session.document.video.height) == (WIDTH, HEIGHT)


def test_a_change_by_hand_meanwhile_wins_over_the_tracker(session) -> None:
    job = session.refine_mask()
    session.set_box(Box(20, 10, 12, 10))
    session.wait(job)
    assert session.here.mask is None
