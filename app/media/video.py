"""Exact frames from a video file: seek to a keyframe, verify by pts, decode on to the wanted slot."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from pathlib import Path

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from app.media.base import Interrupted, Reader
from app.media.frames import Frame, MediaError, MediaInfo
from app.media.index import open_video, read_packets
from app.media.picture import Painter, picture_bytes
from app.media.store import FrameStore
from app.media.table import FrameIndex
from app.words import tr

_LOOK_BACK = 3  # keys tried for one slot: its own, and earlier ones for streams whose keys are not clean starts


_NEAR = 8
"""Slots ahead up to which decoding on is quicker than reading a picture from the store."""


class VideoReader(Reader):
    """One decoder over one file. Its cursor is the slot it gave out last; what lies ahead in the same group of pictures
    is reached by decoding on, all else by landing on a key packet first.
    """

    store: FrameStore | None = None
    """Pictures kept on disk, taken from there when decoding them would take longer."""

    def __init__(self, path: Path, index: FrameIndex, reverse_bytes: int = 192 << 20, *, threads: bool = True) -> None:
        """``reverse_bytes``: how much `iter` may hold on to when it walks backwards; ``threads``: see `open_video`."""
        super().__init__()
        self.info = MediaInfo(
            path=path, frames=len(index), width=index.width, height=index.height, fps=index.fps, times=index.times,
            kind="video", codec=index.codec, pixel_aspect=index.pixel_aspect, fingerprint=index.fingerprint,
            notes=index.notes,
        )  # fmt: skip
        self._path = path
        self.index = index
        self._pts: list[int] = index.pts.tolist()
        self._reverse_bytes = reverse_bytes
        self._picture_bytes = index.width * index.height * 2
        self._painter = Painter(index.width, index.height, index.orientation)
        # Pictures no other one builds on are skipped on the way to a target; H.264 marks them reliably.
        self._may_skip = index.codec == "h264" and not index.counted
        self._dts_first = False
        self._threads = threads
        self._floor = 0
        self._container, self._stream = open_video(path, index.stream, threads=threads)
        self._rewind()

    def close(self) -> None:
        super().close()
        self._packets.close()
        self._out.clear()
        self._container.close()

    def picture(self, i: int) -> VideoFrame:
        """The picture of slot ``i`` as the file stores it, not turned and in its own pixel format. See `get`."""
        self._check(i)
        return self._decode(i)

    def _get(self, i: int) -> Frame:
        return self._frame(i, self._picture(i))

    def _picture(self, i: int) -> VideoFrame:
        if self.store is not None and i in self.store and self._way_to(i) > _NEAR:
            kept = self.store.get(i)
            if kept is not None:
                return kept
        return self._decode(i)

    def _way_to(self, i: int) -> int:
        """Pictures that the decoder has to pass on its way to slot ``i``."""
        key = self.index.key_slot(self.index.key_before(i))
        return i - max(key, self._at + 1) if self._at < i else i - key

    def _frame(self, i: int, picture: VideoFrame) -> Frame:
        return Frame(i, float(self.info.times[i]), self._painter.bgr(picture), bool(picture.is_corrupt))

    def _backward(self, start: int, stop: int) -> Generator[Frame, None, None]:
        """Chunks of decoded pictures (still in the decoder's small pixel format), each decoded once, given out in
        reverse. A chunk begins at a key when one is near enough; a group larger than the budget is cut in pieces.
        """
        high = start
        while high > stop:
            room = max(1, self._reverse_bytes // self._picture_bytes)
            low = max(stop + 1, high - room + 1)
            k = self.index.key_before(low)
            if self.index.key_slot(k) < low and k + 1 < len(self.index.keys):
                after = self.index.key_slot(k + 1)
                low = after if after <= high else low
            chunk: list[VideoFrame | MediaError] = []
            for i in range(low, high + 1):
                self._check_owner()
                try:
                    chunk.append(self._picture(i))
                except MediaError as e:
                    chunk.append(e)
            for i in range(high, low - 1, -1):
                self._check_owner()
                picture = chunk.pop()
                if isinstance(picture, MediaError):
                    raise picture
                self._picture_bytes = max(1, picture_bytes(picture))
                yield self._frame(i, picture)
                del picture
            high = low - 1

    # Cursor. Invariant: every picture after slot `_at` is still to come, whole, unless the file itself lacks it.

    def _decode(self, i: int) -> VideoFrame:
        """The picture of slot ``i``. Raises `MediaError` when the file does not yield it."""
        k = self.index.key_before(i)
        damaged: VideoFrame | None = None
        if self._at < i and self.index.key_slot(k) <= self._at + 1:
            picture = self._advance(i)
            if picture is not None:
                return picture
        for key in range(k, max(-1, k - _LOOK_BACK), -1):
            self._land(key)
            picture = self._advance(i)
            if picture is not None and not picture.is_corrupt:
                return picture
            damaged = damaged or picture
        if damaged is None and self._threads:
            # Frame threads report an error late, and pictures that were done by then can be lost with it at the end.
            self._threads = False
            self._reopen()
            self._land(k)
            damaged = self._advance(i)
        if damaged is not None:
            return damaged
        raise MediaError(
            tr(
                "Frame {i} of {path} cannot be decoded: the file is damaged there. Frames beyond may be "
                "fine; step over it, or repair the file with: ffmpeg -i {path} -c copy repaired.mkv"
            ).format(i=i, path=self._path.name)
        )

    def _advance(self, i: int) -> VideoFrame | None:
        """Decode on until slot ``i`` comes out; None when the decoder passed it or the file ended."""
        target = self._pts[i]
        while True:
            while self._out:
                slot, picture = self._out[0]
                if slot > i:
                    self._at = slot - 1
                    return None
                self._out.popleft()
                self._at = slot
                if slot == i:
                    return picture
            if self._ended:
                return None
            if self.abort is not None and self.abort():
                raise Interrupted
            self._feed(target)

    def _feed(self, target: int) -> None:
        """Give the decoder one packet; pictures that come out are queued with their slots."""
        packet, self._held = self._held or next(self._packets, None), None
        context = self._stream.codec_context
        if packet is None:
            self._ended = True
        elif self._may_skip and packet.pts is not None:
            context.skip_frame = "NONREF" if packet.pts < target else "DEFAULT"
        try:
            pictures = context.decode(packet)
        except FFmpegError:
            return  # a damaged packet: its slot stays empty
        for picture in pictures:
            if self.index.counted:
                slot = self._count
                self._count += 1
            else:
                slot = self.index.slot(picture.pts)
            # Before the key it landed on, a decoder may give pictures that miss what they build on.
            if slot is not None and slot >= self._floor:
                self._out.append((slot, picture))

    # Landing on a key packet.

    def _land(self, k: int) -> None:
        """Put the cursor right before key ``k``, so that the next packet decoded is that key."""
        pts, dts = (int(v) for v in self.index.keys[k])
        self._floor = self.index.key_slot(k)
        if not self.index.counted:
            # Containers seek by pts or by dts; what worked is tried first next time.
            for by_dts in (self._dts_first, not self._dts_first)[: 1 if pts == dts else 2]:
                if self._seek(dts if by_dts else pts, pts):
                    self._dts_first = by_dts
                    return
        self._reopen()
        if not self.index.counted:
            self._skip_to(pts)

    def _seek(self, stamp: int, pts: int) -> bool:
        try:
            self._container.seek(stamp, stream=self._stream)
        except FFmpegError:
            return False
        self._rewind()
        return self._skip_to(pts)

    def _skip_to(self, pts: int) -> bool:
        """Drop packets before the key with this pts; False when the file position was already past it."""
        for packet in self._packets:
            if packet.is_keyframe and packet.pts is not None and packet.pts >= pts:
                self._held = packet
                return packet.pts == pts
        return False

    def _reopen(self) -> None:
        self._packets.close()
        self._container.close()
        self._container, self._stream = open_video(self._path, self.index.stream, threads=self._threads)
        self._rewind()

    def _rewind(self) -> None:
        """Forget what the decoder held before a seek."""
        self._packets = read_packets(self._container, self._stream)
        self._held: Packet | None = None
        self._out: deque[tuple[int, VideoFrame]] = deque()
        self._ended = False
        self._count = 0
        self._at = self._floor - 1
