"""Depth-wise cross-correlation, the matching operation of the SiamRPN++ family (SiamRPN++ sec. 3.4)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def _grouped(x: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    """Correlate each channel of each sample with its own kernel: (n, c, h, w) * (n, c, k, k)."""
    n, c = x.shape[:2]
    flat = F.conv2d(
        x.reshape(1, n * c, *x.shape[2:]), kernel.reshape(n * c, 1, *kernel.shape[2:]), padding=padding, groups=n * c
    )
    return flat.reshape(n, c, *flat.shape[2:])


class _Correlation(torch.autograd.Function):
    """Both gradients are correlations themselves; autograd's grouped backward is many times slower on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(x, kernel)
        return _grouped(x, kernel)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        x, kernel = ctx.saved_tensors
        grad = grads[0].contiguous()
        return _grouped(grad, kernel.flip(2, 3), kernel.shape[-1] - 1), _grouped(x, grad)


def depthwise_correlation(x: Tensor, kernel: Tensor) -> Tensor:
    """Cross-correlate ``x`` (n, c, h, w) with ``kernel`` (n, c, k, k), channel by channel: (n, c, h-k+1, w-k+1)."""
    if torch.is_grad_enabled() and (x.requires_grad or kernel.requires_grad):
        return _Correlation.apply(x, kernel)  # type: ignore[no-any-return]
    return _grouped(x, kernel)
