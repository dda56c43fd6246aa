"""SiamMask's mask branch and its refinement (SiamMask sec. 3.2 and fig. 3, reference B.3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from tracker.models.heads import windows
from tracker.models.rpn import DepthwiseHead

SIDE = 63
"""Cells of an unrefined mask along one side: each response cell holds a whole mask in its 63 x 63 channels."""
WINDOWS = ((61, 16, 4), (31, 8, 2), (15, 4, 1))
"""Side and margin in cells, and cells per response cell, of the windows of features 0, 1 and 2 under an exemplar."""


class MaskHead(DepthwiseHead):
    """A mask (63 x 63 logits, as channels) at every response cell: (n, 3969, 25, 25)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, SIDE * SIDE)

    def vector(self, search: Tensor, kernel: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """The correlation (n, c, 1, 1) of one response cell per sample: what `forward` has there before its head.

        Only the 7 x 7 cells under the exemplar's window are projected, so batch norm must not be in training mode.
        """
        under = windows(search, rows, columns, 7, 0)
        return (self.conv_search(under) * kernel).sum((2, 3), keepdim=True)


def _pair(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two 3 x 3 convolutions with ReLU that keep the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, hidden, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class Refine(nn.Module):
    """Unfolds a cell's correlation vector to 15 x 15 and sharpens it three times with the backbone's finer features.

    ``features``: those of the search region after the first convolution and after stages 1 and 2, 64, 256 and 512
    channels wide. The sizes are 15, 31, 61 and 127 cells, enlarged by repeating the nearest cell.
    """

    def __init__(self, channels: int, features: Sequence[int] = (64, 256, 512)) -> None:
        super().__init__()
        self.v0, self.v1, self.v2 = (
            _pair(width, width // 4, out) for width, out in zip(features, (4, 16, 32), strict=True)
        )
        self.h2, self.h1, self.h0 = (_pair(width, width, width) for width in (32, 16, 4))
        self.deconv = nn.ConvTranspose2d(channels, 32, 15, 15)
        self.post0 = nn.Conv2d(32, 16, 3, padding=1)
        self.post1 = nn.Conv2d(16, 4, 3, padding=1)
        self.post2 = nn.Conv2d(4, 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)

    def forward(self, vector: Tensor, features: Sequence[Tensor], rows: Tensor, columns: Tensor) -> Tensor:
        """Mask logits (n, 127, 127) of one response cell (row, column) per sample."""
        f0, f1, f2 = (
            windows(feature, rows * step, columns * step, side, margin)
            for feature, (side, margin, step) in zip(features, WINDOWS, strict=True)
        )
        out = self.deconv(vector)
        out = self.post0(F.interpolate(self.h2(out) + self.v2(f2), size=31))
        out = self.post1(F.interpolate(self.h1(out) + self.v1(f1), size=61))
        return self.post2(F.interpolate(self.h0(out) + self.v0(f0), size=127))[:, 0]
