"""What the frame service does when nobody asks: it keeps pictures on disk that take long to decode again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from pathlib import Path

from app.media.frames import MediaError
from app.media.store import FrameStore
from app.media.table import FrameIndex
from app.media.video import VideoReader

log = logging.getLogger(__name__)

_FAR_PIXELS = 25_000_000  # decoded on the way from the key packet to a picture that is worth keeping: some 35 ms
_PIECE = 128  # frames that are kept one after the other, so that what lies between is decoded once


def far_frames(index: FrameIndex) -> list[range]:
    """The frames that take long to reach from their key packet, ascending, in pieces."""
    far = max(1, _FAR_PIXELS // (index.width * index.height))
    starts = [index.key_slot(k) for k in range(len(index.keys))]
    pieces: list[range] = []
    for start, stop in zip(starts, [*starts[1:], len(index)], strict=True):
        pieces += [range(i, min(i + _PIECE, stop)) for i in range(start + far, stop, _PIECE)]
    return pieces


class Filler:
    """Keeps one far frame a call, those near the user first. It decodes with a reader of its own, on one core.

    It lives in one thread, which `close` s it.
    """

    def __init__(self, path: Path, index: FrameIndex, store: FrameStore) -> None:
        self._path, self._index, self._store = path, index, store
        self._pieces = far_frames(index)
        self._reader: VideoReader | None = None
        self._at = -1
        self._left: Generator[int, None, None] | None = None
        self._next: int | None = None

    def go_to(self, at: int) -> None:
        """The user is at frame ``at`` now."""
        if self._left is None or abs(at - self._at) >= _PIECE // 2:
            self._at = at
            self._left, self._next = self._wanted(at), None

    def step(self, abort: Callable[[], bool]) -> bool:
        """Keep one more frame; False when nothing is left to do here. Raises `Interrupted` when ``abort`` says so:
        the next call goes on with the same frame.
        """
        if self._left is None:
            return False
        if self._next is None:
            self._next = next(self._left, None)
        i = self._next
        if i is None:
            self._shut()
            return False
        if self._reader is None:
            self._reader = VideoReader(self._path, self._index, threads=False)
        self._reader.abort = abort
        try:
            picture = self._reader.picture(i)
            good = picture.is_corrupt or self._store.put(i, picture)
        except MediaError:
            good = True  # a damaged frame is told when somebody asks for it
        except OSError as error:
            log.info("no more frames of %s are kept on disk: %s", self._path, error)
            good = False
        self._next = None
        if not good:
            self._pieces = []
            self._left = self._wanted(self._at)
        return True

    def close(self) -> None:
        """Free the file."""
        self._shut()

    def _shut(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _wanted(self, at: int) -> Generator[int, None, None]:
        """Frames to keep, the pieces nearest to ``at`` first, until all that the store has room for is kept."""
        for piece in sorted(self._pieces, key=lambda p: max(p.start - at, at - p.stop + 1, 0)):
            for i in piece:
                if i not in self._store:
                    if not self._store.admit(i, at):
                        return
                    yield i


def open_filler(path: Path, index: FrameIndex, cache_dir: Path | None, budget: int) -> tuple[FrameStore, Filler] | None:
    """The store of a video with what fills it; None when no frame is far, or nothing may be kept."""
    if cache_dir is None or budget <= 0 or not index.fingerprint or not far_frames(index):
        return None
    try:
        store = FrameStore(cache_dir / "frames", index.fingerprint, budget)
    except OSError as error:
        log.info("no frames of %s are kept on disk: %s", path, error)
        return None
    return store, Filler(path, index, store)
