"""SiamAtt's attention and offset modules (SiamAtt fig. 2, reference C.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from tracker.models.correlation import depthwise_correlation
from tracker.models.heads import conv_norm

PRIOR = -2.19
"""Bias of a fresh attention map: the logit of 0.1, since one cell of 625 is positive."""


class Context(nn.Module):
    """3 x 3 convolution with bias and ReLU that keeps the size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.conv(x))


def _branch(channels: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(Context(channels), nn.Conv2d(channels, outputs, 1))


class PointModules(nn.Module):
    """On each level 1 x 1 projections of template and search region and a correlation of their own.

    7 x 7 over 31 x 31 cells give 25 x 25, on the same crop pixels 31 + 8i as the proposals' 5 over 29.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.conv_kernel = nn.ModuleList(conv_norm(width, width) for width in channels)
        self.conv_search = nn.ModuleList(conv_norm(width, width) for width in channels)

    def kernels(self, template: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Project a template once per target: (n, c, 7, 7) of each level -> the same sizes."""
        return tuple(project(z) for project, z in zip(self.conv_kernel, template, strict=True))

    def _maps(self, branches: Iterable[nn.Module], search: Sequence[Tensor], kernels: Sequence[Tensor]) -> Tensor:
        parts = zip(branches, self.conv_search, search, kernels, strict=True)
        return torch.cat([branch(depthwise_correlation(project(x), k)) for branch, project, x, k in parts], 1)


class Attention(PointModules):
    """How much each cell draws attention, per level: ``forward`` gives logits (n, l, g, g)."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__(channels)
        self.att_mods = nn.ModuleList(_branch(width, 1) for width in channels)
        for branch in self.att_mods:
            nn.init.constant_(branch.get_parameter("1.bias"), PRIOR)

    def forward(self, search: Sequence[Tensor], kernels: Sequence[Tensor]) -> Tensor:
        return self._maps(self.att_mods, search, kernels)


class Offset(PointModules):
    """Where in its cell the target lies, per level: ``forward`` gives (n, 2l, g, g), x then y of each level."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__(channels)
        self.offs = nn.ModuleList(_branch(width, 2) for width in channels)

    def forward(self, search: Sequence[Tensor], kernels: Sequence[Tensor]) -> Tensor:
        return self._maps(self.offs, search, kernels)
