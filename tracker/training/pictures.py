"""What a network makes of a training batch, as one picture for people."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from tracker import boxes
from tracker.config import NetConfig
from tracker.models.network import foreground

ROWS = 4
TRUTH, ANSWER = (80, 220, 80), (60, 120, 255)
"""BGR."""


@torch.no_grad()
def contact_sheet(net: nn.Module, batch: dict[str, Tensor]) -> np.ndarray:
    """Up to four pairs, one a row: exemplar, search region with true (green) and predicted (orange) box, heat map of
    the classification and, where there is one, of the attention. ``net`` in eval mode; (h, w, 3) uint8 BGR.
    """
    network: Any = net
    part = {name: value[:ROWS].clone() for name, value in batch.items()}
    kernels = network.embed(network.preprocess(part["exemplar"].clone()))
    response = network.match(kernels, network.preprocess(part["search"].clone()))
    chances = foreground(response.cls.float()).cpu().numpy()
    deltas = response.loc.float().cpu().numpy()
    attention = response.att.float().sigmoid().amax(1).cpu().numpy() if response.att.shape[1] else None
    side = part["search"].shape[1]
    rows = []
    for i in range(len(chances)):
        search = _pixels(part["search"][i])
        if part["positive"][i]:
            _draw(search, part["box"][i].cpu().numpy(), TRUTH)
        _draw(search, _best(chances[i], deltas[i], network.config, side), ANSWER)
        tiles = [_fit(_pixels(part["exemplar"][i]), side), search, _heat(chances[i].max(0), side)]
        if attention is not None:
            tiles.append(_heat(attention[i], side))
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def mask_sheet(pixels: Tensor, given: Tensor, masks: Tensor) -> np.ndarray:
    """Crops (n, s, s, 3) uint8 with the boxes (n, 4) ``cx, cy, w, h`` that were given, each beside its mask (n, m, m).

    Two crops a row; (h, w, 3) uint8 BGR.
    """
    tiles = []
    for picture, (cx, cy, w, h), mask in zip(
        pixels, given.float().cpu().numpy(), masks.float().cpu().numpy(), strict=True
    ):
        shown = _pixels(picture)
        _draw(shown, np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]), TRUTH)
        tiles.append(np.hstack([shown, _heat(mask, len(shown))]))
    return np.vstack([np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles), 2)])


def _pixels(picture: Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.float().clamp(0, 255).to(torch.uint8).cpu().numpy())


def _fit(picture: np.ndarray, side: int) -> np.ndarray:
    out = np.zeros((side, side, 3), np.uint8)
    height, width = (min(side, length) for length in picture.shape[:2])
    out[:height, :width] = picture[:height, :width]
    return out


def _heat(values: np.ndarray, side: int) -> np.ndarray:
    grey = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return cv2.applyColorMap(cv2.resize(grey, (side, side), interpolation=cv2.INTER_NEAREST), cv2.COLORMAP_VIRIDIS)


def _best(chances: np.ndarray, deltas: np.ndarray, config: NetConfig, side: int) -> np.ndarray:
    """Corners of the likeliest box, in a search region of any size: the cells lie around its middle."""
    k, grid, _ = chances.shape
    anchor, row, column = np.unravel_index(int(chances.argmax()), chances.shape)
    dx, dy, dw, dh = deltas.reshape(4, k, grid, grid)[:, anchor, row, column]
    w, h = boxes.anchor_shapes(config)[anchor]
    middle = (grid - 1) / 2
    cx = side / 2 + (column - middle) * config.stride + dx * w
    cy = side / 2 + (row - middle) * config.stride + dy * h
    w, h = w * np.exp(min(dw, 3.0)), h * np.exp(min(dh, 3.0))
    return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])


def _draw(picture: np.ndarray, corners: np.ndarray, colour: tuple[int, int, int]) -> None:
    side = len(picture)
    x1, y1, x2, y2 = (round(float(v)) for v in np.clip(np.nan_to_num(corners), -side, 2 * side))
    cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), colour, 1)
