"""Configurations as frozen dataclasses: saved beside the weights, never read from a global."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class NetConfig:
    """Geometry and parts of a Siamese network (reference A.3 and A.4). Sizes in crop pixels."""

    architecture: str = "siamatt-mobile"
    """Which network: siamrpn, siammask, siamatt or siamatt-mobile."""
    backbone: str = "mobile"
    """resnet50, mobilenetv2, alexnet, or mobile for the embedded trunk."""
    exemplar: int = 127
    search: int = 255
    stride: int = 8
    grid: int = 25
    """Cells of the response map for a search region of ``search`` pixels."""
    channels: int = 128
    """Channels of the heads."""
    neck: tuple[int, ...] = ()
    """Output channels of the neck, one per level used; empty without a neck."""
    weighted: bool = False
    """Levels are fused with learnt weights; else by their mean."""
    anchor_scale: float = 8.0
    anchor_ratios: tuple[float, ...] = (0.33, 0.5, 1.0, 2.0, 3.0)
    mask_side: int = 63
    """Cells of the predicted mask along one side."""
    mask_extent: float = 126.0
    """Crop pixels that the mask covers along one side, from the chosen cell's exemplar window on."""
    label_grid: Literal["aligned", "paper"] = "aligned"
    """Where attention cell i lies: on the response's own grid, or at 10.2 i as SiamAtt prints it (reference C.4)."""

    def grid_for(self, search: int) -> int:
        """Cells of the response map for a search region of ``search`` pixels."""
        return self.grid + (search - self.search) // self.stride


SIGNALS = (
    "probability", "attention", "second_peak", "online", "sharpness", "likeness", "resize", "displacement", "outside",
)  # fmt: skip
"""What a target's presence can be read from; see `tracker.inference.signals.readings`."""


@dataclass(frozen=True)
class Presence:
    """What the embedded tracker reads a target's presence from; fitted by ``main.py calibrate`` and kept with weights.

    One frame's log-likelihood ratio of present to absent is ``offset`` and the signals (`signals.readings`) by their
    ``factors``; ``usual``: what the signals are on average where the target is. Frames are put together by a hidden
    state: ``leave``, ``back``, ``back_elsewhere``: chances per frame that a target disappears, that an absent one comes
    back where it was, and that it does so elsewhere; ``trust``: how much of a frame's evidence counts, since
    neighbouring frames err together.
    """

    factors: tuple[tuple[str, float], ...] = (
        ("probability", 0.1953),
        ("attention", 3.5249),
        ("online", 1.509),
        ("sharpness", 0.2631),
        ("likeness", 2.1217),
        ("second_peak", -0.1845),
    )
    offset: float = -3.2488
    usual: tuple[tuple[str, float], ...] = (
        ("probability", 4.2519),
        ("attention", 0.481),
        ("online", 0.5685),
        ("sharpness", 4.1022),
        ("likeness", 0.6964),
        ("second_peak", 0.1878),
    )
    trust: float = 1.2
    leave: float = 0.002
    back: float = 0.03
    back_elsewhere: float = 0.015


@dataclass(frozen=True)
class TrackConfig:
    """Hyper-parameters of one tracking step (SiamRPN++ sec. 3, SiamAtt eq. 5; reference B and C.4).

    The defaults are those of the embedded tracker; the published ones stand in `tracker.zoo`.
    """

    context: float = 0.5
    sampling: Literal["area", "bilinear"] = "area"
    """How large regions are shrunk: averaged first, or as the papers' code does (reference A.1)."""
    penalty_k: float = 0.12
    window_influence: float = 0.40
    size_rate: float = 0.40
    smallest: float = 10.0
    agreement: float = 0.7
    """Candidates beside the chosen one that reach this share of its evidence have a say in the box; 0 for none."""
    score_mode: Literal["paper", "paper-sum3", "released"] = "paper"
    """How attention joins the classification score (reference C.3 and C.4)."""
    raw_scores: bool = False
    """Rank by the plain sum of scores instead of dividing it by its maximum, so that the window loses force."""
    attention_weight: float = 1.0
    """``w`` of SiamAtt equation 5."""
    attention_threshold: float = 0.1
    """``t``: a peak must exceed it to add to the score."""
    online_weight: float = 0.3
    """Share of the online part in the fused score; 0 leaves it out."""
    calibration: float = 1.0
    """How much of the difference between the given box and the network's own of the first frame is put right in all
    later ones; 0 takes its boxes as they are."""
    framing: float = 0.5
    """How far a box's size goes to the one in which it looks most like the template (`tracker.inference.framing`); 0
    leaves sizes to the regression."""
    framing_every: int = 4
    """Frames between two such comparisons."""
    newest: float = 0.5
    """Share of the last correction in what a target is compared with; its start has the rest."""
    corrected_rate: float = 0.5
    """Share of ``size_rate`` that a target keeps once a person has corrected it: most corrections are of sizes that the
    network changed too far."""
    looks: int = 2
    """Places beside the last one where a lost target is sought in each frame (``around``)."""
    online_rate: float = 0.05
    """How far its running average turns to a new frame."""
    online_every: int = 4
    """Frames between two updates."""
    mask_threshold: float = 0.4
    mask_rate: float = 1.0
    """How far a box goes towards the one around its mask, where masks are drawn in boxes; 0 leaves it alone."""
    refine: bool = True
    """Refine the mask with the backbone's finer features (SiamMask only)."""
    rectangle: Literal["box", "axis", "min-area", "optimised"] = "box"
    """The answer besides the mask: the regressed box, or a rectangle fitted to the mask (reference B.3)."""
    part_strength: float = 0.5
    """``lambda``: share of the key part's weights in the template (Att-SiamMask; reference D.2, point 9)."""
    part_from: Literal["target", "patch"] = "target"
    """What the nine windows divide: the target's box, or the whole exemplar (reference D.2, point 1)."""
    part_fill: Literal["black", "mean"] = "black"
    on_lost: Literal["follow", "around", "enlarge"] = "around"
    """A lost target: go on as if not (the papers), look around its last place, or search a larger region (B.2)."""
    lost_search: int = 831
    """Search region while lost, for ``enlarge``."""
    enlarge_below: float = 0.8
    enlarge_until: float = 0.998
    """``enlarge``: confidence below which the target is lost, and above which it is found again."""
    lost_score: float = 0.25
    """Smoothed confidence below which the target counts as lost."""
    uncertain_score: float = 0.6
    runner_up: float = 0.8
    """A second peak of the ranked map this close to the first makes the answer uncertain (a look-alike)."""
    jump: float = 1.0
    """Distance moved in one frame, in target sizes, that makes the answer uncertain."""
    smoothing: float = 0.35
    """Weight of the newest frame in the smoothed confidence that the verdict is read from."""
    presence: Presence = Presence()
    """What the verdict is read from where there is an online part."""


@dataclass(frozen=True)
class TrainConfig:
    """One training run. ``seed`` and the step determine every sample, so a resumed run equals an unbroken one."""

    data: str = ""
    sets: dict[str, float] = field(
        default_factory=lambda: {
            "aerial": 0.19,
            "drone": 0.05,
            "clothing": 0.12,
            "coco128": 0.24,
            "segments": 0.23,
            "street": 0.10,
            "people": 0.03,
            "tennis": 0.04,
        }
    )
    """Share of the samples drawn from each set."""
    seed: int = 7
    batch: int = 32
    steps: int = 2800
    warmup: int = 100
    lr: float = 1.5e-3
    backbone_lr: float = 2.0e-4
    weight_decay: float = 1e-4
    clip: float = 5.0
    ema: float = 0.998
    negatives: float = 0.12
    """Share of pairs whose search region shows another object."""
    distractors: float = 0.4
    backgrounds: float = 0.6
    """Share of the stills with masks that are put before another background, or whose padding is filled."""
    hollow: float = 0.25
    """Share of the samples with masks that is drawn among the few objects which leave the middle of their box empty."""
    grey: float = 0.15
    thaw: float = 0.8
    """Share of the run after which the earliest stages of the backbone are trained too."""
    save_every: int = 100
    bfloat16: bool = True
    workers: int = 1
