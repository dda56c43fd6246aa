"""``main.py calibrate``: what the embedded tracker's verdict is read from, fitted on training material."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console

from tracker import registry
from tracker.api import TrackerError
from tracker.cli.terminal import console

if TYPE_CHECKING:
    from tracker.training.absence import Seen
    from tracker.training.staging import Staged


def calibrate(
    data: Path,
    /,
    *,
    weights: Path | None = None,
    out: Path | None = None,
    cache: Path | None = None,
    clips: int = 48,
    seed: int = 5,
    objects: Annotated[list[str], Parameter(consume_multiple=True, negative=())] | None = None,
    scenes: Annotated[list[str], Parameter(consume_multiple=True, negative=())] | None = None,
    tracks: Annotated[list[str], Parameter(consume_multiple=True, negative=())] | None = None,
    device: str = "auto",
) -> int:
    """Fit what the embedded tracker's verdict (tracked, uncertain, lost) is read from, and keep it with the weights.

    The tracker follows clips made of training crops, of which it is known when the target is there. Do this for every
    new set of weights.

    Parameters
    ----------
    data
        Folder of crop sets, as for `train`.
    weights
        The embedded tracker's weights; the shipped ones if not given.
    out
        Where to write the weights with the constants; the same file if not given.
    cache
        Folder of decoded crops, as for `train`.
    clips
        Staged clips: objects of stills over other pictures.
    seed
        Decides every random draw.
    objects
        Sets with masks whose objects are staged; coco128, people, clothing and segments if not given.
    scenes
        Sets whose pictures they move over; segments, street, aerial and coco128 if not given.
    tracks
        Sets of which whole tracks are followed as well, the target taken out for a while; aerial if not given.
    device
        auto, cpu, cuda or mps.
    """
    import numpy as np

    from tracker import checkpoint
    from tracker.data.crops import CropSet
    from tracker.training import absence
    from tracker.training.staging import stage

    if clips < 0:
        raise TrackerError("--clips needs at least 0.")
    named = (
        objects or ["coco128", "people", "clothing", "segments"],
        scenes or ["segments", "street", "aerial", "coco128"],
    )
    wanted = tracks if tracks is not None else ["aerial"]
    try:
        sets = {name: CropSet(data, name, cache) for name in dict.fromkeys([*named[0], *named[1], *wanted])}
    except ValueError as error:
        raise TrackerError(str(error)) from error
    if bare := [name for name in named[0] if not sets[name].masks]:
        raise TrackerError(f"{data}: the set {bare[0]} has no masks to cut objects out; choose others with --objects.")
    actors, places = ([sets[name] for name in group] for group in named)
    rng = np.random.default_rng(seed)
    made: list[Callable[[], Iterator[Staged]]] = [
        lambda i=i: stage(rng, actors[i % len(actors)], places[i // len(actors) % len(places)], i) for i in range(clips)
    ]
    for name in wanted:
        long = [track for track in sets[name].tracks if len(track) >= absence.SHORTEST]
        made += [lambda s=sets[name], t=t, i=i: absence.shaken(rng, s, t, i) for i, t in enumerate(long)]
    (path,) = registry.weight_files("default", weights=weights)
    tracker = registry.create("default", device, weights=path)
    rows = _watched(made, lambda frames, number: list(absence.watch(tracker, frames, number)))
    if not any(row.absent for row in rows) or not any(row.overlap > absence.HELD for row in rows):
        raise TrackerError("these clips show no target that is held, or none that is absent; give more with --clips.")
    presence = absence.tune(rows, absence.fit(rows, absence.FITTED))
    checkpoint.annotate(path, {"presence": json.dumps(asdict(presence))}, out or path)
    show = console()
    show.print(f"{len(made)} clips, {len(rows)} frames. In use before: {absence.measure(rows)}.")
    show.print(f"With the new constants on the same answers: {absence.measure(absence.replay(rows, presence))}.")
    show.print(f"{presence}")
    show.print(f"Written to {out or path}.")
    return 0


def _watched(
    made: list[Callable[[], Iterator[Staged]]], watch: Callable[[Iterator[Staged], int], list[Seen]]
) -> list[Seen]:
    from rich.progress import track

    rows: list[Seen] = []
    for number, clip in enumerate(track(made, "clips", console=Console(stderr=True), transient=True)):
        rows += watch(clip(), number)
    return rows
