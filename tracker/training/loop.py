"""The training loop of the embedded tracker: one file, seeded, resumable; the caller prints.

A step's samples depend on the seed and the step number alone, and the checkpoint holds network, average, optimiser and
random state, so a run that was interrupted ends with the same weights as one that was not.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from tracker import checkpoint
from tracker.config import NetConfig, TrainConfig
from tracker.data.pairs import Pairs
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.training import losses
from tracker.training.targets import Assigner, mask_window

WEIGHTS = {"cls": 1.0, "l1": 1.0, "giou": 1.5, "att": 0.5, "off": 0.3, "mask": 6.0}


def step_losses(net: SiamAttMobile, assigner: Assigner, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """All loss terms of one batch (see `Pairs` for its keys); ``mask`` is absent when no sample has one."""
    kernels = net.embed(net.preprocess(batch["exemplar"]))
    response = net.match(kernels, net.preprocess(batch["search"]))
    targets = assigner(batch["box"], batch["positive"])
    l1, giou = losses.regression(response.loc, targets.loc, targets.cls, assigner.anchors)
    out = {
        "cls": losses.classification(response.cls, targets.cls),
        "l1": l1,
        "giou": giou,
        "att": losses.attention(response.att, targets.heat),
        "off": losses.offset(response.off, targets.off, targets.cell, targets.seen),
    }
    drawn = (batch["has_mask"] > 0) & (targets.cls == 1).flatten(1).any(1)
    if drawn.any():
        cells = targets.mask_cells[drawn]
        pick = drawn.nonzero()[:, 0].repeat_interleave(cells.shape[1])
        cells = cells.flatten(0, 1)
        features = tuple(part.index_select(0, pick) for part in response.features)
        memory = tuple(part.index_select(0, pick) for part in kernels)
        given = _jittered(batch["box"].index_select(0, pick))
        logits = net.segment(memory, features, cells[:, 0], cells[:, 1], given)
        out["mask"] = losses.mask(logits, mask_window(batch["mask"].index_select(0, pick), cells, net.config))
    return out


def _jittered(corners: Tensor, amount: float = 0.06) -> Tensor:
    """True boxes (n, 4) corners as ``cx, cy, w, h``, about as wrong as predicted ones: the mask must not trust them."""
    size = (corners[:, 2:] - corners[:, :2]).clamp(min=1)
    noise = amount * torch.randn(corners.shape[0], 4, device=corners.device)
    middle = (corners[:, :2] + corners[:, 2:]) / 2 + noise[:, :2] * size
    return torch.cat([middle, size * noise[:, 2:].exp()], 1)


def _one_thread(_: int) -> None:
    """OpenCV's own pool in every loader process would compete with the network for the same cores."""
    cv2.setNumThreads(1)


def schedule(config: TrainConfig, step: int) -> float:
    """Factor on the learning rates: linear warm-up, then half a cosine down to 2 %."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.02 + 0.98 * (1 + math.cos(math.pi * min(done, 1.0))) / 2


class Trainer:
    """Network, moving average and optimiser of one run, kept in ``out`` as ``last.pt`` and ``weights.safetensors``."""

    def __init__(
        self,
        config: TrainConfig,
        net_config: NetConfig,
        out: Path,
        device: str,
        backbone: Path | None,
        cache: Path | None,
        start: Path | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.net_config, self.out = config, net_config, out
        self.device = torch.device(device)
        self.cache = cache
        self.net = SiamAttMobile(net_config)
        if backbone is not None:
            self.net.backbone.load_imagenet(checkpoint.tensors(backbone))
        if start is not None:
            checkpoint.load(self.net, start, partly=True)
        self.net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: t.detach().clone() for name, t in self.net.state_dict().items()}
        trunk = list(self.net.backbone.parameters())
        inside = {id(p) for p in trunk}
        rest = [p for p in self.net.parameters() if id(p) not in inside]
        self.optimiser = torch.optim.AdamW(
            [{"params": trunk, "base": config.backbone_lr}, {"params": rest, "base": config.lr}],
            lr=config.lr,
            weight_decay=config.weight_decay,
        )
        self.assigner = Assigner(net_config, self.device)
        self.step = 0
        if (out / "last.pt").exists():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.out / "last.pt", map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["rng"].cpu())
        self.step = int(state["step"])

    def save(self) -> None:
        """Write the resume file and the averaged weights, both atomically."""
        self.out.mkdir(parents=True, exist_ok=True)
        state = {
            "net": self.net.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "rng": torch.get_rng_state(),
            "step": self.step,
        }
        part = self.out / "last.part"
        torch.save(state, part)
        part.replace(self.out / "last.pt")
        averaged = copy.deepcopy(self.net)  # a new network would draw from the random state just saved
        averaged.load_state_dict(self.average)
        training = dataclasses.asdict(self.config) | {"data": Path(self.config.data).name}
        about = {
            "licence": "Apache-2.0",
            "preprocess": "BGR, x / 127.5 - 1",
            "trained_on": sorted(self.config.sets),
            "training": training,
            "steps_done": str(self.step),
            "torch": str(torch.__version__),
        }
        checkpoint.save(averaged, self.out / "weights.safetensors", self.net_config, about)

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        config = self.config
        pairs = Pairs(config, self.net_config, config.steps * config.batch, self.cache)
        order = range(self.step * config.batch, config.steps * config.batch)
        loader = DataLoader(
            pairs,
            batch_size=config.batch,
            sampler=order,
            num_workers=config.workers,
            prefetch_factor=4 if config.workers else None,
            worker_init_fn=_one_thread,
            generator=torch.Generator(),  # else it draws from the state that a resumed run restores
        )
        for batch in loader:
            yield {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}

    def run(self) -> Generator[dict[str, Any], None, None]:
        """Train to the last step, yielding the figures of each; saves every ``save_every`` steps and at the end."""
        config = self.config
        self.net.train()
        for batch in self._batches():
            start = time.perf_counter()
            self._freeze(self.step < config.thaw * config.steps)
            for group in self.optimiser.param_groups:
                group["lr"] = group["base"] * schedule(config, self.step)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bfloat16):
                terms = step_losses(self.net, self.assigner, batch)
            total = sum((WEIGHTS[name] * value for name, value in terms.items()), torch.zeros((), device=self.device))
            self.optimiser.zero_grad(set_to_none=True)
            total.backward()
            norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), config.clip)
            if torch.isfinite(norm):  # a NaN batch is skipped, as in the papers' code (reference E.5)
                self.optimiser.step()
            self._update_average()
            self.step += 1
            if self.step % config.save_every == 0 or self.step == config.steps:
                self.save()
            figures = {name: float(value.detach()) for name, value in terms.items()}
            yield {"step": self.step, "total": float(total.detach()), "seconds": time.perf_counter() - start, **figures}

    def _freeze(self, early: bool) -> None:
        """Keep the finest stages as they came for most of the run: they cost half of a step's time on a CPU."""
        trunk = self.net.backbone
        for part in (trunk.stem, trunk.stages[0], trunk.stages[1]):
            part.requires_grad_(not early)

    @torch.no_grad()
    def _update_average(self) -> None:
        # a young average would be dominated by the untrained start
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name].copy_(value)
