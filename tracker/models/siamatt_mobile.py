"""SiamAtt on a light backbone, with a SiamMask branch: the embedded default.

The network holds weights only: `embed` turns exemplars into kernels, `match` compares them with search regions,
`segment` draws the mask at one chosen cell.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tracker import boxes as arithmetic
from tracker.config import NetConfig
from tracker.models.backbone import MobileTrunk
from tracker.models.heads import CorrelationHead, MaskHead, PointHead, conv_norm


class Kernels(NamedTuple):
    """What is remembered of an exemplar, one kernel per branch; batch first."""

    cls: Tensor
    loc: Tensor
    att: Tensor
    off: Tensor
    mask: Tensor


class Response(NamedTuple):
    """What the network says of a search region, and the features that the mask branch needs.

    ``cls`` (n, 2k, 25, 25): background then foreground logits of the k anchors; ``loc`` (n, 4k, 25, 25): dx, dy, dw,
    dh; ``att`` (n, 1, 25, 25) logits; ``off`` (n, 2, 25, 25) offsets (x, y) in cells.
    """

    cls: Tensor
    loc: Tensor
    att: Tensor
    off: Tensor
    neck: Tensor
    stride4: Tensor
    stride2: Tensor


class SiamAttMobile(nn.Module):
    """Exemplars (n, 3, 127, 127) and search regions (n, 3, 255, 255): float, BGR, scaled to [-1, 1] by `preprocess`."""

    def __init__(self, config: NetConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetConfig()
        c, k = self.config.channels, len(self.config.anchor_ratios)
        self.backbone = MobileTrunk()
        stride2, stride4, stride8, stride16 = self.backbone.channels
        self.neck8 = conv_norm(stride8, c, relu=False)
        self.neck16 = conv_norm(stride16, c, relu=False)
        self.cls = CorrelationHead(c, 2 * k)
        self.loc = CorrelationHead(c, 4 * k)
        self.att = PointHead(c, 1, prior=-2.19)
        self.off = PointHead(c, 2)
        self.mask = MaskHead(c, (stride2, stride4))
        self.anchors: Tensor
        self.register_buffer("anchors", torch.from_numpy(arithmetic.anchors(self.config)), persistent=False)

    @staticmethod
    def preprocess(pixels: Tensor) -> Tensor:
        """(n, h, w, 3) uint8 BGR -> (n, 3, h, w) float32 in [-1, 1]; keeps the channels-last layout the pixels have."""
        return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)

    def neck(self, image: Tensor) -> Tensor:
        """Features of crops (n, 3, s, s) on the stride-8 grid: 31 cells for 255 px, 15 for 127."""
        _, _, p3, p4 = self.backbone(image)
        return self._join(p3, p4)

    def _join(self, p3: Tensor, p4: Tensor) -> Tensor:
        """Sum of both strides on the stride-8 grid, last row and column dropped so that both centres line up.

        Cell m of stride 16 sits on cell 2m + 1 of stride 8, hence the replicated border before the upsampling.
        """
        side = p3.shape[-1]
        deep = F.pad(self.neck16(p4), (1, 0, 1, 0), mode="replicate")
        deep = F.interpolate(deep, size=(side + 1, side + 1), mode="bilinear", align_corners=True)
        return self.neck8(p3)[:, :, :-1, :-1] + deep[:, :, 1:-1, 1:-1]

    def embed(self, exemplar: Tensor) -> Kernels:
        """Kernels of exemplars (n, 3, 127, 127); only the central 7 x 7 cells are kept (reference A.3)."""
        z = self.neck(exemplar)[:, :, 4:11, 4:11]
        return Kernels(*(head.kernel(z) for head in (self.cls, self.loc, self.att, self.off, self.mask)))  # type: ignore[operator]

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, 255, 255) with one exemplar each.

        Without ``offsets`` that branch is skipped and `Response.off` is empty: on the aligned grid it only helps
        training (reference C.4, point 5).
        """
        p1, p2, p3, p4 = self.backbone(search)
        x = self._join(p3, p4)
        return Response(
            self.cls(x, kernels.cls),
            self.loc(x, kernels.loc),
            self.att(x, kernels.att),
            self.off(x, kernels.off) if offsets else x.new_empty(0),
            x,
            p2,
            p1,
        )

    def segment(
        self, kernels: Kernels, response: Response, rows: Tensor, columns: Tensor, boxes: Tensor | None = None
    ) -> Tensor:
        """Mask logits (n, 63, 63) at one cell per sample; cell (y, x) covers crop pixels 8(x - 4) .. 8(x - 4) + 126.

        ``boxes`` (n, 4): ``cx, cy, w, h`` in crop pixels that the masks should fill; without, those of the cells' best
        anchors.
        """
        if boxes is None:
            boxes = self.candidates(response, rows, columns)
        features = response.neck, response.stride4, response.stride2
        return self.mask(kernels.mask, *features, rows, columns, boxes)

    def candidates(self, response: Response, rows: Tensor, columns: Tensor) -> Tensor:
        """Box of the best anchor at one cell per sample: (n, 4) ``cx, cy, w, h`` in crop pixels."""
        n, grid, count = response.cls.shape[0], self.config.grid, self.anchors.shape[0]
        sample = torch.arange(n, device=rows.device)
        cls = response.cls.float().view(n, 2, count, grid, grid)[sample, :, :, rows, columns]
        best = (cls[:, 1] - cls[:, 0]).argmax(1)
        loc = response.loc.float().view(n, 4, count, grid, grid)[sample, :, best, rows, columns]
        anchor = self.anchors[best, rows, columns]
        middle = loc[:, :2] * anchor[:, 2:] + anchor[:, :2]
        return torch.cat([middle, anchor[:, 2:] * loc[:, 2:].clamp(max=3).exp()], 1)


def fuse(net: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution before it, in place; for inference only (eval mode)."""
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                conv, norm = module[i], module[i + 1]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return net


def foreground(cls: Tensor) -> Tensor:
    """Foreground probability of every anchor: (n, 2k, g, g) -> (n, k, g, g)."""
    n, k = cls.shape[0], cls.shape[1] // 2
    return torch.softmax(cls.view(n, 2, k, *cls.shape[2:]), 1)[:, 1]
