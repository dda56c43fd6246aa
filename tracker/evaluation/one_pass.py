"""One-pass evaluation: start on the first box, follow to the end, never correct.

What a run leaves behind (`ClipRun`) is kept apart from how it is scored (`score`), so that stored runs can be scored
again under another profile.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from tracker.api import Box, Prediction, Target, Tracker, TrackerError
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation import loss, metrics
from tracker.evaluation import masks as masks_
from tracker.evaluation.loss import LossScore
from tracker.evaluation.masks import MaskScore
from tracker.evaluation.profiles import OTB, Curves, Profile, measure


@dataclass
class ClipRun:
    """The raw results of one tracker on one clip; every array has one row per frame of the ground truth.

    ``boxes``: (N, 4) float64, nan before the start and after a failure of the tracker; the starting row is the ground
    truth itself. ``scores``: (N,) confidence, nan where there is none. ``verdicts``: N words, empty where there is
    none. ``seconds``: (N,) time spent in ``Target.step``, nan elsewhere. ``mask_j``, ``mask_f``: (N,) mask IoU and
    contour accuracy where ground truth and tracker both have masks, else nan. ``decoded``: frames that the video really
    had. ``error``: why the tracker stopped, empty if it did not.
    """

    boxes: np.ndarray
    scores: np.ndarray
    verdicts: list[str]
    seconds: np.ndarray
    mask_j: np.ndarray
    mask_f: np.ndarray
    decoded: int = 0
    error: str = ""

    @classmethod
    def empty(cls, frames: int) -> ClipRun:
        def column() -> np.ndarray:
            return np.full(frames, np.nan)

        return cls(np.full((frames, 4), np.nan), column(), [""] * frames, column(), column(), column())


@dataclass(frozen=True)
class ClipScore:
    """The figures of one clip. ``frames``: those that counted.

    ``mask_j``: mean mask IoU over the frames after the first where the target is present (None without masks);
    ``mask_iou_held``: the same over the frames of these where box or mask touches the target (None when there is
    none). ``fps``: frames per second of ``Target.step`` alone: decoding, starting and scoring are left out. ``curves``:
    all figures of the profile; ``masks``: J and F as DAVIS defines them, without the first and the last frame (None
    without masks); ``loss``: how well the verdict LOST agrees with the target's absence.
    """

    auc: float
    precision20: float
    miou: float
    mask_j: float | None
    mask_iou_held: float | None
    fps: float | None
    frames: int
    curves: Curves
    masks: MaskScore | None
    loss: LossScore
    note: str = ""


def run_clip(tracker: Tracker, sequence: Sequence, *, masks: bool) -> Generator[int, None, ClipRun]:
    """Follow the target through one clip; yields the number of frames done, returns the run.

    ``masks``: ask the tracker for masks; scored where the clip has ground-truth masks. A `TrackerError` ends the
    run and is noted in it. Raises `SequenceError` when the clip itself cannot be read.
    """
    run = ClipRun.empty(len(sequence.truth))
    present = sequence.present
    scores_masks = masks and sequence.has_masks
    start = sequence.first
    target: Target | None = None
    with closing(sequence.frames()) as frames:
        for index, image in enumerate(frames):
            if index == len(sequence.truth):
                break
            run.decoded = index + 1
            truth_mask = sequence.mask(index) if scores_masks and index > start and present[index] else None
            if truth_mask is not None and truth_mask.shape != image.shape[:2]:
                raise SequenceError(
                    f"{sequence.name}: mask {index} is {truth_mask.shape}, its frame {image.shape[:2]}."
                )
            scored = truth_mask is not None and truth_mask.any()
            if scored:
                run.mask_j[index] = run.mask_f[index] = 0.0
            if run.error or index < start:
                continue
            try:
                if target is None:
                    target = tracker.start(image, Box(*sequence.truth[start]))
                    run.boxes[index] = sequence.truth[start]
                else:
                    began = time.perf_counter()
                    prediction = target.step(image, want_mask=masks)
                    run.seconds[index] = time.perf_counter() - began
                    _note(run, index, prediction)
                    if scored and truth_mask is not None and prediction.mask is not None:
                        answer = prediction.mask.full(*truth_mask.shape)
                        run.mask_j[index] = masks_.region_similarity(answer, truth_mask)
                        run.mask_f[index] = masks_.contour_accuracy(answer, truth_mask)
            except TrackerError as error:
                run.error = str(error)
            yield index + 1
    if run.decoded <= start:
        raise SequenceError(f"{sequence.media} has {run.decoded} frames, its first box is at frame {start}.")
    return run


def score(run: ClipRun, sequence: Sequence, profile: Profile = OTB) -> ClipScore:
    """The figures of a run of ``sequence`` under a profile. Raises `SequenceError` when no frame counts."""
    truth, decoded = sequence.truth, np.arange(len(sequence.truth)) < run.decoded
    curves = measure(run.boxes, sequence, profile, run.decoded)
    if curves is None:
        raise SequenceError(f"{sequence.name}: profile {profile.name} finds no frame to score.")
    with_mask = decoded & sequence.present & ~np.isnan(run.mask_j)
    held = with_mask & ((metrics.overlaps(run.boxes, truth) > 0) | (np.nan_to_num(run.mask_j) > 0))
    middle = with_mask & (np.arange(len(truth)) < len(truth) - 1)
    timed = run.seconds[~np.isnan(run.seconds)]
    note = run.error
    if run.decoded < len(truth):
        note = f"{note} Only {run.decoded} of {len(truth)} labelled frames exist in the video.".strip()
    shown, gone = sequence.present & decoded, sequence.gone & decoded
    return ClipScore(
        auc=curves.auc,
        precision20=curves.at_pixels,
        miou=curves.ao,
        mask_j=_mean(run.mask_j[with_mask]),
        mask_iou_held=_mean(run.mask_j[held]),
        fps=len(timed) / float(timed.sum()) if timed.sum() > 0 else None,
        frames=curves.frames,
        curves=curves,
        masks=masks_.score(np.where(middle, run.mask_j, np.nan), np.where(middle, run.mask_f, np.nan)),
        loss=loss.score(run.verdicts, run.boxes, truth, shown, gone, sequence.first),
        note=note,
    )


def _note(run: ClipRun, index: int, prediction: Prediction) -> None:
    run.boxes[index] = prediction.box
    run.scores[index] = prediction.score
    run.verdicts[index] = str(prediction.verdict)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
