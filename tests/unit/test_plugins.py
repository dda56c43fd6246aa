"""Formats and trackers of other packages: the example is installed as anybody would and used; broken ones are named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from format_documents import documents, small
from hypothesis import given, settings

from app.formats import FormatError, base, convert, detect, get, plan, run_export
from app.formats.compare import differences
from tracker import registry
from tracker.api import Box, TrackerError
from tracker.plugins import FORMATS, TRACKERS, plugins


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A folder into which pip has installed the example, without a network."""
    source = tmp_path_factory.mktemp("source") / "plugin_example"
    shutil.copytree(root / "tests" / "plugin_example", source)
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
            "--disable-pip-version-check", "--target", str(target), str(source),
        ],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def plugged(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example beside SiamLabel, as in an environment where both are installed."""
    monkeypatch.syspath_prepend(str(installed))
    yield installed
    for name in ("siamlabel_corners", "siamlabel_still"):
        sys.modules.pop(name, None)


def distribution(folder: Path, name: str, points: str, version: str = "2.5") -> None:
    """The metadata of an installed package with these entry points."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(points)


def test_the_example_is_found_and_nothing_of_it_is_imported(plugged: Path) -> None:
    assert list(plugins(FORMATS)) == ["corners"]
    assert list(plugins(TRACKERS)) == ["still"]
    assert plugins(TRACKERS)["still"].distribution == "siamlabel-example 1.0"
    assert registry.names()[-1] == "still"
    assert not {"siamlabel_corners", "siamlabel_still"} & sys.modules.keys()


def test_without_it_there_are_only_ours() -> None:
    assert "corners" not in base.formats()
    assert "still" not in registry.names()
    with pytest.raises(FormatError, match="no format 'corners'"):
        get("corners")


def test_its_format_is_one_like_ours(plugged: Path, tmp_path: Path) -> None:
    assert list(base.formats())[-1] == "corners"
    assert "corners" not in base.formats(plugins=False)
    report = run_export(small(), None, "corners", tmp_path / "x.corners")
    assert report.verified
    assert (tmp_path / "x.corners").read_text() == (
        "corners 6 20 10\n0 3 1 2 4 6\n1 3 2 2 9 7\n2 3 4 2 10 7\n2 7 -5 -5 4 4\n"
    )
    assert detect(tmp_path / "x.corners") == "corners"
    convert(tmp_path / "x.corners", tmp_path / "otb", "otb")
    assert sorted(get("otb").read(tmp_path / "otb").tracks) == [3, 7]
    (tmp_path / "x.corners").write_text("corners 6 20 10\n0 3 1 2 x 6\n")
    with pytest.raises(FormatError, match="line 2"):
        get("corners").read(tmp_path / "x.corners")
    assert base.problems() == []


@settings(max_examples=20)
@given(doc=documents())
def test_its_format_keeps_what_it_says(plugged: Path, tmp_path: Path, doc: object) -> None:
    assert isinstance(doc, type(small()))
    assert plan(doc, "corners").counts["frames"] >= 1
    run_export(doc, None, "corners", tmp_path / "x.corners")
    kept = get("corners").keep(doc, get("corners").params())
    assert not differences(kept, get("corners").read(tmp_path / "x.corners"))


def test_its_tracker_is_one_like_ours(plugged: Path) -> None:
    assert registry.info("still").title == "Says that nothing moves"
    assert [info.name for info in registry.infos()][-1] == "still"
    image = np.zeros((40, 60, 3), np.uint8)
    tracker = registry.create("still")
    target = tracker.start(image, Box(3, 4, 5, 6))
    assert [found.box for found in tracker.step(image, [target, target])] == [Box(3, 4, 5, 6)] * 2
    with pytest.raises(TrackerError, match="does not take the option weights"):
        registry.create("still", weights="x")
    assert registry.weight_files("still") == ()
    assert registry.problems() == []


BROKEN = {
    "gone": ("module_that_is_not_there:X", "ModuleNotFoundError: No module named 'module_that_is_not_there'"),
    "noisy": ("broken_module:X", "RuntimeError: boom"),
    "exits": ("exiting_module:X", "SystemExit"),
    "empty": ("plain_module:MISSING", "AttributeError"),
    "wrong": ("plain_module:NUMBER", "lacks|is not a tracker"),
    "kind": ("plain_module:Kind", "is a class|lacks|is not a tracker"),
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "broken_module.py").write_text("raise RuntimeError('boom')\n")
    (folder / "exiting_module.py").write_text("raise SystemExit(3)\n")
    (folder / "plain_module.py").write_text("NUMBER = 7\nclass Kind: ...\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, (where, _) in BROKEN.items())
        for group in (FORMATS, TRACKERS)
    ]
    distribution(folder, "rotten", "\n".join(lines))
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.mark.expected_logs("plug-in .* of rotten 2.5 cannot be used")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_one_is_named_and_the_rest_goes_on(broken: Path, name: str) -> None:
    assert "coco" in base.formats()
    assert name not in base.formats()
    with pytest.raises(FormatError, match=f"“{name}” of rotten 2.5 cannot be used.*({BROKEN[name][1]}).*remove"):
        get(name)
    with pytest.raises(TrackerError, match=f"“{name}” of rotten 2.5 cannot be used.*({BROKEN[name][1]})"):
        registry.create(name)
    assert name not in [info.name for info in registry.infos()]
    assert any(f"“{name}” of rotten 2.5" in problem for problem in base.problems())
    assert any(f"“{name}” of rotten 2.5" in problem for problem in registry.problems())


@pytest.mark.expected_logs("plug-in .* of rotten 2.5 cannot be used")
def test_the_listings_show_the_problems(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import main

    assert main.main(["trackers"]) == 0
    assert "of rotten 2.5 cannot be used" in capsys.readouterr().out.replace("\n", " ")


FAILING = """
from tracker.api import TrackerInfo
from tracker.registry import Entry
def info():
    return TrackerInfo("frail", "Fails", 0, "none", "none", False)
def fail(*_, **__):
    raise ZeroDivisionError("oh")
START = Entry("frail_module:fail", info)
INFO = Entry("frail_module:fail", fail)
FILES = Entry("frail_module:fail", info, weights=fail)
"""


@pytest.mark.expected_logs("plug-in .* of frail 1 cannot be used")
@pytest.mark.parametrize("what", ["START", "INFO", "FILES"])
def test_a_tracker_whose_code_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    (tmp_path / "frail_module.py").write_text(FAILING)
    distribution(tmp_path, "frail", f"[{TRACKERS}]\nfrail{what} = frail_module:{what}\n", "1")
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"frail{what}"
    with pytest.raises(TrackerError, match=f"“{name}” of frail 1 cannot be used .*ZeroDivisionError: oh"):
        registry.create(name)
    if what == "INFO":
        with pytest.raises(TrackerError, match="its info fails"):
            registry.info(name)
    if what == "FILES":
        with pytest.raises(TrackerError, match="its weights fail"):
            registry.weight_files(name)
    sys.modules.pop("frail_module")


def test_our_names_stay_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, "greedy", f"[{FORMATS}]\ncoco = json:loads\n[{TRACKERS}]\ndefault = json:loads\n")
    for name in ("one", "two"):
        distribution(tmp_path, name, f"[{FORMATS}]\nshared = json:{name}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get("coco").title == "COCO"
    assert registry.resolve("default") == registry.DEFAULT
    assert "The plug-in “default” of greedy 2.5 is not used: the name is ours." in registry.problems()
    found = plugins(FORMATS, {"coco"})
    assert found["shared"].distribution == "one 2.5"
    from tracker.plugins import clashes

    assert clashes(FORMATS, {"coco"}) == [
        "The plug-in “coco” of greedy 2.5 is not used: the name is ours.",
        "The plug-in “shared” of two 2.5 is not used: one 2.5 has that name, too.",
    ]
