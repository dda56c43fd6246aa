"""SiamMask: one level of SiamRPN++ and a mask at every response cell (SiamMask sec. 3, reference B.3)."""

from __future__ import annotations

from torch import Tensor, nn

from tracker.config import NetConfig
from tracker.models.masks import SIDE, MaskHead, Refine
from tracker.models.necks import Neck, centre
from tracker.models.network import Kernels, Response
from tracker.models.resnet import ResNet50
from tracker.models.rpn import DepthwiseRPN
from tracker.models.siamrpn import plain, to_input


class SiamMask(nn.Module):
    """Exemplars (n, 3, 127, 127) and search regions (n, 3, s, s): float, BGR, 0 to 255, from `preprocess`."""

    preprocess = staticmethod(to_input)

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        (channels,) = config.neck
        self.backbone = ResNet50((0, 1, 2, 3))
        *fine, deep = self.backbone.channels
        self.neck = Neck((deep,), config.neck)
        self.rpn_head = DepthwiseRPN(len(config.anchor_ratios), channels)
        self.mask_head = MaskHead(channels)
        self.refine_head = Refine(channels, fine)

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        """Features of crops (n, 3, s, s): the neck's, then the backbone's at strides 2, 4 and 8."""
        *fine, deep = self.backbone(image)
        return (*self.neck((deep,)), *fine)

    def template(self, exemplar: Tensor) -> Tensor:
        """The neck's central 7 x 7 cells of exemplars (n, 3, 127, 127); of crops of 255 px all 31 x 31."""
        return centre(self.features(exemplar)[0])

    def embed(self, exemplar: Tensor, weights: Tensor | None = None) -> Kernels:
        """Kernels of exemplars (n, 3, 127, 127) for classification, regression and mask.

        ``weights`` (n, 7, 7) multiply the template's cells before any branch projects them.
        """
        z = self.template(exemplar)
        if weights is not None:
            z = z * weights[:, None]
        return *self.rpn_head.kernels((z,)), self.mask_head.kernel(z)

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, s, s) with one exemplar each; no attention, so ``offsets`` changes nothing."""
        features = self.features(search)
        cls, loc, _ = self.rpn_head(features[:1], kernels[:2])
        return plain(cls, loc, features)

    def masks(self, kernels: Kernels, response: Response) -> Tensor:
        """Unrefined mask logits of every cell: (n, 3969, g, g), each cell's 63 x 63 in its channels."""
        return self.mask_head(response.features[0], kernels[2])

    def segment(
        self, kernels: Kernels, features: tuple[Tensor, ...], rows: Tensor, columns: Tensor, *, refine: bool = True
    ) -> Tensor:
        """Mask logits (n, 127, 127) at one response cell per sample; without ``refine`` (n, 63, 63).

        Cell (y, x) covers crop pixels 8(x - 4) .. 8(x - 4) + 126.
        """
        neck, *fine = features
        vector = self.mask_head.vector(neck, kernels[2], rows, columns)
        if refine:
            return self.refine_head(vector, fine, rows, columns)
        return self.mask_head.head(vector).view(-1, SIDE, SIDE)
