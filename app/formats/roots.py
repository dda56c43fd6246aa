"""Data sets by what lies in each of their folders: which sequences a folder holds, their labels and their pictures.

A name says which data set a folder may be of; that format itself then says whether it is, and where the pictures are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.formats import vot_read
from app.formats.base import FormatError, get
from app.formats.davis_read import recognises as is_davis
from app.formats.got10k import GOT10K
from app.formats.lasot import LASOT
from app.formats.mot_read import recognises as is_mot
from app.formats.mots_read import recognises as is_mots
from app.formats.otb import OTB
from app.formats.single import SingleFormat
from app.formats.trackingnet import TRACKINGNET
from app.formats.uav123 import UAV123

_NUMBERED = re.compile(r"\d+\.png")


@dataclass(frozen=True)
class Sequence:
    """One clip of a data set. ``labels``: what to read with the format of this id; ``pictures``: where its frames are
    if they are there at all; ``folder``: where else to look for them, None for nowhere."""

    format: str
    labels: Path
    pictures: Path
    folder: Path | None = None


def sequences(folder: Path, files: Collection[str], folders: Collection[str]) -> Iterator[Sequence]:
    """The sequences whose labels lie in ``folder`` itself, which holds these ``files`` and ``folders`` by name.

    Never raises: what cannot be read is no sequence.
    """
    try:
        yield from _sequences(folder, files, folders)
    except (OSError, FormatError, ValueError):
        return


def _sequences(folder: Path, files: Collection[str], folders: Collection[str]) -> Iterator[Sequence]:
    truths = [name for name in files if name.startswith("groundtruth") and name.endswith(".txt")]
    if any(name.startswith("groundtruth_rect") for name in truths):
        if any(True for _ in OTB.find(folder)):
            one = len([name for name in truths if name.startswith("groundtruth_rect")]) == 1
            yield Sequence("otb", folder / truths[0] if one else folder, folder / "img", folder)
        return
    if truths:
        yield from _single(folder)
        return
    if "gt" in folders and (truth := folder / "gt" / "gt.txt").is_file():
        name = "mot" if is_mot(truth) else "mots" if is_mots(truth) else ""
        if name:
            yield Sequence(name, truth, folder / "img1", folder)
        return
    above = folder.parent
    if (above.name == "Annotations" or above.parent.name == "Annotations") and any(map(_NUMBERED.fullmatch, files)):
        if is_davis(folder):
            root, part = (above.parent, "") if above.name == "Annotations" else (above.parent.parent, above.name)
            yield Sequence("davis", folder, root / "JPEGImages" / part / folder.name)
        return
    if above.name == "instances" and any(map(_NUMBERED.fullmatch, files)) and is_mots(folder):
        places = [above.parent / name / folder.name for name in ("images", "image_02", "training/image_02")]
        yield Sequence("mots", folder, next((place for place in places if place.is_dir()), places[0]))
    elif folder.name == "UAV123" and above.name == "anno":
        yield from _listed(UAV123, folder, files)
    elif folder.name == "anno" and "frames" in {one.name for one in above.iterdir()}:
        yield from _listed(TRACKINGNET, folder, files)


def _single(folder: Path) -> Iterator[Sequence]:
    """Of the data sets that call their labels ``groundtruth.txt``; the marks beside it tell them apart."""
    truth = folder / "groundtruth.txt"
    for known in (LASOT, GOT10K):
        for spot in known.find(truth) if truth.is_file() else ():
            yield Sequence(known.id, truth, spot.pictures, folder)
            return
    if vot_read.recognises(folder) and not (folder / "list.txt").is_file():
        yield Sequence("vot", folder, folder / "color", folder)


def _listed(known: SingleFormat, folder: Path, files: Collection[str]) -> Iterator[Sequence]:
    for name in files:
        for spot in known.find(folder / name):
            yield Sequence(known.id, folder / name, spot.pictures)


def title(format_id: str) -> str:
    """What to call a format; its id when it is not there any more."""
    try:
        return get(format_id).title
    except FormatError:
        return format_id
