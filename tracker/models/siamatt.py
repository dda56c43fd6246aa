"""SiamAtt: SiamRPN++ with attention and offset modules on every level (SiamAtt sec. 3, reference C)."""

from __future__ import annotations

import torch
from torch import Tensor

from tracker.config import NetConfig
from tracker.models.network import Kernels, Response, nothing
from tracker.models.points import Attention, Offset
from tracker.models.siamrpn import SiamRPN


class SiamAtt(SiamRPN):
    """With equal weights its proposals are those of `SiamRPN` bit for bit: the modules only add maps."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__(config)
        self.att_mods_head = Attention(config.neck)
        self.off_mods_head = Offset(config.neck)

    def embed(self, exemplar: Tensor) -> Kernels:
        """Kernels of exemplars (n, 3, 127, 127): proposals, attention, offsets, each level by level."""
        z = self.template(exemplar)
        return self.rpn_head.kernels(z) + self.att_mods_head.kernels(z) + self.off_mods_head.kernels(z)

    def match(self, kernels: Kernels, search: Tensor, *, offsets: bool = True) -> Response:
        """Compare search regions (n, 3, s, s) with one exemplar each; without ``offsets`` that branch is skipped."""
        x = self.levels(search)
        k = len(x)
        cls, loc, levels = self.rpn_head(x, kernels[: 2 * k])
        n, _, g, _ = cls.shape
        att = self.att_mods_head(x, kernels[2 * k : 3 * k])
        off = self.off_mods_head(x, kernels[3 * k :]) if offsets else nothing(cls, n, 0, g, g)
        return Response(cls, loc, att, off, torch.stack(levels, 1), ())
