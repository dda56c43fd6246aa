"""Masks as lossless run lengths, in COCO's compressed form (column by column, first run is background).

The form is that of pycocotools, so an export to COCO copies the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from pycocotools import mask as coco

from app.model.geometry import Box
from tracker.api import MaskPatch


class Mask(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A binary mask of a whole image of ``height`` x ``width`` pixels; ``counts`` is COCO's compressed RLE, ASCII.

    Raises ValueError when a side is not positive. ``counts`` itself is trusted here; masks that come from outside go
    through `broken`.
    """

    height: int
    width: int
    counts: bytes

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a mask of {self.width} x {self.height} pixels is impossible")

    @classmethod
    def encode(cls, bits: np.ndarray) -> Mask:
        """From ``bits``, (height, width) bool."""
        height, width = bits.shape
        rle: Any = coco.encode(np.asfortranarray(bits, dtype=np.uint8))
        return cls(height, width, rle["counts"])

    @classmethod
    def from_patch(cls, patch: MaskPatch, height: int, width: int) -> Mask:
        """From a patch of an image of ``height`` x ``width`` pixels; the patch must lie inside, else ValueError.

        Works on the patch alone, so a small object in a large image is cheap.
        """
        rows, columns = patch.bits.shape
        if patch.x < 0 or patch.y < 0 or patch.x + columns > width or patch.y + rows > height:
            raise ValueError(f"a {columns} x {rows} patch at ({patch.x}, {patch.y}) is not inside {width} x {height}")
        padded = np.zeros((columns, rows + 2), np.int8)
        padded[:, 1:-1] = patch.bits.T
        column, row = np.nonzero(np.diff(padded, axis=1))  # per column: start, end, start, end, ...
        edges = (patch.x + column) * height + patch.y + row
        if rows == height:  # a run that reaches the bottom goes on at the top of the next column: one run, not two
            meets = np.flatnonzero(edges[1:] == edges[:-1])
            edges = np.delete(edges, np.concatenate([meets, meets + 1]))
        counts = np.diff(np.concatenate([[0], edges, [height * width]]))
        if len(edges) and counts[-1] == 0:
            counts = counts[:-1]
        rle: Any = coco.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
        return cls(height, width, rle["counts"])

    @property
    def rle(self) -> Any:
        """As pycocotools takes it: ``{"size": [height, width], "counts": bytes}``."""
        return {"size": [self.height, self.width], "counts": self.counts}

    def decode(self) -> np.ndarray:
        """The mask as (height, width) bool, C-contiguous. Raises ValueError when `broken`."""
        return np.ascontiguousarray(self._columns().T)

    def patch(self) -> MaskPatch | None:
        """The tight crop around the foreground; None when there is none. Raises ValueError when `broken`.

        Much cheaper than `decode` for a small object: what is slow there is turning columns into rows.
        """
        runs = self.runs()
        box = self.box
        if box is None:
            return None
        x, y, w, h = (int(v) for v in box)
        # Of the runs, only what lies in the columns of the box is laid out.
        ends = np.cumsum(runs).clip(x * self.height, (x + w) * self.height)
        columns = _laid_out(np.diff(ends, prepend=x * self.height)).reshape(w, self.height)
        return MaskPatch(x, y, np.ascontiguousarray(columns[:, y : y + h].T))

    def runs(self) -> np.ndarray:
        """The run lengths, (n,) int64, column by column, first of background. Raises ValueError when `broken`."""
        runs = _runs_of_one(self.counts)
        if runs is None or runs.min() < 0 or runs.sum() != self.height * self.width:
            raise ValueError(f"the run lengths of a mask do not fill {self.width} x {self.height} pixels")
        return runs

    def _columns(self) -> np.ndarray:
        """(width, height) bool. Raises ValueError when `broken`."""
        return _laid_out(self.runs()).reshape(self.width, self.height)

    @property
    def area(self) -> int:
        """Number of foreground pixels."""
        return int(coco.area(self.rle))

    @property
    def box(self) -> Box | None:
        """The tight box around the foreground; None when there is none."""
        if not self.area:
            return None
        x, y, w, h = (float(v) for v in coco.toBbox(self.rle))
        return Box(x, y, w, h)


def mask_iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks of one image size, in [0, 1]; two empty masks agree (1).

    Raises ValueError when the sizes differ.
    """
    if (a.height, a.width) != (b.height, b.width):
        raise ValueError(f"masks of {a.width} x {a.height} and {b.width} x {b.height} pixels cannot be compared")
    if not a.area and not b.area:
        return 1.0
    return np.asarray(coco.iou([a.rle], [b.rle], [0])).item()


def broken(masks: Sequence[Mask]) -> np.ndarray:
    """Which masks have run lengths that do not fill their image exactly: (n,) bool.

    Many masks are checked in one go, in numpy, before any C code reads them: the C decoder trusts its input.
    """
    bad = np.ones(len(masks), bool)
    batch: list[int] = []
    digits = 0
    for at, mask in enumerate(masks):
        if mask.counts:
            batch.append(at)
            digits += len(mask.counts)
        if batch and (digits > 1 << 18 or at == len(masks) - 1):  # as much as a processor's cache holds
            bad[batch] = _broken([masks[i] for i in batch])
            batch, digits = [], 0
    return bad


def _broken(masks: Sequence[Mask]) -> np.ndarray:
    """`broken` for masks whose counts are not empty."""
    runs, first, bad = _runs(masks)
    bad |= np.minimum.reduceat(runs, first) < 0
    area = np.array([m.height * m.width for m in masks])
    return bad | (np.add.reduceat(runs, first) != area)


def _laid_out(runs: np.ndarray) -> np.ndarray:
    """Run lengths as the bits they stand for, (sum,) bool, first of background."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _runs_of_one(counts: bytes) -> np.ndarray | None:
    """`_runs` for one mask, at a fraction of the calls: what is shown is decoded while somebody waits for it."""
    digits = np.frombuffer(counts, np.uint8) - np.uint8(48)
    if not len(digits) or digits.max() > 63 or digits[-1] > 31:
        return None
    stops = np.flatnonzero(digits < 32)
    length = np.diff(stops, prepend=-1)
    if length.max() > 7:
        return None
    starts = stops - length + 1
    place = np.arange(len(digits)) - np.repeat(starts, length)
    runs = np.add.reduceat((digits & 31).astype(np.int64) << (5 * place), starts)
    negative = np.flatnonzero(digits[stops] & 16)
    runs[negative] -= np.int64(1) << (5 * length[negative])
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def _runs(masks: Sequence[Mask]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The run lengths of all masks in a row, the position of each mask's first one, and which masks are ill-formed.

    Counts must not be empty. A number is written in digits of five bits, lowest first, as characters from "0" on.
    """
    sizes = np.array([len(m.counts) for m in masks])
    heads = np.cumsum(sizes) - sizes  # first digit of each mask
    digits = np.frombuffer(b"".join(m.counts for m in masks), np.uint8) - np.uint8(48)  # below "0" wraps to above 63
    last = (digits & 32) == 0  # of a number
    bad = (np.maximum.reduceat(digits, heads) > 63) | ~last[heads + sizes - 1]
    last[heads + sizes - 1] = True  # keeps the masks apart even when one breaks off inside a number
    stops = np.flatnonzero(last)
    starts = np.concatenate([[0], stops[:-1] + 1])
    length = stops - starts + 1
    runs = (digits[starts] & 31).astype(np.int64)
    for place in range(1, 7):
        longer = np.flatnonzero(length > place)
        runs[longer] |= (digits[starts[longer] + place] & 31).astype(np.int64) << (5 * place)
    negative = np.flatnonzero(digits[stops] & 16)  # two's complement
    runs[negative] -= np.int64(1) << (5 * np.minimum(length[negative], 7))
    first = np.searchsorted(starts, heads)
    bad |= np.maximum.reduceat(length, first) > 7
    # From the third run on, a number is the difference to the run two before it; the very first run stands alone.
    rank = np.arange(len(runs)) - np.repeat(first, np.diff(first, append=len(starts)))
    for chosen in (np.flatnonzero(rank & 1), np.flatnonzero((rank & 1 == 0) & (rank > 0))):
        steps = runs[chosen]
        total = np.cumsum(steps)
        begins = np.flatnonzero(rank[chosen] <= 2)
        before = total[begins] - steps[begins]
        runs[chosen] = total - np.repeat(before, np.diff(begins, append=len(chosen)))
    return runs, first, bad
