"""What every network of the family is to the rest of the house: weights that embed, match and segment batches."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tracker.config import NetConfig

Kernels = tuple[Tensor, ...]
"""What is remembered of exemplars: tensors with the targets along the first axis; their order is the network's own."""

N = TypeVar("N", bound=nn.Module)


class Response(NamedTuple):
    """What a network says of n search regions; g cells a side, k anchors, l attention levels.

    ``cls`` (n, 2k, g, g): background then foreground logits, fused over levels; ``loc`` (n, 4k, g, g): dx, dy, dw, dh.
    ``att`` (n, l, g, g) logits and ``off`` (n, 2l, g, g) offsets (x then y of each level) in cells; l = 0 without such
    a branch. ``levels`` (n, l, 2k, g, g): classification logits of each level, where they are fused; else l = 0.
    ``features``: what `Network.segment` needs of the search regions, batch first; empty without a mask branch.
    """

    cls: Tensor
    loc: Tensor
    att: Tensor
    off: Tensor
    levels: Tensor
    features: tuple[Tensor, ...]


class Network(Protocol):
    """Weights and nothing else; callable on any batch. Networks without masks have no `segment`."""

    config: NetConfig

    def preprocess(self, pixels: Tensor) -> Tensor:
        """(n, s, s, 3) uint8 BGR -> the network's input (n, 3, s, s) float32."""
        ...

    def embed(self, exemplar: Tensor) -> Kernels:
        """Kernels of exemplars (n, 3, 127, 127)."""
        ...

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, s, s) with one exemplar each; without ``offsets`` that branch is skipped."""
        ...

    def segment(self, kernels: Kernels, features: tuple[Tensor, ...], rows: Tensor, columns: Tensor) -> Tensor:
        """Mask logits (n, side, side) at one response cell per sample; ``rows``, ``columns`` (n,) int64."""
        ...


def nothing(like: Tensor, *shape: int) -> Tensor:
    """An empty tensor for the parts of a `Response` that a network does not have, batch and trailing axes kept."""
    return like.new_empty(shape)


def foreground(cls: Tensor) -> Tensor:
    """Foreground probability of every anchor: logits (..., 2k, g, g) -> (..., k, g, g)."""
    k = cls.shape[-3] // 2
    # the softmax of two is the sigmoid of their difference, at half the work
    return torch.sigmoid(cls[..., k:, :, :] - cls[..., :k, :, :])


def fuse(net: N) -> N:
    """Fold every batch norm into the convolution before it, in place; for inference only (eval mode).

    Before means: its predecessor in an `nn.Sequential`, or the ``conv1`` that stands beside a ``bn1``.
    """
    for module in net.modules():
        children = dict(module.named_children())
        names = list(children)
        pairs = pairwise(names) if isinstance(module, nn.Sequential) else ((f"conv{n[2:]}", n) for n in names)
        for first, second in pairs:
            conv, norm = children.get(first), children[second]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, first, fuse_conv_bn_eval(conv, norm))
                setattr(module, second, nn.Identity())
    return net
