"""The engine for CUDA devices: the frame is uploaded once and cut there, passes run in half precision and are recorded.

Written to torch's documented rules for streams and graphs and tested on a CPU with the recording replaced; see the
closing notes of docs/adr/0012 for what was measured on a device.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tracker import crops
from tracker.api import Box, Crop, Image
from tracker.config import TrackConfig
from tracker.inference.device import on_device
from tracker.inference.engine import Answer, Pixels, Scores, Square, Told, TorchEngine
from tracker.models.network import foreground

log = logging.getLogger(__name__)
HALF_ERROR = 0.02
"""Difference in probability that half precision may make on the trial picture; more, and full precision is used."""
WARM_UP = 3
"""Passes before recording, in which libraries choose their algorithms."""

Record = Callable[[Callable[[], tuple[Tensor, ...]]], tuple[Callable[[], None], tuple[Tensor, ...]]]
"""Runs some work once and returns how to run it again on the same memory, and the outputs' memory."""


def record(work: Callable[[], tuple[Tensor, ...]]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
    """Record ``work`` as a CUDA graph, after warming up on a stream of its own as torch asks."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = work()
    return graph.replay, outputs


class Recorded:
    """A forward pass on fixed memory: inputs are copied in, outputs are overwritten by the next call."""

    def __init__(self, work: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor], recorder: Record) -> None:
        self.inputs = [given.clone() for given in inputs]
        self.replay, self.outputs = recorder(lambda: work(*self.inputs))

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given, non_blocking=True)
        self.replay()
        return self.outputs


def cut_on(
    frame: Tensor, squares: Sequence[Square], size: int, fills: Sequence[np.ndarray], sampling: crops.Sampling
) -> tuple[Tensor, list[Crop]]:
    """`crops.cut` on the frame's device, equal to it within one grey level.

    ``frame`` (h, w, 3) uint8 -> (n, size, size, 3) uint8.
    """
    height, width = frame.shape[:2]
    pieces, cut = [], []
    for (cx, cy, side), fill in zip(squares, fills, strict=True):
        x0, y0, n, factor = crops.snapped(cx, cy, side, size, sampling)
        cut.append(Crop(Box(x0, y0, n, n), size))
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + n, width), min(y0 + n, height)
        colour = torch.as_tensor(fill, device=frame.device)
        if right <= left or bottom <= top:
            pieces.append(colour.expand(size, size, 3))
            continue
        square = frame[top:bottom, left:right]
        if square.shape[:2] != (n, n):
            whole = colour.repeat(n, n, 1)
            whole[top - y0 : bottom - y0, left - x0 : right - x0] = square
            square = whole
        planes = square.permute(2, 0, 1)[None].float()
        if factor > 1:
            planes = F.avg_pool2d(planes, factor).round_()
        if planes.shape[-1] != size:
            planes = F.interpolate(planes, size=(size, size), mode="bilinear", align_corners=False).round_()
        pieces.append(planes[0].permute(1, 2, 0).clamp_(0, 255).to(torch.uint8))
    return torch.stack(pieces), cut


class CudaEngine(TorchEngine):
    """`TorchEngine` made quick on CUDA. An answer's features hold until the next `match` of the same batch and size."""

    def __init__(
        self, net: nn.Module, device: str, track: TrackConfig, *, half: bool = True, recorder: Record | None = record
    ) -> None:
        super().__init__(net, device, track)
        self._recorder = recorder
        self._passes: dict[tuple[int, ...], Recorded | None] = {}
        self.half = half and self._half_is_exact_enough()

    def _half_is_exact_enough(self) -> bool:
        """Whether half precision answers as full precision does on a trial picture; some networks overflow."""
        rng = np.random.default_rng(0)
        exemplar, search = (
            torch.from_numpy(rng.integers(0, 256, (1, side, side, 3), np.uint8)).to(self.device)
            for side in (self.config.exemplar, self.config.search)
        )

        def answer(half: bool) -> Tensor:
            self.half = half
            kernels = TorchEngine.embed(self, exemplar)
            return on_device(self.device, lambda: self._forward(search, *kernels)[0].float())

        full, short = answer(False), answer(True)
        error = float((full - short).abs().max())
        good = np.isfinite(error) and error <= HALF_ERROR
        if not good:
            log.info("Half precision differs by %.3g on %s; full precision is used.", error, self.config.architecture)
        return bool(good)

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        kind = self.device.split(":")[0]
        dtype = torch.float16 if kind == "cuda" else torch.bfloat16
        return torch.autocast(kind, dtype, enabled=self.half)

    def cut(
        self, image: Image, squares: Sequence[Square], size: int, fills: Sequence[np.ndarray], sampling: crops.Sampling
    ) -> tuple[Pixels, list[Crop]]:
        def work() -> tuple[Pixels, list[Crop]]:
            frame = torch.from_numpy(np.ascontiguousarray(image))
            if self.device.startswith("cuda"):
                frame = frame.pin_memory()  # from pinned memory the copy overlaps what the device still computes
            return cut_on(frame.to(self.device, non_blocking=True), squares, size, fills, sampling)

        return on_device(self.device, work)

    def embed(self, exemplars: Pixels, weights: np.ndarray | None = None) -> tuple[Tensor, ...]:
        with self._precision():
            return super().embed(exemplars, weights)

    def _forward(self, pixels: Tensor, *kernels: Tensor) -> tuple[Tensor, ...]:
        """The scores' five tensors, then the features."""
        with self._precision():
            found = self.net.match(kernels, self.net.preprocess(pixels), offsets=self._offsets)
        parts = foreground(found.cls.float()), found.loc, found.att, found.off, foreground(found.levels.float())
        return (*parts, *found.features)

    def match(self, kernels: tuple[Tensor, ...], searches: Pixels) -> Answer:
        def work() -> Answer:
            inputs = (torch.as_tensor(searches).to(self.device), *kernels)
            outputs = self._pass(inputs)(*inputs)
            scores = Scores(*(part.float().to("cpu", copy=True).numpy() for part in outputs[:5]))
            return Answer(scores, outputs[5:])

        return on_device(self.device, work)

    def _pass(self, inputs: Sequence[Tensor]) -> Callable[..., tuple[Tensor, ...]]:
        """The recorded pass for this batch and size; the plain one where recording is off or has failed."""
        key = tuple(inputs[0].shape)
        if self._recorder is not None and key not in self._passes:
            try:
                self._passes[key] = Recorded(self._forward, inputs, self._recorder)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:  # an operation that cannot be recorded on this version or device
                log.info("The pass for %s is not recorded: %s", key, error)
                self._passes[key] = None
        return self._passes.get(key) or self._forward

    def segment(
        self, kernels: tuple[Tensor, ...], answer: Answer, rows: Sequence[int], columns: Sequence[int]
    ) -> np.ndarray:
        with self._precision():
            return super().segment(kernels, answer, rows, columns)

    def draw(self, pixels: Pixels, told: Told) -> tuple[np.ndarray, np.ndarray]:
        with self._precision():
            return super().draw(pixels, told)

    def part_attention(self, parts: Pixels, regions: Pixels) -> np.ndarray:
        with self._precision():
            return super().part_attention(parts, regions)
