"""CocoVID, as mmtracking reads it: COCO with an ``instance_id`` for each annotation, ``frame_id`` from 0.

Every frame is listed, as mmtracking counts the images of a video by their ``frame_id``. Everything else is as in COCO,
and read by the same reader. CocoVID files of others are recognised as COCO.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.formats.coco import CocoFormat, FamilyParams
from app.formats.one_file import first_bytes


class CocoVidFormat(CocoFormat):
    """See the module's text for the conventions, `app.formats.coco.FamilyParams` for the options."""

    id = "coco_vid"
    title = "COCO-VID (mmtracking)"
    params = FamilyParams

    def recognises(self, path: Path) -> bool:
        return b'"flavour":"coco_vid"' in first_bytes(path)

    def every_image(self, params: FamilyParams) -> bool:
        return True

    def head(self, head: dict[str, Any]) -> dict[str, Any]:
        return {**head, "info": {"flavour": self.id, **head["info"]}}

    def annotation(self, note: dict[str, Any]) -> dict[str, Any]:
        return {**note, "instance_id": note["track_id"]}


COCO_VID = CocoVidFormat()
