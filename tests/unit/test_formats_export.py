"""The road of every export: all or nothing, proof, report, cancellation, and no harm to what is no export."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from format_documents import small

from app.formats import ExportMismatchError, FormatError, atomic, export, formats, get, plan, run_export
from app.formats.base import report_path
from app.formats.coco import CocoParams
from app.formats.vot import VotParams
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation

KINDS = ("coco", "vot")


def target(folder: Path, kind: str) -> Path:
    return folder / ("out" + get(kind).suffix)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def other() -> Document:
    doc = small()
    doc.tracks[7].frames[1] = Observation(Box(1.0, 1.0, 3.0, 3.0))
    return doc


def test_formats_are_listed_and_found() -> None:
    assert list(formats())[:2] == ["coco", "coco_vid"]
    assert all(known.id == name for name, known in formats().items())
    with pytest.raises(FormatError, match=r"no format 'punch-cards'.*coco, coco_vid"):
        get("punch-cards")
    with pytest.raises(FormatError, match="takes VotParams"):
        plan(small(), "vot", CocoParams())


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_lies_beside_the_export(tmp_path: Path, kind: str) -> None:
    out = target(tmp_path, kind)
    report = run_export(small(), None, kind, out)
    assert report.verified
    assert report.written[0] == out
    assert report.written[-1] == report_path(out) == tmp_path / (out.name + ".report.json")
    assert all(path.exists() for path in report.written)
    saved = json.loads(report_path(out).read_text())
    assert saved["verified"] is True
    assert saved["counts"] == plan(small(), kind).counts
    assert saved["losses"] == plan(small(), kind).losses
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["write", "fsync", "proof", "rename"])
def test_a_failure_leaves_the_earlier_export_untouched(
    tmp_path: Path, kind: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = target(tmp_path, kind)
    run_export(small(), None, kind, out)
    before = content(tmp_path)
    chosen = get(kind)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def torn(*args: Any) -> Generator[float, None, list[str]]:
        yield 0.5
        return ["track 3, frame 1: missing"]

    def half(*args: Any) -> Generator[float, None, list[str]]:
        yield from type(chosen).write(chosen, *args)
        full()
        return []

    rename = Path.rename

    def no_rename(self: Path, there: Path) -> Path:
        if self.name.endswith(".part") and there == out:
            full()
        return rename(self, there)

    if place == "write":
        monkeypatch.setattr(chosen, "write", half, raising=False)
    elif place == "fsync":
        monkeypatch.setattr(atomic.os, "fsync", full)
    elif place == "proof":
        monkeypatch.setattr(chosen, "proof", torn, raising=False)
    else:
        monkeypatch.setattr(Path, "rename", no_rename)
        monkeypatch.setattr(Path, "replace", no_rename)
    with pytest.raises(FormatError) as caught:
        run_export(other(), None, kind, out)
    assert str(out) in str(caught.value)
    assert "earlier export was kept" in str(caught.value)
    assert content(tmp_path) == before
    if place == "proof":
        assert isinstance(caught.value, ExportMismatchError)
        assert caught.value.report.differences == ["track 3, frame 1: missing"]
        assert not caught.value.report.verified


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", range(1, 6))
def test_cancelling_cleans_up(tmp_path: Path, kind: str, steps: int) -> None:
    out = target(tmp_path, kind)
    run_export(small(), None, kind, out)
    before = content(tmp_path)
    doc = other()
    assert doc.video is not None
    doc.video = msgspec.structs.replace(doc.video, frames=1200)
    run = export(doc, None, kind, out)
    for _ in range(steps):
        next(run)
    run.close()
    assert content(tmp_path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_later_edits_do_not_reach_a_running_export(tmp_path: Path, kind: str) -> None:
    doc = small()
    run = export(doc, None, kind, target(tmp_path, kind))
    next(run)
    doc.tracks[3].frames.clear()
    del doc.tracks[7]
    for _ in run:
        pass
    assert sorted(get(kind).read(target(tmp_path, kind)).tracks) == [3, 7]


def test_a_read_that_differs_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof is no formality: a writer that shifts boxes by a pixel does not get through."""
    chosen = get("coco")
    honest = type(chosen).keep

    def shifted(doc: Document, params: CocoParams) -> Document:
        kept = honest(chosen, doc, params)
        obs = kept.tracks[3].frames[0]
        assert obs.box is not None
        kept.tracks[3].frames[0] = msgspec.structs.replace(obs, box=Box(obs.box.x + 1, *obs.box[1:]))
        return kept

    real = type(chosen).write

    def write(kept: Document, *args: Any) -> Generator[float, None, list[str]]:
        return real(chosen, shifted(kept, CocoParams()), *args)

    monkeypatch.setattr(chosen, "write", write, raising=False)
    with pytest.raises(ExportMismatchError, match="track 3, frame 0: box"):
        run_export(small(), None, "coco", tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


def test_folders_of_other_people_are_never_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(FormatError, match="other things than a VOT export"):
        run_export(small(), None, "vot", mine)
    (mine / "thesis.tex").unlink()
    run_export(small(), None, "vot", mine)
    (mine / "clip_one" / "notes.txt").write_text("mine")
    with pytest.raises(FormatError, match=r"clip_one/notes\.txt"):
        run_export(small(), None, "vot", mine)
    assert (mine / "clip_one" / "notes.txt").read_text() == "mine"


def test_the_video_is_never_overwritten(tmp_path: Path) -> None:
    video = tmp_path / "clips" / "v.mp4"
    video.parent.mkdir()
    video.write_bytes(b"precious")
    with pytest.raises(FormatError, match="overwrite the video"):
        run_export(small(), video, "coco", video)
    with pytest.raises(FormatError, match="overwrite the video"):
        run_export(small(), video, "vot", video.parent)
    assert video.read_bytes() == b"precious"


def test_a_project_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "work.siamlabel").write_text("{}")
    with pytest.raises(FormatError, match=r"is no \.json file"):
        run_export(small(), None, "coco", tmp_path / "work.siamlabel")
    assert (tmp_path / "work.siamlabel").read_text() == "{}"


@pytest.mark.parametrize(("kind", "words"), [("coco", "a folder of this name"), ("vot", "a file of this name")])
def test_a_file_is_no_folder(tmp_path: Path, kind: str, words: str) -> None:
    out = target(tmp_path, kind)
    if kind == "coco":
        out.mkdir()
    else:
        out.write_text("")
    with pytest.raises(FormatError, match=words):
        run_export(small(), None, kind, out)


def test_what_cannot_be_exported_is_refused_with_a_remedy(tmp_path: Path) -> None:
    doc = small()
    doc.video = None
    with pytest.raises(FormatError, match=r"no video\. Open a video first"):
        plan(doc, "coco")
    with pytest.raises(FormatError, match=r"no track 99\. Known are: 3, 7"):
        plan(small(), "vot", VotParams(tracks=(99,)))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (r"C:\clips\a b.mp4", "a_b"),
        ("/x/..mp4", "video"),
        ("/x/con.mp4", "video_con"),
        ("/x/shots/", "shots"),
        ("/x/frames/", "x"),
        ("", "video"),
        ("/x/../../etc", "etc"),
        ("/x/žluť.mp4", "žluť"),
        ("/x/" + "n" * 300 + ".mp4", "n" * 80),
    ],
)
def test_names_are_safe_on_every_system(tmp_path: Path, path: str, name: str) -> None:
    doc = small()
    doc.video = VideoRef(path, "", 6, 20, 10, 25.0)
    run_export(doc, None, "vot", tmp_path / "set")
    assert (tmp_path / "set" / name / "sequence").exists()


def test_what_an_interrupted_replacement_left_is_tidied_by_the_next_export(tmp_path: Path) -> None:
    out = tmp_path / "set"
    run_export(small(), None, "vot", out)
    (tmp_path / ".set.0123abcd.old").mkdir()
    (tmp_path / ".set.0123abcd.old" / "list.txt").write_text("clip\n")
    (tmp_path / ".settee.0123abcd.old").mkdir()
    run_export(small(), None, "vot", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".settee.0123abcd.old", "set", "set.report.json"]


def test_an_export_that_had_only_stepped_aside_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "set"
    run_export(small(), None, "vot", out)
    before = content(out)
    out.rename(tmp_path / ".set.0123abcd.old")

    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("app.formats.vot.write_bytes", full)
    with pytest.raises(FormatError, match="no space"):
        run_export(other(), None, "vot", out)
    assert content(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "set.report.json"]
