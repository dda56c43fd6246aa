"""From raw responses to one box: score fusion, penalty, window, choice (reference B.1 and C.4). Pure numpy."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from tracker import boxes
from tracker.config import NetConfig, TrackConfig


class Choice(NamedTuple):
    """The chosen candidate: ``box`` ``cx, cy, w, h`` in search pixels; ``row``, ``column`` of its cell; its foreground
    probability, fused score, size penalty; the second-best peak of the ranked map relative to the best.
    """

    box: np.ndarray
    row: int
    column: int
    probability: float
    fused: float
    penalty: float
    runner_up: float
    runner_up_cell: tuple[int, int]


class Maps(NamedTuple):
    """(g, g) float32 in [0, 1]: best anchor's foreground probability, attention, fused score over its maximum."""

    classification: np.ndarray
    attention: np.ndarray
    fused: np.ndarray


class Decoder:
    """Anchors and cosine window of one `NetConfig`."""

    def __init__(self, net: NetConfig) -> None:
        self.net = net
        self.anchors = boxes.anchors(net)
        hann = np.hanning(net.grid)
        self.window = np.outer(hann, hann).astype(np.float32)

    def boxes(self, loc: np.ndarray) -> np.ndarray:
        """Deltas (4k, g, g) to ``cx, cy, w, h`` (4, k, g, g) in search pixels."""
        dx, dy, dw, dh = loc.reshape(4, -1, self.net.grid, self.net.grid)
        a = self.anchors
        return np.stack(
            [
                dx * a[..., 2] + a[..., 0],
                dy * a[..., 3] + a[..., 1],
                a[..., 2] * np.exp(np.minimum(dw, 3)),
                a[..., 3] * np.exp(np.minimum(dh, 3)),
            ]
        )

    def fuse(self, probability: np.ndarray, attention: np.ndarray, config: TrackConfig) -> np.ndarray:
        """SiamAtt equation 5: add the weighted attention at its peaks above ``t`` to every anchor of that cell.

        ``probability`` (k, g, g), ``attention`` (g, g). The sum is divided by its maximum 1 + w, so that the cosine
        window keeps its force (reference C.4, point 3); with w = 0 or no peak above t the ranking is SiamRPN++'s.
        """
        peaks = (attention == cv2.dilate(attention, np.ones((3, 3), np.uint8))) & (
            attention > config.attention_threshold
        )
        bonus = config.attention_weight * np.where(peaks, attention, 0.0)
        return (probability + bonus[None]) / (1 + config.attention_weight)

    def choose(
        self,
        probability: np.ndarray,
        loc: np.ndarray,
        attention: np.ndarray,
        size: tuple[float, float],
        config: TrackConfig,
    ) -> tuple[Choice, Maps]:
        """Pick the best candidate.

        ``probability`` (k, g, g) foreground, ``loc`` (4k, g, g), ``attention`` (g, g) probabilities; ``size``: width
        and height of the target in the previous frame, in search pixels.
        """
        candidates = self.boxes(loc)
        fused = self.fuse(probability, attention, config)
        penalty = self._penalty(candidates[2], candidates[3], size, config)
        ranked = penalty * fused * (1 - config.window_influence) + self.window[None] * config.window_influence
        k, row, column = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
        evidence = (penalty * fused).max(0)
        second, cell = _second_peak(evidence, int(row), int(column))
        choice = Choice(
            candidates[:, k, row, column],
            int(row),
            int(column),
            float(probability[k, row, column]),
            float(fused[k, row, column]),
            float(penalty[k, row, column]),
            second / max(float(evidence[row, column]), 1e-6),
            cell,
        )
        return choice, Maps(probability.max(0), attention, np.clip(fused.max(0), 0, 1))

    @staticmethod
    def _penalty(w: np.ndarray, h: np.ndarray, size: tuple[float, float], config: TrackConfig) -> np.ndarray:
        """Punish changes of size and shape (SiamRPN; reference B.1, step 2); 1 where both equal the state's."""

        def ratio(r: np.ndarray) -> np.ndarray:
            return np.maximum(r, 1 / r)

        def padded(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            margin = (a + b) * config.context
            return np.sqrt((a + margin) * (b + margin))

        scale = ratio(padded(w, h) / boxes.context_side(*size, config.context))
        shape = ratio((w / h) / (size[0] / size[1]))
        return np.exp(-(shape * scale - 1) * config.penalty_k)


def _second_peak(evidence: np.ndarray, row: int, column: int, radius: int = 4) -> tuple[float, tuple[int, int]]:
    """Highest value farther than ``radius`` cells from the chosen one, and its cell."""
    rest = evidence.copy()
    rest[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = 0
    r, c = np.unravel_index(int(np.argmax(rest)), rest.shape)
    return float(rest[r, c]), (int(r), int(c))
