"""ResNet-50 with dilated late stages: stride 8 from the second stage on (SiamRPN++ sec. 3.3, reference A.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

STAGES = ((3, 1, 1), (4, 2, 1), (6, 1, 2), (3, 1, 4))
"""Blocks, stride and dilation of stages 1 to 4; stages 3 and 4 dilate where the classifier's ResNet strides."""


class Bottleneck(nn.Module):
    """1 x 1 reduce, 3 x 3, 1 x 1 expand to four times ``width``, added to the input or its projection."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, shortcut: nn.Sequential | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _spatial(width, width, stride, dilation)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


def _spatial(inputs: int, outputs: int, stride: int, dilation: int) -> nn.Conv2d:
    """3 x 3; without padding where it strides, so that the centre of feature n stays on pixel 8n + 7."""
    padding = 0 if stride == 2 else dilation
    return nn.Conv2d(inputs, outputs, 3, stride, padding, dilation, bias=False)


def _stage(inputs: int, width: int, blocks: int, stride: int, dilation: int) -> nn.Sequential:
    """``blocks`` bottlenecks. The first dilates half as much, and its projection is spatial except in stage 1."""
    first, outputs = max(dilation // 2, 1), 4 * width
    plain = stride == 1 and dilation == 1
    project = nn.Conv2d(inputs, outputs, 1, bias=False) if plain else _spatial(inputs, outputs, stride, first)
    shortcut = nn.Sequential(project, nn.BatchNorm2d(outputs))
    rest = [Bottleneck(outputs, width, 1, dilation, None) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(inputs, width, stride, first, shortcut), *rest)


class ResNet50(nn.Module):
    """Input (n, 3, s, s) float; returns the features named by ``used``, ascending.

    Feature 0 follows the first convolution (stride 2), 1 to 4 the stages (strides 4, 8, 8, 8). Widths for s = 127 and
    255: 61 and 125, 31 and 63, then 15 and 31. Stages beyond the last one used are not built. ``width``: channels of
    the first convolution, 64 in the papers.
    """

    def __init__(self, used: Sequence[int] = (2, 3, 4), width: int = 64) -> None:
        super().__init__()
        self.used = tuple(used)
        self.channels = tuple(width * (1, 4, 8, 16, 32)[i] for i in self.used)
        self.conv1 = nn.Conv2d(3, width, 7, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for i, (blocks, stride, dilation) in enumerate(STAGES[: max(self.used)]):
            self.add_module(f"layer{i + 1}", _stage(inputs, width * 2**i, blocks, stride, dilation))
            inputs = width * 2**i * 4
        self._initialise()

    def _initialise(self) -> None:
        """The normal distribution of the papers' code, tamed for fresh batch norms, which let every scale through.

        Pixels reach 255 and sixteen blocks each add to the last; undamped the answers of an untrained network are
        around 1e6, and the boxes, exponentials of them, infinite.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, Bottleneck):
                nn.init.constant_(module.bn3.weight, 0.25)
        with torch.no_grad():
            self.conv1.weight /= 128

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        found = [self.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(found[0])
        for i in range(1, max(self.used) + 1):
            x = self.get_submodule(f"layer{i}")(x)
            found.append(x)
        return tuple(found[i] for i in self.used)
