"""The mask branch: what it is told, what it remembers, and how its masks correct boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tracker import colours, registry
from tracker.api import Box, Crop, HeatMap
from tracker.config import NetConfig
from tracker.inference import outlines
from tracker.inference.engine import TorchEngine
from tracker.inference.load import create
from tracker.inference.siamese import SiameseTracker
from tracker.inference.target import SiameseTarget
from tracker.models.outline import CELLS, FRAMES, HINTS, KEY_CHANNELS, KEYS, SIDE, doubled, places
from tracker.models.siamatt_mobile import SiamAttMobile

NET = NetConfig(channels=8)


@pytest.fixture(scope="module")
def net() -> SiamAttMobile:
    torch.manual_seed(4)
    return SiamAttMobile(NET).eval().requires_grad_(False)


def told(n: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Crops, boxes, hints and a memory of the first of two frames."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (n, SIDE, SIDE, 3), generator=generator, dtype=torch.uint8)
    boxes = torch.tensor([[72.0, 70.0, 60.0, 50.0]]).repeat(n, 1)
    hints = torch.rand(n, HINTS, CELLS, CELLS, generator=generator)
    memory = torch.nn.functional.normalize(torch.randn(n, KEY_CHANNELS, FRAMES * KEYS**2, generator=generator), dim=1)
    memory[..., KEYS**2 :] = 0
    figure = torch.rand(n, FRAMES * KEYS**2, generator=generator)
    figure[:, KEYS**2 :] = 0
    ground = 1 - figure
    ground[:, KEYS**2 :] = 0
    return SiamAttMobile.preprocess(pixels), boxes, hints, memory, figure, ground


GOLDEN = [(-0.06390754, 0.01003263), (0.00108746, 0.14433579)]
"""Mean and standard deviation of logits and keys."""


def test_golden_masks_did_not_move(net: SiamAttMobile) -> None:
    """A seeded network's answers; they pin the branch, what it is told and in which order."""
    logits, keys = net.draw(*told(2, 0))
    assert logits.shape == (2, CELLS, CELLS)
    assert keys.shape == (2, KEY_CHANNELS, KEYS**2)
    assert torch.allclose(keys.norm(dim=1), torch.ones(2, KEYS**2), atol=1e-5)
    found = [(float(t.double().mean()), float(t.double().std())) for t in (logits, keys)]
    for numbers, golden in zip(found, GOLDEN, strict=True):
        assert numbers == pytest.approx(golden, rel=2e-3, abs=1e-5)


def test_one_mask_in_a_batch_equals_one_alone(net: SiamAttMobile) -> None:
    given = told(3, 1)
    together, _ = net.draw(*given)
    alone, _ = net.draw(*(part[1:2] for part in given))
    assert torch.allclose(together[1:2], alone, atol=1e-4, rtol=1e-4)


def test_places_are_signed_half_sizes() -> None:
    maps = places(torch.tensor([[72.0, 72.0, 36.0, 72.0]]), 72)[0]
    assert maps[0, 35, 35] == pytest.approx(-1 / 18, abs=1e-6)
    assert maps[0, 35, 0] == -2
    assert maps[1, 71, 35] == pytest.approx(2, abs=0.05)
    assert maps[2, 36, 36] > 0.99
    assert maps[2, 36, 50] < 0.1


def test_doubled_cells_lie_where_the_backbone_has_them() -> None:
    fine = doubled(torch.arange(5.0).view(1, 1, 1, 5).repeat(1, 1, 5, 1))[0, 0, 4]
    assert fine[1::2].tolist() == pytest.approx([0, 1, 2, 3, 4])
    assert fine[2::2].tolist() == pytest.approx([0.5, 1.5, 2.5, 3.5])


def test_a_memory_that_is_not_there_says_nothing(net: SiamAttMobile) -> None:
    keys = torch.nn.functional.normalize(torch.randn(1, KEY_CHANNELS, KEYS**2), dim=1)
    none = torch.zeros(1, FRAMES * KEYS**2)
    inside = (torch.arange(KEYS**2) % 2)[None].float()
    seen = net.outline.recall(keys, torch.zeros(1, KEY_CHANNELS, FRAMES * KEYS**2), none, none, inside)
    assert seen[:, :3].abs().max() == 0
    figure, ground = none.clone(), none.clone()
    figure[:, : KEYS**2], ground[:, : KEYS**2] = inside, 1 - inside
    memory = torch.cat([keys, torch.zeros_like(keys)], 2)
    share, alike, unlike, _, around = net.outline.recall(keys, memory, figure, ground, inside)[0].flatten(1)
    assert (share > 0).float().tolist() == inside[0].tolist()
    assert alike[inside[0] > 0].tolist() == pytest.approx([1.0] * (KEYS**2 // 2), abs=1e-5)
    assert torch.equal(unlike, around)


def test_colours_of_the_figure_are_told_from_those_around_it() -> None:
    picture = np.full((SIDE, SIDE, 3), (30, 120, 40), np.uint8)
    picture[40:100, 50:90] = (200, 40, 180)
    figure = (picture[..., 0] > 100).astype(np.float32)
    found = colours.likeness(picture, colours.learn(picture, figure))
    assert found.shape == (CELLS, CELLS)
    assert found[30, 35] > 0.9
    assert found[5, 5] < -0.9
    other = np.full_like(picture, (120, 200, 250))
    assert np.abs(colours.likeness(other, colours.learn(picture, figure))).max() == 0
    assert np.array_equal(colours.within(picture, (70, 70, 40, 60)), found)


def disc(cx: float, cy: float, radius: float) -> HeatMap:
    """A round mask on the cells of a crop of 288 image pixels at (100, 50)."""
    y, x = np.mgrid[:CELLS, :CELLS]
    far = np.hypot(100 + (x + 0.5) * 4 - cx, 50 + (y + 0.5) * 4 - cy)
    return HeatMap((far < radius).astype(np.float32), Box(100, 50, 288, 288))


def test_bounds_are_those_of_the_larger_parts() -> None:
    heat = disc(244, 194, 60)
    heat.values[2, 2] = 1
    around = outlines.bounds(heat)
    assert around == pytest.approx((184, 134, 120, 120), abs=4)
    assert outlines.bounds(HeatMap(np.zeros((CELLS, CELLS), np.float32), heat.rect)) is None


sizes = st.floats(5, 300)
boxes = st.builds(Box, st.floats(-50, 500), st.floats(-50, 500), sizes, sizes)


@given(true=boxes, found=boxes)
def test_a_difference_turns_one_box_into_the_other(true: Box, found: Box) -> None:
    fit = outlines.difference(true, found)
    assert outlines.corrected(found, found, fit, 1.0) == pytest.approx(true, rel=1e-6, abs=1e-5)
    assert outlines.corrected(found, found, fit, 0.0) == pytest.approx(found, rel=1e-6, abs=1e-5)
    assert 0 <= outlines.overlap(true, found) <= 1 + 1e-9
    assert outlines.overlap(true, true) == pytest.approx(1)


def test_the_last_mask_moves_with_the_box_into_the_new_crop() -> None:
    heat, box = disc(244, 194, 60), Box(184, 134, 120, 120)
    outline = outlines.Outline(last=(heat, box.cx, box.cy))
    moved = Box(204, 124, 120, 120)
    crop = Crop(Box(120, 40, 288, 288), SIDE)
    assert np.allclose(outline.expected(moved, crop), heat.values, atol=1e-5)
    wider = Crop(Box(120 - 144, 40 - 144, 576, 576), SIDE)
    seen = outline.expected(moved, wider)
    assert seen.sum() == pytest.approx(heat.values.sum() / 4, rel=0.05)
    assert not outlines.Outline().expected(moved, crop).any()


def in_box(heat: HeatMap, box: Box) -> outlines.Drawn:
    return outlines.Drawn(heat, box, np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((KEY_CHANNELS, KEYS**2), np.float32))


def test_a_mask_corrects_the_box_only_where_the_two_agree() -> None:
    heat, box = disc(244, 194, 60), Box(190, 140, 100, 100)
    around = outlines.bounds(heat)
    assert around is not None
    around = outlines.bounds(heat)
    assert around is not None
    drawn, away = in_box(heat, box), in_box(heat, Box(400, 400, 50, 50))
    known = outlines.Outline(fit=np.zeros(4), trust=1.0)
    assert known.correct(drawn, rate=1.0) == pytest.approx(around)
    assert known.correct(away, rate=1.0) == away.box
    assert outlines.Outline().correct(drawn, rate=1.0) == box
    foreign = outlines.Outline(fit=np.zeros(4))  # a person whose box was not the mask's
    assert foreign.correct(drawn, rate=1.0) == pytest.approx(box)


def test_a_frame_is_remembered_now_and_then_where_mask_and_box_agree() -> None:
    heat, box = disc(244, 194, 60), Box(190, 140, 100, 100)
    for drawn, sure, remembered in (
        (in_box(heat, box), True, True),
        (in_box(heat, box), False, False),
        (in_box(heat, Box(400, 400, 50, 50)), True, False),
    ):
        outline = outlines.Outline()
        for _ in range(outlines.EVERY):
            assert outline.recent is None
            outline.remember(drawn, sure)
        assert (outline.recent is not None) == remembered


def test_a_mask_that_moves_its_box_far_is_drawn_again_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn reaches 20 px beyond a box at most, as a view that cuts a growing target off does."""
    tracker = registry.create("siamatt-mobile", "cpu", engine="torch", looks=0)
    assert isinstance(tracker, SiameseTracker)
    image = np.zeros((240, 320, 3), np.uint8)
    true, looked = Box(100, 80, 120, 120), []

    def draw(engine: object, image: object, asked: list[Box], *rest: object) -> list[outlines.Drawn]:
        looked.append(asked[0])
        low, high = max(asked[0].x - 20, true.x), min(asked[0].x2 + 20, true.x2)
        top, bottom = max(asked[0].y - 20, true.y), min(asked[0].y2 + 20, true.y2)
        values = np.zeros((CELLS, CELLS), np.float32)
        values[round(top / 5) : round(bottom / 5), round(low / 5) : round(high / 5)] = 1
        return [in_box(HeatMap(values, Box(0, 0, 5 * CELLS, 5 * CELLS)), asked[0])]

    monkeypatch.setattr(outlines, "draw", draw)
    monkeypatch.setattr(outlines, "begin", lambda engine, outline: setattr(outline, "given", None))
    small, near = Box(118, 100, 80, 80), Box(105, 85, 112, 112)
    for start, trust, looks in ((small, 1.0, 2), (near, 1.0, 1), (small, 0.9, 1)):
        looked.clear()
        target = tracker.start(image, start)
        assert isinstance(target, SiameseTarget)
        target.outline.fit, target.outline.trust = np.zeros(4), trust
        target.outline.given, target.box = None, start
        heat = tracker._outlined(image, [target], [True])[0]
        assert len(looked) == looks
        assert target.outline.last is not None
        assert target.outline.last[0] is heat
        if trust == 1:
            assert target.box == pytest.approx(true, abs=5)
            assert target.outline.last[1:] == (target.box.cx, target.box.cy)  # where the next step begins
        else:
            assert target.outline.last[1:] == (start.cx, start.cy)


def test_bounds_of_masks_are_believed_as_far_as_they_fitted_what_a_person_gave() -> None:
    heat, fit = disc(244, 194, 60), np.zeros(4)
    around = outlines.bounds(heat)
    assert around is not None
    new = outlines.Outline()
    assert new.size_trust(around) == 1.0
    memory = outlines.Memory(np.zeros((1, 1)), np.zeros(1), np.zeros(1))
    known = outlines.Outline(first=memory, last=(heat, around.cx, around.cy), fit=fit, trust=0.8)
    elsewhere = Box(10, 20, around.w, around.h)
    assert known.size_trust(elsewhere) == 0.8, "its place does not matter, and trust does not come back"
    assert known.size_trust(Box(10, 20, 0.6 * around.w, around.h)) == 0.0
    known.last = None
    assert known.size_trust(elsewhere) == 0.8


def test_a_persons_box_is_remembered_when_masks_are_asked_for() -> None:
    tracker = create("cpu", name="siamatt-mobile", untrained=True, engine="torch")
    assert type(tracker.engine) is TorchEngine
    image = cv2.resize(np.random.default_rng(3).integers(0, 256, (9, 12, 3), np.uint8), (240, 180))
    target = tracker.start(image, Box(80, 60, 50, 40))
    target.step(image, want_mask=False)
    assert target.outline.first is None
    assert target.outline.given is not None
    target.step(image)
    assert target.outline.first is not None
    assert target.outline.given is None
    tracker.correct(target, image, Box(90, 60, 50, 40))  # type: ignore[arg-type]
    first = target.outline.first
    target.step(image)
    assert target.outline.first is first
    assert target.outline.recent is not None


def test_the_shipped_weights_draw_what_is_in_a_box() -> None:
    tracker = create("cpu", name="siamatt-mobile", engine="torch")
    image = np.full((240, 320, 3), (90, 140, 90), np.uint8)
    image += np.random.default_rng(0).integers(0, 30, image.shape, np.uint8)
    truth = np.zeros((240, 320), np.uint8)
    cv2.ellipse(truth, (150, 120), (50, 30), 20, 0, 360, 1, -1)
    image[truth > 0] = (40, 40, 200)
    mask = tracker.segment(image, Box(*cv2.boundingRect(truth)))
    assert mask is not None
    found = mask.full(240, 320)
    assert (found & (truth > 0)).sum() / (found | (truth > 0)).sum() > 0.85
