"""``main.py effort``: how often a person would have to correct."""

from __future__ import annotations

import json as codec
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from cyclopts import Parameter
from rich.table import Table

from tracker.api import TrackerError
from tracker.cli.evaluating import with_progress_bar
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.evaluation.effort import Effort

GREEDY, FEWEST = "keyframes, greedy", "keyframes, fewest"
Row = tuple[str, float, int]
"""A way of labelling, the overlap that it must reach, and whose hand draws."""


def effort(
    root: Path,
    *,
    tracker: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    threshold: Annotated[tuple[float, ...], Parameter(consume_multiple=True, negative=())] = (0.5, 0.7),
    ahead: Annotated[tuple[int, ...], Parameter(consume_multiple=True, negative=())] = (0,),
    hands: int = 0,
    clips: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    json: Path | None = None,
    raw: Path | None = None,
    jobs: int = 1,
    nanotrack_dir: Path | None = None,
    weights: Path | None = None,
    device: str = "auto",
    engine: Literal["auto", "torch", "openvino"] = "auto",
    masks: Literal["where-true", "always"] = "where-true",
) -> int:
    """Count the corrections of a simulated annotator, with trackers and with linear interpolation of keyframes.

    The first box is given; the first frame whose overlap falls below the threshold is corrected, and the tracker goes
    on from there, learning from the correction if it can.

    Parameters
    ----------
    root
        A folder of clips, as for `evaluate`.
    tracker
        Names of trackers; see `trackers`.
    threshold
        Overlaps (IoU) that every frame must reach.
    ahead
        Frames from the first wrong one to the one that is corrected; above 0 the gap is tracked from both sides and
        fused. Several are compared: --ahead 0 15.
    hands
        Annotators whose boxes are off by a hundredth of their size, each in another way: the mean over them is less
        chance than the count of one who draws the truth to the pixel (0).
    clips
        Only these clips; patterns such as OTB_* are allowed.
    json
        Write the figures to this file.
    raw
        Keep each clip's corrected frames in this folder, and continue from those already there.
    jobs
        Clips to run at once.
    nanotrack_dir
        Folder of NanoTrack's ONNX files, for opencv-nano.
    weights
        Other weights than the shipped ones, for the trackers that have weights.
    device
        auto, cpu, cuda or mps.
    engine
        What runs our networks: auto takes the fastest, which may compute in half precision; torch is exact; openvino.
    masks
        Ask for masks on clips with true masks, or always, as the window does; masks correct boxes.
    """
    from tracker.data.readers import discover
    from tracker.data.sequences import select
    from tracker.evaluation.compare import Contender
    from tracker.evaluation.effort import Annotator
    from tracker.evaluation.keyframes import fewest_keyframes, greedy_keyframes

    if not all(0 < value < 1 for value in threshold):
        raise TrackerError("--threshold needs overlaps between 0 and 1, such as 0.5.")
    if jobs < 1 or min(ahead) < 0 or hands < 0:
        raise TrackerError("--jobs needs at least 1, --ahead frames and --hands annotators from 0 on.")
    options = {"nanotrack_dir": nanotrack_dir, "weights": weights, "engine": engine}
    labels = dict.fromkeys(tracker or ["default"])
    contenders = [Contender.of(label, device, options, always_masks=masks == "always") for label in labels]
    sequences = select(discover(root), clips or [], None)
    if json is not None:
        prepare(json)
    found: dict[Row, dict[str, Effort]] = {}
    problems: list[str] = []
    for value in threshold:
        for frames, hand in product(ahead, range(1, hands + 1) if hands else [0]):
            comparison = with_progress_bar(contenders, sequences, raw, root, jobs, Annotator(value, frames, hand))
            for label, efforts in comparison.scores.items():
                found[f"{label}, {frames} ahead" if frames else label, value, hand] = efforts
            problems += [f"at overlap {value:g}, {problem}" for problem in comparison.problems]
        usable = [one for one in sequences if all(one.name in efforts for efforts in found.values())]
        for sequence in usable:
            truth = np.where(sequence.present[:, None], sequence.truth, np.nan)
            found.setdefault((GREEDY, value, 0), {})[sequence.name] = greedy_keyframes(truth, value)
            found.setdefault((FEWEST, value, 0), {})[sequence.name] = fewest_keyframes(truth, value)
    if json is not None:
        listed = [
            {"way": way, "threshold": value, "hand": hand, "clips": {name: vars(one) for name, one in efforts.items()}}
            for (way, value, hand), efforts in found.items()
        ]
        json.write_text(codec.dumps(listed, indent=1), encoding="utf-8")
    console().print(_table(found, threshold))
    for problem in problems:
        print(f"warning: {problem}", file=sys.stderr)
    if not any(found.values()):
        raise TrackerError("no clip could be reviewed.")
    return 0


def _table(found: dict[Row, dict[str, Effort]], thresholds: tuple[float, ...]) -> Table:
    """Corrections per 1 000 reviewed frames, pooled over all clips and hands; in brackets how many each hand made."""
    table = Table(title="Corrections per 1 000 frames (all of them)")
    table.add_column("with")
    for value in thresholds:
        table.add_column(f"overlap {value:g}", justify="right")
    for way in dict.fromkeys(way for way, *_ in found):
        cells = []
        for value in thresholds:
            hands = [efforts.values() for (name, reach, _), efforts in found.items() if (name, reach) == (way, value)]
            counts = [sum(one.corrections for one in efforts) for efforts in hands]
            frames = sum(one.frames for efforts in hands for one in efforts)
            each = ", ".join(map(str, counts))
            cells.append(f"{1000 * sum(counts) / max(1, frames):.1f} ({each})")
        table.add_row(way, *cells)
    return table
