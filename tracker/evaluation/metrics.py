"""The field's figures as pure functions of boxes and masks (reference section F.1).

Boxes are (N, 4) float64 ``x, y, w, h`` in image pixels. A prediction with nan overlaps nothing and is infinitely far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.boxes import iou


@dataclass(frozen=True)
class Profile:
    """A named way to score one-pass results, so that a report can say which one it followed.

    ``thresholds``: overlaps of the success curve, compared strictly. ``pixels``: distance that counts as precise.
    ``first``: whether the frame that the tracker is started on counts. Frames without ground truth never count.
    """

    name: str
    thresholds: tuple[float, ...]
    pixels: float
    first: bool
    words: str


OTB = Profile(
    name="otb",
    thresholds=tuple(i / 20 for i in range(21)),
    pixels=20.0,
    first=True,
    words="success AUC is the mean over 21 thresholds t = 0, .05 … 1 of the share of frames with IoU > t (a perfect "
    "tracker has 20/21 = .952); precision is the share of frames whose centre is within 20 px; the first frame "
    "counts, frames without ground truth do not; means are over the frames of a clip, then over clips",
)


def overlaps(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """IoU per frame, (N,) float64 in [0, 1].

    Rounded to 12 decimals: sums of floats put equal boxes a hair above 1, and the strict comparison with the
    threshold 1 would then count them.
    """
    return np.clip(np.round(iou(predicted, truth), 12), 0.0, 1.0)


def centre_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance between the centres per frame in pixels, (N,) float64; infinite where either is nan."""
    difference = predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2
    return np.nan_to_num(np.hypot(difference[:, 0], difference[:, 1]), nan=np.inf)


def success_curve(overlap: np.ndarray, thresholds: tuple[float, ...] = OTB.thresholds) -> np.ndarray:
    """Share of frames whose overlap is strictly greater than each threshold: (len(thresholds),) float64.

    ``overlap``: (N,), N > 0.
    """
    return (overlap[None, :] > np.array(thresholds)[:, None]).mean(axis=1)


def success_auc(overlap: np.ndarray, thresholds: tuple[float, ...] = OTB.thresholds) -> float:
    """Area under the success curve as the field computes it: the mean of the curve's values."""
    return float(success_curve(overlap, thresholds).mean())


def precision(errors: np.ndarray, pixels: float = OTB.pixels) -> float:
    """Share of frames whose centre error is at most ``pixels``. ``errors``: (N,), N > 0."""
    return float((errors <= pixels).mean())


def region_similarity(predicted: np.ndarray, truth: np.ndarray) -> float:
    """DAVIS's J of one frame: IoU of two masks, both (H, W) bool; 1 when both are empty."""
    union = np.count_nonzero(predicted | truth)
    return np.count_nonzero(predicted & truth) / union if union else 1.0
