"""The Siamese trackers behind the door of `tracker.api`: one network, many targets, one batch a frame."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracker import boxes, crops
from tracker.api import Box, Crop, Exemplar, HeatMap, Image, MaskPatch, Peak, Prediction, Target, TrackerError, Verdict
from tracker.config import NetConfig, TrackConfig
from tracker.inference import keypart
from tracker.inference.decode import LOST_WINDOW, Choice, Decoder, Maps
from tracker.inference.engine import Engine, Pixels, Square, to_array
from tracker.inference.masks import draw_mask, rectangle
from tracker.inference.online import OnlineFilter, stands_out
from tracker.inference.signals import LONG, Evidence, Monitor

MEMORY = 40
"""Frames whose median size a lost target is expected to have."""

SHOWN = ((0, 0, 1), (0.12, 0.08, 1), (-0.12, -0.08, 1), (0.1, -0.1, 1.15), (-0.1, 0.1, 0.87))
"""Places (in search regions) and sizes at which the online part is shown a certain box."""

BOUND = 0.35
"""Most that a given box may differ from the network's own, in sizes and logarithms; more is the network's mistake."""

PATIENCE = 4
"""Frames for which a lost target is sought at its last place alone."""
LOOK_STEP = 0.75
"""Distance between places where a lost target is sought, in sides of the search region: the response map's reach."""


class SiameseTracker:
    """A network on an engine; starts targets that share it, and steps any number of them in one batch."""

    def __init__(self, name: str, engine: Engine, config: TrackConfig) -> None:
        self.name, self.engine, self.config = name, engine, config
        self.net: NetConfig = engine.config
        self._decoders: dict[int, Decoder] = {}
        self._joined: tuple[tuple[SiameseTarget, ...], Any] = ((), None)

    @property
    def device(self) -> str:
        return self.engine.device

    def start(self, image: Image, box: Box) -> SiameseTarget:
        """Embed the exemplar around ``box``. Raises `TrackerError` for an empty box or one that misses the image."""
        _require(box, image)
        fill = crops.mean_colour(image)
        weights = None
        if self.engine.attentive and self.config.part_strength > 0:
            weights, exemplar = keypart.attend(self.engine, image, box, self.config, fill)
            pixels: Pixels = exemplar.pixels[None]
        else:
            side = boxes.context_side(box.w, box.h, self.config.context)
            around = [Square(box.cx, box.cy, side)]
            pixels, cut = self.engine.cut(image, around, self.net.exemplar, [fill], self.config.sampling)
            exemplar = Exemplar(to_array(pixels)[0], cut[0])
        kernels = self.engine.embed(pixels, None if weights is None else weights[None])
        target = SiameseTarget(self, box, exemplar, kernels, fill)
        if self.config.online_weight > 0 or self.config.calibration > 0:
            self._teach(target, image, box)
        return target

    def segment(self, image: Image, box: Box) -> MaskPatch | None:
        """See `tracker.api.Segments`: the mask branch at the middle of a search region around ``box``."""
        _require(box, image)
        if not self.engine.masks:
            return None
        side = boxes.context_side(box.w, box.h, self.config.context)
        fills = [crops.mean_colour(image)]
        ratio = self.net.search / self.net.exemplar
        around = [Square(box.cx, box.cy, side)], [Square(box.cx, box.cy, side * ratio)]
        exemplar, _ = self.engine.cut(image, around[0], self.net.exemplar, fills, self.config.sampling)
        pixels, cut = self.engine.cut(image, around[1], self.net.search, fills, self.config.sampling)
        kernels = self.engine.embed(exemplar)
        middle = self.net.grid // 2
        mask = self.engine.segment(kernels, self.engine.match(kernels, pixels), [middle], [middle])[0]
        heat = HeatMap(mask, cut[0].to_image(self._under(middle, middle)))
        return draw_mask(heat, image.shape[0], image.shape[1], self.config.mask_threshold)

    def _teach(self, target: SiameseTarget, image: Image, box: Box) -> None:
        """Show a frame whose box is certain, as it is and at other places and sizes.

        The online part learns it, and how the network's own boxes differ from the given one is noted: what a person
        calls the target (the face or the head) is theirs to say.
        """
        side = boxes.context_side(box.w, box.h, self.config.context) * self.net.search / self.net.exemplar
        around = [Square(box.cx + x * side, box.cy + y * side, side * scale) for x, y, scale in SHOWN]
        fills = [target.fill] * len(around)
        pixels, cut = self.engine.cut(image, around, self.net.search, fills, self.config.sampling)
        answer = self.engine.match(self.engine.join([target.kernels] * len(around)), pixels)
        if self.config.calibration > 0:
            decoder, own = self._decoder(self.net.search), []
            for i, crop in enumerate(cut):
                true = crop.to_crop(box)
                choice, _ = decoder.choose(answer.row(i), (true.w, true.h), self.config, window=0.0)
                own.append(_difference(true, choice.box))
            # what does not exceed its own scatter over places and sizes is chance
            middle, scatter = np.median(own, axis=0), np.std(own, axis=0)
            sure = np.sign(middle) * np.maximum(np.abs(middle) - scatter, 0)
            target.offset = self.config.calibration * sure
        if target.online is not None:
            for seen, crop in zip(self.engine.cells(answer), cut, strict=True):
                target.online.learn(seen, crop.to_crop(box), keep=True)

    def step(self, image: Image, targets: Sequence[Target], *, want_mask: bool = True) -> list[Prediction]:
        """Find every target in ``image``; targets whose search regions have one size share a forward pass."""
        own = [target for target in targets if isinstance(target, SiameseTarget) and target.tracker is self]
        if len(own) != len(targets):
            raise TrackerError(f"{self.name} can only step its own targets.")
        sizes = [target.search_size for target in own]
        found: dict[int, Prediction] = {}
        for size in sorted(set(sizes)):
            group = [target for target, wanted in zip(own, sizes, strict=True) if wanted == size]
            for target, prediction in zip(group, self._step(image, group, size, want_mask), strict=True):
                found[id(target)] = prediction
        return [found[id(target)] for target in own]

    def _step(self, image: Image, group: list[SiameseTarget], size: int, want_mask: bool) -> list[Prediction]:
        squares = [target.square(image) for target in group]
        fills = [target.fill for target in group]
        pixels, cut = self.engine.cut(image, squares, size, fills, self.config.sampling)
        kernels = self._kernels(group)
        answer = self.engine.match(kernels, pixels)
        decoder = self._decoder(size)
        choices, maps = [], []
        cells = self.engine.cells(answer) if self._online(size) else None
        for i, (target, crop) in enumerate(zip(group, cut, strict=True)):
            state = target.usual_size(crop)
            window = LOST_WINDOW if size != self.net.search else None
            online = target.online.respond(cells[i]) if target.online is not None and cells is not None else None
            choice, seen = decoder.choose(answer.row(i), state, self.config, window=window, online=online)
            target.peak = None if online is None else stands_out(online, choice.row, choice.column)
            choices.append(choice)
            maps.append(seen)
        verdicts = [
            target.judge(choice, seen, crop, image)
            for target, choice, seen, crop in zip(group, choices, maps, cut, strict=True)
        ]
        if cells is not None:
            for i, target in enumerate(group):
                target.learn(cells[i], cut[i], verdicts[i][0])
        # a lost target has no mask worth a forward pass
        wanted = want_mask and self.engine.masks and any(verdict is not Verdict.LOST for verdict, _, _ in verdicts)
        masks = None
        if wanted:
            masks = self.engine.segment(kernels, answer, [c.row for c in choices], [c.column for c in choices])
        seen_pixels = to_array(pixels)
        out = []
        for i, target in enumerate(group):
            heat = _heat(maps[i], cut[i], decoder.net)
            verdict, reason, signals = verdicts[i]
            mask = polygon = None
            if masks is not None and verdict is not Verdict.LOST:
                heat["mask"] = HeatMap(masks[i], cut[i].to_image(self._under(choices[i].row, choices[i].column)))
                mask = draw_mask(heat["mask"], image.shape[0], image.shape[1], self.config.mask_threshold)
                polygon = self._polygon(mask, target.box)
            peaks = _peaks(choices[i], cut[i], decoder.net)
            score = signals["confidence"]
            out.append(
                Prediction(
                    target.box, score, verdict, mask, polygon, heat, peaks, cut[i], seen_pixels[i], signals, reason
                )
            )
        return out

    def _online(self, size: int) -> bool:
        return self.config.online_weight > 0 and size == self.net.search

    def _kernels(self, group: list[SiameseTarget]) -> Any:
        if len(group) == 1:
            return group[0].kernels
        members, joined = self._joined
        if members != tuple(group):
            joined = self.engine.join([target.kernels for target in group])
            self._joined = tuple(group), joined
        return joined

    def _decoder(self, size: int) -> Decoder:
        if size not in self._decoders:
            self._decoders[size] = Decoder(self.net, size)
        return self._decoders[size]

    def _under(self, row: int, column: int) -> Box:
        """What the mask at a cell covers, in search pixels (reference B.3)."""
        reach = self.net.stride * 4  # from the cell's place on the map to its exemplar window's corner
        extent = self.net.mask_extent
        return Box(self.net.stride * column - reach, self.net.stride * row - reach, extent, extent)

    def _polygon(self, mask: MaskPatch, box: Box) -> np.ndarray | None:
        if self.config.rectangle == "box":
            return None
        fitted = rectangle(mask, self.config.rectangle)
        if fitted is None:
            return np.array([[box.x, box.y], [box.x2, box.y], [box.x2, box.y2], [box.x, box.y2]])
        return fitted


class SiameseTarget:
    """One object's memory: its kernels, where it was, how big, how sure we were."""

    def __init__(self, tracker: SiameseTracker, box: Box, exemplar: Exemplar, kernels: Any, fill: np.ndarray) -> None:
        self.tracker, self.box, self.exemplar, self.kernels, self.fill = tracker, box, exemplar, kernels, fill
        self.smallest = min(tracker.config.smallest, box.w, box.h)
        self.monitor = Monitor(tracker.config)
        self.lost = self.look = 0
        self.trusted = box
        """The last box that its own frame spoke for: where a lost target was really last seen."""
        self.sizes = deque([(box.w, box.h)], MEMORY)
        self.online = OnlineFilter(tracker.net) if tracker.config.online_weight > 0 else None
        self.peak: tuple[float, float] | None = None
        self.offset = np.zeros(4)
        self._frames = 0

    def usual_size(self, crop: Crop) -> tuple[float, float]:
        """The size in ``crop`` that the network's own box should have."""
        dw, dh = map(float, self.offset[2:])
        return self.box.w * crop.scale * math.exp(-dw), self.box.h * crop.scale * math.exp(-dh)

    def learn(self, cells: np.ndarray, crop: Crop, verdict: Verdict) -> None:
        """Let the online part follow the target's looks, while the answer can be trusted."""
        config = self.tracker.config
        self._frames += 1
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
        """The next search region: around where the target was; lost, there and at all other places in turn.

        Looking elsewhere at the learnt scale costs nothing; the larger region of reference B.2 costs eleven times a
        frame. The first looks and every other later one go to the last place, the rest to a grid over the picture, near
        ones first.
        """
        config, net = self.tracker.config, self.tracker.net
        side = boxes.context_side(self.box.w, self.box.h, config.context) * self.search_size / net.exemplar
        x, y = self.box.cx, self.box.cy
        if self._looks_elsewhere:
            x, y = self._elsewhere(LOOK_STEP * side, image)
        return Square(min(max(x, 0.0), image.shape[1]), min(max(y, 0.0), image.shape[0]), side)

    @property
    def _looks_elsewhere(self) -> bool:
        return self.tracker.config.on_lost == "around" and self.look > PATIENCE and self.look % 2 == 1

    def _elsewhere(self, step: float, image: Image) -> tuple[float, float]:
        """The place of a grid through the target's last one whose turn it is."""
        height, width = image.shape[:2]
        columns = range(-round(self.box.cx / step), round((width - self.box.cx) / step) + 1)
        rows = range(-round(self.box.cy / step), round((height - self.box.cy) / step) + 1)
        places = [(i, j) for i in columns for j in rows if (i, j) != (0, 0)] or [(0, 0)]
        places.sort(key=lambda place: place[0] ** 2 + place[1] ** 2)
        i, j = places[(self.look - PATIENCE) // 2 % len(places)]
        return self.box.cx + i * step, self.box.cy + j * step

    def judge(self, choice: Choice, maps: Maps, crop: Crop, image: Image) -> tuple[Verdict, str, dict[str, float]]:
        """Take the answer in: verdict, reason and signals; the box moves unless the target counts as lost."""
        rows = slice(max(0, choice.row - 2), choice.row + 3)
        columns = slice(max(0, choice.column - 2), choice.column + 3)
        found = self._smoothed(choice, crop, image)
        moved = math.hypot(found.cx - self.box.cx, found.cy - self.box.cy) / math.sqrt(max(self.box.area, 1.0))
        online, sharpness = self.peak or (None, None)
        evidence = Evidence(
            float(maps.attention[rows, columns].max()),
            moved,
            math.log(max(found.area, 1.0) / max(float(np.median([w * h for w, h in self.sizes])), 1.0)),
            _outside(found, image),
            online,
            sharpness,
            self._looks_elsewhere,
            not _whole(found, image),
        )
        verdict, reason, signals = self.monitor.judge(choice, evidence)
        config = self.tracker.config
        if config.on_lost == "enlarge":
            verdict, reason = self._long_term(choice.probability, verdict, reason)
        # a weak answer at the last place may well be the target; what is seen elsewhere has to convince first
        held = verdict is Verdict.LOST and config.on_lost == "around"
        faint = held and not self.monitor.nothing and self.lost < LONG and not self._looks_elsewhere
        held |= config.on_lost == "enlarge" and choice.probability < config.enlarge_below
        if held:
            self._keep_looking()
            if faint:
                self.box = Box.from_centre(found.cx, found.cy, self.box.w, self.box.h)
        else:
            self.box = found
            if online is None or (self.monitor.promising and _whole(found, image)):
                self.sizes.append((found.w, found.h))
            if online is None or self.monitor.promising:
                self.trusted = found
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
        if not self.monitor.promising:  # else another look at the same place decides
            self.look += 1

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
        rate = choice.penalty * sure * config.size_rate
        width = self.box.w + rate * (seen.w - self.box.w)
        height = self.box.h + rate * (seen.h - self.box.h)
        grown = Box.from_centre(seen.cx, seen.cy, width, height)
        return boxes.clip_to_image(grown, image.shape[0], image.shape[1], self.smallest)


def _require(box: Box, image: Image) -> None:
    """Raise `TrackerError` unless the box has an area that meets the image."""
    height, width = image.shape[:2]
    if not all(map(math.isfinite, box)) or box.w <= 0 or box.h <= 0:
        raise TrackerError(f"The box {tuple(box)} has no area. Draw one around the target.")
    if box.x >= width or box.y >= height or box.x2 <= 0 or box.y2 <= 0:
        raise TrackerError(f"The box {tuple(box)} misses the {width} x {height} px image. Draw it on the target.")


def _difference(true: Box, found: np.ndarray) -> np.ndarray:
    """What turns ``found`` (``cx, cy, w, h``) into ``true``: moves in its sizes, logarithms of factors; bounded."""
    cx, cy, w, h = map(float, found)
    moves = (true.cx - cx) / w, (true.cy - cy) / h
    return np.clip([*moves, math.log(true.w / w), math.log(true.h / h)], -BOUND, BOUND)


def _outside(box: Box, image: Image) -> float:
    """Share of a box that lies outside the image."""
    width = max(0.0, min(box.x2, image.shape[1]) - max(box.x, 0.0))
    height = max(0.0, min(box.y2, image.shape[0]) - max(box.y, 0.0))
    return 1 - width * height / max(box.area, 1e-9)


def _whole(box: Box, image: Image) -> bool:
    """The picture's border does not seem to cut the box, whose size then says nothing."""
    return box.x > 1 and box.y > 1 and box.x2 < image.shape[1] - 1 and box.y2 < image.shape[0] - 1


def _heat(maps: Maps, crop: Crop, net: NetConfig) -> dict[str, HeatMap]:
    span = net.grid * net.stride
    first = (net.search - span) / 2
    rect = crop.to_image(Box(first, first, span, span))
    return {name: HeatMap(values, rect) for name, values in maps._asdict().items()}


def _peaks(choice: Choice, crop: Crop, net: NetConfig) -> tuple[Peak, Peak]:
    """Image places of the best and the second-best cell."""
    centres = boxes.cell_centres(net)

    def peak(cell: tuple[int, int], height: float) -> Peak:
        place = crop.to_image(Box(float(centres[cell[1]]), float(centres[cell[0]]), 0, 0))
        return Peak(place.x, place.y, height)

    return peak((choice.row, choice.column), 1.0), peak(choice.runner_up_cell, choice.runner_up)
