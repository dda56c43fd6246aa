"""Answers of the last runs, kept for looking back."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

import numpy as np

from app.model.document import Frames
from app.work.requests import LiveItem
from tracker.api import HeatMap


class Recent:
    """The last predictions by (track, frame), for looking back at heat maps. Thread-safe, bounded, never saved.

    Maps are kept as float16; the mask (the document has it) and the picture of the search region are dropped: some
    10 kB an item.
    """

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._items: OrderedDict[tuple[int, int], LiveItem] = OrderedDict()

    def put(self, item: LiveItem) -> None:
        heat = {name: HeatMap(m.values.astype(np.float16), m.rect) for name, m in item.prediction.heat.items()}
        small = replace(item, image=None, prediction=replace(item.prediction, heat=heat, mask=None, search=None))
        with self._lock:
            self._items.pop((item.track, item.frame), None)
            self._items[item.track, item.frame] = small
            while len(self._items) > self._size:
                self._items.popitem(last=False)

    def get(self, track: int, frame: int) -> LiveItem | None:
        with self._lock:
            return self._items.get((track, frame))

    def forget(self, track: int, frames: Frames) -> None:
        """Drop what is no longer true of the document."""
        with self._lock:
            for key in [k for k in self._items if k[0] == track and k[1] in frames]:
                del self._items[key]

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
