"""Crops of 511 px around every object, with their index (reference E.1): resumable, on several processes.

``OUT/crop511/<set>/<film>/<frame:06d>.<track:02d>.x.jpg`` and ``.m.png``, and ``OUT/<set>.json``. While it runs,
``OUT/<set>.part`` remembers the films that are done. Crops of another size go to ``OUT/crops``.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tracker.boxes import context_side
from tracker.data.crops import USUAL_EXEMPLAR, USUAL_SIZE
from tracker.data.prepare.films import Film, Picture, PrepareError, Thing, picture_at

Tracks = dict[str, dict[str, list[float]]]
QUALITY = 95
AHEAD = 4
"""Films handed to each process before the first comes back."""


def crop_map(corners: Sequence[float], size: int) -> np.ndarray:
    """The map (2, 3) from image pixels to a crop of ``size``: the template's square on 127 px in its middle.

    Boxes as ``x2 - x1`` wide, as pysot takes them; SiamMask's code counts one pixel more.
    """
    x1, y1, x2, y2 = corners
    side = context_side(x2 - x1, y2 - y1) * size / USUAL_EXEMPLAR
    scale = (size - 1) / side
    left, top = (x1 + x2) / 2 - side / 2, (y1 + y2) / 2 - side / 2
    return np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])


def prepare(name: str, films: Sequence[Film], out: Path, size: int, every: int, jobs: int) -> Generator[int, None, int]:
    """Cut the films of one set; yields the number of films done, returns the number of crops in the index.

    ``every``: of a film's pictures only each so manieth. A run that was interrupted goes on with the films that are
    missing. Raises `PrepareError`.
    """
    part, asked = out / f"{name}.part", {"size": size, "every": every}
    done = _finished(part, asked)
    crops = out / ("crop511" if size == USUAL_SIZE else "crops") / name
    try:
        crops.mkdir(parents=True, exist_ok=True)
        if not part.exists():
            part.write_text(json.dumps(asked) + "\n")
        yield len(done)
        left = [film for film in films if film.name not in done]
        with part.open("a", encoding="utf-8") as file, closing(_cut_all(left, crops, size, every, jobs)) as results:
            for film, tracks in results:
                json.dump([film, tracks], file)
                file.write("\n")
                file.flush()
                done[film] = tracks
                yield len(done)
        index = {film: done[film] for film in sorted(done) if done[film]}
        count = sum(len(frames) for tracks in index.values() for frames in tracks.values())
        if not count:
            raise PrepareError(f"The set {name} holds no object with a box; nothing was written.")
        whole = index if size == USUAL_SIZE else _with_header(index, size, crops)
        draft = out / f"{name}.json.part"
        draft.write_text(json.dumps(whole), encoding="utf-8")
        draft.replace(out / f"{name}.json")
        part.unlink()
    except OSError as error:
        raise PrepareError(f"{out} cannot be written: {error}") from error
    return count


def _finished(part: Path, asked: dict[str, int]) -> dict[str, Tracks]:
    """The films that an interrupted run left complete."""
    if not part.exists():
        return {}
    first, *lines = part.read_text(encoding="utf-8").split("\n")
    try:
        before = json.loads(first)
    except ValueError:
        before = None
    if before != asked:
        raise PrepareError(f"{part} was begun with other settings ({first}); go on with those, or delete it.")
    done = {}
    for line in lines:
        try:
            film, tracks = json.loads(line)
        except ValueError:  # empty, or cut short when the run was killed
            continue
        done[film] = tracks
    # what follows is appended: a line cut short must not swallow it
    part.write_text("".join(json.dumps(row) + "\n" for row in (asked, *map(list, done.items()))), encoding="utf-8")
    return done


def _with_header(index: dict[str, Tracks], size: int, crops: Path) -> dict[str, Any]:
    """Our own index, which says the crops' size: boxes in crop pixels."""
    videos = {
        film: {
            track: {frame: _in_crop(corners, size) for frame, corners in frames.items()}
            for track, frames in tracks.items()
        }
        for film, tracks in index.items()
    }
    masks = next(crops.rglob("*.m.png"), None) is not None
    return {"size": size, "exemplar": USUAL_EXEMPLAR, "masks": masks, "videos": videos}


def _in_crop(corners: Sequence[float], size: int) -> list[float]:
    x1, y1, x2, y2 = corners
    scale = USUAL_EXEMPLAR / context_side(x2 - x1, y2 - y1) / 2
    w, h = (x2 - x1) * scale, (y2 - y1) * scale
    return [round(v, 2) for v in (size / 2 - w, size / 2 - h, size / 2 + w, size / 2 + h)]


def _cut_all(
    films: Sequence[Film], crops: Path, size: int, every: int, jobs: int
) -> Generator[tuple[str, Tracks], None, None]:
    if jobs == 1:
        for film in films:
            yield cut(film, crops, size, every)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,))
    left, running = iter(films), set[Future[tuple[str, Tracks]]]()
    try:
        while True:
            for film in islice(left, AHEAD * jobs - len(running)):
                running.add(pool.submit(cut, film, crops, size, every))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def cut(film: Film, crops: Path, size: int, every: int = 1) -> tuple[str, Tracks]:
    """Write the crops of one film below ``crops``; returns its name and the boxes by track and frame."""
    tracks: Tracks = {}
    for picture in islice(film.pictures(), 0, None, every):
        if picture.optional and not picture.path.is_file():
            continue
        for thing, corners in _cut_picture(picture, crops / film.name, size):
            frames = tracks.setdefault(f"{thing.track:02d}", {})
            frames[f"{picture.frame:06d}"] = [round(v, 2) for v in corners]
    return film.name, {track: tracks[track] for track in sorted(tracks)}


def _cut_picture(
    picture: Picture, folder: Path, size: int
) -> Iterator[tuple[Thing, tuple[float, float, float, float]]]:
    image, mean = None, [0.0, 0.0, 0.0]
    for thing in picture.things:
        if image is None:
            image = picture_at(picture.path)
            mean = [float(v) for v in cv2.mean(image)[:3]]
        height, width = image.shape[:2]
        x1, y1, x2, y2 = thing.corners
        if thing.relative:
            x1, y1, x2, y2 = x1 * width, y1 * height, x2 * width, y2 * height
        if x2 <= x1 or y2 <= y1:  # dropped, as the published scripts do
            continue
        matrix = crop_map((x1, y1, x2, y2), size)
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f"{picture.frame:06d}.{thing.track:02d}"
        crop = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=mean)
        _write(stem.with_name(stem.name + ".x.jpg"), crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if thing.mask is not None:
            if thing.mask.shape != (height, width):
                raise PrepareError(f"{picture.path} is {width} x {height} px, its mask {thing.mask.shape[::-1]}.")
            cover = cv2.warpAffine(thing.mask.astype(np.float32), matrix, (size, size))
            _write(stem.with_name(stem.name + ".m.png"), ((cover > 0.5) * 255).astype(np.uint8), [])
        yield thing, (x1, y1, x2, y2)


def _write(path: Path, picture: np.ndarray, options: list[int]) -> None:
    done, data = cv2.imencode(path.suffix, picture, options)
    if not done:
        raise PrepareError(f"{path} cannot be encoded.")
    path.write_bytes(data.tobytes())
