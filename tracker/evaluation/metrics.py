"""The field's figures as pure functions of boxes (reference section F.1).

Boxes are (N, 4) float64 ``x, y, w, h`` in image pixels. A prediction with nan overlaps nothing and is infinitely far.
"""

from __future__ import annotations

import numpy as np

from tracker.boxes import iou

THRESHOLDS = tuple(i / 20 for i in range(21))
"""Overlaps of the success curve, as OTB set them."""


def overlaps(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """IoU per frame, (N,) float64 in [0, 1].

    Rounded to 12 decimals, so that an overlap that equals a threshold does not exceed it by an error of the float sums.
    """
    return np.round(iou(predicted, truth), 12)


def centre_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance between the centres per frame in pixels, (N,) float64; infinite where either is nan."""
    difference = predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2
    return np.nan_to_num(np.hypot(difference[:, 0], difference[:, 1]), nan=np.inf)


def success_curve(overlap: np.ndarray, thresholds: tuple[float, ...] = THRESHOLDS) -> np.ndarray:
    """Share of frames whose overlap is strictly greater than each threshold: (len(thresholds),) float64.

    ``overlap``: (N,), N > 0.
    """
    return (overlap[None, :] > np.array(thresholds)[:, None]).mean(axis=1)


def success_auc(overlap: np.ndarray, thresholds: tuple[float, ...] = THRESHOLDS) -> float:
    """Area under the success curve as the field computes it: the mean of the curve's values."""
    return float(success_curve(overlap, thresholds).mean())


def precision(errors: np.ndarray, pixels: float = 20.0) -> float:
    """Share of frames whose centre error is at most ``pixels``. ``errors``: (N,), N > 0."""
    return float((errors <= pixels).mean())


def normalised_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance between the centres, measured in the truth's widths and heights: (N,) float64; infinite with nan."""
    difference = predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.linalg.norm(difference / truth[:, 2:], axis=1)
    return np.nan_to_num(share, nan=np.inf, posinf=np.inf)


def precision_curve(errors: np.ndarray, thresholds: tuple[float, ...]) -> np.ndarray:
    """Share of frames whose error is at most each threshold: (len(thresholds),) float64. ``errors``: (N,), N > 0."""
    return (errors[None, :] <= np.array(thresholds)[:, None]).mean(axis=1)
