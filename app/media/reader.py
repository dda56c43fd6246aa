"""Opening media: one door for video files, image folders and single images."""

from __future__ import annotations

from pathlib import Path

from app.media.base import Reader
from app.media.frames import MediaError, MediaInfo
from app.media.images import ImageReader, is_image
from app.media.index import Progress, load_index
from app.media.video import VideoReader
from app.words import tr

REVERSE_BYTES = 192 << 20
"""Decoded pictures that `Reader.iter` may hold on to when it walks backwards (some 60 at 1080p)."""


def open_media(
    path: str | Path,
    cache_dir: str | Path | None = None,
    *,
    reverse_bytes: int = REVERSE_BYTES,
    progress: Progress | None = None,
) -> Reader:
    """Open a video file, a folder of images or one image; the calling thread owns the reader.

    ``cache_dir``: where frame tables are kept between runs; without it every opening reads the whole file's packets.
    ``progress``: told 0 to 1 while a table is made; may raise to cancel. Raises `MediaError`.
    """
    path = Path(path)
    if not path.exists():
        raise MediaError(
            tr("{path} does not exist. Was it moved, renamed, or is its drive not connected?").format(path=path)
        )
    if path.is_dir() or is_image(path):
        return ImageReader(path)
    return VideoReader(path, load_index(path, cache_dir, progress), reverse_bytes)


def probe(path: str | Path, cache_dir: str | Path | None = None, *, progress: Progress | None = None) -> MediaInfo:
    """What is known of a video file or image folder; opens and closes it. Raises `MediaError`."""
    with open_media(path, cache_dir, progress=progress) as reader:
        return reader.info


__all__ = ["MediaError", "MediaInfo", "Reader", "open_media", "probe"]
