"""``main.py bench``: how fast things are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tracker import registry
from tracker.api import TrackerError
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.evaluation.speed import Figure

bench = App(name="bench", help="Measure speed.")
PEERS = ("opencv-kcf", "opencv-csrt")
ENGINE_CHOICES = ("torch", "openvino")


@bench.command
def trackers(
    *,
    tracker: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    engine: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    targets: Annotated[list[int] | None, Parameter(consume_multiple=True, negative=())] = None,
    repeats: int = 5,
    frames: int = 20,
    size: str = "1280x720",
    untrained: Annotated[bool, Parameter(negative=())] = False,
    nanotrack_dir: Path | None = None,
    device: str = "auto",
    json: Path | None = None,
) -> int:
    """Measure trackers side by side on a clip made in memory: frames per second, and the time outside the network.

    All take turns in one process, so that whatever else the machine does slows them alike; look at the ratios.

    Parameters
    ----------
    tracker
        Names of trackers; see `trackers`. By default the embedded one and OpenCV's.
    engine
        What runs the networks: torch, openvino. By default all that serve the device and are installed.
    targets
        Numbers of targets followed at once; by default 1 and 8.
    repeats
        Turns of each.
    frames
        Frames per turn.
    size
        Of the frames, in pixels.
    untrained
        Measure trackers with random weights: for speed they need no training.
    nanotrack_dir
        Folder of NanoTrack's ONNX files, for opencv-nano.
    device
        auto, cpu, cuda or mps.
    json
        Write the figures to this file.
    """
    from tracker.evaluation import speed

    width, height = _size(size)
    if repeats < 1 or frames < 2:
        raise TrackerError("--repeats needs at least 1, --frames at least 2.")
    if json is not None:
        prepare(json)
    names = [registry.resolve(name) for name in tracker] if tracker else [registry.DEFAULT, *PEERS]
    if not tracker and registry.nanotrack_dir(nanotrack_dir):
        names.append("opencv-nano")
    chosen = registry.auto_device() if device == "auto" else device

    def options(name: str) -> dict[str, object]:
        given = {"untrained": untrained, "nanotrack_dir": nanotrack_dir}
        return {key: value for key, value in given.items() if value and key in registry.accepts(name)}

    tasks = speed.plan(names, engine or _engines(chosen), targets or [1, 8])
    run = speed.measure(tasks, speed.clip(width, height, frames), repeats, chosen, options)
    figures = []
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task("Measuring", total=repeats * len(tasks))
        for figure in run:
            if figure is None:
                progress.advance(bar)
            else:
                figures.append(figure)
    console().print(_table(figures, f"{size}, device {chosen}, the median of {repeats} turns of {frames - 1} frames"))
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode([_row(figure) for figure in figures])))
    return 0


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise TrackerError(f"--size {text}: give width and height in pixels, such as 1280x720.") from None
    if min(width, height) < 64:
        raise TrackerError(f"--size {text}: at least 64 pixels each way.")
    return width, height


def _engines(device: str) -> list[str]:
    from tracker.inference import openvino

    return list(ENGINE_CHOICES) if device == "cpu" and openvino.installed() else ["torch"]


def _row(figure: Figure) -> dict[str, object]:
    task = figure.task
    return {
        "tracker": task.tracker,
        "engine": task.engine,
        "targets": task.targets,
        "masks": task.masks,
        "frames_per_second": figure.rate,
        "step_ms": figure.step,
        "forward_ms": figure.forward,
        "overhead": figure.overhead,
    }


def _table(figures: list[Figure], caption: str) -> Table:
    """Speeds as ratios to the first row of the same number of targets, too."""
    table = Table(caption=caption)
    for title in ("tracker", "engine", "targets", "masks", "frames/s", "ratio", "step ms", "network ms", "outside"):
        table.add_column(title, justify="left" if title in ("tracker", "engine", "masks") else "right")
    first: dict[int, float] = {}
    for figure in figures:
        task = figure.task
        base = first.setdefault(task.targets, figure.rate)
        table.add_row(
            task.tracker,
            task.engine,
            str(task.targets),
            "yes" if task.masks else "no",
            f"{figure.rate:.1f}",
            f"{figure.rate / base:.2f}",
            f"{figure.step:.2f}",
            "-" if figure.forward is None else f"{figure.forward:.2f}",
            "-" if figure.overhead is None else f"{figure.overhead:+.0%}",
        )
    return table
