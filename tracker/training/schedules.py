"""Learning rates by epoch, as the papers set them (reference E.5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Geometric warm-up from ``start`` to ``peak``, then geometric ("log") decay; ``end`` is that of the last epoch."""

    start: float
    peak: float
    end: float
    warmup: int = 5
    epochs: int = 20

    def rate(self, epoch: int) -> float:
        """Of epoch 0, 1, ..., constant within an epoch."""
        if epoch < self.warmup:
            return self.start * (self.peak / self.start) ** (epoch / self.warmup)
        last = max(1, self.epochs - self.warmup - 1)
        return self.peak * (self.end / self.peak) ** (min(epoch - self.warmup, last) / last)
