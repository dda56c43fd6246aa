"""``main.py train``: the embedded tracker, or a paper's recipe, from crop sets."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console

from tracker.api import TrackerError
from tracker.cli.terminal import console

if TYPE_CHECKING:
    from tracker.training.loop import Trainer
    from tracker.training.method import Method


def train(
    data: list[Path],
    /,
    *,
    out: Path,
    preset: str = "siamatt-mobile",
    start: Path | None = None,
    backbone: Path | None = None,
    cache: Path | None = None,
    steps: int | None = None,
    batch: int | None = None,
    lr: float | None = None,
    thaw: float | None = None,
    seed: int | None = None,
    sets: Annotated[dict[str, float] | None, Parameter(name="--sets", negative=())] = None,
    reach: Annotated[dict[str, int] | None, Parameter(name="--reach", negative=())] = None,
    precision: Literal["float32", "bfloat16", "float16"] | None = None,
    label_grid: Literal["aligned", "paper"] | None = None,
    device: str = "auto",
    workers: int | None = None,
    threads: int | None = None,
    save_every: int | None = None,
    pictures: int = 500,
    tensorboard: Annotated[bool | None, Parameter(negative="--no-tensorboard")] = None,
) -> int:
    """Train a tracker; run again with the same --out to go on where it stopped.

    OUT/weights.safetensors holds the weights, OUT/last.pt what resuming needs, OUT/log.jsonl the figures; with
    TensorBoard installed its files are in OUT/tensorboard. Started by torchrun, the processes share every batch.

    Parameters
    ----------
    data
        Folders of crop sets: <set>.json beside crops/<set>/ or crop511/<set>/. The embedded tracker takes one.
    out
        Folder of this run.
    preset
        siamatt-mobile (embedded), siamatt-mobile-masks (its mask branch, on weights to --start from), siamrpnpp-r50,
        siamrpnpp-mobilev2, siamrpnpp-alex, siammask-r50, siammask-r50-refine, siamatt-r50 or attsiammask-r50.
    start
        Weights to start from, of this tracker or of one that it contains; what they lack begins at random.
    backbone
        ImageNet weights to start from: for the embedded tracker conv0..conv38, else imported as resnet50-backbone.
    cache
        Keep decoded crops here as memory maps: a third faster, half a megabyte a crop.
    steps
        Length of the run; the schedule is stretched over it.
    batch
        Pairs per step, over all processes.
    lr
        Learning rate after warm-up; all other rates stay in proportion.
    thaw
        Share of the run after which the embedded backbone's finest stages are trained too; 1 keeps them as they are.
    seed
        Decides every random draw.
    sets
        Share of the samples per set, or for a paper's recipe videos per epoch: --sets.coco 0 takes each once.
        Without, the embedded tracker's own sets, or all that are there.
    reach
        How far apart the two frames of a pair may be, for a paper's recipe: --reach.vid 100.
    precision
        Arithmetic of the network; float16 scales the loss.
    label_grid
        Grid of the attention labels, aligned with the network's cells or as SiamAtt prints it.
    device
        auto, cpu, cuda or mps.
    workers
        Processes that draw samples, for each training process.
    threads
        Threads of the network on a CPU.
    save_every
        Steps between two saves.
    pictures
        Steps between two pictures of what the network answers; 0 for none.
    tensorboard
        Insist on TensorBoard, or leave it out; by default it is used where it is installed.
    """
    import torch

    from tracker.inference.device import pick_device
    from tracker.training import parallel
    from tracker.training.loop import Trainer
    from tracker.training.recipes import EMBEDDED, EMBEDDED_MASKS, PRESETS

    if preset not in PRESETS:
        raise TrackerError(f"There is no preset “{preset}”. Presets: {', '.join(PRESETS)}.")
    if threads is not None:
        torch.set_num_threads(threads)
    given: dict[str, Any] = {"steps": steps, "batch": batch, "seed": seed, "workers": workers, "save_every": save_every}
    given = {name: value for name, value in given.items() if value is not None}
    files = {"backbone": backbone, "start": start}
    try:
        with parallel.joined(pick_device(device)) as own:
            if preset in (EMBEDDED, EMBEDDED_MASKS):
                method = _embedded(preset, data, own, given, files, cache, sets, lr, thaw, precision)
            else:
                chosen = {"sets": sets or {}, "reach": reach or {}, "lr": lr, "label_grid": label_grid}
                method = _published(preset, data, own, given, files, cache, chosen, precision)
            trainer = Trainer(method, out)
            follow(trainer, out, pictures, tensorboard)
            if parallel.rank() == 0:
                console().print(f"{out / 'weights.safetensors'} after {trainer.step} steps")
    except (ValueError, OSError) as error:
        raise TrackerError(str(error)) from error
    return 0


def _embedded(
    preset: str,
    data: list[Path],
    device: str,
    given: dict[str, Any],
    files: dict[str, Path | None],
    cache: Path | None,
    sets: dict[str, float] | None,
    lr: float | None,
    thaw: float | None,
    precision: str | None,
) -> Method:
    from tracker.config import NetConfig, TrainConfig
    from tracker.training import outlining
    from tracker.training.embedded import Embedded
    from tracker.training.recipes import EMBEDDED_MASKS

    if len(data) != 1:
        raise TrackerError("The embedded tracker is trained from one folder of crop sets; give one.")
    if precision == "float16":
        raise TrackerError("The embedded tracker is trained with float32 or bfloat16.")
    if sets is not None:
        given["sets"] = sets
    if thaw is not None:
        given["thaw"] = thaw
    if precision is not None:
        given["bfloat16"] = precision == "bfloat16"
    if preset == EMBEDDED_MASKS:
        given = {**outlining.RECIPE, **given}
    config = TrainConfig(data=str(data[0]), **given)
    if lr is not None:
        config = replace(config, lr=lr, backbone_lr=config.backbone_lr * lr / config.lr)
    if preset == EMBEDDED_MASKS:
        if files["start"] is None:
            raise TrackerError("The mask branch is trained on weights of the embedded tracker; give them with --start.")
        return outlining.Outlining(config, NetConfig(), device, start=files["start"], cache=cache)
    return Embedded(config, NetConfig(), device, backbone=files["backbone"], start=files["start"], cache=cache)


def _published(
    preset: str,
    data: list[Path],
    device: str,
    given: dict[str, Any],
    files: dict[str, Path | None],
    cache: Path | None,
    chosen: dict[str, Any],
    precision: Any,
) -> Method:
    from tracker.data.drawing import Share, find_sets, share_of
    from tracker.training.method import Run
    from tracker.training.published import Published
    from tracker.training.recipes import RECIPES

    recipe = RECIPES[preset]
    if lr := chosen["lr"]:
        factor, old = lr / recipe.schedule.peak, recipe.schedule
        recipe = replace(recipe, schedule=replace(old, start=old.start * factor, peak=lr, end=old.end * factor))
    wanted = {
        name: Share(int(count) or None, share_of(name, recipe.sets).reach) for name, count in chosen["sets"].items()
    }
    sources = find_sets(data, wanted or recipe.sets, only=bool(wanted), cache=cache)
    sources = [
        (source, replace(share, reach=chosen["reach"].get(source.name, share.reach))) for source, share in sources
    ]
    run = Run(recipe.steps, recipe.batch, 7, recipe.clip, precision or "float32", save_every=1000)
    run = replace(run, **given)
    if "steps" not in given and "batch" in given:  # as many pairs as published
        run = replace(run, steps=recipe.steps * recipe.batch // run.batch)
    net = replace(recipe.net, label_grid=chosen["label_grid"] or recipe.net.label_grid)
    start, backbone = files["start"], files["backbone"]
    return Published(recipe, sources, run, device, net_config=net, start=start, backbone=backbone)


def follow(trainer: Trainer, out: Path, pictures: int, tensorboard: bool | None = False, title: str = "") -> None:
    """Run a trainer to its end with a bar on the console and a log in ``out``, both of the first process alone."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tracker.training import parallel
    from tracker.training.log import Log

    if parallel.rank():
        for _ in trainer.run():
            pass
        return
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    log = Log(out, trainer.step, tensorboard)
    with closing(log), Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=trainer.plan.steps, completed=trainer.step)
        for row in trainer.run():
            log.figures(row)
            terms = " ".join(f"{name} {row[name]:.3f}" for name in ("total", *trainer.method.weights) if name in row)
            bar.update(task, completed=row["step"], description=terms)
            if pictures and row["step"] % pictures == 0 and (picture := trainer.picture()) is not None:
                log.picture(row["step"], picture)
