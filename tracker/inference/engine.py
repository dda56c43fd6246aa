"""Engines run a network: pixels in, probabilities out, both as arrays; what lies between stays on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tracker import crops
from tracker.api import Crop, Image
from tracker.config import NetConfig, TrackConfig
from tracker.inference.device import on_device
from tracker.models.network import foreground, fuse

Pixels = Any
"""(n, s, s, 3) uint8 BGR: an array, or a tensor that already lies on the engine's device."""


class Square(NamedTuple):
    """A square of the image: centre and side in image pixels."""

    cx: float
    cy: float
    side: float


class Scores(NamedTuple):
    """What a network says of one search region; g cells a side, k anchors, l attention levels.

    ``foreground`` (k, g, g) probabilities; ``loc`` (4k, g, g) deltas; ``attention`` (l, g, g) logits; ``offsets``
    (2l, g, g), empty where the grid needs none; ``levels`` (l, k, g, g) foreground probabilities of each level.
    """

    foreground: np.ndarray
    loc: np.ndarray
    attention: np.ndarray
    offsets: np.ndarray
    levels: np.ndarray


class Answer(NamedTuple):
    """`Scores` of n search regions, each array with a leading axis; ``features``: the engine's own, for `segment`."""

    scores: Scores
    features: Any

    def row(self, index: int) -> Scores:
        """The scores of one search region."""
        return Scores(*(part[index] for part in self.scores))


class Told(NamedTuple):
    """What a network that draws the mask of a box is told besides the picture; n crops of s pixels.

    ``boxes`` (n, 4) ``cx, cy, w, h`` in crop pixels; ``hints`` (n, 2, s / 2, s / 2): likeness to the target by colour
    in [-1, 1], the mask that is expected in [0, 1]; ``memory`` (n, c, m) keys of remembered cells, ``figure`` and
    ``ground`` (n, m) how much of each is the target and is not. All float32, zeros where nothing is known.
    """

    boxes: np.ndarray
    hints: np.ndarray
    memory: np.ndarray
    figure: np.ndarray
    ground: np.ndarray


class Engine(Protocol):
    """A network made to run on one device. Kernels and features are its own; nobody else looks into them."""

    config: NetConfig
    device: str
    masks: Literal["", "cell", "box"]
    """How it makes masks: not at all, by `segment` at a cell of the response, or by `draw` in a box."""
    attentive: bool
    """It can weigh templates (`part_attention`)."""

    def cut(
        self,
        image: Image,
        squares: Sequence[Square],
        size: int,
        fills: Sequence[np.ndarray],
        sampling: crops.Sampling,
    ) -> tuple[Pixels, list[Crop]]:
        """Cut one square per target and resample it to ``size`` pixels; see `crops.cut`."""
        ...

    def embed(self, exemplars: Pixels, weights: np.ndarray | None = None) -> Any:
        """Kernels of exemplars (n, 127, 127, 3); ``weights`` (n, 7, 7) multiply their template cells."""
        ...

    def join(self, kernels: Sequence[Any]) -> Any:
        """Kernels of several targets as one batch."""
        ...

    def blend(self, kernels: Sequence[Any], shares: Sequence[float]) -> Any:
        """Kernels of one target that answer as the given ones do on average, by their ``shares`` (1 in all)."""
        ...

    def alike(self, exemplars: Pixels, kernels: Any) -> np.ndarray:
        """How much exemplars (m, 127, 127, 3) are like the one that kernels are of, (m,) in [-1, 1]: the cosine of
        their first kernels.
        """
        ...

    def match(self, kernels: Any, searches: Pixels) -> Answer:
        """Compare search regions (n, s, s, 3) with one exemplar each."""
        ...

    def cells(self, answer: Answer) -> np.ndarray:
        """The search regions' features on the network's grid, (n, c, side, side) float32: what the online part learns
        from. Only of networks whose first feature map is their neck.
        """
        ...

    def segment(self, kernels: Any, answer: Answer, rows: Sequence[int], columns: Sequence[int]) -> np.ndarray:
        """Mask probabilities (n, side, side) float32 at one response cell per search region."""
        ...

    def draw(self, pixels: Pixels, told: Told) -> tuple[np.ndarray, np.ndarray]:
        """Mask probabilities (n, side, side) float32 of what is in the boxes of crops (n, s, s, 3), and the crops'
        keys (n, c, k), to remember them by.
        """
        ...

    def part_attention(self, parts: Pixels, regions: Pixels) -> np.ndarray:
        """Weights (n, 7, 7) of template cells from key parts (n, 127, ..) in exemplar regions (n, 255, ..)."""
        ...


def cosine(several: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Cosines (m,) of the angles between ``several`` (m, ...) and ``one`` (1, ...)."""
    rows, other = several.reshape(len(several), -1), one.ravel()
    return (rows @ other) / np.maximum(np.linalg.norm(rows, axis=1) * np.linalg.norm(other), 1e-12)


def to_array(pixels: Pixels) -> np.ndarray:
    """`Pixels` as an array on the host."""
    return pixels if isinstance(pixels, np.ndarray) else pixels.cpu().numpy()


def cut_all(
    image: Image, squares: Sequence[Square], size: int, fills: Sequence[np.ndarray], sampling: crops.Sampling
) -> tuple[np.ndarray, list[Crop]]:
    """`Engine.cut` on the CPU."""
    pieces = [crops.cut(image, *square, size, fill, sampling) for square, fill in zip(squares, fills, strict=True)]
    pixels = pieces[0][0][None] if len(pieces) == 1 else np.stack([piece for piece, _ in pieces])
    return pixels, [crop for _, crop in pieces]


class TorchEngine:
    """Eager torch: runs every network on every device."""

    def __init__(self, net: nn.Module, device: str, track: TrackConfig) -> None:
        self.config: NetConfig = net.config  # type: ignore[assignment]
        self.device = device
        self.masks: Literal["", "cell", "box"] = ""
        if hasattr(net, "draw"):
            self.masks = "box"
        elif hasattr(net, "segment"):
            self.masks = "cell"
        self.attentive = hasattr(net, "part_attention")
        # offsets only correct the printed grid, and only where attention counts (reference C.4, point 5)
        self._offsets = self.config.label_grid == "paper" and track.attention_weight > 0
        self._options = {} if track.refine else {"refine": False}
        self._strength = track.part_strength
        net.eval().requires_grad_(False)
        self.net: Any = fuse(net).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def cut(
        self, image: Image, squares: Sequence[Square], size: int, fills: Sequence[np.ndarray], sampling: crops.Sampling
    ) -> tuple[Pixels, list[Crop]]:
        return cut_all(image, squares, size, fills, sampling)

    def _tensor(self, pixels: Pixels) -> Tensor:
        return self.net.preprocess(torch.as_tensor(pixels).to(self.device))

    def embed(self, exemplars: Pixels, weights: np.ndarray | None = None) -> tuple[Tensor, ...]:
        def work() -> tuple[Tensor, ...]:
            given = () if weights is None else (torch.from_numpy(weights).to(self.device),)
            return self.net.embed(self._tensor(exemplars), *given)

        return on_device(self.device, work)

    def join(self, kernels: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        return on_device(self.device, lambda: tuple(torch.cat(parts) for parts in zip(*kernels, strict=True)))

    def blend(self, kernels: Sequence[tuple[Tensor, ...]], shares: Sequence[float]) -> tuple[Tensor, ...]:
        def mixed(parts: tuple[Tensor, ...]) -> Tensor:
            weights = torch.tensor(shares, device=parts[0].device, dtype=parts[0].dtype)
            return (torch.stack(parts) * weights.reshape(-1, *[1] * parts[0].ndim)).sum(0)

        return on_device(self.device, lambda: tuple(mixed(parts) for parts in zip(*kernels, strict=True)))

    def alike(self, exemplars: Pixels, kernels: tuple[Tensor, ...]) -> np.ndarray:
        def work() -> np.ndarray:
            return cosine(self.embed(exemplars)[0].float().cpu().numpy(), kernels[0].float().cpu().numpy())

        return on_device(self.device, work)

    def match(self, kernels: tuple[Tensor, ...], searches: Pixels) -> Answer:
        def work() -> Answer:
            found = self.net.match(kernels, self._tensor(searches), offsets=self._offsets)
            parts = foreground(found.cls), found.loc, found.att, found.off, foreground(found.levels)
            return Answer(Scores(*(part.float().cpu().numpy() for part in parts)), found.features)

        return on_device(self.device, work)

    def cells(self, answer: Answer) -> np.ndarray:
        return on_device(self.device, lambda: answer.features[0].float().cpu().numpy())

    def segment(
        self, kernels: tuple[Tensor, ...], answer: Answer, rows: Sequence[int], columns: Sequence[int]
    ) -> np.ndarray:
        def work() -> np.ndarray:
            cells = torch.tensor(rows), torch.tensor(columns)
            logits = self.net.segment(kernels, answer.features, *cells, **self._options)
            return logits.float().sigmoid().cpu().numpy()

        return on_device(self.device, work)

    def draw(self, pixels: Pixels, told: Told) -> tuple[np.ndarray, np.ndarray]:
        def work() -> tuple[np.ndarray, np.ndarray]:
            given = (torch.from_numpy(part).to(self.device) for part in told)
            logits, keys = self.net.draw(self._tensor(pixels), *given)
            return logits.float().sigmoid().cpu().numpy(), keys.float().cpu().numpy()

        return on_device(self.device, work)

    def part_attention(self, parts: Pixels, regions: Pixels) -> np.ndarray:
        def work() -> np.ndarray:
            weights = self.net.part_attention(self._tensor(parts), self._tensor(regions), strength=self._strength)
            return weights.float().cpu().numpy()

        return on_device(self.device, work)
