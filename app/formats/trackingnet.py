"""TrackingNet: ``anno/<clip>.txt`` and ``frames/<clip>/0.jpg``.

One row ``x,y,w,h`` a frame, pixels counted from 0; ``0,0,0,0`` where there is no box. ``0.jpg`` is frame 0. A clip of
the test set has the first row alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.formats.single import SingleFormat, held, seen
from app.formats.single_read import NOTE, Row, Spot
from app.model.document import VideoRef
from app.model.tracks import Observation, State, Track

BECOMES = {
    "states": "occluded becomes visible; absent frames become frames without a label",
    "unlabelled": "as absent ones: without a box",
}
"""What `BoxesOnly` makes of frames, for `held`."""


class BoxesOnly(SingleFormat):
    """A data set that says where the object is and nothing else."""

    holds = held(**BECOMES)

    def settle(self, obs: Observation, video: VideoRef, tally: Counter[str]) -> Observation | None:
        if obs.box is None:
            tally["absent"] += 1
            tally["unlabelled"] -= 1  # of the frames without a box, all of which `whole` counts, this one was labelled
            return None
        tally["occluded"] += obs.state is State.OCCLUDED
        return seen(obs.box)

    def observe(self, truth: Path, rows: Sequence[Row]) -> dict[int, Observation]:
        return {frame: seen(box) for frame, box in enumerate(rows) if box is not None}


class TrackingNetFormat(BoxesOnly):
    """See the module's text for the conventions, `app.formats.single.SingleParams` for the options."""

    id = "trackingnet"
    title = "TrackingNet"
    picture = "{}.jpg"
    first = 0
    ours = re.compile(rf"anno/[^/]+\.txt|anno/[^/]+\.{NOTE}|frames/[^/]+/\d+\.jpg")

    def place(self, root: Path, name: str, tracks: Sequence[Track]) -> Spot:
        return self._spot(root / "anno" / f"{name}.txt")

    def find(self, path: Path) -> Iterator[Spot]:
        if path.is_file():
            if path.suffix == ".txt" and path.parent.name == "anno":
                yield self._spot(path)
            return
        parts = [path, *sorted(path.glob("TRAIN_*")), path / "TEST"]
        for part in parts:
            for truth in sorted((part / "anno").glob("*.txt")):
                yield self._spot(truth)

    def _spot(self, truth: Path) -> Spot:
        shown = truth.parent.parent / "frames" / truth.stem
        return Spot(truth.stem, {0: truth}, shown, truth.with_suffix(f".{NOTE}"))


TRACKINGNET = TrackingNetFormat()
