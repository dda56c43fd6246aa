"""How the code bases of the field name the tensors of the same networks, all turned into pysot's names.

The renames were checked tensor by tensor against the sources (reference A.5); mmtracking's against its own head, neck
and anchor generator, whose tall anchors differ from pysot's (see `_fit_anchors`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

BATCHES = "num_batches_tracked"
"""Of every batch norm; never used by these networks and absent from files of before PyTorch 0.4.1."""
_ALIASES = re.compile(r"^(att_mods_head|off_mods_head)\.conv_(kernel|search)_\.")
"""SiamAtt registers its last level under a second name in the first forward pass: copies."""


@dataclass(frozen=True)
class Layout:
    """``marks``: beginnings of names that only this layout has. ``rename``: its names to pysot's."""

    name: str
    marks: tuple[str, ...]
    rename: Callable[[str], str] = str
    finish: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
    """For values that differ too: the renamed tensors to pysot's."""


class Renamed(NamedTuple):
    """``tensors`` by pysot's names, ``sources``: what the file calls them. ``ignored``: names of copies left out."""

    layout: str
    tensors: dict[str, Tensor]
    sources: dict[str, str]
    ignored: tuple[str, ...]


_SIAMMASK = {
    "features.features.": "backbone.",
    "features.downsample.": "neck.downsample.",
    "rpn_model.": "rpn_head.",
    "mask_model.mask.": "mask_head.",
    "refine_model.": "refine_head.",
}
_MM_NECK = re.compile(r"neck\.convs\.(\d)\.(conv|bn)\.")
_MM_HEAD = re.compile(r"head\.(cls|reg)_heads\.(\d)\.(kernel_convs|search_convs|head_convs\.[01])\.(conv|bn)\.")
_MM_WEIGHTS = {"head.cls_weight": "rpn_head.cls_weight", "head.reg_weight": "rpn_head.loc_weight"}
_MM_PARTS = {"kernel_convs": ("conv_kernel", 0), "search_convs": ("conv_search", 0)}
_MM_PARTS |= {"head_convs.0": ("head", 0), "head_convs.1": ("head", 3)}
_MM_LEVELS = 2
"""pysot numbers the levels by the backbone's layers, from 2; mmtracking from 0."""


def _from_siammask(name: str) -> str:
    old = next((old for old in _SIAMMASK if name.startswith(old)), "")
    return _SIAMMASK[old] + name.removeprefix(old) if old else name


def _from_mmtracking(name: str) -> str:
    if found := _MM_NECK.match(name):
        level, kind = int(found[1]) + _MM_LEVELS, ("conv", "bn").index(found[2])
        return f"neck.downsample{level}.downsample.{kind}.{name[found.end() :]}"
    if found := _MM_HEAD.match(name):
        branch, level = {"cls": "cls", "reg": "loc"}[found[1]], int(found[2]) + _MM_LEVELS
        part, first = _MM_PARTS[found[3]]
        return f"rpn_head.rpn{level}.{branch}.{part}.{first + ('conv', 'bn').index(found[4])}.{name[found.end() :]}"
    return _MM_WEIGHTS.get(name, name)


def _fit_anchors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """mmtracking's regression read against pysot's anchors: equal boxes, to rounding.

    mmtracking truncates width and height apart, pysot the height after the width, so that the anchors of ratios 2 and 3
    are 40x88 and 32x104 there and 40x80 and 32x96 here. Their dy is a share of the height, their dh its logarithm; the
    weights of the levels sum to one, so each level may be changed alike. Channels: dx, dy, dw, dh of five anchors each.
    """
    out = dict(tensors)
    for level in (2, 3, 4):
        weight, bias = (f"rpn_head.rpn{level}.loc.head.3.{part}" for part in ("weight", "bias"))
        shapes = [tuple(out[name].shape) if name in out else () for name in (weight, bias)]
        if shapes != [(20, 256, 1, 1), (20,)]:
            continue  # refused later, with all that does not fit
        w, b = out[weight].double(), out[bias].double()
        for anchor, ratio in ((3, 88 / 80), (4, 104 / 96)):
            dy, dh = 5 + anchor, 15 + anchor
            w[dy], b[dy], b[dh] = w[dy] * ratio, b[dy] * ratio, b[dh] + math.log(ratio)
        out[weight], out[bias] = w.to(out[weight].dtype), b.to(out[bias].dtype)
    return out


LAYOUTS = (
    Layout("SiamMask's repository", ("features.features.", "rpn_model.", "mask_model."), _from_siammask),
    Layout("mmtracking", ("head.cls_heads.", "neck.convs."), _from_mmtracking, _fit_anchors),
    Layout("pysot", ("backbone.", "rpn_head.")),
    Layout("a ResNet-50 alone", ("layer1.0.conv1.", "layer4.2.conv3.")),
)
_OTHER = Layout("an unknown layout", ())


def renamed(tensors: Mapping[str, Tensor]) -> Renamed:
    """Tensors of a file under pysot's names, ``module.`` taken away and copies left out. Values are shared."""
    bare: dict[str, str] = {}
    for source in tensors:
        _put(bare, _unwrapped(source), source)
    layout = next((own for own in LAYOUTS if any(name.startswith(own.marks) for name in bare)), _OTHER)
    sources: dict[str, str] = {}
    ignored: list[str] = []
    for name, source in bare.items():
        if _ALIASES.match(name):
            ignored.append(source)
        else:
            _put(sources, layout.rename(name), source)
    found = layout.finish({name: tensors[source] for name, source in sources.items()})
    return Renamed(layout.name, found, sources, tuple(ignored))


def _put(names: dict[str, str], name: str, source: str) -> None:
    """Two tensors that claim one name: the second keeps its own, so that it shows up as unexpected."""
    names[source if name in names else name] = source


def _unwrapped(name: str) -> str:
    """``name`` without the ``module.`` of `torch.nn.DataParallel`."""
    while name.startswith("module."):
        name = name.removeprefix("module.")
    return name
