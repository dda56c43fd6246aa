"""The researchers' half of the command line: ``main.py evaluate`` and ``main.py trackers``.

Each command returns its exit status and raises `TrackerError` for what a user can mend; main.py says it in one
sentence. What is slow to import is imported by the command that needs it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from tracker import registry
from tracker.api import TrackerError

if TYPE_CHECKING:
    from tracker.data.sequences import Sequence
    from tracker.evaluation.compare import Comparison, Contender

app = App(name="tracker", help="Trackers: list, evaluate, train.")
WIDE = 140
"""Columns of a table that goes to a file or a pipe, where there is no window to fit."""


@app.command(name="trackers")
def list_trackers() -> int:
    """List the trackers: name, size, weights, licence."""
    table = Table()
    for title in ("name", "also", "what", "parameters", "weights", "masks", "licence"):
        table.add_column(title, no_wrap=title == "name", justify="right" if title == "parameters" else "left")
    for info in registry.infos():
        size = f"{info.parameters / 1e6:.2f} M" if info.parameters is not None else "-"
        masks = "yes" if info.masks else "no"
        table.add_row(info.name, ", ".join(info.aliases), info.title, size, info.weights, masks, info.licence)
    _console().print(table)
    return 0


@app.command
def evaluate(
    root: Path,
    *,
    tracker: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    json: Path | None = None,
    nanotrack_dir: Path | None = None,
    weights: Path | None = None,
    set_: Annotated[dict[str, float] | None, Parameter(name="--set", negative=())] = None,
    device: str = "auto",
    clips: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    limit_clips: int | None = None,
    raw: Path | None = None,
    jobs: int = 1,
) -> int:
    """Measure trackers on clips with ground truth: one pass, started on the first box, never corrected.

    Prints success AUC, precision at 20 px, mean IoU, mask J and frames per second. The speed is that of the tracker
    alone: decoding, starting and scoring are left out.

    Parameters
    ----------
    root
        A folder of clips (or of groups of clips, or one clip): video.mp4, groundtruth.txt and optionally masks/.
    tracker
        Names of trackers; see `trackers`. The default is the one that the window starts with.
    json
        Write the figures to this file.
    nanotrack_dir
        Folder of NanoTrack's ONNX files, for opencv-nano.
    weights
        Other weights than the shipped ones, for the trackers that have weights.
    set_
        Another value for a hyper-parameter: --set.penalty_k 0.1.
    device
        auto, cpu, cuda or mps.
    clips
        Only these clips; patterns such as OTB_* are allowed.
    limit_clips
        Only the first so many clips.
    raw
        Keep the raw boxes as text in this folder, and continue from those already there.
    jobs
        Clips to run at once; speeds then include each other's load.
    """
    from tracker.data.sequences import discover, select
    from tracker.evaluation import report
    from tracker.evaluation.compare import Contender
    from tracker.evaluation.metrics import OTB

    if jobs < 1 or (limit_clips is not None and limit_clips < 1):
        raise TrackerError("--jobs and --limit-clips need at least 1.")
    labels = list(dict.fromkeys(tracker or ["default"]))
    _refuse_unknown(set_ or {}, labels)
    options = {"nanotrack_dir": nanotrack_dir, "weights": weights, **(set_ or {})}
    contenders = [Contender.of(label, device, options) for label in labels]
    sequences = select(discover(root), clips or [], limit_clips)
    if json is not None:
        _prepare(json)
    comparison = _with_progress_bar(contenders, sequences, raw, jobs)
    if json is not None:
        report.write_json(comparison, json)
    console = _console()
    console.print(report.clip_table(comparison))
    console.print(report.mean_table(comparison))
    console.print(f"Profile {OTB.name}: {OTB.words}. Speed: frames per second of the tracker alone.", style="dim")
    for problem in comparison.problems:
        print(f"warning: {problem}", file=sys.stderr)
    if not any(comparison.scores.values()):
        raise TrackerError("no clip could be scored.")
    return 0


@app.command
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
    lr
        Learning rate after warm-up; the backbone's stays in proportion.
    cache
        Keep decoded crops here as memory maps: a third faster, half a megabyte a crop.
    steps
        Length of the run; the learning rate falls to its end.
    batch
        Pairs per step.
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
    from tracker.inference.siamatt import pick_device
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
    _console().print(f"{out / 'weights.safetensors'} after {trainer.step} steps")
    return 0


def _with_progress_bar(
    contenders: list[Contender], sequences: list[Sequence], raw: Path | None, jobs: int
) -> Comparison:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tracker.evaluation.compare import compare

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    steps = compare(contenders, sequences, raw_root=raw, jobs=jobs)
    before = 0
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(contenders) * sum(len(sequence.truth) for sequence in sequences))
        try:
            while True:
                step = next(steps)
                bar.update(task, description=f"{step.label} {step.clip}", completed=before + step.done)
                if step.finished:
                    before += step.frames
        except StopIteration as end:
            return end.value
        finally:
            steps.close()


def _refuse_unknown(settings: dict[str, float], labels: list[str]) -> None:
    known = set().union(*(registry.accepts(label) for label in labels)) - {"nanotrack_dir", "weights"}
    if unknown := sorted(set(settings) - known):
        words = ", ".join(sorted(known)) or "none"
        raise TrackerError(f"None of these trackers knows the setting {', '.join(unknown)}; they know: {words}.")


def _prepare(path: Path) -> None:
    """Find out before the work, not after it, that a result cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
    except OSError as error:
        raise TrackerError(f"{path} cannot be written: {error}") from error


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)
