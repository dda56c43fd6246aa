"""Att-SiamMask's key part: texture picks it, the network's features weigh the template by it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.api import Box, HasExemplar
from tracker.config import NetConfig
from tracker.inference.engine import TorchEngine
from tracker.inference.keypart import CENTRE, OFFSETS, histograms, select
from tracker.inference.siamese import SiameseTarget, SiameseTracker
from tracker.models.attsiammask import AttSiamMask
from tracker.models.build import build
from tracker.zoo import PAPERS, ZOO

CONFIG = ZOO["attsiammask-r50"].profiles["vot"]
NET = ZOO["attsiammask-r50"].net


def test_a_ramp_falls_into_the_bin_of_its_gradient() -> None:
    across = np.tile(np.arange(64.0), (64, 1))
    found = histograms(across)
    assert found.shape == (8, 8, 9)
    # central differences of a slope of 1 are 2; 64 pixels a cell, the picture's border repeats its edge
    assert found[3, 3].tolist() == [128, 0, 0, 0, 0, 0, 0, 0, 0]
    assert found[3, 0, 0] == 128 - 8
    down = histograms(across.T)
    assert down[3, 3].argmax() == 4, "90 degrees lie in the fifth of nine bins over 180"


def test_unsigned_orientations_do_not_tell_light_from_dark() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(float)
    assert histograms(picture).sum((0, 1)).sum() == pytest.approx(histograms(255 - picture).sum())


def test_a_flat_target_has_its_centre_for_a_part() -> None:
    """Masking black on black, or anything without structure: all costs equal."""
    assert select(np.zeros((64, 64))).window == CENTRE
    assert select(np.full((64, 64), 90.0), fill=90.0).window == CENTRE


def blob(rng: np.random.Generator, row: int, column: int) -> np.ndarray:
    """A faint target with one strongly textured quarter, its corner at (row, column)."""
    picture = cv2.GaussianBlur(rng.normal(110, 12, (64, 64)), (0, 0), 3)
    picture[row : row + 32, column : column + 32] = rng.normal(110, 45, (32, 32))
    return np.clip(picture, 0, 255)


def test_the_textured_quarter_is_found() -> None:
    """Reference D.2, point 3: hit in 81 to 84 of 100 synthetic targets."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        i = int(rng.integers(9))
        top, left = OFFSETS[i]
        hits += select(blob(rng, round(top * 64), round(left * 64))).window == i
    assert hits / 300 >= 0.75


def test_no_window_is_favoured_on_plain_texture() -> None:
    """Block-normalised histograms chose the centre in 286 of 300 (reference 0.7); raw ones have no favourite."""
    rng = np.random.default_rng(4)
    chosen = [select(cv2.GaussianBlur(rng.normal(110, 60, (64, 64)), (0, 0), 2)).window for _ in range(300)]
    assert np.bincount(chosen, minlength=9).max() <= 0.3 * 300


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_costs_are_finite_and_the_part_is_the_cheapest(seed: int) -> None:
    part = select(np.random.default_rng(seed).integers(0, 256, (64, 64)).astype(np.float32))
    assert np.isfinite(part.costs).all()
    assert part.window == part.costs.argmin()


def thin() -> NetConfig:
    """SiamMask's own ResNet with a narrow neck, to be quick."""
    return replace(NET, neck=(32,), channels=32)


@pytest.fixture(scope="module")
def nets() -> tuple[torch.nn.Module, AttSiamMask]:
    with torch.random.fork_rng():
        torch.manual_seed(6)
        attentive = build(thin(), attentive=True)
        plain = build(thin())
    assert isinstance(attentive, AttSiamMask)
    plain.load_state_dict(attentive.state_dict())
    return plain.eval(), attentive.eval()


def scene(seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (24, 32, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)


def start(net: torch.nn.Module, box: Box, **settings: object) -> SiameseTarget:
    config = replace(CONFIG, **settings)  # type: ignore[arg-type]
    return SiameseTracker("test", TorchEngine(net, "cpu", config), config).start(scene(), box)


def test_weights_are_one_on_average_and_the_part_lies_in_the_target(nets: tuple) -> None:
    box = Box(120, 80, 60, 48)
    target = start(nets[1], box, part_strength=1.0)
    assert isinstance(target, HasExemplar)
    part, weights = target.exemplar.part, target.exemplar.weights
    assert part is not None
    assert weights is not None
    assert (part.w, part.h) == (30, 24)
    assert box.x <= part.x <= part.x2 <= box.x2 + 1e-9
    assert box.y <= part.y <= part.y2 <= box.y2 + 1e-9
    assert weights.values.shape == (7, 7)
    assert weights.values.max() == pytest.approx(1)
    assert weights.values.min() >= 0
    # 7 cells of 8 px in an exemplar of 127 px, around its centre
    crop = target.exemplar.crop
    assert (weights.rect.cx, weights.rect.cy) == pytest.approx((crop.rect.cx, crop.rect.cy))
    assert weights.rect.w == pytest.approx(crop.rect.w * 56 / 127)


def test_without_strength_it_is_siammask_bit_for_bit(nets: tuple) -> None:
    """Reference, section I: lambda = 0."""
    plain, attentive = nets
    box = Box(120, 80, 60, 48)
    ours, theirs = start(attentive, box, part_strength=0.0), start(plain, box)
    for one, other in zip(ours.kernels, theirs.kernels, strict=True):
        assert torch.equal(one, other)
    found, expected = ours.step(scene(3)), theirs.step(scene(3))
    assert found.box == expected.box
    assert found.mask is not None
    assert expected.mask is not None
    assert np.array_equal(found.mask.bits, expected.mask.bits)
    counted = start(attentive, box, part_strength=1.0)
    assert not torch.equal(counted.kernels[0], theirs.kernels[0])


def test_weights_of_strength_zero_are_exactly_one_and_flat_pictures_too(nets: tuple) -> None:
    net = nets[1]
    rng = torch.Generator().manual_seed(1)
    part = torch.rand(2, 3, 127, 127, generator=rng) * 255
    region = torch.rand(2, 3, 255, 255, generator=rng) * 255
    with torch.inference_mode():
        assert torch.equal(net.part_attention(part, region, strength=0.0), torch.ones(2, 7, 7))
        weights = net.part_attention(part, region, strength=1.0)
        assert torch.allclose(weights.mean((1, 2)), torch.ones(2), atol=1e-5)
        alone = net.part_attention(part[1:], region[1:], strength=1.0)
    assert torch.allclose(weights[1:], alone, atol=1e-3)


class Echo(AttSiamMask):
    """Its features are the picture itself on the stride-8 grid, so that the response shows where the part matches."""

    def template(self, exemplar: torch.Tensor) -> torch.Tensor:
        return self.features(exemplar)[0][..., 4:11, 4:11]

    def features(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        centred = image - image.mean((2, 3), keepdim=True)
        side = 31 if image.shape[-1] == 255 else 15
        return (centred[:, :, 7::8, 7::8][:, :, :side, :side],)


def test_the_weights_peak_where_the_part_lies() -> None:
    """A textured blob in one quarter of the target, moved about: the heaviest template cell goes with it."""
    rng = np.random.default_rng(8)
    with torch.random.fork_rng():
        net = Echo(thin()).eval()
    box = Box(100, 80, 80, 80)
    config = replace(CONFIG, part_strength=1.0)
    engine = TorchEngine(net, "cpu", config)
    for corner in ((0, 0), (0, 40), (40, 0), (40, 40)):
        image = np.full((240, 300, 3), 110, np.uint8)
        texture = cv2.resize(rng.integers(0, 256, (10, 10, 3), np.uint8), (40, 40), interpolation=cv2.INTER_NEAREST)
        y, x = int(box.y) + corner[0], int(box.x) + corner[1]
        image[y : y + 40, x : x + 40] = texture
        exemplar = SiameseTracker("test", _Start(engine), config).start(image, box).exemplar
        assert exemplar.part is not None
        assert exemplar.weights is not None
        assert (exemplar.part.x, exemplar.part.y) == (x, y)
        row, column = np.unravel_index(int(exemplar.weights.values.argmax()), (7, 7))
        cell = exemplar.weights.rect.w / 7
        cx, cy = (exemplar.weights.rect.x + (column + 0.5) * cell, exemplar.weights.rect.y + (row + 0.5) * cell)
        assert abs(cx - exemplar.part.cx) <= cell
        assert abs(cy - exemplar.part.cy) <= cell


class _Start:
    """An engine that stops before the heads: only the start of a target is looked at."""

    def __init__(self, engine: TorchEngine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def embed(self, exemplars: object, weights: np.ndarray | None = None) -> tuple:
        return ()


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (318, 238, 3, 2), (-20, -10, 60, 40), (0, 0, 320, 240)])
@pytest.mark.parametrize("part_from", ["target", "patch"])
def test_tiny_huge_and_border_boxes_have_a_part(nets: tuple, box: tuple, part_from: str) -> None:
    config = replace(CONFIG, part_from=part_from, part_fill="mean", part_strength=1.0)  # type: ignore[arg-type]
    engine = TorchEngine(nets[1], "cpu", config)
    exemplar = SiameseTracker("test", _Start(engine), config).start(scene(), Box(*box)).exemplar
    assert exemplar.weights is not None
    assert np.isfinite(exemplar.weights.values).all()


def test_att_siammask_adds_no_weights() -> None:
    with torch.device("meta"):
        assert build(NET, attentive=True).state_dict().keys() == build(NET).state_dict().keys()
    assert PAPERS.part_strength == 0.5
