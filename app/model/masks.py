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
    def rle(self) -> dict[str, Any]:
        """As pycocotools takes it: ``{"size": [height, width], "counts": bytes}``."""
        return {"size": [self.height, self.width], "counts": self.counts}

    def decode(self) -> np.ndarray:
        """The mask as (height, width) bool, C-contiguous."""
        return np.ascontiguousarray(coco.decode(self.rle), dtype=bool)

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
    return float(coco.iou([a.rle], [b.rle], [0])[0, 0])


def broken(masks: Sequence[Mask]) -> np.ndarray:
    """Which masks have run lengths that do not fill their image exactly: (n,) bool.

    All masks are checked in one go, in numpy, before any C code reads them: the C decoder trusts its input.
    """
    sizes = np.array([len(m.counts) for m in masks], np.int64)
    bad = sizes == 0
    if bad.any():
        bad[~bad] = broken([m for m, empty in zip(masks, bad, strict=True) if not empty])
        return bad
    if not len(sizes):
        return bad
    digits = np.frombuffer(b"".join(m.counts for m in masks), np.uint8).astype(np.int64) - 48
    owner = np.repeat(np.arange(len(masks)), sizes)  # which mask a digit belongs to
    np.logical_or.at(bad, owner, (digits < 0) | (digits > 63))
    last = (digits & 32) == 0  # a number's last digit has no continuation bit
    ends = np.cumsum(sizes) - 1
    bad |= ~last[ends]
    last[ends] = True  # keep the masks apart even when one breaks off inside a number
    stops = np.flatnonzero(last)
    starts = np.concatenate([[0], stops[:-1] + 1])
    place = np.arange(len(digits)) - np.repeat(starts, stops - starts + 1)  # 0 = lowest five bits
    np.logical_or.at(bad, owner, place > 6)
    value = np.add.reduceat((digits & 31) << (5 * np.minimum(place, 6)), starts)
    length = np.minimum(stops - starts + 1, 7)
    value -= np.where(digits[stops] & 16, np.int64(1) << (5 * length), 0)  # two's complement
    # From the third on, a number is the difference to the one two before it: undo that per mask and per parity.
    of = owner[starts]
    per_mask = np.bincount(of, minlength=len(masks))
    first = np.cumsum(per_mask) - per_mask
    rank = np.arange(len(value)) - first[of]
    runs = value.copy()
    for parity in (1, 2):
        chosen = np.flatnonzero((rank > 0) & (rank % 2 == parity % 2))
        if len(chosen):
            total = np.cumsum(value[chosen])
            head = np.flatnonzero(np.diff(of[chosen], prepend=-1))
            before = (total - value[chosen])[head]
            runs[chosen] = total - np.repeat(before, np.diff(np.append(head, len(chosen))))
    bad |= np.bincount(of[runs < 0], minlength=len(masks)) > 0
    filled = np.zeros(len(masks), np.int64)
    np.add.at(filled, of, runs)
    area = np.array([m.height * m.width for m in masks], np.int64)
    return bad | (filled != area)
