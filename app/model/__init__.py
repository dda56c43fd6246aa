"""The document: geometry, tracks, edits, history. No Qt, no torch."""

from __future__ import annotations

from app.model.document import Change, Document, Label, VideoRef
from app.model.edits import (
    AddTrack,
    Edit,
    EditError,
    Group,
    RemoveTrack,
    SetFrames,
    SetLabels,
    SetTrack,
    SetVideo,
    apply,
)
from app.model.geometry import Box
from app.model.history import History
from app.model.masks import Mask, mask_iou
from app.model.tracks import Observation, Source, State, Track, unprotected

__all__ = [
    "AddTrack",
    "Box",
    "Change",
    "Document",
    "Edit",
    "EditError",
    "Group",
    "History",
    "Label",
    "Mask",
    "Observation",
    "RemoveTrack",
    "SetFrames",
    "SetLabels",
    "SetTrack",
    "SetVideo",
    "Source",
    "State",
    "Track",
    "VideoRef",
    "apply",
    "mask_iou",
    "unprotected",
]
