"""One object's memory: where it was, how big, how sure the tracker was, and where to look for it next."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tracker import boxes
from tracker.api import Box, Crop, Exemplar, Image, Prediction, Verdict
from tracker.inference import framing
from tracker.inference.decode import Choice, Maps
from tracker.inference.engine import Square
from tracker.inference.online import OnlineFilter
from tracker.inference.outlines import Outline
from tracker.inference.signals import LONG, Evidence, Monitor

if TYPE_CHECKING:
    from tracker.inference.siamese import SiameseTracker

MEMORY = 40
"""Frames whose median size a lost target is expected to have."""

PATIENCE = 4
"""Frames for which a lost target is sought at its last place alone."""
LOOK_STEP = 0.75
"""Distance between places where a lost target is sought, in sides of the search region: the response map's reach."""


class Peaked(NamedTuple):
    """What the online part says of the chosen cell: see `signals.Evidence`."""

    online: float
    sharpness: float
    likeness: float


class SiameseTarget:
    """One object's memory: its kernels, where it was, how big, how sure we were."""

    def __init__(self, tracker: SiameseTracker, box: Box, exemplar: Exemplar, kernels: Any, fill: np.ndarray) -> None:
        self.tracker, self.box, self.exemplar, self.kernels, self.fill = tracker, box, exemplar, kernels, fill
        self._extent = framing.extent(box, tracker.net, tracker.config)
        self.smallest = min(tracker.config.smallest, box.w, box.h)
        self.monitor = Monitor(tracker.config)
        self.lost = self.look = 0
        self.trusted = box
        """The last box that its own frame spoke for: where a lost target was really last seen."""
        self.sizes = deque([(box.w, box.h)], MEMORY)
        self.online = OnlineFilter(tracker.net) if tracker.config.online_weight > 0 else None
        self.peak: Peaked | None = None
        self.aim: tuple[float, float] | None = None
        """Where else than at its last place a lost target is looked for next: something there spoke for it."""
        self.marked = np.zeros((0, 0))
        """What a person called the target looks like to the online part: unit vectors, the start's and the latest."""
        self.offset = np.zeros(4)
        self.pace = 1.0
        """Share of the usual rate at which its size is approached."""
        self.outline = Outline()
        self._frames = 0

    def usual_size(self, crop: Crop) -> tuple[float, float]:
        """The size in ``crop`` that the network's own box should have."""
        dw, dh = map(float, self.offset[2:])
        return self.box.w * crop.scale * math.exp(-dw), self.box.h * crop.scale * math.exp(-dh)

    def reframe(self, image: Image, verdict: Verdict) -> None:
        """Let the box's size follow its likeness to the template, every few frames; see `framing`."""
        config, engine, box = self.tracker.config, self.tracker.engine, self.box
        due = config.framing > 0 and self._frames % config.framing_every == 0
        # what the picture's border cuts looks unlike the template in any size
        if not due or verdict is Verdict.LOST or not _whole(box, image):
            return
        views = framing.views(image, box, self._extent, self.tracker.net, self.fill)
        dw, dh = (config.framing * part for part in framing.change(engine.alike(views, self.kernels)))
        sized = Box.from_centre(box.cx, box.cy, box.w * math.exp(dw), box.h * math.exp(dh))
        self.box = boxes.clip_to_image(sized, image.shape[0], image.shape[1], self.smallest)

    def learn(self, cells: np.ndarray, crop: Crop, verdict: Verdict) -> None:
        """Let the online part follow the target's looks, while the answer can be trusted."""
        config = self.tracker.config
        if self.online is None or verdict is not Verdict.TRACKED or self._frames % config.online_every:
            return
        self.online.learn(cells, crop.to_crop(self.box), config.online_rate)

    @property
    def search_size(self) -> int:
        """Crop pixels of the next search region; larger while a long-term tracker is lost (reference B.2)."""
        config = self.tracker.config
        return config.lost_search if config.on_lost == "enlarge" and self.lost else self.tracker.net.search

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        """Find the object in ``image``, looking where it was last seen."""
        return self.tracker.step(image, [self], want_mask=want_mask)[0]

    def square(self, image: Image) -> Square:
        """The next search region: around where the target was, or where it may have come back."""
        x, y = self.aim or (self.box.cx, self.box.cy)
        return Square(min(max(x, 0.0), image.shape[1]), min(max(y, 0.0), image.shape[0]), self._side)

    @property
    def _side(self) -> float:
        """Side of the search region in image pixels."""
        config, net = self.tracker.config, self.tracker.net
        return boxes.context_side(self.box.w, self.box.h, config.context) * self.search_size / net.exemplar

    def places(self, image: Image) -> list[Square]:
        """Where to look for a lost target besides its last place: a grid over the picture, near places first, in turn.

        None while it is not lost, at first, and while what was seen elsewhere is looked at again.
        """
        config = self.tracker.config
        if config.on_lost != "around" or self.lost <= PATIENCE or self.aim is not None or self.monitor.promising:
            return []
        height, width = image.shape[:2]
        step = LOOK_STEP * self._side
        across = range(-round(self.box.cx / step), round((width - self.box.cx) / step) + 1)
        down = range(-round(self.box.cy / step), round((height - self.box.cy) / step) + 1)
        grid = [(i, j) for i in across for j in down if (i, j) != (0, 0)]
        grid.sort(key=lambda place: place[0] ** 2 + place[1] ** 2)
        turn = [grid[(self.look + k) % len(grid)] for k in range(min(config.looks, len(grid)))]
        self.look += len(turn)
        x, y = self.box.cx, self.box.cy
        return [
            Square(min(max(x + i * step, 0.0), width), min(max(y + j * step, 0.0), height), self._side) for i, j in turn
        ]

    def remember(self, samples: list[tuple[np.ndarray, Box]]) -> None:
        """Keep what a person called the target looks like: neck features of search regions and its box in each."""
        assert self.online is not None
        net = self.tracker.net
        middle, last = (net.grid - 1) / 2, net.grid - 1
        rows = []
        for cells, box in samples:
            cell = [min(max(round((v - net.search / 2) / net.stride + middle), 0), last) for v in (box.cy, box.cx)]
            rows.append(self.online.describe(cells, *cell))
        mean = np.mean(rows, axis=0)
        mean = mean[None] / max(float(np.linalg.norm(mean)), 1e-6)
        self.marked = np.concatenate([self.marked[:1], mean]) if len(self.marked) else mean

    def likeness(self, cells: np.ndarray, choice: Choice) -> float:
        """Similarity of the best place within a cell of the chosen one to what was marked, from -1 to 1."""
        assert self.online is not None
        last = self.tracker.net.grid - 1
        near = [(choice.row + i, choice.column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        inside = [(r, c) for r, c in near if 0 <= r <= last and 0 <= c <= last]
        return max(float((self.marked @ self.online.describe(cells, r, c)).max()) for r, c in inside)

    def evidence(self, choice: Choice, maps: Maps, crop: Crop, image: Image) -> tuple[Box, Evidence]:
        """The new box that a candidate would make, and what is known of it."""
        rows = slice(max(0, choice.row - 2), choice.row + 3)
        columns = slice(max(0, choice.column - 2), choice.column + 3)
        found = self._smoothed(choice, crop, image)
        return found, Evidence(
            float(maps.attention[rows, columns].max()),
            math.hypot(found.cx - self.box.cx, found.cy - self.box.cy) / math.sqrt(max(self.box.area, 1.0)),
            math.log(max(found.area, 1.0) / max(float(np.median([w * h for w, h in self.sizes])), 1.0)),
            _outside(found, image),
            *(self.peak or (None, None, None)),
            elsewhere=self.aim is not None,
            cut=not _whole(found, image),
        )

    def judge(self, choice: Choice, maps: Maps, crop: Crop, image: Image) -> tuple[Verdict, str, dict[str, float]]:
        """Take the answer in: verdict, reason and signals; the box moves unless the target counts as lost."""
        self._frames += 1
        found, evidence = self.evidence(choice, maps, crop, image)
        verdict, reason, signals = self.monitor.judge(choice, evidence)
        config, monitor, online = self.tracker.config, self.monitor, self.peak
        if config.on_lost == "enlarge":
            verdict, reason = self._long_term(choice.probability, verdict, reason)
        # a weak answer at the last place may well be the target; what is seen elsewhere has to convince first
        held = verdict is Verdict.LOST and config.on_lost == "around"
        faint = held and not monitor.nothing and self.lost < LONG and self.aim is None
        held |= config.on_lost == "enlarge" and choice.probability < config.enlarge_below
        if held:
            self._keep_looking()
            if faint:
                self.box = Box.from_centre(found.cx, found.cy, self.box.w, self.box.h)
        else:
            self.box = found
            if online is None or (monitor.promising and _whole(found, image)):
                self.sizes.append((found.w, found.h))
            if online is None or monitor.promising:
                self.trusted = found
        # what was seen elsewhere is followed while it convinces: another frame there decides
        self.aim = (found.cx, found.cy) if held and self.aim is not None and monitor.promising else None
        if verdict is not Verdict.LOST:
            self.lost = self.look = 0
        elif not held:
            self.lost += 1
        return verdict, reason, signals

    def _long_term(self, confidence: float, verdict: Verdict, reason: str) -> tuple[Verdict, str]:
        """SiamRPN++'s long-term switch: lost below one confidence, found again only above a much higher one."""
        config = self.tracker.config
        bound = config.enlarge_until if self.lost else config.enlarge_below
        if confidence < config.enlarge_below or (self.lost and confidence <= config.enlarge_until):
            return Verdict.LOST, f"confidence {confidence:.3f} is below {bound:g}; searching a larger region"
        return (Verdict.UNCERTAIN, reason) if verdict is Verdict.LOST else (verdict, reason)

    def _keep_looking(self) -> None:
        """The place stays where the target was last believed to be, so that the search does not wander off.

        The size goes back to the usual one of the last frames: what slips behind something seems to shrink first. The
        papers' long-term mode freezes both instead.
        """
        if self.lost == 0 and self.tracker.config.on_lost == "around":
            width, height = np.median(self.sizes, axis=0)
            self.box = Box.from_centre(self.trusted.cx, self.trusted.cy, float(width), float(height))
        self.lost += 1

    def _smoothed(self, choice: Choice, crop: Crop, image: Image) -> Box:
        """The new state: centre taken as found, size approached at the rate of reference B.1, step 4.

        Where the released SiamAtt multiplies with its summed score the rate uses the probability, so that it never
        exceeds ``size_rate`` (reference C.4, point 3), except in that mode.
        """
        config = self.tracker.config
        cx, cy, w, h = map(float, choice.box)
        dx, dy, dw, dh = map(float, self.offset)
        cx, cy, w, h = cx + dx * w, cy + dy * h, w * math.exp(dw), h * math.exp(dh)
        seen = crop.to_image(Box.from_centre(cx, cy, w, h))
        sure = choice.fused if config.score_mode == "released" else choice.probability
        rate = choice.penalty * sure * config.size_rate * self.pace
        width = self.box.w + rate * (seen.w - self.box.w)
        height = self.box.h + rate * (seen.h - self.box.h)
        grown = Box.from_centre(seen.cx, seen.cy, width, height)
        return boxes.clip_to_image(grown, image.shape[0], image.shape[1], self.smallest)


class TaughtTarget(SiameseTarget):
    """A target that goes on from corrections and learns from them (`tracker.api.Teachable`).

    Its online part keeps what it was shown by a person for good, in equal shares however long ago that was. It is
    compared with the last correction and with the start together: the last alone would be forgotten at the next turn.
    Its size changes more slowly from then on (``corrected_rate``).
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._first = self.kernels

    def correct(self, image: Image, box: Box) -> None:
        """Go on from a person's ``box`` in ``image``. Raises `TrackerError` when it is empty or off the image."""
        self.tracker.correct(self, image, box)

    def restart(self, box: Box, kernels: Any) -> None:
        """The state of a target that has just been seen in ``box``; what was learnt stays."""
        config, engine = self.tracker.config, self.tracker.engine
        self.kernels = engine.blend([self._first, kernels], [1 - config.newest, config.newest])
        self.pace = config.corrected_rate
        self.box = self.trusted = box
        self._extent = framing.extent(box, self.tracker.net, config)
        self.smallest = min(config.smallest, box.w, box.h)
        self.monitor = Monitor(config)
        self.lost = self.look = 0
        self.sizes = deque([(box.w, box.h)], MEMORY)
        self.peak = self.aim = None


def _outside(box: Box, image: Image) -> float:
    """Share of a box that lies outside the image."""
    width = max(0.0, min(box.x2, image.shape[1]) - max(box.x, 0.0))
    height = max(0.0, min(box.y2, image.shape[0]) - max(box.y, 0.0))
    return 1 - width * height / max(box.area, 1e-9)


def _whole(box: Box, image: Image) -> bool:
    """The picture's border does not seem to cut the box, whose size then says nothing."""
    return box.x > 1 and box.y > 1 and box.x2 < image.shape[1] - 1 and box.y2 < image.shape[0] - 1
