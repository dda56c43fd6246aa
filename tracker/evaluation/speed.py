"""How fast the trackers are, beside each other and beside their networks alone, on a clip made in memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tracker import registry
from tracker.api import Box, Image, Target, TrackerError
from tracker.inference import outlines
from tracker.inference.siamese import SiameseTarget, SiameseTracker

SPEED = 2
"""Pixels that the whole picture moves per frame, right and down."""
ALWAYS = {"lost_score": 0.0, "on_lost": "follow"}
"""A lost target costs less, having no mask: here nothing is ever lost."""


@dataclass(frozen=True)
class Task:
    """One line of the table: a tracker (on an engine, where it has a choice) with so many targets."""

    tracker: str
    engine: str
    targets: int
    masks: bool


@dataclass(frozen=True)
class Figure:
    """A task's speed. ``step`` and ``forward``: milliseconds per frame, all targets together, of the whole step and of
    the network's forward pass alone, as the median turn has them on average over its frames: some work is done every
    few frames only. ``forward`` is None where the network cannot be run alone.
    """

    task: Task
    step: float
    forward: float | None

    @property
    def rate(self) -> float:
        """Frames per second, all targets stepped in each."""
        return 1000 / self.step

    @property
    def overhead(self) -> float | None:
        """Time outside the network as a share of the time inside it."""
        return None if self.forward is None else self.step / self.forward - 1


def clip(width: int, height: int, frames: int) -> list[Image]:
    """Frames (height, width, 3) uint8 BGR of a cloudy texture that moves `SPEED` pixels a frame."""
    h, w = height + SPEED * frames, width + SPEED * frames
    coarse = np.random.default_rng(3).integers(0, 256, (h // 24 + 2, w // 24 + 2, 3), np.uint8)
    texture = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)
    starts = (SPEED * (frames - i) for i in range(frames))
    return [np.ascontiguousarray(texture[s : s + height, s : s + width]) for s in starts]


def places(width: int, height: int, targets: int) -> list[Box]:
    """Boxes of an eighth of the picture's height, spread over its upper left half so that they stay inside."""
    side = max(height // 8, 12)
    columns = -(-targets // 2)
    return [
        Box(side + (i % columns) * (width - 4 * side) / columns, side + (i // columns) * 2 * side, side, side)
        for i in range(targets)
    ]


def measure(
    tasks: Sequence[Task],
    frames: Sequence[Image],
    repeats: int,
    device: str = "auto",
    options: Callable[[str], dict[str, Any]] = lambda name: {},
) -> Iterator[Figure | None]:
    """Time every task ``repeats`` times, in turn, so that other programs disturb all of them alike.

    Yields None after each task's turn, for progress, and at the end one `Figure` per task. A first step, untimed, warms
    everything up. Engines hand over arrays, so work on an accelerator has ended when a step returns.
    Raises `TrackerError` for trackers that cannot be created.
    """
    made: dict[tuple[str, str], Any] = {}
    steps: dict[Task, list[float]] = {task: [] for task in tasks}
    alone: dict[Task, list[float]] = {task: [] for task in tasks}
    for _ in range(repeats):
        for task in tasks:
            key = task.tracker, task.engine
            if key not in made:
                own = {**ALWAYS, "engine": task.engine} if "engine" in registry.accepts(task.tracker) else {}
                made[key] = registry.create(task.tracker, device, **own, **options(task.tracker))
            tracker = made[key]
            boxes = places(frames[0].shape[1], frames[0].shape[0], task.targets)
            targets = [tracker.start(frames[0], box) for box in boxes]
            work: list[Callable[[Image], None]] = [
                lambda image, t=tracker, o=targets, m=task.masks: _step(t, o, image, m)
            ]
            if (network := _network(tracker, targets, frames[0], task.masks)) is not None:
                work.append(network)
            whole, *inner = _times(work, frames)
            steps[task].append(statistics.fmean(whole))
            alone[task] += [statistics.fmean(inner[0])] if inner else []
            yield None
    for task in tasks:
        forward = statistics.median(alone[task]) if alone[task] else None
        yield Figure(task, statistics.median(steps[task]), forward)


def _times(works: Sequence[Callable[[Image], None]], frames: Sequence[Image]) -> list[list[float]]:
    """Milliseconds of each work for each frame but the first; the works take turns from frame to frame."""
    found: list[list[float]] = [[] for _ in works]
    for number, image in enumerate(frames):
        for work, times in zip(works, found, strict=True):
            start = time.perf_counter()
            work(image)
            if number:
                times.append((time.perf_counter() - start) * 1000)
    return found


def _step(tracker: Any, targets: list[Target], image: Image, masks: bool) -> None:
    if isinstance(tracker, SiameseTracker):
        tracker.step(image, targets, want_mask=masks)
        return
    for target in targets:
        target.step(image, want_mask=masks)


def _network(tracker: Any, targets: list[SiameseTarget], image: Image, masks: bool) -> Callable[[Image], None] | None:
    """The network's part of a step, on search regions cut beforehand."""
    if not isinstance(tracker, SiameseTracker):
        return None
    engine = tracker.engine
    squares, fills = [target.square(image) for target in targets], [target.fill for target in targets]
    pixels, _ = engine.cut(image, squares, tracker.net.search, fills, tracker.config.sampling)
    kernels = targets[0].kernels if len(targets) == 1 else engine.join([target.kernels for target in targets])
    cells = [tracker.net.grid // 2] * len(targets)
    views = [outlines.view(engine, image, t.box, t.fill, tracker.config.sampling) for t in targets]
    told = outlines.tell(views, [target.outline for target in targets])
    crops = np.stack([view.pixels for view in views])

    def run(image: Image) -> None:
        answer = engine.match(kernels, pixels)
        if masks and engine.masks == "cell":
            engine.segment(kernels, answer, cells, cells)
        elif masks and engine.masks == "box":
            engine.draw(crops, told)

    return run


def plan(trackers: Sequence[str], engines: Sequence[str], targets: Sequence[int]) -> list[Task]:
    """Every combination that makes sense: masks where a tracker draws them, engines where it has a choice.

    Raises `TrackerError` for a count of targets below one.
    """
    if min(targets) < 1:
        raise TrackerError("There must be at least one target.")
    tasks = []
    for name in trackers:
        info = registry.info(name)
        chosen = engines if "engine" in registry.accepts(name) else ("opencv",)
        tasks += [
            Task(info.name, engine, count, masks)
            for engine in chosen
            for count in targets
            for masks in ((False, True) if info.masks else (False,))
        ]
    return tasks
