"""Frame pictures beside an export: written once, linked where another folder wants the same, looked at afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from pathlib import Path

from app.formats.base import FormatError, Picture
from app.model.document import VideoRef
from app.words import tr

Named = Callable[[int], str]
"""The file name of a frame (0-based); its ending, ``.jpg`` or ``.png``, says how it is written."""


def write_pictures(
    folders: Sequence[Path],
    named: Named,
    video: VideoRef,
    pictures: Iterator[Picture],
    quality: int = 95,
    wanted: Container[int] | None = None,
) -> Generator[float, None, list[str]]:
    """All frames into the first folder, and links to the same files (copies where there are none) into the others.

    The folders are made. ``quality``: of a JPEG, 1 to 100. ``wanted``: the frames to write, all when None. Yields
    progress in 0..1 and returns the file names. Raises `FormatError` when the pictures are not those of ``video``.
    """
    import cv2  # half a second to import, and only this needs it

    names: list[str] = []
    seen = 0
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        if picture.index != seen or picture.image.shape[:2] != (video.height, video.width):
            raise FormatError(
                tr("frame {seen} of the video is not the one that was labelled").format(seen=seen), Path(video.path)
            )
        seen += 1
        yield seen / video.frames
        if wanted is not None and picture.index not in wanted:
            continue
        name = named(picture.index)
        options = [cv2.IMWRITE_JPEG_QUALITY, quality] if name.endswith(".jpg") else []
        good, data = cv2.imencode(Path(name).suffix, picture.image, options)
        if not good:
            raise FormatError(
                tr("frame {index} cannot be written as {name}").format(index=picture.index, name=name), Path(video.path)
            )
        names.append(name)
        first = folders[0] / name
        first.write_bytes(data.tobytes())
        for folder in folders[1:]:
            try:
                (folder / name).hardlink_to(first)
            except OSError:
                shutil.copyfile(first, folder / name)
    if seen != video.frames:
        raise FormatError(
            tr("the video gave {seen} of {frames} frames").format(seen=seen, frames=video.frames),
            Path(video.path),
            remedy=tr("Is it the same file?"),
        )
    return names


def check_pictures(
    folders: Sequence[Path], named: Named, video: VideoRef, wanted: Container[int] | None = None
) -> Generator[float, None, list[str]]:
    """Whether every picture decodes to the video's size (an eighth of it, which is quick); a sentence for each other.

    ``wanted``: the frames that were written, all when None. Yields progress in 0..1.
    """
    import cv2
    import numpy as np

    out: list[str] = []
    size = ((video.height + 7) // 8, (video.width + 7) // 8)
    for frame in range(video.frames):
        yield frame / video.frames
        if wanted is not None and frame not in wanted:
            continue
        for folder in folders:
            file = folder / named(frame)
            data = np.fromfile(file, np.uint8) if file.is_file() else np.empty(0, np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8) if data.size else None
            if image is None or image.shape != size:
                out.append(tr("picture {file} does not show the frame's size").format(file=file.name))
    return out


class NoSizeError(FormatError):
    """Nothing says how large the pictures are that labels are about: the video has to."""


def picture_size(files: Sequence[Path]) -> tuple[int, int] | None:
    """Width and height of the first of ``files`` that is a readable picture; None when none is."""
    from PIL import Image, UnidentifiedImageError  # reads the header alone

    for file in files:
        if not file.is_file():
            continue
        try:
            with Image.open(file) as image:
                return image.size
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError):
            continue
    return None
