"""``main.py report``: raw results as one page."""

from __future__ import annotations

from collections.abc import Sequence as Many
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from tracker.api import TrackerError
from tracker.cli.terminal import console, prepare

if TYPE_CHECKING:
    from tracker.evaluation.page_vot import Counting
    from tracker.evaluation.stored import Study
    from tracker.evaluation.strips import Strip

STRIPS = 8


def report(
    results: list[Path],
    /,
    *,
    out: Path,
    clips: Path | None = None,
    profile: str = "otb",
    interval: str = "vot2018",
    variant: Literal["legacy", "toolkit"] = "legacy",
    strips: int = STRIPS,
    heat: Annotated[bool, Parameter(negative="--no-heat")] = True,
    title: str | None = None,
) -> int:
    """Make a report of raw results: one page of HTML that needs no network.

    It has the plots and tables of every protocol that the results are of, by tracker, attribute and clip, and the worst
    failures in pictures. Several folders put trackers, or versions of one, side by side; a clip counts where all have
    it.

    Parameters
    ----------
    results
        Folders given to evaluate as --raw, or trackers' folders in them.
    out
        The page.
    clips
        Where the clips lie, if not where they lay.
    profile
        Whose details the one-pass figures follow; see `evaluate`.
    interval
        Lengths of the expected average overlap: vot2015 to vot2019.
    variant
        How the expected average overlap is counted: legacy or toolkit.
    strips
        Failures to show in pictures, of each protocol.
    heat
        Run trackers again over these failures for their heat maps.
    title
        Of the page.
    """
    from tracker.evaluation.expected import INTERVALS
    from tracker.evaluation.page_vot import Counting
    from tracker.evaluation.profiles import get
    from tracker.evaluation.stored import clips_of, find, studies

    if interval not in INTERVALS:
        raise TrackerError(f"“{interval}” is no interval. Intervals: {', '.join(INTERVALS)}.")
    if strips < 0:
        raise TrackerError("--strips needs 0 or more.")
    rules = get(profile)
    prepare(out)
    found = find(results)
    roots, sequences = clips_of(found, clips)
    write_page(
        studies(found, sequences, rules), out, roots, Counting(interval, variant), strips=strips, heat=heat, title=title
    )
    return 0


def write_page(
    studies: list[Study],
    out: Path,
    roots: Many[Path],
    counting: Counting,
    *,
    strips: int = STRIPS,
    heat: bool = True,
    title: str | None = None,
) -> None:
    """Make the page of some studies and say where it is."""
    from tracker.evaluation.page_report import render

    pictures = {study.protocol.name: _strips(study, strips, heat) for study in studies}
    made = f"made on {datetime.now().astimezone():%Y-%m-%d at %H:%M}"
    name = title or f"Trackers on {', '.join(dict.fromkeys(root.resolve().name for root in roots))}"
    page = render(studies, pictures, title=name, roots=roots, made=made, counting=counting)
    part = out.with_name(f"{out.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise TrackerError(f"{out} cannot be written: {error}") from error
    console().print(f"{out} ({len(page.encode()) / 1e6:.1f} MB)", markup=False, highlight=False)


def _strips(study: Study, most: int, heat: bool) -> list[Strip]:
    from rich.progress import Progress

    from tracker.evaluation.failures import traces, worst
    from tracker.evaluation.strips import make

    every = traces(study)
    steps = make(study, worst(every, most), every, heat=heat)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"pictures of failures, {study.protocol.name}")
        try:
            while True:
                done, total = next(steps)
                bar.update(task, completed=done, total=total)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()
