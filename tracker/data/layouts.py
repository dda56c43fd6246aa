"""Layouts with one folder for each clip and boxes beside the pictures: OTB, LaSOT, GOT-10k.

OTB and LaSOT count pixels from 1, which is undone here; GOT-10k's numbers are taken as they stand, as its own toolkit
does.
"""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

import numpy as np

from tracker.data.sequences import Sequence, SequenceError, labelled, read_boxes

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
OTB_STARTS = {"David": 300, "BlurCar1": 247, "BlurCar3": 3, "BlurCar4": 18}
"""First annotated picture of the OTB clips whose ground truth begins later than their pictures."""
OTB_SHORT = frozenset({"Diving", "Football1", "Freeman3", "Freeman4"})
"""The OTB clips whose ground truth ends before their pictures."""
LASOT_ATTRIBUTES = ("IV", "POC", "DEF", "MB", "CM", "ROT", "BC", "VC", "SV", "FOC", "FM", "OV", "LR", "ARC")
"""The columns of LaSOT's attribute files, as its toolkit names them."""


def pictures(folder: Path) -> tuple[Path, ...]:
    """The pictures in a folder by number. Raises `SequenceError` when there is none."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES] if folder.is_dir() else []
    if not found:
        raise SequenceError(f"{folder} holds no pictures: unpack the data set's frames there.")
    return tuple(sorted(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.stem)] or [0]))


def covered(shown: tuple[Path, ...], truth: np.ndarray, path: Path, folder: Path) -> tuple[Path, ...]:
    """``shown``, when each line of the annotation ``path`` has its picture. Raises `SequenceError` naming both."""
    if len(shown) != len(truth):
        raise SequenceError(
            f"{path} has {len(truth)} lines, but {folder} holds {len(shown)} pictures for them: restore what is "
            "missing, or take away what does not belong to the clip."
        )
    return shown


def flagged(path: Path, names: tuple[str, ...]) -> frozenset[str]:
    """The attributes that a file sets to 1, one number for each of ``names``; none when there is no such file."""
    if not path.is_file():
        return frozenset()
    return frozenset(name for name, flag in zip(names, numbers(path, len(names)), strict=True) if flag > 0)


def numbers(path: Path, frames: int) -> np.ndarray:
    """One number per frame, by lines or commas: (frames,) float64. Raises `SequenceError` naming file and line."""
    try:
        words = [
            (number, word)
            for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1)
            for word in re.split(r"[,;\s]+", line.strip(" ,;\t"))
            if word
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"{path} cannot be read: {error}") from error
    values = np.empty(len(words))
    for index, (number, word) in enumerate(words):
        try:
            values[index] = float(word)
        except ValueError:
            raise SequenceError(f"{path}, line {number}: expected a number but found “{word[:40]}”.") from None
    if len(values) != frames:
        raise SequenceError(f"{path} has {len(values)} values for {frames} frames: restore it from the data set.")
    return values


def from_one(boxes: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) whose pixels are counted from 1, in ours; rows without a box become nan."""
    out = boxes - (1, 1, 0, 0)
    out[~labelled(boxes)] = np.nan
    return out


class OTBClip:
    """``img/0001.jpg`` and ``groundtruth_rect.txt``; clips with several objects have ``groundtruth_rect.1.txt`` …

    ``attrs.txt``, where it was laid beside them, names the clip's attributes.
    """

    def matches(self, folder: Path) -> bool:
        return bool(self._truths(folder)) and (folder / "img").is_dir()

    def read(self, folder: Path, name: str) -> list[Sequence]:
        found = pictures(folder / "img")
        attributes = self._attributes(folder / "attrs.txt")
        clips = []
        for path in self._truths(folder):
            truth = from_one(read_boxes(path))
            start = OTB_STARTS.get(folder.name, 1) if len(found) > len(truth) else 1
            cut = start > 1 or folder.name in OTB_SHORT
            shown = covered(found[start - 1 :][: len(truth)] if cut else found, truth, path, folder / "img")
            number = path.stem.removeprefix("groundtruth_rect").strip(".")
            label = (name or folder.name) + (f".{number}" if number else "")
            clips.append(Sequence(label, folder / "img", truth, attributes=attributes, pictures=shown))
        return clips

    def _attributes(self, path: Path) -> frozenset[str]:
        try:
            content = path.read_text("utf-8-sig") if path.is_file() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise SequenceError(f"{path} cannot be read: {error}") from error
        words = [word for word in re.split(r"[,;\s]+", content) if word]
        if wrong := next((word for word in words if not re.fullmatch(r"[A-Za-z][\w-]{0,30}", word)), None):
            raise SequenceError(f"{path}: expected names of attributes such as “IV, OCC” but found “{wrong[:40]}”.")
        return frozenset(words)

    def _truths(self, folder: Path) -> list[Path]:
        return [path for path in sorted(folder.glob("groundtruth_rect*.txt")) if path.stat().st_size]


class LaSOT:
    """``img/00000001.jpg``, ``groundtruth.txt``, ``full_occlusion.txt``, ``out_of_view.txt``: absent is either.

    ``att/<clip>.txt`` or ``annos/att/<clip>.txt`` of its toolkit, laid beside the clips or their classes, holds the
    clip's attributes.
    """

    def matches(self, folder: Path) -> bool:
        return (folder / "groundtruth.txt").is_file() and (folder / "out_of_view.txt").is_file()

    def read(self, folder: Path, name: str) -> list[Sequence]:
        truth = from_one(read_boxes(folder / "groundtruth.txt"))
        flags = {}
        for word in ("full_occlusion", "out_of_view"):
            path = folder / f"{word}.txt"
            if path.is_file():
                flags[word] = numbers(path, len(truth)) > 0
        absent = np.logical_or.reduce(list(flags.values()))
        shown = covered(pictures(folder / "img"), truth, folder / "groundtruth.txt", folder / "img")
        places = (root / att for root in (folder.parent, folder.parent.parent) for att in ("att", "annos/att"))
        note = next((path for place in places if (path := place / f"{folder.name}.txt").is_file()), folder / "att.txt")
        return [
            Sequence(
                name or folder.name,
                folder / "img",
                truth,
                attributes=flagged(note, LASOT_ATTRIBUTES),
                pictures=shown,
                absent=absent,
                frame_attributes=flags,
            )
        ]


class GOT10k:
    """Pictures beside ``groundtruth.txt`` and ``absence.label``, ``cover.label`` (eighths), ``cut_by_image.label``,
    ``meta_info.ini``. A test clip has the first box alone.
    """

    def matches(self, folder: Path) -> bool:
        marks = ("absence.label", "cover.label", "cut_by_image.label", "meta_info.ini")
        return (folder / "groundtruth.txt").is_file() and any((folder / mark).is_file() for mark in marks)

    def read(self, folder: Path, name: str) -> list[Sequence]:
        shown = pictures(folder)
        truth = read_boxes(folder / "groundtruth.txt")
        if len(truth) == 1:  # the organisers keep the rest
            truth = np.vstack([truth, np.full((len(shown) - 1, 4), np.nan)])
        truth[~labelled(truth)] = np.nan
        columns = {}
        for mark in ("absence", "cover", "cut_by_image"):
            if (path := folder / f"{mark}.label").is_file():
                columns[mark] = numbers(path, len(truth))
        absent = columns["absence"] > 0 if "absence" in columns else None
        cover = columns["cover"] / 8 if "cover" in columns else None
        flags = {"cut_by_image": columns["cut_by_image"] > 0} if "cut_by_image" in columns else {}
        return [
            Sequence(
                name or folder.name,
                folder,
                truth,
                None,
                self._classes(folder / "meta_info.ini"),
                shown,
                absent=absent,
                cover=cover,
                frame_attributes=flags,
            )
        ]

    def _classes(self, path: Path) -> frozenset[str]:
        parser = ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
        except (ConfigError, UnicodeDecodeError) as error:
            raise SequenceError(f"{path} cannot be read: {error}") from error
        section = parser["METAINFO"] if parser.has_section("METAINFO") else {}
        return frozenset(f"{key}: {section[key]}" for key in ("object_class", "motion_class") if key in section)
