"""The Siamese trackers behind the door of `tracker.api`: one network, many targets, one batch a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracker import boxes, crops
from tracker.api import Box, Crop, Exemplar, HeatMap, Image, MaskPatch, Peak, Prediction, Target, TrackerError, Verdict
from tracker.config import NetConfig, TrackConfig
from tracker.inference import keypart, outlines
from tracker.inference.decode import LOST_WINDOW, Choice, Decoder, Maps
from tracker.inference.engine import Engine, Pixels, Scores, Square, to_array
from tracker.inference.masks import draw_mask, rectangle
from tracker.inference.online import stands_out
from tracker.inference.signals import agreement, doubt_disagreement
from tracker.inference.target import Peaked, SiameseTarget, TaughtTarget

SHOWN = ((0, 0, 1), (0.12, 0.08, 1), (-0.12, -0.08, 1), (0.1, -0.1, 1.15), (-0.1, 0.1, 0.87))
"""Places (in search regions) and sizes at which the online part is shown a certain box."""

BOUND = 0.35
"""Most that a given box may differ from the network's own, in sizes and logarithms; more is the network's mistake."""


class SiameseTracker:
    """A network on an engine; starts targets that share it, and steps any number of them in one batch."""

    def __init__(self, name: str, engine: Engine, config: TrackConfig) -> None:
        self.name, self.engine, self.config = name, engine, config
        self.net: NetConfig = engine.config
        self._decoders: dict[int, Decoder] = {}
        self._joined: tuple[list[Any], Any] = ([], None)

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
        kind = TaughtTarget if self.config.online_weight > 0 else SiameseTarget
        target = kind(self, box, exemplar, kernels, fill)
        self._show(target, image, box)
        if self.config.online_weight > 0 or self.config.calibration > 0:
            self._teach(target, image, box)
        return target

    def correct(self, target: TaughtTarget, image: Image, box: Box) -> None:
        """See `tracker.api.Teachable`. Raises `TrackerError` for an empty box or one that misses the image."""
        _require(box, image)
        side = boxes.context_side(box.w, box.h, self.config.context)
        around = [Square(box.cx, box.cy, side)]
        pixels, _ = self.engine.cut(image, around, self.net.exemplar, [target.fill], self.config.sampling)
        target.restart(box, self.engine.embed(pixels))
        self._show(target, image, box)
        self._teach(target, image, box)

    def _show(self, target: SiameseTarget, image: Image, box: Box) -> None:
        """Keep what the mask of a person's box is drawn from, until masks are asked for."""
        if self.engine.masks == "box":
            target.outline.given = outlines.view(self.engine, image, box, target.fill, self.config.sampling)

    def segment(self, image: Image, box: Box) -> MaskPatch | None:
        """See `tracker.api.Segments`."""
        _require(box, image)
        if not self.engine.masks:
            return None
        fills = [crops.mean_colour(image)]
        if self.engine.masks == "box":
            given = outlines.view(self.engine, image, box, fills[0], self.config.sampling)
            heat = outlines.begin(self.engine, outlines.Outline(given)).heat
        else:
            heat = self._at_middle(image, box, fills)
        return draw_mask(heat, image.shape[0], image.shape[1], self.config.mask_threshold)

    def _at_middle(self, image: Image, box: Box, fills: Sequence[np.ndarray]) -> HeatMap:
        """The mask at the middle of a search region around ``box``, from a network that draws masks at cells."""
        side = boxes.context_side(box.w, box.h, self.config.context)
        ratio = self.net.search / self.net.exemplar
        around = [Square(box.cx, box.cy, side)], [Square(box.cx, box.cy, side * ratio)]
        exemplar, _ = self.engine.cut(image, around[0], self.net.exemplar, fills, self.config.sampling)
        pixels, cut = self.engine.cut(image, around[1], self.net.search, fills, self.config.sampling)
        kernels = self.engine.embed(exemplar)
        middle = self.net.grid // 2
        mask = self.engine.segment(kernels, self.engine.match(kernels, pixels), [middle], [middle])[0]
        return HeatMap(mask, cut[0].to_image(self._under(middle, middle)))

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
            samples = [(seen, crop.to_crop(box)) for seen, crop in zip(self.engine.cells(answer), cut, strict=True)]
            for seen, true in samples:
                target.online.learn(seen, true, keep=True)
            target.remember(samples)

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
        for target in group:
            self._scout(target, image)
        squares = [target.square(image) for target in group]
        fills = [target.fill for target in group]
        pixels, cut = self.engine.cut(image, squares, size, fills, self.config.sampling)
        kernels = self._kernels(group)
        answer = self.engine.match(kernels, pixels)
        decoder = self._decoder(size)
        cells = self.engine.cells(answer) if self._online(size) else None
        choices, maps = [], []
        for i, (target, crop) in enumerate(zip(group, cut, strict=True)):
            found = self._choose(target, crop, answer.row(i), None if cells is None else cells[i], decoder)
            choices.append(found[0])
            maps.append(found[1])
        verdicts = [
            target.judge(choice, seen, crop, image)
            for target, choice, seen, crop in zip(group, choices, maps, cut, strict=True)
        ]
        if cells is not None:
            for i, target in enumerate(group):
                target.learn(cells[i], cut[i], verdicts[i][0])
        for target, (verdict, _, _) in zip(group, verdicts, strict=True):
            target.reframe(image, verdict)
        # a lost target has no mask worth a forward pass
        shown = [i for i, (verdict, _, _) in enumerate(verdicts) if want_mask and verdict is not Verdict.LOST]
        masks: dict[int, HeatMap] = {}
        regressed = [target.box for target in group]
        if shown and self.engine.masks == "cell":
            drawn = self.engine.segment(kernels, answer, [c.row for c in choices], [c.column for c in choices])
            for i in shown:
                masks[i] = HeatMap(drawn[i], cut[i].to_image(self._under(choices[i].row, choices[i].column)))
        elif shown and self.engine.masks == "box":
            sure = [verdicts[i][0] is Verdict.TRACKED for i in shown]
            masks = dict(zip(shown, self._outlined(image, [group[i] for i in shown], sure), strict=True))
        seen_pixels = to_array(pixels)
        out = []
        for i, target in enumerate(group):
            heat = _heat(maps[i], cut[i], decoder.net)
            verdict, reason, signals = verdicts[i]
            mask = polygon = None
            if i in masks:
                heat["mask"] = masks[i]
                mask = draw_mask(heat["mask"], image.shape[0], image.shape[1], self.config.mask_threshold)
                polygon = self._polygon(mask, target.box)
                if target.online is not None:
                    signals["agreement"] = agreement(regressed[i], mask)
                    verdict, reason = doubt_disagreement(verdict, reason, signals["agreement"])
            peaks = _peaks(choices[i], cut[i], decoder.net)
            score = signals["confidence"]
            out.append(
                Prediction(
                    target.box, score, verdict, mask, polygon, heat, peaks, cut[i], seen_pixels[i], signals, reason
                )
            )
        return out

    def _outlined(self, image: Image, targets: list[SiameseTarget], sure: list[bool]) -> list[HeatMap]:
        """The masks of what is in the targets' boxes, which they then correct.

        Where that moves a box far, its mask is drawn again in the new box, once.
        """
        for target in targets:
            if target.outline.given is not None:
                outlines.begin(self.engine, target.outline)
        found: dict[int, outlines.Drawn] = {}
        turn = list(range(len(targets)))
        for _ in range(2):
            group = [targets[i] for i in turn]
            asked, of, fills = [t.box for t in group], [t.outline for t in group], [t.fill for t in group]
            found |= zip(turn, outlines.draw(self.engine, image, asked, of, fills, self.config.sampling), strict=True)
            for i, target in zip(turn, group, strict=True):
                box = target.outline.correct(found[i], self.config.mask_rate)
                target.box = boxes.clip_to_image(box, image.shape[0], image.shape[1], target.smallest)
                target.outline.keep(found[i], target.box)
            turn = [i for i in turn if targets[i].outline.wants_another(found[i], targets[i].box)]
            if not turn:
                break
        for i, target in enumerate(targets):
            target.outline.remember(found[i], sure[i])
        return [found[i].heat for i in range(len(targets))]

    def _choose(
        self, target: SiameseTarget, crop: Crop, scores: Scores, cells: np.ndarray | None, decoder: Decoder
    ) -> tuple[Choice, Maps]:
        """A target's best candidate in one search region; notes what its online part says of it."""
        window = LOST_WINDOW if decoder.net.search != self.net.search else None
        state = target.usual_size(crop)
        if target.online is None or cells is None:
            target.peak = None
            return decoder.choose(scores, state, self.config, window=window)
        online = target.online.respond(cells)
        choice, maps = decoder.choose(scores, state, self.config, window=window, online=online)
        target.peak = Peaked(*stands_out(online, choice.row, choice.column), target.likeness(cells, choice))
        return choice, maps

    def _scout(self, target: SiameseTarget, image: Image) -> None:
        """Look for a lost target at the next places besides its last one; what speaks for it there is looked at.

        The places are compared at the scale that was learnt: the larger region of reference B.2 costs eleven times a
        frame, or shows the target at another scale.
        """
        squares = target.places(image)
        if not squares:
            return
        fills = [target.fill] * len(squares)
        pixels, cut = self.engine.cut(image, squares, self.net.search, fills, self.config.sampling)
        answer = self.engine.match(self.engine.join([target.kernels] * len(squares)), pixels)
        decoder, best = self._decoder(self.net.search), 0.0
        cells = self.engine.cells(answer) if self._online(self.net.search) else None
        for i, crop in enumerate(cut):
            choice, maps = self._choose(target, crop, answer.row(i), None if cells is None else cells[i], decoder)
            ratio = target.monitor.ratio(choice, target.evidence(choice, maps, crop, image)[1])
            if ratio > best:
                best, place = ratio, crop.to_image(Box.from_centre(*map(float, choice.box)))
                target.aim = place.cx, place.cy

    def _online(self, size: int) -> bool:
        return self.config.online_weight > 0 and size == self.net.search

    def _kernels(self, group: list[SiameseTarget]) -> Any:
        if len(group) == 1:
            return group[0].kernels
        own = [target.kernels for target in group]
        members, joined = self._joined
        # by identity: a correction gives a target other kernels
        if len(members) != len(own) or any(a is not b for a, b in zip(members, own, strict=True)):
            joined = self.engine.join(own)
            self._joined = own, joined
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
