"""The network that a configuration asks for."""

from __future__ import annotations

from torch import nn

from tracker.config import NetConfig
from tracker.models.siamatt_mobile import SiamAttMobile


def build(config: NetConfig, *, attentive: bool = False) -> nn.Module:
    """A network with fresh weights, a `Network`. ``attentive``: with Att-SiamMask's weighing of the template."""
    networks = {"siamatt-mobile": SiamAttMobile}
    return networks[config.architecture](config)
