"""The papers' losses (SiamRPN++ sec. 3, SiamMask eq. 3, SiamAtt eq. 1 to 4; reference E.4 and C.2).

Means are over the samples of all processes of a run, so that their number changes nothing. The embedded tracker's own
losses are in `tracker.training.losses`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tracker.training.parallel import share


def classification(cls: Tensor, labels: Tensor) -> Tensor:
    """Half the mean NLL of all positives plus half that of all negatives: ``cls`` (n, 2k, g, g)."""
    n, k, g, _ = labels.shape
    nll = F.cross_entropy(cls.float().view(n, 2, k, g, g), labels.clamp(min=0), reduction="none")
    parts = [(nll * chosen).sum() / share(chosen.sum()) for chosen in (labels == 1, labels == 0)]
    return (parts[0] + parts[1]) / 2


def regression(loc: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """L1 of the deltas, the mean of each sample's positives, over all samples: ``loc`` (n, 4k, g, g)."""
    n = torch.tensor(len(loc), device=loc.device)
    return ((loc.float().view_as(target) - target).abs().sum(1) * weight).sum() / share(n)


def attention(att: Tensor, heat: Tensor) -> Tensor:
    """Focal loss with one positive cell, the mean over levels: ``att`` (n, l, g, g) logits, ``heat`` (n, g, g).

    SiamAtt's equation 1 with the minus that its print lacks. Around the cell there is no Gaussian, so (1 - y)^4 is 1.
    """
    p = att.float().sigmoid().clamp(1e-4, 1 - 1e-4)
    y = heat[:, None]
    loss = y * (1 - p) ** 2 * p.log() + (1 - y) * p**2 * (1 - p).log()
    return -loss.sum() / att.shape[1] / share(heat.sum())


def offset(off: Tensor, target: Tensor, cell: Tensor, seen: Tensor) -> Tensor:
    """Smooth L1 at the object's cell, the mean over levels: ``off`` (n, 2l, g, g), ``target`` (n, 2) x and y."""
    n, channels = off.shape[:2]
    at = off.float()[torch.arange(n, device=off.device), :, cell[:, 0], cell[:, 1]].view(n, channels // 2, 2)
    loss = F.smooth_l1_loss(at, target[:, None].expand_as(at), reduction="none").sum(2).mean(1)
    return (loss * seen).sum() / share(seen.sum())


def mask(logits: Tensor, target: Tensor) -> Tensor:
    """Logistic loss over the pixels of m windows: ``logits`` (m, s, s), ``target`` (m, 127, 127) of -1, 0 and 1.

    Smaller logits are enlarged bilinearly first, corner on corner. Where the target is 0 the loss is log 2 whatever
    the logit, as in the papers' code.
    """
    logits = logits.float()
    if logits.shape[-1] != target.shape[-1]:
        logits = F.interpolate(logits[:, None], size=target.shape[-1], mode="bilinear", align_corners=True)[:, 0]
    count = torch.tensor(target.numel(), device=logits.device)
    return F.softplus(-target * logits).sum() / share(count)
