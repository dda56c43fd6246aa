"""Masks drawn in boxes: what a target's looks are remembered by, and what its next mask is drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from tracker import boxes, colours, crops
from tracker.api import Box, Crop, HeatMap, Image
from tracker.inference.engine import Engine, Pixels, Square, Told, to_array
from tracker.models.outline import CELLS, FRAMES, HINTS, KEY_CHANNELS, KEYS, SIDE

EVERY = 5
"""Frames between two looks that replace the more recent memory."""
ALIKE = 0.75, 0.9
"""Overlaps of a given box and its mask's bounds: below the first such bounds say nothing about later boxes, from the
second on everything. A person whose box is not the mask's means something else (a face, a body without its arms)."""
OWN = 0.5
"""Overlap of a box and its mask's bounds from which on the mask may be remembered."""
RELATED = 0.4
"""Overlap of a tracked box and its mask's bounds from which on these correct the box."""
AGAIN = 0.85
"""A box that its mask moves to a smaller overlap than this is looked into once more, where the mask has put it: a
target that grows fast is cut off by the view around its old size."""
PART = 0.1
"""Parts of a mask smaller than this share of the largest are not looked at for its bounds."""


class Memory(NamedTuple):
    """One remembered frame: keys of its cells (c, k), how much of each is figure (k,), and its colours."""

    keys: np.ndarray
    figure: np.ndarray
    table: np.ndarray


class Drawn(NamedTuple):
    """A mask that was drawn: probabilities over the image, the box whose content it is, and what remembering takes."""

    heat: HeatMap
    box: Box
    pixels: np.ndarray
    keys: np.ndarray

    def memory(self) -> Memory:
        """The frame as it is remembered with this mask."""
        mask = self.heat.values
        figure = cv2.resize(mask, (KEYS, KEYS), interpolation=cv2.INTER_AREA).ravel()
        full = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        return Memory(self.keys, figure, colours.learn(self.pixels, full))


class View(NamedTuple):
    """A crop around a box: its pixels (s, s, 3) uint8 and where they lie."""

    pixels: np.ndarray
    crop: Crop
    box: Box


@dataclass
class Outline:
    """One target's memories: ``first`` the frame that it was started from, ``recent`` a later one; ``last``: the mask
    before, with the centre of the box that it was drawn for.

    ``given``: a view that a person gave and whose mask is drawn when masks are asked for. ``fit``: how the box
    that a person gave differs from the bounds of its mask (see `difference`); ``trust``: how far such bounds are
    believed, from 0 to 1.
    """

    given: View | None = None
    first: Memory | None = None
    recent: Memory | None = None
    last: tuple[HeatMap, float, float] | None = None
    fit: np.ndarray | None = None
    trust: float = 0.0
    _age: int = 0

    @property
    def memories(self) -> list[Memory]:
        return [memory for memory in (self.first, self.recent) if memory is not None]

    def size_trust(self, box: Box) -> float:
        """How far bounds of masks may still be believed after a person has given ``box``, from 0 to 1.

        No farther than before, and no farther than the size fits that the last mask has suggested: what was corrected
        once would be wrong again. Its place does not matter, for that may be another frame's.
        """
        if self.first is None:
            return 1.0
        around = None if self.last is None else bounds(self.last[0])
        if around is None or self.fit is None:
            return self.trust
        said = corrected(around, around, self.fit, 1.0)
        return min(self.trust, _ramp(overlap(Box.from_centre(box.cx, box.cy, said.w, said.h), box)))

    def correct(self, drawn: Drawn, rate: float) -> Box:
        """The box that a mask was drawn in, drawn by the share ``rate`` towards the one around it."""
        around = bounds(drawn.heat)
        if around is None or self.fit is None or overlap(around, drawn.box) < RELATED:
            return drawn.box
        return corrected(drawn.box, around, self.fit, rate * self.trust)

    def keep(self, drawn: Drawn, box: Box) -> None:
        """Keep a mask for the next frame's hint, with where its target was: in ``box``, the one that was corrected.

        A target whose bounds are not fully believed was where it was sought: its box is its own way of seeing it, and
        only the network's next one tells how far that has moved.
        """
        here = box if self.trust >= 1 else drawn.box
        self.last = drawn.heat, here.cx, here.cy

    def wants_another(self, drawn: Drawn, box: Box) -> bool:
        """Whether a mask should be drawn again in ``box``, as it was corrected; only where its bounds are believed."""
        return self.trust >= 1 and overlap(drawn.box, box) < AGAIN

    def remember(self, drawn: Drawn, sure: bool) -> None:
        """Once a frame: follow the looks of a target.

        Only of one that is ``sure`` to be tracked something is remembered for long, and only where mask and box agree.
        """
        self._age += 1
        if sure and self._age % EVERY == 0:
            around = bounds(drawn.heat)
            if around is not None and overlap(around, drawn.box) > OWN:
                self.recent = drawn.memory()

    def expected(self, box: Box, crop: Crop) -> np.ndarray:
        """The last mask, moved along with the box, on the cells of ``crop``: (`CELLS`, `CELLS`) float32."""
        if self.last is None:
            return np.zeros((CELLS, CELLS), np.float32)
        heat, cx, cy = self.last
        step = crop.rect.w / CELLS  # image pixels of a new cell, and of an old one
        old = heat.rect.w / CELLS
        ratio = step / old
        left = (crop.rect.x + step / 2 - (box.cx - cx) - heat.rect.x) / old - 0.5
        top = (crop.rect.y + step / 2 - (box.cy - cy) - heat.rect.y) / old - 0.5
        matrix = np.array([[ratio, 0, left], [0, ratio, top]])
        return cv2.warpAffine(heat.values, matrix, (CELLS, CELLS), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def view(engine: Engine, image: Image, box: Box, fill: np.ndarray, sampling: crops.Sampling) -> View:
    """The crop in which the mask of ``box`` is drawn."""
    pixels, cut = engine.cut(image, [_square(box)], SIDE, [fill], sampling)
    return View(to_array(pixels)[0], cut[0], box)


def begin(engine: Engine, outline: Outline) -> Drawn:
    """Draw the mask of the view that an outline was given, and remember it.

    It is drawn twice: what was found at first, there and in the mirror, tells the figure's colours and features, and
    these find the rest.
    """
    assert outline.given is not None
    view, box = outline.given, outline.given.box
    before = outline.size_trust(box)
    drawn = _draw(engine, view.pixels[None], [view], [Outline(first=outline.first)])[0]
    other = mirrored(view)
    twin = _draw(engine, other.pixels[None], [other], [Outline(first=outline.first)])[0]
    both = HeatMap((drawn.heat.values + twin.heat.values[:, ::-1]) / 2, view.crop.rect)
    memory = drawn._replace(heat=both).memory()
    known = Outline(first=outline.first or memory, recent=memory if outline.first else None)
    known.last = both, box.cx, box.cy
    drawn = _draw(engine, view.pixels[None], [view], [known])[0]
    if outline.first is None:
        outline.first = drawn.memory()
    else:
        outline.recent = drawn.memory()
    outline.given = None
    outline.last = drawn.heat, box.cx, box.cy
    around = bounds(drawn.heat)
    outline.fit = None if around is None else difference(box, around)
    outline.trust = min(before, 0.0 if around is None else _ramp(overlap(around, box)))
    return drawn


def mirrored(view: View) -> View:
    """The same view with left and right exchanged."""
    pixels, crop, box = view
    turned = Box(2 * crop.rect.cx - box.x2, box.y, box.w, box.h)
    return View(np.ascontiguousarray(pixels[:, ::-1]), crop, turned)


def bounds(heat: HeatMap) -> Box | None:
    """The box around a mask's larger parts, in image pixels; None where there is no mask."""
    count, _, found, _ = cv2.connectedComponentsWithStats((heat.values > 0.5).astype(np.uint8))
    if count < 2:
        return None
    parts = found[1:]
    parts = parts[parts[:, cv2.CC_STAT_AREA] >= PART * parts[:, cv2.CC_STAT_AREA].max()]
    low = parts[:, :2].min(0)
    high = (parts[:, :2] + parts[:, 2:4]).max(0)
    cell = heat.rect.w / heat.values.shape[1]
    corners = np.concatenate([low, high]) * cell + np.tile([heat.rect.x, heat.rect.y], 2)
    return Box.from_corners(*map(float, corners))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = max(0.0, min(one.x2, other.x2) - max(one.x, other.x))
    height = max(0.0, min(one.y2, other.y2) - max(one.y, other.y))
    return width * height / max(one.area + other.area - width * height, 1e-9)


def difference(true: Box, found: Box) -> np.ndarray:
    """What turns ``found`` into ``true``: moves of the centre in its sizes, logarithms of the factors of its sizes."""
    moves = (true.cx - found.cx) / found.w, (true.cy - found.cy) / found.h
    return np.array([*moves, np.log(true.w / found.w), np.log(true.h / found.h)])


def corrected(box: Box, around: Box, fit: np.ndarray, rate: float) -> Box:
    """``box`` drawn towards what the bounds ``around`` its mask say, by the share ``rate``."""
    dx, dy, dw, dh = map(float, fit)
    middle = around.cx + dx * around.w, around.cy + dy * around.h
    said = np.array([*middle, around.w * np.exp(dw), around.h * np.exp(dh)])
    own = np.array([box.cx, box.cy, box.w, box.h])
    return Box.from_centre(*map(float, own + rate * (said - own)))


def draw(
    engine: Engine,
    image: Image,
    asked: Sequence[Box],
    outlines: Sequence[Outline],
    fills: Sequence[np.ndarray],
    sampling: crops.Sampling,
) -> list[Drawn]:
    """The masks of what is in boxes of one image, each with what its target's outline remembers."""
    pixels, cut = engine.cut(image, [_square(box) for box in asked], SIDE, fills, sampling)
    return _draw(engine, pixels, [View(*view) for view in zip(to_array(pixels), cut, asked, strict=True)], outlines)


def _draw(engine: Engine, pixels: Pixels, views: Sequence[View], outlines: Sequence[Outline]) -> list[Drawn]:
    masks, keys = engine.draw(pixels, tell(views, outlines))
    return [
        Drawn(HeatMap(mask, view.crop.rect), view.box, view.pixels, key)
        for mask, view, key in zip(masks, views, keys, strict=True)
    ]


def tell(views: Sequence[View], outlines: Sequence[Outline]) -> Told:
    """What the network is told of each view, from its target's outline."""
    n, cells = len(views), KEYS * KEYS
    told = Told(
        np.zeros((n, 4), np.float32),
        np.zeros((n, HINTS, CELLS, CELLS), np.float32),
        np.zeros((n, KEY_CHANNELS, FRAMES * cells), np.float32),
        np.zeros((n, FRAMES * cells), np.float32),
        np.zeros((n, FRAMES * cells), np.float32),
    )
    for i, ((pixels, crop, box), outline) in enumerate(zip(views, outlines, strict=True)):
        inside = crop.to_crop(box)
        place = inside.cx, inside.cy, inside.w, inside.h
        told.boxes[i] = place
        memories = outline.memories
        if memories:
            told.hints[i, 0] = np.mean([colours.likeness(pixels, memory.table) for memory in memories], 0)
        told.hints[i, 1] = outline.expected(box, crop)
        told.hints[i, 2] = colours.within(pixels, place)
        for j, memory in enumerate(memories):
            part = slice(j * cells, (j + 1) * cells)
            told.memory[i, :, part] = memory.keys
            told.figure[i, part], told.ground[i, part] = memory.figure, 1 - memory.figure
    return told


def _square(box: Box) -> Square:
    return Square(box.cx, box.cy, boxes.outline_side(box.w, box.h))


def _ramp(found: float) -> float:
    """How much an overlap of box and mask is worth, see `ALIKE`."""
    return float(np.interp(found, ALIKE, (0.0, 1.0)))
