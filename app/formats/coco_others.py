"""What other tools mean by their COCO files, where that is more or less than the fields say.

- CVAT gives masks as run lengths with ``iscrowd`` 1, whatever they are, and turned boxes as they were before, with the
  angle among the attributes. ``keyframe`` says where it interpolated. Frames of a video are called ``frame_000012``.
- Roboflow lists the whole data set as a category 0, of which nothing is, and its pictures in no order; ``extra.name``
  is what they were called before.
- Label Studio puts eight random digits before the name of a picture.
- VIA has a flat list of numbers for a polygon, and numbers as texts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.formats.names import first_stem
from app.model.tracks import Source

_CVAT = re.compile(r"frame_(\d{6,8})", re.ASCII)
_NUMBERED = re.compile(r"(.*?)(\d{1,15})(\D*)", re.ASCII)


def by_cvat(attributes: Mapping[str, Any]) -> bool:
    """Whether an annotation has the attributes that CVAT gives to every one, and none of ours."""
    return "occluded" in attributes and "source" not in attributes and "state" not in attributes


def source_of(attributes: Mapping[str, Any]) -> Source:
    """Who made the box of another tool's annotation: CVAT tells those that it put between keyframes."""
    between = by_cvat(attributes) and attributes.get("keyframe") is False
    return Source.INTERPOLATED if between else Source.IMPORTED


def crowd(iscrowd: int | None, segmentation: Any, attributes: Mapping[str, Any]) -> bool:
    """Whether an annotation is one of a region to ignore."""
    return bool(iscrowd) and not (isinstance(segmentation, dict) and by_cvat(attributes))


def rotation(attributes: Mapping[str, Any]) -> float:
    """Degrees by which CVAT's box is turned about its centre; 0 for those of others."""
    angle = attributes.get("rotation")
    if not by_cvat(attributes) or isinstance(angle, bool) or not isinstance(angle, int | float):
        return 0.0
    return float(angle) if abs(angle) < 1e6 else 0.0


def root_of(categories: Sequence[tuple[int, str, Any]], used: Collection[int]) -> int | None:
    """The id of the category that is the whole data set; None without one. ``categories``: id, name, supercategory."""
    above = {parent for number, _, parent in categories if number != 0}
    return next(
        (number for number, name, _ in categories if number == 0 and number not in used and name in above), None
    )


def first_name(file_name: str, extra: Any) -> str:
    """The name of a picture, before Roboflow gave it another."""
    before = extra.get("name") if isinstance(extra, dict) else None
    return before if isinstance(before, str) else file_name


def frames_of(names: Sequence[str]) -> list[int]:
    """The frame of each picture by its name, for a list that does not tell frames.

    CVAT's names say it. Names that are alike but for one number are in its order; others are in the order they come.
    """
    stems = [first_stem(name) for name in names]
    told = [_CVAT.fullmatch(stem) for stem in stems]
    if None not in told:
        numbers = [int(one[1]) for one in told if one is not None]
        if len(set(numbers)) == len(numbers):
            return numbers
    parts = [_NUMBERED.fullmatch(stem) for stem in stems]  # the last number in a name counts
    alike = {(one[1], one[3]) for one in parts if one is not None}
    if None in parts or len(alike) > 1:
        return list(range(len(names)))
    numbers = [int(one[2]) for one in parts if one is not None]
    place = {number: at for at, number in enumerate(sorted(set(numbers)))}
    return [place[number] for number in numbers] if len(place) == len(numbers) else list(range(len(names)))
