"""Heads over the correlation of exemplar and search features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tracker.models.correlation import depthwise_correlation


def conv_norm(inputs: int, outputs: int, kernel: int = 1, groups: int = 1, relu: bool = True) -> nn.Sequential:
    """Convolution without padding, batch norm and, unless ``relu`` is off, a ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def separable(channels: int) -> nn.Sequential:
    """The 3 x 3 of the papers' heads as depth-wise plus point-wise: a ninth of its cost; 31 -> 29 cells, 7 -> 5."""
    return nn.Sequential(conv_norm(channels, channels, 3, groups=channels, relu=False), conv_norm(channels, channels))


class CorrelationHead(nn.Module):
    """Classification or regression branch: own exemplar and search projections, depth-wise correlation, 1 x 1 head.

    ``kernel``: exemplar neck (n, c, 7, 7) -> (n, c, 5, 5). ``forward``: search neck (n, c, 31, 31) and kernel ->
    (n, outputs, 25, 25) logits.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv_kernel = separable(channels)
        self.conv_search = separable(channels)
        self.head = nn.Sequential(conv_norm(channels, channels), nn.Conv2d(channels, outputs, 1))

    def kernel(self, exemplar: Tensor) -> Tensor:
        """Project the exemplar once per target."""
        return self.conv_kernel(exemplar)

    def forward(self, search: Tensor, kernel: Tensor) -> Tensor:
        return self.head(depthwise_correlation(self.conv_search(search), kernel))


class PointHead(nn.Module):
    """Attention or offset branch of SiamAtt (fig. 2; reference C.1): 1 x 1 projections, correlation of 7 over 31 cells,
    a 3 x 3 (here separable) and a 1 x 1 convolution -> (n, outputs, 25, 25) logits.
    """

    def __init__(self, channels: int, outputs: int, prior: float | None = None) -> None:
        super().__init__()
        self.conv_kernel = conv_norm(channels, channels)
        self.conv_search = conv_norm(channels, channels)
        self.context = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False), conv_norm(channels, channels)
        )
        self.head = nn.Conv2d(channels, outputs, 1)
        if prior is not None:
            assert self.head.bias is not None
            nn.init.constant_(self.head.bias, prior)

    def kernel(self, exemplar: Tensor) -> Tensor:
        """Project the exemplar once per target."""
        return self.conv_kernel(exemplar)

    def forward(self, search: Tensor, kernel: Tensor) -> Tensor:
        return self.head(self.context(depthwise_correlation(self.conv_search(search), kernel)))


def windows(features: Tensor, rows: Tensor, columns: Tensor, side: int, margin: int) -> Tensor:
    """Cut one ``side`` x ``side`` window per sample, its corner at (row, column) of the map padded by ``margin`` zeros.

    ``features`` (n, c, h, w); ``rows``, ``columns`` (n,) int64 -> (n, c, side, side).
    """
    cuts = []
    # unbound first: the gradient of a slice is as large as what it was cut from; padded last: a window is small
    for sample, row, column in zip(features.unbind(0), rows.tolist(), columns.tolist(), strict=True):
        top, left = row - margin, column - margin
        part = sample[:, max(top, 0) : top + side, max(left, 0) : left + side]
        above, before = max(-top, 0), max(-left, 0)
        beyond = (before, side - part.shape[2] - before, above, side - part.shape[1] - above)
        cuts.append(F.pad(part, beyond) if any(beyond) else part)
    return cuts[0][None] if len(cuts) == 1 else torch.stack(cuts)  # a stack of one would only be a copy
