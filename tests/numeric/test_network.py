"""The network: shapes, alignment of both grids, identities that folding and batching must keep."""

from __future__ import annotations

import pytest
import torch

from tracker.config import NetConfig
from tracker.models.correlation import _grouped, depthwise_correlation
from tracker.models.heads import windows
from tracker.models.network import Response, foreground, fuse
from tracker.models.siamatt_mobile import SiamAttMobile


@pytest.fixture(scope="module")
def net() -> SiamAttMobile:
    torch.manual_seed(11)
    made = SiamAttMobile(NetConfig(channels=16))
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return made.eval().requires_grad_(False)


def pixels(n: int, side: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, side, side, 3), generator=generator, dtype=torch.uint8)


def parts(response: Response) -> tuple[torch.Tensor, ...]:
    return (*response[:-1], *response.features)


def test_shapes_are_those_of_the_papers_grid(net: SiamAttMobile) -> None:
    kernels = net.embed(net.preprocess(pixels(2, 127)))
    assert [tuple(k.shape) for k in kernels] == [(2, 16, s, s) for s in (5, 5, 7, 7)]
    response = net.match(kernels, net.preprocess(pixels(2, 255)))
    assert response.cls.shape == (2, 10, 25, 25)
    assert response.loc.shape == (2, 20, 25, 25)
    assert response.att.shape == (2, 1, 25, 25)
    assert response.off.shape == (2, 2, 25, 25)
    assert net.match(kernels, net.preprocess(pixels(2, 255)), offsets=False).off.numel() == 0
    assert [tuple(part.shape) for part in response.features] == [(2, 16, 31, 31)]
    p = foreground(response.cls)
    assert p.shape == (2, 5, 25, 25)
    assert ((p > 0) & (p < 1)).all()


def test_backbone_widths_and_strides(net: SiamAttMobile) -> None:
    widths = {255: (128, 64, 32, 16), 127: (64, 32, 16, 8)}
    for side, expected in widths.items():
        features = net.backbone(net.preprocess(pixels(1, side)))
        assert tuple(f.shape[-1] for f in features) == expected
        assert tuple(f.shape[1] for f in features) == net.backbone.channels


def test_one_cell_of_the_response_is_eight_pixels(net: SiamAttMobile) -> None:
    """The search moved by two cells moves the response by two cells, away from the borders' padding.

    A shift of 16 px keeps every stride's phase, so interior cells must agree to rounding.
    """
    wide = pixels(1, 271, 4)
    kernels = net.embed(net.preprocess(pixels(1, 127)))
    here = net.neck(net.preprocess(wide[:, 16:, 16:].contiguous()))
    there = net.neck(net.preprocess(wide[:, :255, :255].contiguous()))
    # the receptive field of stride-16 features reaches some 10 cells inwards from a padded border
    assert torch.allclose(here[..., 10:17, 10:17], there[..., 12:19, 12:19], atol=1e-4)
    assert net.cls(here, kernels[0]).shape[-1] == 25


def test_batch_norm_folds_without_changing_the_numbers(net: SiamAttMobile) -> None:
    torch.manual_seed(11)
    folded = SiamAttMobile(net.config)
    folded.load_state_dict(net.state_dict())
    fuse(folded.eval())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    z, x = net.preprocess(pixels(1, 127)), net.preprocess(pixels(1, 255))
    with torch.no_grad():
        for a, b in zip(parts(net.match(net.embed(z), x)), parts(folded.match(folded.embed(z), x)), strict=True):
            assert torch.allclose(a, b, atol=1e-4, rtol=1e-4)


def test_one_target_in_a_batch_of_eight_equals_one_alone(net: SiamAttMobile) -> None:
    z, x = net.preprocess(pixels(8, 127)), net.preprocess(pixels(8, 255))
    together = net.match(net.embed(z), x)
    alone = net.match(net.embed(z[3:4]), x[3:4])
    for many, one in zip(parts(together), parts(alone), strict=True):
        assert torch.allclose(many[3:4], one, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("side", "kernel"), [(29, 5), (31, 7), (9, 3)])
def test_gradients_of_the_correlation_are_autograds(side: int, kernel: int) -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 3, side, side, dtype=torch.double, requires_grad=True)
    k = torch.randn(2, 3, kernel, kernel, dtype=torch.double, requires_grad=True)
    out = depthwise_correlation(x, k)
    weight = torch.randn_like(out)
    ours = torch.autograd.grad(out, (x, k), weight)
    plain = torch.autograd.grad(_grouped(x, k), (x, k), weight)
    for a, b in zip(ours, plain, strict=True):
        assert torch.allclose(a, b)


def test_windows_are_cut_where_they_are_asked_for() -> None:
    features = torch.arange(2 * 31 * 31, dtype=torch.float).view(2, 1, 31, 31)
    cut = windows(features, torch.tensor([0, 12]), torch.tensor([3, 24]), 15, 4)
    assert cut[0, 0, 4, 4] == features[0, 0, 0, 3]
    assert cut[0, 0, 0].eq(0).all()  # above the map
    assert cut[1, 0, 0, 0] == features[1, 0, 8, 20]


GOLDEN = [
    (-0.0740119496, 0.1505070487),
    (-0.0286572975, 0.1394691170),
    (-2.1961456417, 0.0076285937),
    (-0.0445630751, 0.1598604588),
]
"""Mean and standard deviation of cls, loc, att and off."""


def test_golden_numbers_did_not_move(net: SiamAttMobile) -> None:
    """A seeded network's answers; they pin architecture, padding, order of channels and preprocessing."""
    response = net.match(net.embed(net.preprocess(pixels(1, 127))), net.preprocess(pixels(1, 255, 1)))
    answers = (response.cls, response.loc, response.att, response.off)
    found = [(float(t.double().mean()), float(t.double().std())) for t in answers]
    for numbers, golden in zip(found, GOLDEN, strict=True):
        assert numbers == pytest.approx(golden, rel=2e-3, abs=1e-5)
