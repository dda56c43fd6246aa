"""VOT's expected average overlap from the overlaps of supervised runs (reference F.2).

A run falls into fragments, one for each start of the tracker. A fragment that ends with a failure goes on as zeros, one
that ends with the clip is undefined beyond it. The curve at length N is the mean over the fragments defined there of
their mean overlap in frames 2 … N; the figure is the mean of the curve over an interval of typical lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

INTERVALS = {
    "vot2015": (108, 371),
    "vot2016": (108, 371),
    "vot2017": (100, 356),
    "vot2018": (100, 356),
    "vot2019": (46, 291),
}
"""First and last length, both counted, over which the curve is averaged."""
Variant = Literal["legacy", "toolkit"]
"""``legacy``: the MATLAB toolkit and pysot, as in published tables; ``toolkit``: the Python toolkit, which averages one
frame later and lets a failure in the last frames of a clip go on as zeros."""


@dataclass(frozen=True)
class Expected:
    """``curve[i]``: expected average overlap of a run of i + 1 frames; ``value``: its mean over the interval.

    ``value`` is None when no fragment reaches the interval.
    """

    curve: tuple[float, ...]
    value: float | None


def fragments(
    overlaps: np.ndarray, starts: Sequence[int], failures: Sequence[int], skip: int = 5, variant: Variant = "legacy"
) -> list[np.ndarray]:
    """The pieces of one run: 1-D arrays, first the frame of the start, failed ones closed by `inf` as a mark.

    ``overlaps``: (N,) with nan where there is no answer; ``starts`` and ``failures``: frames, ascending.
    """
    values = np.nan_to_num(overlaps)
    out = []
    for start, following in zip(starts, (*starts[1:], len(values)), strict=True):
        failure = next((frame for frame in failures if start <= frame < following), None)
        if failure is None or (failure + skip > len(values) and variant == "legacy"):
            out.append(values[start:following])  # also when a failure comes too late for another start
        else:
            out.append(np.append(values[start : failure + skip], np.inf))
    return out


def curve(pieces: list[np.ndarray], weights: Sequence[float], longest: int) -> np.ndarray:
    """The expected average overlap by length: (longest,) float64, nan where no fragment is defined.

    ``pieces``: see `fragments`; ``weights``: of each piece. The first value, of the starting frame alone, is 1.
    """
    total, weight = np.zeros(longest), np.zeros(longest)
    for piece, share in zip(pieces, weights, strict=True):
        failed = np.isinf(piece[-1])
        body = piece[:-1] if failed else piece
        end = longest if failed else min(len(body), longest)
        padded = np.zeros(longest)
        padded[1 : len(body)] = body[1:longest]
        sums = np.cumsum(padded)[:end] / np.maximum(np.arange(end), 1)
        total[:end] += share * sums
        weight[:end] += share
    with np.errstate(invalid="ignore"):
        out = total / np.where(weight > 0, weight, np.nan)
    out[:1] = 1.0
    return out


def expected(
    pieces: list[np.ndarray],
    weights: Sequence[float],
    longest: int,
    interval: tuple[int, int],
    variant: Variant = "legacy",
) -> Expected:
    """The curve and its mean over ``interval``, lengths counted from 1 (``legacy``) or from 0 (``toolkit``)."""
    values = curve(pieces, weights, longest)
    low, high = interval
    part = values[low - 1 : high] if variant == "legacy" else values[low : high + 1]
    part = part[np.isfinite(part)]
    return Expected(tuple(np.nan_to_num(values).tolist()), float(part.mean()) if len(part) else None)
