"""The network that a configuration asks for."""

from __future__ import annotations

from torch import nn

from tracker.config import NetConfig
from tracker.models.attsiammask import AttSiamMask
from tracker.models.siamatt import SiamAtt
from tracker.models.siamatt_mobile import SiamAttMobile
from tracker.models.siammask import SiamMask
from tracker.models.siamrpn import SiamRPN

NETWORKS: dict[str, type[nn.Module]] = {
    "siamatt-mobile": SiamAttMobile,
    "siamrpn": SiamRPN,
    "siammask": SiamMask,
    "siamatt": SiamAtt,
}


def build(config: NetConfig, *, attentive: bool = False) -> nn.Module:
    """A network with fresh weights, a `Network`. ``attentive``: a SiamMask that weighs its template, Att-SiamMask."""
    return (AttSiamMask if attentive else NETWORKS[config.architecture])(config)
