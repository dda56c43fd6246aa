"""The neck: every level of the backbone to the width of the heads (SiamRPN++ sec. 3.3, reference A.3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from tracker.models.heads import conv_norm

TEMPLATE = 7
"""Cells of a template along one side, cut from the middle of the exemplar's features."""
SMALL = 20
"""Narrower maps are those of an exemplar."""


class Adjust(nn.Module):
    """1 x 1 convolution and batch norm of one level."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.downsample = conv_norm(inputs, outputs, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.downsample(x)


class Neck(nn.Module):
    """Adjusts l levels; their names in the state dict are those of the papers' code, which depend on l."""

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        super().__init__()
        names = ["downsample"] if len(outputs) == 1 else [f"downsample{i + 2}" for i in range(len(outputs))]
        for name, before, after in zip(names, inputs, outputs, strict=True):
            self.add_module(name, Adjust(before, after))

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        return [adjust(x) for adjust, x in zip(self.children(), levels, strict=True)]


def centre(x: Tensor) -> Tensor:
    """The middle 7 x 7 cells of an exemplar's map (n, c, s, s): 4 to 10 of 15. Maps of 20 cells and more stay whole.

    The border of an exemplar is shaped by padding, which no place inside the search region sees.
    """
    side = x.shape[-1]
    if side >= SMALL:
        return x
    start = (side - TEMPLATE) // 2
    return x[:, :, start : start + TEMPLATE, start : start + TEMPLATE]
