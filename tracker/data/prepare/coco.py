"""COCO: ``annotations/instances_<split>2017.json`` beside ``<split>2017/*.jpg``; stills with masks."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from tracker.data.prepare.films import Picture, PrepareError, Thing, folder, text


@dataclass(frozen=True)
class CocoPicture:
    """One picture. ``objects``: box ``x, y, w, h`` and outline (polygons or run lengths) of each."""

    name: str
    path: Path
    size: tuple[int, int]
    """Height and width."""
    objects: tuple[tuple[tuple[float, ...], Any], ...]

    def pictures(self) -> Iterator[Picture]:
        things = []
        for number, ((x, y, w, h), outline) in enumerate(self.objects):
            things.append(Thing(number, (x, y, x + w, y + h), self._mask(outline)))
        yield Picture(0, self.path, tuple(things))

    def _mask(self, outline: Any) -> np.ndarray:
        try:
            runs = coco_mask.frPyObjects(outline, *self.size)
            merged = coco_mask.merge(runs) if isinstance(runs, list) else runs
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)  # with NumPy 2
                return coco_mask.decode(merged).astype(bool)  # type: ignore[arg-type]
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise PrepareError(f"{self.path}: an outline in COCO's annotations is damaged ({error}).") from error


def films(source: Path, split: str) -> list[CocoPicture]:
    """Every picture with an object that is no crowd: a crowd's box is not one object's. Raises `PrepareError`."""
    subset = f"{split}2017"
    index = source / "annotations" / f"instances_{subset}.json"
    images = folder(source / subset, "COCO's pictures")
    try:
        data = json.loads(text(index))
        objects: dict[int, list[tuple[tuple[float, ...], Any]]] = {}
        for item in data["annotations"]:
            if not item.get("iscrowd"):
                x, y, w, h = (float(v) for v in item["bbox"])
                objects.setdefault(item["image_id"], []).append(((x, y, w, h), item["segmentation"]))
        found = [
            CocoPicture(
                f"{subset}/{Path(image['file_name']).stem}",
                images / image["file_name"],
                (image["height"], image["width"]),
                tuple(objects[image["id"]]),
            )
            for image in data["images"]
            if image["id"] in objects
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise PrepareError(f"{index} is not COCO's instances file ({error!r}); unpack it again.") from error
    return found
