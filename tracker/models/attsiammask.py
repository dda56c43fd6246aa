"""Att-SiamMask: SiamMask whose template is weighted by a key part of the target (Att-SiamMask sec. 4, reference D)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from tracker.models.correlation import depthwise_correlation
from tracker.models.siammask import SiamMask

FIRST, LAST = 5, 18
"""Response cells under the template's 7 x 7: template cell n lies at 5.875 + 2n (reference D.2, point 8)."""


class AttSiamMask(SiamMask):
    """The same weights as SiamMask's; `part_attention` adds nothing to them."""

    def part_attention(self, part: Tensor, region: Tensor, *, strength: float) -> Tensor:
        """Weights (n, 7, 7) of template cells, 1 on average, from the response to the key part (equation 7).

        ``part`` (n, 3, 127, 127): the key part as an exemplar; ``region`` (n, 3, 255, 255): the target's exemplar
        region as a search region. The correlation is SiamFC's, a mean over channels, so that one spatial map comes out
        (D.2, point 7). ``strength``: lambda, the share of the weights against 1 everywhere (point 9).
        """
        kernel = self.template(part)
        response = depthwise_correlation(self.features(region)[0], kernel).mean(1)
        cells = F.avg_pool2d(response[:, FIRST : LAST + 1, FIRST : LAST + 1], 2)
        low, high = cells.amin((1, 2), keepdim=True), cells.amax((1, 2), keepdim=True)
        # responses are unbounded and may be negative, and the heads' batch norms expect templates of the usual size
        shares = (cells - low) / (high - low).clamp(min=1e-12)
        weights = shares / shares.mean((1, 2), keepdim=True).clamp(min=1e-12)
        weights = torch.where(high - low > 1e-6 * high.abs(), weights, torch.ones_like(weights))
        return (1 - strength) + strength * weights
