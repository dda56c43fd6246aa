"""The gap between two keyframes, followed forward from the left one and backward from the right one, and fused.

Both passes go as far as the opposite keyframe: how well they meet it is the drift that can be measured. Nothing is
written before both have passed, so a gap that is stopped halfway stays what it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

import numpy as np

from app.model import geometry
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State
from app.words import tr
from app.work.choice import Trackers
from app.work.requests import (
    SETTLED,
    Aim,
    Book,
    Found,
    GapRequest,
    Meeting,
    Note,
    OpenReader,
    Outcome,
    Tracked,
    TrackRequest,
)
from app.work.tracking import LOADING, Clock, Desk, Walk
from tracker.api import Box, MaskPatch

Pass = dict[int, Observation]
"""What one pass saw, by frame."""


def track_gap(
    request: GapRequest, trackers: Trackers, open_reader: OpenReader, book: Book | None = None
) -> Generator[Note | Tracked, None, Outcome]:
    """Follow the object through the gap of ``request`` from both sides, then yield one `Tracked` a frame to be written.

    While it walks it yields what is only to be looked at. Raises `TrackerError` and `MediaError`; nothing of the gap
    was written then.
    """
    if not trackers.ready(request.tracker, request.device):
        yield Note(tr(LOADING))
    book = {} if book is None else book
    forward, backward = dict(request.made or {}), {}
    if request.left_box is not None and request.made is None:
        yield from _pass(request, +1, request.left_box, forward, {}, trackers, open_reader, book)
    if request.right_box is not None:
        yield from _pass(request, -1, request.right_box, backward, forward, trackers, open_reader, book)
    meeting = Meeting(request.left, request.right, one_sided=request.left_box is None or request.right_box is None)
    if not meeting.one_sided:
        met = (forward.get(request.right), request.right_box), (backward.get(request.left), request.left_box)
        closure = [_meets(seen, box) for seen, box in met if seen is not None and box is not None]
        meeting = _meeting(request, forward, backward, min(closure, default=None))
    for frame, seen in _fused(request, forward, backward, meeting.closure):
        yield Tracked(frame, (Found(request.track, frame, seen, "replace"),))
    return Outcome(meetings=(meeting,))


def _pass(
    request: GapRequest,
    step: int,
    box: Box,
    seen: Pass,
    other: Pass,
    trackers: Trackers,
    open_reader: OpenReader,
    book: Book,
) -> Generator[Note | Tracked, None, None]:
    """Walk from one keyframe to the opposite one, both inside, into ``seen``."""
    start, goal = (request.left, request.right) if step > 0 else (request.right, request.left)
    aim = Aim(request.track, start, goal + step, box, taught=True, mode="replace")
    walk_request = TrackRequest(
        request.run, request.media, step, request.tracker, request.device, (aim,), request.masks, None
    )
    walk = Walk(walk_request, Desk(walk_request, trackers), dict(book))
    agreed: deque[bool] = deque(maxlen=request.settle)
    with open_reader(request.media) as reader:
        clock = Clock()
        for frame in reader.iter(start, goal + step, step):
            yield from walk.begin(frame)
            results = yield from walk.advance(frame)
            fps = clock.tick()
            if not results:
                continue
            shown = walk.shown(results, frame, fps)
            seen[frame.index] = shown.found[0].observation
            yield Tracked(frame.index, (), shown.live)
            agreed.append(_overlap(other.get(frame.index), seen[frame.index]) >= SETTLED)
            if request.settle and len(agreed) == request.settle and all(agreed):
                return


def _meets(seen: Observation, box: Box) -> float:
    """IoU of what a pass saw on the opposite keyframe with its box."""
    return 0.0 if seen.box is None else geometry.iou(seen.box, box)


def _overlap(a: Observation | None, b: Observation | None) -> float:
    """IoU of what two passes saw; 0 where one of them did not see it."""
    if a is None or b is None or a.box is None or b.box is None:
        return 0.0
    return geometry.iou(a.box, b.box)


def _meeting(request: GapRequest, forward: Pass, backward: Pass, closure: float | None) -> Meeting:
    overlaps = {
        frame: _overlap(forward[frame], backward[frame])
        for frame in range(request.left + 1, request.right)
        if frame in forward and frame in backward and forward[frame].present and backward[frame].present
    }
    if not overlaps:
        return Meeting(request.left, request.right, closure=closure)
    worst = min(overlaps, key=lambda frame: overlaps[frame])
    mean = sum(overlaps.values()) / len(overlaps)
    return Meeting(request.left, request.right, mean, overlaps[worst], worst, closure)


def _fused(
    request: GapRequest, forward: Pass, backward: Pass, closure: float | None
) -> Generator[tuple[int, Observation], None, None]:
    """One observation of two for each frame of the gap, in order of time."""
    from tracker import fusing  # brings OpenCV, which a session without gaps need not load

    frames = range(request.left + 1, request.right)
    first, second = _boxes(forward, frames), _boxes(backward, frames)
    share = fusing.shares(first, second, _scores(forward, frames), _scores(backward, frames))
    boxes = fusing.fuse_boxes(first, second, share)
    for at, frame in enumerate(frames):
        a, b = forward.get(frame), backward.get(frame)
        if np.isnan(share[at]):
            if (lost := a or b) is not None:
                yield frame, lost
            continue
        part = float(share[at])
        chief = a if part >= 0.5 else b
        assert chief is not None
        signals = dict(chief.signals)
        if a is not None and b is not None and a.present and b.present:
            signals["disagreement"] = 1 - _overlap(a, b)
        if closure is not None:
            signals["closure"] = closure
        score = chief.score
        if 0 < part < 1 and a is not None and b is not None and a.score is not None and b.score is not None:
            score = part * a.score + (1 - part) * b.score
        x, y, w, h = (float(v) for v in boxes[at])
        yield frame, Observation(
            box=Box(x, y, w, h), mask=_mask(a, b, part), source=Source.TRACKER, state=State.VISIBLE, score=score,
            signals=signals,
        )  # fmt: skip


def _boxes(seen: Pass, frames: range) -> np.ndarray:
    """(n, 4), nan rows where the pass did not see the object."""
    found = [seen[f].box if f in seen and seen[f].present else None for f in frames]
    return np.array([box or (np.nan,) * 4 for box in found], np.float64).reshape(-1, 4)


def _scores(seen: Pass, frames: range) -> np.ndarray:
    """(n,), 0 where there is none."""
    return np.array([(seen[f].score or 0.0) if f in seen else 0.0 for f in frames], np.float64)


def _mask(a: Observation | None, b: Observation | None, share: float) -> Mask | None:
    """The masks of both sides as one, pixel by pixel, in the part of the picture where there is any."""
    first = a.mask if a is not None else None
    second = b.mask if b is not None else None
    if share >= 1 or second is None:
        return first if share > 0 else second
    if share <= 0 or first is None:
        return second
    p, q = first.patch(), second.patch()
    if p is None or q is None:
        return first if q is None else second
    from tracker.fusing import fuse_masks

    x, y = min(p.x, q.x), min(p.y, q.y)
    x2 = max(p.x + p.bits.shape[1], q.x + q.bits.shape[1])
    y2 = max(p.y + p.bits.shape[0], q.y + q.bits.shape[0])
    planes = []
    for patch in (p, q):
        plane = np.zeros((y2 - y, x2 - x), bool)
        plane[patch.y - y : patch.y - y + patch.bits.shape[0], patch.x - x : patch.x - x + patch.bits.shape[1]] = (
            patch.bits
        )
        planes.append(plane)
    bits = fuse_masks(planes[0], planes[1], share)
    return Mask.from_patch(MaskPatch(x, y, bits), first.height, first.width)
