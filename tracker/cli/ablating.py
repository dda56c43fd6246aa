"""``main.py ablate``: SiamAtt's table 3 in one command."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from tracker.api import TrackerError
from tracker.cli.terminal import console
from tracker.cli.training import follow

if TYPE_CHECKING:
    from tracker.data.sequences import Sequence
    from tracker.evaluation.compare import Comparison
    from tracker.training.ablation import Row, Variant
    from tracker.training.method import Method

TRACKERS = {"mobile": "siamatt-mobile", "r50": "siamatt-r50"}


def ablate(
    data: Path,
    /,
    *,
    clips: Path,
    out: Path,
    steps: int,
    network: Literal["mobile", "r50"] = "mobile",
    batch: int = 24,
    seed: int = 7,
    label_grid: Literal["aligned", "paper"] = "aligned",
    backbone: Path | None = None,
    start: Path | None = None,
    cache: Path | None = None,
    sets: Annotated[dict[str, float] | None, Parameter(name="--sets", negative=())] = None,
    device: str = "auto",
    workers: int = 1,
    threads: int | None = None,
    jobs: int = 1,
) -> int:
    """Train a baseline, the same with attention, and with attention and offset; measure all three on clips.

    All have the same seed, hence the same start and the same samples, and the same number of steps. The table is
    printed and written to OUT/ablation.md; run again with the same --out to go on where it stopped.

    Parameters
    ----------
    data
        Folder of crop sets to train on.
    clips
        Folder of clips with ground truth to measure on, one pass.
    out
        Folder of the three runs and the table.
    steps
        Training steps of each.
    network
        The embedded tracker's, which two cores can train, or SiamAtt's on ResNet-50.
    batch
        Pairs per step.
    seed
        Decides the start and every random draw.
    label_grid
        Grid of the attention labels. Offsets take part in tracking on the paper's grid only; on the aligned one they
        are an additional loss.
    backbone
        ImageNet weights to start from.
    start
        Weights to start from, such as a trained SiamRPN++ for r50.
    cache
        Keep decoded crops here.
    sets
        Share of the samples per set, as in train.
    device
        auto, cpu, cuda or mps.
    workers
        Processes that draw samples.
    threads
        Threads of the network on a CPU.
    jobs
        Clips to measure at once.
    """
    import torch

    from tracker.data.readers import discover
    from tracker.inference.device import pick_device
    from tracker.training.ablation import VARIANTS, table
    from tracker.training.loop import Trainer

    if min(steps, batch, jobs) < 1:
        raise TrackerError("--steps, --batch and --jobs need at least 1.")
    if network == "mobile" and label_grid == "paper":
        raise TrackerError("The embedded network knows the aligned grid only; the paper's is for --network r50.")
    if threads is not None:
        torch.set_num_threads(threads)
    sequences = discover(clips)
    chosen = pick_device(device)
    given = {"steps": steps, "batch": batch, "seed": seed, "workers": workers}
    files = {"backbone": backbone, "start": start}
    rows: list[Row] = []
    sources: list[str] = []
    try:
        # all are trained before one is measured: a loader's process that is forked beside threads of OpenCV hangs
        for variant in VARIANTS:
            if network == "mobile":
                method = _mobile(variant, data, chosen, given, files, cache, sets)
            else:
                method = _r50(variant, data, chosen, given, files, cache, sets, label_grid)
            trainer = Trainer(method, out / variant.folder)
            follow(trainer, out / variant.folder, 0, title=variant.title)
            sources = method.about()["trained_on"]
        for variant in VARIANTS:
            weights = out / variant.folder / "weights.safetensors"
            rows.append(_measure(variant, TRACKERS[network], weights, sequences, chosen, clips, out, jobs))
        told = [
            f"{TRACKERS[network]}, {steps} steps of {batch} pairs each, seed {seed}, {label_grid} label grid",
            f"trained on {', '.join(sources)}",
            f"measured on {len(sequences)} clips of {clips.name}, one pass",
            "one seed: differences smaller than between seeds say nothing",
        ]
        text = table(rows, "What attention and offset add", told)
        (out / "ablation.md").write_text(text, encoding="utf-8")
        (out / "ablation.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    except (ValueError, OSError) as error:
        raise TrackerError(str(error)) from error
    console().print(text, markup=False)
    return 0


def _mobile(
    variant: Variant,
    data: Path,
    device: str,
    given: dict[str, Any],
    files: dict[str, Path | None],
    cache: Path | None,
    sets: dict[str, float] | None,
) -> Method:
    from tracker.config import NetConfig, TrainConfig
    from tracker.training.embedded import WEIGHTS, Embedded

    config = TrainConfig(data=str(data), **given)
    config = replace(config, warmup=min(config.warmup, max(1, config.steps // 10)), sets=sets or config.sets)
    return Embedded(config, NetConfig(), device, cache=cache, weights=variant.weights(WEIGHTS), **files)  # type: ignore[arg-type]


def _r50(
    variant: Variant,
    data: Path,
    device: str,
    given: dict[str, Any],
    files: dict[str, Path | None],
    cache: Path | None,
    sets: dict[str, float] | None,
    label_grid: Literal["aligned", "paper"],
) -> Method:
    from tracker.data.drawing import Share, find_sets, share_of
    from tracker.training.method import Run
    from tracker.training.published import Published
    from tracker.training.recipes import RECIPES

    recipe = RECIPES["siamatt-r50"]
    recipe = replace(recipe, weights=variant.weights(recipe.weights))
    wanted = {name: Share(int(count) or None, share_of(name, {}).reach) for name, count in (sets or {}).items()}
    sources = find_sets([data], wanted or recipe.sets, only=bool(wanted), cache=cache)
    run = Run(clip=recipe.clip, **given)
    net = replace(recipe.net, label_grid=label_grid)
    return Published(recipe, sources, run, device, net_config=net, **files)  # type: ignore[arg-type]


def _measure(
    variant: Variant,
    tracker: str,
    weights: Path,
    sequences: list[Sequence],
    device: str,
    source: Path,
    out: Path,
    jobs: int,
) -> Row:
    from tracker.evaluation.compare import Contender, compare
    from tracker.evaluation.report import mean
    from tracker.training.ablation import Row
    from tracker.zoo import ZOO

    tuned = next(iter(ZOO[tracker].profiles.values())).attention_weight
    options = {"weights": weights, "attention_weight": (tuned or 1.0) if variant.attention else 0.0}
    raw = out / "raw" / variant.folder  # one for each, for main.py report to put them side by side
    steps = compare([Contender.of(tracker, device, options)], sequences, raw_root=raw, source=source, jobs=jobs)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            comparison: Comparison = end.value
            break
    if not comparison.scores[tracker]:
        raise TrackerError("; ".join(comparison.problems) or "no clip could be scored.")
    found = mean(comparison.scores[tracker])
    return Row(variant.title, found["auc"] or 0.0, found["precision20"] or 0.0, found["miou"] or 0.0)
