"""Named ways to score one-pass results: the tools of the field differ in details, and a report says whose it followed.

Reference F.1 has the table of differences. What no profile changes: boxes that are nan overlap nothing and are
infinitely far away, success is IoU > t, precision is distance <= t, means are over frames, then over clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tracker.api import TrackerError
from tracker.data.sequences import Sequence, labelled
from tracker.evaluation import metrics

OVERLAPS = tuple(i / 20 for i in range(21))
NORMALISED = tuple(i / 100 for i in range(51))
"""Thresholds of the normalised precision: distance as a share of the target's width and height."""
PIXELS = tuple(float(i) for i in range(51))


@dataclass(frozen=True)
class Profile:
    """``thresholds``: overlaps of the success curve, compared strictly. ``pixels``: distance that counts as precise.

    ``first``: whether the frame that the tracker is started on counts. ``missing``: what becomes of frames without a
    box, or flagged absent: they are left out (``drop``), or count as missed (``miss``), or count as missed by overlap
    but hit by distance (``near``, a quirk of two tools). ``normalised``: the figure of normalised precision, its value
    at .20 or the mean of its curve over 0 … .5. ``carried``: an answer without area is replaced by the one before.
    ``visible``: only frames of which something shows, and boxes are cut to the image (GOT-10k).
    """

    name: str
    thresholds: tuple[float, ...]
    pixels: float
    first: bool
    words: str
    missing: Literal["drop", "miss", "near"] = "drop"
    normalised: Literal["value", "mean"] = "value"
    carried: bool = False
    visible: bool = False


@dataclass(frozen=True)
class Curves:
    """One tracker on one clip under one profile; shares in [0, 1].

    ``success`` over `Profile.thresholds`, ``precision`` over 0 … 50 px, ``normalised`` over 0 … .5; ``auc``: mean of
    the first; ``at_pixels``: precision at the profile's distance; ``normalised_figure``: as the profile wants it;
    ``ao``: mean overlap; ``sr50``, ``sr75``: share of frames above .5 and .75; ``frames``: the denominator.
    """

    success: tuple[float, ...]
    precision: tuple[float, ...]
    normalised: tuple[float, ...]
    auc: float
    at_pixels: float
    normalised_figure: float
    ao: float
    sr50: float
    sr75: float
    frames: int


OTB = Profile(
    name="otb",
    thresholds=OVERLAPS,
    pixels=20.0,
    first=True,
    words="success AUC is the mean over 21 thresholds t = 0, .05 … 1 of the share of frames with IoU > t (a perfect "
    "tracker has 20/21 = .952); precision is the share of frames whose centre is within 20 px; the first frame "
    "counts, frames without ground truth do not; means are over the frames of a clip, then over clips",
)
LASOT_PYSOT = Profile(
    "lasot_pysot",
    OVERLAPS,
    20.0,
    first=True,
    missing="miss",
    words="as pysot scores LaSOT: absent frames are left out of the sums, but the sums are divided by the clip's full "
    "length, so each counts as missed; normalised precision is its value at .20",
)
LASOT_PYTRACKING = Profile(
    "lasot_pytracking",
    OVERLAPS,
    20.0,
    first=True,
    missing="miss",
    carried=True,
    words="as pytracking scores LaSOT: absent frames are missed (overlap -1, distance infinite); an answer without "
    "area is replaced by the one before it; normalised precision is its value at .20",
)
UAV123 = Profile(
    "uav123",
    OVERLAPS,
    20.0,
    first=True,
    missing="near",
    carried=True,
    words="as pytracking scores UAV123: frames without a box stay in the denominators and count as missed by overlap, "
    "but as hit by distance; an answer without area is replaced by the one before it",
)
TRACKINGNET = Profile(
    "trackingnet",
    OVERLAPS,
    20.0,
    first=True,
    normalised="mean",
    words="as TrackingNet's server: normalised precision is the mean of its curve over 0, .01 … .5",
)
GOT10K = Profile(
    "got10k",
    tuple(i / 100 for i in range(101)),
    20.0,
    first=False,
    visible=True,
    normalised="mean",
    words="as GOT-10k: the first frame does not count, nor do frames of which nothing shows; boxes are cut to the "
    "image; AO is the mean overlap, SR the share of frames above .5 and .75; AUC is over 101 thresholds",
)
PROFILES = {profile.name: profile for profile in (OTB, LASOT_PYSOT, LASOT_PYTRACKING, UAV123, TRACKINGNET, GOT10K)}
PROFILES["lasot"] = LASOT_PYSOT


def get(name: str) -> Profile:
    """The profile of that name (``lasot`` is pysot's). Raises `TrackerError` listing the names."""
    if name not in PROFILES:
        raise TrackerError(f"There is no profile “{name}”. Profiles: {', '.join(PROFILES)}.")
    return PROFILES[name]


def measure(
    predicted: np.ndarray,
    sequence: Sequence,
    profile: Profile,
    decoded: int | None = None,
    only: np.ndarray | None = None,
) -> Curves | None:
    """The curves and figures of boxes (N, 4) against a clip; None when no frame counts.

    ``decoded``: frames that the video really had; those after them never count. ``only``: (N,) bool, frames of which
    some attribute is true, when no other shall count.
    """
    truth, shown = sequence.truth, sequence.present
    counted = np.arange(len(truth)) < (len(truth) if decoded is None else decoded)
    if profile.missing == "drop":
        counted &= labelled(truth) if profile.visible else shown
    if profile.visible and sequence.cover is not None:
        counted &= sequence.cover > 0
    if not profile.first and shown.any():
        counted[sequence.first] = False
    if only is not None:
        counted &= only
    if not counted.any():
        return None
    if profile.carried:
        predicted = carry(predicted)
    if profile.visible:
        width, height = sequence.size
        predicted, truth = cut(predicted, width, height), cut(truth, width, height)
    # a box with a side of 0 counts where the profile keeps flagged frames; elsewhere shown is all that is compared
    overlap = metrics.overlaps(predicted, truth)
    distance = metrics.centre_errors(predicted, truth)
    normalised = metrics.normalised_errors(predicted, truth)
    if profile.missing != "drop":
        overlap[~shown] = -1.0
        distance[~shown] = normalised[~shown] = np.inf if profile.missing == "miss" else -1.0
    overlap, distance, normalised = overlap[counted], distance[counted], normalised[counted]
    success = metrics.success_curve(overlap, profile.thresholds)
    near = metrics.precision_curve(normalised, NORMALISED)
    return Curves(
        success=tuple(success.tolist()),
        precision=tuple(metrics.precision_curve(distance, PIXELS).tolist()),
        normalised=tuple(near.tolist()),
        auc=float(success.mean()),
        at_pixels=metrics.precision(distance, profile.pixels),
        normalised_figure=float(near.mean() if profile.normalised == "mean" else near[20]),
        ao=float(np.maximum(overlap, 0).mean()),
        sr50=float((overlap > 0.5).mean()),
        sr75=float((overlap > 0.75).mean()),
        frames=int(counted.sum()),
    )


def carry(boxes: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) with those without area replaced by the last one before them that has some; leading ones stay."""
    good = labelled(boxes)
    last = np.maximum.accumulate(np.where(good, np.arange(len(boxes)), -1))
    return np.where((last >= 0)[:, None], boxes[np.maximum(last, 0)], boxes)


def cut(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Boxes (N, 4) cut to an image; those outside keep a side of 0."""
    low = np.clip(boxes[:, :2], 0, (width, height))
    high = np.clip(boxes[:, :2] + boxes[:, 2:], 0, (width, height))
    return np.hstack([low, high - low])
