"""Frames of a video as files: exactly the wanted ones, as pictures numbered like a data set, or as a clip.

Beside the pictures lies ``frames.csv``, beside a clip ``<clip>.frames.csv``: which file, or which frame of the clip, is
which frame of the video, and its time in seconds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import av
import msgspec
import numpy as np
from av.error import FFmpegError

from app.formats import atomic
from app.formats.names import stem
from app.media import Frame, Reader, open_media
from app.model.document import Document, VideoRef
from app.words import tr
from app.work.errors import SessionError

NUMBERINGS: dict[str, tuple[str, int]] = {
    "plain": ("{:06d}", 0),
    "vot": ("{:08d}", 1),
    "lasot": ("{:08d}", 1),
    "got10k": ("{:08d}", 1),
    "otb": ("{:04d}", 1),
    "uav123": ("{:06d}", 1),
    "trackingnet": ("{}", 0),
    "mot": ("{:06d}", 1),
    "coco": ("{:08d}", 0),
    "davis": ("{:05d}", 0),
    "youtube-vis": ("{:05d}", 0),
    "yolo": ("{clip}_{:06d}", 0),
    "voc": ("{clip}_{:06d}", 0),
}
"""How data sets name the pictures of a clip: the pattern, and the number of the first frame."""

_TABLE = "frames.csv"
_BT601, _LIMITED = 6, 1  # FFmpeg's numbers for the colours that `_picture` makes

OpenReader = Callable[[Path], AbstractContextManager[Reader]]


class FrameParams(msgspec.Struct, frozen=True, kw_only=True):
    """How frames are written."""

    kind: Annotated[
        Literal["jpg", "png", "mp4"],
        msgspec.Meta(title="Write as", description="JPEG pictures, PNG pictures (exact), or one clip (H.264)"),
    ] = "jpg"
    numbering: Annotated[
        Literal[
            "plain",
            "vot",
            "lasot",
            "got10k",
            "otb",
            "uav123",
            "trackingnet",
            "mot",
            "coco",
            "davis",
            "youtube-vis",
            "yolo",
            "voc",
        ],
        msgspec.Meta(title="Numbering", description="Name the pictures as this data set does; plain counts from 0"),
    ] = "plain"
    quality: Annotated[int, msgspec.Meta(title="JPEG quality", ge=1, le=100)] = 95
    rate: Annotated[
        float, msgspec.Meta(title="Rate", description="Frames per second of a clip; 0 for the video's", ge=0, le=1000)
    ] = 0.0


class FrameReport(msgspec.Struct, frozen=True):
    """What was written. ``out``: the folder or the clip; ``table``: which frame is which."""

    out: Path
    table: Path
    frames: int


def wanted(doc: Document | None, count: int, frames: str = "labelled", every: int = 1) -> list[int]:
    """The frames that a text names, ascending: ``labelled``, ``keyframes``, ``all``, or ranges like ``0-99,120``.

    ``count``: frames of the video; ranges count from 0, both ends inside. ``every``: keep each n-th of them. Raises
    `SessionError` for anything else, for frames outside the video, and when nothing is left.
    """
    if every < 1:
        raise SessionError(tr("Every {every}th frame cannot be had; give 1 or more").format(every=every))
    if frames == "all":
        chosen: Sequence[int] = range(count)
    elif frames in ("labelled", "keyframes"):
        if doc is None:
            raise SessionError(
                tr("There are no labels to say which frames are {frames}; give a project, or other frames").format(
                    frames=frames
                )
            )
        tracks = doc.tracks.values()
        found = {f for track in tracks for f in (track.frames if frames == "labelled" else track.keyframes())}
        chosen = sorted(frame for frame in found if frame < count)
    else:
        chosen = sorted({frame for part in frames.split(",") for frame in _range(part.strip(), count)})
    if not chosen:
        raise SessionError(
            tr("There are no frames to write: none of the {count} is “{frames}”").format(count=count, frames=frames)
        )
    return list(chosen[::every])


def export_frames(
    media: Path, out: Path, frames: Sequence[int], params: FrameParams, open_reader: OpenReader = open_media
) -> Generator[float, None, FrameReport]:
    """Write the frames of ``media`` (ascending) to the folder, or the clip, ``out``; yields progress in 0..1.

    Opens the video itself, in the thread that walks the generator; closing it cancels and cleans up, and an earlier
    export stays until the new one is complete. Raises `SessionError`, and `MediaError` for a frame that cannot be
    decoded.
    """
    out = out.expanduser().absolute()
    _guard(media.absolute(), out, params)
    try:
        if params.kind == "mp4":
            return (yield from _clip(media, out, frames, params, open_reader))
        return (yield from _pictures(media, out, frames, params, open_reader))
    except (FFmpegError, OSError) as error:
        why = getattr(error, "strerror", None) or error
        raise SessionError(
            tr("The frames cannot be written to {out} ({why}); check the free space and the folder").format(
                out=out, why=why
            )
        ) from error


def _range(text: str, count: int) -> range:
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text, re.ASCII)
    if not found:
        raise SessionError(
            tr("“{text}” names no frames; give labelled, keyframes, all, or ranges like 0-99,120").format(text=text)
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if not first <= last < count:
        raise SessionError(
            tr("The frames {text} are not all in the video, which has frames 0 to {count}").format(
                text=text, count=count - 1
            )
        )
    return range(first, last + 1)


def _guard(media: Path, out: Path, params: FrameParams) -> None:
    """Refuse what would destroy anything but an earlier export."""
    if out == media.resolve() or out in media.resolve().parents:
        raise SessionError(tr("Writing to {out} would overwrite the video; choose another place").format(out=out))
    if params.kind == "mp4":
        if out.suffix.lower() != ".mp4":
            raise SessionError(tr("The clip {out} has to end in .mp4").format(out=out))
        if out.is_dir() or (out.exists() and not _table_of(out).exists()):
            raise SessionError(
                tr("{out} exists and is no clip of an earlier export; choose another name").format(out=out)
            )
    elif out.exists():
        if not out.is_dir():
            raise SessionError(tr("{out} is a file; the pictures need a folder").format(out=out))
        if strangers := {entry.name for entry in out.iterdir()} - _ours(out / _TABLE):
            raise SessionError(
                tr("{out} holds “{strangers}”, which no earlier export wrote; choose another folder").format(
                    out=out, strangers=min(strangers)
                )
            )


def _ours(table: Path) -> set[str]:
    """The files of an earlier export, as its table says; none without one."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return {row["file"] for row in csv.DictReader(file)} | {_TABLE}
    except (OSError, ValueError, KeyError, csv.Error):
        return set()


def _table_of(clip: Path) -> Path:
    return clip.with_name(f"{clip.name}.{_TABLE}")


def _pictures(
    media: Path, out: Path, frames: Sequence[int], params: FrameParams, open_reader: OpenReader
) -> Generator[float, None, FrameReport]:
    import cv2  # half a second to import

    pattern, first = NUMBERINGS[params.numbering]
    clip = stem(VideoRef(str(media), "", 0, 0, 0, 0.0))
    options = [cv2.IMWRITE_JPEG_QUALITY, params.quality] if params.kind == "jpg" else []
    rows = ["file,frame,seconds"]
    with atomic.staging(out) as part, open_reader(media) as reader:
        part.mkdir()
        for number, index in enumerate(frames):
            frame = reader.get(index)
            name = f"{pattern.format(index + first, clip=clip)}.{params.kind}"
            good, data = cv2.imencode(f".{params.kind}", frame.image, options)
            if not good:
                raise SessionError(
                    tr("Frame {index} cannot be written as {kind}").format(index=index, kind=params.kind)
                )
            (part / name).write_bytes(data.tobytes())
            rows.append(f"{name},{index},{frame.time:.6f}")
            yield (number + 1) / (len(frames) + 1)
        atomic.write_bytes(part / _TABLE, _text(rows))
        atomic.put_in_place(part, out)
    return FrameReport(out, out / _TABLE, len(frames))


def _clip(
    media: Path, out: Path, frames: Sequence[int], params: FrameParams, open_reader: OpenReader
) -> Generator[float, None, FrameReport]:
    """A clip at constant rate; sides of odd length get one more row or column, as H.264 needs."""
    table = _table_of(out)
    rows = ["clip_frame,frame,seconds"]
    with atomic.staging(out) as part, atomic.staging(table) as table_part:
        with open_reader(media) as reader, av.open(str(part), "w", format="mp4") as container:
            info = reader.info
            rate = Fraction(params.rate or info.fps or 25).limit_denominator(1001)
            stream = container.add_stream("libx264", rate=rate)
            stream.width, stream.height = info.width + info.width % 2, info.height + info.height % 2
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "14", "preset": "fast"}
            stream.codec_context.colorspace, stream.codec_context.color_range = _BT601, _LIMITED
            for number, index in enumerate(frames):
                frame = reader.get(index)
                container.mux(stream.encode(_picture(frame)))
                rows.append(f"{number},{index},{frame.time:.6f}")
                yield 0.95 * (number + 1) / len(frames)
            container.mux(stream.encode(None))
        with open_media(part) as written:
            if written.info.frames != len(frames):
                what = f"{written.info.frames} of {len(frames)} frames"
                raise SessionError(
                    tr("The clip reads back with {what}; this is a fault of SiamLabel or of the disk").format(what=what)
                )
        atomic.write_bytes(table_part, _text(rows))
        atomic.put_in_place(part, out)
        atomic.put_in_place(table_part, table)
    return FrameReport(out, table, len(frames))


def _picture(frame: Frame) -> av.VideoFrame:
    """The frame as the encoder takes it. OpenCV converts the colours: FFmpeg's own way darkens them by two levels."""
    import cv2

    height, width = frame.image.shape[:2]
    padded = np.pad(frame.image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return av.VideoFrame.from_ndarray(np.asarray(cv2.cvtColor(padded, cv2.COLOR_BGR2YUV_I420), np.uint8), "yuv420p")


def _text(rows: list[str]) -> bytes:
    return ("\n".join(rows) + "\n").encode()
