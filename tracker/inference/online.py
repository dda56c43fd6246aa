"""The online part: a linear classifier of target against background, learnt while tracking.

Siamese matching asks whether a place looks like the exemplar; it never learns what else is in the picture. Here ridge
regression over the network's own features answers the other question: what sets this target apart from what surrounds
it (the target model of ATOM, sec. 3.2, in closed form, and the correlation filters before it). Samples are folded into
normal equations, so that nothing of the frames is kept, and an update is one matrix product and a few
conjugate-gradient steps.
"""

from __future__ import annotations

import numpy as np

from tracker import boxes
from tracker.api import Box
from tracker.config import NetConfig

RIDGE = 0.02
"""Regularisation relative to the mean power of a feature."""
STEPS = 8
"""Conjugate-gradient steps per update; the last solution is where they start."""


class OnlineFilter:
    """One target's classifier over neck features (c, s, s) of its search region; answers on the response grid.

    Fixed samples (the first frame, corrections) and running ones are averaged apart, so that however long the target is
    followed what a person said keeps its share.
    """

    def __init__(
        self, config: NetConfig, *, taps: int = 3, dilation: int = 2, kept: int = 48, fixed_share: float = 0.5
    ) -> None:
        self.config, self.taps, self.dilation, self.kept, self.fixed_share = config, taps, dilation, kept, fixed_share
        self._basis = self._mean = np.zeros(0, np.float32)
        self._fixed: tuple[np.ndarray, np.ndarray] | None = None
        self._running: tuple[np.ndarray, np.ndarray] | None = None
        self._fixed_weight = 0.0
        self._solution = np.zeros(0, np.float32)

    @property
    def ready(self) -> bool:
        """Something has been learnt."""
        return self._fixed is not None

    def learn(self, features: np.ndarray, box: Box, weight: float = 1.0, *, keep: bool = False) -> None:
        """Take in one sample: neck features (c, s, s) of a search region and the target's box in its crop pixels.

        ``keep``: the box is certain (first frame, correction); ``weight``: then its share among such samples, else the
        rate at which the running average turns to it.
        """
        if not len(self._basis):
            self._prepare(features)
        rows = self._rows(features)
        labels = self._labels(box, weight_of=rows.shape[0])
        part = rows.T @ rows / len(rows), rows.T @ labels / len(rows)
        if keep:
            self._fixed_weight += weight
            self._fixed = _blend(self._fixed, part, weight / self._fixed_weight)
            weight = weight / self._fixed_weight
        self._running = _blend(self._running, part, weight if self._running is not None else 1.0)
        self._solve()

    def respond(self, features: np.ndarray) -> np.ndarray:
        """Score of every response cell, (g, g) float32: about 1 on the target, about 0 on what was learnt not to be."""
        # the solution folded into one weight per tap and feature channel: the same numbers as `_rows` times it, without
        # the rows
        c, s, _ = features.shape
        folded = self._solution[:-1].reshape(-1, len(self._basis)) @ self._basis
        maps = (folded @ features.reshape(c, -1)).reshape(-1, s, s)
        constant = self._solution[-1] - (folded @ self._mean).sum()
        return np.add.reduce([maps[i][window] for i, window in enumerate(self._windows(s))]) + constant

    def describe(self, features: np.ndarray, row: int, column: int) -> np.ndarray:
        """What lies around a response cell: the reduced features at its taps, a vector of length 1."""
        windows = self._windows(features.shape[-1])
        picked = np.stack([features[:, down.start + row, across.start + column] for down, across in windows], axis=1)
        vector = (self._basis @ (picked - self._mean)).ravel()
        return vector / max(float(np.linalg.norm(vector)), 1e-6)

    def _prepare(self, features: np.ndarray) -> None:
        """The directions of strongest variation of the first sample; what does not vary there cannot tell."""
        flat = features.reshape(features.shape[0], -1)
        self._mean = flat.mean(1, keepdims=True)
        centred = flat - self._mean
        values, vectors = np.linalg.eigh(centred @ centred.T / centred.shape[1])
        kept, power = vectors[:, ::-1][:, : self.kept], float(values[::-1][: self.kept].mean())
        self._basis = np.ascontiguousarray(kept.T / np.sqrt(max(power, 1e-12)), np.float32)

    def _rows(self, features: np.ndarray) -> np.ndarray:
        """One row per response cell: the reduced features at its taps and a constant."""
        c, s, _ = features.shape
        reduced = (self._basis @ (features.reshape(c, -1) - self._mean)).reshape(-1, s, s)
        cuts = [reduced[:, *window] for window in self._windows(s)]
        rows = np.empty((self.config.grid**2, len(cuts) * len(reduced) + 1), np.float32)
        for i, cut in enumerate(cuts):
            rows[:, i * len(reduced) : (i + 1) * len(reduced)] = cut.reshape(len(reduced), -1).T
        rows[:, -1] = 1
        return rows

    def _windows(self, side: int) -> list[tuple[slice, slice]]:
        """Where the response grid lies in a map of ``side`` cells, shifted to each tap."""
        g, reach = self.config.grid, self.dilation * (self.taps // 2)
        first = (side - g) // 2 - reach
        shifts = range(first, first + 2 * reach + 1, self.dilation)
        return [(slice(dy, dy + g), slice(dx, dx + g)) for dy in shifts for dx in shifts]

    def _labels(self, box: Box, weight_of: int) -> np.ndarray:
        """A Gaussian around the target's middle, as wide as a sixth of its size."""
        centres = boxes.cell_centres(self.config)
        spread = max(0.16 * float(np.sqrt(box.w * box.h)), 0.75 * self.config.stride)
        x = np.exp(-(((centres - box.cx) / spread) ** 2) / 2)
        y = np.exp(-(((centres - box.cy) / spread) ** 2) / 2)
        return np.outer(y, x).reshape(weight_of).astype(np.float32)

    def _solve(self) -> None:
        assert self._fixed is not None
        assert self._running is not None
        share = np.float32(self.fixed_share)
        matrix = share * self._fixed[0] + (1 - share) * self._running[0]
        right = share * self._fixed[1] + (1 - share) * self._running[1]
        matrix.flat[:: len(matrix) + 1] += np.float32(RIDGE * np.trace(matrix) / len(matrix))
        if not len(self._solution):
            self._solution = np.linalg.solve(matrix, right).astype(np.float32)
            return
        x = self._solution
        residual = right - matrix @ x
        direction, power = residual.copy(), float(residual @ residual)
        for _ in range(STEPS):
            if power < 1e-12:
                break
            seen = matrix @ direction
            step = power / float(direction @ seen)
            x = x + np.float32(step) * direction
            residual = residual - np.float32(step) * seen
            after = float(residual @ residual)
            direction, power = residual + np.float32(after / power) * direction, after
        self._solution = x


def stands_out(scores: np.ndarray, row: int, column: int) -> tuple[float, float]:
    """Best score within a cell of (row, column), and how far it stands out of what lies beyond four cells.

    The second is the peak-to-sidelobe ratio of the correlation filters (MOSSE, sec. 3.5), in standard deviations.
    """
    best = float(scores[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].max())
    far = np.ones(scores.shape, bool)
    far[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = False
    rest = scores[far]
    return best, (best - float(rest.mean())) / (float(rest.std()) + 1e-3)


def _blend(
    old: tuple[np.ndarray, np.ndarray] | None, new: tuple[np.ndarray, np.ndarray], rate: float
) -> tuple[np.ndarray, np.ndarray]:
    if old is None:
        return new
    factor = np.float32(rate)
    return old[0] + factor * (new[0] - old[0]), old[1] + factor * (new[1] - old[1])
