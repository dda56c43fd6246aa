"""``main.py effort``: how often a person would have to correct."""

from __future__ import annotations

import json as codec
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tracker.api import TrackerError
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.data.sequences import Sequence
    from tracker.evaluation.compare import Contender
    from tracker.evaluation.effort import Effort

GREEDY, FEWEST = "keyframes, greedy", "keyframes, fewest"
Row = tuple[str, float]
"""A way of labelling and the overlap that it must reach."""


def effort(
    root: Path,
    *,
    tracker: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    threshold: Annotated[tuple[float, ...], Parameter(consume_multiple=True, negative=())] = (0.5, 0.7),
    clips: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    json: Path | None = None,
    nanotrack_dir: Path | None = None,
    weights: Path | None = None,
    device: str = "auto",
) -> int:
    """Count the corrections of a simulated annotator, with trackers and with linear interpolation of keyframes.

    The first box is given; the first frame whose overlap falls below the threshold is corrected, and the tracker goes
    on from there.

    Parameters
    ----------
    root
        A folder of clips, as for `evaluate`.
    tracker
        Names of trackers; see `trackers`.
    threshold
        Overlaps (IoU) that every frame must reach.
    clips
        Only these clips; patterns such as OTB_* are allowed.
    json
        Write the figures to this file.
    nanotrack_dir
        Folder of NanoTrack's ONNX files, for opencv-nano.
    weights
        Other weights than the shipped ones, for the trackers that have weights.
    device
        auto, cpu, cuda or mps.
    """
    from tracker.data.readers import discover
    from tracker.data.sequences import select
    from tracker.evaluation.compare import Contender
    from tracker.evaluation.effort import fewest_keyframes, greedy_keyframes

    if not all(0 < value < 1 for value in threshold):
        raise TrackerError("--threshold needs overlaps between 0 and 1, such as 0.5.")
    options = {"nanotrack_dir": nanotrack_dir, "weights": weights}
    contenders = [Contender.of(label, device, options) for label in dict.fromkeys(tracker or ["default"])]
    sequences = select(discover(root), clips or [], None)
    if json is not None:
        prepare(json)
    found: dict[Row, dict[str, Effort]] = {}
    for value in threshold:
        for sequence in sequences:
            truth = np.where(sequence.present[:, None], sequence.truth, np.nan)
            found.setdefault((GREEDY, value), {})[sequence.name] = greedy_keyframes(truth, value)
            found.setdefault((FEWEST, value), {})[sequence.name] = fewest_keyframes(truth, value)
    _follow(contenders, sequences, threshold, found)
    if json is not None:
        listed = [
            {"way": way, "threshold": value, "clips": {name: vars(one) for name, one in efforts.items()}}
            for (way, value), efforts in found.items()
        ]
        json.write_text(codec.dumps(listed, indent=1), encoding="utf-8")
    console().print(_table(found, threshold))
    for (way, value), efforts in found.items():
        for name, one in efforts.items():
            if one.note:
                print(f"warning: {way} at {value:g} on {name}: {one.note}", file=sys.stderr)
    return 0


def _follow(
    contenders: list[Contender],
    sequences: list[Sequence],
    thresholds: tuple[float, ...],
    found: dict[Row, dict[str, Effort]],
) -> None:
    from rich.progress import Progress

    from tracker.evaluation.effort import with_tracker

    frames = sum(len(sequence.truth) for sequence in sequences)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=frames * len(contenders) * len(thresholds))
        before = 0
        for contender in contenders:
            made = contender.create()
            for value in thresholds:
                for sequence in sequences:
                    steps = with_tracker(made, sequence, value)
                    try:
                        while True:
                            bar.update(
                                task, description=f"{contender.label} {sequence.name}", completed=before + next(steps)
                            )
                    except StopIteration as end:
                        found.setdefault((contender.label, value), {})[sequence.name] = end.value
                    before += len(sequence.truth)


def _table(found: dict[Row, dict[str, Effort]], thresholds: tuple[float, ...]) -> Table:
    """Corrections per 1 000 reviewed frames, pooled over all clips; in brackets how many that were."""
    table = Table(title="Corrections per 1 000 frames (all of them)")
    table.add_column("with")
    for value in thresholds:
        table.add_column(f"overlap {value:g}", justify="right")
    for way in dict.fromkeys(way for way, _ in found):
        cells = []
        for value in thresholds:
            efforts = found[way, value].values()
            corrections, frames = sum(one.corrections for one in efforts), sum(one.frames for one in efforts)
            cells.append(f"{1000 * corrections / max(1, frames):.1f} ({corrections})")
        table.add_row(way, *cells)
    return table
