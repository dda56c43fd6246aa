"""State dicts as the field publishes them: names and shapes of the reference's section A.5, written out by themselves.

Nothing here knows our networks, so that the importers are held against the publications. Values are cheap: one small
random storage, seen through every shape (`cheap`), unless a test needs real ones (`real`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
BLOCKS = (3, 4, 6, 3)


def norm(name: str, channels: int) -> Shapes:
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")} | {
        f"{name}.num_batches_tracked": ()
    }


def resnet50(layers: int = 4, *, dilated: bool = True) -> Shapes:
    out: Shapes = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    inputs = 64
    for layer in range(1, layers + 1):
        planes = 64 * 2 ** (layer - 1)
        for block in range(BLOCKS[layer - 1]):
            at = f"layer{layer}.{block}"
            out |= {f"{at}.conv1.weight": (planes, inputs, 1, 1), **norm(f"{at}.bn1", planes)}
            out |= {f"{at}.conv2.weight": (planes, planes, 3, 3), **norm(f"{at}.bn2", planes)}
            out |= {f"{at}.conv3.weight": (4 * planes, planes, 1, 1), **norm(f"{at}.bn3", 4 * planes)}
            if block == 0:
                k = 3 if dilated and layer > 1 else 1
                out |= {f"{at}.downsample.0.weight": (4 * planes, inputs, k, k)}
                out |= norm(f"{at}.downsample.1", 4 * planes)
            inputs = 4 * planes
    return out


def torchvision_resnet50() -> Shapes:
    return resnet50(dilated=False) | {"fc.weight": (1000, 2048), "fc.bias": (1000,)}


def alexnet() -> Shapes:
    out: Shapes = {}
    convs = ((0, 96, 3, 11), (4, 256, 96, 5), (8, 384, 256, 3), (11, 384, 384, 3), (14, 256, 384, 3))
    for at, outputs, inputs, k in convs:
        out |= {f"features.{at}.weight": (outputs, inputs, k, k), f"features.{at}.bias": (outputs,)}
        out |= norm(f"features.{at + 1}", outputs)
    return out


def mobilenetv2() -> Shapes:
    out: Shapes = {"layer0.0.weight": (44, 3, 3, 3), **norm("layer0.1", 44)}
    inputs = 44
    stages = ((1, 22, 1), (6, 33, 2), (6, 44, 3), (6, 89, 4), (6, 134, 3), (6, 224, 3), (6, 448, 1))
    for layer, (expansion, outputs, blocks) in enumerate(stages, 1):
        for block in range(blocks):
            at, middle = f"layer{layer}.{block}.conv", inputs * expansion
            out |= {f"{at}.0.weight": (middle, inputs, 1, 1), **norm(f"{at}.1", middle)}
            out |= {f"{at}.3.weight": (middle, 1, 3, 3), **norm(f"{at}.4", middle)}
            out |= {f"{at}.6.weight": (outputs, middle, 1, 1), **norm(f"{at}.7", outputs)}
            inputs = outputs
    return out


def neck(inputs: Iterable[int], outputs: Iterable[int]) -> Shapes:
    out: Shapes = {}
    for level, (i, o) in enumerate(zip(inputs, outputs, strict=True), 2):
        at = f"neck.downsample{level}.downsample"
        out |= {f"{at}.0.weight": (o, i, 1, 1), **norm(f"{at}.1", o)}
    return out


def correlation(at: str, channels: int, outputs: int, k: int = 3) -> Shapes:
    out: Shapes = {}
    for part in ("conv_kernel", "conv_search"):
        out |= {f"{at}.{part}.0.weight": (channels, channels, k, k), **norm(f"{at}.{part}.1", channels)}
    out |= {f"{at}.head.0.weight": (channels, channels, 1, 1), **norm(f"{at}.head.1", channels)}
    return out | {f"{at}.head.3.weight": (outputs, channels, 1, 1), f"{at}.head.3.bias": (outputs,)}


def rpn(at: str, channels: int = 256) -> Shapes:
    return correlation(f"{at}.cls", channels, 10) | correlation(f"{at}.loc", channels, 20)


def under(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


LEVEL_WEIGHTS: Shapes = {"rpn_head.cls_weight": (3,), "rpn_head.loc_weight": (3,)}


def siamrpn(backbone: Shapes, inputs: Iterable[int], widths: tuple[int, ...], *, weighted: bool = True) -> Shapes:
    out = under("backbone.", backbone) | neck(inputs, widths) | (LEVEL_WEIGHTS if weighted else {})
    for level, width in enumerate(widths, 2):
        out |= rpn(f"rpn_head.rpn{level}", width)
    return out


def siammask() -> Shapes:
    out = under("backbone.", resnet50(3))
    out |= {"neck.downsample.downsample.0.weight": (256, 1024, 1, 1), **norm("neck.downsample.downsample.1", 256)}
    out |= rpn("rpn_head") | correlation("mask_head", 256, 63 * 63)
    steps = {"v0": (64, 16, 4), "v1": (256, 64, 16), "v2": (512, 128, 32)}
    steps |= {"h2": (32, 32, 32), "h1": (16, 16, 16), "h0": (4, 4, 4)}
    for part, (first, middle, last) in steps.items():
        for at, i, o in ((0, first, middle), (2, middle, last)):
            out |= {f"refine_head.{part}.{at}.weight": (o, i, 3, 3), f"refine_head.{part}.{at}.bias": (o,)}
    out |= {"refine_head.deconv.weight": (256, 32, 15, 15), "refine_head.deconv.bias": (32,)}
    for at, i, o in ((0, 32, 16), (1, 16, 4), (2, 4, 1)):
        out |= {f"refine_head.post{at}.weight": (o, i, 3, 3), f"refine_head.post{at}.bias": (o,)}
    return out


def siamatt() -> Shapes:
    out = R50
    for head, modules, outputs in (("att_mods_head", "att_mods", 1), ("off_mods_head", "offs", 2)):
        for n in range(3):
            for part in ("conv_kernel", "conv_search"):
                at = f"{head}.{part}.{n}"
                out = out | {f"{at}.0.weight": (256, 256, 1, 1), **norm(f"{at}.1", 256)}
            at = f"{head}.{modules}.{n}"
            out = out | {f"{at}.0.conv.weight": (256, 256, 3, 3), f"{at}.0.conv.bias": (256,)}
            out = out | {f"{at}.1.weight": (outputs, 256, 1, 1), f"{at}.1.bias": (outputs,)}
    return out


RESNET_LEVELS = (512, 1024, 2048)
R50 = siamrpn(resnet50(), RESNET_LEVELS, (256, 256, 256))
R50_OTB = siamrpn(resnet50(), RESNET_LEVELS, (256, 256, 256), weighted=False)
R50_LT = siamrpn(resnet50(), RESNET_LEVELS, (128, 256, 512))
MOBILE = siamrpn(mobilenetv2(), (44, 134, 448), (256, 256, 256), weighted=False)
ALEX = under("backbone.", alexnet()) | rpn("rpn_head")

TO_SIAMMASK = {
    "backbone.": "features.features.",
    "neck.downsample.": "features.downsample.",
    "rpn_head.": "rpn_model.",
    "mask_head.": "mask_model.mask.",
    "refine_head.": "refine_model.",
}


def in_siammasks_repository(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of pysot's and the SiamMask repository's names."""
    for name in names:
        old = next(old for old in TO_SIAMMASK if name.startswith(old))
        yield name, TO_SIAMMASK[old] + name.removeprefix(old)


def in_mmtracking(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of pysot's and mmtracking's names."""
    parts = {"conv_kernel.0": "kernel_convs.conv", "conv_kernel.1": "kernel_convs.bn"}
    parts |= {"conv_search.0": "search_convs.conv", "conv_search.1": "search_convs.bn"}
    parts |= {"head.0": "head_convs.0.conv", "head.1": "head_convs.0.bn", "head.3": "head_convs.1.conv"}
    plain = {"rpn_head.cls_weight": "head.cls_weight", "rpn_head.loc_weight": "head.reg_weight"}
    for name in names:
        if name in plain:
            yield name, plain[name]
        elif name.startswith("neck."):
            _, level, _, kind, rest = name.split(".")
            yield name, f"neck.convs.{int(level[-1]) - 2}.{('conv', 'bn')[int(kind)]}.{rest}"
        elif name.startswith("rpn_head."):
            _, level, branch, part, at, rest = name.split(".")
            heads = {"cls": "cls_heads", "loc": "reg_heads"}[branch]
            yield name, f"head.{heads}.{int(level[-1]) - 2}.{parts[f'{part}.{at}']}.{rest}"
        else:
            yield name, name


def cheap(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Tensors that share a few random numbers, repeated by strides of nothing: any network in no memory."""
    values = torch.rand(4096, generator=torch.Generator().manual_seed(seed))
    return {name: _tensor(name, shape, values) for name, shape in shapes.items()}


def _tensor(name: str, shape: tuple[int, ...], values: Tensor) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    first = shape[0]
    start = sum(map(ord, name)) % (len(values) - first) if first < len(values) else 0
    return values[start : start + first].reshape(first, *[1] * (len(shape) - 1)).expand(shape)


def real(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Tensors of values that keep a network's outputs in range."""
    generator = torch.Generator().manual_seed(seed)

    def tensor(name: str, shape: tuple[int, ...]) -> Tensor:
        if name.endswith("num_batches_tracked"):
            return torch.tensor(7)
        if len(shape) == 1:
            return torch.rand(shape, generator=generator) * 0.5 + 0.5
        return torch.randn(shape, generator=generator) / math.sqrt(math.prod(shape[1:]))

    return {name: tensor(name, shape) for name, shape in shapes.items()}
