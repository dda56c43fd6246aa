"""``main.py evaluate``: figures on clips with ground truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console

from tracker import registry
from tracker.api import TrackerError
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.data.sequences import Sequence
    from tracker.evaluation.compare import Comparison, Contender


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
        prepare(json)
    comparison = _with_progress_bar(contenders, sequences, raw, jobs)
    if json is not None:
        report.write_json(comparison, json)
    out = console()
    out.print(report.clip_table(comparison))
    out.print(report.mean_table(comparison))
    out.print(f"Profile {OTB.name}: {OTB.words}. Speed: frames per second of the tracker alone.", style="dim")
    for problem in comparison.problems:
        print(f"warning: {problem}", file=sys.stderr)
    if not any(comparison.scores.values()):
        raise TrackerError("no clip could be scored.")
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
