"""Results by attribute: the clips, or the frames of clips, to which an attribute of the data set applies.

An attribute of whole clips (OTB, UAV123, LaSOT, DAVIS, GOT-10k's classes) selects clips; its figures are means over
them, as the field's attribute plots have it. An attribute of frames (VOT's tags, LaSOT's and GOT-10k's flags, GOT-10k's
cover) selects frames; its figures are means over clips weighted by how many of their frames it selects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracker.data.sequences import Sequence
from tracker.evaluation.one_pass import ClipRun, ClipScore
from tracker.evaluation.profiles import Curves, Profile, measure
from tracker.evaluation.supervised import SupervisedScore, per_hundred

COVER = (("visible: all", 1.0, 1.01), ("visible: half or more", 0.5, 1.0), ("visible: less than half", 1e-9, 0.5))
"""What GOT-10k's cover says, as attributes of frames: from … to, the end excluded."""
WORDS = {
    "AC": "appearance change",
    "ARC": "aspect ratio change",
    "BC": "background clutter",
    "CM": "camera motion",
    "CS": "camera shake",
    "DB": "dynamic background",
    "DEF": "deformation",
    "EA": "edge ambiguity",
    "FM": "fast motion",
    "FOC": "full occlusion",
    "HO": "heterogeneous object",
    "IO": "interacting objects",
    "IPR": "in-plane rotation",
    "IV": "illumination variation",
    "LR": "low resolution",
    "MB": "motion blur",
    "OCC": "occlusion",
    "OPR": "out-of-plane rotation",
    "OV": "out of view",
    "POC": "partial occlusion",
    "ROT": "rotation",
    "SC": "shape complexity",
    "SOB": "similar objects",
    "SV": "scale variation",
    "VC": "viewpoint change",
}
"""The abbreviations of the data sets' papers."""


@dataclass(frozen=True)
class Attribute:
    """``clips`` have it; where it is of frames, ``frames`` says by clip of which: (N,) bool."""

    name: str
    clips: tuple[str, ...]
    frames: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return WORDS.get(self.name, "")

    @property
    def extent(self) -> str:
        """How much of the data it is, in words."""
        if not self.frames:
            return f"{len(self.clips)} clip{'s' if len(self.clips) != 1 else ''}"
        return f"{sum(int(flags.sum()) for flags in self.frames.values())} frames"


@dataclass(frozen=True)
class VotFigures:
    """Under the supervised protocol: ``accuracy`` over the frames that count, None without; ``robustness``: failures
    per 100 frames of the attribute."""

    accuracy: float | None
    robustness: float


def of(sequences: Iterable[Sequence]) -> list[Attribute]:
    """The attributes that clips or their frames have, by name; those of clips first."""
    clips: dict[str, list[str]] = {}
    frames: dict[str, dict[str, np.ndarray]] = {}
    for sequence in sequences:
        for name in sequence.attributes:
            clips.setdefault(name, []).append(sequence.name)
        flags = dict(sequence.frame_attributes)
        if sequence.cover is not None:
            flags |= {name: (sequence.cover >= low) & (sequence.cover < high) for name, low, high in COVER}
        for name, flag in flags.items():
            if (flag & sequence.present).any():
                frames.setdefault(name, {})[sequence.name] = flag & sequence.present
    whole = [Attribute(name, tuple(found)) for name, found in sorted(clips.items())]
    return whole + [Attribute(name, tuple(found), found) for name, found in sorted(frames.items())]


def one_pass(
    attribute: Attribute,
    runs: Mapping[str, ClipRun],
    scores: Mapping[str, ClipScore],
    sequences: Mapping[str, Sequence],
    profile: Profile,
) -> Curves | None:
    """A tracker's curves under an attribute; None where no frame counts. ``runs``, ``scores``: by clip."""
    clips = [name for name in attribute.clips if name in scores]
    if not attribute.frames:
        return mean([scores[name].curves for name in clips])
    found = []
    for name in clips:
        run, sequence = runs[name], sequences[name]
        curves = measure(run.boxes, sequence, profile, run.decoded, attribute.frames[name])
        found += [curves] if curves is not None else []
    return mean(found, [curves.frames for curves in found])


def vot(attribute: Attribute, scores: Mapping[str, SupervisedScore]) -> VotFigures | None:
    """A tracker's figures on the frames that an attribute selects; None when there are none."""
    overlaps: list[np.ndarray] = []
    failures, frames = 0.0, 0
    for name in attribute.clips:
        if name not in scores:
            continue
        score = scores[name]
        flags = attribute.frames[name] if attribute.frames else np.ones(score.frames, bool)
        overlaps.append(score.overlaps[score.counted & flags[None]])
        failures += sum(int(flags[frame]) for row in score.failures for frame in row) / len(score.failures)
        frames += int(flags.sum())
    if not frames:
        return None
    every = np.concatenate(overlaps)
    return VotFigures(float(every.mean()) if len(every) else None, per_hundred(failures, frames))


def mean(curves: list[Curves], weights: list[int] | None = None) -> Curves | None:
    """The mean of several clips' curves and figures, each weighing the same or as given; None for none."""
    if not curves:
        return None

    def middle(name: str) -> Any:
        value = np.average([getattr(one, name) for one in curves], axis=0, weights=weights)
        return tuple(value.tolist()) if value.ndim else float(value)

    names = ("success", "precision", "normalised", "auc", "at_pixels", "normalised_figure", "ao", "sr50", "sr75")
    return Curves(**{name: middle(name) for name in names}, frames=sum(one.frames for one in curves))
