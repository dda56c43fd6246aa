"""Heads over the correlation of exemplar and search features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tracker.models.correlation import depthwise_correlation

STRIDE, WINDOW = 8, 126
"""Search pixels between response cells, and under the embedded tracker's mask."""


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


def _refine(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two 3 x 3 convolutions with ReLU that keep the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, hidden, 3, padding=1), nn.ReLU(True), nn.Conv2d(hidden, outputs, 3, padding=1), nn.ReLU(True)
    )


def _joint(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two 3 x 3 convolutions whose answer starts at zero: added to what is there, they begin by changing nothing."""
    last = nn.Conv2d(hidden, outputs, 3, padding=1)
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Conv2d(inputs, hidden, 3, padding=1), nn.ReLU(True), last)


def extents(boxes: Tensor, side: int) -> Tensor:
    """Where each cell of a candidate's exemplar window lies in its box: (n, 3, side, side).

    ``boxes`` (n, 4) ``cx, cy, w, h`` in search pixels from the window's corner. Channels: distance from the middle in
    half widths, in half heights (both at most 2), and a soft 1 inside the box.
    """
    steps = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) * (WINDOW / side)
    across, down = steps[None] - boxes[:, :1], steps[None] - boxes[:, 1:2]
    u = (across.abs() / (boxes[:, 2:3] / 2).clamp(min=1)).clamp(max=2)[:, None, :].expand(-1, side, -1)
    v = (down.abs() / (boxes[:, 3:4] / 2).clamp(min=1)).clamp(max=2)[:, :, None].expand(-1, -1, side)
    return torch.stack([u, v, ((1 - torch.maximum(u, v)) * 8).sigmoid()], 1)


class MaskHead(nn.Module):
    """SiamMask's mask branch with refinement (SiamMask sec. 3.2, reference B.3), evaluated only at chosen cells.

    For a chosen cell the correlation is a single vector of the candidate window, so only the neck cells around the
    window are projected. The vector is unfolded to 15 x 15 and refined twice with the backbone's finer features of the
    same window: 15 -> 31 -> 63 cells. Two things are added to the paper's branch, since one vector has to name the
    target and to draw it: the candidate's box, as maps of where a cell lies in it, and how much every cell of the
    window looks like every cell of the exemplar (the pixel-wise correlation of Alpha-Refine, sec. 3.2).
    """

    def __init__(self, channels: int, fine: tuple[int, int]) -> None:
        super().__init__()
        stride2, stride4 = fine
        self.conv_kernel = separable(channels)
        self.conv_search = separable(channels)
        self.unfold = nn.ConvTranspose2d(channels, 32, 15, 15)
        self.v2, self.h2 = _refine(channels, 48, 32), _refine(32, 32, 32)
        self.v1, self.h1 = _refine(stride4, 24, 16), _refine(16, 16, 16)
        self.v0, self.h0 = _refine(stride2, 12, 8), nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(True))
        self.post2 = nn.Conv2d(32, 16, 3, padding=1)
        self.post1 = nn.Conv2d(16, 8, 3, padding=1)
        self.post0 = nn.Conv2d(8, 1, 3, padding=1)
        self.guide2, self.join2 = _joint(28, 48, 32), _joint(32, 64, 32)
        self.guide1, self.join1 = _joint(3, 16, 16), _joint(16, 32, 16)
        self.guide0, self.join0 = _joint(3, 8, 8), _joint(8, 16, 8)

    def kernel(self, exemplar: Tensor) -> Tensor:
        """Project the exemplar once per target: (n, c, 7, 7) -> (n, c, 5, 5)."""
        return self.conv_kernel(exemplar)

    @staticmethod
    def windows(
        neck: Tensor, stride4: Tensor, stride2: Tensor, rows: Tensor, columns: Tensor, boxes: Tensor
    ) -> tuple[Tensor, ...]:
        """What `forward` needs of the search region's features for one cell (row, column) per sample.

        The neck around the exemplar's window (17 cells), then neck, stride 4 and stride 2 under the mask (15, 31, 63),
        and the candidates' boxes seen from the mask's corner (n, 4, 1, 1). ``boxes`` (n, 4): ``cx, cy, w, h`` in
        search pixels.
        """
        corner = STRIDE * (torch.stack([columns, rows], 1) - 4)
        within = torch.cat([boxes[:, :2] - corner.to(boxes.dtype), boxes[:, 2:]], 1)
        return (
            windows(neck, rows, columns, 17, 5),
            windows(neck, rows, columns, 15, 4),
            windows(stride4, rows * 2, columns * 2, 31, 8),
            windows(stride2, rows * 4, columns * 4, 63, 16),
            within[:, :, None, None],
        )

    def forward(
        self, kernel: Tensor, around: Tensor, coarse: Tensor, middle: Tensor, fine: Tensor, within: Tensor
    ) -> Tensor:
        """Mask logits (n, 63, 63) from `windows`."""
        boxes = within[:, :, 0, 0]
        seen = self.conv_search(around)
        vector = (seen[:, :, 5:10, 5:10] * kernel).sum((2, 3), keepdim=True)
        alike = torch.einsum("nchw,nck->nkhw", F.normalize(seen, dim=1), F.normalize(kernel.flatten(2), dim=1))
        out = self.h2(self.unfold(vector)) + self.v2(coarse)
        out = out + self.guide2(torch.cat([alike, extents(boxes, 15)], 1))
        out = self.post2(F.interpolate(out + self.join2(out), size=31))
        out = self.h1(out) + self.v1(middle)
        out = out + self.guide1(extents(boxes, 31))
        out = self.post1(F.interpolate(out + self.join1(out), size=63))
        out = self.h0(out) + self.v0(fine)
        out = out + self.guide0(extents(boxes, 63))
        return self.post0(out + self.join0(out))[:, 0]
