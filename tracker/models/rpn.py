"""The region proposal heads on depth-wise correlation (SiamRPN++ sec. 3.3 and 3.4, reference A.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from tracker.models.correlation import depthwise_correlation
from tracker.models.heads import conv_norm


class DepthwiseHead(nn.Module):
    """One branch: own 3 x 3 projections of template and search region, depth-wise correlation, two 1 x 1.

    Template (n, c, 7, 7) and search (n, c, 31, 31) give (n, outputs, 25, 25); without padding, so any sizes do.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv_kernel = conv_norm(channels, channels, 3)
        self.conv_search = conv_norm(channels, channels, 3)
        self.head = nn.Sequential(*conv_norm(channels, channels), nn.Conv2d(channels, outputs, 1))

    def kernel(self, template: Tensor) -> Tensor:
        """Project a template once per target: (n, c, 7, 7) -> (n, c, 5, 5)."""
        return self.conv_kernel(template)

    def forward(self, search: Tensor, kernel: Tensor) -> Tensor:
        return self.head(depthwise_correlation(self.conv_search(search), kernel))


class Proposals(NamedTuple):
    """Logits and deltas of k anchors: ``cls`` (n, 2k, g, g), ``loc`` (n, 4k, g, g), ``levels`` what ``cls`` joins."""

    cls: Tensor
    loc: Tensor
    levels: list[Tensor]


class DepthwiseRPN(nn.Module):
    """Classification and regression on one level."""

    def __init__(self, anchors: int, channels: int) -> None:
        super().__init__()
        self.cls = DepthwiseHead(channels, 2 * anchors)
        self.loc = DepthwiseHead(channels, 4 * anchors)

    def kernels(self, template: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Kernels of both branches from the template's only level."""
        (z,) = template
        return self.cls.kernel(z), self.loc.kernel(z)

    def forward(self, search: Sequence[Tensor], kernels: Sequence[Tensor]) -> Proposals:
        (x,) = search
        cls, loc = kernels
        found = self.cls(x, cls)
        return Proposals(found, self.loc(x, loc), [found])


class MultiRPN(nn.Module):
    """One `DepthwiseRPN` per level; their answers are averaged, with learnt weights where ``weighted``."""

    def __init__(self, anchors: int, channels: Sequence[int], weighted: bool) -> None:
        super().__init__()
        self.names = [f"rpn{i + 2}" for i in range(len(channels))]
        for name, width in zip(self.names, channels, strict=True):
            self.add_module(name, DepthwiseRPN(anchors, width))
        self.weighted = weighted
        if weighted:
            self.cls_weight = nn.Parameter(torch.ones(len(channels)))
            self.loc_weight = nn.Parameter(torch.ones(len(channels)))

    def _heads(self) -> list[DepthwiseRPN]:
        return [cast(DepthwiseRPN, self.get_submodule(name)) for name in self.names]

    def kernels(self, template: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Kernels of all levels, each classification then regression."""
        return tuple(k for head, z in zip(self._heads(), template, strict=True) for k in head.kernels((z,)))

    def forward(self, search: Sequence[Tensor], kernels: Sequence[Tensor]) -> Proposals:
        """``search``: one map per level; ``kernels`` as `kernels` gave them."""
        heads = self._heads()
        cls = [head.cls(x, k) for head, x, k in zip(heads, search, kernels[::2], strict=True)]
        loc = [head.loc(x, k) for head, x, k in zip(heads, search, kernels[1::2], strict=True)]
        return Proposals(self._join(cls, "cls_weight"), self._join(loc, "loc_weight"), cls)

    def _join(self, levels: list[Tensor], name: str) -> Tensor:
        if not self.weighted:
            return sum(levels[1:], levels[0]) / len(levels)
        shares = self.get_parameter(name).softmax(0).unbind()
        return sum((level * share for level, share in zip(levels[1:], shares[1:], strict=True)), levels[0] * shares[0])
