"""What a COCO annotation says about its frame: the box, and the attributes as we and CVAT write them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.formats.coco_others import rotation, source_of
from app.formats.extras import Fail, plain_values
from app.formats.outline import turned
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State
from app.words import tr

RESERVED = frozenset(
    ("track_id", "source", "state", "occluded", "outside", "verified", "keyframe", "score", "cover", "signals")
) | {"rotation"}
"""Names in ``attributes`` that are no attributes of the object but say how it is seen and by whom."""


def observed(
    bbox: Sequence[float] | None, masked: bool, about: Mapping[str, Any], score: float | None, where: str, fail: Fail
) -> Observation:
    """The observation without its mask. ``masked``: there is one, which says the box where ``bbox`` does not.

    ``about``: the attributes. ``where`` the annotation stands, for ``fail``, which raises.
    """
    box = _box(bbox, masked, about, where, fail)
    score = about.get("score", score)
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        fail(f"{where}, attributes.score", tr("a score is a number"))
    cover, signals = about.get("cover"), about.get("signals", {})
    if cover is not None and (isinstance(cover, bool) or not isinstance(cover, int)):
        fail(f"{where}, attributes.cover", tr("a cover level is a whole number from 0 to 8"))
    if not isinstance(signals, dict) or not all(isinstance(value, float | int) for value in signals.values()):
        fail(f"{where}, attributes.signals", tr("signals are numbers by name"))
    state = about.get("state")
    if state not in list(State):
        state = State.OCCLUDED if about.get("occluded") is True else State.VISIBLE
        state = State.OUT_OF_VIEW if about.get("outside") is True else state
    source = about.get("source")
    absent = state in (State.OUT_OF_VIEW, State.LOST)
    try:
        return Observation(
            box=None if absent else box,
            source=Source(source) if source in list(Source) else source_of(about),
            state=State(state),
            verified=about.get("verified") is True,
            keyframe=about.get("keyframe") is True,
            score=None if score is None else float(score),
            cover=cover,
            signals={name: float(value) for name, value in signals.items()},
            attributes=plain_values({name: value for name, value in about.items() if name not in RESERVED}),
        )
    except (ValueError, OverflowError) as error:
        return fail(where, str(error))


def _box(bbox: Sequence[float] | None, masked: bool, about: Mapping[str, Any], where: str, fail: Fail) -> Box | None:
    if not bbox and masked:
        return None
    if bbox is None or len(bbox) != 4 or not all(map(math.isfinite, bbox)):
        return fail(f"{where}, bbox", tr("a box is four finite numbers: x, y, width, height"))
    box = Box(*bbox)
    if box.w < 0 or box.h < 0:
        fail(
            f"{where}, bbox",
            tr("width and height must not be negative, but they are {w} and {h}").format(w=box.w, h=box.h),
        )
    return box if masked else turned(box, rotation(about))
