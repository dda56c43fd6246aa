"""Making the frame table: one pass over the packets, checked by decoding.

Frame ``n`` is the picture with the n-th smallest pts. Rates, durations and frame counts in headers are never trusted.
Three degrees of effort, each only when the one before does not hold:

1. packets alone (a demux pass), confirmed by decoding the first few dozen pictures;
2. the pts of every decoded picture (when packets and pictures differ: field pairs, hidden frames, damage at the start);
3. decode order: pictures are counted from the start of the file (`FrameIndex.counted`; pts missing, double or jumping).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.media.base import reason
from app.media.frames import MediaError
from app.media.picture import TRANSPOSE, orientation
from app.media.table import FrameIndex, fingerprint, load_table, save_table
from app.words import tr

Progress = Callable[[float], None]
"""Told how much of the work is done, 0 to 1; may raise to cancel."""

_PROBE = 32  # pictures decoded to confirm the packet table
_ALL_MARKED_KEY = {"gif", "apng"}  # demuxers that call every packet a key although pictures build on each other
_SHOW_FRAME = 0x10  # bit of a VP8 packet's first byte; hidden frames are packets of their own

_COUNTED = (
    "This file has {flaw}, so its frames are counted in decode order from the start: exact, but jumping "
    "about is slow. For quick seeking convert it, for example: ffmpeg -i {name} -c:v libx264 -crf 16 -g "
    "30 {stem}-seekable.mp4"
)
_STRETCHED = (
    "Pixels of this file are {aspect:.3g} times as wide as high; labels count stored pixels, as other tools do."
)


def load_index(path: str | Path, cache_dir: str | Path | None = None, progress: Progress | None = None) -> FrameIndex:
    """The index of a video file: from the cache when its fingerprint is there, else made and stored.

    ``cache_dir``: folder for index files; None keeps nothing. A damaged or unwritable cache is never an error.
    Raises `MediaError` when the file cannot be read as video.
    """
    path = Path(path)
    mark = fingerprint(path)
    index = load_table(cache_dir, mark)
    if index is None:
        index = build_index(path, mark, progress)
        save_table(cache_dir, index)
    return index


def open_video(path: Path, number: int | None = None, *, threads: bool = True) -> tuple[InputContainer, VideoStream]:
    """Open ``path`` and its video stream (stream ``number``, or the first that is not cover art).

    ``threads``: decode on all cores. Raises `MediaError` with the remedy.
    """
    try:
        # Absolute, so that a colon in the name is not taken for a protocol.
        container = av.open(str(path.absolute()), metadata_errors="replace")
    except (FFmpegError, OSError) as e:
        raise MediaError(
            tr(
                "{path} cannot be opened as a video: {e}. It may be damaged, cut short or of another kind. "
                "Try to repair it with: ffmpeg -i {path} -c copy repaired.mkv"
            ).format(path=path.name, e=reason(e))
        ) from e
    streams = [
        s
        for s in container.streams.video
        if (s.index == number if number is not None else not s.disposition & Disposition.attached_pic)
    ]
    if not streams:
        container.close()
        raise MediaError(
            tr("{path} has no video stream. Choose a video file or a folder of images.").format(path=path.name)
        )
    stream = streams[0]
    if stream.codec_context is None:
        container.close()
        raise MediaError(
            tr("{path} holds video of a kind that cannot be decoded here. Convert it to H.264 first.").format(
                path=path.name
            )
        )
    if threads:
        stream.thread_type = "AUTO"  # frame threads delay pictures but change none
    else:
        stream.codec_context.thread_count = 1
    return container, stream


@dataclass(frozen=True)
class _Scan:
    """The demux pass: pts of the packets that hold a picture, pts and dts of keys, and what is wrong, in words."""

    pts: list[int]
    keys: list[tuple[int, int]]
    packets: int
    flaw: str


@dataclass(frozen=True)
class _Look:
    """What the first picture says of the stream."""

    width: int
    height: int
    orientation: int
    pixel_aspect: float
    time_base: Fraction
    rate: float
    codec: str
    stream: int


def build_index(path: Path, mark: str, progress: Progress | None = None) -> FrameIndex:
    """Make the index of ``path``, whose fingerprint is ``mark``. Raises `MediaError`."""
    tell = progress or (lambda done: None)
    scan = _scan(path, lambda done: tell(done * 0.9))
    head, look = _head(path)
    floor = scan.keys[0][0] if scan.keys else 0
    pts, flaw = sorted(p for p in scan.pts if p >= floor), scan.flaw
    seen = [p for p in head if p is None or p >= floor]
    if flaw or seen != pts[: len(seen)] or not seen:
        every = _decode_all(path, scan.packets, tell)
        seen = [p for p in every if p is None or p >= floor]
        known = [p for p in seen if p is not None]
        if not flaw and (len(known) < len(seen) or any(b <= a for a, b in pairwise(known))):
            flaw = "timestamps that do not match its pictures"
        if flaw:
            return _counted(path, mark, look, len(every), flaw)
        pts = known
    if not pts:
        raise MediaError(
            tr("No picture of {path} can be decoded: it is damaged or cut short. Choose another file.").format(
                path=path.name
            )
        )
    tell(1.0)
    stamps = np.array(pts, np.int64)
    return FrameIndex(
        pts=stamps,
        keys=np.array(sorted(set(scan.keys)), np.int64).reshape(-1, 2),
        time_base=look.time_base,
        fps=_fps(stamps, look),
        width=look.width,
        height=look.height,
        orientation=look.orientation,
        pixel_aspect=look.pixel_aspect,
        codec=look.codec,
        stream=look.stream,
        notes=_notes(look),
        fingerprint=mark,
    )


def _counted(path: Path, mark: str, look: _Look, frames: int, flaw: str) -> FrameIndex:
    time_base = 1 / Fraction(look.rate).limit_denominator(100_000)
    return FrameIndex(
        pts=np.arange(frames, dtype=np.int64),
        keys=np.zeros((1, 2), np.int64),
        time_base=time_base,
        fps=look.rate,
        width=look.width,
        height=look.height,
        orientation=look.orientation,
        pixel_aspect=look.pixel_aspect,
        codec=look.codec,
        stream=look.stream,
        counted=True,
        notes=(_COUNTED.format(flaw=flaw, name=path.name, stem=path.stem), *_notes(look)),
        fingerprint=mark,
    )


def _scan(path: Path, tell: Progress) -> _Scan:
    container, stream = open_video(path)
    size = max(1, path.stat().st_size)
    pts: list[int] = []
    keys: list[tuple[int, int]] = []
    corrupt: list[bool] = []
    packets, missing, jumps, last = 0, False, False, None
    one_key, hides = stream.codec_context.name in _ALL_MARKED_KEY, stream.codec_context.name == "vp8"
    with container:
        for packet in read_packets(container, stream):
            packets += 1
            if packets % 256 == 0 and packet.pos is not None:
                tell(min(1.0, packet.pos / size))
            if packet.dts is not None:
                jumps |= last is not None and packet.dts < last
                last = packet.dts
            if packet.pts is None:
                missing = True
                continue
            if packet.is_keyframe and not (one_key and keys):
                keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
            if not keys or packet.is_discard or (hides and not memoryview(packet)[0] & _SHOW_FRAME):
                continue  # nothing to build on, cut away by an edit list, or never shown
            pts.append(packet.pts)
            corrupt.append(packet.is_corrupt)
    while corrupt and corrupt[-1]:  # the file ends inside these packets
        corrupt.pop()
        pts.pop()
    flaw = ""
    if missing:
        flaw = "no timestamps" if not pts else "frames without timestamps"
    elif len(set(pts)) < len(pts):
        flaw = "double timestamps"
    elif jumps:
        flaw = "timestamps that jump back"
    elif packets and not keys:
        flaw = "no keyframes"
    return _Scan(pts, keys, packets, flaw)


def read_packets(container: InputContainer, stream: VideoStream) -> Generator[Packet, None, None]:
    """Packets of the stream up to the end of the file or the first damage that stops the demuxer."""
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except FFmpegError:
        return


def _pictures(container: InputContainer, stream: VideoStream) -> Generator[VideoFrame, None, None]:
    """Every picture from the start that can be decoded, past damaged packets."""
    for packet in read_packets(container, stream):
        try:
            yield from stream.codec_context.decode(packet)
        except FFmpegError:
            continue
    try:
        yield from stream.codec_context.decode(None)
    except FFmpegError:
        return


def _head(path: Path) -> tuple[list[int | None], _Look]:
    """Times of the first pictures in the order of the decoder, and what the first says. Raises `MediaError`."""
    container, stream = open_video(path)
    with container:
        pictures = _pictures(container, stream)
        first = next(pictures, None)
        if first is None:
            raise MediaError(
                tr(
                    "No picture of {path} can be decoded: it is empty, damaged or cut short. Choose another file."
                ).format(path=path.name)
            )
        turned = orientation(first)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        width, height = first.width, first.height
        if turned & TRANSPOSE:
            width, height, aspect = height, width, 1 / aspect
        look = _Look(
            width, height, turned, float(aspect), stream.time_base or Fraction(1, 90_000), float(rate),
            stream.codec_context.name, stream.index,
        )  # fmt: skip
        times = [first.pts, *(p.pts for p in islice(pictures, _PROBE - 1))]
        pictures.close()
    return times, look


def _decode_all(path: Path, packets: int, tell: Progress) -> list[int | None]:
    """Times of all pictures in the order of the decoder."""
    container, stream = open_video(path)
    times: list[int | None] = []
    with container:
        for picture in _pictures(container, stream):
            times.append(picture.pts)
            if len(times) % 8 == 0:
                tell(min(1.0, 0.9 + 0.1 * len(times) / max(1, packets)))
    return times


def _fps(pts: np.ndarray, look: _Look) -> float:
    """Mean rate; the header's exact fraction when it agrees within 1 %."""
    span = float((pts[-1] - pts[0]) * look.time_base)
    if span <= 0:
        return look.rate
    mean = (len(pts) - 1) / span
    return look.rate if abs(mean - look.rate) <= 0.01 * look.rate else mean


def _notes(look: _Look) -> tuple[str, ...]:
    return () if look.pixel_aspect == 1 else (_STRETCHED.format(aspect=look.pixel_aspect),)
