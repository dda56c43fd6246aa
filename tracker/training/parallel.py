"""One training on several processes (``torchrun``): what they must know of each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed


def size() -> int:
    """Processes of this run."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 writes the files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def asked_for() -> bool:
    """Whether ``torchrun`` started this process."""
    return "WORLD_SIZE" in os.environ and "RANK" in os.environ


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Within, the processes that ``torchrun`` started know each other; yields this one's device.

    Alone, ``device`` itself. On CUDA each process takes the card of its local rank and they speak NCCL, else gloo.
    """
    if not asked_for():
        yield device
        return
    cuda = device.startswith("cuda")
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda else device
    if cuda:
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield own
    finally:
        distributed.destroy_process_group()


def share(count: Tensor, least: float = 1.0) -> Tensor:
    """A count over all processes, at least ``least``, divided by their number.

    Gradients are averaged over processes, so a sum divided by this gives what one process with the whole batch gives.
    """
    count = count.detach().float()
    if size() > 1:
        count = count.clone()
        distributed.all_reduce(count)
    return count.clamp(min=least) / size()


def mean(values: dict[str, Tensor], names: list[str]) -> dict[str, float]:
    """Each figure's mean over the processes that have it; ``names`` are the same on all of them."""
    device = next(iter(values.values())).device
    sums = torch.stack([values[n].detach().float() if n in values else torch.zeros((), device=device) for n in names])
    having = torch.tensor([float(n in values) for n in names], device=device)
    if size() > 1:
        distributed.all_reduce(sums)
        distributed.all_reduce(having)
    found = zip(names, sums.tolist(), having.tolist(), strict=True)
    return {name: total / count for name, total, count in found if count}
