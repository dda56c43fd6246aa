"""CocoVID, as mmtracking reads it: COCO with an ``instance_id`` for each annotation, ``frame_id`` from 0.

Everything else is as in COCO, and read by the same reader. CocoVID files of others are recognised as COCO.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.formats.coco import CocoFormat
from app.formats.one_file import first_bytes


class CocoVidFormat(CocoFormat):
    """See the module's text for the conventions, `app.formats.coco.CocoParams` for the options."""

    id = "coco_vid"
    title = "COCO-VID (mmtracking)"

    def recognises(self, path: Path) -> bool:
        return b'"flavour":"coco_vid"' in first_bytes(path)

    def head(self, head: dict[str, Any]) -> dict[str, Any]:
        return {**head, "info": {"flavour": self.id, **head["info"]}}

    def annotation(self, note: dict[str, Any]) -> dict[str, Any]:
        return {**note, "instance_id": note["track_id"]}


COCO_VID = CocoVidFormat()
