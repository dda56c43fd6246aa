"""SiamRPN++: a Siamese backbone and region proposals on one or several levels (SiamRPN++ sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from tracker.config import NetConfig
from tracker.models.alexnet import AlexNet
from tracker.models.mobilenetv2 import MobileNetV2
from tracker.models.necks import Neck, centre
from tracker.models.network import Kernels, Response, nothing
from tracker.models.resnet import ResNet50
from tracker.models.rpn import DepthwiseRPN, MultiRPN

BACKBONES = {"resnet50": ResNet50, "mobilenetv2": MobileNetV2, "alexnet": AlexNet}


def to_input(pixels: Tensor) -> Tensor:
    """(n, s, s, 3) uint8 BGR -> (n, 3, s, s) float32, 0 to 255, in the channels-last layout of the pixels."""
    return pixels.permute(0, 3, 1, 2).float()


class SiamRPN(nn.Module):
    """Exemplars (n, 3, 127, 127) and search regions (n, 3, s, s): float, BGR, 0 to 255, from `preprocess`."""

    preprocess = staticmethod(to_input)

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = BACKBONES[config.backbone]()
        channels: Sequence[int] = self.backbone.channels
        self.neck = None
        if config.neck:
            self.neck, channels = Neck(channels, config.neck), config.neck
        anchors = len(config.anchor_ratios)
        if len(channels) == 1:
            self.rpn_head = DepthwiseRPN(anchors, channels[0])
        else:
            self.rpn_head = MultiRPN(anchors, channels, config.weighted)

    def levels(self, image: Tensor) -> list[Tensor]:
        """Features of crops (n, 3, s, s), one map per level: 31 cells for 255 px, 15 for 127."""
        features = self.backbone(image)
        return list(features) if self.neck is None else self.neck(features)

    def template(self, exemplar: Tensor) -> list[Tensor]:
        """Features of exemplars (n, 3, 127, 127): the central 7 x 7 cells where there is a neck, else all 6 x 6."""
        levels = self.levels(exemplar)
        return levels if self.neck is None else [centre(level) for level in levels]

    def embed(self, exemplar: Tensor) -> Kernels:
        """Kernels of exemplars (n, 3, 127, 127): classification and regression of every level."""
        return self.rpn_head.kernels(self.template(exemplar))

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, s, s) with one exemplar each; no attention, so ``offsets`` changes nothing."""
        cls, loc, _ = self.rpn_head(self.levels(search), kernels)
        return plain(cls, loc)


def plain(cls: Tensor, loc: Tensor, features: tuple[Tensor, ...] = ()) -> Response:
    """The answer of a network without attention."""
    n, outputs, g, _ = cls.shape
    return Response(
        cls, loc, nothing(cls, n, 0, g, g), nothing(cls, n, 0, g, g), nothing(cls, n, 0, outputs, g, g), features
    )
