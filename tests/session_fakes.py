"""A small clip and a small tracker for tests of the session, the window and the command line.

The clip: grey, 96 x 64, with a white square of 12 px that moves two pixels to the right per frame and is hidden in some
frames. The tracker finds the square exactly, says that it is lost when there is none, and can be held at any frame.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np

from app.session import Session
from tracker.api import (
    Box,
    Crop,
    Exemplar,
    HeatMap,
    Image,
    MaskPatch,
    OutOfDeviceMemory,
    Peak,
    Prediction,
    Target,
    TrackerError,
    Verdict,
)

WIDTH, HEIGHT, SIDE = 96, 64, 12
FRAMES = 36


def square(frame: int) -> Box:
    """Where the square is."""
    return Box(4 + 2 * frame, 20, SIDE, SIDE)


def picture(frame: int, hidden: Collection[int] = ()) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    if frame not in hidden:
        x, y, w, h = (int(v) for v in square(frame))
        image[y : y + h, x : x + w] = 255
    return image


def write_clip(path: Path, frames: int = FRAMES, hidden: Collection[int] = ()) -> Path:
    """The clip as a lossless video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, hidden), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@dataclass
class FakeTracker:
    """Finds what is white. ``gate``: each step waits for one permit. ``full_at``: memory runs out at that step.

    ``unsure``: frames on which it is uncertain. ``drift``: after so many steps from its start a target sees the square
    24 px too low. ``teachable``: its targets learn from corrections, which ends a drift.
    ``rich``: answers with all that `tracker.api` has: rotated rectangle, peaks of which the second makes it uncertain,
    several maps, and an exemplar with its key part.
    """

    name: str = "fake"
    device: str = "cpu"
    gate: threading.Semaphore | None = None
    full_at: int | None = None
    fail_at: int | None = None
    rich: bool = False
    unsure: Collection[int] = ()
    drift: int | None = None
    teachable: bool = False
    taught: list[Box] = field(default_factory=list)
    stepped: list[int] = field(default_factory=list)
    started: list[Box] = field(default_factory=list)

    def start(self, image: Image, box: Box) -> FakeTarget:
        self.started.append(box)
        if self.rich:
            return RichTarget(self, box)
        return TeachableTarget(self) if self.teachable else FakeTarget(self)

    def step(self, image: Image, targets: Sequence[Target], *, want_mask: bool = True) -> list[Prediction]:
        return [target.step(image, want_mask=want_mask) for target in targets]


class FakeTarget:
    def __init__(self, tracker: FakeTracker) -> None:
        self._tracker = tracker
        self.steps = 0

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        tracker = self._tracker
        if tracker.gate is not None and not tracker.gate.acquire(timeout=10):
            raise TimeoutError("nobody let the tracker go on")
        number = len(tracker.stepped) + 1
        if tracker.full_at == number:
            tracker.full_at = None
            raise OutOfDeviceMemory("the accelerator is full")
        if tracker.fail_at == number:
            raise TrackerError("the tracker broke")
        tracker.stepped.append(number)
        bits = image[..., 0] > 128
        rows, columns = np.flatnonzero(bits.any(1)), np.flatnonzero(bits.any(0))
        if not len(rows):
            return Prediction(Box(0, 0, 5, 5), 0.1, Verdict.LOST, signals={"peak": 0.1}, reason="score 0.10")
        x, y = int(columns[0]), int(rows[0])
        w, h = int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
        self.steps += 1
        unsure = (x - 4) // 2 in tracker.unsure
        y += 24 * (tracker.drift is not None and self.steps > tracker.drift)
        box, region = Box(x, y, w, h), Box(x - w, y - h, 3 * w, 3 * h)
        return Prediction(
            box=box,
            score=0.9,
            verdict=Verdict.UNCERTAIN if unsure else Verdict.TRACKED,
            reason="it looks odd" if unsure else "",
            mask=MaskPatch(x, y, np.ones((h, w), bool)) if want_mask else None,
            heat={"fused": HeatMap(np.eye(5, dtype=np.float32), region)},
            crop=Crop(region, 64),
            search=np.zeros((64, 64, 3), np.uint8),
            signals={"peak": 0.9},
        )


class TeachableTarget(FakeTarget):
    def correct(self, image: Image, box: Box) -> None:
        self._tracker.taught.append(box)
        self.steps = -1000


class RichTarget(FakeTarget):
    def __init__(self, tracker: FakeTracker, box: Box) -> None:
        super().__init__(tracker)
        square = Box.from_centre(box.cx, box.cy, 24, 24)
        part = Box(box.x, box.y, box.w / 2, box.h / 2)
        weights = HeatMap(np.linspace(0, 1, 49, dtype=np.float32).reshape(7, 7), square)
        self.exemplar = Exemplar(np.full((127, 127, 3), 90, np.uint8), Crop(square, 127), part, weights)

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        said = super().step(image, want_mask=want_mask)
        b, crop = said.box, said.crop
        if crop is None:
            return said
        corners = np.array([[b.cx, b.y - 3], [b.x2 + 3, b.cy], [b.cx, b.y2 + 3], [b.x - 3, b.cy]])
        peaks = Peak(b.cx, b.cy, 1.0), Peak(b.cx + b.w, b.cy, 0.9)
        flat = HeatMap(np.zeros((5, 5), np.float32), crop.rect)
        heat = {**said.heat, "classification": said.heat["fused"], "attention": flat}
        reason = "a look-alike to the right scores 90% of the target"
        verdict = Verdict.UNCERTAIN
        return replace(said, polygon=corners, peaks=peaks, heat=heat, verdict=verdict, reason=reason)


class FakeTrackers:
    """Creates one `FakeTracker` per device and remembers it."""

    def __init__(self, **options: object) -> None:
        self._options = options
        self.made: dict[str, FakeTracker] = {}
        self.asked: list[tuple[str, dict[str, object]]] = []

    def __call__(self, name: str, device: str, **options: object) -> FakeTracker:
        self.asked.append((name, options))
        if name != "fake" and name != "default":
            raise TrackerError(f"There is no tracker named {name}")
        tracker = FakeTracker(device="cpu" if device == "auto" else device, **self._options)  # type: ignore[arg-type]
        if self.made:
            tracker.full_at = None
        self.made[device] = tracker
        return tracker


def saved(session: Session, path: Path | None = None) -> Path:
    """Save and wait for it; answers with where. Raises what saving raised."""
    job = session.save(path)
    session.wait(job)
    assert job.value is not None
    return job.value
