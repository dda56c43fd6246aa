"""The tracking run as a plain generator: frames -> Target.step -> observations, one item per frame.

The generator owns its own reader (never the one that serves the display), so scrubbing never disturbs a run. It runs in
one worker thread; everything it needs is in the frozen request.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from app.media import Frame, Reader
from app.model import geometry
from app.model.document import Frames
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State
from app.work.choice import TrackerChoice, Trackers
from tracker.api import Box, Exemplar, HasExemplar, HeatMap, OutOfDeviceMemory, Prediction, Target, Verdict

OpenReader = Callable[[Path], Reader]
"""Opens a video in the calling thread, which then owns the reader."""


class Reason(StrEnum):
    """Why a run ended by itself."""

    END = "end"
    KEYFRAME = "keyframe"
    UNTIL = "until"
    LOST = "lost"


@dataclass(frozen=True)
class Resume:
    """The memory of a run that ended lost, to go on without forgetting the target.

    ``frame``: the last frame that ``target`` has seen.
    """

    track: int
    frame: int
    step: int
    tracker: TrackerChoice
    device: str
    target: Target


@dataclass(frozen=True)
class TrackRequest:
    """One run, self-contained. Frames are 0-based; ``stop`` is exclusive in the direction of ``step`` (+1 or -1).

    ``box``: the target in frame ``start`` (the frame before the first one written). ``ending`` says what ``stop`` is.
    ``persist``: stay on while lost until the target was found once (going on after a loss).
    """

    run: int
    track: int
    media: Path
    start: int
    stop: int
    step: int
    box: Box
    tracker: TrackerChoice
    device: str
    masks: bool = True
    lost_after: int = 4
    persist: bool = False
    ending: Reason = Reason.END
    resume: Resume | None = None

    @property
    def total(self) -> int:
        """Frames to be written if nothing stops the run."""
        return max(0, abs(self.stop - self.start) - 1)


@dataclass(frozen=True)
class LiveItem:
    """The newest answer of a run, for the eyes only. ``image`` is None for items remembered by `Recent`.

    ``exemplar``: what the target was started from, where the tracker tells; one object for all items of a run.
    """

    run: int
    track: int
    frame: int
    prediction: Prediction
    image: Frame | None = None
    fps: float = 0.0
    exemplar: Exemplar | None = None


@dataclass(frozen=True)
class Note:
    """News of a run that goes on: ``text`` for the person to read, ``device`` when that is known or changed."""

    text: str = ""
    device: str = ""


@dataclass(frozen=True)
class Tracked:
    """One frame's result."""

    frame: int
    observation: Observation
    live: LiveItem


@dataclass(frozen=True)
class Outcome:
    """How a run ended by itself. ``frame``: where to look now; ``message``: the reason in words."""

    reason: Reason
    frame: int
    message: str
    resume: Resume | None = None


def track_frames(
    request: TrackRequest, trackers: Trackers, open_reader: OpenReader
) -> Generator[Note | Tracked, None, Outcome]:
    """Follow the target of ``request`` and yield one `Tracked` per frame, in the order of the walk.

    Raises `TrackerError` (weights, box) and `MediaError` (a frame that cannot be decoded); what was yielded before that
    stands.
    """
    if not trackers.ready(request.tracker, request.device):
        yield Note("Loading the tracker…")
    walk = _Walk(request, trackers)
    with open_reader(request.media) as reader:
        first = request.resume.frame + request.step if request.resume else request.start
        clock = _Clock()
        for frame in reader.iter(first, request.stop, request.step):
            if frame.index == request.start and request.resume is None:
                yield from walk.begin(frame)
                clock.tick()
                continue
            prediction = yield from walk.advance(frame)
            yield walk.result(frame, prediction, clock.tick())
            if walk.gave_up:
                return walk.lost()
    last = request.stop - request.step
    return Outcome(request.ending, last, _ENDINGS[request.ending].format(frame=last, next=request.stop))


_ENDINGS = {
    Reason.END: "Tracked to the end of the clip (frame {frame})",
    Reason.KEYFRAME: "Tracked up to the keyframe at {next}",
    Reason.UNTIL: "Tracked to frame {frame}",
}


class _Clock:
    """Frames per second, smoothed over about ten frames."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._seconds = 0.0

    def tick(self) -> float:
        now = time.perf_counter()
        spent, self._last = now - self._last, now
        self._seconds = spent if self._seconds == 0 else 0.9 * self._seconds + 0.1 * spent
        return 1 / max(self._seconds, 1e-6)


class _Walk:
    """The state of one run: the target, where it was last held, and how long it has been lost."""

    def __init__(self, request: TrackRequest, trackers: Trackers) -> None:
        self.request = request
        self.trackers = trackers
        self.device = request.resume.device if request.resume else request.device
        self.target = request.resume.target if request.resume else None
        self.previous: Frame | None = None
        self.box = request.box
        self.patient = request.persist
        self.lost_since: int | None = None
        self.lost_count = 0
        self.last = request.start
        self.why = ""

    def begin(self, frame: Frame) -> Generator[Note, None, None]:
        """Load the tracker and start the target on ``frame`` with the box last held."""
        try:
            tracker = self.trackers.get(self.request.tracker, self.device)
            yield Note(device=tracker.device)
            self.target = tracker.start(frame.image, self.box)
        except OutOfDeviceMemory as full:
            yield from self._to_cpu(frame, full)
        self.previous = frame

    def advance(self, frame: Frame) -> Generator[Note, None, Prediction]:
        """Step the target; when the accelerator is full, start again on the CPU from the frame before."""
        assert self.target is not None
        try:
            prediction = self.target.step(frame.image, want_mask=self.request.masks)
        except OutOfDeviceMemory as full:
            yield from self._to_cpu(self.previous or frame, full)
            prediction = self.target.step(frame.image, want_mask=self.request.masks)
        self.previous, self.last = frame, frame.index
        return prediction

    def _to_cpu(self, frame: Frame, full: OutOfDeviceMemory) -> Generator[Note, None, None]:
        if self.device == "cpu":
            raise full
        self.target = None
        self.trackers.drop(self.request.tracker, self.device)
        self.device = "cpu"
        yield Note("The memory of the accelerator is full; going on with the CPU", "cpu")
        self.target = self.trackers.get(self.request.tracker, "cpu").start(frame.image, self.box)

    def result(self, frame: Frame, prediction: Prediction, fps: float) -> Tracked:
        height, width = frame.image.shape[:2]
        observation = observe(prediction, width, height, untrained=self.request.tracker.untrained)
        if observation.state is State.LOST:
            if self.lost_since is None:  # the reason belongs to the frame that the message names
                self.lost_since = frame.index
                self.why = prediction.reason or f"score {prediction.score:.2f}"
            self.lost_count += 1
        else:
            self.lost_since, self.lost_count, self.patient = None, 0, False
            self.box = prediction.box
        exemplar = self.target.exemplar if isinstance(self.target, HasExemplar) else None
        live = LiveItem(self.request.run, self.request.track, frame.index, prediction, frame, fps, exemplar)
        return Tracked(frame.index, observation, live)

    @property
    def gave_up(self) -> bool:
        return self.lost_count >= self.request.lost_after and not self.patient

    def lost(self) -> Outcome:
        assert self.lost_since is not None
        assert self.target is not None
        r = self.request
        resume = Resume(r.track, self.last, r.step, r.tracker, self.device, self.target)
        return Outcome(Reason.LOST, self.lost_since, f"Lost at frame {self.lost_since}: {self.why}", resume)


def observe(prediction: Prediction, width: int, height: int, *, untrained: bool = False) -> Observation:
    """What is written for one answer on a frame of ``width`` x ``height``.

    A lost target has neither box nor mask, whatever the tracker guessed; a box is clipped to the picture. What random
    weights said (``untrained``) stays marked as such in the signals.
    """
    signals = {name: float(value) for name, value in prediction.signals.items()}
    if untrained:
        signals["untrained"] = 1.0
    lost = Observation(source=Source.TRACKER, state=State.LOST, score=float(prediction.score), signals=signals)
    if prediction.verdict is Verdict.LOST:
        return lost
    box = geometry.clip(prediction.box, width, height) if geometry.is_valid(prediction.box) else None
    if box is None:
        return lost
    if prediction.verdict is Verdict.UNCERTAIN:
        signals["uncertain"] = 1.0
    mask = None if prediction.mask is None else Mask.from_patch(prediction.mask, height, width)
    return Observation(box=box, mask=mask, source=Source.TRACKER, score=float(prediction.score), signals=signals)


class Recent:
    """The last predictions by (track, frame), for looking back at heat maps. Thread-safe, bounded, never saved.

    Maps are kept as float16; the mask (the document has it) and the picture of the search region are dropped: some
    10 kB an item.
    """

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._items: OrderedDict[tuple[int, int], LiveItem] = OrderedDict()

    def put(self, item: LiveItem) -> None:
        heat = {name: HeatMap(m.values.astype(np.float16), m.rect) for name, m in item.prediction.heat.items()}
        small = replace(item, image=None, prediction=replace(item.prediction, heat=heat, mask=None, search=None))
        with self._lock:
            self._items.pop((item.track, item.frame), None)
            self._items[item.track, item.frame] = small
            while len(self._items) > self._size:
                self._items.popitem(last=False)

    def get(self, track: int, frame: int) -> LiveItem | None:
        with self._lock:
            return self._items.get((track, frame))

    def forget(self, track: int, frames: Frames) -> None:
        """Drop what is no longer true of the document."""
        with self._lock:
            for key in [k for k in self._items if k[0] == track and k[1] in frames]:
                del self._items[key]

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
