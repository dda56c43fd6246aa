"""Exact pictures on disk: what takes long to decode again is kept without loss, bounded in bytes.

A picture is kept as its decoded planes, each a grey picture of a lossless codec that needs no neighbours, so that one
file gives it back byte for byte. Reading one takes some 10 ms at 1080p, where decoding may take half a second.
"""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
import msgspec
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from app.media.picture import Painter

log = logging.getLogger(__name__)

_CODEC = "magicyuv"  # lossless, every picture on its own: at 1080p some 0.7 MB, 7 ms to write, 4 ms to read
_OPTIONS = {"pred": "gradient"}  # 25 to 40 % smaller than its default, and quicker
_VERSION = 1  # of the files; others are made again
_SPARE = 2 << 30  # bytes of the disk that are left to others


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """One file: the picture's format and colours, and a packet per plane with its width and height in bytes."""

    version: int
    width: int
    height: int
    format: str
    colours: tuple[int, int, int, int]
    planes: list[tuple[int, int, bytes]]


class FrameStore:
    """Decoded pictures of one video by their index, in a folder of its own. One thread owns it.

    The folder is named by the video's fingerprint, so that the pictures are there when it is opened again, wherever it
    lies then. Several processes may share it: files are written whole, and one that is gone is simply not there.
    """

    def __init__(self, root: Path, mark: str, budget: int) -> None:
        """``root`` holds the folders of all videos, ``mark`` is this one's fingerprint; ``budget`` bytes are for all of
        them: those that were not open for the longest time leave first. Raises OSError when it cannot be made.
        """
        self._folder = root / mark
        self._folder.mkdir(parents=True, exist_ok=True)
        os.utime(self._folder)
        self._sizes = {int(e.name): e.stat().st_size for e in os.scandir(self._folder) if e.name.isdigit()}
        self._bytes = sum(self._sizes.values())
        others = [p for p in root.iterdir() if p.is_dir() and p != self._folder]
        others.sort(key=lambda p: p.stat().st_mtime)
        self._others = [(p, sum(e.stat().st_size for e in os.scandir(p))) for p in others]
        held = self._bytes + sum(size for _, size in self._others)
        self._budget = min(budget, held + max(0, shutil.disk_usage(root).free - _SPARE))
        self._coders: dict[tuple[str, int, int], VideoCodecContext] = {}
        self._proved: dict[tuple[object, ...], bool] = {}

    def __contains__(self, i: int) -> bool:
        return i in self._sizes

    def __len__(self) -> int:
        return len(self._sizes)

    def get(self, i: int) -> VideoFrame | None:
        """The picture of frame ``i`` as it was decoded; None when it is not here, or its file is damaged."""
        if i not in self._sizes:
            return None
        try:
            return self._unpack((self._folder / str(i)).read_bytes())
        except (OSError, FFmpegError, msgspec.MsgspecError, ValueError):
            self._drop(i)
            return None

    def admit(self, i: int, at: int) -> bool:
        """Make room for frame ``i`` while the user is at frame ``at``; False when all that is kept lies nearer."""
        size = self._bytes // len(self._sizes) if self._sizes else 0
        while self._bytes + size + sum(other for _, other in self._others) > self._budget:
            if self._others:
                shutil.rmtree(self._others.pop(0)[0], ignore_errors=True)
                continue
            if not self._sizes:
                return False
            farthest = max(min(self._sizes), max(self._sizes), key=lambda f: abs(f - at))
            if abs(farthest - at) <= abs(i - at):
                return False
            self._drop(farthest)
        return True

    def put(self, i: int, picture: VideoFrame) -> bool:
        """Keep the picture of frame ``i``; False when its kind cannot be kept. Raises OSError when the disk refuses."""
        kind = (picture.format.name, picture.width, picture.height, picture.interlaced_frame, *_colours(picture))
        if self._proved.get(kind) is False:
            return False
        try:
            data = self._pack(picture)
            if kind not in self._proved:
                self._proved[kind] = _alike(picture, self._unpack(data))
        except (FFmpegError, ValueError) as error:
            log.info("pictures of the format %s are not kept on disk: %s", picture.format.name, error)
            self._proved[kind] = False
            return False
        if not self._proved[kind]:
            return False
        path = self._folder / str(i)
        part = path.with_name(f"{i}.{os.getpid()}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        self._bytes += len(data) - self._sizes.get(i, 0)
        self._sizes[i] = len(data)
        return True

    def _drop(self, i: int) -> None:
        self._bytes -= self._sizes.pop(i)
        with suppress(OSError):
            (self._folder / str(i)).unlink()

    def _pack(self, picture: VideoFrame) -> bytes:
        planes: list[tuple[int, int, bytes]] = []
        for number, plane in enumerate(picture.planes):
            across = _row_bytes(picture, number)
            rows = _padded(plane)[: plane.height, :across]
            grey = VideoFrame(across, plane.height, "gray")
            _rows(grey)[:] = rows
            packets = self._coder("w", across, plane.height).encode(grey)
            planes.append((across, plane.height, b"".join(bytes(packet) for packet in packets)))
        kept = _Kept(_VERSION, picture.width, picture.height, picture.format.name, _colours(picture), planes)
        return msgspec.msgpack.encode(kept)

    def _unpack(self, data: bytes) -> VideoFrame:
        kept = msgspec.msgpack.decode(data, type=_Kept)
        if kept.version != _VERSION:
            raise ValueError(f"version {kept.version}")
        picture = VideoFrame(kept.width, kept.height, kept.format)
        for (across, down, packet), plane in zip(kept.planes, picture.planes, strict=True):
            (grey,) = self._coder("r", across, down).decode(Packet(packet))
            _padded(plane)[:down, :across] = _rows(grey)
        picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc = kept.colours
        return picture

    def _coder(self, way: Literal["r", "w"], width: int, height: int) -> VideoCodecContext:
        coder = self._coders.get((way, width, height))
        if coder is None:
            coder = cast("VideoCodecContext", av.CodecContext.create(_CODEC, way))
            coder.width, coder.height, coder.pix_fmt = width, height, "gray"
            coder.thread_count = 1
            if way == "w":
                coder.time_base, coder.options = Fraction(1, 25), _OPTIONS
            self._coders[way, width, height] = coder
        return coder


def _colours(picture: VideoFrame) -> tuple[int, int, int, int]:
    return (
        int(picture.colorspace), int(picture.color_range), int(picture.color_primaries), int(picture.color_trc)
    )  # fmt: skip


def _row_bytes(picture: VideoFrame, plane: int) -> int:
    """Bytes of one row of a plane, without what pads it. Raises ValueError for formats that are not whole bytes."""
    kind = picture.format
    if kind.has_palette or kind.is_bit_stream:
        raise ValueError("palettes and single bits are not planes of bytes")
    return sum((c.bits + 7) // 8 * c.width for c in kind.components if c.plane == plane)


def _rows(grey: VideoFrame) -> np.ndarray:
    """(height, width) uint8: the pixels of a grey picture, in place."""
    return _padded(grey.planes[0])[: grey.height, : grey.width]


def _padded(plane: VideoPlane) -> np.ndarray:
    """(rows, line size) uint8: the bytes of a plane with what pads its rows, in place."""
    return np.frombuffer(cast("Any", plane), np.uint8).reshape(-1, plane.line_size)


def _alike(a: VideoFrame, b: VideoFrame) -> bool:
    """Whether both give the same pixels on display."""
    painter = Painter(a.width, a.height, 0)
    return bool(np.array_equal(painter.bgr(a), painter.bgr(b)))
