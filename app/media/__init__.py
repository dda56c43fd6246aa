"""Frame-exact media: packet index, readers, cache and the service that answers a scrubbing view."""

from __future__ import annotations

from app.media.base import Interrupted, Reader
from app.media.frames import Frame, FrameCache, MediaError, MediaInfo
from app.media.index import load_index
from app.media.reader import open_media, probe
from app.media.service import FrameService
from app.media.table import FrameIndex, fingerprint

__all__ = [
    "Frame",
    "FrameCache",
    "FrameIndex",
    "FrameService",
    "Interrupted",
    "MediaError",
    "MediaInfo",
    "Reader",
    "fingerprint",
    "load_index",
    "open_media",
    "probe",
]
