"""SiamAtt on a light backbone, with a SiamMask branch: the embedded default.

The network holds weights only: `embed` turns exemplars into kernels, `match` compares them with search regions,
`segment` draws the mask at one chosen cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tracker import boxes
from tracker.config import NetConfig
from tracker.models.backbone import MobileTrunk
from tracker.models.heads import CorrelationHead, MaskHead, PointHead, conv_norm
from tracker.models.network import Kernels, Response, nothing


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
        self.shapes: Tensor
        self.register_buffer("shapes", torch.from_numpy(boxes.anchor_shapes(self.config)).float(), persistent=False)

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
        """Kernels of exemplars (n, 3, 127, 127), for classification, regression, attention, offset and mask.

        Only the central 7 x 7 cells are kept (reference A.3).
        """
        z = self.neck(exemplar)[:, :, 4:11, 4:11]
        return tuple(head.kernel(z) for head in (self.cls, self.loc, self.att, self.off, self.mask))

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, 255, 255) with one exemplar each.

        On the aligned grid the offset branch only helps training (reference C.4, point 5), so tracking leaves it out.
        """
        cls, loc, att, off, _ = kernels
        p1, p2, p3, p4 = self.backbone(search)
        x = self._join(p3, p4)
        n, g = x.shape[0], self.config.grid
        found, shapes = self.cls(x, cls), self.loc(x, loc)
        return Response(
            found,
            shapes,
            self.att(x, att),
            self.off(x, off) if offsets else nothing(x, n, 0, g, g),
            nothing(x, n, 0, len(self.config.anchor_ratios) * 2, g, g),
            (x, p2, p1, found, shapes),
        )

    def segment(
        self,
        kernels: Kernels,
        features: tuple[Tensor, ...],
        rows: Tensor,
        columns: Tensor,
        extents: Tensor | None = None,
    ) -> Tensor:
        """Mask logits (n, 63, 63) at one cell per sample; cell (y, x) covers crop pixels 8(x - 4) .. 8(x - 4) + 126.

        ``extents`` (n, 4): ``cx, cy, w, h`` in crop pixels that the masks should fill; without, those of the cells'
        best anchors.
        """
        return self.draw(kernels, self.windows(features, rows, columns, extents))

    def windows(
        self, features: tuple[Tensor, ...], rows: Tensor, columns: Tensor, extents: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """What `draw` needs of the features at one cell per sample; the one step whose shapes depend on values."""
        x, stride4, stride2, cls, loc = features
        if extents is None:
            extents = self.candidates(cls, loc, rows, columns)
        return self.mask.windows(x, stride4, stride2, rows, columns, extents)

    def draw(self, kernels: Kernels, windows: Sequence[Tensor]) -> Tensor:
        """Mask logits (n, 63, 63) from `windows`."""
        return self.mask(kernels[4], *windows)

    def candidates(self, cls: Tensor, loc: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Box of the best anchor at one cell per sample: (n, 4) ``cx, cy, w, h`` in crop pixels."""
        n, count, grid = cls.shape[0], self.shapes.shape[0], cls.shape[-1]
        sample = torch.arange(n, device=cls.device)
        chances = cls.float().view(n, 2, count, grid, grid)[sample, :, :, rows, columns]
        best = (chances[:, 1] - chances[:, 0]).argmax(1)
        deltas = loc.float().view(n, 4, count, grid, grid)[sample, :, best, rows, columns]
        shape = self.shapes[best]
        cells = torch.stack([columns, rows], 1).to(shape.dtype) * self.config.stride
        middle = deltas[:, :2] * shape + cells + float(boxes.cell_centres(self.config)[0])
        return torch.cat([middle, shape * deltas[:, 2:].clamp(max=3).exp()], 1)
