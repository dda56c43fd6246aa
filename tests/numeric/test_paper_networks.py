"""The papers' networks: numbers that must not move, identities between networks, batches, gradients, folding.

The networks are thin (a ResNet of an eighth of the width, 16 channels in the heads); full sizes stand in
tests/golden/test_networks.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tracker.models.build import build
from tracker.models.masks import Refine
from tracker.models.mobilenetv2 import MobileNetV2
from tracker.models.necks import Neck
from tracker.models.network import Response, fuse
from tracker.models.points import Attention
from tracker.models.resnet import ResNet50
from tracker.models.siammask import SiamMask
from tracker.zoo import ZOO


def fill(net: nn.Module, seed: int) -> None:
    """Weights from numpy's generator, whose stream no release of torch changes; answers stay around 1."""
    generator = np.random.default_rng(seed)

    def draw(tensor: Tensor, low: float, high: float) -> None:
        tensor.copy_(torch.from_numpy(generator.random(tuple(tensor.shape)) * (high - low) + low))

    with torch.no_grad():
        modules: Iterable[tuple[str, Any]] = net.named_modules()
        for name, module in modules:
            if isinstance(module, nn.BatchNorm2d):
                gain = 0.5 if name.endswith("bn3") else 1.0
                draw(module.weight, 0.5 * gain, 1.5 * gain)
                draw(module.running_mean, -0.1, 0.1)
                draw(module.running_var, 0.5, 1.5)
                module.num_batches_tracked.zero_()
            elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                bound = (2 / module.weight[0].numel()) ** 0.5 / (128 if module.in_channels == 3 else 1)
                draw(module.weight, -bound, bound)
            if isinstance(getattr(module, "bias", None), Tensor):
                draw(module.bias, -0.1, 0.1)
        for name, weight in net.named_parameters():
            if name.endswith(("cls_weight", "loc_weight")):
                draw(weight, 0.5, 1.5)


def thin(name: str, seed: int = 3) -> Any:
    """A published network with few channels and fixed weights; AlexNet has only one size."""
    config = replace(ZOO[name].net, channels=16, neck=tuple(c // 16 for c in ZOO[name].net.neck))
    with torch.device("meta"):
        net: Any = build(config)
        if config.backbone == "resnet50":
            net.backbone = ResNet50(net.backbone.used, width=8)
        elif config.backbone == "mobilenetv2":
            net.backbone = MobileNetV2(0.25)
        if config.neck:
            net.neck = Neck(net.backbone.channels[-len(config.neck) :], config.neck)
        if isinstance(net, SiamMask):
            net.refine_head = Refine(16, net.backbone.channels[:3])
    net.to_empty(device="cpu")
    fill(net, seed)
    return net.eval()


def pixels(n: int, side: int, seed: int) -> Tensor:
    return torch.from_numpy((np.random.default_rng(seed).random((n, side, side, 3)) * 256).astype(np.uint8))


def pair(net: Any, n: int = 1) -> tuple[Tensor, Tensor]:
    return net.preprocess(pixels(n, 127, 1)), net.preprocess(pixels(n, net.config.search, 2))


def parts(response: Response) -> tuple[Tensor, ...]:
    return tuple(part for part in (*response[:-1], *response.features) if part.numel())


def cells(*at: int) -> Tensor:
    return torch.tensor(at)


GOLDEN: dict[str, list[tuple[float, float, float]]] = {
    "siamrpnpp-r50": [
        (-0.206158, 0.433982, 0.180348),
        (-0.017534, 0.193241, -0.272980),
    ],
    "siamrpnpp-r50-lt": [
        (-0.072488, 0.863867, 0.983392),
        (-0.062543, 0.174929, -0.409595),
    ],
    "siamrpnpp-mobilev2": [
        (-0.007179, 0.087413, -0.138951),
        (0.003163, 0.123824, -0.011503),
    ],
    "siamrpnpp-alex": [
        (0.199142, 0.307358, 0.291833),
        (-0.035083, 0.218358, -0.383819),
    ],
    "siammask-r50": [
        (0.067228, 0.108395, 0.037783),
        (-0.141137, 0.686980, 0.042540),
        (-0.077596, 0.061630, -0.024954),
        (0.016091, 0.500625, -0.161494),
    ],
    "siamatt-r50": [
        (-0.225435, 0.514412, 0.193438),
        (-0.030532, 0.212970, -0.355893),
        (0.603060, 0.514831, 0.051227),
        (-0.041786, 0.220949, -0.099869),
        (-0.197943, 0.696526, 0.183291),
    ],
}
"""Of each part of the response but the features, then of both masks: mean, standard deviation, one element."""


def figures(name: str) -> list[tuple[float, float, float]]:
    net = thin(name)
    z, x = pair(net)
    with torch.no_grad():
        kernels = net.embed(z)
        response = net.match(kernels, x)
        answers = [part for part in response[:-1] if part.numel()]
        if isinstance(net, SiamMask):
            at = cells(13), cells(10)
            answers += [net.segment(kernels, response.features, *at, refine=refine) for refine in (True, False)]
    return [(float(a.double().mean()), float(a.double().std()), float(a[..., -1, 7, 11].mean())) for a in answers]


@pytest.mark.parametrize("name", [name for name in ZOO if name not in ("siamatt-mobile", "attsiammask-r50")])
def test_golden_numbers_did_not_move(name: str) -> None:
    found = figures(name)
    assert len(found) == len(GOLDEN[name])
    for numbers, golden in zip(found, GOLDEN[name], strict=True):
        assert numbers == pytest.approx(golden, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["siamatt-r50", "siammask-r50", "siamrpnpp-mobilev2", "siamrpnpp-alex"])
def test_one_target_in_a_batch_of_eight_equals_one_alone(name: str) -> None:
    net = thin(name)
    n = 2 if name == "siamrpnpp-alex" else 8  # it is not thin, so its batch is small
    z, x = pair(net, n)
    with torch.no_grad():
        together, alone = net.match(net.embed(z), x), net.match(net.embed(z[1:2]), x[1:2])
        for many, one in zip(parts(together), parts(alone), strict=True):
            assert torch.allclose(many[1:2], one, atol=1e-4, rtol=1e-4)
        if isinstance(net, SiamMask):
            rows, columns = torch.arange(8) * 3, torch.arange(8).flip(0) * 3
            masks = net.segment(net.embed(z), together.features, rows, columns)
            single = net.segment(net.embed(z[1:2]), alone.features, rows[1:2], columns[1:2])
            assert torch.allclose(masks[1:2], single, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["siamatt-r50", "siammask-r50", "siamrpnpp-mobilev2", "siamrpnpp-alex"])
def test_batch_norm_folds_without_changing_the_numbers(name: str) -> None:
    net, folded = thin(name).requires_grad_(False), fuse(thin(name).requires_grad_(False))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    z, x = pair(net)
    for a, b in zip(parts(net.match(net.embed(z), x)), parts(folded.match(folded.embed(z), x)), strict=True):
        assert torch.allclose(a, b, atol=1e-4, rtol=1e-4)


def test_siamatt_without_its_modules_is_siamrpn_bit_for_bit() -> None:
    attentive = thin("siamatt-r50")
    plain = thin("siamrpnpp-r50", seed=8)
    missing, unexpected = plain.load_state_dict(attentive.state_dict(), strict=False)
    assert not missing
    assert {key.split(".")[0] for key in unexpected} == {"att_mods_head", "off_mods_head"}
    z, x = pair(plain)
    with torch.no_grad():
        ours, theirs = attentive.match(attentive.embed(z), x), plain.match(plain.embed(z), x)
        quick = attentive.match(attentive.embed(z), x, offsets=False)
    assert torch.equal(ours.cls, theirs.cls)
    assert torch.equal(ours.loc, theirs.loc)
    assert torch.equal(quick.att, ours.att)
    assert quick.off.shape == (1, 0, 25, 25)


def test_levels_join_by_the_softmax_of_their_weights_or_evenly() -> None:
    net = thin("siamatt-r50")
    z, x = pair(net)
    with torch.no_grad():
        response = net.match(net.embed(z), x)
        weights = net.rpn_head.cls_weight.softmax(0)[None, :, None, None, None]
        assert torch.allclose((response.levels * weights).sum(1), response.cls, atol=1e-6)
        even = thin("siamrpnpp-mobilev2")
        levels = even.levels(x)
        found = even.rpn_head(levels, even.embed(z))
        assert torch.allclose(torch.stack(found.levels).mean(0), found.cls, atol=1e-6)


def test_a_fresh_attention_map_expects_little() -> None:
    state = Attention((4, 4, 4)).state_dict()
    assert [state[f"att_mods.{n}.1.bias"].item() for n in range(3)] == pytest.approx([-2.19] * 3)


def test_weights_multiply_the_template_of_every_branch() -> None:
    net = thin("siammask-r50")
    z, _ = pair(net, 2)
    weights = torch.rand(2, 7, 7, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        template = net.template(z) * weights[:, None]
        expected = [*net.rpn_head.kernels((template,)), net.mask_head.kernel(template)]
        assert all(map(torch.equal, net.embed(z, weights), expected))
        assert all(map(torch.equal, net.embed(z, torch.ones(2, 7, 7)), net.embed(z)))


@pytest.mark.parametrize("at", [(0, 0), (12, 12), (3, 24)])
def test_a_mask_at_one_cell_is_that_of_the_full_map(at: tuple[int, int]) -> None:
    net = thin("siammask-r50")
    z, x = pair(net)
    with torch.no_grad():
        kernels = net.embed(z)
        response = net.match(kernels, x)
        everywhere = net.masks(kernels, response)
        one = net.segment(kernels, response.features, cells(at[0]), cells(at[1]), refine=False)
    assert everywhere.shape == (1, 3969, 25, 25)
    assert torch.allclose(everywhere[:, :, at[0], at[1]].view(1, 63, 63), one, atol=1e-5)


def _masks(net: Any, kernels: tuple[Tensor, ...], response: Response) -> tuple[Tensor, ...]:
    if not isinstance(net, SiamMask):
        return ()
    at = cells(12, 9), cells(4, 20)
    return net.masks(kernels, response), net.segment(kernels, response.features, *at)


@pytest.mark.parametrize("name", ["siamatt-r50", "siammask-r50", "siamrpnpp-mobilev2", "siamrpnpp-alex"])
def test_every_parameter_learns(name: str) -> None:
    net = thin(name)
    z, x = pair(net, 2)
    kernels = net.embed(z)
    response = net.match(kernels, x)
    outputs = (*(part for part in response[:-1] if part.numel()), *_masks(net, kernels, response))
    torch.stack([(output**2).mean() for output in outputs]).sum().backward()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.count_nonzero() > 0, key


def test_fresh_weights_answer_in_finite_numbers() -> None:
    """A random network is shown on request; its boxes are exponentials of what it answers."""
    torch.manual_seed(1)
    net: Any = build(ZOO["siammask-r50"].net).eval()
    z, x = pair(net)
    with torch.no_grad():
        response = net.match(net.embed(z), x)
    assert float(response.loc.abs().max()) < 10
    assert float(response.cls.abs().max()) < 10
