"""From raw responses to one box: score fusion, penalty, window, choice (reference B.1 and C.4). Pure numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from tracker import boxes
from tracker.config import NetConfig, TrackConfig
from tracker.inference.engine import Scores

_NEIGHBOURS = np.ones((3, 3), np.uint8)
_GROWTH = 3
"""Logarithm of the largest change from an anchor's side, so that e^x cannot over- or underflow."""
PAPER_CELL = 10.2
"""Search pixels per cell of SiamAtt's printed label grid: 255 / 25 (SiamAtt sec. 3.2)."""
LOST_WINDOW = 0.001
"""Cosine window's weight while a larger region is searched (reference B.2)."""


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
    """Anchors and cosine window of one `NetConfig` at one size of the search region."""

    def __init__(self, net: NetConfig, search: int | None = None) -> None:
        size = search or net.search
        self.net = replace(net, search=size, grid=net.grid_for(size))
        self.anchors = boxes.anchors(self.net)
        hann = np.hanning(self.net.grid)
        self.window = np.outer(hann, hann).astype(np.float32)

    def boxes(self, loc: np.ndarray) -> np.ndarray:
        """Deltas (4k, g, g) to ``cx, cy, w, h`` (4, k, g, g) in search pixels."""
        dx, dy, dw, dh = loc.reshape(4, -1, self.net.grid, self.net.grid)
        a = self.anchors
        return np.stack(
            [
                dx * a[..., 2] + a[..., 0],
                dy * a[..., 3] + a[..., 1],
                a[..., 2] * np.exp(np.clip(dw, -_GROWTH, _GROWTH)),
                a[..., 3] * np.exp(np.clip(dh, -_GROWTH, _GROWTH)),
            ]
        )

    def fuse(self, scores: Scores, config: TrackConfig) -> tuple[np.ndarray, float]:
        """SiamAtt equation 5: add each level's weighted attention, at its peaks above ``t``, to all anchors there.

        Returns the fused scores (k, g, g) and the largest value they could take. The sum is not divided here; a level
        without a peak counts as absent, so that with w = 0 or no peak at all both are SiamRPN++'s (reference C.4,
        point 2). ``paper`` takes the classification fused over levels by learnt weights, since those were trained only
        through the fusion; ``paper-sum3`` sums the levels as printed; ``released`` is the authors' code.
        """
        base = scores.foreground
        most = 1.0
        if config.score_mode == "paper-sum3" and len(scores.levels):
            base, most = scores.levels.sum(0), float(len(scores.levels))
        weight = config.attention_weight
        if weight == 0 or not len(scores.attention):
            return base, most
        added = np.zeros(base.shape[1:], np.float32)
        for level, logits in enumerate(scores.attention):
            chance = _sigmoid(logits)
            peaks = (chance == cv2.dilate(chance, _NEIGHBOURS)) & (chance > config.attention_threshold)
            if not peaks.any():
                continue
            if config.score_mode == "released":  # shares of one softmax over all cells and anchors (reference C.3)
                exponent = np.exp(logits - logits.max())
                chance = exponent / (len(base) * exponent.sum())
            bonus = np.where(peaks, chance, np.float32(0))
            if self.net.label_grid == "paper" and len(scores.offsets):
                bonus = self._from_paper_grid(bonus, scores.offsets[2 * level : 2 * level + 2])
            added += weight * bonus
            most += weight
        return base + added[None], most

    def _from_paper_grid(self, bonus: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Move peaks from the printed grid of 10.2 px to the response's own cells (reference C.4, point 5)."""
        moved = np.zeros_like(bonus)
        first = (self.net.search - (self.net.grid - 1) * self.net.stride - 1) / 2  # 31 for a region of 255 px
        for row, column in np.argwhere(bonus > 0):
            x = PAPER_CELL * (column + offsets[0, row, column])
            y = PAPER_CELL * (row + offsets[1, row, column])
            r, c = (min(max(round((v - first) / self.net.stride), 0), self.net.grid - 1) for v in (y, x))
            moved[r, c] = max(moved[r, c], bonus[row, column])
        return moved

    def choose(
        self,
        scores: Scores,
        size: tuple[float, float],
        config: TrackConfig,
        *,
        window: float | None = None,
        online: np.ndarray | None = None,
    ) -> tuple[Choice, Maps]:
        """Pick the best candidate.

        ``size``: width and height of the target in the previous frame, in search pixels. ``window``: the cosine
        window's weight, if not the configured one. ``online`` (g, g): scores of the online part, mixed into those of
        all anchors. The papers' top-K and non-maximum suppression are left out: of what they keep only the first box
        is used, and that is the maximum (reference C.4, point 6).
        """
        candidates = self.boxes(scores.loc)
        fused, most = self.fuse(scores, config)
        if not config.raw_scores and most != 1:
            fused = fused / np.float32(most)  # so that the window keeps its force (reference C.4, point 3)
        if online is not None:
            fused = fused + np.float32(config.online_weight) * (np.clip(online, 0, 1)[None] - fused)
        influence = config.window_influence if window is None else window
        penalty = self._penalty(candidates[2], candidates[3], size, config)
        evidence = penalty * fused
        ranked = evidence * (1 - influence) + self.window[None] * influence
        k, row, column = (int(i) for i in np.unravel_index(int(np.argmax(ranked)), ranked.shape))
        best = evidence.max(0)
        second, cell = _second_peak(best, row, column)
        choice = Choice(
            _agreed(candidates, evidence, (k, row, column), config.agreement)
            if config.agreement
            else candidates[:, k, row, column],
            row,
            column,
            float(scores.foreground[k, row, column]),
            float(fused[k, row, column]),
            float(penalty[k, row, column]),
            second / max(float(best[row, column]), 1e-6),
            cell,
        )
        fused_map = fused.max(0) / np.float32(most) if config.raw_scores else fused.max(0)
        attention = _sigmoid(scores.attention.max(0)) if len(scores.attention) else np.zeros_like(best)
        return choice, Maps(scores.foreground.max(0), attention, np.clip(fused_map, 0, 1))

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


def _agreed(candidates: np.ndarray, evidence: np.ndarray, chosen: tuple[int, int, int], share: float) -> np.ndarray:
    """The box that candidates within a cell of the chosen one agree on, each by its evidence above ``share`` of its.

    Those whose middle lies more than half a box away show something else.
    """
    k, row, column = chosen
    near = slice(None), slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
    own, others = candidates[:, k, row, column], candidates[(slice(None), *near)]
    weight = np.maximum(evidence[near] - share * evidence[k, row, column], 0)
    weight[(np.abs(others[:2] - own[:2, None, None, None]) > 0.5 * own[2:, None, None, None]).any(axis=0)] = 0
    total = float(weight.sum())
    if total == 0:  # nothing is evidence of anything
        return own
    weight = weight / total
    x, y = (weight * others[0]).sum(), (weight * others[1]).sum()
    w, h = np.exp((weight * np.log(others[2])).sum()), np.exp((weight * np.log(others[3])).sum())
    return np.array([x, y, w, h])


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # exp overflows to infinity for logits below -88, whose probability is then 0, as it should be
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))


def _second_peak(evidence: np.ndarray, row: int, column: int, radius: int = 4) -> tuple[float, tuple[int, int]]:
    """Highest value farther than ``radius`` cells from the chosen one, and its cell."""
    rest = evidence.copy()
    rest[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = 0
    r, c = np.unravel_index(int(np.argmax(rest)), rest.shape)
    return float(rest[r, c]), (int(r), int(c))
