"""SiamAtt on a light backbone, with a mask branch of its own: the embedded default.

The network holds weights only: `embed` turns exemplars into kernels, `match` compares them with search regions, `draw`
draws the mask of what is in a box.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from tracker.config import NetConfig
from tracker.models.backbone import MobileTrunk
from tracker.models.heads import CorrelationHead, PointHead, conv_norm
from tracker.models.network import Kernels, Response, nothing
from tracker.models.outline import OutlineHead


class SiamAttMobile(nn.Module):
    """Exemplars (n, 3, 127, 127) and search regions (n, 3, 255, 255): float, BGR, scaled to [-1, 1] by `preprocess`."""

    def __init__(self, config: NetConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetConfig()
        c, k = self.config.channels, len(self.config.anchor_ratios)
        self.backbone = MobileTrunk()
        _, _, stride8, stride16 = self.backbone.channels
        self.neck8 = conv_norm(stride8, c, relu=False)
        self.neck16 = conv_norm(stride16, c, relu=False)
        self.cls = CorrelationHead(c, 2 * k)
        self.loc = CorrelationHead(c, 4 * k)
        self.att = PointHead(c, 1, prior=-2.19)
        self.off = PointHead(c, 2)
        self.outline = OutlineHead(self.backbone.channels)

    @staticmethod
    def preprocess(pixels: Tensor) -> Tensor:
        """(n, h, w, 3) uint8 BGR -> (n, 3, h, w) float32 in [-1, 1]; keeps the channels-last layout the pixels have."""
        return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)

    def neck(self, image: Tensor) -> Tensor:
        """Features of crops (n, 3, s, s) on the stride-8 grid: 31 cells for 255 px, 15 for 127."""
        _, _, p3, p4 = self.backbone(image)
        side = p3.shape[-1]
        # cell m of stride 16 sits on cell 2m + 1 of stride 8, hence the replicated border before the upsampling
        deep = F.pad(self.neck16(p4), (1, 0, 1, 0), mode="replicate")
        deep = F.interpolate(deep, size=(side + 1, side + 1), mode="bilinear", align_corners=True)
        # last row and column dropped so that the centres of exemplar and region line up
        return self.neck8(p3)[:, :, :-1, :-1] + deep[:, :, 1:-1, 1:-1]

    def embed(self, exemplar: Tensor) -> Kernels:
        """Kernels of exemplars (n, 3, 127, 127), for classification, regression, attention and offset.

        Only the central 7 x 7 cells are kept (reference A.3).
        """
        z = self.neck(exemplar)[:, :, 4:11, 4:11]
        return tuple(head.kernel(z) for head in (self.cls, self.loc, self.att, self.off))

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, 255, 255) with one exemplar each.

        On the aligned grid the offset branch only helps training (reference C.4, point 5), so tracking leaves it out.
        """
        cls, loc, att, off = kernels
        x = self.neck(search)
        n, g = x.shape[0], self.config.grid
        return Response(
            self.cls(x, cls),
            self.loc(x, loc),
            self.att(x, att),
            self.off(x, off) if offsets else nothing(x, n, 0, g, g),
            nothing(x, n, 0, len(self.config.anchor_ratios) * 2, g, g),
            (x,),
        )

    def draw(
        self,
        crops: Tensor,
        boxes: Tensor,
        hints: Tensor,
        memory: Tensor,
        figure: Tensor,
        ground: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Mask logits (n, 72, 72) of what is in the boxes of crops (n, 3, 144, 144), and the crops' keys.

        See `OutlineHead.forward` for what it is told, `OutlineHead.keys` for what a crop is remembered by.
        """
        features = self.backbone(crops)
        keys = self.outline.keys(features[2], features[3])
        return self.outline(features, keys, boxes, hints, memory, figure, ground), keys
