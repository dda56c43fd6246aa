"""Keyframes alone: how many boxes a person must draw when the box moves linearly between them, as in CVAT.

`greedy_keyframes` goes as far as each keyframe carries, `fewest_keyframes` is the least that any choice of keyframes
needs.
"""

from __future__ import annotations

import numpy as np

from tracker import boxes
from tracker.data.sequences import labelled
from tracker.evaluation.effort import Effort

LONGEST = 400
"""Frames between two keyframes that `fewest_keyframes` looks ahead; nothing in the data moves linearly that long."""


def carried(truth: np.ndarray, start: int, end: int, threshold: float) -> bool:
    """Whether a box moving linearly from frame ``start`` to ``end`` overlaps every labelled frame between enough."""
    between = np.arange(start + 1, end)
    between = between[labelled(truth[between])]
    share = ((between - start) / (end - start))[:, None]
    moving = truth[start] * (1 - share) + truth[end] * share
    return bool((boxes.iou(moving, truth[between]) >= threshold).all())


def _held(truth: np.ndarray, start: int, threshold: float) -> bool:
    """Whether the box of frame ``start`` serves all labelled frames after it: what follows the last keyframe."""
    after = np.arange(start + 1, len(truth))
    after = after[labelled(truth[after])]
    return bool((boxes.iou(truth[start], truth[after]) >= threshold).all())


def greedy_keyframes(truth: np.ndarray, threshold: float) -> Effort:
    """Keyframes of a person who goes on from each keyframe until the straight line no longer serves.

    ``truth`` (N, 4), nan rows where absent. Keyframes lie on labelled frames.
    """
    frames = np.flatnonzero(labelled(truth))
    chosen = [int(frames[0])]
    position = 0
    while not _held(truth, chosen[-1], threshold):
        reach = position + 1
        while reach + 1 < len(frames) and carried(truth, frames[position], frames[reach + 1], threshold):
            reach += 1
        position = reach
        chosen.append(int(frames[position]))
    return Effort(len(chosen) - 1, len(frames), tuple(chosen[1:]))


def fewest_keyframes(truth: np.ndarray, threshold: float) -> Effort:
    """The least keyframes with which linear interpolation serves: shortest path over all that carry to one another.

    ``truth`` (N, 4). Gaps longer than `LONGEST` frames are not tried.
    """
    frames = np.flatnonzero(labelled(truth))
    steps = np.full(len(frames), len(frames) + 1)
    before = np.zeros(len(frames), int)
    steps[0] = 0
    for i in range(len(frames)):
        for j in range(i + 1, min(len(frames), i + LONGEST + 1)):
            if steps[i] + 1 < steps[j] and carried(truth, frames[i], frames[j], threshold):
                steps[j], before[j] = steps[i] + 1, i
    ends = [i for i in range(len(frames)) if _held(truth, frames[i], threshold)]
    best = min(ends, key=lambda i: steps[i])
    chosen = []
    while best:
        chosen.append(int(frames[best]))
        best = int(before[best])
    return Effort(len(chosen), len(frames), tuple(reversed(chosen)))
