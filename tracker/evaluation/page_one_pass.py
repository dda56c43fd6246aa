"""The one-pass part of a report page: figures, curves, attributes, clips, masks and loss detection."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tracker.api import Verdict
from tracker.evaluation import attributes, metrics, report
from tracker.evaluation.attributes import Attribute
from tracker.evaluation.loss import pooled
from tracker.evaluation.one_pass import ClipRun, ClipScore
from tracker.evaluation.page import Html, Section, number, section, tag
from tracker.evaluation.page_plots import Axis, Line, curves, timeline
from tracker.evaluation.page_tables import Column, Row, table
from tracker.evaluation.profiles import NORMALISED, PIXELS, Curves, Profile
from tracker.evaluation.protocols import OnePass
from tracker.evaluation.stored import Study

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SHARE = Axis("share of frames", 0, 1, SHARES)
SMALL = 300, 220
"""Size of the plots of attributes."""
Figures = dict[str, Callable[[ClipScore], float | None]]


def sections(study: Study, colours: dict[str, int]) -> list[Section]:
    """The parts in their order. ``colours``: numbers of the trackers. The study is of the protocol `OnePass`."""
    profile = study.protocol.profile if isinstance(study.protocol, OnePass) else OnePass().profile
    found = [
        section(
            "One pass: figures",
            _summary(study, profile, colours),
            tag("p", f"Profile {profile.name}: {profile.words}.", class_="hint"),
            anchor="one-pass",
            short="Figures",
        ),
        section("Curves", tag("div", *_curves(study, profile, colours), class_="plots"), anchor="curves"),
        _attributes(study, profile, colours),
        _loss(study, colours),
        _masks(study, colours),
        section("Clips", *_clips(study, profile, colours), anchor="clips"),
        section("Overlap over time", *_timelines(study, colours), anchor="time", short="Over time"),
    ]
    return [part for part in found if part is not None]


def _summary(study: Study, profile: Profile, colours: dict[str, int]) -> Html:
    columns = [
        ("auc", Column("success AUC", best=1, hint="mean of the success curve")),
        ("precision20", Column(f"precision {profile.pixels:g} px", best=1)),
        ("normalised", Column("norm. precision", best=1)),
        ("miou", Column("mean overlap", best=1, hint="GOT-10k's AO")),
        ("sr50", Column("SR .5", best=1, hint="share of frames with overlap above .5")),
        ("sr75", Column("SR .75", best=1)),
        ("davis_j", Column("J", best=1, hint="region similarity of the masks")),
        ("davis_f", Column("F", best=1, hint="contour accuracy of the masks")),
        ("fps", Column("fps", 0, best=1, hint="frames per second of the tracker alone")),
    ]
    means = {label: report.mean(clips) for label, clips in study.comparison.scores.items()}
    columns = [(key, column) for key, column in columns if any(row[key] is not None for row in means.values())]
    rows = [Row(label, [row[key] for key, _ in columns], colours[label]) for label, row in means.items()]
    return table("tracker", [column for _, column in columns], ranked(rows))


def ranked(rows: list[Row]) -> list[Row]:
    """Rows by their first figure, the highest first."""
    return sorted(rows, key=lambda row: -math.inf if row.figures[0] is None else row.figures[0], reverse=True)


def _curves(study: Study, profile: Profile, colours: dict[str, int]) -> list[Html]:
    means = {
        label: whole
        for label, clips in study.comparison.scores.items()
        if (whole := attributes.mean([score.curves for score in clips.values()])) is not None
    }
    pixels = Axis("distance of the centres, at most (px)", 0, 50, (0, 10, 20, 30, 40, 50))
    sizes = Axis("distance in sizes of the target, at most", 0, 0.5, (0, 0.1, 0.2, 0.3, 0.4, 0.5))
    normalised = "at .2" if profile.normalised == "value" else "mean"
    return [
        success("Success [AUC]", means, profile, colours),
        curves(
            f"Precision [at {profile.pixels:g} px]",
            pixels,
            SHARE,
            [Line(name, colours[name], PIXELS, one.precision, one.at_pixels) for name, one in means.items()],
        ),
        curves(
            f"Normalised precision [{normalised}]",
            sizes,
            SHARE,
            [
                Line(name, colours[name], NORMALISED, one.normalised, one.normalised_figure)
                for name, one in means.items()
            ],
        ),
    ]


def success(
    title: str, means: dict[str, Curves], profile: Profile, colours: dict[str, int], small: bool = False
) -> Html:
    """The success plot of trackers."""
    axis = Axis("overlap, more than", 0, 1, SHARES)
    lines = [Line(name, colours[name], profile.thresholds, one.success, one.auc) for name, one in means.items()]
    return curves(title, axis, SHARE, lines, spots=not small, size=SMALL if small else (420, 300))


def _attributes(study: Study, profile: Profile, colours: dict[str, int]) -> Section | None:
    rows, plots = [], []
    comparison = study.comparison
    for attribute in attributes.of(study.sequences.values()):
        means = {
            label: found
            for label, scores in comparison.scores.items()
            if (found := attributes.one_pass(attribute, comparison.runs[label], scores, study.sequences, profile))
        }
        if not means:
            continue
        figures = [means[label].auc if label in means else None for label in comparison.scores]
        rows.append(Row(attribute_name(attribute), figures, note=attribute.extent))
        title = f"{attribute.name} ({attribute.extent}) [AUC]"
        plots.append(success(title, means, profile, colours, small=True))
    if not rows:
        return None
    columns = [Column(label, best=1, colour=colours[label]) for label in comparison.scores]
    words = (
        "Success AUC where an attribute of the data set applies: mean over its clips, or over the clips of its frames "
        "weighted by their number."
    )
    return section(
        "Attributes",
        tag("p", words, class_="hint"),
        table("attribute", columns, rows, across=True),
        tag("details", tag("summary", "Success plots by attribute"), tag("div", *plots, class_="plots small")),
        anchor="attributes",
    )


def attribute_name(attribute: Attribute) -> str:
    """An attribute as the data set calls it, with its words where it is an abbreviation."""
    return f"{attribute.name}: {attribute.words}" if attribute.words else attribute.name


def _loss(study: Study, colours: dict[str, int]) -> Section | None:
    """How well the word *lost* agrees with absence; None when no tracker ever says it and nothing is ever absent."""
    found = {label: pooled(score.loss for score in clips.values()) for label, clips in study.comparison.scores.items()}
    if not any(one.absent or one.said for one in found.values()):
        return None
    columns = [
        Column("recall", best=1, hint="share of the absent frames that are said to be lost"),
        Column("precision", best=1, hint="share of the frames said to be lost that are absent"),
        Column("F", best=1),
        Column("false pauses per 1\u202f000 frames", 1, -1, "times that lost begins while the target shows"),
        Column("absent frames", 0),
        Column("returns", 0, hint="times that the target came back"),
        Column("found again", 0, 1),
        Column("frames until found", 1, -1),
    ]
    rows = [
        Row(
            label,
            [
                one.recall,
                one.precision,
                one.f,
                one.pauses_per_thousand if one.said else None,
                one.absent,
                one.returns,
                len(one.waits) if one.returns else None,
                one.wait,
            ],
            colours[label],
            "" if one.said else "never says lost",
        )
        for label, one in found.items()
    ]
    words = "All clips together. Found again: overlap of half or more, without the word lost."
    return section("Loss detection", tag("p", words, class_="hint"), table("tracker", columns, rows), anchor="loss")


def _masks(study: Study, colours: dict[str, int]) -> Section | None:
    parts = [(kind, what) for kind in "jf" for what in ("mean", "recall", "decay")]
    columns = [Column(f"{kind.upper()} {what}", best=-1 if what == "decay" else 1) for kind, what in parts]
    rows = []
    for label, clips in study.comparison.scores.items():
        known = [score.masks for score in clips.values() if score.masks is not None]
        if known:
            means = [sum(getattr(getattr(one, kind), what) for one in known) / len(known) for kind, what in parts]
            both = sum(one.both for one in known) / len(known)
            rows.append(Row(label, [both, *means, len(known)], colours[label]))
    if not rows:
        return None
    words = (
        "Region similarity J and contour accuracy F as DAVIS defines them: without the first and the last frame; "
        "recall is the share of frames above .5, decay the first quarter's mean less the last quarter's."
    )
    whole = [Column("J&F", best=1), *columns, Column("clips", 0)]
    return section("Masks", tag("p", words, class_="hint"), table("tracker", whole, rows), anchor="masks")


def _clips(study: Study, profile: Profile, colours: dict[str, int]) -> list[Html]:
    figures: Figures = {
        "success AUC": lambda score: score.auc,
        f"precision {profile.pixels:g} px": lambda score: score.precision20,
        "norm. precision": lambda score: score.curves.normalised_figure,
        "mean overlap": lambda score: score.miou,
        "mask J": lambda score: score.masks.j.mean if score.masks else None,
        "mask F": lambda score: score.masks.f.mean if score.masks else None,
    }
    return chooser(study, figures, colours)


def chooser(study: Study, figures: Figures, colours: dict[str, int], digits: int = 3) -> list[Html]:
    """A table of clips for each figure that any clip has, of which the page shows one at a time."""
    scores = study.comparison.scores
    tables, options = [], []
    for name, figure in figures.items():
        values = {clip: [figure(clips[clip]) for clips in scores.values()] for clip in study.sequences}
        if not any(value is not None for row in values.values() for value in row):
            continue
        columns = [Column(label, digits, best=1, colour=colours[label]) for label in scores]
        rows = [
            Row(tag("a", clip, href=f"#{anchor(study, clip)}"), row, note=_about(study, clip))
            for clip, row in values.items()
        ]
        anchored = f"{study.protocol.name}-{len(tables)}"
        tables.append(tag("div", tag("h3", name), table("clip", columns, rows, across=True), id=anchored))
        options.append(tag("option", name, value=anchored))
    pick = tag("label", "Figure: ", tag("select", *options), class_="choice")
    return [tag("div", pick, *tables, class_="chooser")]


def anchor(study: Study, clip: str) -> str:
    """Where a clip's curve of overlap stands in the page."""
    return f"{study.protocol.name}-clip-{list(study.sequences).index(clip)}"


def _about(study: Study, clip: str) -> str:
    sequence = study.sequences[clip]
    words = [f"{len(sequence.truth)} frames", *sorted(sequence.attributes)]
    notes = [clips[clip].note for clips in study.comparison.scores.values() if clips[clip].note]
    return ", ".join(words) + "".join(f". {note}" for note in dict.fromkeys(notes))


def finest(study: Study) -> int:
    """Values drawn of a clip's curve: fewer where there are many clips, so that the page stays a page."""
    return min(400, max(100, 24_000 // len(study.sequences)))


def _timelines(study: Study, colours: dict[str, int]) -> list[Html]:
    names = {colours[label]: label for label in study.comparison.runs}
    words = (
        "Overlap with the ground truth by frame; where the target is absent the ground is shaded, and bars say when a "
        "tracker calls the target lost."
    )
    out = [tag("p", words, class_="hint")]
    for clip, sequence in study.sequences.items():
        overlaps, lost = {}, {}
        for label, runs in study.comparison.runs.items():
            run: ClipRun = runs[clip]
            known = sequence.present & (np.arange(len(sequence.truth)) < run.decoded)
            overlaps[colours[label]] = np.where(known, metrics.overlaps(run.boxes, sequence.truth), np.nan)
            lost[colours[label]] = np.array([word == Verdict.LOST for word in run.verdicts])
        figures = [f"{label} {number(clips[clip].auc)}" for label, clips in study.comparison.scores.items()]
        drawn = timeline(f"Overlap on {clip}", overlaps, names, sequence.gone, lost, finest=finest(study))
        title = tag("summary", tag("b", clip), tag("small", " " + ", ".join(figures)))
        out.append(tag("details", title, drawn, id=anchor(study, clip), class_="clip"))
    return out
