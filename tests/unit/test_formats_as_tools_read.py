"""What CVAT, DIVE and Label Studio show of our keyframes, by their own rules written down once more, from the raw file.

The reader of each format shares code with its writer; these tests share none: a box on every frame where the object is,
within the tolerance, and none where it is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from format_documents import documents
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats.base import get, run_export
from app.formats.selection import Choice, select
from app.model.document import Document

Shown = dict[tuple[int, int], np.ndarray]
"""Corners of the box, by track and frame."""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def by_cvat(path: Path) -> Shown:
    """Keyframes alone count; a box moves straight to the next one unless it is outside, and the last one stays."""
    root = ElementTree.parse(path).getroot()
    size = int(root.findtext("meta/task/size") or "")
    out: Shown = {}
    for track in root.iter("track"):
        keys = [
            (int(b.attrib["frame"]), b.get("outside") == "1", np.array([float(b.attrib[k]) for k in CORNERS]))
            for b in track.iter("box")
            if b.get("keyframe") == "1"
        ]
        for (frame, outside, box), (after, _, to) in pairwise([*keys, (size, True, keys[-1][2])]):
            for at in range(frame, after) if not outside else ():
                out[int(track.attrib["id"]), at] = box + (to - box) * ((at - frame) / (after - frame))
    return out


CORNERS = ("xtl", "ytl", "xbr", "ybr")


def by_dive(path: Path) -> Shown:
    """Between two features boxes are interpolated when the first says so; else there is a gap."""
    out: Shown = {}
    for track in json.loads(path.read_text())["tracks"].values():
        features = track["features"]
        assert (track["begin"], track["end"]) == (features[0]["frame"], features[-1]["frame"])
        for a, b in pairwise([*features, None]):
            out[track["id"], a["frame"]] = np.array(a["bounds"])
            if b is not None and a["interpolate"]:
                for at in range(a["frame"] + 1, b["frame"]):
                    share = (at - a["frame"]) / (b["frame"] - a["frame"])
                    out[track["id"], at] = np.array(a["bounds"]) * (1 - share) + np.array(b["bounds"]) * share
    return out


def by_label_studio(path: Path) -> Shown:
    """An enabled keyframe goes on to the next one, or to the end; a disabled one is there on its own frame alone."""
    (task,) = json.loads(path.read_text())
    size = np.array([task["data"]["width"], task["data"]["height"]] * 2) / 100
    out: Shown = {}
    for result in task["annotations"][0]["result"]:
        number = int(result["id"].removeprefix("track-"))
        keys = result["value"]["sequence"]
        last = keys[-1] | {"frame": result["value"]["framesCount"] + 1}
        for a, b in pairwise([*keys, last]):
            for at in range(a["frame"], b["frame"] if a["enabled"] else a["frame"] + 1):
                share = (at - a["frame"]) / (b["frame"] - a["frame"])
                x, y, w, h = (a[k] + (b[k] - a[k]) * share for k in ("x", "y", "width", "height"))
                out[number, at - 1] = np.array([x, y, x + w, y + h]) * size
    return out


@settings(max_examples=60)
@given(documents(), st.sampled_from((0.0, 0.5, 4.0)), st.booleans())
@pytest.mark.parametrize(
    ("name", "shows", "options"),
    [("cvat", by_cvat, {"masks": "none"}), ("dive", by_dive, {"masks": False}), ("label_studio", by_label_studio, {})],
)
def test_a_tool_shows_the_boxes_within_the_tolerance(
    name: str, shows: Callable[[Path], Shown], options: dict[str, Any], doc: Document, tolerance: float, every: bool
) -> None:
    known = get(name)
    keyframes = "every_frame" if every else "within_tolerance"
    params: Any = known.params(**{"tolerance": tolerance, "keyframes": keyframes, **options})
    keeps = ("ignored",) if name != "cvat" else ()
    wanted = {
        (track.id, frame): np.array([obs.box.x, obs.box.y, obs.box.x2, obs.box.y2])
        for track in select(doc, Choice(), keeps).document.tracks.values()  # type: ignore[arg-type]
        for frame, obs in track.frames.items()
        if obs.box is not None
    }
    if not wanted:
        return
    with TemporaryDirectory() as folder:
        out = Path(folder, f"x{known.suffix}")
        run_export(doc, None, name, out, params)
        found = shows(out)
    assert found.keys() == wanted.keys()
    far = max(float(np.abs(found[key] - box).max()) for key, box in wanted.items())
    assert far <= (0 if every else tolerance) + 0.002
