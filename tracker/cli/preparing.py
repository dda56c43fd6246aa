"""``main.py prepare``: published data sets into crops to train on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Literal

from rich.console import Console

from tracker.api import TrackerError
from tracker.cli.terminal import console


def prepare(
    dataset: Literal["coco", "vid", "det", "ytbb", "ytvos", "got10k", "lasot"],
    source: Path,
    out: Path,
    /,
    *,
    split: Literal["train", "val"] = "train",
    size: int = 511,
    every: int = 1,
    jobs: int = 1,
) -> int:
    """Cut a data set into crops to train on: OUT/crop511/<set>/ and OUT/<set>.json.

    Run it again after an interruption: films that are done are passed over.

    Parameters
    ----------
    dataset
        COCO 2017, ImageNet VID or DET, YouTube-BoundingBoxes, YouTube-VOS, GOT-10k or LaSOT.
    source
        The folder it was unpacked to.
    out
        Folder of the crop sets; several sets share one.
    split
        train, or val, whose set is called <set>-val and is not trained on unless it is named.
    size
        Side of a crop in pixels; other sizes than 511 get an index of their own kind.
    every
        Of each video only every so manieth frame.
    jobs
        Processes that cut.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tracker.data.prepare.cutting import prepare as cut
    from tracker.data.prepare.sets import SETS

    if jobs < 1 or every < 1:
        raise TrackerError("--jobs and --every need at least 1.")
    if not 255 <= size <= 2047:
        raise TrackerError("--size is a crop's side in pixels, from 255 (a search region) to 2047.")
    name = dataset if split == "train" else f"{dataset}-{split}"
    films = SETS[dataset](source, split)
    columns = TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("films"), TimeRemainingColumn()
    with (
        Progress(*columns, console=Console(stderr=True)) as bar,
        closing(cut(name, films, out, size, every, jobs)) as run,
    ):
        task = bar.add_task("", total=len(films))
        try:
            while True:
                bar.update(task, completed=next(run))
        except StopIteration as end:
            crops = end.value
    console().print(f"{out / name}.json: {crops} crops of {len(films)} films")
    return 0
