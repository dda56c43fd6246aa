"""MobileNetV2 at width 1.4 with dilated late stages: stride 8 from the third stage on (SiamRPN++, reference A.4)."""

from __future__ import annotations

from torch import Tensor, nn

STAGES = (
    # expansion, channels at width 1, blocks, stride, dilation
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 1, 2),
    (6, 96, 3, 1, 2),
    (6, 160, 3, 1, 4),
    (6, 320, 1, 1, 4),
)
USED = (3, 5, 7)
"""The stages whose outputs are the levels."""


class InvertedResidual(nn.Module):
    """1 x 1 expand, 3 x 3 depth-wise, 1 x 1 project, identity where shapes allow.

    The expanding convolution is there even at expansion 1, unlike in torchvision's model.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, dilation: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        # no padding where it strides, so that the centre of feature n stays on pixel 8n + 7
        padding = 0 if stride == 2 else dilation
        self.residual = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, padding, dilation, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """Input (n, 3, s, s) float; returns stages 3, 5 and 7: 44, 134 and 448 channels, 15 cells for s = 127, 31 for 255.

    Channels are cut, not rounded to a multiple of eight. Where a stage dilates more than the one before, its first
    block dilates half as much.
    """

    def __init__(self, width: float = 1.4) -> None:
        super().__init__()
        self.channels = tuple(int(STAGES[i - 1][1] * width) for i in USED)
        inputs = int(32 * width)
        self.layer0 = nn.Sequential(
            nn.Conv2d(3, inputs, 3, 2, bias=False), nn.BatchNorm2d(inputs), nn.ReLU6(inplace=True)
        )
        before = 1
        for i, (expansion, channels, blocks, stride, dilation) in enumerate(STAGES, 1):
            outputs = int(channels * width)
            first = dilation if dilation == before else dilation // 2
            stage = [InvertedResidual(inputs, outputs, stride, expansion, first)]
            stage += [InvertedResidual(outputs, outputs, 1, expansion, dilation) for _ in range(blocks - 1)]
            self.add_module(f"layer{i}", nn.Sequential(*stage))
            inputs, before = outputs, dilation

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        found = []
        for stage in self.children():
            x = stage(x)
            found.append(x)
        return tuple(found[i] for i in USED)
