"""Still: a tracker that says that nothing moves. ``STILL`` is what the entry point names."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.api import Box, Image, Prediction, Target, TrackerError, TrackerInfo
from tracker.registry import Entry


class StillTarget:
    """Remembers a box and gives it back."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        return Prediction(self._box, score=1.0)


class StillTracker:
    """Every target is its own; there are no weights."""

    name = "still"
    device = "cpu"

    def start(self, image: Image, box: Box) -> StillTarget:
        height, width = image.shape[:2]
        if not (box.w > 0 and box.h > 0 and box.x < width and box.y < height and box.x2 > 0 and box.y2 > 0):
            raise TrackerError("The box lies outside the image: draw it around the object.")
        return StillTarget(box)

    def step(self, image: Image, targets: Sequence[Target], *, want_mask: bool = True) -> list[Prediction]:
        return [target.step(image, want_mask=want_mask) for target in targets]


def create(device: str = "auto") -> StillTracker:
    """The factory. What is slow to import is imported here, not above: listing the trackers must stay quick."""
    return StillTracker()


STILL = Entry(
    factory="siamlabel_still:create",
    info=lambda: TrackerInfo("still", "Says that nothing moves", 0, "none", "Apache-2.0", masks=False),
)
