from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import registry
from tracker.api import Box, TrackerError, Verdict
from tracker.boxes import iou
from tracker.inference.opencv import OpenCvTarget, whole_pixels

HEIGHT, WIDTH = 120, 160


def scene(left: int, top: int) -> np.ndarray:
    """A textured 24 x 20 object on a smooth background."""
    rng = np.random.default_rng(3)
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    image[:, :, 0] += np.linspace(0, 60, WIDTH, dtype=np.uint8)
    patch = cv2.resize(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8), (24, 20), interpolation=cv2.INTER_NEAREST)
    image[top : top + 20, left : left + 24] = patch
    return image


@pytest.mark.parametrize("name", ["opencv-kcf", "opencv-csrt"])
def test_a_moving_object_is_followed(name):
    tracker = registry.create(name)
    first = scene(40, 50)
    first.setflags(write=False)
    target = tracker.start(first, Box(40, 50, 24, 20))
    for step in range(1, 8):
        image = scene(40 + 2 * step, 50 - step)
        image.setflags(write=False)  # frames come read-only from the cache
        prediction = target.step(image)
        assert prediction.verdict is Verdict.TRACKED
        assert iou(np.array(prediction.box), np.array((40 + 2 * step, 50 - step, 24, 20))) > 0.6
        assert prediction.score == 1.0
        assert prediction.mask is None


def test_a_view_with_strides_is_accepted():
    wide = np.repeat(scene(40, 50), 2, axis=1)[:, ::2]
    assert not wide.flags.c_contiguous
    assert registry.create("opencv-kcf").start(wide, Box(40, 50, 24, 20)).step(wide).box == Box(40, 50, 24, 20)


def test_kcf_says_lost_and_keeps_the_last_box():
    target = registry.create("opencv-kcf").start(scene(40, 50), Box(40, 50, 24, 20))
    noise = np.random.default_rng(5).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    target.step(scene(40, 50))  # OpenCV's KCF only learns in its first update, it does not search
    prediction = target.step(noise)
    assert prediction.verdict is Verdict.LOST
    assert prediction.box == Box(40, 50, 24, 20)
    assert (prediction.score, bool(prediction.reason)) == (0.0, True)


@pytest.mark.parametrize("name", ["opencv-kcf", "opencv-csrt"])
@pytest.mark.parametrize("box", [(10, 10, 0, 5), (10, 10, float("nan"), 5), (-30, 0, 20, 20), (160, 10, 20, 20)])
def test_a_box_that_holds_nothing_is_refused_in_words(name, box):
    with pytest.raises(TrackerError, match="box"):
        registry.create(name).start(scene(40, 50), Box(*box))


def test_what_opencv_cannot_start_on_becomes_a_sentence():
    class Refusing:
        def init(self, image, rect):
            raise cv2.error("too\n small")

    with pytest.raises(TrackerError, match="peer cannot start on the box 1, 2, 3, 4: too small"):
        OpenCvTarget(Refusing(), "peer", scene(40, 50), Box(1, 2, 3, 4))


def test_missing_nanotrack_files_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv(registry.NANOTRACK_ENV, raising=False)
    with pytest.raises(TrackerError, match=r"nanotrack_v2_backbone\.onnx.*--nanotrack-dir"):
        registry.create("opencv-nano")
    (tmp_path / "nanotrack_v2_backbone.onnx").touch()
    monkeypatch.setenv(registry.NANOTRACK_ENV, str(tmp_path))
    with pytest.raises(TrackerError, match=r"does not hold nanotrack_v2_head\.onnx"):
        registry.create("opencv-nano")


def test_unreadable_nanotrack_files_are_a_sentence(tmp_path):
    for name in registry.NANOTRACK_FILES:
        (tmp_path / name).write_bytes(b"not a network")
    tracker = registry.create("opencv-nano", nanotrack_dir=tmp_path)
    with pytest.raises(TrackerError, match="cannot read"):
        tracker.start(scene(40, 50), Box(40, 50, 24, 20))


@given(st.floats(-50, 200), st.floats(-50, 200), st.floats(0.01, 200), st.floats(0.01, 200))
def test_whole_pixels_stay_in_the_image_and_near_the_box(x, y, w, h):
    box = Box(x, y, w, h)
    try:
        left, top, width, height = whole_pixels(box, HEIGHT, WIDTH)
    except TrackerError:
        inside_w = min(box.x2, WIDTH) - max(box.x, 0)
        inside_h = min(box.y2, HEIGHT) - max(box.y, 0)
        assert inside_w <= 0.5 or inside_h <= 0.5
        return
    assert 0 <= left < left + width <= WIDTH
    assert 0 <= top < top + height <= HEIGHT
    assert abs(left - max(box.x, 0)) <= 0.5
    assert left + width <= max(min(box.x2, WIDTH) + 0.5, left + 1)
