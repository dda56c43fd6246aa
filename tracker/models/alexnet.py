"""AlexNet without padding, stride 8, as SiamFC and the early SiamRPN use it (reference A.4)."""

from __future__ import annotations

from torch import Tensor, nn


class AlexNet(nn.Module):
    """Input (n, 3, s, s) float; returns one level of 256 channels: 6 cells for s = 127, 26 for 287.

    Cell n is centred on pixel 43 + 8n.
    """

    channels = (256,)

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, 2),
            nn.BatchNorm2d(96),
            nn.MaxPool2d(3, 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(96, 256, 5),
            nn.BatchNorm2d(256),
            nn.MaxPool2d(3, 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 384, 3),
            nn.BatchNorm2d(384),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 384, 3),
            nn.BatchNorm2d(384),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3),
            nn.BatchNorm2d(256),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return (self.features(x),)
