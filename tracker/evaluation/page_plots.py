"""Plots as SVG that stands in a page: curves, points and what went on over the frames of a clip.

Colours are classes (``c0`` … by tracker) that the page's style gives in light and dark; ``s0`` … beside them lets the
page hide a tracker. Values are told by ``<title>``, which browsers show under the pointer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.evaluation.page import COLOURS, Html, join, line_class, number, swatch, tag

LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 42
"""Margins around the plotted area, in units of the drawing."""


@dataclass(frozen=True)
class Axis:
    """``low`` … ``high`` with a line and a number at each of ``ticks``."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]

    def number(self, value: float) -> str:
        return f"{value:g}"


@dataclass(frozen=True)
class Line:
    """A curve: ``ys`` over ``xs``, broken where nan. ``colour``: number of its tracker; ``figure``: for the legend."""

    name: str
    colour: int
    xs: Sequence[float]
    ys: Sequence[float]
    figure: float | None = None


@dataclass(frozen=True)
class Point:
    """A tracker in a plane."""

    name: str
    colour: int
    x: float
    y: float


@dataclass(frozen=True)
class Frame:
    """Where values lie in a drawing of ``width`` by ``height``."""

    x: Axis
    y: Axis
    width: float
    height: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the axes in the drawing."""
        share_x = (x - self.x.low) / (self.x.high - self.x.low)
        share_y = (y - self.y.low) / (self.y.high - self.y.low)
        return (
            LEFT + share_x * (self.width - LEFT - RIGHT),
            self.height - BOTTOM - share_y * (self.height - TOP - BOTTOM),
        )


def curves(
    title: str,
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    *,
    band: tuple[float, float] | None = None,
    spots: bool = True,
    size: tuple[float, float] = (420, 300),
) -> Html:
    """Curves with a legend under them, the best figure first.

    ``band``: part of the abscissa to be shaded; ``spots``: each value can be asked for with the pointer.
    """
    frame = Frame(x, y, *size)
    drawn = [_path(frame, line) for line in lines]
    marks = [_spots(frame, line) for line in lines] if spots else []
    body = join([_grid(frame), _band(frame, band) if band else None, *drawn, *marks])
    return figure(title, _svg(title, frame, body), legend(lines))


def points(title: str, x: Axis, y: Axis, found: Sequence[Point], *, size: tuple[float, float] = (420, 300)) -> Html:
    """Trackers as points in a plane, named beside them."""
    frame = Frame(x, y, *size)
    drawn = []
    for point in found:
        px, py = frame.at(point.x, point.y)
        told = tag("title", f"{point.name}: {y.title} {number(point.y)}, {x.title} {number(point.x)}")
        right = px < frame.width * 0.6
        name = tag(
            "text",
            point.name,
            x=_n(px + (10 if right else -10)),
            y=_n(py + 4),
            class_="note",
            text_anchor="start" if right else "end",
        )
        spot = tag("circle", told, cx=_n(px), cy=_n(py), r=6, class_=f"dot c{point.colour % COLOURS}")
        drawn.append(tag("g", spot, name, class_=f"s{point.colour}"))
    return figure(title, _svg(title, frame, join([_grid(frame), *drawn])))


def legend(lines: Sequence[Line]) -> Html:
    """Names with samples of their lines and figures, the best first."""
    ranked = sorted(lines, key=lambda line: -math.inf if line.figure is None else line.figure, reverse=True)
    rows = [
        tag(
            "li",
            swatch(line.colour),
            tag("span", line.name),
            tag("b", number(line.figure)) if line.figure is not None else None,
            class_=f"s{line.colour}",
        )
        for line in ranked
    ]
    return tag("ul", *rows, class_="legend")


def figure(title: str, drawing: Html, below: Html | None = None) -> Html:
    """A drawing under its title."""
    return tag("figure", tag("figcaption", title), drawing, below)


def timeline(
    title: str,
    overlaps: dict[int, np.ndarray],
    names: dict[int, str],
    absent: np.ndarray,
    lost: dict[int, np.ndarray],
    *,
    finest: int = 400,
) -> Html:
    """Overlap over the frames of a clip, a curve and a lane for each tracker.

    ``overlaps``: (N,) by number of the tracker, nan where nothing counts; ``absent``: (N,) bool, shaded; ``lost``:
    (N,) bool by tracker, frames on which it says that it has lost the target: bars in its lane under the plot.
    ``finest``: values drawn at most for a curve; of more, the lowest of each group, so that no failure disappears.
    """
    frames = len(absent)
    lanes = [number_ for number_ in overlaps if number_ in lost and lost[number_].any()]
    size = 900, 190 + 9 * len(lanes)
    bottom = 9 * len(lanes)
    x = Axis("frame", 0, max(frames - 1, 1), ticks(frames - 1))
    frame = Frame(x, Axis("overlap", 0, 1, (0, 0.5, 1)), size[0], size[1] - bottom)
    shades = [_band(frame, (a, b)) for a, b in stretches(absent)]
    lines = []
    for number_, values in overlaps.items():
        xs, ys = thinned(values, finest)
        lines.append(_path(frame, Line(names[number_], number_, xs, ys)))
    bars = []
    for place, number_ in enumerate(lanes):
        top = size[1] - bottom + 9 * place
        for a, b in stretches(lost[number_]):
            left, right = frame.at(a, 0)[0], frame.at(b, 0)[0]
            told = tag("title", f"{names[number_]} says lost, frames {a} to {b}")
            width = max(right - left, 1.5)
            bars.append(
                tag(
                    "rect",
                    told,
                    x=_n(left),
                    y=_n(top),
                    width=_n(width),
                    height=6,
                    class_=f"fill c{number_ % COLOURS} s{number_}",
                )
            )
    note = tag("text", "lost", x=LEFT - 6, y=_n(size[1] - bottom + 7), class_="tick", text_anchor="end")
    body = join([*shades, _grid(frame), *lines, *bars, note if lanes else None])
    return tag("svg", tag("title", title), body, viewBox=f"0 0 {size[0]} {size[1]}", class_="plot wide", role="img")


def stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame of each run of flagged frames of (N,) bool."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def thinned(values: np.ndarray, most: int) -> tuple[list[float], list[float]]:
    """Frames and values to draw of (N,): all, or the lowest of each group of neighbours when there are too many."""
    if len(values) <= most:
        return list(range(len(values))), values.tolist()
    xs, ys = [], []
    for group in np.array_split(np.arange(len(values)), most):
        known = group[np.isfinite(values[group])]
        best = int(known[np.argmin(values[known])]) if len(known) else int(group[0])
        xs.append(best)
        ys.append(float(values[best]))
    return xs, ys


def _svg(title: str, frame: Frame, body: Html) -> Html:
    box = f"0 0 {_n(frame.width)} {_n(frame.height)}"
    return tag("svg", tag("title", title), body, viewBox=box, class_="plot", role="img")


def _grid(frame: Frame) -> Html:
    parts = []
    for value in frame.x.ticks:
        px, low = frame.at(value, frame.y.low)
        parts.append(tag("line", x1=_n(px), x2=_n(px), y1=_n(low), y2=TOP, class_="grid"))
        label = frame.x.number(value)
        parts.append(tag("text", label, x=_n(px), y=_n(low + 15), class_="tick", text_anchor="middle"))
    for value in frame.y.ticks:
        left, py = frame.at(frame.x.low, value)
        parts.append(tag("line", x1=_n(left), x2=_n(frame.width - RIGHT), y1=_n(py), y2=_n(py), class_="grid"))
        label = frame.y.number(value)
        parts.append(tag("text", label, x=_n(left - 6), y=_n(py + 4), class_="tick", text_anchor="end"))
    middle = (LEFT + frame.width - RIGHT) / 2
    parts.append(tag("text", frame.x.title, x=_n(middle), y=_n(frame.height - 8), class_="axis", text_anchor="middle"))
    up = (TOP + frame.height - BOTTOM) / 2
    turned = f"translate(13 {_n(up)}) rotate(-90)"
    parts.append(tag("text", frame.y.title, transform=turned, class_="axis", text_anchor="middle"))
    return tag("g", *parts)


def _band(frame: Frame, band: tuple[float, float]) -> Html:
    low, high = max(band[0], frame.x.low), min(band[1], frame.x.high)
    left, top = frame.at(low, frame.y.high)
    right, bottom = frame.at(max(high, low), frame.y.low)
    width = max(right - left, 1)
    return tag("rect", x=_n(left), y=_n(top), width=_n(width), height=_n(bottom - top), class_="band")


def _path(frame: Frame, line: Line) -> Html:
    words, pen = [], "M"
    for x, y in zip(line.xs, line.ys, strict=True):
        if not math.isfinite(y):
            pen = "M"
            continue
        px, py = frame.at(x, y)
        words.append(f"{pen}{_n(px)} {_n(py)}")
        pen = "L"
    return tag("path", tag("title", line.name), d="".join(words), class_=f"{line_class(line.colour)} s{line.colour}")


def _spots(frame: Frame, line: Line) -> Html:
    found = []
    for x, y in zip(line.xs, line.ys, strict=True):
        if math.isfinite(y):
            px, py = frame.at(x, y)
            told = tag("title", f"{line.name}: {number(y)} at {frame.x.number(x)}")
            found.append(tag("circle", told, cx=_n(px), cy=_n(py), r=4))
    return tag("g", *found, class_=f"spots c{line.colour % COLOURS} s{line.colour}")


def ticks(high: int) -> tuple[float, ...]:
    """Round numbers from 0 to at most ``high``, about eight of them."""
    power = 10 ** math.floor(math.log10(max(high / 8, 1)))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= high / 8)
    return tuple(float(value) for value in range(0, high + 1, step))


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
