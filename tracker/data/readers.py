"""The layouts of the field, recognised from the folder: `discover` tries `READERS` on every folder below a root.

The plain clip folder holds ``video.mp4`` (or another video suffix), ``groundtruth.txt`` with one ``x, y, w, h`` per
frame (0-based, pixel edges; ``nan`` where the target is absent or not labelled) and optionally ``masks/00000.png``.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from tracker.data.layouts import GOT10k, LaSOT, OTBClip
from tracker.data.layouts_sets import DAVIS, UAV123, TrackingNet
from tracker.data.layouts_vot import VOTClip
from tracker.data.sequences import Reader, Sequence, SequenceError, read_boxes

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm")
DEPTH = 3
"""How many levels below the root clip folders are looked for."""


class ClipFolder:
    """The plain layout: a video, ``groundtruth.txt`` and optionally ``masks/``."""

    def matches(self, folder: Path) -> bool:
        return (folder / "groundtruth.txt").is_file() and _video(folder) is not None

    def read(self, folder: Path, name: str) -> list[Sequence]:
        video = _video(folder)
        if video is None:
            raise SequenceError(f"{folder} holds no video.")
        masks = folder / "masks"
        truth = read_boxes(folder / "groundtruth.txt")
        return [Sequence(name or folder.name, video, truth, masks if masks.is_dir() else None)]


READERS: tuple[Reader, ...] = (ClipFolder(), GOT10k(), LaSOT(), OTBClip(), VOTClip(), UAV123(), TrackingNet(), DAVIS())
"""In the order in which they are tried; the first that knows a folder reads it."""


def discover(root: Path, readers: tuple[Reader, ...] = READERS) -> list[Sequence]:
    """The clips under ``root``, sorted by name.

    ``root`` is one clip, a folder of clips, a folder of such groups or a data set; a clip is called by its path below
    ``root`` (``car``, ``masks/car``), a lone clip by its folder. Raises `SequenceError` when there is none.
    """
    if not root.is_dir():
        raise SequenceError(f"{root} is not a folder.")
    root = root.resolve()
    clips: list[Sequence] = []
    for folder, reader in _walk(root, readers, DEPTH):
        clips += reader.read(folder, folder.relative_to(root).as_posix() if folder != root else "")
    if not clips:
        raise SequenceError(
            f"{root} holds no clips: a clip is a folder with video.mp4 and groundtruth.txt, or one of OTB, VOT, "
            "UAV123, LaSOT, GOT-10k, TrackingNet or DAVIS as these are unpacked."
        )
    return sorted(clips, key=lambda clip: clip.name)


def _video(folder: Path) -> Path | None:
    return next((path for suffix in VIDEO_SUFFIXES if (path := folder / f"video{suffix}").is_file()), None)


def _walk(folder: Path, readers: tuple[Reader, ...], depth: int) -> Generator[tuple[Path, Reader], None, None]:
    for reader in readers:
        if reader.matches(folder):
            yield folder, reader
            return
    if depth:
        for child in folder.iterdir():
            if child.is_dir() and not child.name.startswith("."):
                yield from _walk(child, readers, depth - 1)
