"""Drift signals and the verdict.

A raw Siamese score stays high after the target is gone, so several signals are read together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracker.api import Box, MaskPatch, Verdict
from tracker.boxes import iou
from tracker.config import TrackConfig
from tracker.inference.decode import Choice

MOST = 4.0
"""Most that one frame's evidence counts, either way."""
LONG = 12
"""Frames after which a loss is no blink any more."""
NOTHING = -2.5
"""Evidence below which a frame shows nothing of the target; above it a target that counts as lost is still followed."""
LOST = 0.5
"""Presence below which the verdict is lost."""
SURE = 0.001
"""Presence never comes closer than this to 0 and 1, so that a change of mind takes frames, not seconds."""
CUT = math.log(0.5)
"""What is left of a target at the picture's border, against its usual area, below which it counts as gone."""
RESIZE, OUTSIDE = 1.0, 0.5
"""Logarithm of a change of area against the usual, and share of the box outside the picture, that are worth a look."""
AGREEMENT = 0.35
"""IoU of the box and the mask's own bounds below which an answer is worth a look."""


class Evidence(NamedTuple):
    """What is known of one frame's answer besides the choice itself.

    ``attention``: the attention map's maximum near the chosen cell; ``displacement``: distance moved, in target sizes;
    ``resize``: logarithm of the area against its usual value; ``outside``: share of the box outside the picture;
    ``online``, ``sharpness``: score of the online part at the chosen cell and how far it stands out of the rest, in
    standard deviations, and ``likeness``: similarity of what is seen there to what a person called the target, at most
    1; None without that part. ``elsewhere``: the frame was not searched at the target's last place. ``cut``: the
    picture's border cuts the box.
    """

    attention: float
    displacement: float
    resize: float = 0.0
    outside: float = 0.0
    online: float | None = None
    sharpness: float | None = None
    likeness: float | None = None
    elsewhere: bool = False
    cut: bool = False


def readings(signals: Mapping[str, float], *, absent: bool = False) -> dict[str, float]:
    """The numbers by name that presence is read from (`tracker.config.Presence`), out of a frame's signals.

    ``absent``: the target counted as lost before; then it may be anywhere and of any size.
    """
    chance = min(max(signals["probability"], 0.01), 0.99)
    return {
        "probability": math.log(chance / (1 - chance)),
        "attention": signals["attention"],
        "second_peak": min(signals["second_peak"], 1.5),
        "online": min(max(signals["online"], 0.0), 1.0),
        "sharpness": math.sqrt(max(signals["sharpness"], 0.0)),
        "likeness": signals["likeness"],
        "resize": 0.0 if absent else min(abs(signals["resize"]), 2.0),
        "displacement": 0.0 if absent else min(signals["displacement"], 2.0),
        "outside": signals["outside"],
    }


@dataclass
class Monitor:
    """Follows one target's confidence over time and says in words what is wrong."""

    config: TrackConfig
    confidence: float = 1.0
    promising: bool = False
    """The last frame spoke for the target, whatever the verdict is."""
    nothing: bool = True
    """It showed nothing of it."""
    absent: int = 0
    """Frames for which it has counted as lost."""

    def judge(self, choice: Choice, evidence: Evidence) -> tuple[Verdict, str, dict[str, float]]:
        """Verdict, reason and named signals of one frame."""
        signals = _signals(choice, evidence)
        if "online" not in signals:
            self.confidence += self.config.smoothing * (choice.probability - self.confidence)
            lost = self.confidence < self.config.lost_score
            reason = f"confidence {self.confidence:.2f} has fallen below {self.config.lost_score:.2f}"
        else:
            gone = evidence.cut and evidence.resize < CUT
            parts = self._parts(signals)
            ratio = -MOST if gone else self.config.presence.offset + sum(parts.values())
            signals["evidence"] = ratio
            self.weigh(ratio, evidence.elsewhere)
            lost = self.confidence < LOST
            reason = "it has left the picture" if gone else self._absence(signals, parts)
        signals["confidence"] = self.confidence
        if lost:
            return Verdict.LOST, reason, signals
        doubt = self._doubt(choice, evidence)
        return (Verdict.UNCERTAIN, doubt, signals) if doubt else (Verdict.TRACKED, "", signals)

    def ratio(self, choice: Choice, evidence: Evidence) -> float:
        """Log-likelihood ratio of one frame: above 0 it speaks for the target.

        Without the online part, how far its probability exceeds what makes it lost.
        """
        signals = _signals(choice, evidence)
        if "online" not in signals:
            return choice.probability - self.config.lost_score
        return self.config.presence.offset + sum(self._parts(signals).values())

    def _parts(self, signals: Mapping[str, float]) -> dict[str, float]:
        """What each signal adds to it."""
        found = readings(signals, absent=self.absent > 0)
        return {name: factor * found[name] for name, factor in self.config.presence.factors}

    def weigh(self, ratio: float, elsewhere: bool) -> None:
        """Update the probability that the target is there (a hidden state of two values, filtered forward)."""
        presence = self.config.presence
        self.nothing = ratio < NOTHING
        self.promising = ratio > 0
        back = presence.back_elsewhere if elsewhere else presence.back
        before = self.confidence * (1 - presence.leave) + (1 - self.confidence) * back
        odds = before / (1 - before) * math.exp(min(max(presence.trust * ratio, -MOST), MOST))
        self.confidence = min(max(odds / (1 + odds), SURE), 1 - SURE)
        self.absent = self.absent + 1 if self.confidence < LOST else 0

    def _absence(self, signals: Mapping[str, float], parts: Mapping[str, float]) -> str:
        """Why a target counts as lost: the signal that is farthest below what it is of targets that are there."""
        if signals["evidence"] > 0:
            return "it may be back; another frame must agree"
        usual, factors = dict(self.config.presence.usual), dict(self.config.presence.factors)
        worst = min(parts, key=lambda name: parts[name] - factors[name] * usual.get(name, 0.0))
        value = signals[worst]
        return {
            "probability": f"nothing here looks like the target (probability {value:.2f})",
            "attention": f"nothing here draws attention as the target does ({value:.2f})",
            "second_peak": f"something else here answers {value:.1f} times as much",
            "online": f"nothing here differs from its surroundings as the target did ({value:.2f})",
            "sharpness": f"nothing here stands out as the target does (sharpness {value:.1f})",
            "likeness": f"what is here is unlike what was marked (similarity {value:.2f})",
            "resize": f"the box is {_times(value)} than usual",
            "displacement": f"the box jumped by {value:.1f} target sizes",
            "outside": f"{value:.0%} of the box lies outside the picture",
        }[worst]

    def _doubt(self, choice: Choice, evidence: Evidence) -> str:
        """What speaks against an answer that is not lost; empty when nothing does."""
        config = self.config
        if self.confidence < config.uncertain_score:
            return f"confidence {self.confidence:.2f} is low"
        if choice.runner_up > config.runner_up:
            row, column = choice.runner_up_cell
            where = _direction(row - choice.row, column - choice.column)
            return f"a look-alike {where} scores {choice.runner_up:.0%} of the target"
        if evidence.displacement > config.jump:
            return f"the box jumped by {evidence.displacement:.1f} target sizes"
        if evidence.online is None:
            return ""
        if abs(evidence.resize) > RESIZE:
            return f"the box is {_times(evidence.resize)} than usual"
        if evidence.outside > OUTSIDE:
            return f"{evidence.outside:.0%} of the box lies outside the picture"
        return ""


def agreement(box: Box, mask: MaskPatch) -> float:
    """IoU of a box with the bounds of the mask that was drawn for it; 0 for an empty mask."""
    rows, columns = np.flatnonzero(mask.bits.any(axis=1)), np.flatnonzero(mask.bits.any(axis=0))
    if not len(rows):
        return 0.0
    left, top = mask.x + columns[0], mask.y + rows[0]
    bounds = left, top, mask.x + columns[-1] + 1 - left, mask.y + rows[-1] + 1 - top
    return float(iou(np.array(box), np.array(bounds)))


def doubt_disagreement(verdict: Verdict, reason: str, found: float) -> tuple[Verdict, str]:
    """The verdict after masks were drawn: an answer whose box and mask ``found`` little in common is uncertain."""
    if verdict is not Verdict.TRACKED or found >= AGREEMENT:
        return verdict, reason
    return Verdict.UNCERTAIN, f"box and mask disagree (overlap {found:.2f})"


def _signals(choice: Choice, evidence: Evidence) -> dict[str, float]:
    """The named signals of one frame; those of the online part only where there is one."""
    signals = {
        "probability": choice.probability,
        "attention": evidence.attention,
        "second_peak": choice.runner_up,
        "displacement": evidence.displacement,
        "resize": evidence.resize,
        "outside": evidence.outside,
    }
    if evidence.online is not None and evidence.sharpness is not None and evidence.likeness is not None:
        signals |= {"online": evidence.online, "sharpness": evidence.sharpness, "likeness": evidence.likeness}
    return signals


def _times(resize: float) -> str:
    """A logarithm of areas in words."""
    return f"{math.exp(abs(resize)):.1f} times {'larger' if resize > 0 else 'smaller'}"


def _direction(rows: int, columns: int) -> str:
    """Where something lies, in words."""
    vertical = "above" if rows < -3 else "below" if rows > 3 else ""
    horizontal = "left" if columns < -3 else "right" if columns > 3 else ""
    if vertical and horizontal:
        return f"{vertical} and to the {horizontal}"
    return vertical or (f"to the {horizontal}" if horizontal else "beside it")
