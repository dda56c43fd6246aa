"""Label assignment as the papers' code does it (reference E.4, C.2), for a whole batch on its device.

Whatever is drawn at random comes from the sample's own seed, so the labels are the same on every device, in every
process and after a resumed run. The embedded tracker's own rules are in `tracker.training.targets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tracker import boxes
from tracker.config import NetConfig

POSITIVE_IOU, NEGATIVE_IOU = 0.6, 0.3
POSITIVES, TOTAL = 16, 64
NEIGHBOURS = 3
"""A negative pair's negatives lie at most so many cells from the other object: 7 x 7."""


@dataclass(frozen=True)
class Rules:
    """Where SiamMask differs from SiamRPN++."""

    fill: bool = False
    """Negatives fill up to 64; else they are 48 at most."""
    about_middle: bool = False
    """A negative pair's negatives lie around the middle of the map; else around the other object's cell."""


class Labels(NamedTuple):
    """``cls`` (n, k, g, g) int64: 1 positive, 0 negative, -1 ignored; ``loc`` (n, 4, k, g, g) anchor deltas; ``weight``
    (n, k, g, g): of a positive's deltas, 1 over the sample's positives; ``heat`` (n, g, g): 1 at the object's cell;
    ``off`` (n, 2): its offset (x, y) in [0, 1); ``cell`` (n, 2): row and column; ``seen`` (n,): the pair is positive.
    """

    cls: Tensor
    loc: Tensor
    weight: Tensor
    heat: Tensor
    off: Tensor
    cell: Tensor
    seen: Tensor


def noise(seeds: Tensor, count: int) -> Tensor:
    """``count`` random numbers of 32 bits for each seed: (n, count) int64, the same on every device."""
    place = torch.arange(1, count + 1, device=seeds.device)
    x = (seeds[:, None] * 0x9E3779B1 + place * 0x85EBCA6B) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # murmur's last steps: every bit depends on every bit
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
    return x ^ (x >> 16)


def some(candidates: Tensor, most: Tensor, order: Tensor) -> Tensor:
    """At most ``most`` (n,) of the candidates (n, m) bool, those that come first in ``order`` (n, m)."""
    ranked = torch.where(candidates, order, 1 << 33).argsort(dim=1, stable=True).argsort(dim=1)
    return candidates & (ranked < most[:, None])


def point(centres: Tensor, config: NetConfig) -> tuple[Tensor, Tensor]:
    """Cell (row, column) and offset (x, y) of centres (n, 2) in search pixels (reference C.4, point 4).

    On the ``paper`` grid cell i lies at pixel 10.2 i, on the aligned one around its own centre.
    """
    if config.label_grid == "paper":
        # the paper names pixels where we name edges
        where = (centres - 0.5) * (config.grid / config.search)
    else:
        where = (centres - float(boxes.cell_centres(config)[0])) / config.stride + 0.5
    where = where.clamp(0, config.grid - 1e-3)
    return where.floor().long().flip(1), where - where.floor()


class Labeller:
    """Anchors of one geometry on one device."""

    def __init__(self, config: NetConfig, rules: Rules, device: torch.device) -> None:
        self.config, self.rules = config, rules
        self.anchors = torch.from_numpy(boxes.anchors(config)).to(device)

    def __call__(self, corners: Tensor, positive: Tensor, seeds: Tensor) -> Labels:
        """``corners`` (n, 4) of the search picture's object, ``positive`` (n,) 0 or 1, ``seeds`` (n,) int64."""
        n, grid = len(corners), self.config.grid
        seen = positive > 0
        overlap = self._overlap(corners)
        order = noise(seeds, overlap[0].numel())
        likely = (overlap.flatten(1) > POSITIVE_IOU) & seen[:, None]
        limit = torch.full((n,), POSITIVES, device=corners.device)
        taken = some(likely, limit, order)
        count = taken.sum(1)
        cell, off = point((corners[:, :2] + corners[:, 2:]) / 2, self.config)
        far = (overlap.flatten(1) < NEGATIVE_IOU) & seen[:, None]
        near = self._near(corners).flatten(1) & ~seen[:, None]
        most = TOTAL - count if self.rules.fill else torch.full_like(count, TOTAL - POSITIVES)
        background = some(far | near, torch.where(seen, most, limit), order)
        cls = torch.full_like(order, -1).masked_fill(background, 0).masked_fill(taken, 1).view_as(overlap)
        weight = (taken / (count[:, None] + 1e-6)).view_as(overlap)
        heat = torch.zeros(n, grid, grid, device=corners.device)
        # the authors' code marks the other object of a negative pair too, which teaches "any object" (reference C.2)
        heat[torch.arange(n, device=corners.device), cell[:, 0], cell[:, 1]] = seen.float()
        return Labels(cls, self._deltas(corners), weight, heat, off, cell, seen)

    def _overlap(self, corners: Tensor) -> Tensor:
        ax, ay, aw, ah = (part[None] for part in self.anchors.unbind(-1))
        x1, y1, x2, y2 = (part.view(-1, 1, 1, 1) for part in corners.unbind(1))
        w = (torch.minimum(ax + aw / 2, x2) - torch.maximum(ax - aw / 2, x1)).clamp(min=0)
        h = (torch.minimum(ay + ah / 2, y2) - torch.maximum(ay - ah / 2, y1)).clamp(min=0)
        return w * h / (aw * ah + (x2 - x1) * (y2 - y1) - w * h)

    def _deltas(self, corners: Tensor) -> Tensor:
        ax, ay, aw, ah = (part[None] for part in self.anchors.unbind(-1))
        x1, y1, x2, y2 = (part.view(-1, 1, 1, 1) for part in corners.unbind(1))
        middle = (((x1 + x2) / 2 - ax) / aw, ((y1 + y2) / 2 - ay) / ah)
        return torch.stack([*middle, ((x2 - x1) / aw).log(), ((y2 - y1) / ah).log()], 1)

    def _near(self, corners: Tensor) -> Tensor:
        """The anchors of the 7 x 7 cells around the other object (n, k, g, g).

        pysot's window lies one cell to the right and below, from rounding a half upwards; ours is centred.
        """
        grid = self.config.grid
        first = float(boxes.cell_centres(self.config)[0])
        middle = ((corners[:, :2] + corners[:, 2:]) / 2 - first) / self.config.stride
        middle = torch.full_like(middle, (grid - 1) / 2) if self.rules.about_middle else middle.round()
        cells = torch.arange(grid, device=corners.device)
        across = (cells[None] - middle[:, :1]).abs() <= NEIGHBOURS
        down = (cells[None] - middle[:, 1:]).abs() <= NEIGHBOURS
        return (down[:, None, :, None] & across[:, None, None, :]).expand(-1, len(self.anchors), -1, -1)


def mask_targets(masks: Tensor, picks: Tensor, cells: Tensor, config: NetConfig) -> Tensor:
    """The part of the mask under each cell's exemplar window: masks (n, s, s) of 0 and 1 -> (m, 127, 127) of -1 and 1.

    ``picks`` (m,): rows of the batch, ``cells`` (m, 2): row and column. Of a 255 px search region the windows start
    32 px outside, where the mask is 0: beside the picture there is neither object nor background.
    """
    side = config.exemplar
    margin = round(side / 2 - float(boxes.cell_centres(config)[0]))
    signed = F.pad(masks.float() * 2 - 1, (margin,) * 4)
    rows, columns = (cells * config.stride).unbind(1)
    steps = torch.arange(side, device=masks.device)
    y, x = rows[:, None, None] + steps[:, None], columns[:, None, None] + steps
    return signed[picks[:, None, None], y, x]
