"""Serving a tracker to the VOT toolkit over TraX, so that the official evaluation can run it as a separate program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from tracker.api import Box, Image, MaskPatch, Prediction, Target, Tracker, TrackerError
from tracker.data.regions import start_box

try:
    import trax
except ImportError as missing:
    raise TrackerError(f"TraX is not installed ({missing}): pip install vot-trax.") from missing


def serve(tracker: Tracker, *, masks: bool, several: bool) -> int:
    """Answer one TraX client on standard input and output until it quits; returns the number of frames answered.

    ``masks``: answer with masks, for stacks that score them; else with the rotated rectangle where the tracker has
    one, else with the box. ``several``: take several objects at once, stepped in one batch; toolkit 0.9 then fails in
    its supervised experiments, for which it must be off. A start in the middle of a session adds an object, as TraX 4
    has it; without ``several`` it starts anew, as multi-start experiments want it. Nothing else may be printed
    meanwhile.
    """
    formats = [trax.Region.MASK] if masks else [trax.Region.RECTANGLE, trax.Region.POLYGON]
    targets: list[Target] = []
    answered = 0
    with trax.Server(formats, [trax.Image.PATH], tracker_name=tracker.name, multiobject=several) as server:
        while True:
            request = server.wait()
            if request.type not in ("initialize", "frame"):
                return answered
            image = _picture(request.image["color"])
            started = [_box(region) for region, _ in request.objects or []]
            if started and not several:
                targets = []
            found = tracker.step(image, targets) if targets else []
            targets += [tracker.start(image, box) for box in started]
            states = [_state(prediction, prediction.box, image, masks) for prediction in found]
            server.status(states + [_state(None, box, image, masks) for box in started])
            answered += 1


def _picture(image: Any) -> Image:
    path = image.path()
    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise TrackerError(f"{path} is not a readable picture.")
    return found


def _box(region: Any) -> Box:
    if region.type == trax.Region.RECTANGLE:
        return Box(*region.bounds())
    if region.type == trax.Region.POLYGON:
        return start_box(np.array([region.get(i) for i in range(region.size())]))
    x, y = region.offset()
    return start_box(MaskPatch(x, y, region.array() > 0))


def _state(prediction: Prediction | None, box: Box, image: Image, masks: bool) -> tuple[Any, dict[str, float]]:
    score = {"confidence": prediction.score if prediction else 1.0}
    if masks:
        patch = prediction.mask if prediction else None
        if patch is not None and patch.bits.size:
            return trax.Mask.create(np.ascontiguousarray(patch.bits, np.uint8), patch.x, patch.y), score
        return _filled(box, image.shape), score
    if prediction is not None and prediction.polygon is not None:
        return trax.Polygon.create([(float(x), float(y)) for x, y in prediction.polygon]), score
    return trax.Rectangle.create(*box), score  # type: ignore[arg-type]  # its stub says int, its code float


def _filled(box: Box, shape: Sequence[int]) -> Any:
    """A box as a mask, for frames in which the tracker has none."""
    x1, y1 = max(round(box.x), 0), max(round(box.y), 0)
    x2, y2 = min(max(round(box.x2), x1 + 1), shape[1]), min(max(round(box.y2), y1 + 1), shape[0])
    return trax.Mask.create(np.ones((max(y2 - y1, 1), max(x2 - x1, 1)), np.uint8), x1, y1)
