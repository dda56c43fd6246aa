"""The one training loop: seeded, resumable, on one process or several; the caller prints.

A step's samples depend on the seed and the step number alone, and the checkpoint holds network, average, optimiser,
scaler and random state, so a run that was interrupted ends with the same weights as one that was not. What is trained,
and how, is a `Method`.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from tracker import checkpoint
from tracker.training import parallel
from tracker.training.method import Method

LARGEST = 1e4
"""A larger loss is a broken batch, which is skipped, as in the papers' code (reference E.5)."""


def _one_thread(_: int) -> None:
    """OpenCV's own pool in every loader process would compete with the network for the same cores."""
    cv2.setNumThreads(1)


class _Step(nn.Module):
    """The losses of a batch as a module, which is what `DistributedDataParallel` wraps."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.net, self._losses = method.net, method.losses

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return self._losses(batch)


class Trainer:
    """Network, moving average and optimiser of one run, kept in ``out`` as ``last.pt`` and ``weights.safetensors``.

    With several processes (`parallel.joined`) each trains on its part of every batch and all stay equal; the first
    writes the files. Raises `ValueError` when the batch cannot be divided among them.
    """

    def __init__(self, method: Method, out: Path) -> None:
        self.method, self.out = method, out
        self.plan = method.run
        if self.plan.batch % parallel.size():
            raise ValueError(f"a batch of {self.plan.batch} cannot be divided among {parallel.size()} processes")
        self.net, self.device = method.net, method.device
        self.average = None
        if self.plan.ema is not None:
            self.average = {name: t.detach().clone() for name, t in self.net.state_dict().items()}
        self.optimiser = method.optimiser()
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.plan.precision == "float16")
        self.step = 0
        self.skipped = 0
        self._last: dict[str, Tensor] = {}
        self._learning: list[bool] = []
        self._module: nn.Module = _Step(method)
        if (out / "last.pt").exists():
            self._resume()

    def _resume(self) -> None:
        path = self.out / "last.pt"
        state = torch.load(path, map_location=self.device, weights_only=True)
        try:
            self.net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"{path}: is of another run ({str(error).splitlines()[0]}); choose another --out"
            ) from error
        self.average = state["average"]
        self.scaler.load_state_dict(state.get("scaler", {}))
        torch.set_rng_state(state["rng"].cpu())
        if self.device.type == "cuda" and "cuda_rng" in state:
            torch.cuda.set_rng_state(state["cuda_rng"].cpu(), self.device)
        self.step, self.skipped = int(state["step"]), int(state.get("skipped", 0))

    def save(self) -> None:
        """Write the resume file and the weights, both atomically; on the first process only."""
        if parallel.rank():
            return
        self.out.mkdir(parents=True, exist_ok=True)
        state = {
            "net": self.net.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "rng": torch.get_rng_state(),
            "step": self.step,
            "skipped": self.skipped,
        }
        if self.device.type == "cuda":
            state["cuda_rng"] = torch.cuda.get_rng_state(self.device)
        part = self.out / "last.part"
        torch.save(state, part)
        part.replace(self.out / "last.pt")
        saved = self.net
        if self.average is not None:
            saved = copy.deepcopy(self.net)  # a new network would draw from the random state just saved
            saved.load_state_dict(self.average)
        about = {"licence": "Apache-2.0", "steps_done": str(self.step), "torch": str(torch.__version__)}
        checkpoint.save(saved, self.out / "weights.safetensors", self.method.net_config, about | self.method.about())

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        plan = self.plan
        each = plan.batch // parallel.size()
        starts = [step * plan.batch + parallel.rank() * each for step in range(self.step, plan.steps)]
        loader = DataLoader(
            self.method.samples(),
            batch_sampler=[range(start, start + each) for start in starts],  # type: ignore[arg-type]
            num_workers=plan.workers,
            prefetch_factor=4 if plan.workers else None,
            worker_init_fn=_one_thread,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else it draws from the state that a resumed run restores
        )
        for batch in loader:
            yield self.method.finish({k: v.to(self.device, non_blocking=True) for k, v in batch.items()})

    def run(self) -> Generator[dict[str, Any], None, None]:
        """Train to the last step, yielding the figures of each; saves every ``save_every`` steps and at the end.

        ``total`` and the losses are means over the processes, ``rate`` the schedule's, ``skipped`` counts broken
        batches so far.
        """
        plan = self.plan
        names = [name for name, weight in self.method.weights.items() if weight]
        with contextlib.closing(self._batches()) as batches:  # type: ignore[type-var]
            for batch in batches:
                start = time.perf_counter()
                self._prepare()
                rate = self.method.rate(self.step)
                for group in self.optimiser.param_groups:
                    group["lr"] = group["base"] * rate
                with torch.autocast(self.device.type, self._reduced(), enabled=plan.precision != "float32"):
                    terms = {name: value for name, value in self._module(batch).items() if name in names}
                parts = [self.method.weights[name] * value for name, value in terms.items()]
                total = sum(parts, torch.zeros((), device=self.device))
                figures = parallel.mean(terms | {"total": total}, [*names, "total"])
                self._learn(total, figures["total"])
                self._last = batch
                self.step += 1
                if self.step % plan.save_every == 0 or self.step == plan.steps:
                    self.save()
                seconds = time.perf_counter() - start
                yield {"step": self.step, **figures, "seconds": seconds, "rate": rate, "skipped": self.skipped}

    def _reduced(self) -> torch.dtype:
        return torch.float16 if self.plan.precision == "float16" else torch.bfloat16

    def _prepare(self) -> None:
        """Let the method freeze and thaw; the wrapper counts on a fixed set of parameters, so it is renewed then."""
        self.method.prepare(self.step)
        if parallel.size() == 1:
            return
        learning = [p.requires_grad for p in self.net.parameters()]
        if learning != self._learning:
            self._learning = learning
            # a batch without masks leaves a branch unused
            self._module = DistributedDataParallel(_Step(self.method), find_unused_parameters=True)

    def _learn(self, total: Tensor, agreed: float) -> None:
        """One step of the optimiser, unless the loss or its gradient is broken; all processes agree on ``agreed``."""
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(total).backward()
        self.scaler.unscale_(self.optimiser)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.plan.clip)
        sound = agreed <= LARGEST  # false for nan
        if self.scaler.is_enabled():
            if sound:
                self.scaler.step(self.optimiser)
        elif sound and torch.isfinite(norm):
            self.optimiser.step()
        if not (sound and torch.isfinite(norm)):
            self.skipped += 1
        self.scaler.update()
        self._update_average()

    @torch.no_grad()
    def _update_average(self) -> None:
        if self.average is None or self.plan.ema is None:
            return
        # a young average would be dominated by the untrained start
        decay = min(self.plan.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name].copy_(value)

    def picture(self) -> np.ndarray | None:
        """What the network makes of the last batch's first pairs, (h, w, 3) uint8 BGR; None before the first step."""
        if not self._last:
            return None
        self.net.eval()  # the next step sets the modes again
        return self.method.picture(self._last)
