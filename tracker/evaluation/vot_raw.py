"""Trajectories on disk in the VOT toolkit's layout.

``<folder>/<clip>/<clip>_<run>.txt`` holds a region or a code for each frame, ``<clip>_<run>_time.value`` beside it the
seconds of each step. ``<clip>_<run>_error.txt`` is ours: what a tracker that broke had to say.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from tracker.data.layouts import numbers
from tracker.data.layouts_vot import read_regions
from tracker.data.regions import UNKNOWN, write
from tracker.data.sequences import SequenceError
from tracker.evaluation.raw import write_lines
from tracker.evaluation.supervised import Trajectory


def save(folder: Path, clip: str, names: list[str], runs: list[Trajectory]) -> None:
    """Replace what is stored of a clip by ``runs``, called ``names``; a file of regions is written last of its run."""
    place = folder / clip
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, run in zip(names, runs, strict=True):
        stem = f"{place.name}_{name}"
        if run.errors:
            write_lines(place / f"{stem}_error.txt", run.errors)
        write_lines(place / f"{stem}_time.value", map(repr, run.seconds.tolist()))
        write_lines(place / f"{stem}.txt", map(write, run.answers))


def load(folder: Path, clip: str, wanted: list[tuple[str, int]]) -> list[Trajectory]:
    """The stored runs of a clip up to the first that is missing or damaged; ``wanted``: names and frames of each."""
    place = folder / clip
    out = []
    for name, frames in wanted:
        stem = f"{place.name}_{name}"
        try:
            answers = [UNKNOWN if region is None else region for region in read_regions(place / f"{stem}.txt")]
            seconds = numbers(place / f"{stem}_time.value", frames)
        except SequenceError:
            break
        if len(answers) != frames:
            break
        note = place / f"{stem}_error.txt"
        errors = tuple(note.read_text("utf-8").splitlines()) if note.is_file() else ()
        out.append(Trajectory(answers, np.asarray(seconds), errors))
    return out
