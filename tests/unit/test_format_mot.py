"""MOTChallenge: lines as in the reference, round trips up to the stated losses, bad input."""

from __future__ import annotations

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from format_documents import documents, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError, get, plan, run_export
from app.formats.compare import differences
from app.formats.detect import candidates
from app.formats.sequence_folder import FolderParams
from app.model.document import Document
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def sequence(folder: Path, rows: str, info: str = "") -> Path:
    (folder / "MOT17-02" / "gt").mkdir(parents=True)
    (folder / "MOT17-02" / "gt" / "gt.txt").write_text(rows)
    if info:
        (folder / "MOT17-02" / "seqinfo.ini").write_text(info)
    return folder / "MOT17-02"


@settings(max_examples=60)
@given(documents(), st.booleans())
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, only_verified: bool) -> None:
    params = FolderParams(only_verified=only_verified)
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, "mot", params).counts["boxes"]:
            with pytest.raises(FormatError, match="no track with a box"):
                run_export(doc, None, "mot", out, params)
            return
        report = run_export(doc, None, "mot", out, params)
        found = get("mot").read(out)
        assert report.verified
        assert not differences(get("mot").keep(doc, params), found)
        assert not differences(found, get("mot").keep(found, FolderParams()))
        rows = sum(len(path.read_text().splitlines()) for path in out.glob("*/gt/gt.txt"))
        assert report.preflight.counts["boxes"] == rows
        run_export(doc, None, "mot", out, params)  # an earlier export makes way


def test_the_lines_of_the_reference(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[7].ignored = True
    doc.tracks[3].frames[2] = Observation(Box(4, 2, 6, 5), cover=2, attributes={"ignored": True})
    run_export(doc, None, "mot", tmp_path / "set")
    folder = tmp_path / "set" / "clip_one"
    assert (folder / "gt" / "gt.txt").read_bytes() == (
        b"1,3,2.235,3,3,4,1,1,1\n2,3,3.5,3,6.25,5,1,1,1\n3,3,5,3,6,5,0,1,0.225\n3,7,-4,-4,9,9,0,2,1\n"
    )
    assert (folder / "gt" / "labels.txt").read_text() == "car\nperson\n"
    assert (folder / "seqinfo.ini").read_text() == (
        "[Sequence]\nname=clip_one\nimDir=img1\nframeRate=30\nseqLength=6\nimWidth=20\nimHeight=10\nimExt=.jpg\n"
    )
    found = get("mot").read(tmp_path / "set")
    assert found.tracks[7].ignored
    assert found.tracks[3].frames[2].attributes == {"ignored": True}
    assert "Frames where the object is absent, written as nothing: 2." in plan(doc, "mot").losses


def test_the_classes_of_the_challenge_keep_their_numbers(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[7].label = "Pedestrian"
    run_export(doc, None, "mot", tmp_path / "set", FolderParams(tracks=(3, 7)))
    rows = (tmp_path / "set" / "clip_one" / "gt" / "gt.txt").read_text().splitlines()
    assert {row.split(",")[1]: row.split(",")[7] for row in rows} == {"3": "3", "7": "1"}
    assert get("mot").read(tmp_path / "set").tracks[7].label == "Pedestrian"


def test_a_sequence_of_the_challenge(tmp_path: Path) -> None:
    """As in MOT17: no labels.txt, visibility as a fraction, a distractor."""
    info = "[Sequence]\nname=MOT17-02\nimDir=img1\nframeRate=25\nseqLength=8\nimWidth=1920\nimHeight=1080\nimExt=.jpg\n"
    rows = "1,2,1338,418,167,379,1,1,0.5\n2,2,1342,417,168,380,1,1,1\n1,9,1,1,0,0,0,12,0\n3,9,10,10,5,5,0,8,1\n"
    folder = sequence(tmp_path, rows, info)
    for place in (tmp_path, folder, folder / "gt" / "gt.txt"):
        assert candidates(place) == ["mot"]
    doc = get("mot").read(tmp_path)
    assert doc.video is not None
    assert (doc.video.frames, doc.video.width, doc.video.height, doc.video.fps) == (8, 1920, 1080, 25.0)
    assert doc.tracks[2].label == "pedestrian"
    assert doc.tracks[2].frames[0] == Observation(
        Box(1337, 417, 167, 379), source=Source.IMPORTED, state=State.OCCLUDED, cover=4
    )
    assert doc.tracks[2].frames[1].state is State.VISIBLE
    assert doc.tracks[9].ignored
    assert list(doc.tracks[9].frames) == [2]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,2,3\n", r"gt\.txt, line 1: a row has at least six numbers"),
        ("1,2,3,4,5,6\n1,2,3,4,5,6\n", "line 2: object 2 is twice on frame 1"),
        ("0,2,3,4,5,6\n", "0 is no frame"),
        ("1,2.5,3,4,5,6\n", "2.5 is no id"),
        ("1,2,3,4,-5,6\n", "must not be negative"),
        ("1,2,nan,4,5,6\n", "finite"),
        ("1,2,1e308,1e308,1e308,6\n", "finite"),
        ("1,99999999999,3,4,5,6\n", "is no id"),
        ("999999999,2,3,4,5,6\n", "frame 999999999 is not possible"),
        ("one,2,3,4,5,6\n", "is no row of numbers"),
        ("", "no line in it"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: str, words: str) -> None:
    sequence(tmp_path, rows)
    with pytest.raises(FormatError, match=words):
        get("mot").read(tmp_path)


@pytest.mark.parametrize(
    "info", ["nonsense", "[Sequence]\nseqLength=-4\n", "[Sequence]\nimWidth=x\n", "[Sequence]\n" * 2]
)
def test_bad_sequence_infos_are_named(tmp_path: Path, info: str) -> None:
    sequence(tmp_path, "1,2,3,4,5,6\n", info)
    with pytest.raises(FormatError, match=r"seqinfo\.ini"):
        get("mot").read(tmp_path)


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        place = sequence(Path(folder), "")
        (place / "gt" / "gt.txt").write_bytes(b"1,2,3,4,5,6,1\n" + data)
        with contextlib.suppress(FormatError):
            get("mot").read(place)


def test_several_sequences_are_named_and_other_folders_stay(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sequence(tmp_path / name, "1,2,3,4,5,6\n")
    with pytest.raises(FormatError, match="there are 2 sequences"):
        get("mot").read(tmp_path)
    with pytest.raises(FormatError, match=r"did not write|no part of"):
        run_export(small(), None, "mot", tmp_path / "a")
    assert not get("mot").recognises(tmp_path / "nowhere")
