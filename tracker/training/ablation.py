"""SiamAtt's table 3: what attention and offset add to the same network on the same budget (SiamAtt sec. 4.3).

The baseline is the network whose two modules are neither trained nor asked, which is SiamRPN++ bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """A row of the table. ``without``: losses that are left out; ``attention``: it adds to the score in tracking."""

    title: str
    folder: str
    without: tuple[str, ...]
    attention: bool

    def weights(self, whole: Mapping[str, float]) -> dict[str, float]:
        """Of the losses: those of the recipe, 0 for what is left out."""
        return {name: 0.0 if name in self.without else weight for name, weight in whole.items()}


VARIANTS = (
    Variant("baseline", "baseline", ("att", "off"), attention=False),
    Variant("+ attention", "attention", ("off",), attention=True),
    Variant("+ attention + offset", "offset", (), attention=True),
)


@dataclass(frozen=True)
class Row:
    """The figures of one variant, means over clips."""

    title: str
    auc: float
    precision20: float
    miou: float


def table(rows: Sequence[Row], heading: str, remarks: Sequence[str]) -> str:
    """As Markdown; differences are to the first row."""
    lines = [f"# {heading}", "", "| variant | success AUC | to baseline | precision 20 px | mean IoU |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        change = "" if row is rows[0] else f"{row.auc - rows[0].auc:+.3f}"
        lines.append(f"| {row.title} | {row.auc:.3f} | {change} | {row.precision20:.3f} | {row.miou:.3f} |")
    return "\n".join([*lines, "", *(f"- {remark}" for remark in remarks), ""])
