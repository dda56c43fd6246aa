"""TAO: COCO with videos and tracks; ``frame_index`` counts from 0, the name of the video stands with every image.

Nothing is said to be missing from the video (``neg_category_ids``) and everything counts as labelled
(``not_exhaustive_category_ids`` is empty). TAO takes every annotation for an object: those of ignored regions stand in
``siamlabel_ignored``, where others do not see them. TAO files of others are recognised as COCO, which has the same
reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.formats.base import Aspect
from app.formats.coco import CocoFormat
from app.formats.one_file import first_bytes
from app.model.tracks import Track


class TaoFormat(CocoFormat):
    """See the module's text for the conventions, `app.formats.coco.CocoParams` for the options."""

    id = "tao"
    title = "TAO"
    holds: Mapping[Aspect, str] = {**CocoFormat.holds, Aspect.IGNORED: "under siamlabel_ignored; TAO has none"}

    def recognises(self, path: Path) -> bool:
        return b'"flavour":"tao"' in first_bytes(path)

    def apart(self, track: Track) -> bool:
        return track.ignored

    def head(self, head: dict[str, Any]) -> dict[str, Any]:
        more = {"neg_category_ids": [], "not_exhaustive_category_ids": [], "metadata": {"dataset": "SiamLabel"}}
        videos = [{**video, **more} for video in head["videos"]]
        categories = [{**category, "synset": category["name"]} for category in head["categories"]]
        info = {"flavour": self.id, **head["info"]}
        return {**head, "info": info, "videos": videos, "categories": categories}

    def image(self, image: dict[str, Any]) -> dict[str, Any]:
        return {**image, "frame_index": image["frame_id"]}


TAO = TaoFormat()
