"""What the one training loop needs to know of a way to train: a recipe of the papers, or the embedded tracker's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from tracker.config import NetConfig

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Run:
    """Length and habits of a run. ``batch``: pairs of a step over all processes."""

    steps: int
    batch: int
    seed: int
    clip: float
    precision: Precision = "float32"
    ema: float | None = None
    """Decay of the moving average that is saved as the weights; None saves the weights themselves."""
    save_every: int = 100
    workers: int = 1


class Method(Protocol):
    """One way to train one network; the loop owns steps, optimiser state, saving and processes."""

    run: Run
    net_config: NetConfig
    """Of the network as it will track, saved with its weights."""
    weights: Mapping[str, float]
    """Of the losses by name."""
    device: torch.device

    @property
    def net(self) -> nn.Module:
        """The network, on the device."""
        ...

    def optimiser(self) -> torch.optim.Optimizer:
        """Over every parameter that is ever trained; each group's ``base`` is multiplied by `rate`."""
        ...

    def rate(self, step: int) -> float:
        """Factor on the groups' ``base`` at a step."""
        ...

    def prepare(self, step: int) -> None:
        """Set what of the network learns at this step (``requires_grad``), and which parts are in training mode."""
        ...

    def samples(self) -> Dataset[dict[str, Any]]:
        """Sample ``i`` is a function of the seed and ``i``; step ``s`` takes those from ``s * batch`` on."""
        ...

    def finish(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """What is left to do to a batch on its device: rendering, where there is an accelerator."""
        ...

    def losses(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms of a batch by name, unweighted."""
        ...

    def picture(self, batch: dict[str, Tensor]) -> np.ndarray:
        """What the network, in eval mode, makes of a batch's first samples: (h, w, 3) uint8 BGR, for people."""
        ...

    def about(self) -> dict[str, Any]:
        """Metadata of the weights."""
        ...
