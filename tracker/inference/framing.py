"""Is the box as large as what was marked? Boxes of other sizes are compared with the template.

Regression starts from the size of the frame before and goes but part of the way, so that its errors add up: a face's
box grows to the head, that of a car which comes nearer stays behind. The template itself remembers how the target
filled its box. What is in boxes a little wider, narrower, higher and lower is therefore stretched to the template's own
frame, and the size follows the one that looks most like it (DSST's search over scales, with the network's template in
place of a filter, and both sides apart).
"""

from __future__ import annotations

import math

import numpy as np

from tracker import boxes, crops
from tracker.api import Box, Image
from tracker.config import NetConfig, TrackConfig

STEP = 0.15
"""Logarithm of the sizes that are compared with the box's own."""
MOVES = ((0.0, 0.0), (-STEP, 0.0), (STEP, 0.0), (0.0, -STEP), (0.0, STEP))
"""The sizes: logarithms of factors on width and height."""
ALIKE = 0.7, 0.85
"""Likeness of the best size to the template: below the first it tells nothing, from the second on it is believed. Of
nine sizes a quarter apart the right one was the likest in 69 % of the frames above .8, in 22 % of those below."""


def extent(box: Box, net: NetConfig, config: TrackConfig) -> tuple[float, float]:
    """Width and height of a marked ``box`` in its exemplar, in exemplar pixels."""
    scale = net.exemplar / boxes.context_side(box.w, box.h, config.context)
    return box.w * scale, box.h * scale


def views(image: Image, box: Box, marked: tuple[float, float], net: NetConfig, fill: np.ndarray) -> np.ndarray:
    """What boxes of the sizes in `MOVES` around ``box`` hold, each stretched to fill ``marked`` (see `extent`).

    (5, e, e, 3) uint8, e the exemplar's side, with as much of the surroundings as an exemplar has.
    """
    return np.stack(
        [
            crops.stretched(
                image,
                Box.from_centre(
                    box.cx,
                    box.cy,
                    box.w * math.exp(dw) * net.exemplar / marked[0],
                    box.h * math.exp(dh) * net.exemplar / marked[1],
                ),
                net.exemplar,
                fill,
            )
            for dw, dh in MOVES
        ]
    )


def change(alike: np.ndarray) -> tuple[float, float]:
    """Logarithms of the factors for width and height that the likeness (5,) of `views` to the template asks for."""
    trust = float(np.interp(alike.max(), ALIKE, (0.0, 1.0)))
    own, narrower, wider, lower, higher = map(float, alike)
    return trust * _peak(narrower, own, wider), trust * _peak(lower, own, higher)


def _peak(before: float, here: float, after: float) -> float:
    """Where between -`STEP` and `STEP` a parabola through three values is highest."""
    bend = before + after - 2 * here
    if bend >= 0:  # no summit in between
        return math.copysign(STEP, after - before) if after != before else 0.0
    return min(max((before - after) / (2 * bend), -1.0), 1.0) * STEP
