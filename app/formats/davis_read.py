"""Reading DAVIS annotations; the conventions are told in `app.formats.davis`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from app.formats.base import MAX_FRAMES, FormatError
from app.formats.layers import ABSENT
from app.formats.pictures import picture_size
from app.formats.sequence_folder import NOTE, ClipNote, dressed, one_of, read_clip_note, video_of
from app.formats.vot_read import labels_of
from app.model.document import COLOURS, Document
from app.model.masks import Mask
from app.model.tracks import Observation, Source, Track
from app.words import mark, tr
from tracker.api import MaskPatch

VOID = 255
OLD_VOID = 254
MOST_PIXELS = 1 << 26
"""Of a picture of numbers: twice 8K. A file of a few kilobytes can claim more, and looking at all of them costs."""

_NUMBERED = re.compile(r"\d{5,9}\.png", re.ASCII)
_END = re.compile(r"(.*?)(\d{1,8})\.png", re.ASCII)
_FIX = mark("Restore the pictures from the data set.")
_MOST = 2000


def recognises(path: Path) -> bool:
    """Whether ``path`` is, or holds, a folder ``Annotations/.../<clip>`` of numbered PNG; never raises."""
    try:
        return bool(_clips(path)) or bool(loose_masks(path))
    except OSError:
        return False


def read(path: Path) -> Document:
    """The document of one clip: its folder of annotations, or a data set that has no other. Raises `FormatError`.

    Without our note the numbers of objects are their ids.
    """
    if not path.exists():
        raise FormatError(tr("there is no such file or folder"), path, remedy=tr("Choose a DAVIS data set."))
    try:
        loose = loose_masks(path)
        folder = next(iter(loose.values())).parent if loose else one_of(_clips(path), path, "DAVIS")
        files = loose or {int(file.stem): file for file in folder.iterdir() if _NUMBERED.fullmatch(file.name)}
    except OSError as error:
        raise FormatError(
            tr("cannot be read ({error})").format(error=error.strerror or error), path, remedy=tr("Check the path.")
        ) from None
    flat = folder.parent.name == "Annotations"
    root = folder.parent if loose else folder.parents[1 if flat else 2]
    note = read_clip_note(root / NOTE) if not loose else None
    size = (note.width, note.height) if note else picture_size([files[min(files)]])
    if size is None:
        raise FormatError(tr("is no picture"), files[min(files)], remedy=_FIX)
    found: dict[int, dict[int, Mask]] = {}
    for frame, file in sorted(files.items()):
        for number, mask in _objects(file, size):
            found.setdefault(number, {})[frame] = mask
    if note is None and found.keys() == {VOID}:
        found = {1: found[VOID]}  # black and white, as in DAVIS 2016 and from many tools
    doc = Document()
    shown = root / "JPEGImages" / ("" if flat else folder.parent.name) / folder.name
    doc.video = video_of(note, shown, folder.name, max(files) + 1, size)
    for track in _tracks(found, sorted(files), note):
        if track.id in doc.tracks:
            raise FormatError(
                tr("object {id} is there twice").format(id=track.id), root / NOTE, remedy=tr("Correct the note.")
            )
        doc.tracks[track.id] = track
    doc.tracks = dict(sorted(doc.tracks.items()))
    doc.labels = labels_of(doc)
    doc.next_id = max(doc.tracks, default=0) + 1
    return doc


def numbered(pixels: np.ndarray) -> Iterator[tuple[int, Mask]]:
    """The number and the mask of each object in a picture of numbers, (height, width); 0 is none."""
    height, width = pixels.shape
    flat = np.flatnonzero(pixels)
    values = pixels.ravel()[flat]
    order = np.argsort(values, kind="stable")
    flat, values = flat[order], values[order]
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if values.size else np.zeros(0, np.int64)
    for start, stop in zip(starts, np.append(starts, len(values))[1:], strict=True):
        y, x = np.divmod(flat[start:stop], width)
        bits = np.zeros((int(y.max() - y.min()) + 1, int(x.max() - x.min()) + 1), bool)
        bits[y - y.min(), x - x.min()] = True
        yield int(values[start]), Mask.from_patch(MaskPatch(int(x.min()), int(y.min()), bits), height, width)


def read_numbers(path: Path, size: tuple[int, int], modes: tuple[str, ...]) -> np.ndarray:
    """The pixels of a PNG of ``size`` (width, height) in one of Pillow's ``modes``, (height, width) ints.

    Raises `FormatError`.
    """
    from PIL import Image, UnidentifiedImageError  # most of the time nobody needs it

    try:
        with Image.open(path, formats=("PNG",)) as image:
            if size[0] * size[1] > MOST_PIXELS:
                raise FormatError(
                    tr("a picture of {size} x {size2} pixels is not supported").format(size=size[0], size2=size[1]),
                    path,
                    remedy=_FIX,
                )
            if image.size != size:
                what = tr("the picture has {width} x {height} pixels, not {size} x {size2}").format(
                    width=image.width, height=image.height, size=size[0], size2=size[1]
                )
                raise FormatError(what, path, remedy=_FIX)
            if image.mode not in modes:
                what = tr("the picture is in '{mode}', not in {modes}").format(
                    mode=image.mode, modes=" or ".join(modes)
                )
                raise FormatError(what, path, remedy=tr("Save it with its numbers, not in colours."))
            return np.asarray(image)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        raise FormatError(
            tr("is no readable picture ({error})").format(error=str(error)[:60]), path, remedy=_FIX
        ) from None


def _objects(file: Path, size: tuple[int, int]) -> Iterator[tuple[int, Mask]]:
    return numbered(read_numbers(file, size, ("P", "L", "1")).astype(np.uint8))


def _tracks(found: dict[int, dict[int, Mask]], frames: list[int], note: ClipNote | None) -> Iterator[Track]:
    noted = {one.number: one for one in note.objects} if note else {}
    for at, (number, masks) in enumerate(sorted(found.items())):
        void = number == VOID or (number == OLD_VOID and number not in noted and OLD_VOID - 1 not in found)
        track = Track(number, "void" if void else "object", COLOURS[at % len(COLOURS)], ignored=void)
        dressed(track, noted.get(number))
        if not track.ignored:
            track.frames = dict.fromkeys(frames, ABSENT)
        for frame, mask in masks.items():
            track.frames[frame] = Observation(box=mask.box, mask=mask, source=Source.IMPORTED)
        yield track


def loose_masks(path: Path) -> dict[int, Path]:
    """The pictures of masks by frame in a folder outside of a data set, or beside one of them; none if it is no such.

    They are alike but for the number at the end of their names, which is the frame; from 1 on it counts from 1. The
    first one has numbers, or is black and white. Raises OSError.
    """
    path = path.absolute()
    if path.is_file() and path.suffix == ".png":
        path = path.parent
    if not path.is_dir() or "Annotations" in (path.name, *(parent.name for parent in path.parents[:2])):
        return {}
    ends = [(_END.fullmatch(file.name), file) for file in islice(path.glob("*.png"), MAX_FRAMES)]
    if not ends or any(end is None for end, _ in ends) or len({end[1] for end, _ in ends if end}) > 1:
        return {}
    files = {int(end[2]): file for end, file in sorted(ends, key=lambda one: one[1].name) if end}
    first = files[min(files)]
    if len(files) < len(ends) or not _is_mask(first):
        return {}
    shift = int(min(files) == 1 and max(files) == len(files))
    return {number - shift: file for number, file in sorted(files.items())}


def _is_mask(file: Path) -> bool:
    size = picture_size([file])
    try:
        pixels = read_numbers(file, size or (0, 0), ("P", "L", "1"))
    except FormatError:
        return False
    from PIL import Image

    with Image.open(file) as image:
        return image.mode != "L" or len(np.unique(pixels)) <= 2  # else it is a photograph


def _clips(path: Path) -> list[Path]:
    """The folders of clips at ``path``: ``Annotations/<resolution>/<clip>``, or YouTube-VOS' ``Annotations/<clip>``."""
    path = (path.parent if path.is_file() else path).absolute()
    above = [path.name, *(parent.name for parent in path.parents[:2])]
    if "Annotations" in above[1:] and path.is_dir() and _has_numbered(path):
        return [path]
    if above[1] == "Annotations":
        patterns = ["*"]
    else:
        start = "" if above[0] == "Annotations" else "Annotations/"
        patterns = [f"{start}*/*", f"{start}*"]
    for pattern in patterns:
        below = sorted(path.glob(pattern))[:_MOST]
        if found := [one for one in below if one.is_dir() and _has_numbered(one)]:
            return found
    return []


def _has_numbered(folder: Path) -> bool:
    return any(_NUMBERED.fullmatch(file.name) for file in folder.glob("*.png"))
