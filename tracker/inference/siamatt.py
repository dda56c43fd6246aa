"""The embedded tracker: SiamAtt with masks on a light backbone, behind the door of `tracker.api`."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from tracker import boxes, checkpoint, crops
from tracker.api import Box, Crop, HeatMap, Image, MaskPatch, OutOfDeviceMemory, Prediction, TrackerError, Verdict
from tracker.config import TrackConfig
from tracker.inference.decode import Choice, Decoder, Maps
from tracker.inference.signals import Monitor
from tracker.models.siamatt_mobile import SiamAttMobile, foreground, fuse
from tracker.registry import weight_files

T = TypeVar("T")

MEMORY = 40
"""Frames whose median size a lost target is expected to have."""

AROUND = ((0, 0), (1, 0), (0, 0), (-1, 0), (0, 0), (0, 1), (0, 0), (0, -1))
"""Where a lost target is sought, in half search regions to the right and down; every other look at its last place."""


def pick_device(device: str) -> str:
    """Resolve ``auto`` to the best device here; raises `TrackerError` when the one asked for is not available."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available.get(device.split(":")[0], False):
        usable = ", ".join(name for name, there in available.items() if there)
        raise TrackerError(f"Device '{device}' is not available on this machine. Use one of: auto, {usable}.")
    return device


class SiamAttTracker:
    """Weights on a device; starts targets that share them."""

    def __init__(self, name: str, net: SiamAttMobile, config: TrackConfig, device: str) -> None:
        self.name, self.config, self.device = name, config, device
        net.eval().requires_grad_(False)
        self.net = fuse(net).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.decoder = Decoder(net.config)

    def start(self, image: Image, box: Box) -> SiamAttTarget:
        """Embed the exemplar around ``box``. Raises `TrackerError` for an empty box or one that misses the image."""
        height, width = image.shape[:2]
        if not all(map(math.isfinite, box)) or box.w <= 0 or box.h <= 0:
            raise TrackerError(f"The box {tuple(box)} has no area. Draw one around the target.")
        if box.x >= width or box.y >= height or box.x2 <= 0 or box.y2 <= 0:
            raise TrackerError(f"The box {tuple(box)} misses the {width} x {height} px image. Draw it on the target.")
        return SiamAttTarget(self, image, box)

    def tensor(self, pixels: np.ndarray) -> Tensor:
        """(s, s, 3) uint8 to the network's input (1, 3, s, s) on the device."""
        return self.net.preprocess(torch.from_numpy(pixels)[None].to(self.device))


def on_device(device: str, work: Callable[[], T]) -> T:
    """Do ``work`` without gradients, whichever thread runs it: an outer ``no_grad`` does not reach other threads.

    Raises `OutOfDeviceMemory` when the accelerator's memory is full.
    """
    try:
        with torch.inference_mode():
            return work()
    except torch.OutOfMemoryError as error:
        message = f"The memory of {device} is full. Close other programs or track on the CPU."
        raise OutOfDeviceMemory(message) from error


class SiamAttTarget:
    """One object's memory: its kernels, where it was, how big, how sure we were."""

    def __init__(self, tracker: SiamAttTracker, image: Image, box: Box) -> None:
        self.tracker = tracker
        net = tracker.net.config
        self.fill = crops.mean_colour(image)
        side = boxes.context_side(box.w, box.h, tracker.config.context)
        self.template, _ = crops.cut(image, box.cx, box.cy, side, net.exemplar, self.fill)
        self.kernels = on_device(tracker.device, lambda: tracker.net.embed(tracker.tensor(self.template)))
        self.box = box
        self.smallest = min(10.0, box.w, box.h)
        self.monitor = Monitor(tracker.config)
        self.lost = 0
        self.sizes = deque([(box.w, box.h)], MEMORY)

    def step(self, image: Image, *, want_mask: bool = True) -> Prediction:
        """Find the object in ``image``, looking where it was last seen."""
        tracker, config, net = self.tracker, self.tracker.config, self.tracker.net.config
        side = boxes.context_side(self.box.w, self.box.h, config.context) * net.search / net.exemplar
        pixels, crop = crops.cut(image, *self._where(side, image), side, net.search, self.fill)
        response = on_device(
            tracker.device, lambda: tracker.net.match(self.kernels, tracker.tensor(pixels), offsets=False)
        )
        with torch.inference_mode():
            probability = foreground(response.cls)[0].float().cpu().numpy()
            loc = response.loc[0].float().cpu().numpy()
            attention = response.att[0, 0].float().sigmoid().cpu().numpy()
        size = (self.box.w * crop.scale, self.box.h * crop.scale)
        choice, maps = tracker.decoder.choose(probability, loc, attention, size, config)
        found = self._smoothed(choice, crop, image)
        near = maps.attention[
            max(0, choice.row - 2) : choice.row + 3, max(0, choice.column - 2) : choice.column + 3
        ].max()
        moved = math.hypot(found.cx - self.box.cx, found.cy - self.box.cy) / math.sqrt(max(self.box.area, 1.0))
        verdict, reason, signals = self.monitor.judge(choice, float(near), moved)
        if verdict is Verdict.LOST:
            self._keep_looking()
        else:
            self.box, self.lost = found, 0
            self.sizes.append((found.w, found.h))
        heat = self._heat(maps, crop)
        mask = None
        if want_mask and verdict is not Verdict.LOST:
            cell = torch.tensor([choice.row]), torch.tensor([choice.column])
            logits = on_device(tracker.device, lambda: tracker.net.segment(self.kernels, response, *cell))
            values = logits[0].float().sigmoid().cpu().numpy()
            window = Box(8.0 * (choice.column - 4), 8.0 * (choice.row - 4), 2.0 * net.mask_side, 2.0 * net.mask_side)
            heat["mask"] = HeatMap(values, crop.to_image(window))
            mask = draw_mask(heat["mask"], image.shape[0], image.shape[1], config.mask_threshold)
        return Prediction(self.box, signals["confidence"], verdict, mask, heat, crop, pixels, signals, reason)

    def _keep_looking(self) -> None:
        """The place stays where the target was last believed to be, so that the search does not wander off.

        The size goes back to the usual one of the last frames: what slips behind something seems to shrink first.
        """
        if self.lost == 0:
            width, height = np.median(self.sizes, axis=0)
            self.box = Box.from_centre(self.box.cx, self.box.cy, float(width), float(height))
        self.lost += 1

    def _where(self, side: float, image: Image) -> tuple[float, float]:
        """Centre of the next search region: where the target was, or while it is lost, around that place in turn.

        Looking beside the last place at the learnt scale costs nothing; enlarging the region (reference B.2) would cost
        nine times a frame or show the target at a scale that the network never saw.
        """
        right, down = AROUND[self.lost % len(AROUND)]
        x, y = self.box.cx + right * side / 2, self.box.cy + down * side / 2
        return min(max(x, 0.0), image.shape[1]), min(max(y, 0.0), image.shape[0])

    def _smoothed(self, choice: Choice, crop: Crop, image: Image) -> Box:
        """The new state: centre taken as found, size approached at the rate of reference B.1, step 4."""
        cx, cy, w, h = map(float, choice.box)
        seen = crop.to_image(Box.from_centre(cx, cy, w, h))
        rate = choice.penalty * choice.probability * self.tracker.config.size_rate
        width = self.box.w + rate * (seen.w - self.box.w)
        height = self.box.h + rate * (seen.h - self.box.h)
        grown = Box.from_centre(seen.cx, seen.cy, width, height)
        return boxes.clip_to_image(grown, image.shape[0], image.shape[1], self.smallest)

    def _heat(self, maps: Maps, crop: Crop) -> dict[str, HeatMap]:
        net = self.tracker.net.config
        span = net.grid * net.stride
        first = (net.search - span) / 2
        rect = crop.to_image(Box(first, first, span, span))
        return {name: HeatMap(values, rect) for name, values in maps._asdict().items()}


def draw_mask(heat: HeatMap, height: int, width: int, threshold: float) -> MaskPatch:
    """Warp mask probabilities onto the image and cut them at ``threshold``; the patch lies inside the image."""
    x0, y0 = max(0, math.floor(heat.rect.x)), max(0, math.floor(heat.rect.y))
    x1, y1 = min(width, math.ceil(heat.rect.x2)), min(height, math.ceil(heat.rect.y2))
    if x1 <= x0 or y1 <= y0:
        return MaskPatch(0, 0, np.zeros((0, 0), bool))
    cells = heat.values.shape[0] / heat.rect.w
    # pixel centres of the patch to cell centres of the map
    matrix = np.array(
        [
            [cells, 0, (x0 + 0.5 - heat.rect.x) * cells - 0.5],
            [0, cells, (y0 + 0.5 - heat.rect.y) * cells - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(heat.values, matrix, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return MaskPatch(x0, y0, drawn > threshold)


def create(
    device: str = "auto", *, weights: Path | str | None = None, name: str = "siamatt-mobile", **overrides: float
) -> SiamAttTracker:
    """Load the embedded tracker. ``overrides`` replace fields of `TrackConfig`.

    Raises `TrackerError` when the weights are missing or do not fit, or the device is not there, and
    `OutOfDeviceMemory` when they do not fit on it.
    """
    path = Path(weights) if weights else weight_files(name)[0]
    meta = checkpoint.metadata(path)
    net = SiamAttMobile(checkpoint.config_of(meta, path))
    checkpoint.load(net, path)
    chosen = pick_device(device)
    return on_device(chosen, lambda: SiamAttTracker(name, net, replace(TrackConfig(), **overrides), chosen))
