"""The tracking run as a plain generator: frames -> Tracker.step -> observations, one item per frame.

The generator owns its own reader (never the one that serves the display), so scrubbing never disturbs a run. It runs in
one worker thread; everything it needs is in the frozen request.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import Final

import msgspec

from app.media import Frame
from app.model import geometry
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State
from app.words import mark, tr
from app.work.choice import Trackers
from app.work.reasons import why
from app.work.requests import (
    SETTLE,
    SETTLED,
    Aim,
    Book,
    Ending,
    Found,
    LiveItem,
    Memory,
    Note,
    OpenReader,
    Outcome,
    Reason,
    Tracked,
    TrackRequest,
)
from tracker.api import (
    Box,
    HasExemplar,
    OutOfDeviceMemory,
    Prediction,
    Target,
    Teachable,
    Tracker,
    Verdict,
)

LOADING: Final = mark("Loading the tracker…")


def track_frames(
    request: TrackRequest,
    trackers: Trackers,
    open_reader: OpenReader,
    book: Book | None = None,
    released: Collection[int] = (),
) -> Generator[Note | Tracked, None, Outcome]:
    """Follow the objects of ``request`` together and yield one `Tracked` per frame, in the order of the walk.

    ``book``: where what was learnt of an object is looked up and, however the walk ends, kept. ``released``: tracks
    that are followed no more; they may become more while it walks. Raises `TrackerError` (weights, box) and
    `MediaError` (a frame that cannot be decoded); what was yielded before that stands.
    """
    if not trackers.ready(request.tracker, request.device):
        yield Note(tr(LOADING))
    walk = Walk(request, Desk(request, trackers), {} if book is None else book, released)
    try:
        with open_reader(request.media) as reader:
            clock = Clock()
            for frame in reader.iter(walk.first, request.stop, request.step):
                yield from walk.begin(frame)
                results = yield from walk.advance(frame)
                fps = clock.tick()
                if results:
                    yield walk.shown(results, frame, fps)
                if not walk.going:
                    break
    finally:
        walk.remember()
    return Outcome(walk.endings())


class Clock:
    """Frames per second, smoothed over about ten frames."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._seconds = 0.0

    def tick(self) -> float:
        now = time.perf_counter()
        spent, self._last = now - self._last, now
        self._seconds = spent if self._seconds == 0 else 0.9 * self._seconds + 0.1 * spent
        return 1 / max(self._seconds, 1e-6)


class Desk:
    """The tracker that a run works with: loaded when first asked for, on the CPU once the accelerator is full."""

    def __init__(self, request: TrackRequest, trackers: Trackers) -> None:
        """A memory is gone on with where it was made, also when that is the CPU because the accelerator was full."""
        self._choice = request.tracker
        self._trackers = trackers
        held = [aim.memory for aim in request.aims if aim.memory is not None]
        self.device = held[0].device if held else request.device
        self.owner: Tracker | None = None
        """The one that was loaded last."""

    def get(self) -> Tracker:
        """Raises `TrackerError` when it cannot be loaded."""
        self.owner = self._trackers.get(self._choice, self.device)
        return self.owner

    def to_cpu(self, full: OutOfDeviceMemory) -> Note:
        """Give the accelerator up; the error again when this is the CPU already."""
        if self.device == "cpu":
            raise full
        self._trackers.drop(self._choice, self.device)
        self.device = "cpu"
        return Note(tr("The memory of the accelerator is full; going on with the CPU"), "cpu")


@dataclass
class _Object:
    """The state of one object in a walk: its target, where it was last held, and for how long it has been in doubt."""

    aim: Aim
    box: Box
    patient: bool
    target: Target | None = None
    lost_since: int | None = None
    lost_count: int = 0
    unsure_since: int | None = None
    unsure_count: int = 0
    last: int = 0
    why: str = ""
    unsure_why: str = ""
    agreed: int = 0
    """Frames in a row that agree with what is known of them."""
    prediction: Prediction | None = None
    ending: Ending | None = None


class Walk:
    """The state of one walk. ``first``: the frame to be read first."""

    def __init__(self, request: TrackRequest, desk: Desk, book: Book, released: Collection[int] = ()) -> None:
        self.request = request
        self.desk = desk
        self._book = book
        self._released = released
        self.objects = [_Object(aim, aim.box, aim.persist, last=aim.start) for aim in request.aims]
        self.previous: Frame | None = None
        step = request.step
        firsts = [a.start if a.memory is None or a.taught else a.start + step for a in request.aims]
        self.first = min(firsts) if step > 0 else max(firsts)

    @property
    def going(self) -> bool:
        """Whether an object is left to follow."""
        return any(o.ending is None for o in self.objects)

    def begin(self, frame: Frame) -> Generator[Note, None, None]:
        """Start the targets whose first frame this is: load the tracker, go on with a memory, or teach it."""
        step = self.request.step
        for o in self.objects:
            if o.target is not None or o.ending is not None or (frame.index - o.aim.start) * step < 0:
                continue
            try:
                yield from self._begin(o, frame)
            except OutOfDeviceMemory as full:
                yield from self._to_cpu(frame, full)

    def _begin(self, o: _Object, frame: Frame) -> Generator[Note, None, None]:
        tracker = self.desk.get()
        yield Note(device=tracker.device)
        memory = self._book.get(o.aim.track) if o.aim.taught else o.aim.memory
        known = memory.target if memory is not None and memory.owner is tracker else None
        if known is not None and not o.aim.taught:
            o.target = known
        elif isinstance(known, Teachable):
            known.correct(frame.image, o.box)
            o.target = known
        else:
            o.target = tracker.start(frame.image, o.box)

    def advance(self, frame: Frame) -> Generator[Note, None, list[tuple[_Object, Prediction]]]:
        """Step all targets that have something to find here, in one batch; start again on the CPU when memory is full.

        Nothing for a frame that none of them walks on.
        """
        step = self.request.step
        for o in self.objects:
            if o.ending is None and o.aim.track in self._released:
                o.ending = Ending(o.aim, Reason.RELEASED, o.last, o.last, "", self.memory(o))
        now = [
            o
            for o in self.objects
            if o.target is not None and o.ending is None and (frame.index - o.aim.start) * step > 0
        ]
        if not now:
            self.previous = frame
            return []
        try:
            predictions = self._step(now, frame)
        except OutOfDeviceMemory as full:
            yield from self._to_cpu(self.previous or frame, full)
            predictions = self._step(now, frame)
        self.previous = frame
        for o, prediction in zip(now, predictions, strict=True):
            self._judge(o, frame, prediction)
        return list(zip(now, predictions, strict=True))

    def _step(self, now: list[_Object], frame: Frame) -> list[Prediction]:
        targets = [o.target for o in now if o.target is not None]
        return self.desk.get().step(frame.image, targets, want_mask=self.request.masks)

    def _to_cpu(self, frame: Frame, full: OutOfDeviceMemory) -> Generator[Note, None, None]:
        yield self.desk.to_cpu(full)
        tracker = self.desk.get()
        step = self.request.step
        for o in self.objects:
            if o.ending is None and (frame.index - o.aim.start) * step >= 0:
                walked = (frame.index - o.aim.start) * step > 0 and self.previous is not None
                o.target = tracker.start((self.previous or frame).image if walked else frame.image, o.box)

    def _judge(self, o: _Object, frame: Frame, prediction: Prediction) -> None:
        """What the answer means for going on with this object."""
        o.last = frame.index
        known = o.aim.known.get(frame.index)
        same = prediction.verdict is not Verdict.LOST
        o.agreed = o.agreed + 1 if known is not None and same and geometry.iou(prediction.box, known) >= SETTLED else 0
        if prediction.verdict is Verdict.LOST:
            if o.lost_since is None:  # the reason belongs to the frame that the message names
                o.lost_since, o.why = frame.index, why(prediction)
            o.lost_count += 1
            return
        o.lost_since, o.lost_count = None, 0
        o.box = prediction.box
        if prediction.verdict is Verdict.TRACKED:
            o.unsure_since, o.unsure_count, o.patient = None, 0, False
            return
        if o.unsure_since is None:
            o.unsure_since, o.unsure_why = frame.index, why(prediction)
        o.unsure_count += 1

    def shown(self, results: list[tuple[_Object, Prediction]], frame: Frame, fps: float) -> Tracked:
        """What is written for this frame and what is seen of it; ends the objects that are at their end."""
        height, width = frame.image.shape[:2]
        found, live = [], []
        for o, prediction in results:
            observation = observe(prediction, width, height, untrained=self.request.tracker.untrained)
            if observation.state is State.LOST and o.patient and o.aim.absent is not State.LOST:
                observation = msgspec.structs.replace(observation, state=o.aim.absent)
            if observation.present or frame.index not in o.aim.known:  # a loss is no reason to forget a box
                found.append(Found(o.aim.track, frame.index, observation, o.aim.mode))
            exemplar = o.target.exemplar if isinstance(o.target, HasExemplar) else None
            live.append(LiveItem(self.request.run, o.aim.track, frame.index, prediction, frame, fps, exemplar))
            self._pass_key(o, frame)
            o.ending = self._ending(o, frame.index)
        return Tracked(frame.index, tuple(found), tuple(live))

    def _pass_key(self, o: _Object, frame: Frame) -> None:
        """A keyframe on the way corrects the target, which then knows better."""
        box = self.request.keys.get(o.aim.track, {}).get(frame.index)
        if box is None:
            return
        o.box = box
        o.lost_since, o.lost_count, o.unsure_since, o.unsure_count = None, 0, None, 0
        if isinstance(o.target, Teachable):
            o.target.correct(frame.image, box)
        else:
            o.target = self.desk.get().start(frame.image, box)

    def _ending(self, o: _Object, frame: int) -> Ending | None:
        request, aim = self.request, o.aim
        if not o.patient:
            lost = request.lost_after
            if lost is not None and o.lost_count >= lost and o.lost_since is not None:
                if o.lost_since in aim.known:
                    held = o.lost_since - request.step
                    return Ending(aim, Reason.SETTLED, held, held, "", self.memory(o))
                return Ending(aim, Reason.LOST, o.lost_since, frame, o.why, self.memory(o))
            unsure = request.uncertain_after
            if unsure is not None and o.unsure_count >= unsure and o.unsure_since is not None:
                return Ending(aim, Reason.UNCERTAIN, o.unsure_since, frame, o.unsure_why, self.memory(o))
        if frame + request.step == aim.stop:
            return Ending(aim, aim.ending, frame, frame, "", self.memory(o))
        if o.agreed >= SETTLE:
            return Ending(aim, Reason.SETTLED, frame, frame, "", self.memory(o))
        return None

    def remember(self) -> None:
        """Keep what was learnt in the book; one page an object, the newest."""
        for o in self.objects:
            if (memory := self.memory(o)) is not None:
                self._book[o.aim.track] = memory

    def memory(self, o: _Object) -> Memory | None:
        """What the object's target has learnt so far; None before it was started."""
        if o.target is None:
            return None
        r = self.request
        return Memory(o.aim.track, o.last, r.step, r.tracker, self.desk.device, o.target, self.desk.owner)

    def endings(self) -> tuple[Ending, ...]:
        """How it ended for each object; for those that never began, where they stand."""
        return tuple(o.ending or Ending(o.aim, o.aim.ending, o.last, o.last, "", self.memory(o)) for o in self.objects)


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
