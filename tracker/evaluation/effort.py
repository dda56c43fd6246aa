"""Effort: how often a person must correct, with a tracker and with keyframes alone.

The simulated annotator draws the first box, reviews the frames in order, corrects the first one whose overlap with the
truth is below a threshold, lets the tracker go on from there, and ends when the clip is right. What was reviewed is
verified and never changes, so only the frames after a correction are tracked again, and one pass over the clip with
corrections in place gives the number. Frames without a box in the truth are not reviewed.

Without a tracker the person draws keyframes and the box moves linearly between them, as in CVAT: `greedy_keyframes`
goes as far as each keyframe carries, `fewest_keyframes` is the least that any choice of keyframes needs.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from tracker import boxes
from tracker.api import Box, Target, Teachable, Tracker, TrackerError
from tracker.data.sequences import Sequence, labelled

LONGEST = 400
"""Frames between two keyframes that `fewest_keyframes` looks ahead; nothing in the data moves linearly that long."""


@dataclass(frozen=True)
class Effort:
    """``corrections`` after the first box, in ``frames`` reviewed ones; ``at``: the corrected frames.

    ``note``: why the tracker had to be started anew, if it failed.
    """

    corrections: int
    frames: int
    at: tuple[int, ...] = ()
    note: str = ""

    @property
    def per_thousand(self) -> float:
        """Corrections per 1 000 reviewed frames."""
        return 1000 * self.corrections / max(1, self.frames)


def with_tracker(tracker: Tracker, sequence: Sequence, threshold: float) -> Generator[int, None, Effort]:
    """Corrections that ``tracker`` needs on one clip; yields the number of frames done.

    A target that can learn is told of the correction, others are started anew. Raises `SequenceError` when the clip
    cannot be read, and what ``tracker.start`` raises.
    """
    truth, present = sequence.truth, sequence.present
    target: Target | None = None
    corrected: list[int] = []
    reviewed, note = 0, ""
    with closing(sequence.frames()) as frames:
        for index, image in enumerate(frames):
            if index == len(truth):
                break
            if index < sequence.first:
                continue
            right = Box(*truth[index])
            if target is None:
                target = tracker.start(image, right)
                reviewed += 1
                continue
            try:
                found = target.step(image, want_mask=False)
                overlap = float(boxes.iou(np.array(found.box), truth[index])) if present[index] else 1.0
            except TrackerError as error:  # a tracker that gave up is started anew on the next box
                note, overlap = str(error), 0.0
            reviewed += int(present[index])
            if overlap < threshold and present[index]:
                corrected.append(index)
                if isinstance(target, Teachable):
                    target.correct(image, right)
                else:
                    target = tracker.start(image, right)
            yield index + 1
    return Effort(len(corrected), reviewed, tuple(corrected), note)


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
