"""Label assignment on the response grid (reference E.4 and C.2), for a whole batch on its device."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from tracker import boxes
from tracker.config import NetConfig

POSITIVE_IOU, NEGATIVE_IOU = 0.6, 0.3


class Targets(NamedTuple):
    """``cls`` (n, k, g, g) int64: 1 positive, 0 negative, -1 ignored; ``loc`` (n, 4, k, g, g) anchor deltas;
    ``heat`` (n, g, g): 1 at the target's cell; ``off`` (n, 2): its offset (x, y) in [0, 1); ``cell`` (n, 2): row and
    column; ``seen`` (n,): the target is in the search region.
    """

    cls: Tensor
    loc: Tensor
    heat: Tensor
    off: Tensor
    cell: Tensor
    seen: Tensor


class Assigner:
    """Anchors of one `NetConfig` on one device."""

    def __init__(self, config: NetConfig, device: torch.device) -> None:
        self.config = config
        self.anchors = torch.from_numpy(boxes.anchors(config)).to(device)

    def __call__(self, corners: Tensor, positive: Tensor) -> Targets:
        """``corners`` (n, 4) in search pixels, ``positive`` (n,) 0/1."""
        c, a = self.config, self.anchors
        n, grid = corners.shape[0], c.grid
        ax, ay, aw, ah = (a[..., i][None] for i in range(4))
        x1, y1, x2, y2 = (corners[:, i].view(n, 1, 1, 1) for i in range(4))
        inter = (torch.minimum(ax + aw / 2, x2) - torch.maximum(ax - aw / 2, x1)).clamp(min=0) * (
            torch.minimum(ay + ah / 2, y2) - torch.maximum(ay - ah / 2, y1)
        ).clamp(min=0)
        overlap = inter / (aw * ah + (x2 - x1) * (y2 - y1) - inter).clamp(min=1e-6)
        best = overlap.flatten(1).amax(1).view(n, 1, 1, 1)
        seen = positive.view(n, 1, 1, 1) > 0
        cls = torch.full_like(overlap, -1, dtype=torch.int64)
        cls[overlap < NEGATIVE_IOU] = 0
        # an odd shape may reach .6 with no anchor: its best anchors teach it all the same
        cls[(overlap > POSITIVE_IOU) | ((overlap >= best - 1e-4) & (best > NEGATIVE_IOU))] = 1
        cls = torch.where(seen, cls, torch.zeros_like(cls))
        cx, cy, w, h = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1).clamp(min=1), (y2 - y1).clamp(min=1)
        loc = torch.stack([(cx - ax) / aw, (cy - ay) / ah, torch.log(w / aw), torch.log(h / ah)], 1)
        # the aligned grid (reference C.4, point 4): cell i covers one stride around its own centre
        first = float(boxes.cell_centres(c)[0]) - c.stride / 2
        where = torch.stack([(cx.flatten() - first) / c.stride, (cy.flatten() - first) / c.stride], 1)
        where = where.clamp(0, grid - 1e-3)
        column, row = where[:, 0].long(), where[:, 1].long()
        heat = torch.zeros(n, grid, grid, device=corners.device)
        heat[torch.arange(n), row, column] = positive
        return Targets(cls, loc, heat, where - where.floor(), torch.stack([row, column], 1), positive > 0)
