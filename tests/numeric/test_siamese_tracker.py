"""The embedded tracker behind its door: with small untrained weights where behaviour is meant, with the shipped ones
where quality is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tracker import checkpoint, registry
from tracker.api import Box, HasExemplar, HeatMap, OutOfDeviceMemory, Segments, Teachable, TrackerError, Verdict
from tracker.config import NetConfig
from tracker.inference import engine as engines
from tracker.inference.device import pick_device
from tracker.inference.load import create
from tracker.inference.masks import draw_mask
from tracker.inference.siamese import SiameseTracker
from tracker.inference.target import TaughtTarget
from tracker.models.siamatt_mobile import SiamAttMobile


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> SiameseTracker:
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    config = NetConfig(channels=8)
    checkpoint.save(SiamAttMobile(config), path, config, {})
    return create("cpu", name="siamatt-mobile", weights=path, engine="torch")


def picture(seed: int = 0, height: int = 180, width: int = 240) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_prediction_holds_what_people_look_at(untrained: SiameseTracker) -> None:
    image = picture()
    before = image.copy()
    image.flags.writeable = False
    target = untrained.start(image, Box(80, 60, 50, 40))
    assert isinstance(target, HasExemplar)
    assert target.exemplar.pixels.shape == (127, 127, 3)
    prediction = target.step(image)
    assert np.array_equal(image, before)
    assert set(prediction.heat) >= {"classification", "attention", "fused"}
    for heat in prediction.heat.values():
        assert heat.values.min() >= 0
        assert heat.values.max() <= 1
    assert prediction.crop is not None
    assert prediction.search is not None
    assert prediction.search.shape == (255, 255, 3)
    assert all(np.isfinite(v) for v in prediction.signals.values())
    best, second = prediction.peaks
    assert (best.height, second.height) == (1.0, prediction.signals["second_peak"])
    rect = prediction.heat["fused"].rect
    assert all(rect.x <= peak.x <= rect.x2 and rect.y <= peak.y <= rect.y2 for peak in prediction.peaks)


def test_heat_maps_lie_centred_on_the_search_region(untrained: SiameseTracker) -> None:
    prediction = untrained.start(picture(), Box(80, 60, 50, 40)).step(picture())
    rect, crop = prediction.heat["fused"].rect, prediction.crop
    assert crop is not None
    assert (rect.cx, rect.cy) == pytest.approx((crop.rect.cx, crop.rect.cy))
    assert rect.w == pytest.approx(crop.rect.w * 200 / 255)


def test_the_mask_branch_runs_only_when_asked(untrained: SiameseTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    target = untrained.start(picture(), Box(80, 60, 50, 40))
    monkeypatch.setattr(untrained.engine, "draw", lambda *_: pytest.fail("the mask branch ran"))
    assert target.step(picture(), want_mask=False).mask is None


@pytest.mark.parametrize("box", [(5, 5, 0, 10), (5, 5, 10, -1), (500, 5, 10, 10), (0, 0, float("nan"), 3)])
def test_impossible_boxes_are_refused_in_words(untrained: SiameseTracker, box: tuple) -> None:
    with pytest.raises(TrackerError, match="Draw"):
        untrained.start(picture(), Box(*box))


@pytest.mark.parametrize("box", [(-20, -20, 30, 30), (235, 170, 60, 60), (10, 10, 1, 1), (0, 0, 240, 180)])
def test_boxes_at_the_border_tiny_or_huge_are_followed(untrained: SiameseTracker, box: tuple) -> None:
    target = untrained.start(picture(), Box(*box))
    for seed in range(3):
        found = target.step(picture(seed)).box
        assert all(np.isfinite(found))
        assert 0 <= found.cx <= 240
        assert 0 <= found.cy <= 180


def test_targets_of_one_tracker_do_not_disturb_each_other(untrained: SiameseTracker) -> None:
    alone = untrained.start(picture(), Box(80, 60, 50, 40))
    expected = [alone.step(picture(s)).box for s in range(3)]
    one, two = untrained.start(picture(), Box(80, 60, 50, 40)), untrained.start(picture(), Box(20, 90, 30, 60))
    seen = []
    for s in range(3):
        seen.append(one.step(picture(s)).box)
        two.step(picture(s))
    assert seen == expected


def test_a_batch_of_targets_answers_as_each_alone(untrained: SiameseTracker) -> None:
    spots = [Box(80, 60, 50, 40), Box(20, 90, 30, 60), Box(150, 20, 25, 25)] * 3
    alone = [untrained.start(picture(), box) for box in spots[:8]]
    together = [untrained.start(picture(), box) for box in spots[:8]]
    for seed in range(2):
        expected = [target.step(picture(seed)) for target in alone]
        found = untrained.step(picture(seed), together)
        for one, other in zip(expected, found, strict=True):
            assert other.box == pytest.approx(one.box, abs=1e-3)
            assert other.verdict is one.verdict
            assert np.allclose(other.heat["fused"].values, one.heat["fused"].values, atol=1e-5)
            assert np.allclose(other.heat["mask"].values, one.heat["mask"].values, atol=1e-5)


def test_targets_of_another_tracker_are_refused(untrained: SiameseTracker) -> None:
    other = create("cpu", name="siamatt-mobile", untrained=True)
    assert other.name == "siamatt-mobile (untrained)"
    with pytest.raises(TrackerError, match="own targets"):
        untrained.step(picture(), [other.start(picture(), Box(80, 60, 50, 40))])


def test_a_mask_is_drawn_where_its_heat_lies() -> None:
    values = np.zeros((63, 63), np.float32)
    values[10:20, 30:50] = 1
    heat = HeatMap(values, Box(40, 20, 126, 126))
    patch = draw_mask(heat, 200, 300, 0.5)
    full = patch.full(200, 300)
    rows, columns = np.nonzero(full)
    assert (rows.min(), rows.max() + 1) == (40, 60)
    assert (columns.min(), columns.max() + 1) == (100, 140)
    nothing = draw_mask(HeatMap(values, Box(-500, 0, 126, 126)), 200, 300, 0.5)
    assert nothing.full(200, 300).sum() == 0


def test_a_full_device_is_said_so(untrained: SiameseTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    target = untrained.start(picture(), Box(80, 60, 50, 40))

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(untrained.engine.net, "match", full)
    with pytest.raises(OutOfDeviceMemory, match="CPU"):
        target.step(picture())


def test_weights_that_do_not_fit_on_the_device_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engines, "fuse", full)
    with pytest.raises(OutOfDeviceMemory, match="CPU"):
        registry.create("default", "cpu")


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(TrackerError, match="auto"):
        pick_device("tpu")
    assert pick_device("auto") in ("cpu", "cuda", "mps")


def test_missing_weights_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match=r"absent\.safetensors"):
        create("cpu", name="siamatt-mobile", weights=tmp_path / "absent.safetensors")


def textured(seed: int, height: int, width: int) -> np.ndarray:
    """Smooth random texture, which a network trained on pictures can tell apart."""
    import cv2

    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.GaussianBlur(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), (0, 0), 1.5)


def test_the_shipped_weights_follow_a_patch_over_texture() -> None:
    tracker = registry.create("siamatt-mobile", "cpu")
    background, patch = textured(1, 240, 320), textured(9, 48, 56)
    places = [(60 + 4 * i, 80 + 2 * i) for i in range(20)]

    def frame(x: int, y: int) -> np.ndarray:
        image = background.copy()
        image[y : y + 48, x : x + 56] = patch
        return image

    target = tracker.start(frame(*places[0]), Box(*places[0], 56, 48))
    overlaps = []
    for x, y in places[1:]:
        b = target.step(frame(x, y), want_mask=False).box
        inter = max(0, min(b.x2, x + 56) - max(b.x, x)) * max(0, min(b.y2, y + 48) - max(b.y, y))
        overlaps.append(inter / (b.area + 56 * 48 - inter))
    assert np.mean(overlaps) > 0.6
    assert overlaps[-1] > 0.5


def test_a_lost_target_is_sought_around_its_last_place_and_taken_up_again(
    untrained: SiameseTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(untrained.config, online_weight=0.0, calibration=0.0)
    target = SiameseTracker("plain", untrained.engine, plain).start(picture(), Box(100, 70, 40, 40))
    sure = False
    real = engines.foreground
    monkeypatch.setattr(engines, "foreground", lambda cls: real(cls) * 0 + (0.99 if sure else 0.0))
    verdicts = [target.step(picture(), want_mask=False).verdict for _ in range(16)]
    assert verdicts[-1] is Verdict.LOST
    kept = target.box
    assert target.step(picture(), want_mask=False).box == kept
    sure = True
    assert target.step(picture(), want_mask=False).verdict is not Verdict.LOST
    assert target.lost == 0
    assert target.box != kept, "it was seen elsewhere first"


def test_the_mask_of_a_box_needs_no_track(untrained: SiameseTracker) -> None:
    assert isinstance(untrained, Segments)
    image = picture()
    mask = untrained.segment(image, Box(200, 150, 50, 40))
    assert mask is not None
    assert mask.full(*image.shape[:2]).shape == image.shape[:2]
    with pytest.raises(TrackerError, match="Draw"):
        untrained.segment(image, Box(5, 5, 0, 10))


def test_the_embedded_tracker_learns_from_corrections_and_the_papers_do_not(untrained: SiameseTracker) -> None:
    image = picture(3)
    target = untrained.start(picture(), Box(80, 60, 50, 40))
    assert isinstance(target, Teachable)
    target.step(picture(1))
    assert target.online is not None
    before, exemplar = target.online.respond(np.ones((8, 31, 31), np.float32)).copy(), target.exemplar
    target.correct(image, Box(150, 90, 30, 36))
    assert target.box == Box(150, 90, 30, 36)
    assert target.exemplar is exemplar  # what it was started from is remembered
    assert not np.array_equal(before, target.online.respond(np.ones((8, 31, 31), np.float32)))
    assert target.step(image).crop is not None
    plain = create("cpu", name="siamatt-mobile", untrained=True, engine="torch", online_weight=0.0)
    assert not isinstance(plain.start(image, Box(80, 60, 50, 40)), Teachable)


def test_sizes_change_more_slowly_after_a_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both targets see the same picture from the same box; the network's answer does not depend on the rate."""
    changes = []
    for rate in (1.0, 0.5, 0.0):
        tracker = create("cpu", name="siamatt-mobile", untrained=True, engine="torch", framing=0.0, corrected_rate=rate)
        monkeypatch.setattr(tracker.engine, "masks", "")
        target = tracker.start(picture(), Box(80, 60, 50, 40))
        assert isinstance(target, TaughtTarget)
        target.correct(picture(), Box(80, 60, 50, 40))
        target.monitor.confidence = 1.0
        monkeypatch.setattr(target.monitor, "judge", lambda *_: (Verdict.TRACKED, "", {"confidence": 1.0}))
        box = target.step(picture(1), want_mask=False).box
        changes.append((box.w - 50, box.h - 40))
    (w, h), half, none = changes
    assert abs(w) > 0.01
    assert half == pytest.approx((w / 2, h / 2), rel=1e-3, abs=1e-6)
    assert none == pytest.approx((0, 0), abs=1e-9)


def test_a_correction_counts_for_targets_that_are_stepped_together(untrained: SiameseTracker) -> None:
    first, second = (untrained.start(picture(), Box(x, 60, 50, 40)) for x in (40, 120))
    untrained.step(picture(1), [first, second])
    assert isinstance(first, Teachable)
    first.correct(picture(2), Box(60, 70, 40, 40))
    alone = untrained.start(picture(), Box(40, 60, 50, 40))
    untrained.step(picture(1), [alone])
    assert isinstance(alone, Teachable)
    alone.correct(picture(2), Box(60, 70, 40, 40))
    together = untrained.step(picture(3), [first, second])[0]
    assert together.box == pytest.approx(untrained.step(picture(3), [alone])[0].box, abs=1e-3)


@pytest.mark.parametrize("box", [(5, 5, 0, 10), (500, 5, 10, 10)])
def test_an_impossible_correction_is_refused_and_changes_nothing(untrained: SiameseTracker, box: tuple) -> None:
    target = untrained.start(picture(), Box(80, 60, 50, 40))
    assert isinstance(target, Teachable)
    with pytest.raises(TrackerError, match="Draw"):
        target.correct(picture(), Box(*box))
    assert target.box == Box(80, 60, 50, 40)
