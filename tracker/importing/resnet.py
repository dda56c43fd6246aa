"""ImageNet weights of an ordinary ResNet-50 for the dilated one (reference A.2), the same function where both exist.

An ordinary ResNet takes RGB in [0, 1], normalised, and shortens with 1x1 convolutions; the trackers' takes BGR 0..255
and shortens with 3x3 ones, whose centre lies where the 1x1 looked. So: the kernel goes into the centre tap, the first
convolution swaps its channels and takes the scale, and the mean goes into the batch norm behind it, which is exact
because that convolution pads nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of ImageNet's RGB in [0, 1], as torchvision normalises."""
_SHORTCUTS = {
    "layer2.0.downsample.0.weight": (512, 256, 1, 1),
    "layer3.0.downsample.0.weight": (1024, 512, 1, 1),
    "layer4.0.downsample.0.weight": (2048, 1024, 1, 1),
}


def is_ordinary(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a ResNet-50 with 1x1 shortcuts; with 3x3 ones they were converted or trained as needed here."""
    needed = {**_SHORTCUTS, "conv1.weight": (64, 3, 7, 7), "bn1.running_mean": (64,)}
    return all(name in tensors and tuple(tensors[name].shape) == shape for name, shape in needed.items())


def dilated(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights for the dilated ResNet-50. ``tensors`` must be those of an ordinary one (`is_ordinary`)."""
    out = dict(tensors)
    first = out["conv1.weight"].double()  # (64, 3, 7, 7), RGB
    std = torch.tensor(STD, dtype=torch.float64)[:, None, None]
    mean = torch.tensor(MEAN, dtype=torch.float64)[:, None, None]
    shift = (first * mean / std).sum((1, 2, 3))
    out["conv1.weight"] = (first / (255 * std)).flip(1).float()
    out["bn1.running_mean"] = (out["bn1.running_mean"].double() + shift).float()
    for name in _SHORTCUTS:
        out[name] = functional.pad(out[name], (1, 1, 1, 1))
    return out
