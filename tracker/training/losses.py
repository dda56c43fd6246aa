"""Losses of SiamAtt (SiamAtt sec. 3.3, reference C.2 and E.4) and of the masks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

HARDEST = 32


def classification(cls: Tensor, labels: Tensor) -> Tensor:
    """Half the mean NLL of positives plus half that of negatives; ``cls`` (n, 2k, g, g), ``labels`` (n, k, g, g).

    Of the negatives the hardest of each sample count, where the papers draw 48 at random: nearly all of 3 125 anchors
    are easy, and the look-alike is the one that matters.
    """
    n, k = labels.shape[:2]
    logits = cls.float().view(n, 2, k, *cls.shape[2:])
    nll = F.cross_entropy(logits, labels.clamp(min=0), reduction="none").flatten(1)
    flat = labels.flatten(1)
    positive, negative = flat == 1, flat == 0
    per_sample = (nll * positive).sum(1) / positive.sum(1).clamp(min=1)
    has = positive.any(1).float()
    pos_loss = (per_sample * has).sum() / has.sum().clamp(min=1)
    hard = (nll * negative).topk(HARDEST, 1).values.mean()
    every = (nll * negative).sum() / negative.sum().clamp(min=1)
    return 0.5 * pos_loss + 0.25 * hard + 0.25 * every


def decode(loc: Tensor, anchors: Tensor) -> Tensor:
    """Deltas (n, 4, k, g, g) on anchors (k, g, g, 4) to ``cx, cy, w, h`` (n, 4, k, g, g) in search pixels."""
    ax, ay, aw, ah = (anchors[..., i][None] for i in range(4))
    dx, dy, dw, dh = loc.unbind(1)
    return torch.stack([dx * aw + ax, dy * ah + ay, aw * dw.clamp(max=3).exp(), ah * dh.clamp(max=3).exp()], 1)


def regression(loc: Tensor, target: Tensor, labels: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """L1 of the deltas and generalised IoU loss of the decoded boxes, each averaged over a sample's positives.

    ``loc`` (n, 4k, g, g), ``target`` (n, 4, k, g, g). The papers use L1 alone; the
    second term pays for what is measured.
    """
    n, k = labels.shape[:2]
    loc = loc.float().view(n, 4, k, *loc.shape[2:])
    weight = (labels == 1).float()
    weight = weight / weight.flatten(1).sum(1).clamp(min=1).view(n, 1, 1, 1)
    count = (labels == 1).flatten(1).any(1).sum().clamp(min=1)
    l1 = ((loc - target).abs().sum(1) * weight).sum() / count
    p, t = decode(loc, anchors), decode(target, anchors)
    px1, py1, px2, py2 = p[:, 0] - p[:, 2] / 2, p[:, 1] - p[:, 3] / 2, p[:, 0] + p[:, 2] / 2, p[:, 1] + p[:, 3] / 2
    tx1, ty1, tx2, ty2 = t[:, 0] - t[:, 2] / 2, t[:, 1] - t[:, 3] / 2, t[:, 0] + t[:, 2] / 2, t[:, 1] + t[:, 3] / 2
    inter = (torch.minimum(px2, tx2) - torch.maximum(px1, tx1)).clamp(min=0) * (
        torch.minimum(py2, ty2) - torch.maximum(py1, ty1)
    ).clamp(min=0)
    union = p[:, 2] * p[:, 3] + t[:, 2] * t[:, 3] - inter
    hull = (torch.maximum(px2, tx2) - torch.minimum(px1, tx1)) * (torch.maximum(py2, ty2) - torch.minimum(py1, ty1))
    giou = inter / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
    return l1, ((1 - giou) * weight).sum() / count


def attention(att: Tensor, heat: Tensor) -> Tensor:
    """Focal loss with one positive cell (SiamAtt eq. 1): ``att`` (n, 1, g, g) logits, ``heat`` (n, g, g).

    Negatives carry (1 - y)^4 = 1 since the paper's map has no Gaussian (reference C.2). A negative pair has
    an empty map.
    """
    p = att[:, 0].float().sigmoid().clamp(1e-4, 1 - 1e-4)
    loss = heat * (1 - p) ** 2 * p.log() + (1 - heat) * p**2 * (1 - p).log()
    return -loss.sum() / heat.sum().clamp(min=1)


def offset(off: Tensor, target: Tensor, cell: Tensor, seen: Tensor) -> Tensor:
    """Smooth L1 at the target's cell (SiamAtt eq. 3): ``off`` (n, 2, g, g), ``target`` (n, 2), ``cell`` (n, 2)."""
    at = off.float()[torch.arange(off.shape[0]), :, cell[:, 0], cell[:, 1]]
    loss = F.smooth_l1_loss(at, target, reduction="none").sum(1)
    return (loss * seen).sum() / seen.sum().clamp(min=1)


def outline(logits: Tensor, cover: Tensor) -> dict[str, Tensor]:
    """Of the embedded tracker's masks: ``logits``, ``cover`` (n, s, s), the latter shares of cells.

    ``edge``: logistic loss of the cells (SiamMask eq. 3). ``overlap``: one minus the soft intersection over union,
    which keeps thin objects alive.
    """
    logits = logits.float()
    found = logits.sigmoid()
    shared = (found * cover).sum((1, 2))
    either = (found + cover - found * cover).sum((1, 2))
    return {
        "edge": F.binary_cross_entropy_with_logits(logits, cover),
        "overlap": (1 - (shared + 1) / (either + 1)).mean(),
    }
