"""How the embedded tracker's mask branch is trained: alone, on everything else as it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tracker import checkpoint
from tracker.config import NetConfig, TrainConfig
from tracker.data.outlines import Outlines
from tracker.models.outline import KEYS, SIDE
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.training import losses
from tracker.training.embedded import schedule
from tracker.training.method import Run
from tracker.training.pictures import ROWS, mask_sheet
from tracker.training.starting import start_from

SETS = {"coco128": 0.38, "segments": 0.15, "clothing": 0.22, "street": 0.13, "people": 0.08, "tennis": 0.04}
"""Share of the samples drawn from each set with masks."""
WEIGHTS = {"edge": 1.0, "overlap": 1.0}
RECIPE: Mapping[str, Any] = {
    "sets": SETS,
    "seed": 22,
    "batch": 12,
    "steps": 5000,
    "lr": 2e-3,
    "save_every": 200,
    "distractors": 0.3,
    "backgrounds": 0.4,
}
"""What differs from `TrainConfig`'s defaults."""


def answer(net: SiamAttMobile, batch: dict[str, Tensor]) -> Tensor:
    """Mask logits (2n, s, s) of a batch of n `Outlines`, both views of each."""
    pixels = net.preprocess(batch["pixels"].flatten(0, 1))
    with torch.no_grad():
        features = net.backbone(pixels)
    keys = net.outline.keys(features[2], features[3])
    # each view is the other one's memory
    memory = keys.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
    noted = F.adaptive_avg_pool2d(batch["noted"].flip(1).flatten(0, 1)[:, None], KEYS).flatten(1)
    recalls = batch["recalls"].flatten()[:, None]
    return net.outline(
        features,
        keys,
        batch["box"].flatten(0, 1),
        batch["hints"].flatten(0, 1),
        memory,
        noted * recalls,
        (1 - noted) * recalls,
    )


def outline_losses(net: SiamAttMobile, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Loss terms of one batch of `Outlines`, see `losses.outline`."""
    return losses.outline(answer(net, batch), batch["mask"].flatten(0, 1))


class Outlining:
    """The mask branch's `Method`; the weights it starts from are those of the embedded tracker."""

    def __init__(
        self,
        config: TrainConfig,
        net_config: NetConfig,
        device: str,
        *,
        start: Path,
        cache: Path | None = None,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        """Raises `TrackerError` or `ValueError` when ``start`` does not fit."""
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
        self._started = checkpoint.metadata(start)
        start_from(self.net, start)
        self.net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def optimiser(self) -> torch.optim.Optimizer:
        config = self.config
        groups = [{"params": list(self.net.outline.parameters()), "base": config.lr}]
        return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay)

    def rate(self, step: int) -> float:
        return schedule(self.config, step)

    def prepare(self, step: int) -> None:
        self.net.eval().requires_grad_(False)
        self.net.outline.train().requires_grad_(True)

    def samples(self) -> Outlines:
        return Outlines(self.config, SIDE, self.config.steps * self.config.batch, self.cache)

    def finish(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return outline_losses(self.net, batch)

    @torch.no_grad()
    def picture(self, batch: dict[str, Tensor]) -> np.ndarray:
        part = {name: value[:ROWS] for name, value in batch.items()}
        return mask_sheet(part["pixels"].flatten(0, 1), part["box"].flatten(0, 1), answer(self.net, part).sigmoid())

    def about(self) -> dict[str, Any]:
        earlier = {key: json.loads(self._started.get(key, "null")) for key in ("trained_on", "training")}
        return {
            "preprocess": "BGR, x / 127.5 - 1",
            "trained_on": sorted({*self.config.sets, *(earlier["trained_on"] or [])}),
            "training": earlier["training"],
            "mask_training": dataclasses.asdict(self.config) | {"data": Path(self.config.data).name},
        }
