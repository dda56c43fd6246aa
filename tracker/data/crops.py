"""Reader of the field's crop layout: one square picture per object and frame, target in the middle.

``<root>/<set>.json`` beside ``<root>/crops/<set>/<video>/<frame:06d>.<track:02d>.x.{webp,jpg,png}`` and, where the set
has masks, ``.m.png``; ``crop511`` may stand for ``crops``, and ``vid/train.json`` beside ``vid/crop511/<video>/``, as
pysot has it, is the set ``vid/train``. The JSON is either ``{"size", "exemplar", "masks", "videos": {video: {track:
{frame: [x1, y1, x2, y2]}}}}`` with boxes in crop pixels, or the bare ``videos`` mapping of the usual 511 px layout,
whose boxes are in image pixels and of which only width and height matter (reference E.1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tracker.boxes import context_side

USUAL_SIZE, USUAL_EXEMPLAR = 511, 127
SUFFIXES = (".webp", ".jpg", ".png")


@dataclass(frozen=True)
class CropItem:
    """One object in one frame: stem of its files and its box ``x1, y1, x2, y2`` in crop pixels."""

    stem: Path
    corners: tuple[float, float, float, float]


class CropSet:
    """All crops of one set, grouped by track: ``tracks`` is a list of lists of `CropItem` in frame order.

    ``videos``: the indices into ``tracks`` of each video. Raises `ValueError` naming the file that is wrong.
    """

    def __init__(self, root: Path, name: str, cache: Path | None = None) -> None:
        self.name = name
        path = root / f"{name}.json"
        try:
            data = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: cannot read the crop index ({error})") from error
        videos = data.get("videos", data)
        usual = "videos" not in data
        self.size = USUAL_SIZE if usual else int(data["size"])
        self.exemplar = USUAL_EXEMPLAR if usual else int(data["exemplar"])
        self.tracks: list[list[CropItem]] = []
        self.videos: list[list[int]] = []
        self._row: dict[Path, int] = {}
        folder = self._folder(path)
        for video, tracks in videos.items():
            first = len(self.tracks)
            for track, frames in tracks.items():
                if not track.isdigit():  # remarks of the data set's authors
                    continue
                items = []
                for frame in sorted(frame for frame in frames if frame.isdigit()):
                    corners = self._centred(frames[frame]) if usual else tuple(map(float, frames[frame]))
                    if corners[2] - corners[0] <= 0 or corners[3] - corners[1] <= 0:
                        continue
                    stem = folder / video / f"{int(frame):06d}.{int(track):02d}"
                    self._row[stem] = len(self._row)
                    items.append(CropItem(stem, corners))  # type: ignore[arg-type]
                if items:
                    self.tracks.append(items)
            if len(self.tracks) > first:
                self.videos.append(list(range(first, len(self.tracks))))
        if not self.tracks:
            raise ValueError(f"{path}: names no crop with a box")
        # the usual index does not tell, and sets have masks for all crops or for none
        self.masks = _mask_file(self.tracks[0][0]).exists() if usual else bool(data["masks"])
        self._pixels = self._load_cache(cache) if cache else None

    @staticmethod
    def _folder(index: Path) -> Path:
        """Where the crops of an index lie: the first of the layouts above that exists, else the first."""
        beside = index.parent
        found = [beside / "crops" / index.stem, beside / "crop511" / index.stem, beside / "crop511"]
        return next((folder for folder in found if folder.is_dir()), found[0])

    def _centred(self, box: list[float]) -> tuple[float, ...]:
        w, h = (box[2] - box[0], box[3] - box[1]) if len(box) == 4 else box[:2]
        scale = self.exemplar / context_side(w, h) if w > 0 and h > 0 else 0.0
        middle = self.size / 2
        return (middle - w * scale / 2, middle - h * scale / 2, middle + w * scale / 2, middle + h * scale / 2)

    def _load_cache(self, folder: Path) -> np.ndarray:
        """Decoded pixels as one memory map, made once: decoding costs as much as the augmentation."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name.replace('/', '-')}-{len(self._row)}x{self.size}.npy"
        if not path.exists():
            part = path.with_suffix(".part")
            shape = (len(self._row), self.size, self.size, 3)
            out = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            for stem, row in self._row.items():
                out[row] = self._decode(stem)
            out.flush()
            part.rename(path)
        return np.load(path, mmap_mode="r")

    def _decode(self, stem: Path) -> np.ndarray:
        for suffix in SUFFIXES:
            path = stem.with_name(stem.name + ".x" + suffix)
            if path.exists():
                picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
                if picture is None or picture.shape[:2] != (self.size, self.size):
                    raise ValueError(f"{path}: not a readable picture of {self.size} x {self.size} px")
                return picture
        raise ValueError(f"{stem}.x: the crop named by {self.name}.json is missing")

    def pixels(self, item: CropItem) -> np.ndarray:
        """(size, size, 3) uint8 BGR."""
        return self._decode(item.stem) if self._pixels is None else self._pixels[self._row[item.stem]]

    def mask(self, item: CropItem) -> np.ndarray | None:
        """(size, size) uint8 of 0 and 1, or None where the set has no masks or this file is missing."""
        if not self.masks:
            return None
        mask = cv2.imread(str(_mask_file(item)), cv2.IMREAD_GRAYSCALE)
        return None if mask is None else (mask > 0).astype(np.uint8)


def _mask_file(item: CropItem) -> Path:
    return item.stem.with_name(item.stem.name + ".m.png")
