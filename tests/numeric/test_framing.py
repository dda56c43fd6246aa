"""The size of a box is put right by what fills it: pixels, the fit, and what it does to a target."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import crops
from tracker.api import Box, Verdict
from tracker.config import NetConfig, TrackConfig
from tracker.inference import framing
from tracker.inference.engine import cosine
from tracker.inference.load import create
from tracker.inference.siamese import SiameseTracker

NET, CONFIG = NetConfig(), TrackConfig()
FILL = np.array([10, 20, 30], np.uint8)


@pytest.fixture(scope="module")
def shipped() -> SiameseTracker:
    return create("cpu", name="siamatt-mobile", engine="torch")


def scene(box: Box, height: int = 360, width: int = 480) -> np.ndarray:
    """A striped, bordered target on quiet ground."""
    image = cv2.GaussianBlur(np.random.default_rng(3).integers(90, 140, (height, width, 3), np.uint8), (0, 0), 4)
    x1, y1, x2, y2 = (round(v) for v in (box.x, box.y, box.x2, box.y2))
    image[y1:y2, x1:x2] = (40, 60, 220)
    for part in range(3):
        y = y1 + round((y2 - y1) * (0.15 + 0.25 * part))
        image[y : y + max(2, round((y2 - y1) * 0.1)), x1:x2] = (230, 230, 30 + 90 * part)
    cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), (10, 10, 10), 3)
    return image


@given(st.floats(-80, 400), st.floats(-80, 300), st.floats(3, 500), st.floats(3, 500))
def test_a_stretched_region_shows_what_lies_in_it(x: float, y: float, w: float, h: float) -> None:
    image = np.empty((300, 400, 3), np.uint8)
    image[..., 0] = (np.arange(400) * 255 / 400)[None]
    image[..., 1] = (np.arange(300) * 255 / 300)[:, None]
    image[..., 2] = 200
    out = crops.stretched(image, Box(x, y, w, h), 127, FILL)
    assert out.shape == (127, 127, 3)
    steps = (np.arange(127) + 0.5) / 127
    across, down = x + steps * w, y + steps * h
    reach = 2 + max(w, h) / 127  # a border is as soft as the averaging
    inside = np.ix_((down > reach) & (down < 300 - reach), (across > reach) & (across < 400 - reach))
    wanted = np.stack(np.meshgrid(across * 255 / 400, down * 255 / 300), -1)
    if out[inside].size:
        assert np.abs(out[inside][..., :2] - (wanted[inside] - 0.4)).max() < 3 + reach
        assert (out[inside][..., 2] == 200).all()
    off = np.ix_((down < -reach) | (down > 300 + reach), np.full(127, True))
    assert (out[off] == FILL).all()


def test_a_region_beside_the_picture_is_its_mean_colour() -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    assert (crops.stretched(image, Box(100, 10, 20, 20), 31, FILL) == FILL).all()
    assert (crops.stretched(image, Box(10, -90, 20, 20), 31, FILL) == FILL).all()


def test_the_view_of_the_marked_box_is_its_exemplar() -> None:
    box = Box(150, 100, 90, 60)
    image = scene(box)
    side = math.sqrt((90 + 75) * (60 + 75))
    exemplar, _ = crops.cut(image, box.cx, box.cy, side, NET.exemplar, FILL)
    view = framing.views(image, box, framing.extent(box, NET, CONFIG), NET, FILL)[0]
    assert np.abs(view.astype(int) - exemplar).mean() < 8, "but for the snapping to whole pixels"


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0.01, 0.2))
def test_the_fit_finds_the_summit_of_a_parabola(x: float, y: float, bend: float) -> None:
    def height(dw: float, dh: float) -> float:
        return 0.95 - bend * ((dw / framing.STEP - x) ** 2 + (dh / framing.STEP - y) ** 2) * 0.01

    dw, dh = framing.change(np.array([height(*move) for move in framing.MOVES]))
    assert dw == pytest.approx(min(max(x, -1), 1) * framing.STEP, abs=1e-6)
    assert dh == pytest.approx(min(max(y, -1), 1) * framing.STEP, abs=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=5))
def test_a_change_is_bounded_and_little_likeness_changes_nothing(values: list[float]) -> None:
    dw, dh = framing.change(np.array(values))
    assert abs(dw) <= framing.STEP
    assert abs(dh) <= framing.STEP
    assert framing.change(np.array(values) * 0.7) == (0, 0)


def test_likeness_is_a_cosine() -> None:
    rows = np.random.default_rng(0).normal(size=(4, 3, 5, 5))
    assert cosine(rows, rows[1:2] * 3)[1] == pytest.approx(1)
    assert cosine(-rows, rows[:1])[0] == pytest.approx(-1)
    assert (cosine(np.zeros_like(rows), rows[:1]) == 0).all()


@pytest.mark.parametrize(("wide", "high"), [(1.25, 1.0), (1.0, 1.3), (0.8, 0.8), (1.2, 0.85)])
def test_a_wrong_size_goes_back_to_what_was_marked(shipped: SiameseTracker, wide: float, high: float) -> None:
    box = Box(200, 130, 80, 60)
    image = scene(box)
    target = shipped.start(image, box)
    target.box = Box.from_centre(box.cx, box.cy, box.w * wide, box.h * high)
    for _ in range(12):
        target.reframe(image, Verdict.TRACKED)
    assert target.box.w == pytest.approx(box.w, rel=0.09)
    assert target.box.h == pytest.approx(box.h, rel=0.09)
    assert (target.box.cx, target.box.cy) == pytest.approx((box.cx, box.cy))


def test_a_corrected_size_is_the_one_that_is_kept(shipped: SiameseTracker) -> None:
    face, head = Box(210, 140, 60, 50), Box(200, 130, 80, 60)
    image = scene(head)
    target = shipped.start(image, face)
    target.correct(image, head)
    for _ in range(6):
        target.reframe(image, Verdict.TRACKED)
    assert (target.box.w, target.box.h) == pytest.approx((head.w, head.h), rel=0.15)


def test_sizes_are_left_alone_where_they_say_nothing(shipped: SiameseTracker) -> None:
    box = Box(200, 130, 80, 60)
    image = scene(box)
    target = shipped.start(image, box)
    for verdict, wrong in ((Verdict.LOST, Box(190, 120, 100, 80)), (Verdict.TRACKED, Box(0, 120, 100, 80))):
        target.box = wrong
        target.reframe(image, verdict)
        assert target.box == wrong, "lost, or cut by the border"
    target.box = Box(20, 20, 100, 80)
    target.reframe(image, Verdict.TRACKED)
    assert target.box == Box(20, 20, 100, 80), "nothing there is like the template"


def test_it_can_be_switched_off_and_the_papers_trackers_have_none() -> None:
    from tracker.zoo import ZOO

    for name, published in ZOO.items():
        for config in published.profiles.values():
            assert (config.framing > 0) == (name == "siamatt-mobile"), name
    tracker = create("cpu", name="siamatt-mobile", untrained=True, engine="torch", framing=0.0)
    target = tracker.start(scene(Box(200, 130, 80, 60)), Box(200, 130, 80, 60))
    tracker.engine.alike = None  # type: ignore[assignment,method-assign]
    target.step(scene(Box(200, 130, 80, 60)))
