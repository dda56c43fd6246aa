"""What an evaluation says: the JSON for programs, the tables for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from tracker.evaluation.compare import Comparison
from tracker.evaluation.loss import LossScore, pooled
from tracker.evaluation.one_pass import ClipScore

FIGURES = ("auc", "precision20", "miou", "mask_j", "fps")
EXTRA = ("mask_iou_held", "normalised", "sr50", "sr75", "davis_j", "davis_f", "davis_jf")
"""Reported beside the five agreed figures."""


def as_json(comparison: Comparison, profile: str = "otb") -> dict[str, Any]:
    """``{"protocol", "profile", "trackers": {NAME: {"mean": {FIGURES}, "loss", "clips": {CLIP: {FIGURES}}}}}``.

    None where a figure does not apply. A mean is over the clips that have the figure. A clip's entry also has
    ``frames`` (how many counted) and, only where something went wrong, a ``note``.
    """
    trackers = {}
    for name, clips in comparison.scores.items():
        entries = {clip: _entry(score) for clip, score in clips.items()}
        lost = pooled(score.loss for score in clips.values())
        trackers[name] = {"mean": mean(clips), "loss": _loss(lost), "clips": entries}
    return {"protocol": "one-pass", "profile": profile, "trackers": trackers}


def mean(clips: dict[str, ClipScore]) -> dict[str, float | None]:
    """Mean of each figure over the clips that have it; None where none has."""
    means: dict[str, float | None] = {}
    for key in FIGURES + EXTRA:
        values = [value for score in clips.values() if (value := figures(score)[key]) is not None]
        means[key] = sum(values) / len(values) if values else None
    return means


def figures(score: ClipScore) -> dict[str, float | None]:
    """A clip's figures by the names of the JSON."""
    found: dict[str, float | None] = {key: getattr(score, key) for key in (*FIGURES, "mask_iou_held")}
    found |= {"normalised": score.curves.normalised_figure, "sr50": score.curves.sr50, "sr75": score.curves.sr75}
    davis = score.masks
    return found | {
        "davis_j": davis.j.mean if davis else None,
        "davis_f": davis.f.mean if davis else None,
        "davis_jf": davis.both if davis else None,
    }


def write_json(data: dict[str, Any], path: Path) -> None:
    """Write what `as_json` made atomically; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(path)


def clip_table(comparison: Comparison) -> Table:
    """Success AUC of every tracker on every clip, and mask J where there are masks."""
    table = Table(title="Success AUC by clip (mask J in brackets)")
    table.add_column("clip", no_wrap=True)
    table.add_column("frames", justify="right")
    for name in comparison.scores:
        table.add_column(name, justify="right")
    every = {clip: score.frames for clips in comparison.scores.values() for clip, score in clips.items()}
    for clip, frames in every.items():
        cells = (_cell(clips[clip]) for clips in comparison.scores.values())
        table.add_row(clip, str(frames), *cells)
    return table


def mean_table(comparison: Comparison) -> Table:
    """The means, one tracker a row, the best of each column in bold."""
    table = Table(title="Mean over clips")
    table.add_column("tracker", no_wrap=True)
    for title in ("success AUC", "precision 20 px", "mean IoU", "mask J", "mask IoU held", "fps", "clips"):
        table.add_column(title, justify="right")
    means = {name: mean(clips) for name, clips in comparison.scores.items()}
    keys = ("auc", "precision20", "miou", "mask_j", "mask_iou_held", "fps")
    best = {
        key: max((value for row in means.values() if (value := row[key]) is not None), default=None) for key in keys
    }
    for name, row in means.items():
        cells = [_mark(_figure(row[key], key), row[key] is not None and row[key] == best[key]) for key in keys]
        table.add_row(name, *cells, str(len(comparison.scores[name])))
    return table


def _entry(score: ClipScore) -> dict[str, Any]:
    entry: dict[str, Any] = {**figures(score), "frames": score.frames, "loss": _loss(score.loss)}
    if score.note:
        entry["note"] = score.note
    return entry


def _loss(score: LossScore) -> dict[str, Any]:
    return {
        "precision": score.precision,
        "recall": score.recall,
        "f": score.f,
        "false_pauses_per_1000": score.pauses_per_thousand,
        "absent": score.absent,
        "returns": score.returns,
        "found_again": len(score.waits),
        "frames_until_found": score.wait,
    }


def _cell(score: ClipScore) -> str:
    text = _figure(score.auc, "auc")
    if score.mask_j is not None:
        text += f" ({_figure(score.mask_j, 'mask_j')})"
    return text + ("*" if score.note else "")


def _figure(value: float | None, key: str) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if key == "fps" else f"{value:.3f}"


def _mark(text: str, best: bool) -> str:
    return f"[bold]{text}[/bold]" if best else text
