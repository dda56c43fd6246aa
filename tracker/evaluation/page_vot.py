"""The VOT part of a report page: accuracy, robustness and expected average overlap, under either protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tracker.evaluation import attributes, multi_start, report_vot
from tracker.evaluation.expected import INTERVALS, Variant
from tracker.evaluation.page import Html, Section, section, tag
from tracker.evaluation.page_one_pass import SHARES, anchor, attribute_name, chooser, finest, ranked
from tracker.evaluation.page_plots import Axis, Line, Point, curves, points, ticks, timeline
from tracker.evaluation.page_tables import Column, Row, table
from tracker.evaluation.stored import Study
from tracker.evaluation.supervised import SENSITIVITY, SupervisedScore, SupervisedSummary

TITLES = {"supervised": "VOT supervised", "multi-start": "VOT multi-start"}


@dataclass(frozen=True)
class Counting:
    """How the supervised expected average overlap is counted; see `tracker.evaluation.expected`."""

    interval: str = "vot2018"
    variant: Variant = "legacy"


def sections(study: Study, colours: dict[str, int], counting: Counting) -> list[Section]:
    """The parts in their order. ``colours``: numbers of the trackers."""
    protocol = study.protocol.name
    whole = report_vot.summaries(study.comparison, counting.interval, counting.variant)
    found = [
        section(
            TITLES[protocol],
            _summary(study, whole, colours),
            tag("p", report_vot.words(protocol, counting.interval, counting.variant) + ".", class_="hint"),
            tag("div", _plane(whole, colours), _expected(whole, colours, counting), class_="plots"),
            anchor=protocol,
        ),
        _attributes(study, colours) if protocol == "supervised" else None,
        section(
            f"{TITLES[protocol]}: clips",
            *chooser(study, _figures(protocol), colours),
            anchor=f"{protocol}-clips",
            short="Clips",
        ),
        section(
            f"{TITLES[protocol]}: overlap over time",
            *_timelines(study, colours),
            anchor=f"{protocol}-time",
            short="Over time",
        ),
    ]
    return [part for part in found if part is not None]


def _summary(study: Study, whole: report_vot.Summaries, colours: dict[str, int]) -> Html:
    failing = any(isinstance(one, SupervisedSummary) for one in whole.values())
    words = "failures per 100 frames" if failing else "share of the frames before a failure"
    columns = [
        Column("EAO", best=1, hint="expected average overlap"),
        Column("accuracy", best=1),
        Column("robustness", best=-1 if failing else 1, hint=words),
    ]
    columns += [Column("failures", 2, -1, "of a clip, weighted by length")] if failing else []
    columns += [Column("fps", 0, 1)]
    rows = []
    for label, one in whole.items():
        middle = [one.failures] if isinstance(one, SupervisedSummary) else []
        rows.append(Row(label, [one.eao.value, one.accuracy, one.robustness, *middle, one.fps], colours[label]))
    return table("tracker", columns, ranked(rows))


def _plane(whole: report_vot.Summaries, colours: dict[str, int]) -> Html:
    """The accuracy-robustness plot: better is right and up."""
    found = [
        Point(
            label,
            colours[label],
            one.reliability if isinstance(one, SupervisedSummary) else one.robustness,
            one.accuracy or 0.0,
        )
        for label, one in whole.items()
    ]
    failing = any(isinstance(one, SupervisedSummary) for one in whole.values())
    words = f"robustness: exp(-{SENSITIVITY} failures / frames)" if failing else "robustness: share before failure"
    return points("Accuracy and robustness", Axis(words, 0, 1, SHARES), Axis("accuracy", 0, 1, SHARES), found)


def _expected(whole: report_vot.Summaries, colours: dict[str, int], counting: Counting) -> Html:
    """The expected average overlap by length of the run; the shaded lengths make the figure."""
    failing = any(isinstance(one, SupervisedSummary) for one in whole.values())
    band = INTERVALS[counting.interval] if failing else multi_start.INTERVAL
    longest = max(len(one.eao.curve) for one in whole.values())
    step = max(1, longest // 200)
    lines = []
    for label, one in whole.items():
        curve = np.array(one.eao.curve)
        if not failing:
            curve[:1] = np.nan  # the frame of the start, on which no tracker answers
        lengths = np.arange(1, len(curve) + 1)[::step]
        lines.append(Line(label, colours[label], lengths.tolist(), curve[::step].tolist(), one.eao.value))
    high = max(longest, 2)
    axis = Axis("length of a run (frames)", 0, high, ticks(high))
    return curves("Expected average overlap [EAO]", axis, Axis("overlap", 0, 1, SHARES), lines, band=band)


def _figures(protocol: str) -> dict[str, Any]:
    if protocol == "multi-start":
        return {"accuracy": lambda score: score.accuracy, "robustness": lambda score: score.robustness}
    return {"accuracy": lambda score: score.accuracy, "failures": lambda score: score.mean_failures}


def _attributes(study: Study, colours: dict[str, int]) -> Section | None:
    scores = study.comparison.scores
    columns = [Column(label, best=1, colour=colours[label]) for label in scores]
    failing = [Column(label, best=-1, colour=colours[label]) for label in scores]
    accuracy, robustness = [], []
    for attribute in attributes.of(study.sequences.values()):
        found = [attributes.vot(attribute, clips) for clips in scores.values()]
        if not any(found):
            continue
        name = attribute_name(attribute)
        accuracy.append(Row(name, [one.accuracy if one else None for one in found], note=attribute.extent))
        robustness.append(Row(name, [one.robustness if one else None for one in found], note=attribute.extent))
    if not accuracy:
        return None
    return section(
        "VOT supervised: attributes",
        tag("h3", "Accuracy"),
        table("attribute", columns, accuracy, across=True),
        tag("h3", "Failures per 100 frames of the attribute"),
        table("attribute", failing, robustness),
        anchor="supervised-attributes",
        short="Attributes",
    )


def _timelines(study: Study, colours: dict[str, int]) -> list[Html]:
    names = {colours[label]: label for label in study.comparison.scores}
    words = (
        "Overlap by frame of the first repetition; after a failure the curve is broken until the next start."
        if study.protocol.name == "supervised"
        else "Overlap by frame, the mean over the runs that pass a frame before they fail."
    )
    out = [tag("p", words, class_="hint")]
    for clip, sequence in study.sequences.items():
        drawn = {}
        for label, scores in study.comparison.scores.items():
            score = scores[clip]
            drawn[colours[label]] = (
                score.overlaps[0] if isinstance(score, SupervisedScore) else _passed(study, clip, score)
            )
        absent = np.array([sequence.region(frame) is None for frame in range(len(sequence.truth))])
        plot = timeline(f"Overlap on {clip}", drawn, names, absent, {}, finest=finest(study))
        out.append(tag("details", tag("summary", tag("b", clip)), plot, id=anchor(study, clip), class_="clip"))
    return out


def _passed(study: Study, clip: str, score: multi_start.MultiStartScore) -> np.ndarray:
    sequence = study.sequences[clip]
    total = np.zeros((2, len(sequence.truth)))
    for start, row, progress in zip(multi_start.starts(sequence), score.overlaps, score.progress, strict=True):
        frames = np.array(start.frames(len(sequence.truth)))[1:progress]
        total[:, frames] += row[1:progress], np.ones(max(progress - 1, 0))
    with np.errstate(invalid="ignore"):
        return np.where(total[1] > 0, total[0] / np.maximum(total[1], 1), np.nan)
