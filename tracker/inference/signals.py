"""Drift signals and the verdict.

A raw Siamese score stays high after the target is gone, so several signals are read together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from tracker.api import Verdict
from tracker.config import TrackConfig
from tracker.inference.decode import Choice

PROBABILITY, SHARPNESS, OFFSET = 0.45, 0.28, -2.6
"""Log-likelihood ratio of present to absent: by the logit of the probability, by the sharpness, and a constant. Fitted
on training videos with the target taken out (`tracker.training.absence`). The constants below are not: they were set by
hand while looking at the development clips, `eval/absent` among them."""
TRUST = 0.6
"""Share of a frame's evidence that counts: neighbouring frames err together."""
MOST = 4.0
DOUBT = 0.75
"""Taken off the evidence of a target that has been lost for `LONG`: what is seen then is the scene."""
LONG = 12
"""Frames after which a loss is no blink any more."""
NOTHING = -2.5
"""Evidence below which a frame shows nothing of the target; above it a target that counts as lost is still followed."""
LEAVE, RETURN, RETURN_ELSEWHERE = 0.005, 0.1, 0.05
"""Chance per frame that a target disappears, that an absent one comes back where it was, and that it does elsewhere."""
LOST = 0.5
"""Presence below which the verdict is lost."""
SURE = 0.001
"""Presence never comes closer than this to 0 and 1, so that a change of mind takes frames, not seconds."""
CUT = math.log(0.5)
"""What is left of a target at the picture's border, against its usual area, below which it counts as gone."""
RESIZE, OUTSIDE = 1.0, 0.5
"""Logarithm of a change of area against the usual, and share of the box outside the picture, that are worth a look."""


class Evidence(NamedTuple):
    """What is known of one frame's answer besides the choice itself.

    ``attention``: the attention map's maximum near the chosen cell; ``displacement``: distance moved, in target sizes;
    ``resize``: logarithm of the area against its usual value; ``outside``: share of the box outside the picture;
    ``online``, ``sharpness``: score of the online part at the chosen cell and how far it stands out of the rest, in
    standard deviations; None without that part. ``elsewhere``: the frame was not searched at the target's last place.
    ``cut``: the picture's border cuts the box.
    """

    attention: float
    displacement: float
    resize: float = 0.0
    outside: float = 0.0
    online: float | None = None
    sharpness: float | None = None
    elsewhere: bool = False
    cut: bool = False


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
        signals = {
            "probability": choice.probability,
            "attention": evidence.attention,
            "second_peak": choice.runner_up,
            "displacement": evidence.displacement,
            "resize": evidence.resize,
            "outside": evidence.outside,
        }
        if evidence.online is None or evidence.sharpness is None:
            self.confidence += self.config.smoothing * (choice.probability - self.confidence)
            lost = self.confidence < self.config.lost_score
            reason = f"confidence {self.confidence:.2f} has fallen below {self.config.lost_score:.2f}"
        else:
            signals |= {"online": evidence.online, "sharpness": evidence.sharpness}
            gone = evidence.cut and evidence.resize < CUT
            ratio = self._weigh(choice.probability, evidence.sharpness, evidence.elsewhere, gone)
            lost = self.confidence < LOST
            reason = "it has left the picture" if gone else _absence(choice.probability, evidence.sharpness, ratio)
        signals["confidence"] = self.confidence
        if lost:
            return Verdict.LOST, reason, signals
        doubt = self._doubt(choice, evidence)
        return (Verdict.UNCERTAIN, doubt, signals) if doubt else (Verdict.TRACKED, "", signals)

    def _weigh(self, probability: float, sharpness: float, elsewhere: bool, gone: bool) -> float:
        """Update the probability that the target is there (a hidden state of two values, filtered forward).

        Returns the frame's own log-likelihood ratio.
        """
        chance = min(max(probability, 0.01), 0.99)
        ratio = PROBABILITY * math.log(chance / (1 - chance)) + SHARPNESS * sharpness + OFFSET
        if gone:
            ratio = -MOST / TRUST
        self.nothing = ratio < NOTHING
        if self.absent > LONG:
            ratio -= DOUBT
        self.promising = ratio > 0
        back = RETURN_ELSEWHERE if elsewhere else RETURN
        before = self.confidence * (1 - LEAVE) + (1 - self.confidence) * back
        odds = before / (1 - before) * math.exp(min(max(TRUST * ratio, -MOST), MOST))
        self.confidence = min(max(odds / (1 + odds), SURE), 1 - SURE)
        self.absent = self.absent + 1 if self.confidence < LOST else 0
        return ratio

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
            grown = "larger" if evidence.resize > 0 else "smaller"
            return f"the box is {math.exp(abs(evidence.resize)):.1f} times {grown} than usual"
        if evidence.outside > OUTSIDE:
            return f"{evidence.outside:.0%} of the box lies outside the picture"
        return ""


def _absence(probability: float, sharpness: float, ratio: float) -> str:
    """Why a target counts as lost, by the signal that says so."""
    if ratio > 0:
        return "it may be back; another frame must agree"
    if probability < 0.5:
        return f"nothing here looks like the target (probability {probability:.2f})"
    return f"nothing here stands out as the target does (sharpness {sharpness:.1f})"


def _direction(rows: int, columns: int) -> str:
    """Where something lies, in words."""
    vertical = "above" if rows < -3 else "below" if rows > 3 else ""
    horizontal = "left" if columns < -3 else "right" if columns > 3 else ""
    if vertical and horizontal:
        return f"{vertical} and to the {horizontal}"
    return vertical or (f"to the {horizontal}" if horizontal else "beside it")
