"""The published configurations: networks and tracking hyper-parameters of the papers' trackers by name.

Sources: pysot's experiments and SiamMask's configuration files, as collected in the literature the reference cites
(B.1); SiamAtt's own repository for siamatt-r50. Every profile was tuned by its authors on the benchmark it is named
after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tracker.config import NetConfig, TrackConfig

PAPERS = TrackConfig(
    sampling="bilinear",
    on_lost="follow",
    agreement=0.0,
    online_weight=0.0,
    calibration=0.0,
    framing=0.0,
    attention_weight=0.0,
    mask_threshold=0.5,
)
"""What all published trackers share; none of them acts on a loss, except the long-term one."""


@dataclass(frozen=True)
class Published:
    """One tracker of the zoo.

    ``profiles``: hyper-parameters by name, the default first. ``parameters``: of the network. ``also_loads``: trackers
    whose weights fit too.
    """

    title: str
    net: NetConfig
    profiles: Mapping[str, TrackConfig]
    parameters: int
    masks: bool = False
    also_loads: tuple[str, ...] = ()


def _tuned(penalty_k: float, window: float, rate: float, base: TrackConfig = PAPERS) -> TrackConfig:
    return replace(base, penalty_k=penalty_k, window_influence=window, size_rate=rate)


_R50 = NetConfig("siamrpn", "resnet50", channels=256, neck=(256, 256, 256), weighted=True)
_MOBILE = replace(_R50, backbone="mobilenetv2", weighted=False)
_ALEX = NetConfig("siamrpn", "alexnet", search=287, grid=21, channels=256)
_LONG_TERM = replace(_R50, neck=(128, 256, 512))
_MASK = NetConfig("siammask", "resnet50", channels=256, neck=(256,), mask_side=127, mask_extent=127.0)
_ATTENTION = replace(_R50, architecture="siamatt")

_MASK_PAPER = replace(PAPERS, rectangle="min-area")
_MASKS = {
    "vot": replace(_tuned(0.10, 0.41, 0.32, _MASK_PAPER), mask_threshold=0.15),
    "vot16": replace(_tuned(0.04, 0.42, 0.25, _MASK_PAPER), mask_threshold=0.30),
    "davis": replace(_tuned(0.04, 0.40, 1.0, _MASK_PAPER), mask_threshold=0.35),
    "plain": replace(_tuned(0.09, 0.39, 0.38, _MASK_PAPER), mask_threshold=0.30),
}

ZOO: Mapping[str, Published] = {
    "siamatt-mobile": Published(
        "SiamAtt with masks on MobileNetV2, embedded",
        NetConfig(),
        {"default": TrackConfig()},
        parameters=1_390_964,
        masks=True,
    ),
    "siamrpnpp-r50": Published(
        "SiamRPN++ on ResNet-50",
        _R50,
        {
            "vot": _tuned(0.05, 0.42, 0.38),
            "otb": _tuned(0.24, 0.50, 0.25),
            "8gpu": _tuned(0.04, 0.44, 0.33),
            "16gpu": _tuned(0.01, 0.40, 0.38),
        },
        parameters=53_950_624,
    ),
    "siamrpnpp-r50-lt": Published(
        "SiamRPN++ on ResNet-50, long-term",
        _LONG_TERM,
        {"lt": replace(_tuned(0.05, 0.28, 0.22), on_lost="enlarge")},
        parameters=60_018_336,
    ),
    "siamrpnpp-mobilev2": Published(
        "SiamRPN++ on MobileNetV2 1.4", _MOBILE, {"vot": _tuned(0.04, 0.40, 0.50)}, parameters=11_150_446
    ),
    "siamrpnpp-alex": Published("SiamRPN++ on AlexNet", _ALEX, {"vot": _tuned(0.16, 0.40, 0.30)}, parameters=6_251_102),
    "siammask-r50": Published("SiamMask on ResNet-50", _MASK, _MASKS, parameters=21_482_052, masks=True),
    "siamatt-r50": Published(
        "SiamAtt on ResNet-50",
        _ATTENTION,
        {"paper": _tuned(0.04, 0.44, 0.33, replace(PAPERS, attention_weight=1.0))},
        parameters=58_285_993,
    ),
    "attsiammask-r50": Published(
        "Att-SiamMask on ResNet-50", _MASK, _MASKS, parameters=21_482_052, masks=True, also_loads=("siammask-r50",)
    ),
}
