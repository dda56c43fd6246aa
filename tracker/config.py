"""Configurations as frozen dataclasses: saved beside the weights, never read from a global."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class NetConfig:
    """Geometry of a Siamese network: crop sizes in pixels, response grid, anchors (reference section A.3)."""

    architecture: str = "siamatt-mobile"
    exemplar: int = 127
    search: int = 255
    stride: int = 8
    grid: int = 25
    channels: int = 128
    anchor_scale: float = 8.0
    anchor_ratios: tuple[float, ...] = (0.33, 0.5, 1.0, 2.0, 3.0)
    mask_side: int = 63
    """Cells of the predicted mask, each two crop pixels wide; the whole covers the chosen cell's exemplar window."""


@dataclass(frozen=True)
class TrackConfig:
    """Hyper-parameters of one tracking step (SiamRPN++ sec. 3, SiamAtt eq. 5; reference B.1 and C.4)."""

    context: float = 0.5
    penalty_k: float = 0.12
    window_influence: float = 0.40
    size_rate: float = 0.40
    attention_weight: float = 1.0
    """``w`` of SiamAtt equation 5."""
    attention_threshold: float = 0.1
    """``t``: a peak must exceed it to add to the score."""
    mask_threshold: float = 0.4
    lost_score: float = 0.25
    """Smoothed confidence below which the target counts as lost."""
    uncertain_score: float = 0.6
    runner_up: float = 0.8
    """A second peak of the ranked map this close to the first makes the answer uncertain (a look-alike)."""
    jump: float = 1.0
    """Distance moved in one frame, in target sizes, that makes the answer uncertain."""
    smoothing: float = 0.35
    """Weight of the newest frame in the smoothed confidence that the verdict is read from."""


@dataclass(frozen=True)
class TrainConfig:
    """One training run. ``seed`` and the step determine every sample, so a resumed run equals an unbroken one."""

    data: str = ""
    sets: dict[str, float] = field(
        default_factory=lambda: {
            "aerial": 0.24,
            "drone": 0.06,
            "clothing": 0.11,
            "coco128": 0.22,
            "segments": 0.19,
            "street": 0.11,
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
    grey: float = 0.15
    thaw: float = 0.8
    """Share of the run after which the earliest stages of the backbone are trained too."""
    save_every: int = 100
    bfloat16: bool = True
    workers: int = 1
