"""The papers' augmentations (SiamRPN++ sec. 3.1, reference E.3): drawn as numbers, rendered where the pixels are.

What happens to a sample is drawn once, on the CPU, from its own random numbers (`draw`). Rendering takes these numbers
and whole crops, either one by one with OpenCV in the loader's processes (`render_one`), or a batch at a time on the
accelerator (`render`); both give the same pixels but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

TINT = np.array(
    [
        [-0.55919361, 0.98062831, -0.41940627],
        [1.72091413, 0.19879334, -1.82968581],
        [4.64467907, 4.73710203, 4.88324118],
    ]
)
"""Principal colours of natural pictures, RGB down the rows: a random mixture of the columns is subtracted."""
WIDEST = 45
GREY = (0.114, 0.587, 0.299)
"""Weights of blue, green and red in grey."""


@dataclass(frozen=True)
class View:
    """Ranges for one of the two pictures: shift in pixels, scale as a share, and how often it is blurred."""

    shift: float
    scale: float
    blur: float = 0.0
    blur_size: Literal["wide", "narrow"] = "wide"
    """Odd sizes from 5 to 45 alike (pysot), or 2 N(0, 1) + 1, of which half are no blur at all (SiamMask)."""


def draw(rng: np.random.Generator, view: View, source: int, size: int, grey: bool) -> dict[str, Any]:
    """The random numbers of one picture.

    ``region`` (4,) float32: left, top and the scales x and y of the part of the crop (``source`` px) that fills the
    output of ``size`` px; both are limited so that it stays inside. ``tint`` (3,) float32 BGR, ``blur`` (2,) float32:
    size, 0 for none, and share of the vertical arm; ``grey`` float32 0 or 1.
    """
    scale = np.minimum(1 + rng.uniform(-1, 1, 2) * view.scale, source / size)
    corner = source / 2 - size * scale / 2 + rng.uniform(-1, 1, 2) * view.shift
    corner = np.clip(corner, 0, source - size * scale)
    tint = (TINT @ rng.standard_normal(3))[::-1]
    blurred = rng.random() < view.blur
    if view.blur_size == "wide":
        side = 2 * int(rng.integers(2, WIDEST // 2 + 1)) + 1
    else:
        side = max(0, 2 * round(float(rng.standard_normal())) + 1)
    share = rng.random()
    return {
        "region": np.concatenate([corner, scale]).astype(np.float32),
        "tint": tint.astype(np.float32),
        "blur": np.array([side if blurred and side > 1 else 0, share], np.float32),
        "grey": np.float32(grey),
    }


def corners_in(corners: tuple[float, ...], region: np.ndarray) -> np.ndarray:
    """A box ``x1, y1, x2, y2`` of the crop in pixels of the region's picture: (4,) float32."""
    left, top, across, down = region
    box = np.array(corners) - (left, top, left, top)
    return (box / (across, down, across, down)).astype(np.float32)


def render_one(crop: np.ndarray, drawn: dict[str, np.ndarray], size: int) -> np.ndarray:
    """One picture (size, size, 3) float32 BGR from a crop (s, s, 3) uint8; not clipped after the tint (E.3)."""
    picture = _warp(crop, drawn["region"], size)
    if drawn["grey"]:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    out = picture.astype(np.float32) - drawn["tint"]
    side, share = int(drawn["blur"][0]), float(drawn["blur"][1])
    if side:
        kernel = np.zeros((side, side), np.float32)
        kernel[:, side // 2] += share / side
        kernel[side // 2, :] += (1 - share) / side
        out = cv2.filter2D(out, -1, kernel)
    return out


def mask_one(crop: np.ndarray, region: np.ndarray, size: int) -> np.ndarray:
    """A mask (s, s) of 0 and 1 in the same region: (size, size) uint8."""
    return (_warp(crop.astype(np.float32), region, size) > 0.5).astype(np.uint8)


def _warp(crop: np.ndarray, region: np.ndarray, size: int) -> np.ndarray:
    left, top, across, down = (float(v) for v in region)
    # our edges to OpenCV's pixel centres
    matrix = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        crop, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0)
    )


def render(crops: Tensor, drawn: dict[str, Any], size: int) -> Tensor:
    """A batch (n, size, size, 3) float32 from crops (n, s, s, 3) uint8, on their device; ``drawn`` as from `draw`."""
    picture = resample(crops.permute(0, 3, 1, 2).float(), drawn["region"], size).round()
    weights = picture.new_tensor(GREY).view(1, 3, 1, 1)
    grey = (picture * weights).sum(1, keepdim=True).round()
    picture = torch.where(drawn["grey"].view(-1, 1, 1, 1) > 0, grey, picture)
    picture = picture - drawn["tint"].view(-1, 3, 1, 1)
    blurred = (drawn["blur"][:, 0] > 0).nonzero()[:, 0]
    if len(blurred):
        picture = picture.index_copy(0, blurred, _blur(picture[blurred], *drawn["blur"][blurred].unbind(1)))
    return picture.permute(0, 2, 3, 1)


def render_masks(crops: Tensor, regions: Tensor, size: int) -> Tensor:
    """A batch of masks (n, size, size) uint8 from (n, s, s) of 0 and 1."""
    return (resample(crops[:, None].float(), regions, size)[:, 0] > 0.5).to(torch.uint8)


def resample(pictures: Tensor, regions: Tensor, size: int) -> Tensor:
    """The regions (n, 4) of pictures (n, c, s, s) in ``size`` x ``size`` px, bilinear, black outside; see `draw`."""
    source = pictures.shape[-1]
    left, top, across, down = regions.unbind(1)
    zero = torch.zeros_like(left)
    # grid_sample names edges -1 and 1
    x = torch.stack([across * size / source, zero, (2 * left + across * size) / source - 1], 1)
    y = torch.stack([zero, down * size / source, (2 * top + down * size) / source - 1], 1)
    grid = F.affine_grid(torch.stack([x, y], 1), [len(pictures), 1, size, size], align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _blur(pictures: Tensor, sides: Tensor, shares: Tensor) -> Tensor:
    """Cross-shaped blur of each picture (n, 3, s, s): a vertical and a horizontal mean, mixed."""
    n, c, height, width = pictures.shape
    reach = WIDEST // 2
    steps = torch.arange(-reach, reach + 1, device=pictures.device)
    arm = (steps.abs()[None] <= (sides[:, None] - 1) / 2).float() / sides[:, None]
    kernels = arm.repeat_interleave(c, 0)
    flat = pictures.reshape(1, n * c, height, width)
    tall, wide = F.pad(flat, (0, 0, reach, reach), mode="reflect"), F.pad(flat, (reach, reach, 0, 0), mode="reflect")
    down = F.conv2d(tall, kernels[:, None, :, None], groups=n * c).view_as(pictures)
    across = F.conv2d(wide, kernels[:, None, None, :], groups=n * c).view_as(pictures)
    share = shares.view(-1, 1, 1, 1)
    return share * down + (1 - share) * across
