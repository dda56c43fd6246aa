"""UAV123: ``anno/UAV123/<clip>.txt``, ``data_seq/UAV123/<clip>/000001.jpg``, ``anno/UAV123/att/<clip>.txt``.

- One row ``x,y,w,h`` a frame, pixels counted from 1; ``NaN,NaN,NaN,NaN`` where the object is not to be seen, which is
  the only thing that can be said about a frame without a box.
- ``att`` holds twelve flags, 0 or 1: attributes of the track by the abbreviations of the paper.
- The parts of a longer clip (``car1_2``) share the pictures of ``car1``. Each begins with the last picture of the part
  before it, save those in `GAPS`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.formats.selection import Extra
from app.formats.single import FILLED, SingleFormat, held, lines, seen
from app.formats.single_read import NOTE, Row, Spot, read_levels, read_rows
from app.model.document import Attribute, AttributeKind, VideoRef
from app.model.tracks import AttributeValue, Observation, State, Track

FLAGS = ("SV", "ARC", "LR", "FM", "FOC", "POC", "OV", "BC", "IV", "VC", "CM", "SOB")
"""The attributes of a clip in the order of the set's files."""
GAPS = {"bird1_2": 775, "bird1_3": 1573, "uav1_3": 2473}
"""The number of the first picture of the parts that do not follow the part before."""


class Uav123Format(SingleFormat):
    """See the module's text for the conventions, `app.formats.single.SingleParams` for the options."""

    id = "uav123"
    title = "UAV123"
    holds = held(
        states="occluded becomes visible; lost becomes out of view",
        attributes=f"the track's flags {', '.join(FLAGS)} are kept",
        unlabelled="become absent",
    )
    origin = 1
    empty = "NaN,NaN,NaN,NaN"
    picture = "{:06d}.jpg"
    keeps = (Extra.ATTRIBUTES,)
    kinds = tuple(Attribute(name, AttributeKind.FLAG, default=False) for name in FLAGS)
    ours = re.compile(rf"anno/UAV123/([^/]+\.txt|[^/]+\.{NOTE}|att/[^/]+\.txt)|data_seq/UAV123/[^/]+/\d{{6,}}\.jpg")

    def place(self, root: Path, name: str, tracks: Sequence[Track]) -> Spot:
        folder = root / "anno" / "UAV123"
        pool = root / "data_seq" / "UAV123"
        return Spot(name, {0: folder / f"{name}.txt"}, pool / name, folder / f"{name}.{NOTE}")

    def find(self, path: Path) -> Iterator[Spot]:
        if path.is_file():
            if path.suffix == ".txt" and (path.parent.name, path.parent.parent.name) == ("UAV123", "anno"):
                yield self._spot(path)
            return
        for truth in sorted((path / "anno" / "UAV123").glob("*.txt")):
            yield self._spot(truth)

    def settle(self, obs: Observation, video: VideoRef, tally: Counter[str]) -> Observation | None:
        tally["attributes"] += len(obs.attributes)
        if obs.box is None:
            tally["lost"] += obs.state is State.LOST
            return FILLED
        tally["occluded"] += obs.state is State.OCCLUDED
        return seen(obs.box)

    def whole(self, video: VideoRef, frames: dict[int, Observation], tally: Counter[str]) -> None:
        tally["filled"] += video.frames - len(frames)
        for frame in range(video.frames):
            frames.setdefault(frame, FILLED)

    def observe(self, truth: Path, rows: Sequence[Row]) -> dict[int, Observation]:
        return {frame: FILLED if box is None else seen(box) for frame, box in enumerate(rows)}

    def about(self, truth: Path, label: str) -> dict[str, AttributeValue]:
        flags = read_levels(truth.parent / "att" / truth.name, len(FLAGS))
        return {name: True for name, flag in zip(FLAGS, flags or (), strict=False) if flag}

    def beside(self, truth: Path, track: Track, video: VideoRef) -> dict[Path, str]:
        flags = ",".join(str(int(bool(track.attributes.get(name)))) for name in FLAGS)
        return {truth.parent / "att" / truth.name: lines([flags])}

    def _spot(self, truth: Path) -> Spot:
        pool = truth.parent.parent.parent / "data_seq" / "UAV123"
        stem, _, part = truth.stem.rpartition("_")
        shown, start = pool / truth.stem, 0
        if not shown.is_dir() and stem and re.fullmatch(r"[1-9]\d?", part, re.ASCII) and (pool / stem).is_dir():
            shown, start = pool / stem, self._start(truth, stem, int(part))
        return Spot(truth.stem, {0: truth}, shown, truth.with_name(f"{truth.stem}.{NOTE}"), start=start)

    def _start(self, truth: Path, stem: str, part: int) -> int:
        if truth.stem in GAPS:
            return GAPS[truth.stem] - 1
        before = (truth.with_name(f"{stem}_{number}.txt") for number in range(1, part))
        return sum(max(0, len(read_rows(path)) - 1) for path in before if path.is_file())


UAV123 = Uav123Format()
