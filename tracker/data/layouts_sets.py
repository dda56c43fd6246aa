"""Layouts that keep pictures and annotation of a whole data set apart: UAV123, TrackingNet, DAVIS."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tracker.api import MaskPatch
from tracker.data.layouts import covered, flagged, from_one, pictures
from tracker.data.regions import bounding_box
from tracker.data.sequences import Sequence, SequenceError, labelled, read_boxes, read_picture

UAV_ATTRIBUTES = ("SV", "ARC", "LR", "FM", "FOC", "POC", "OV", "BC", "IV", "VC", "CM", "SOB")
"""The columns of UAV123's attribute files, in its paper's abbreviations."""


DAVIS_NOTES = ("db_info.yaml", "db_info.yml")
UAV_GAPS = {"bird1_2": 775, "bird1_3": 1573, "uav1_3": 2473}
"""First picture of the parts that do not follow the part before."""


def _called(name: str, clip: str) -> str:
    return f"{name}/{clip}" if name else clip


class UAV123:
    """``data_seq/UAV123/<clip>/000001.jpg``, ``anno/UAV123/<clip>.txt`` and ``anno/UAV123/att/<clip>.txt``.

    A part of a longer clip (``car1_2``) shares the pictures of ``car1``: each part begins with the last picture of the
    one before it, save those in `UAV_GAPS`. Pixels are counted from 1.
    """

    def matches(self, folder: Path) -> bool:
        return (folder / "anno" / "UAV123").is_dir() and (folder / "data_seq" / "UAV123").is_dir()

    def read(self, folder: Path, name: str) -> list[Sequence]:
        clips = []
        for path in sorted((folder / "anno" / "UAV123").glob("*.txt")):
            truth = from_one(read_boxes(path))
            place, start = self._place(folder, path, len(truth))
            shown = pictures(place)[start:]
            shown = covered(shown if place.name == path.stem else shown[: len(truth)], truth, path, place)
            attributes = flagged(path.parent / "att" / path.name, UAV_ATTRIBUTES)
            clips.append(Sequence(_called(name, path.stem), place, truth, attributes=attributes, pictures=shown))
        return clips

    def _place(self, folder: Path, path: Path, frames: int) -> tuple[Path, int]:
        pool = folder / "data_seq" / "UAV123"
        if (pool / path.stem).is_dir():
            return pool / path.stem, 0
        stem, _, part = path.stem.rpartition("_")
        if not (part.isdigit() and (pool / stem).is_dir()):
            raise SequenceError(f"{pool / path.stem} is missing: {path} describes its {frames} frames.")
        if path.stem in UAV_GAPS:
            return pool / stem, UAV_GAPS[path.stem] - 1
        before = (path.with_name(f"{stem}_{index}.txt") for index in range(1, int(part)))
        return pool / stem, sum(len(read_boxes(other)) - 1 for other in before)


class TrackingNet:
    """``frames/<clip>/0.jpg`` and ``anno/<clip>.txt``; a test clip has the first box alone."""

    def matches(self, folder: Path) -> bool:
        return (folder / "frames").is_dir() and (folder / "anno").is_dir()

    def read(self, folder: Path, name: str) -> list[Sequence]:
        clips = []
        for path in sorted((folder / "anno").glob("*.txt")):
            shown = pictures(folder / "frames" / path.stem)
            truth = read_boxes(path)
            if len(truth) == 1:  # the organisers keep the rest
                truth = np.vstack([truth, np.full((len(shown) - 1, 4), np.nan)])
            truth[~labelled(truth)] = np.nan
            clips.append(Sequence(_called(name, path.stem), folder / "frames" / path.stem, truth, pictures=shown))
        return clips


class DAVIS:
    """``JPEGImages/480p/<clip>/00000.jpg`` and ``Annotations/480p/<clip>/00000.png``: an object for each colour.

    Several objects become clips ``<clip>.1``, ``<clip>.2`` … in the order of their palette index. The development
    kit's ``db_info.yaml``, laid at the root or into ``Annotations/``, names the clips' attributes.
    """

    def matches(self, folder: Path) -> bool:
        return (folder / "JPEGImages").is_dir() and (folder / "Annotations").is_dir()

    def read(self, folder: Path, name: str) -> list[Sequence]:
        sizes = [path.name for path in sorted((folder / "JPEGImages").iterdir()) if path.is_dir()]
        size = "480p" if "480p" in sizes else next(iter(sizes), "")
        place = folder / "Annotations" / size
        clips = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
        notes = [place / file for place in (folder, folder / "Annotations") for file in DAVIS_NOTES]
        known = davis_attributes(next((path for path in notes if path.is_file()), None))
        return [
            sequence
            for path in clips
            for sequence in self._clip(folder / "JPEGImages" / size, path, name, known.get(path.name, frozenset()))
        ]

    def _clip(self, images: Path, masks: Path, name: str, attributes: frozenset[str]) -> list[Sequence]:
        shown = pictures(images / masks.name)
        painted = [masks / f"{path.stem}.png" for path in shown]
        colours = [self._colours(path) if path.is_file() else {} for path in painted]
        every = sorted(set().union(*colours), key=_palette_index)
        clips = []
        for number, colour in enumerate(every, start=1):
            truth = np.array([found.get(colour, (np.nan,) * 4) for found in colours])
            label = _called(name, masks.name) + (f".{number}" if len(every) > 1 else "")
            clips.append(
                Sequence(
                    label,
                    images / masks.name,
                    truth,
                    masks,
                    attributes,
                    pictures=shown,
                    mask_colour=colour,
                    absent=~labelled(truth),
                )
            )
        return clips

    def _colours(self, path: Path) -> dict[tuple[int, int, int], tuple[float, float, float, float]]:
        """The bounding box of each colour but black."""
        image = read_picture(path)
        codes = image.astype(np.int64) @ (1 << 16, 1 << 8, 1)
        boxes = {}
        for code in np.unique(codes[codes > 0]).tolist():
            colour = code >> 16, code >> 8 & 255, code & 255
            boxes[colour] = tuple(map(float, bounding_box(MaskPatch(0, 0, codes == code))))
        return boxes


def davis_attributes(path: Path | None) -> dict[str, frozenset[str]]:
    """The attributes by clip in the list of sequences of DAVIS's ``db_info.yaml``; empty without a file.

    Of that file's YAML this reads what it uses: entries with ``name: X`` and ``attributes: [A, B]`` or a list below.
    Raises `SequenceError` naming the file when it cannot be read or names no sequence.
    """
    if path is None:
        return {}
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"{path} cannot be read: {error}") from error
    entries: list[dict[str, list[str]]] = []
    key, open_ = "", False
    for line in lines:
        found = re.match(r"^(\s*-\s+|\s+)(\w+)\s*:\s*(.*?)\s*(?:#.*)?$", line)
        if found:
            if "-" in found[1]:
                entries.append({})
            key, value = found[2], found[3]
            open_ = value.startswith("[") and "]" not in value
        elif item := re.match(r"^\s*-\s+([\w-]+)\s*$", line):
            value = item[1]
        elif open_:
            value, open_ = line, "]" not in line
        else:
            continue
        if entries and key in ("name", "attributes"):
            entries[-1].setdefault(key, []).extend(re.findall(r"[\w-]+", value))
    out = {one["name"][0]: frozenset(one.get("attributes", ())) for one in entries if one.get("name")}
    if not out:
        raise SequenceError(f"{path} names no sequence: take it from DAVIS's development kit, or take it away.")
    return out


def _palette_index(colour: tuple[int, int, int]) -> int:
    """A BGR colour's index in the palette of PASCAL VOC and DAVIS: its bits are dealt to the channels in turn."""
    blue, green, red = colour
    return sum(
        (value >> (7 - bit) & 1) << (3 * bit + channel)
        for channel, value in enumerate((red, green, blue))
        for bit in range(8)
    )
