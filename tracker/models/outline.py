"""The mask of what is in a box: a segmentation branch on a crop of its own around the box.

SiamMask decodes a mask from one vector of the correlation, which must name the target and draw it, and whose window is
fixed before the box is known. Here the box comes first; the picture is cut around it, and the branch looks at all its
features, told where the box is, where the mask was, which colours and which features were the target's in frames that
it remembers (as FEELVOS matches with the first and the previous frame).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tracker.models.heads import conv_norm

SIDE = 144
"""Pixels of the crop along one side; a multiple of 16."""
CELLS = SIDE // 2
"""Cells of the mask along one side."""
KEYS = SIDE // 8
"""Cells of a memory along one side."""
KEY_CHANNELS = 48
FRAMES = 2
"""Frames that can be remembered at a time."""
HINTS = 3
"""Maps that come with a crop: likeness by colour to what is remembered, in [-1, 1]; the mask that is expected, in
[0, 1]; likeness by colour to what is in the box rather than around it."""
RECALLED = 5


def _conv(inputs: int, outputs: int) -> nn.Sequential:
    """3 x 3 convolution that keeps the size, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """Two 3 x 3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


def doubled(x: Tensor) -> Tensor:
    """Twice as many cells, as the backbone has them: cell m of the coarse map sits on cell 2m + 1 of the fine one."""
    size = (2 * x.shape[-1] + 1,) * 2
    spread = F.interpolate(F.pad(x, (1, 0, 1, 0), mode="replicate"), size, mode="bilinear", align_corners=True)
    return spread[:, :, 1:, 1:]


def places(boxes: Tensor, side: int) -> Tensor:
    """Where each of ``side`` x ``side`` cells of the crop lies in its box: (n, 3, side, side).

    ``boxes`` (n, 4) ``cx, cy, w, h`` in crop pixels. Channels: signed distance from the middle in half widths, in half
    heights (both within 2), and a soft 1 inside the box.
    """
    steps = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) * (SIDE / side)
    u = ((steps[None] - boxes[:, :1]) / (boxes[:, 2:3] / 2).clamp(min=1)).clamp(-2, 2)[:, None, :].expand(-1, side, -1)
    v = ((steps[None] - boxes[:, 1:2]) / (boxes[:, 3:4] / 2).clamp(min=1)).clamp(-2, 2)[:, :, None].expand(-1, -1, side)
    return torch.stack([u, v, ((1 - torch.maximum(u.abs(), v.abs())) * 8).sigmoid()], 1)


class OutlineHead(nn.Module):
    """Decoder over a backbone's features at strides 2, 4, 8 and 16 of crops of `SIDE` pixels."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        stride2, stride4, stride8, stride16 = channels
        self.key = nn.Conv2d(stride8 + stride16, KEY_CHANNELS, 1)
        self.sharpness = nn.Parameter(torch.tensor(2.5))
        self.own_sharpness = nn.Parameter(torch.tensor(1.5))
        hints = 3 + HINTS
        self.side16, self.side8 = conv_norm(stride16, 96), conv_norm(stride8, 32)
        self.side4, self.side2 = conv_norm(stride4, 24), conv_norm(stride2, 16)
        self.join16, self.mix16 = _conv(96 + hints + RECALLED, 128), _Residual(128)
        self.down8, self.join8, self.mix8 = conv_norm(128, 64), _conv(96 + hints + RECALLED, 64), _Residual(64)
        self.down4, self.join4, self.mix4 = conv_norm(64, 32), _conv(56 + hints, 32), _Residual(32)
        self.down2, self.join2, self.mix2 = conv_norm(32, 16), _conv(32 + hints, 16), _conv(16, 16)
        self.out = nn.Conv2d(16, 1, 3, padding=1)

    def keys(self, stride8: Tensor, stride16: Tensor) -> Tensor:
        """What a frame's cells are recognised by: (n, `KEY_CHANNELS`, `KEYS` ** 2), each of length 1."""
        found = self.key(torch.cat([stride8, doubled(stride16)], 1)).flatten(2).float()
        return F.normalize(found, dim=1)

    def recall(self, keys: Tensor, memory: Tensor, figure: Tensor, ground: Tensor, inside: Tensor) -> Tensor:
        """What memories and the crop itself say of each cell: (n, `RECALLED`, `KEYS`, `KEYS`).

        ``memory`` (n, `KEY_CHANNELS`, m) keys of remembered cells, ``figure`` and ``ground`` (n, m) how much of each
        is the target or is not; both 0 where there is no memory. ``inside`` (n, `KEYS` ** 2): how much of each own
        cell is in the box. Channels: the share of figure among the cells that look alike, the likeness to the most
        similar one of the figure, and of the ground; the share of what is in the box among the crop's own cells that
        look alike, and the likeness to the most similar one around the box, which is ground for sure.
        """
        alike = torch.einsum("nck,ncm->nkm", keys, memory)
        weight = (alike * self.sharpness.exp() + (figure + ground - 1)[:, None] * 50).softmax(2)
        share = torch.einsum("nkm,nm->nk", weight, figure - ground)
        best = [(alike * part[:, None]).amax(2) for part in (figure, ground)]
        own = torch.einsum("nck,ncm->nkm", keys, keys)
        within = torch.einsum("nkm,nm->nk", (own * self.own_sharpness.exp()).softmax(2), inside)
        around = (own * (1 - inside)[:, None]).amax(2)
        return torch.stack([share, *best, within, around], 1).unflatten(2, (KEYS, KEYS))

    def forward(
        self,
        features: tuple[Tensor, Tensor, Tensor, Tensor],
        keys: Tensor,
        boxes: Tensor,
        hints: Tensor,
        memory: Tensor,
        figure: Tensor,
        ground: Tensor,
    ) -> Tensor:
        """Mask logits (n, `CELLS`, `CELLS`) of what is in the boxes of crops, from their features and keys.

        ``boxes`` (n, 4) ``cx, cy, w, h`` in crop pixels; ``hints`` (n, `HINTS`, `CELLS`, `CELLS`); ``memory``,
        ``figure`` and ``ground``: see `recall`.
        """
        stride2, stride4, stride8, stride16 = features
        told = [hints]
        for _ in range(3):
            told.append(F.avg_pool2d(told[-1], 2))
        told = [torch.cat([places(boxes, part.shape[-1]), part], 1) for part in told]
        seen = self.recall(keys, memory, figure, ground, told[2][:, 2].flatten(1))
        x = torch.cat([self.side16(stride16), told[3], F.avg_pool2d(seen, 2)], 1)
        x = self.mix16(self.join16(x))
        x = torch.cat([doubled(self.down8(x)), self.side8(stride8), told[2], seen], 1)
        x = self.mix8(self.join8(x))
        x = torch.cat([doubled(self.down4(x)), self.side4(stride4), told[1]], 1)
        x = self.mix4(self.join4(x))
        x = torch.cat([doubled(self.down2(x)), self.side2(stride2), told[0]], 1)
        return self.out(self.mix2(self.join2(x)))[:, 0]
