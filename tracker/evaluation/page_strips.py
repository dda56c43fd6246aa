"""Strips of pictures in a page: the pictures as they are, boxes and heat maps as drawings that can be hidden."""

from __future__ import annotations

import base64

import numpy as np

from tracker.api import Box, MaskPatch
from tracker.data.regions import Region, bounding_box
from tracker.evaluation.failures import box_of
from tracker.evaluation.page import COLOURS, Html, number, tag
from tracker.evaluation.strips import Overlay, Shot, Strip


def strip(one: Strip, colours: dict[str, int]) -> Html:
    """One failure. ``colours``: the trackers' numbers."""
    failure = one.failure
    names = " and ".join(failure.labels)
    verb = "misses" if len(failure.labels) == 1 else "miss"
    first, last = one.shots[0].frame, one.shots[-1].frame
    words = f"{names} {verb} the target around frames {min(first, last)} to {max(first, last)}"
    notes = [f"costs {failure.cost:.2f} of the run's mean overlap"]
    if failure.start.backward:
        notes.append(f"a run backward from frame {failure.start.frame}")
    elif failure.start.frame:
        notes.append(f"started on frame {failure.start.frame}")
    if one.mapped:
        notes.append(f"heat map: {one.mapped}")
    note = tag("small", "; ".join(notes) + ".", " " + one.note if one.note else None)
    shots = [_shot(shot, failure.labels[0], colours) for shot in one.shots]
    title = tag("figcaption", tag("b", failure.clip), ": ", words, note)
    return tag("figure", title, tag("div", *shots, class_="shots"), class_="strip")


def _shot(shot: Shot, label: str, colours: dict[str, int]) -> Html:
    window = shot.window
    place = {"x": _n(window.x), "y": _n(window.y), "width": _n(window.w), "height": _n(window.h)}
    drawn = [tag("image", href=_data("jpeg", shot.jpeg), **place)]
    if shot.heat is not None:
        drawn.append(_heat(shot.heat))
    if shot.truth is not None:
        drawn.append(_region(shot.truth, "truth", "ground truth"))
    for name, answer in shot.answers.items():
        overlap = shot.overlaps.get(name, float("nan"))
        told = f"{name}: overlap {number(overlap, 2)}"
        kind = f"line c{colours[name] % COLOURS} s{colours[name]}"
        box = box_of(answer)
        if box is not None and not _touches(Box(*box.tolist()), window):
            drawn.append(_arrow(Box(*box.tolist()), window, kind, told + ", outside this picture"))
        else:
            drawn.append(_region(answer, kind, told))
    view = f"{_n(window.x)} {_n(window.y)} {_n(window.w)} {_n(window.h)}"
    picture = tag("svg", *drawn, viewBox=view, class_="shot", role="img")
    overlap = shot.overlaps.get(label, float("nan"))
    absent = "" if shot.truth is not None else ", target absent"
    value = "" if overlap != overlap else tag("span", number(overlap, 2), title=f"overlap of {label}")
    return tag("div", picture, tag("small", tag("span", f"frame {shot.frame}{absent}"), value))


def _heat(heat: Overlay) -> Html:
    rect = heat.rect
    return tag(
        "image",
        href=_data("png", heat.png),
        x=_n(rect.x),
        y=_n(rect.y),
        width=_n(rect.w),
        height=_n(rect.h),
        preserveAspectRatio="none",
        class_="heat",
    )


def _region(region: Region, kind: str, told: str) -> Html:
    """An outline with a dark one under it, so that it shows on any ground."""
    if isinstance(region, MaskPatch):
        region = np.array(bounding_box(region), float)
    if region.ndim == 2:
        shape, place = "polygon", {"points": " ".join(f"{_n(x)},{_n(y)}" for x, y in region.tolist())}
    else:
        x, y, w, h = region.tolist()
        shape, place = "rect", {"x": _n(x), "y": _n(y), "width": _n(max(w, 0)), "height": _n(max(h, 0))}
    hidden = next((word for word in kind.split() if word[0] == "s"), None)
    under = tag(shape, **place, class_="halo")
    return tag("g", under, tag(shape, tag("title", told), **place, class_=kind), class_=hidden)


def _arrow(box: Box, window: Box, kind: str, told: str) -> Html:
    """A triangle at the picture's border that points to a box beyond it."""
    middle = np.array([window.cx, window.cy])
    way = np.array([box.cx, box.cy]) - middle
    length = float(np.hypot(*way))
    way = way / max(length, 1e-6)
    tip = middle + way * (0.47 * window.w / max(abs(way[0]), abs(way[1]), 1e-6))
    side = np.array([-way[1], way[0]]) * window.w * 0.04
    back = tip - way * window.w * 0.08
    points = " ".join(f"{_n(float(x))},{_n(float(y))}" for x, y in (tip, back + side, back - side))
    hidden = kind.split()[-1]
    under = tag("polygon", points=points, class_="halo")
    return tag("g", under, tag("polygon", tag("title", told), points=points, class_=f"{kind} solid"), class_=hidden)


def _touches(box: Box, window: Box) -> bool:
    return box.x < window.x2 and box.x2 > window.x and box.y < window.y2 and box.y2 > window.y


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _n(value: float) -> str:
    return f"{value:.1f}"
