"""From any format to any other: detection, options as text, the command line, and what the documents promise of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import cv2
import msgspec
import numpy as np
import pytest
from format_documents import small

import main
from app.formats import FormatError, base, convert, detect, get, run_export, table
from app.formats.aspects import Aspect
from app.formats.compare import differences
from app.formats.detect import PROJECT, candidates, read
from app.formats.options import options_of, parse_options
from app.formats.project import load_project, save_project
from app.formats.selection import Choice
from app.model.document import Document, VideoRef

OURS = tuple(base.formats(plugins=False))


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def clip(folder: Path) -> Path:
    """Six pictures of 20 x 10, as `small` is about."""
    folder.mkdir()
    for number in range(6):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((10, 20, 3), 20 * number, np.uint8))
    return folder


def exported(name: str, folder: Path) -> Path:
    known = get(name)
    out = folder / f"labels-{name}{known.suffix}"
    run_export(small(), None, name, out)
    return out


def project(folder: Path, video: Path | None = None) -> Path:
    doc = small()
    if video is not None:
        doc.video = VideoRef(str(video), "", 6, 20, 10, 25.0)
    path = folder / "clip.siamlabel"
    save_project(doc, path)
    return path


@pytest.mark.parametrize("name", OURS)
def test_what_is_written_is_recognised_as_nothing_else(tmp_path: Path, name: str) -> None:
    assert candidates(exported(name, tmp_path)) == [name]


@pytest.mark.parametrize("name", OURS)
def test_every_format_reaches_a_table_and_a_project(tmp_path: Path, name: str) -> None:
    source = exported(name, tmp_path)
    meant = get(name).read(source)
    report = convert(source, tmp_path / "x.csv", "csv")
    assert report.verified
    found = read(tmp_path / "x.csv")
    assert sorted(found.tracks) == sorted(meant.tracks)
    assert convert(source, tmp_path / "x.siamlabel", PROJECT).format == PROJECT
    assert not differences(meant, load_project(tmp_path / "x.siamlabel"), rounding=0.0)


def test_projects_are_recognised_and_converted(tmp_path: Path) -> None:
    path = project(tmp_path)
    assert detect(path) == PROJECT
    done: list[float] = []
    report = convert(path, tmp_path / "x.csv", "csv", progress=done.append)
    assert report.verified
    assert done[-1] == 1.0
    assert not differences(get("csv").keep(small(), get("csv").params()), read(tmp_path / "x.csv"))


def test_the_unknown_and_the_ambiguous_list_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FormatError, match="no such file"):
        detect(tmp_path / "nothing")
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(FormatError, match=r"not recognised.*siamlabel, coco, coco_vid"):
        detect(tmp_path / "x.json")
    monkeypatch.setattr(type(get("otb")), "recognises", lambda self, path: True)
    monkeypatch.setattr(type(get("csv")), "recognises", lambda self, path: 1 / 0)
    assert detect(tmp_path / "x.json") == "otb"  # one that raises is one that does not know
    path = exported("lasot", tmp_path)
    with pytest.raises(FormatError, match=r"may be lasot or otb.*--from"):
        convert(path, tmp_path / "out", "vot")
    assert convert(path, tmp_path / "out", "vot", source_format="lasot").verified


def test_labels_without_a_size_need_their_video(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "car-1"
    folder.mkdir(parents=True)
    (folder / "groundtruth.txt").write_text("2,3,5,5\n3,3,5,5\n")
    (folder / "out_of_view.txt").write_text("0,0\n")
    with pytest.raises(FormatError, match="no video"):
        convert(folder, tmp_path / "x.csv", "csv")
    with pytest.raises(FormatError, match="which clip"):
        convert(folder, tmp_path / "x.siamlabel", PROJECT)
    video = VideoRef("/videos/car.mp4", "abc", 4, 20, 10, 25.0)
    convert(folder, tmp_path / "x.csv", "csv", video=video)
    assert read(tmp_path / "x.csv").video == video
    with pytest.raises(FormatError, match="labels up to frame 1"):
        convert(folder, tmp_path / "x.csv", "csv", video=msgspec.structs.replace(video, frames=1))
    with pytest.raises(FormatError, match=r"20 x 9 pixels, the labels are about 20 x 10"):
        convert(tmp_path / "x.csv", tmp_path / "o", "otb", video=msgspec.structs.replace(video, height=9))


def test_a_project_keeps_its_ending(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"ends in \.siamlabel"):
        convert(exported("csv", tmp_path), tmp_path / "x.json", PROJECT)


class Params(Choice, frozen=True, kw_only=True):
    kind: Annotated[Literal["a", "b"], msgspec.Meta(title="Kind", description="Which one")] = "a"
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    words: tuple[str, ...] = ()


class Fake:
    id = title = "Fake"
    params = Params


def parsed(*given: str) -> msgspec.Struct:
    return parse_options(Fake(), given)  # type: ignore[arg-type]


def test_options_are_text() -> None:
    assert parsed() == Params()
    assert parsed("tracks=3, 5", "only_verified=yes", "kind=b", "share=0.25", "words=a,b", "clip=false") == Params(
        tracks=(3, 5), only_verified=True, kind="b", share=0.25, words=("a", "b")
    )
    told = {option.name: option for option in options_of(Fake())}  # type: ignore[arg-type]
    assert told["kind"].values == "a or b"
    assert (told["kind"].default, told["kind"].hint) == ("a", "Which one")
    assert told["share"].values == "a number from 0 to 1"
    assert told["tracks"].values == "numbers with commas between"
    assert (told["only_verified"].values, told["only_verified"].default) == ("yes or no", "no")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind", "option 'kind' has no value.*name=value"),
        ("colour=red", "Fake has no option 'colour'.*known are: tracks, "),
        ("kind=c", "kind=c is not possible.*It may be a or b"),
        ("share=2", "share=2 is not possible.*a number from 0 to 1"),
        ("share=nan", "share=nan is not possible"),
        ("tracks=x", "tracks=x is not possible.*numbers with commas"),
        ("only_verified=perhaps", "only_verified=perhaps is not possible.*yes or no"),
    ],
)
def test_wrong_options_say_what_there_is(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        parsed(text)


def test_an_option_is_given_once() -> None:
    with pytest.raises(FormatError, match="given twice"):
        parsed("kind=a", "kind=b")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main.main([str(word) for word in words])
    told = capsys.readouterr()
    return status, re.sub(r"\s+", " ", told.out), told.err


def test_the_command_says_what_is_lost_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = project(tmp_path), tmp_path / "set"
    status, text, _ = run(capsys, "convert", source, out, "--to", "lasot", "-o", "tracks=3", "--dry-run")
    assert status == 0
    assert "frames 6, tracks 1, boxes 3" in text
    assert "- Masks, not written: 1." in text
    assert not out.exists()
    status, text, _ = run(capsys, "convert", source, out, "--to", "lasot", "-o", "tracks=3")
    assert status == 0
    assert f"Written to {out}; read back and compared. Report: {out}.report.json" in text
    assert list(get("lasot").read(out).tracks) == [3]
    status, _, error = run(capsys, "convert", source, out, "--to", "lasot", "--option", "tracks=99")
    assert status == main.USER_ERROR
    assert "no track 99" in error
    assert list(get("lasot").read(out).tracks) == [3]


def test_the_command_takes_frames_from_the_project_and_gives_them_to_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = project(tmp_path, clip(tmp_path / "pictures"))
    status, text, _ = run(capsys, "convert", source, tmp_path / "got", "--to", "got10k", "-o", "with_frames=yes")
    assert (status, "12 pictures" in text) == (0, True)
    one = tmp_path / "got" / "pictures-3"
    status, text, _ = run(capsys, "convert", one, tmp_path / "back.siamlabel", "--to", "siamlabel")
    assert status == 0
    assert "Nothing is lost." in text
    video = load_project(tmp_path / "back.siamlabel").video
    assert video is not None
    assert video.path == str(one)
    assert video.fingerprint
    assert (video.frames, video.width, video.height) == (6, 20, 10)


def test_the_command_refuses_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = project(tmp_path)
    for words, told in (
        (("--to", "punch-cards"), "no format 'punch-cards'"),
        (("--to", "siamlabel", "-o", "a=b"), "no options"),
        (("--to", "vot", "--from", "tapes"), "no format 'tapes'"),
        (("--to", "vot", "--video", str(tmp_path / "no.mp4")), "no.mp4 does not exist"),
    ):
        status, _, error = run(capsys, "convert", source, tmp_path / "out", *words)
        assert (status, told in error) == (main.USER_ERROR, True), error


def test_the_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = run(capsys, "formats")
    assert status == 0
    assert all(name in text for name in OURS)
    status, text, _ = run(capsys, "formats", "lasot")
    assert status == 0
    assert "rounded to whole pixels" in text
    assert "jpeg_quality" in text


def test_the_document_of_formats_is_made_from_them(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["formats", "--markdown"]) == 0
    made = capsys.readouterr().out
    kept = (root / "docs" / "formats.md").read_text(encoding="utf-8")
    assert kept == made, "run: main.py formats --markdown > docs/formats.md"
    for known in base.formats(plugins=False).values():
        assert set(known.holds) == set(Aspect), known.id
        assert f"## {known.title} ({known.id})" in made


def test_kept_lost_and_changed_are_told_apart() -> None:
    kept, partly, lost = table.grouped({Aspect.BOXES: "kept", Aspect.MASKS: "as boxes"})
    assert (kept, partly) == ([Aspect.BOXES], {Aspect.MASKS: "as boxes"})
    assert len(lost) == len(Aspect) - 2


def test_a_document_without_labels_is_told(tmp_path: Path) -> None:
    doc = Document(VideoRef("/v.mp4", "", 6, 20, 10, 25.0))
    save_project(doc, tmp_path / "x.siamlabel")
    with pytest.raises(FormatError, match="no track with a box"):
        convert(tmp_path / "x.siamlabel", tmp_path / "set", "otb")
