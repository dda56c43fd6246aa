"""What a document consists of for a format: the rows of the table in docs/formats.md."""

from __future__ import annotations

from enum import StrEnum

KEPT = "kept"
LOST = "lost"


class Aspect(StrEnum):
    """The parts of a document that a format keeps, rounds or loses; docs/formats.md has a column for each."""

    BOXES = "boxes"
    MASKS = "masks"
    TRACKS = "tracks"
    """Which boxes belong to one object, and its number."""
    LABELS = "labels"
    """Names and colours of the classes."""
    STATES = "states"
    """Occluded, out of view, lost."""
    SOURCE = "source"
    """Manual, tracker, interpolated, imported."""
    VERIFIED = "verified"
    """Verified frames and keyframes."""
    SCORE = "score"
    ATTRIBUTES = "attributes"
    COVER = "cover"
    IGNORED = "ignored regions"
    COMMENTS = "comments"
    VIDEO = "video"
    """Length, size, rate and name of the clip."""
    UNLABELLED = "unlabelled frames"
    """Frames that nobody looked at stay different from frames in which the object is absent."""
