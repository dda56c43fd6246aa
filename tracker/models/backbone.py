"""The light backbone: the first stages of MobileNetV2, width 1.0, batch norm folded into biases."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STAGES = (
    # (expansion, channels, blocks, stride) of MobileNetV2 table 2, up to the last stage at stride 16
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
)


class SameConv(nn.Conv2d):
    """A 3 x 3 convolution with TensorFlow SAME padding: at stride 2 an even size is padded right and bottom only.

    With a 255 px input every stride-8 cell n then sits on pixel 8n + 6, in exemplar and search region alike.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that Conv2d gives it
        if self.stride[0] == 2 and input.shape[-1] % 2 == 0:
            # two cells of padding all round and the first row and column dropped: the same numbers as padding right and
            # bottom, without copying the large map
            return F.conv2d(input, self.weight, self.bias, 2, 2, 1, self.groups)[:, :, 1:, 1:]
        return F.conv2d(input, self.weight, self.bias, self.stride, 1, 1, self.groups)


class Bottleneck(nn.Module):
    """Inverted residual: 1 x 1 expand, 3 x 3 depth-wise, 1 x 1 project, identity where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = nn.Conv2d(inputs, hidden, 1) if expansion != 1 else None
        self.depthwise = SameConv(hidden, hidden, 3, stride, groups=hidden)
        self.project = nn.Conv2d(hidden, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.residual else y


class MobileTrunk(nn.Module):
    """MobileNetV2 up to stride 16.

    Input (n, 3, s, s) float in [-1, 1], BGR; returns the features at strides 2, 4, 8 and 16 with 16, 24, 32 and 96
    channels; for s = 255 they are 128, 64, 32 and 16 wide, for s = 127 half of that.
    """

    channels = (16, 24, 32, 96)

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        stages, inputs = [], 32
        for expansion, outputs, blocks, stride in STAGES:
            stage = [Bottleneck(inputs, outputs, stride, expansion)]
            stage += [Bottleneck(outputs, outputs, 1, expansion) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(*stage))
            inputs = outputs
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        p1 = self.stages[0](F.relu6(self.stem(x), inplace=True))
        p2 = self.stages[1](p1)
        p3 = self.stages[2](p2)
        return p1, p2, p3, self.stages[4](self.stages[3](p3))

    def load_imagenet(self, tensors: dict[str, Tensor]) -> None:
        """Start from folded ImageNet weights ``conv0 .. conv38`` in forward order (RGB input, swapped to BGR here)."""
        convs = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        with torch.no_grad():
            for i, conv in enumerate(convs):
                weight = tensors[f"conv{i}.weight"].float()
                source = weight.flip(1) if i == 0 else weight
                if conv.weight.shape != source.shape:
                    shapes = f"{tuple(source.shape)}, expected {tuple(conv.weight.shape)}"
                    raise ValueError(f"conv{i}.weight has shape {shapes}")
                conv.weight.copy_(source)
                assert conv.bias is not None
                conv.bias.copy_(tensors[f"conv{i}.bias"].float())
