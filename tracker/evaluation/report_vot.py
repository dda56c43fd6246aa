"""What the VOT protocols say: the JSON for programs, the tables for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tracker.evaluation import multi_start, supervised
from tracker.evaluation.compare import Comparison
from tracker.evaluation.expected import INTERVALS, Variant
from tracker.evaluation.multi_start import MultiStartSummary
from tracker.evaluation.supervised import SupervisedSummary

Summaries = dict[str, SupervisedSummary | MultiStartSummary]


def summaries(comparison: Comparison, interval: str, variant: Variant) -> Summaries:
    """Each tracker's figures over all clips; trackers without a clip are left out."""
    out: Summaries = {}
    for name, clips in comparison.scores.items():
        if not clips:
            continue
        if isinstance(next(iter(clips.values())), supervised.SupervisedScore):
            out[name] = supervised.summary(clips, interval, variant)
        else:
            out[name] = multi_start.summary(clips)
    return out


def as_json(comparison: Comparison, protocol: str, interval: str, variant: Variant) -> dict[str, Any]:
    """``{"protocol", "profile", "trackers": {NAME: {"mean": {…, "eao_curve"}, "clips": {CLIP: {…}}}}}``.

    ``profile`` of a supervised run says which interval and variant its EAO follows. Figures that do not exist are None.
    """
    trackers = {}
    for name, whole in summaries(comparison, interval, variant).items():
        mean = {key: value for key, value in vars(whole).items() if key != "eao"}
        mean |= {"eao": whole.eao.value, "eao_curve": list(whole.eao.curve)}
        trackers[name] = {"mean": mean, "clips": {clip: _clip(s) for clip, s in comparison.scores[name].items()}}
    return {"protocol": protocol, "profile": words(protocol, interval, variant), "trackers": trackers}


def table(comparison: Comparison, interval: str, variant: Variant) -> Table:
    """One tracker a row: accuracy, robustness, EAO, speed."""
    whole = summaries(comparison, interval, variant)
    out = Table(title="All clips")
    for title in ("tracker", "accuracy", "robustness", "EAO", "fps", "clips"):
        out.add_column(title, justify="left" if title == "tracker" else "right", no_wrap=True)
    for name, row in whole.items():
        cells = (_text(value) for value in (row.accuracy, row.robustness, row.eao.value))
        out.add_row(name, *cells, _text(row.fps, 0), str(len(comparison.scores[name])))
    return out


def clip_table(comparison: Comparison) -> Table:
    """Accuracy of every tracker on every clip; in brackets failures of a repetition, or the share before failure."""
    out = Table(title="Accuracy by clip (failures, or robustness, in brackets)")
    out.add_column("clip", no_wrap=True)
    for name in comparison.scores:
        out.add_column(name, justify="right")
    for clip in dict.fromkeys(clip for clips in comparison.scores.values() for clip in clips):
        cells = []
        for clips in comparison.scores.values():
            score = clips[clip]
            loss = getattr(score, "mean_failures", None)
            cells.append(f"{_text(score.accuracy)} ({_text(score.robustness if loss is None else loss, 2)})")
        out.add_row(clip, *cells)
    return out


def words(protocol: str, interval: str, variant: Variant) -> str:
    """What the figures mean, in a sentence."""
    if protocol == "multi-start":
        return "VOT2020 multi-start: robustness is the share of a run before failure, EAO over lengths 115 to 755"
    low, high = INTERVALS[interval]
    return (
        f"VOT supervised, {variant}: failures per 100 frames, accuracy without the first {supervised.BURN_IN} frames "
        f"of a start, EAO over lengths {low} to {high} ({interval})"
    )


def _clip(score: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"accuracy": score.accuracy, "frames": score.frames, "fps": score.fps}
    if isinstance(score, supervised.SupervisedScore):
        entry |= {"failures": score.mean_failures, "failed_at": [list(row) for row in score.failures]}
        entry["repetitions"] = len(score.failures)
    else:
        entry |= {"robustness": score.robustness, "progress": list(score.progress)}
    if score.note:
        entry["note"] = score.note
    return entry


def _text(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
