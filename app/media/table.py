"""The table that says which frame is which, a file's fingerprint, and the table's cache on disk."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np

from app.media.base import reason
from app.media.frames import MediaError
from app.words import tr

log = logging.getLogger(__name__)

_VERSION = 1  # of the cache files; older or newer ones are made again
_WHOLE = 4 << 20
_SAMPLES = 17
_SAMPLE = 64 << 10


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """The table of one video stream.

    ``pts``: (N,) int64, strictly increasing, in ``time_base`` units. ``keys``: (K, 2) int64, pts and dts of the packets
    where decoding can start, ascending by pts, the first at or before the first frame. ``width``, ``height``:
    displayed, in pixels. ``orientation``: bits of `app.media.picture`. ``pixel_aspect``: width of a pixel over its
    height. ``stream``: its number in the file. ``counted``: slots are counted in decode order, ``pts`` is made up.
    """

    pts: np.ndarray
    keys: np.ndarray
    time_base: Fraction
    fps: float
    width: int
    height: int
    orientation: int
    pixel_aspect: float
    codec: str
    stream: int
    counted: bool = False
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    _slots: dict[int, int] = field(init=False, repr=False)
    _key_slots: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slots", {pts: i for i, pts in enumerate(self.pts.tolist())})
        object.__setattr__(self, "_key_slots", np.searchsorted(self.pts, self.keys[:, 0]).tolist())

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def times(self) -> np.ndarray:
        """(N,) float64, seconds after the first frame."""
        return (self.pts - self.pts[0]) * float(self.time_base)

    def slot(self, pts: int | None) -> int | None:
        """Display index of the picture with exactly this pts; None when the table has no such picture."""
        return None if pts is None else self._slots.get(pts)

    def key_before(self, i: int) -> int:
        """Number of the last key at or before slot ``i``; decoding from it passes ``i``."""
        return bisect_right(self._key_slots, i) - 1

    def key_slot(self, k: int) -> int:
        """First slot that decoding from key ``k`` yields intact (N when it has none)."""
        return self._key_slots[k]


def fingerprint(path: str | Path) -> str:
    """Identity of a file's content (or of a folder's file names and sizes): 32 hex digits that survive moving it.

    Up to 4 MiB are read whole; of larger files the size and 17 samples of 64 KiB from head to tail.
    Raises `MediaError` when it cannot be read.
    """
    path = Path(path)
    digest = hashlib.blake2b(digest_size=16)
    try:
        if path.is_dir():
            entries = sorted((p.name, p.stat().st_size) for p in path.iterdir() if p.is_file())
            digest.update(repr(entries).encode())
        else:
            size = path.stat().st_size
            digest.update(str(size).encode())
            with path.open("rb") as file:
                if size <= _WHOLE:
                    digest.update(file.read())
                else:
                    for i in range(_SAMPLES):
                        file.seek((size - _SAMPLE) * i // (_SAMPLES - 1))
                        digest.update(file.read(_SAMPLE))
    except FileNotFoundError:
        raise MediaError(
            tr("{path} does not exist. Was it moved, renamed, or is its drive not connected?").format(path=path)
        ) from None
    except OSError as e:
        raise MediaError(
            tr("{path} cannot be read: {e}. Check its permissions and its drive.").format(path=path, e=reason(e))
        ) from e
    return digest.hexdigest()


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    fingerprint: str
    pts: bytes
    keys: bytes
    time_base: tuple[int, int]
    fps: float
    width: int
    height: int
    orientation: int
    pixel_aspect: float
    codec: str
    stream: int
    counted: bool
    notes: tuple[str, ...]


_SEAL = 16  # bytes of checksum before the body


def load_table(cache_dir: str | Path | None, mark: str) -> FrameIndex | None:
    """The stored table of the file with fingerprint ``mark``; None when there is none or it is damaged or outdated."""
    if cache_dir is None:
        return None
    try:
        data = _file(cache_dir, mark).read_bytes()
        seal, body = data[:_SEAL], data[_SEAL:]
        if hashlib.blake2b(body, digest_size=_SEAL).digest() != seal:
            raise ValueError("checksum does not match")
        s = msgspec.msgpack.decode(body, type=_Stored)
        if s.version != _VERSION or s.fingerprint != mark:
            raise ValueError("another version or another file")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.MsgspecError) as e:
        log.info("index cache of %s is made again: %s", mark, e)
        return None
    return FrameIndex(
        pts=np.frombuffer(s.pts, "<i8").astype(np.int64),
        keys=np.frombuffer(s.keys, "<i8").astype(np.int64).reshape(-1, 2),
        time_base=Fraction(*s.time_base),
        fps=s.fps,
        width=s.width,
        height=s.height,
        orientation=s.orientation,
        pixel_aspect=s.pixel_aspect,
        codec=s.codec,
        stream=s.stream,
        counted=s.counted,
        notes=s.notes,
        fingerprint=s.fingerprint,
    )


def save_table(cache_dir: str | Path | None, index: FrameIndex) -> None:
    """Store a table, whole or not at all; a cache that cannot be written only costs time at the next start."""
    if cache_dir is None:
        return
    body = msgspec.msgpack.encode(
        _Stored(
            version=_VERSION,
            fingerprint=index.fingerprint,
            pts=index.pts.astype("<i8").tobytes(),
            keys=index.keys.astype("<i8").tobytes(),
            time_base=(index.time_base.numerator, index.time_base.denominator),
            fps=index.fps,
            width=index.width,
            height=index.height,
            orientation=index.orientation,
            pixel_aspect=index.pixel_aspect,
            codec=index.codec,
            stream=index.stream,
            counted=index.counted,
            notes=index.notes,
        )
    )
    target = _file(cache_dir, index.fingerprint)
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Its own temporary name, as two windows may index the same file at once.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.blake2b(body, digest_size=_SEAL).digest() + body)
        temporary.replace(target)
    except OSError as e:
        log.info("index cache %s cannot be written: %s", target, e)
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _file(cache_dir: str | Path, mark: str) -> Path:
    return Path(cache_dir) / f"{mark}.frames"
