"""How the embedded tracker is trained (docs/adr/0009): AdamW, half a cosine, IoU terms, an average of the weights.

Its mask branch is trained afterwards, see `outlining`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracker import checkpoint
from tracker.config import NetConfig, TrainConfig
from tracker.data.pairs import Pairs
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.training import losses
from tracker.training.method import Run
from tracker.training.pictures import contact_sheet
from tracker.training.starting import start_from
from tracker.training.targets import Assigner

WEIGHTS = {"cls": 1.0, "l1": 1.0, "giou": 1.5, "att": 0.5, "off": 0.3}


def step_losses(net: SiamAttMobile, assigner: Assigner, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """All loss terms of one batch (see `Pairs` for its keys)."""
    kernels = net.embed(net.preprocess(batch["exemplar"]))
    response = net.match(kernels, net.preprocess(batch["search"]))
    targets = assigner(batch["box"], batch["positive"])
    l1, giou = losses.regression(response.loc, targets.loc, targets.cls, assigner.anchors)
    return {
        "cls": losses.classification(response.cls, targets.cls),
        "l1": l1,
        "giou": giou,
        "att": losses.attention(response.att, targets.heat),
        "off": losses.offset(response.off, targets.off, targets.cell, targets.seen),
    }


def schedule(config: TrainConfig, step: int) -> float:
    """Factor on the learning rates: linear warm-up, then half a cosine down to 2 %."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.02 + 0.98 * (1 + math.cos(math.pi * min(done, 1.0))) / 2


class Embedded:
    """The embedded tracker's `Method`."""

    def __init__(
        self,
        config: TrainConfig,
        net_config: NetConfig,
        device: str,
        *,
        backbone: Path | None = None,
        start: Path | None = None,
        cache: Path | None = None,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        """``backbone``: ImageNet weights; ``start``: those of this tracker, what they lack begins at random.

        ``weights``: of the losses. Raises `TrackerError` or `ValueError` when a file does not fit.
        """
        torch.manual_seed(config.seed)
        self.config, self.net_config, self.weights, self.cache = config, net_config, weights, cache
        self.device = torch.device(device)
        self.run = Run(
            config.steps,
            config.batch,
            config.seed,
            config.clip,
            "bfloat16" if config.bfloat16 else "float32",
            config.ema,
            config.save_every,
            config.workers,
        )
        self.net = SiamAttMobile(net_config)
        if backbone is not None:
            self.net.backbone.load_imagenet(checkpoint.tensors(backbone))
        if start is not None:
            start_from(self.net, start)
        self.net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.assigner = Assigner(net_config, self.device)

    def optimiser(self) -> torch.optim.Optimizer:
        config = self.config
        trunk = list(self.net.backbone.parameters())
        inside = {id(p) for p in trunk}
        rest = [p for p in self.net.parameters() if id(p) not in inside]
        groups = [{"params": trunk, "base": config.backbone_lr}, {"params": rest, "base": config.lr}]
        return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay)

    def rate(self, step: int) -> float:
        return schedule(self.config, step)

    def prepare(self, step: int) -> None:
        """Keep the finest stages as they came for most of the run: they cost half of a step's time on a CPU."""
        early = step < self.config.thaw * self.config.steps
        trunk = self.net.backbone
        for part in (trunk.stem, trunk.stages[0], trunk.stages[1]):
            part.requires_grad_(not early)
        self.net.train()

    def samples(self) -> Pairs:
        return Pairs(self.config, self.net_config, self.config.steps * self.config.batch, self.cache)

    def finish(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return step_losses(self.net, self.assigner, batch)

    def picture(self, batch: dict[str, Tensor]) -> np.ndarray:
        return contact_sheet(self.net, batch)

    def about(self) -> dict[str, Any]:
        return {
            "preprocess": "BGR, x / 127.5 - 1",
            "trained_on": sorted(self.config.sets),
            "training": dataclasses.asdict(self.config) | {"data": Path(self.config.data).name},
        }
