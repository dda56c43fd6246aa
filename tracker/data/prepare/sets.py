"""The data sets that can be prepared, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tracker.data.prepare import coco, imagenet, single, youtube
from tracker.data.prepare.films import Film

SETS: Mapping[str, Callable[[Path, str], Sequence[Film]]] = {
    "coco": coco.films,
    "vid": imagenet.vid,
    "det": imagenet.det,
    "ytbb": youtube.bounding_boxes,
    "ytvos": youtube.objects,
    "got10k": single.got10k,
    "lasot": single.lasot,
}
"""Readers: folder of the data set and split (train or val) -> its films."""
