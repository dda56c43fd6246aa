"""Loss detection: how well a tracker's word LOST agrees with the frames in which the target is out of sight.

Only frames after the start count, and of these only those that show the target or are known not to. In the product
LOST pauses a run: a *false pause* is a frame that shows the target and on which LOST begins. The target has been found
again on the first frame after an absence on which the tracker does not say LOST and overlaps the target by half.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tracker.api import Verdict
from tracker.evaluation.metrics import overlaps

FOUND = 0.5
"""IoU from which on a target that came back has been found."""


@dataclass(frozen=True)
class LossScore:
    """Counts of one clip, or of several together (see `pooled`).

    ``hits``: absent frames said lost; ``absent``, ``present``: frames; ``said``: frames said lost, of either kind;
    ``pauses``: false pauses; ``returns``: times that the target came back; ``waits``: frames until it was found again,
    of those returns after which it was, 0 when at once.
    """

    hits: int
    said: int
    absent: int
    present: int
    pauses: int
    returns: int
    waits: tuple[int, ...]

    @property
    def precision(self) -> float | None:
        """Share of the frames said lost that are absent; None when none was said lost."""
        return self.hits / self.said if self.said else None

    @property
    def recall(self) -> float | None:
        """Share of the absent frames said lost; None when none is absent."""
        return self.hits / self.absent if self.absent else None

    @property
    def f(self) -> float | None:
        """Harmonic mean of precision and recall; None when nothing is absent and nothing was said lost."""
        return 2 * self.hits / (self.said + self.absent) if self.said + self.absent else None

    @property
    def pauses_per_thousand(self) -> float:
        """False pauses in 1 000 frames that show the target."""
        return 1000 * self.pauses / max(1, self.present)

    @property
    def wait(self) -> float | None:
        """Frames until the target was found again, on average; None when it never was."""
        return sum(self.waits) / len(self.waits) if self.waits else None


def score(
    verdicts: list[str], boxes: np.ndarray, truth: np.ndarray, present: np.ndarray, absent: np.ndarray, start: int
) -> LossScore:
    """One clip. ``verdicts``: N words; ``boxes``, ``truth``: (N, 4); ``present``, ``absent``: (N,) bool, disjoint."""
    after = np.arange(len(truth)) > start
    lost = np.array([word == Verdict.LOST for word in verdicts], bool)
    shown, gone = present & after, absent & after & ~present
    begins = lost & ~np.concatenate([[False], lost[:-1]])
    held = ~lost & (overlaps(boxes, truth) >= FOUND)
    waits, returns = [], 0
    known = np.flatnonzero(shown | gone)
    for before, frame in pairwise(known.tolist()):
        if gone[before] and shown[frame]:
            returns += 1
            until = next((other for other in range(frame, len(truth)) if gone[other]), len(truth))
            again = np.flatnonzero(held[frame:until] & shown[frame:until])
            waits += [int(again[0])] if len(again) else []
    return LossScore(
        hits=int((lost & gone).sum()),
        said=int((lost & (gone | shown)).sum()),
        absent=int(gone.sum()),
        present=int(shown.sum()),
        pauses=int((begins & shown).sum()),
        returns=returns,
        waits=tuple(waits),
    )


def pooled(scores: Iterable[LossScore]) -> LossScore:
    """Several clips as if they were one."""
    every = list(scores)

    def total(name: str) -> int:
        return sum(getattr(item, name) for item in every)

    names = ("hits", "said", "absent", "present", "pauses", "returns")
    return LossScore(
        **{name: total(name) for name in names}, waits=tuple(wait for item in every for wait in item.waits)
    )
