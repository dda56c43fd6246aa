"""The papers' recipes as data (reference E.2 to E.5, C.5, D.3): ``main.py train --preset NAME``.

Where a paper and its authors' code differ, the line says which is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tracker.config import NetConfig
from tracker.data.drawing import Share
from tracker.data.rendering import View
from tracker.training.labels import Rules
from tracker.training.schedules import Schedule
from tracker.zoo import ZOO

EPOCH = 600_000
"""Pairs of an epoch."""


@dataclass(frozen=True)
class Recipe:
    """How one tracker of the zoo is trained. ``batch``: over all cards; ``pairs``: per epoch."""

    tracker: str
    schedule: Schedule
    batch: int
    sets: Mapping[str, Share]
    weights: Mapping[str, float]
    pairs: int = EPOCH
    thaw: tuple[str, ...] = ()
    """Parts of the backbone that are trained from ``thaw_epoch`` on; until then all of it is frozen, norms included."""
    thaw_epoch: int = 10
    backbone_rate: float = 0.1
    """Of the thawed parts, as a share of the learning rate."""
    refine: bool = False
    """Train the mask refinement alone, on everything else as it is."""
    trained_at: tuple[int, int] | None = None
    """Search region in pixels and cells that are labelled, where they are not those of tracking."""
    negatives: float = 0.2
    grey: float = 0.0
    exemplar_view: View = field(default_factory=lambda: View(4, 0.05))
    search_view: View = field(default_factory=lambda: View(64, 0.18, blur=0.2))
    rules: Rules = field(default_factory=Rules)
    momentum: float = 0.9
    weight_decay: float = 1e-4
    clip: float = 10.0

    @property
    def net(self) -> NetConfig:
        return ZOO[self.tracker].net

    @property
    def attentive(self) -> bool:
        return self.tracker.startswith("attsiammask")

    @property
    def steps(self) -> int:
        return self.schedule.epochs * self.pairs // self.batch


_PYSOT_SETS = {"vid": Share(100_000, 100), "ytbb": Share(None, 3), "coco": Share(None, 1), "det": Share(None, 1)}
_MASK_SETS = {
    "ytvos": Share(200_000, 20),
    "vid": Share(200_000, 100),
    "coco": Share(None, 1),
    "det": Share(100_000, 1),
}
_REFINE_SETS = {"ytvos": Share(100_000, 20), "coco": Share(None, 1)}
_RPN_WEIGHTS = {"cls": 1.0, "loc": 1.2}
_R50_SCHEDULE = Schedule(0.001, 0.005, 0.0005)

_RPN = Recipe(
    "siamrpnpp-r50",
    _R50_SCHEDULE,
    batch=28 * 8,
    sets=_PYSOT_SETS,
    weights=_RPN_WEIGHTS,
    thaw=("layer2", "layer3", "layer4"),
)
_MASK = Recipe(
    "siammask-r50",
    Schedule(0.001, 0.005, 0.0025),
    batch=64,
    sets=_MASK_SETS,
    weights=_RPN_WEIGHTS | {"mask": 36.0},
    thaw=("layer2", "layer3"),
    grey=0.25,
    search_view=View(64, 0.18, blur=0.18, blur_size="narrow"),
    rules=Rules(fill=True, about_middle=True),
)

RECIPES: Mapping[str, Recipe] = {
    "siamrpnpp-r50": _RPN,
    # no schedule was published for MobileNetV2: the one of ResNet-50, stages at stride 8 thawed
    "siamrpnpp-mobilev2": replace(
        _RPN, tracker="siamrpnpp-mobilev2", thaw=("layer3", "layer4", "layer5", "layer6", "layer7")
    ),
    "siamrpnpp-alex": replace(
        _RPN,
        tracker="siamrpnpp-alex",
        schedule=Schedule(0.005, 0.01, 0.0005, epochs=50),
        batch=128 * 16,
        negatives=0.05,
        trained_at=(255, 17),  # it tracks in 287 px
        # the last two convolutions with their norms
        thaw=("features.11", "features.12", "features.14", "features.15"),
    ),
    "siammask-r50": _MASK,
    "siammask-r50-refine": replace(
        _MASK,
        schedule=Schedule(0.01, 0.01, 0.0025, warmup=0),
        sets=_REFINE_SETS,
        weights={"mask": 36.0},
        pairs=200_000,
        thaw=(),
        refine=True,
        trained_at=(143, 3),  # the cells whose exemplar window lies inside
        negatives=0.0,
        search_view=View(8, 0.18, blur=0.18, blur_size="narrow"),
    ),
    # the released configuration; the paper's table 4 has half the iterations, without saying at which batch (C.5).
    # The weight of the regression is the code's too, where the paper sums the losses as they are.
    "siamatt-r50": replace(
        _RPN, tracker="siamatt-r50", batch=48, weights=_RPN_WEIGHTS | {"att": 1.0, "off": 1.0}, thaw=()
    ),
    # Att-SiamMask sec. 5.1 ends ten times lower than it peaks, on COCO, VID and YouTube-VOS
    "attsiammask-r50": replace(
        _MASK,
        tracker="attsiammask-r50",
        schedule=_R50_SCHEDULE,
        sets={name: share for name, share in _MASK_SETS.items() if name != "det"},
    ),
}
EMBEDDED, EMBEDDED_MASKS = "siamatt-mobile", "siamatt-mobile-masks"
PRESETS = (EMBEDDED, EMBEDDED_MASKS, *RECIPES)
