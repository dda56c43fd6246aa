"""The papers' networks by the book: counts, names, shapes and geometry of the published configurations.

Counting and shapes need no numbers, so most of it runs on torch's meta device.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tracker.models.alexnet import AlexNet
from tracker.models.build import build
from tracker.models.masks import Refine
from tracker.models.mobilenetv2 import MobileNetV2
from tracker.models.necks import centre
from tracker.models.points import Attention
from tracker.models.resnet import ResNet50
from tracker.models.rpn import DepthwiseHead
from tracker.zoo import ZOO

PAPERS = [name for name in ZOO if name != "siamatt-mobile"]

COUNTS = {
    # parameters in millions, tensors without and with num_batches_tracked
    "siamrpnpp-r50": (53.95, 384, 458),
    "siamrpnpp-r50-lt": (60.02, 384, 458),
    "siamrpnpp-mobilev2": (11.15, 377, 450),
    "siamrpnpp-alex": (6.25, 64, 75),
    "siammask-r50": (21.48, 303, 356),
    "siamatt-r50": (53.951 + 2.167 + 2.168, 468, 554),
    "attsiammask-r50": (21.48, 303, 356),
}
PARTS = {
    ("siamrpnpp-r50", "backbone"): 45.53,
    ("siamrpnpp-r50", "neck"): 0.92,
    ("siamrpnpp-r50", "rpn_head"): 7.50,
    ("siamrpnpp-r50-lt", "rpn_head"): 13.11,
    ("siammask-r50", "backbone"): 13.79,
    ("siammask-r50", "neck"): 0.26,
    ("siammask-r50", "rpn_head"): 2.50,
    ("siammask-r50", "mask_head"): 2.27,
    ("siammask-r50", "refine_head"): 2.67,
    ("siamatt-r50", "att_mods_head"): 2.167,
    ("siamatt-r50", "off_mods_head"): 2.168,
}

Shapes = Iterator[tuple[str, tuple[int, ...]]]


@cache
def on_meta(name: str) -> Any:
    with torch.device("meta"):
        return build(ZOO[name].net, attentive=name.startswith("att"))


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", PAPERS)
def test_counts_are_the_published_ones(name: str) -> None:
    net = on_meta(name)
    millions, plain, tracked = COUNTS[name]
    keys = list(net.state_dict())
    assert parameters(net) == ZOO[name].parameters
    assert parameters(net) / 1e6 == pytest.approx(millions, abs=0.005)
    assert len(keys) == tracked
    assert sum(not key.endswith("num_batches_tracked") for key in keys) == plain
    for (tracker, part), size in PARTS.items():
        if tracker == name:
            assert parameters(net.get_submodule(part)) / 1e6 == pytest.approx(size, abs=0.005)


def norm(at: str, channels: int) -> Shapes:
    for key in ("weight", "bias", "running_mean", "running_var"):
        yield f"{at}.{key}", (channels,)


def conv_norm(at: str, shape: tuple[int, ...], first: int = 0, bias: bool = False) -> Shapes:
    yield f"{at}.{first}.weight", shape
    if bias:
        yield f"{at}.{first}.bias", shape[:1]
    yield from norm(f"{at}.{first + 1}", shape[0])


def biased(at: str, shape: tuple[int, ...]) -> Shapes:
    yield f"{at}.weight", shape
    yield f"{at}.bias", shape[:1]


def resnet(stages: int) -> Shapes:
    yield "backbone.conv1.weight", (64, 3, 7, 7)
    yield from norm("backbone.bn1", 64)
    inputs = 64
    for stage, blocks in enumerate((3, 4, 6, 3)[:stages]):
        width = 64 * 2**stage
        for i in range(blocks):
            at = f"backbone.layer{stage + 1}.{i}"
            yield f"{at}.conv1.weight", (width, inputs, 1, 1)
            yield f"{at}.conv2.weight", (width, width, 3, 3)
            yield f"{at}.conv3.weight", (4 * width, width, 1, 1)
            for n, channels in enumerate((width, width, 4 * width), 1):
                yield from norm(f"{at}.bn{n}", channels)
            if i == 0:
                side = 3 if stage else 1
                yield from conv_norm(f"{at}.downsample", (4 * width, inputs, side, side))
            inputs = 4 * width


def mobilenet() -> Shapes:
    yield from conv_norm("backbone.layer0", (44, 3, 3, 3))
    inputs = 44
    for stage, (channels, blocks) in enumerate(
        ((22, 1), (33, 2), (44, 3), (89, 4), (134, 3), (224, 3), (448, 1)), start=1
    ):
        for i in range(blocks):
            at, hidden = f"backbone.layer{stage}.{i}.conv", inputs * (1 if stage == 1 else 6)
            yield from conv_norm(at, (hidden, inputs, 1, 1))
            yield from conv_norm(at, (hidden, 1, 3, 3), 3)
            yield from conv_norm(at, (channels, hidden, 1, 1), 6)
            inputs = channels


def alexnet() -> Shapes:
    convs = {0: (96, 3, 11, 11), 4: (256, 96, 5, 5), 8: (384, 256, 3, 3), 11: (384, 384, 3, 3), 14: (256, 384, 3, 3)}
    for i, shape in convs.items():
        yield from conv_norm("backbone.features", shape, i, bias=True)


def correlation(at: str, outputs: int, c: int = 256) -> Shapes:
    yield from conv_norm(f"{at}.conv_kernel", (c, c, 3, 3))
    yield from conv_norm(f"{at}.conv_search", (c, c, 3, 3))
    yield from conv_norm(f"{at}.head", (c, c, 1, 1))
    yield from biased(f"{at}.head.3", (outputs, c, 1, 1))


def levels(inputs: tuple[int, ...], weighted: bool = True, neck: tuple[int, ...] = (256, 256, 256)) -> Shapes:
    for i, (before, after) in enumerate(zip(inputs, neck, strict=True), 2):
        yield from conv_norm(f"neck.downsample{i}.downsample", (after, before, 1, 1))
        yield from correlation(f"rpn_head.rpn{i}.cls", 10, after)
        yield from correlation(f"rpn_head.rpn{i}.loc", 20, after)
    if weighted:
        yield "rpn_head.cls_weight", (3,)
        yield "rpn_head.loc_weight", (3,)


def single() -> Shapes:
    yield from correlation("rpn_head.cls", 10)
    yield from correlation("rpn_head.loc", 20)


def mask() -> Shapes:
    yield from conv_norm("neck.downsample.downsample", (256, 1024, 1, 1))
    yield from correlation("mask_head", 3969)
    pairs = {
        "v0": (64, 16, 4),
        "v1": (256, 64, 16),
        "v2": (512, 128, 32),
        "h0": (4, 4, 4),
        "h1": (16, 16, 16),
        "h2": (32, 32, 32),
    }
    for key, (before, between, after) in pairs.items():
        yield from biased(f"refine_head.{key}.0", (between, before, 3, 3))
        yield from biased(f"refine_head.{key}.2", (after, between, 3, 3))
    yield "refine_head.deconv.weight", (256, 32, 15, 15)
    yield "refine_head.deconv.bias", (32,)
    for i, (before, after) in enumerate(((32, 16), (16, 4), (4, 1))):
        yield from biased(f"refine_head.post{i}", (after, before, 3, 3))


def points(at: str, branches: str, outputs: int) -> Shapes:
    for n in range(3):
        yield from conv_norm(f"{at}.conv_kernel.{n}", (256, 256, 1, 1))
        yield from conv_norm(f"{at}.conv_search.{n}", (256, 256, 1, 1))
        yield from biased(f"{at}.{branches}.{n}.0.conv", (256, 256, 3, 3))
        yield from biased(f"{at}.{branches}.{n}.1", (outputs, 256, 1, 1))


R50 = (512, 1024, 2048)
LAYOUTS = {
    "siamrpnpp-r50": lambda: (*resnet(4), *levels(R50)),
    "siamrpnpp-r50-lt": lambda: (*resnet(4), *levels(R50, neck=(128, 256, 512))),
    "siamrpnpp-mobilev2": lambda: (*mobilenet(), *levels((44, 134, 448), weighted=False)),
    "siamrpnpp-alex": lambda: (*alexnet(), *single()),
    "siammask-r50": lambda: (*resnet(3), *single(), *mask()),
    "attsiammask-r50": lambda: (*resnet(3), *single(), *mask()),
    "siamatt-r50": lambda: (
        *resnet(4),
        *levels(R50),
        *points("att_mods_head", "att_mods", 1),
        *points("off_mods_head", "offs", 2),
    ),
}


@pytest.mark.parametrize("name", PAPERS)
def test_names_and_shapes_are_those_of_published_checkpoints(name: str) -> None:
    state = on_meta(name).state_dict()
    found = {key: tuple(value.shape) for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert found == dict(LAYOUTS[name]())


@pytest.mark.parametrize(("side", "cells"), [(63, 7), (127, 15), (143, 17), (255, 31), (287, 35), (831, 103)])
def test_widths_of_the_stride_8_backbones(side: int, cells: int) -> None:
    image = torch.empty(1, 3, side, side, device="meta")
    for name in ("siamrpnpp-r50", "siamrpnpp-mobilev2"):
        backbone = on_meta(name).backbone
        assert [tuple(f.shape[1:]) for f in backbone(image)] == [(c, cells, cells) for c in backbone.channels]


def test_widths_of_the_features_that_refine_masks() -> None:
    backbone = on_meta("siammask-r50").backbone
    for side, widths in {127: (61, 31, 15, 15), 255: (125, 63, 31, 31)}.items():
        features = backbone(torch.empty(1, 3, side, side, device="meta"))
        assert tuple(f.shape[-1] for f in features) == widths
    assert backbone.channels == (64, 256, 512, 1024)


RESPONSES = {"siamatt-r50": (3, 6, 3)}
"""Attention maps, offset maps and levels; none elsewhere."""


@pytest.mark.parametrize("name", PAPERS)
def test_shapes_of_kernels_and_responses(name: str) -> None:
    config, net = ZOO[name].net, on_meta(name)
    kernels = net.embed(torch.empty(2, 3, 127, 127, device="meta"))
    side = 4 if config.backbone == "alexnet" else 5
    rpn = [(2, c, side, side) for c in config.neck or (256,) for _ in ("cls", "loc")]
    extra = {"siammask": [(2, 256, 5, 5)], "siamatt": [(2, 256, 7, 7)] * 6}.get(config.architecture, [])
    assert [tuple(k.shape) for k in kernels] == rpn + extra
    attention, offsets, fused = RESPONSES.get(name, (0, 0, 0))
    for search in (config.search, 831):
        g = config.grid_for(search)
        response = net.match(kernels, torch.empty(2, 3, search, search, device="meta"))
        shapes = [(2, 10, g, g), (2, 20, g, g), (2, attention, g, g), (2, offsets, g, g), (2, fused, 10, g, g)]
        assert [tuple(part.shape) for part in response[:-1]] == shapes
        assert bool(response.features) == ZOO[name].masks


def test_grids_are_25_cells_21_for_alexnet_and_97_for_a_lost_target() -> None:
    grids = {name: (ZOO[name].net.grid, ZOO[name].net.grid_for(831)) for name in PAPERS}
    assert grids.pop("siamrpnpp-alex") == (21, 89)
    assert set(grids.values()) == {(25, 97)}


def linear(module: nn.Module) -> nn.Module:
    """Positive constant weights and averages for maxima: a gradient then weighs the paths to an input cell."""
    for name, child in list(module.named_modules()):
        for key, parameter in child.named_parameters(recurse=False):
            flat = nn.init.constant_(parameter, 0.0 if key == "bias" else 1.0)
            if flat.dim() == 4:
                nn.init.constant_(parameter, 1 / parameter[0].numel())
        if isinstance(child, nn.MaxPool2d):
            owner, _, last = name.rpartition(".")
            setattr(module.get_submodule(owner), last, nn.AvgPool2d(3, 2, child.padding))
    return module.eval().requires_grad_(False)


def centre_of(gradient: Tensor) -> tuple[float, float]:
    """Centre of mass (row, column) of a map's gradient (1, c, s, s)."""
    mass = gradient.sum((0, 1))
    at = torch.arange(mass.shape[0], dtype=mass.dtype)
    return float((mass.sum(1) * at).sum() / mass.sum()), float((mass.sum(0) * at).sum() / mass.sum())


@pytest.mark.parametrize(
    ("backbone", "side", "start"), [(ResNet50(width=2), 831, 7), (MobileNetV2(0.1), 831, 7), (AlexNet(), 287, 43)]
)
def test_features_are_centred_on_their_pixels(backbone: nn.Module, side: int, start: int) -> None:
    """8n + 7; 8n + 43 without padding. Cells far enough from the border that padding does not cut their paths."""
    # small, since MobileNetV2's activations are cut at 6
    image = torch.full((1, 3, side, side), 1e-4, requires_grad=True)
    levels = linear(backbone)(image)
    cells = (42, 57) if side == 831 else (0, 25)
    for level in levels:
        (gradient,) = torch.autograd.grad(level[0, :, cells[0], cells[1]].sum(), image, retain_graph=True)
        assert centre_of(gradient) == pytest.approx([start + 8 * n for n in cells], abs=1e-2)


@pytest.mark.parametrize("kind", ["proposals", "attention"])
def test_response_cells_are_centred_on_31_plus_8i(kind: str) -> None:
    x = torch.ones(1, 2, 31, 31, requires_grad=True)
    z = torch.ones(1, 2, 7, 7)
    if kind == "proposals":
        head = linear(DepthwiseHead(2, 1))
        out = head(x, head.kernel(z))
    else:
        points = linear(Attention((2,)))
        out = points([x], points.kernels([z]))
    assert out.shape == (1, 1, 25, 25)
    for row, column in [(12, 12), (1, 20), (23, 3)]:
        (gradient,) = torch.autograd.grad(out[0, 0, row, column], x, retain_graph=True)
        at = [8 * cell + 7 for cell in centre_of(gradient)]
        assert at == pytest.approx([31 + 8 * row, 31 + 8 * column], abs=1e-3)


@pytest.mark.parametrize(
    ("cell", "spans"),
    [
        ((12, 12), [(32, 92), (16, 46), (8, 22)]),  # all centred on pixel 127
        ((0, 0), [(0, 44), (0, 22), (0, 10)]),
        ((24, 24), [(80, 124), (40, 62), (20, 30)]),
    ],
)
def test_windows_that_refine_a_cell(cell: tuple[int, int], spans: list[tuple[int, int]]) -> None:
    refine = linear(Refine(8, (4, 8, 12)))
    features = [torch.ones(1, c, s, s, requires_grad=True) for c, s in ((4, 125), (8, 63), (12, 31))]
    rows, columns = (torch.tensor([i]) for i in cell)
    out = refine(torch.ones(1, 8, 1, 1), features, rows, columns)
    assert out.shape == (1, 127, 127)
    for feature, span in zip(features, spans, strict=True):
        (gradient,) = torch.autograd.grad(out.sum(), feature, retain_graph=True)
        for axis in (2, 3):
            touched = gradient.amax((0, 1, 5 - axis)).nonzero().flatten()
            assert (int(touched[0]), int(touched[-1])) == span
            assert len(touched) == span[1] - span[0] + 1


def test_only_the_centre_of_an_exemplar_is_kept() -> None:
    def kept(side: int) -> tuple[int, int]:
        row = centre(torch.arange(side).expand(1, 1, side, side))[0, 0, 0]
        return int(row[0]), int(row[-1])

    assert kept(15) == (4, 10)
    assert kept(17) == (5, 11)
    assert kept(7) == (0, 6)
    assert kept(20) == (0, 19)
    assert kept(31) == (0, 30)
