"""The document: geometry, tracks, edits, history. No Qt, no torch."""

from __future__ import annotations

from app.model.document import Attribute, AttributeKind, Change, Comment, Document, Label, VideoRef
from app.model.edits import (
    AddTrack,
    Edit,
    EditError,
    Group,
    RemoveTrack,
    SetComment,
    SetFrames,
    SetLabels,
    SetSettings,
    SetTrack,
    SetVideo,
    apply,
)
from app.model.geometry import Box
from app.model.history import History
from app.model.masks import Mask, mask_iou
from app.model.tracks import AttributeValue, Observation, Source, State, Track, unprotected

__all__ = [
    "AddTrack",
    "Attribute",
    "AttributeKind",
    "AttributeValue",
    "Box",
    "Change",
    "Comment",
    "Document",
    "Edit",
    "EditError",
    "Group",
    "History",
    "Label",
    "Mask",
    "Observation",
    "RemoveTrack",
    "SetComment",
    "SetFrames",
    "SetLabels",
    "SetSettings",
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
