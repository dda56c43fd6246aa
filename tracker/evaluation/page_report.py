"""A report as one page: what was measured, of whom, under which protocols, and where it went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tracker.evaluation import page_one_pass, page_vot
from tracker.evaluation.page import Html, Section, document, join, section, swatch, tag
from tracker.evaluation.page_strips import strip
from tracker.evaluation.page_vot import Counting
from tracker.evaluation.stored import Study
from tracker.evaluation.strips import MAP, Strip

FAILURES = {
    "one-pass": "Worst failures",
    "supervised": "VOT supervised: worst failures",
    "multi-start": "VOT multi-start: worst failures",
}


def render(
    studies: Sequence[Study],
    strips: Mapping[str, Sequence[Strip]],
    *,
    title: str,
    roots: Sequence[Path],
    made: str,
    counting: Counting | None = None,
) -> Html:
    """The page. ``strips`` by name of the protocol; ``roots``: where the clips lay; ``made``: when, in words."""
    labels = dict.fromkeys(label for study in studies for label in study.comparison.scores)
    colours = {label: number for number, label in enumerate(labels)}
    parts: list[Section] = []
    for study in studies:
        name = study.protocol.name
        if name == "one-pass":
            own = page_one_pass.sections(study, colours)
        else:
            own = page_vot.sections(study, colours, counting or Counting())
        parts += own
        if shown := strips.get(name):
            parts.append(_failures(name, shown, colours))
    links = [tag("a", part.short, href=f"#{part.anchor}") for part in parts]
    head = _head(title, studies, colours, roots, made)
    main = tag("main", *(part.body for part in parts), _problems(studies))
    return document(title, join([head, tag("nav", *links), main]))


def _head(title: str, studies: Sequence[Study], colours: dict[str, int], roots: Sequence[Path], made: str) -> Html:
    about = {label: words for study in studies for label, words in study.about.items()}
    rows = []
    for label, number in colours.items():
        box = tag("input", type="checkbox", checked=True, data_tracker=number, aria_label=f"show {label}")
        rows.append(tag("li", tag("label", box, swatch(number), tag("b", label), tag("small", about.get(label, "")))))
    facts = []
    for study in studies:
        frames = sum(len(sequence.truth) for sequence in study.sequences.values())
        many = f"{frames:,}".replace(",", "\u202f")
        facts.append(f"{study.protocol.name}: {len(study.sequences)} clips, {many} frames")
    where = ", ".join(map(str, roots))
    return tag(
        "header",
        tag("h1", title),
        tag("p", "; ".join(facts), ". ", tag("small", where), class_="facts"),
        tag("p", made, class_="facts"),
        tag("ul", *rows, class_="trackers"),
    )


def _failures(name: str, shown: Sequence[Strip], colours: dict[str, int]) -> Section:
    words = (
        "The stretches with the lowest overlap, the worst of each tracker in turn. White: ground truth; triangles "
        f"point to answers outside the picture. Warm: the tracker's {MAP} heat map."
    )
    switch = None
    if any(one.mapped for one in shown):
        box = tag("input", type="checkbox", checked=True, data_hides="heat")
        switch = tag("label", box, "heat maps", class_="choice")
    drawn = [strip(one, colours) for one in shown]
    hint = tag("p", words, class_="hint")
    return section(FAILURES[name], hint, switch, *drawn, anchor=f"{name}-failures", short="Failures")


def _problems(studies: Sequence[Study]) -> Html | None:
    found = list(dict.fromkeys(problem for study in studies for problem in study.comparison.problems))
    if not found:
        return None
    return section("Left out or failed", tag("ul", *(tag("li", problem) for problem in found)), anchor="problems").body
