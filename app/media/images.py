"""Frames from a folder of images, or from a single image."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from app.media.base import Reader, reason
from app.media.frames import Frame, MediaError, MediaInfo
from app.media.table import fingerprint
from app.words import tr

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jp2"})
_FPS = 25.0  # images have no clock; this is the speed of play
_SAMPLED = 16  # images whose size is compared when a folder is opened; the rest are compared when they are read


def is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def natural_key(name: str) -> tuple[object, ...]:
    """Sorts ``frame2`` before ``frame10``, letters without regard to case; equal keys fall back to the plain name."""
    parts = re.split(r"(\d+)", name.casefold())
    return (tuple((int(p), "") if p.isdecimal() else (-1, p) for p in parts), name)


def list_images(folder: Path) -> list[Path]:
    """The images right inside ``folder`` in natural order. Raises `MediaError` when there are none."""
    try:
        found = [p for p in folder.iterdir() if is_image(p) and not p.name.startswith(".") and p.is_file()]
    except OSError as e:
        raise MediaError(
            tr("{folder} cannot be read: {e}. Check its permissions and its drive.").format(folder=folder, e=reason(e))
        ) from e
    if not found:
        kinds = ", ".join(sorted(s[1:] for s in IMAGE_SUFFIXES))
        raise MediaError(
            tr("{folder} holds no images ({kinds}). Choose the folder that has the frames right inside it.").format(
                folder=folder, kinds=kinds
            )
        )
    return sorted(found, key=lambda p: natural_key(p.name))


class ImageReader(Reader):
    """The images of a folder in natural order of their names, as displayed (EXIF orientation applied), 8-bit BGR."""

    def __init__(self, path: Path) -> None:
        """``path``: a folder or one image. Raises `MediaError` when there is none, or sizes differ."""
        super().__init__()
        self.files = list_images(path) if path.is_dir() else [path]
        mark = fingerprint(path)
        n = len(self.files)
        height, width = _read(self.files[0]).shape[:2]
        self.info = MediaInfo(
            path=path, frames=n, width=width, height=height, fps=_FPS, times=np.arange(n) / _FPS, kind="images",
            codec=self.files[0].suffix[1:].lower(), fingerprint=mark,
        )  # fmt: skip
        for i in sorted({round(i * (n - 1) / _SAMPLED) for i in range(1, _SAMPLED + 1)} - {0}):
            self._get(i)

    def _get(self, i: int) -> Frame:
        file = self.files[i]
        image = _read(file)
        height, width = image.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            raise MediaError(
                tr(
                    "{file} is {width} x {height} pixels, but {files} is {width2} x {height2}. Frames of one "
                    "video have one size: put images of other sizes into another folder."
                ).format(
                    file=file.name,
                    width=width,
                    height=height,
                    files=self.files[0].name,
                    width2=self.info.width,
                    height2=self.info.height,
                )
            )
        image.flags.writeable = False
        return Frame(i, float(self.info.times[i]), image)


def _read(file: Path) -> np.ndarray:
    import cv2  # here, so that opening videos does not pay for it

    try:
        data = np.fromfile(file, np.uint8)  # cv2.imread cannot open every name on Windows
    except OSError as e:
        raise MediaError(
            tr("{file} cannot be read: {e}. Was it moved since the folder was opened?").format(file=file, e=reason(e))
        ) from e
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise MediaError(
            tr("{file} is not an image that can be decoded: it is damaged or empty. Replace or remove it.").format(
                file=file.name
            )
        )
    return image
