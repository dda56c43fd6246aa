"""GOT-10k and LaSOT: one object a video, boxes ``x, y, w, h`` a line, flags where it cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.data.prepare.films import Picture, PrepareError, Thing, first_folder, numbers, text


@dataclass(frozen=True)
class SingleClip:
    """``hidden``: files of flags, not 0 where the object is absent; ``shown``: of flags that are 0 there."""

    name: str
    folder: Path
    images: Path
    hidden: tuple[str, ...]
    shown: tuple[str, ...] = ()

    def pictures(self) -> Iterator[Picture]:
        truth = self.folder / "groundtruth.txt"
        boxes = numbers(truth, 4)
        seen = (boxes[:, 2:] > 0).all(1)
        for name in (*self.hidden, *self.shown):
            path = self.folder / name
            if not path.is_file():
                continue
            flags = numbers(path)
            if len(flags) != len(boxes):
                raise PrepareError(f"{path} has {len(flags)} flags, but {truth} {len(boxes)} boxes; unpack them again.")
            seen &= (flags == 0) if name in self.hidden else (flags != 0)
        for frame in np.flatnonzero(seen):
            x, y, w, h = (float(v) for v in boxes[frame])
            yield Picture(int(frame), self.images / f"{frame + 1:08d}.jpg", (Thing(0, (x, y, x + w, y + h)),))


def got10k(source: Path, split: str) -> list[SingleClip]:
    """``<split>/GOT-10k_Train_000001/`` with ``groundtruth.txt``, ``00000001.jpg`` and on. Raises `PrepareError`."""
    root = first_folder(source / split, source, what=f"GOT-10k's {split} videos")
    found = sorted(path.parent for path in root.glob("GOT-10k_*/groundtruth.txt"))
    if not found:
        raise PrepareError(f"{root} holds no GOT-10k_*/groundtruth.txt. Give the folder GOT-10k was unpacked to.")
    return [SingleClip(path.name, path, path, ("absence.label",), ("cover.label",)) for path in found]


def lasot(source: Path, split: str) -> list[SingleClip]:
    """``<class>/<class>-<n>/`` with ``groundtruth.txt`` and ``img/00000001.jpg`` and on.

    ``training_set.txt`` or ``testing_set.txt``, which come with LaSOT's toolkit, part it. Raises `PrepareError` without
    them: 280 of the videos are for testing.
    """
    list_of = {name: source / f"{name}ing_set.txt" for name in ("train", "test")}
    if not any(path.is_file() for path in list_of.values()):
        raise PrepareError(
            f"{list_of['train']} is missing, so training and test videos cannot be told apart. Copy it from LaSOT's "
            "toolkit."
        )
    named = {name: set(text(path).split()) for name, path in list_of.items() if path.is_file()}
    clips = sorted(path.parent for path in source.glob("*/*/groundtruth.txt"))
    if split == "train":
        chosen = [c for c in clips if (c.name in named["train"] if "train" in named else c.name not in named["test"])]
    else:
        chosen = [c for c in clips if (c.name in named["test"] if "test" in named else c.name not in named["train"])]
    if not chosen:
        raise PrepareError(f"{source} holds no <class>/<video>/groundtruth.txt of the {split} videos.")
    flags = ("full_occlusion.txt", "out_of_view.txt")
    return [SingleClip(path.name, path, path / "img", flags) for path in chosen]
