"""The reader's contract, shared by video files and image folders."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import Self

from av.error import FFmpegError

from app.media.frames import Frame, MediaInfo


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """`Reader.abort` said yes in the middle of a decode; the reader stays usable."""


class Reader(ABC):
    """Exact random access and iteration over the frames of one video or image folder.

    One thread owns a reader: the one that opened it. Every call from another thread raises RuntimeError, because a
    decoder shared by threads corrupts its state silently. Whoever needs the same video twice opens two readers.
    """

    info: MediaInfo
    abort: Callable[[], bool] | None = None
    """Asked between packets; when it answers yes, the decode in progress ends with `Interrupted`."""

    def __init__(self) -> None:
        self._owner = threading.get_ident()

    def get(self, i: int) -> Frame:
        """Frame ``i`` exactly. Raises `MediaError` when that slot cannot be decoded, IndexError outside the video."""
        self._check(i)
        return self._get(i)

    def iter(self, start: int, stop: int, step: int = 1) -> Generator[Frame, None, None]:
        """Frames ``start``, ``start + step``, ... up to but without ``stop``; ``step`` is 1 or -1.

        Backwards a group of pictures is decoded once into a buffer of bounded size (in pieces when it is larger).
        Raises `MediaError` at the first slot that cannot be decoded.
        """
        if step not in (1, -1):
            raise ValueError(f"step is 1 or -1, not {step}")
        self._check(start)
        stop = min(stop, self.info.frames) if step > 0 else max(stop, -1)
        return self._forward(start, stop) if step > 0 else self._backward(start, stop)

    def close(self) -> None:
        """Free the file. Safe to call twice."""
        self._check_owner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @abstractmethod
    def _get(self, i: int) -> Frame: ...

    def _forward(self, start: int, stop: int) -> Generator[Frame, None, None]:
        for i in range(start, stop):
            self._check_owner()
            yield self._get(i)

    def _backward(self, start: int, stop: int) -> Generator[Frame, None, None]:
        for i in range(start, stop, -1):
            self._check_owner()
            yield self._get(i)

    def _check(self, i: int) -> None:
        self._check_owner()
        if not 0 <= i < self.info.frames:
            raise IndexError(
                f"frame {i} is outside {self.info.path.name}, which has frames 0 to {self.info.frames - 1}"
            )

    def _check_owner(self) -> None:
        if threading.get_ident() != self._owner:
            raise RuntimeError("a reader is used by the thread that opened it, and by no other; open a second reader")


def reason(error: Exception) -> str:
    """FFmpeg's or the system's words for an error, without code and path."""
    if isinstance(error, (FFmpegError, OSError)) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
