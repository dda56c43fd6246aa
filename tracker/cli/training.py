"""``main.py train``: the embedded tracker from crop sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tracker.api import TrackerError
from tracker.cli.terminal import console


def train(
    data: Path,
    *,
    out: Path,
    backbone: Path | None = None,
    start: Path | None = None,
    cache: Path | None = None,
    steps: int | None = None,
    batch: int | None = None,
    lr: float | None = None,
    thaw: float | None = None,
    seed: int | None = None,
    sets: Annotated[dict[str, float] | None, Parameter(name="--sets", negative=())] = None,
    device: str = "auto",
    workers: int | None = None,
    threads: int | None = None,
) -> int:
    """Train the embedded tracker; run again with the same --out to go on where it stopped.

    OUT/weights.safetensors holds the averaged weights after every hundred steps, OUT/last.pt what resuming needs.

    Parameters
    ----------
    data
        A folder of crop sets: <set>.json beside crops/<set>/.
    out
        Folder of this run.
    backbone
        ImageNet weights to start from (safetensors, conv0..conv38); without, from random ones.
    start
        Weights of this tracker to start from; what an older version lacks begins at random.
    cache
        Keep decoded crops here as memory maps: a third faster, half a megabyte a crop.
    steps
        Length of the run; the learning rate falls to its end.
    batch
        Pairs per step.
    lr
        Learning rate after warm-up; the backbone's stays in proportion.
    thaw
        Share of the run after which the backbone's finest stages are trained too; 1 keeps them as they are.
    seed
        Decides every random draw.
    sets
        Share of the samples per set: --sets.coco128 0.3 --sets.aerial 0.7.
    device
        auto, cpu, cuda or mps.
    workers
        Processes that draw samples.
    threads
        Threads of the network on a CPU.
    """
    import torch
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tracker.config import NetConfig, TrainConfig
    from tracker.inference.device import pick_device
    from tracker.training.loop import Trainer

    given = {"steps": steps, "batch": batch, "thaw": thaw, "seed": seed, "sets": sets, "workers": workers}
    config = TrainConfig(data=str(data), **{name: value for name, value in given.items() if value is not None})
    if lr is not None:
        config = replace(config, lr=lr, backbone_lr=config.backbone_lr * lr / config.lr)
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        trainer = Trainer(config, NetConfig(), out, pick_device(device), backbone, cache, start)
        columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=config.steps, completed=trainer.step)
            for row in trainer.run():
                terms = " ".join(f"{name} {row[name]:.3f}" for name in ("total", "cls", "giou", "mask") if name in row)
                bar.update(task, completed=row["step"], description=terms)
    except (ValueError, OSError) as error:
        raise TrackerError(str(error)) from error
    console().print(f"{out / 'weights.safetensors'} after {trainer.step} steps")
    return 0
