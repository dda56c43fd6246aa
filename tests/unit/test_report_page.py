"""The page of a report: its parts as markup and drawings, and the command on small rendered clips."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from clip_maker import OBJECT_H, OBJECT_W, make_clip
from hypothesis import given
from hypothesis import strategies as st

from tracker import cli, registry
from tracker.api import Box, HeatMap, Prediction, TrackerError, TrackerInfo, Verdict
from tracker.evaluation import page, page_plots, page_tables
from tracker.evaluation.page_plots import Axis, Line

UNIT = Axis("share", 0, 1, (0.0, 0.5, 1.0))
HOSTILE = "<img src=x onerror=alert(1)>\"&'\x01"


class Guide:
    """Knows the object's path, and leaves it by ``shift`` pixels from step ``leaves`` on; has heat maps."""

    name, device = "guide", "cpu"

    def __init__(self) -> None:
        self.leaves, self.shift, self.started = 10**9, 60.0, 0

    def start(self, image, box):
        self.started += 1
        return _Way(self, box)


class _Way:
    def __init__(self, guide: Guide, box: Box) -> None:
        self.guide, self.box, self.steps = guide, box, 0

    def step(self, image, *, want_mask=True):
        self.steps += 1
        self.box = Box(self.box.x + 2, self.box.y - 1, self.box.w, self.box.h)
        away = self.guide.shift if self.steps >= self.guide.leaves else 0.0
        found = Box(self.box.x + away, self.box.y, self.box.w, self.box.h)
        heat = HeatMap(np.eye(5, dtype=np.float32), Box(found.x - 20, found.y - 20, 60, 60))
        verdict = Verdict.LOST if away else Verdict.TRACKED
        return Prediction(found, 0.5, verdict, heat={"fused": heat})


@pytest.fixture
def guide(monkeypatch):
    made = Guide()
    info = TrackerInfo("guide", "knows the way", 1, "none", "CC0", masks=False)
    monkeypatch.setitem(registry._ENTRIES, "guide", registry.Entry("guide_module:create", lambda: info))
    real = registry.create
    monkeypatch.setattr(registry, "create", lambda name, *a, **k: made if name == "guide" else real(name, *a, **k))
    return made


def run_cli(*arguments) -> int:
    return cli.app([str(argument) for argument in arguments], result_action="return_value")


def evaluated(tmp_path: Path, *more: object, tracker: tuple[str, ...] = ("guide", "opencv-kcf")) -> Path:
    assert run_cli("evaluate", tmp_path / "clips", "--tracker", *tracker, "--raw", tmp_path / "raw", *more) == 0
    return tmp_path / "raw"


class Outline(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def count(self, name: str, kind: str = "") -> int:
        return sum(tag == name and kind in [*(given.get("class") or "").split(" "), ""] for tag, given in self.tags)


def well_formed(text: str) -> ET.Element:
    """The page as a tree: every element closed, every name escaped (style and script are not markup)."""
    bare = re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)
    return ET.fromstring(bare.removeprefix("<!DOCTYPE html>\n"))


@given(st.text(), st.text())
def test_no_text_becomes_markup(inside, attribute):
    root = ET.fromstring(page.tag("p", inside, title=attribute, hidden=False, class_="x"))
    legible = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", inside)
    assert "".join(root.itertext()) == re.sub("\r\n?", "\n", legible)
    assert set(root.attrib) == {"title", "class"}


def test_elements_stand_in_elements_as_they_are():
    assert page.tag("p", page.tag("b", "a<b"), None, "c") == "<p><b>a&lt;b</b>c</p>"
    assert page.tag("input", type="checkbox", checked=True) == '<input type="checkbox" checked="" />'
    assert (page.number(0.1234), page.number(None), page.number(float("nan")), page.number(2, 0)) == (
        *("0.123", "–", "–", "2"),
    )


def values(path: str, height: float = 300, width: float = 420) -> list[tuple[float, float]]:
    """The values of a path, back from the drawing."""
    inside = width - page_plots.LEFT - page_plots.RIGHT, height - page_plots.TOP - page_plots.BOTTOM
    return [
        ((float(x) - page_plots.LEFT) / inside[0], (height - page_plots.BOTTOM - float(y)) / inside[1])
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)
    ]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_a_curve_is_drawn_where_its_values_are(ys):
    xs = np.linspace(0, 1, len(ys)).tolist()
    drawing = ET.fromstring(page_plots.curves("t", UNIT, UNIT, [Line("a<b", 1, xs, ys, 0.5)]))
    (path,) = (one for one in drawing.iter("path"))
    assert np.allclose(values(path.attrib["d"]), list(zip(xs, ys, strict=True)), atol=1e-4)
    assert path.attrib["class"] == "line c1 s1"
    told = [circle.findtext("title") for circle in drawing.iter("circle")]
    assert told == [f"a<b: {y:.3f} at {x:g}" for x, y in zip(xs, ys, strict=True)]


def test_a_curve_breaks_where_there_is_no_value():
    drawn = page_plots.curves("t", UNIT, UNIT, [Line("a", 9, (0, 0.5, 1), (0.5, float("nan"), 1))])
    (path,) = ET.fromstring(drawn).iter("path")
    assert path.attrib["d"].count("M") == 2
    assert path.attrib["class"] == "line c1 dashed s9", "the ninth tracker begins the palette again, dashed"


def test_the_legend_names_the_best_first():
    flat = (0, 1), (0, 0)
    lines = [Line("worse", 0, *flat, 0.25), Line("none", 2, *flat), Line("better", 1, *flat, 0.75)]
    entries = ["".join(one.itertext()) for one in ET.fromstring(page_plots.legend(lines)).iter("li")]
    assert entries == ["better0.750", "worse0.250", "none"]


def test_many_frames_keep_their_failures():
    overlap = np.ones(5000)
    overlap[3210] = 0.0
    overlap[:20] = np.nan
    xs, ys = page_plots.thinned(overlap, 400)
    assert len(xs) == len(ys) == 400
    assert xs[int(np.nanargmin(ys))] == 3210
    assert np.isnan(ys[0])
    assert page_plots.thinned(overlap[:50], 400)[1][30] == 1
    assert page_plots.stretches(np.array([1, 1, 0, 0, 1], bool)) == [(0, 1), (4, 4)]
    assert page_plots.ticks(270) == (0, 50, 100, 150, 200, 250)
    assert page_plots.ticks(1) == (0, 1)


def test_tables_mark_the_best_and_can_be_sorted():
    columns = [page_tables.Column("up", best=1), page_tables.Column("down", 1, -1), page_tables.Column("plain", 0)]
    figures = {"a": [0.5, 2.0, 1], HOSTILE: [0.25, None, 2], "c": [0.5004, 3.0, 3]}
    rows = [page_tables.Row(name, row) for name, row in figures.items()]
    made = ET.fromstring(page_tables.table("name", columns, rows))
    marked = [(cell.text, cell.attrib.get("data-value")) for cell in made.iter("td") if "best" in cell.attrib["class"]]
    assert marked == [("0.500", "0.5"), ("2.0", "2"), ("0.500", "0.5004")], "what prints the same is best together"
    across = page_tables.table("clip", columns[:1] * 2, [page_tables.Row("x", [0.1, 0.2])], across=True)
    assert [cell.text for cell in ET.fromstring(across).iter("td") if "best" in cell.attrib["class"]] == ["0.200"]


def test_a_report_of_raw_results(tmp_path, guide, capsys):
    guide.leaves = 6
    for name in ("a", "b"):
        make_clip(tmp_path / "clips" / name, 12, absent=(10,))
    raw = evaluated(tmp_path)
    out = tmp_path / "new" / "report.html"
    assert run_cli("report", raw, "--out", out, "--title", HOSTILE) == 0
    assert "report.html" in capsys.readouterr().out
    text = out.read_text("utf-8")
    tree = well_formed(text)
    assert tree.findtext("head/title") == HOSTILE.replace("\x01", "\ufffd")
    figures = [("".join(row.itertext())) for row in tree.iter("tr")]
    right = (1 + 5) * 20 + 5 * 0  # of 11 frames with a box, those before it leaves, at 20 thresholds
    assert any(row.startswith(f"guide{right / 11 / 21:.3f}") for row in figures)
    seen = Outline(text)
    assert seen.count("script") == 1
    assert not [given for tag, given in seen.tags if tag in ("link", "img", "iframe", "object")]
    links = [given.get("href") or given.get("src") or "" for _, given in seen.tags if "href" in given or "src" in given]
    assert links
    assert all(link.startswith(("#", "data:image/")) for link in links), "nothing comes from elsewhere"
    assert all(f'id="{link[1:]}"' in text for link in links if link.startswith("#")), "every link leads somewhere"
    assert seen.count("image", "heat") > 0, "it ran again for its heat maps"
    words = "".join(seen.texts)
    assert "guide misses the target" in words
    assert "Loss detection" in words


def test_a_clip_with_a_hostile_name_stays_text(tmp_path, guide):
    name = HOSTILE.replace("\x01", "")
    make_clip(tmp_path / "clips" / name, 6)
    guide.leaves = 2
    assert run_cli("evaluate", tmp_path / "clips", "--tracker", "guide", "--html", tmp_path / "r.html") == 0
    text = (tmp_path / "r.html").read_text("utf-8")
    well_formed(text)
    seen = Outline(text)
    assert seen.count("img") == 0
    assert not [given for _, given in seen.tags if any(key.startswith("on") for key in given)]
    assert name in "".join(seen.texts)


def test_several_folders_side_by_side(tmp_path, guide, capsys):
    make_clip(tmp_path / "clips" / "a", 6)
    make_clip(tmp_path / "clips" / "b", 6)
    evaluated(tmp_path, tracker=("guide",))
    (tmp_path / "raw").rename(tmp_path / "first")
    guide.leaves = 1
    evaluated(tmp_path, "--clips", "a", tracker=("guide",))
    assert run_cli("report", tmp_path / "first", tmp_path / "raw" / "guide", "--out", tmp_path / "r.html") == 0
    rows = ["".join(row.itertext()) for row in well_formed((tmp_path / "r.html").read_text("utf-8")).iter("tr")]
    assert any(row.startswith(f"guide (first){20 / 21:.3f}") for row in rows)
    assert any(row.startswith("guide (raw)0.") for row in rows)
    assert "b is left out: there is no result of guide (raw)" in (tmp_path / "r.html").read_text("utf-8")


def test_a_tracker_that_answers_otherwise_now_has_no_heat_map(tmp_path, guide):
    make_clip(tmp_path / "clips" / "a", 8)
    guide.leaves, guide.shift = 3, 30.0
    raw = evaluated(tmp_path, tracker=("guide",))
    guide.shift = 60.0
    assert run_cli("report", raw, "--out", tmp_path / "r.html") == 0
    text = (tmp_path / "r.html").read_text("utf-8")
    assert Outline(text).count("image", "heat") == 0
    assert "does not answer as it did" in text
    started = guide.started
    assert run_cli("report", raw, "--out", tmp_path / "r.html", "--no-heat", "--strips", "2") == 0
    assert guide.started == started
    assert run_cli("report", raw, "--out", tmp_path / "r.html", "--strips", "0") == 0
    assert "Worst failures" not in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize("protocol", ["supervised", "multi-start"])
def test_the_vot_protocols_have_their_part(tmp_path, guide, protocol):
    make_clip(tmp_path / "clips" / "a", 30)
    guide.leaves, guide.shift = 8, 200.0
    raw = evaluated(tmp_path, "--protocol", protocol, tracker=("guide",))
    assert run_cli("report", raw, "--out", tmp_path / "r.html") == 0
    text = (tmp_path / "r.html").read_text("utf-8")
    well_formed(text)
    words = "".join(Outline(text).texts)
    assert "Expected average overlap [EAO]" in words
    assert "Accuracy and robustness" in words
    assert "guide misses the target" in words
    assert "One pass" not in words


@pytest.mark.parametrize(
    ("damage", "arguments", "words"),
    [
        ("", ["--profile", "x"], "no profile"),
        ("", ["--interval", "vot2031"], "no interval"),
        ("", ["--strips", "-1"], "--strips"),
        ("", ["--clips", "elsewhere"], "elsewhere is not a folder"),
        ("", ["--clips", "other"], "not of these clips"),
        ("origin", [], "--clips"),
        ("moved", [], "not there any more"),
        ("manifest", [], "holds no raw results"),
        ("garbage", [], "does not say which tracker"),
    ],
)
def test_what_report_cannot_do_is_said(tmp_path, guide, monkeypatch, damage, arguments, words):
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clips" / "a", 3)
    make_clip(tmp_path / "other" / "b", 3)
    raw = evaluated(tmp_path, tracker=("guide",))
    if damage == "origin":
        (raw / "guide" / "origin.json").write_text("[]")
    if damage == "moved":
        (tmp_path / "clips").rename(tmp_path / "gone")
    if damage == "manifest":
        (raw / "guide" / "tracker.json").unlink()
    if damage == "garbage":
        (raw / "guide" / "tracker.json").write_text("{}")
    with pytest.raises(TrackerError, match=words):
        run_cli("report", raw, "--out", tmp_path / "r.html", *arguments)


def test_object_sizes_are_those_of_the_clip():
    assert (OBJECT_W, OBJECT_H) == (24, 20), "the figures above are worked out for it"
