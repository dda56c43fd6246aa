"""``main.py evaluate``: figures on clips with ground truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from tracker import registry
from tracker.api import TrackerError
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.data.sequences import Sequence
    from tracker.evaluation.compare import Comparison, Contender
    from tracker.evaluation.protocols import Protocol


def evaluate(
    root: Path,
    *,
    tracker: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    json: Path | None = None,
    html: Path | None = None,
    nanotrack_dir: Path | None = None,
    weights: Path | None = None,
    set_: Annotated[dict[str, float] | None, Parameter(name="--set", negative=())] = None,
    device: str = "auto",
    engine: Literal["auto", "torch", "openvino"] = "auto",
    clips: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    limit_clips: int | None = None,
    starts: int = 1,
    longest: int | None = None,
    raw: Path | None = None,
    jobs: int = 1,
    protocol: Literal["one-pass", "supervised", "multi-start"] = "one-pass",
    profile: str | None = None,
    repetitions: int = 15,
    variant: Literal["legacy", "toolkit"] = "legacy",
    masks: Literal["where-true", "always"] = "where-true",
) -> int:
    """Measure trackers on clips with ground truth, as the field's benchmarks do.

    One pass (started on the first box, never corrected) prints success AUC, precision at 20 px, mean IoU, mask J and
    frames per second; the two protocols of VOT accuracy, robustness and expected average overlap. The speed is that of
    the tracker alone: decoding, starting and scoring are left out.

    Parameters
    ----------
    root
        A folder of clips (or of groups of clips, or one clip): video.mp4, groundtruth.txt and optionally masks/; or
        clips of OTB, VOT, LaSOT or GOT-10k, or the root of UAV123, TrackingNet or DAVIS.
    tracker
        Names of trackers; see `trackers`. The default is the one that the window starts with.
    json
        Write the figures to this file.
    html
        Write a report to this file: one page with plots, tables and the worst failures in pictures. See `report`,
        which makes the same of raw results.
    nanotrack_dir
        Folder of NanoTrack's ONNX files, for opencv-nano.
    weights
        Other weights than the shipped ones, for the trackers that have weights.
    set_
        Another value for a hyper-parameter: --set.penalty_k 0.1.
    device
        auto, cpu, cuda or mps.
    engine
        What runs our networks: auto takes the fastest, which may compute in half precision; torch is exact; openvino.
    clips
        Only these clips; patterns such as OTB_* are allowed.
    limit_clips
        Only the first so many clips.
    starts
        Start on each clip at so many places, equally far apart. One pass is one draw: a chance loss early in a clip
        costs all of it. One pass only.
    longest
        Follow the target for at most so many frames after each start. One pass only.
    raw
        Keep the raw boxes as text in this folder, and continue from those already there.
    jobs
        Clips to run at once; speeds then include each other's load.
    protocol
        one-pass; supervised (VOT until 2019: started anew after a failure); multi-start (VOT from 2020 on).
    profile
        Whose details to follow. One pass: otb, lasot (lasot_pysot), lasot_pytracking, uav123, trackingnet, got10k.
        Supervised: vot2015 to vot2019, the interval of the expected average overlap.
    repetitions
        Supervised runs of a tracker that answers differently each time; one that does not is run three times.
    variant
        How the expected average overlap is counted: legacy, as in published tables, or as the Python toolkit does.
    masks
        Ask for masks on clips with true masks, or always, as the window does; masks correct boxes. One pass only.
    """
    from tracker.cli.reporting import write_page
    from tracker.data.readers import discover
    from tracker.data.sequences import select
    from tracker.data.stretches import stretches
    from tracker.evaluation import report, report_vot
    from tracker.evaluation.compare import Contender
    from tracker.evaluation.expected import INTERVALS
    from tracker.evaluation.page_vot import Counting
    from tracker.evaluation.profiles import get
    from tracker.evaluation.protocols import MultiStart, OnePass, Supervised
    from tracker.evaluation.stored import Study

    if repetitions < 1:
        raise TrackerError("--repetitions needs at least 1.")
    counts = {"--jobs": jobs, "--limit-clips": limit_clips, "--starts": starts, "--longest": longest}
    if low := [name for name, count in counts.items() if count is not None and count < 1]:
        raise TrackerError(f"{', '.join(low)}: at least 1.")
    labels = list(dict.fromkeys(tracker or ["default"]))
    _refuse_unknown(set_ or {}, labels)
    options = {"nanotrack_dir": nanotrack_dir, "weights": weights, "engine": engine, **(set_ or {})}
    if masks == "always" and protocol != "one-pass":
        raise TrackerError("--masks always is for one pass; VOT's protocols ask for masks where the truth has them.")
    contenders = [Contender.of(label, device, options, always_masks=masks == "always") for label in labels]
    sequences = select(discover(root), clips or [], limit_clips)
    if starts > 1 or longest is not None:
        if protocol != "one-pass":
            raise TrackerError("--starts and --longest are for one pass; VOT's protocols have starts of their own.")
        sequences = [part for sequence in sequences for part in stretches(sequence, starts, longest)]
    for path in (json, html):
        if path is not None:
            prepare(path)
    if protocol == "one-pass":
        rules = get(profile or "otb")
        kind, interval = OnePass(rules), "vot2018"
        comparison = with_progress_bar(contenders, sequences, raw, root, jobs, kind)
        data, words = report.as_json(comparison, rules.name), f"Profile {rules.name}: {rules.words}"
        tables = [report.clip_table(comparison), report.mean_table(comparison)]
    else:
        interval = profile or "vot2018"
        if interval not in INTERVALS or (protocol == "multi-start" and profile is not None):
            allowed = ", ".join(INTERVALS) if protocol == "supervised" else "none"
            raise TrackerError(f"“{profile}” is no profile of {protocol}. Profiles: {allowed}.")
        kind = Supervised(repetitions) if protocol == "supervised" else MultiStart()
        comparison = with_progress_bar(contenders, sequences, raw, root, jobs, kind)
        data = report_vot.as_json(comparison, protocol, interval, variant)
        words = report_vot.words(protocol, interval, variant)
        tables = [report_vot.clip_table(comparison), report_vot.table(comparison, interval, variant)]
    if json is not None:
        report.write_json(data, json)
    out = console()
    for table in tables:
        out.print(table)
    out.print(f"{words}. Speed: frames per second of the tracker alone.", style="dim")
    for problem in comparison.problems:
        print(f"warning: {problem}", file=sys.stderr)
    if not any(comparison.scores.values()):
        raise TrackerError("no clip could be scored.")
    if html is not None:
        about = {one.label: _about(one) for one in contenders}
        scored = {one.name: one for one in sequences if all(one.name in clips for clips in comparison.scores.values())}
        study = Study(kind, comparison, scored, {one.label: one for one in contenders}, about)
        write_page([study], html, [root], Counting(interval, variant))
    return 0


def _about(contender: Contender) -> str:
    from tracker.evaluation.stored import describe

    return describe(contender.identity())


def with_progress_bar(
    contenders: list[Contender], sequences: list[Sequence], raw: Path | None, root: Path, jobs: int, protocol: Protocol
) -> Comparison:
    """What `compare` finds, with a bar on the terminal while it works."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tracker.evaluation.compare import compare

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    steps = compare(contenders, sequences, protocol=protocol, raw_root=raw, source=root, jobs=jobs)
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
