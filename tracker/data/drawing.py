"""The papers' pairs (reference E.2): every epoch a shuffled list of videos, of each two frames not too far apart.

Sample ``i`` of a seed is always the same, whoever draws it: any process, any rank, a resumed run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from tracker.data.crops import CropItem, CropSet
from tracker.data.rendering import View, corners_in, draw, mask_one, render, render_masks, render_one


@dataclass(frozen=True)
class Share:
    """How a set takes part in an epoch.

    ``videos``: repeated or cut to so many, None for each once. ``reach``: how far apart the two frames may lie, counted
    in labelled frames of the track.
    """

    videos: int | None = None
    reach: int = 100


@dataclass(frozen=True)
class Drawing:
    """What decides the samples. ``pairs``: per epoch; ``negatives``: share of pairs that show two objects."""

    pairs: int
    seed: int
    negatives: float
    grey: float
    exemplar: View
    search: View
    exemplar_size: int = 127
    search_size: int = 255


class Drawn(Dataset[dict[str, Any]]):
    """Items are dicts of arrays.

    With ``rendered``: ``exemplar`` (127, 127, 3) and ``search`` (s, s, 3) float32 BGR, ``mask`` (s, s) uint8. Without,
    for `finish` to render on the accelerator: the whole crops under the same names, and the numbers drawn for them as
    ``exemplar_region`` and so on. Always: ``box`` (4,) float32 corners in search pixels and ``exemplar_box`` in the
    exemplar's, ``positive`` and ``has_mask`` float32, ``seed`` int64 for whatever else is random about the sample.
    """

    def __init__(
        self, sources: Sequence[tuple[CropSet, Share]], drawing: Drawing, length: int, *, rendered: bool = True
    ) -> None:
        self.sources, self.drawing, self.length, self.rendered = list(sources), drawing, length, rendered
        self._order = lru_cache(maxsize=2)(self._shuffled)
        self._side = max(source.size for source, _ in self.sources)  # so that sets of several sizes fit in one batch

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_order"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def __len__(self) -> int:
        return self.length

    def _shuffled(self, epoch: int) -> np.ndarray:
        """The epoch's videos, (pairs, 2) int32: source and video. All lists follow one another until it is full."""
        rng = np.random.default_rng((self.drawing.seed, epoch, 1))
        rounds, filled = [], 0
        while filled < self.drawing.pairs:
            parts = []
            for number, (source, share) in enumerate(self.sources):
                count, wanted = len(source.videos), len(source.videos) if share.videos is None else share.videos
                order = np.concatenate([rng.permutation(count) for _ in range(-(-wanted // count))])[:wanted]
                parts.append(np.stack([np.full(len(order), number), order], 1))
            rounds.append(rng.permutation(np.concatenate(parts)))
            filled += len(rounds[-1])
        return np.concatenate(rounds)[: self.drawing.pairs].astype(np.int32)

    def __getitem__(self, index: int) -> dict[str, Any]:
        rules = self.drawing
        epoch, place = divmod(index, rules.pairs)
        rng = np.random.default_rng((rules.seed, index, 0))
        number, video = (int(v) for v in self._order(epoch)[place])
        source, share = self.sources[number]
        track = self._track(rng, source, video)
        first = int(rng.integers(len(track)))
        positive = rng.random() >= rules.negatives
        if positive:
            low, high = max(0, first - share.reach), min(len(track), first + share.reach + 1)
            found, item = source, track[int(rng.integers(low, high))]
        else:
            found = self.sources[int(rng.integers(len(self.sources)))][0]
            other = self._track(rng, found, int(rng.integers(len(found.videos))))
            item = other[int(rng.integers(len(other)))]
            positive = other is track  # a set of one video may draw the same object again
        grey = bool(rng.random() < rules.grey)
        exemplar = draw(rng, rules.exemplar, source.size, rules.exemplar_size, grey)
        search = draw(rng, rules.search, found.size, rules.search_size, grey)
        mask = found.mask(item) if positive else None
        out: dict[str, Any] = {
            "box": corners_in(item.corners, search["region"]),
            "exemplar_box": corners_in(track[first].corners, exemplar["region"]),
            "positive": np.float32(positive),
            "has_mask": np.float32(mask is not None),
            "seed": np.int64(rng.integers(2**31)),
        }
        pictures = source.pixels(track[first]), found.pixels(item)
        return out | (self._rendered if self.rendered else self._raw)(pictures, (exemplar, search), mask)

    @staticmethod
    def _track(rng: np.random.Generator, source: CropSet, video: int) -> list[CropItem]:
        tracks = source.videos[video]
        return source.tracks[tracks[int(rng.integers(len(tracks)))]]

    def _rendered(
        self, pictures: tuple[np.ndarray, ...], drawn: tuple[dict[str, np.ndarray], ...], mask: np.ndarray | None
    ) -> dict[str, Any]:
        sizes = self.drawing.exemplar_size, self.drawing.search_size
        exemplar, search = (render_one(*part) for part in zip(pictures, drawn, sizes, strict=True))
        empty = np.zeros((sizes[1], sizes[1]), np.uint8)
        cover = empty if mask is None else mask_one(mask, drawn[1]["region"], sizes[1])
        return {"exemplar": exemplar, "search": search, "mask": cover}

    def _raw(
        self, pictures: tuple[np.ndarray, ...], drawn: tuple[dict[str, np.ndarray], ...], mask: np.ndarray | None
    ) -> dict[str, Any]:
        out: dict[str, Any] = {"mask": self._padded(mask)}
        for name, picture, numbers in zip(("exemplar", "search"), pictures, drawn, strict=True):
            out[name] = self._padded(picture)
            out |= {f"{name}_{key}": value for key, value in numbers.items()}
        return out

    def _padded(self, picture: np.ndarray | None) -> np.ndarray:
        if picture is None:
            return np.zeros((self._side, self._side), np.uint8)
        out = np.zeros((self._side, self._side, *picture.shape[2:]), np.uint8)
        out[: len(picture), : len(picture)] = picture
        return out


def finish(batch: dict[str, Tensor], drawing: Drawing) -> dict[str, Tensor]:
    """Render a batch of raw items on the device it lies on; a batch that is rendered already comes back as it is."""
    if "search_region" not in batch:
        return batch
    numbers = {
        name: {key: batch[f"{name}_{key}"] for key in ("region", "tint", "blur", "grey")}
        for name in ("exemplar", "search")
    }
    kept = {key: batch[key] for key in ("box", "exemplar_box", "positive", "has_mask", "seed")}
    return kept | {
        "exemplar": render(batch["exemplar"], numbers["exemplar"], drawing.exemplar_size),
        "search": render(batch["search"], numbers["search"], drawing.search_size),
        "mask": render_masks(batch["mask"], numbers["search"]["region"], drawing.search_size),
    }


def find_sets(
    roots: Sequence[Path], wanted: Mapping[str, Share], *, only: bool, cache: Path | None = None
) -> list[tuple[CropSet, Share]]:
    """The crop sets under ``roots`` with their shares; each is looked for in the roots in turn.

    ``only``: exactly those wanted; else all that are there but ``<set>-val``, the wanted ones with their shares. Raises
    `ValueError` when one that must be there is missing, or there is none at all.
    """
    there: dict[str, Path] = {}
    for root in roots:
        for path in sorted([*root.glob("*.json"), *root.glob("*/*.json")]):
            name = path.relative_to(root).with_suffix("").as_posix()
            if path.parent == root or (path.parent / "crop511").is_dir():
                there.setdefault(name, root)
    names = list(wanted) if only else [name for name in there if not name.endswith("-val")]
    places = ", ".join(map(str, roots))
    if missing := [name for name in names if name not in there]:
        known = ", ".join(there) or "none"
        raise ValueError(f"{places}: there is no {missing[0]}.json; sets that are there: {known}")
    if not names:
        raise ValueError(f"{places}: there is no crop set: <set>.json beside crops/<set>/")
    return [(CropSet(there[name], name, cache), share_of(name, wanted)) for name in names]


REACHES = {"vid": 100, "ytbb": 3, "coco": 1, "det": 1, "ytvos": 20, "got10k": 100, "lasot": 100}
"""Of the usual sets (reference E.2), by the names that ``main.py prepare`` gives them."""


def share_of(name: str, wanted: Mapping[str, Share]) -> Share:
    """A set's share: as wanted, else once through all its videos with the usual reach for a set of that name."""
    key = name.split("/", maxsplit=1)[0].replace("_", "").lower()
    key = {"ytbvos": "ytvos"}.get(key, key)
    return wanted.get(name) or wanted.get(key) or Share(None, REACHES.get(key, 100))
