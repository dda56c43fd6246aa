"""``main.py vot``: a tracker as the VOT toolkit wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tracker import registry


def vot(
    *,
    tracker: str = "default",
    masks: Annotated[bool, Parameter(negative=())] = False,
    several: Annotated[bool, Parameter(negative=())] = False,
    weights: Path | None = None,
    untrained: Annotated[bool, Parameter(negative=())] = False,
    profile: str | None = None,
    nanotrack_dir: Path | None = None,
    device: str = "auto",
) -> int:
    """Serve a tracker over TraX, for the official VOT toolkit; ends when the toolkit says so.

    In the workspace's trackers.ini: protocol = trax, command = python main.py vot --tracker NAME.

    Parameters
    ----------
    tracker
        Name of a tracker; see `trackers`.
    masks
        Answer with masks, for VOT 2020 and later; else with rectangles, rotated where the tracker has them.
    several
        Take several objects at once, for VOTS; the supervised experiments of toolkit 0.9 want it off.
    weights
        Other weights than the shipped or imported ones.
    untrained
        Random weights, to try the mechanics.
    profile
        Published hyper-parameters by name.
    nanotrack_dir
        Folder of NanoTrack's ONNX files, for opencv-nano.
    device
        auto, cpu, cuda or mps.
    """
    from tracker.evaluation.trax import serve

    given = {
        "weights": weights,
        "untrained": untrained or None,
        "profile": profile,
        "nanotrack_dir": nanotrack_dir,
    }
    accepted = registry.accepts(tracker)
    options = {name: value for name, value in given.items() if name in accepted}
    serve(registry.create(tracker, device, **options), masks=masks, several=several)
    return 0
