"""Result files of trackers: VOT's text and binary, boxes a line, MOTChallenge's; round trips and bad input."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError, get, plan, run_export
from app.formats.compare import differences
from app.formats.detect import candidates, read, reading
from app.formats.options import parse_options
from app.formats.results import ResultsParams
from app.model.document import Document
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State

READ = get("results").read


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def tracked(*box: float, score: float | None = None) -> Observation:
    return Observation(Box(*box), source=Source.TRACKER, score=score)


@settings(max_examples=60)
@given(documents(), st.sampled_from(("rectangle", "mask")))
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, region: str) -> None:
    params = ResultsParams(region=region)  # type: ignore[arg-type]
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, "results", params).counts["boxes"]:
            with pytest.raises(FormatError, match="no track with a box"):
                run_export(doc, None, "results", out, params)
            return
        assert run_export(doc, None, "results", out, params).verified
        found = READ(out)
        assert candidates(out) == ["results"]
        assert not differences(get("results").keep(doc, params), found)
        assert not differences(found, get("results").keep(found, params))
        run_export(doc, None, "results", out, params)  # an earlier export makes way


def test_what_is_written(tmp_path: Path) -> None:
    run_export(small(), None, "results", tmp_path / "set", ResultsParams(tracks=(3,), region="mask"))
    assert (tmp_path / "set" / "clip_one_001.txt").read_text().splitlines() == [
        "1.235,2,3,4",
        "m2,2,5,5,0,6,3,2,3,2,3,6",
        "4,2,6,5",
        "2",
        "2",
        "0",
    ]
    scores = (tmp_path / "set" / "clip_one_001_confidence.value").read_text()
    assert scores.splitlines() == ["", "0.75", "", "0.1", "", ""]
    track = READ(tmp_path / "set").tracks[3]
    assert track.frames[1] == Observation(
        Box(2, 2, 5, 5), mask=ring(10, 20, 2, 2, 5), source=Source.TRACKER, score=0.75
    )
    assert track.frames[3] == Observation(source=Source.TRACKER, state=State.LOST, score=0.1)


def test_a_run_of_vot(tmp_path: Path) -> None:
    """The first frame is the start, confidences are not in 0 to 1."""
    (tmp_path / "ball1_001.txt").write_text("1\n10.5,20,30,40\n0\n2\n1,1,5,1,5,4,1,4\n")
    (tmp_path / "ball1_001_confidence.value").write_text("\n-2\n\n\n6\n")
    for place in (tmp_path, tmp_path / "ball1_001.txt"):
        assert candidates(place) == ["results"]
        track = READ(place).tracks[1]
        assert track.frames == {
            1: tracked(10.5, 20, 30, 40, score=0.0),
            3: Observation(source=Source.TRACKER, state=State.LOST),
            4: tracked(1, 1, 4, 3, score=1.0),
        }
    assert READ(tmp_path).video is None


def test_the_binary_form_of_vot(tmp_path: Path) -> None:
    run_export(small(), None, "results", tmp_path / "set", ResultsParams(tracks=(3,)))
    for file in (tmp_path / "set").glob("clip_one_001*"):
        file.unlink()
    data = struct.pack("<hI", 1, 4) + struct.pack("<BI", 0, 1) + struct.pack("<Bffff", 1, 1.5, 2, 3, 4)
    data += struct.pack("<BH8f", 2, 4, 1, 1, 5, 1, 5, 4, 1, 4)
    data += struct.pack("<BhhHHH8H", 3, 2, 2, 5, 5, 8, 0, 6, 3, 2, 3, 2, 3, 6)
    file = tmp_path / "set" / "clip_one_001.bin"
    file.write_bytes(data)
    frames = READ(tmp_path / "set").tracks[3].frames
    assert frames[1].box == Box(1.5, 2, 3, 4)
    assert frames[2].box == Box(1, 1, 4, 3)
    assert frames[3].mask == ring(10, 20, 2, 2, 5)
    for cut in (0, 1, 5, 7, 20, len(data) - 1):
        file.write_bytes(data[:cut])
        with pytest.raises(FormatError, match=r"clip_one_001\.bin"):
            READ(file)
    file.write_bytes(struct.pack("<hI", 1, 4_000_000_000) + b"\0\0\0\0\0")
    with pytest.raises(FormatError, match="frame 1"):
        READ(file)


@pytest.mark.parametrize("text", ["10,20,30,40\n1.5,2,3,4\n", "10\t20\t30\t40\n1.5 2 3 4\n", "10 20 30 40\n1.5 2 3 4"])
def test_a_box_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "Basketball.txt").write_text(text)
    assert candidates(tmp_path / "Basketball.txt") == ["results"]
    frames = READ(tmp_path / "Basketball.txt").tracks[1].frames
    assert frames == {0: tracked(10, 20, 30, 40), 1: tracked(1.5, 2, 3, 4)}


def test_pixels_may_count_from_1(tmp_path: Path) -> None:
    results = get("results")
    how = parse_options(results, ["counted_from=1"], reading("results"))
    (tmp_path / "Jogging.txt").write_text("10\t20\t30\t40\nnan nan nan nan\n1.5,2,3,4\n")
    frames = read(tmp_path / "Jogging.txt", how=how).tracks[1].frames
    assert frames[0] == tracked(9, 19, 30, 40)
    assert frames[2] == tracked(0.5, 1, 3, 4)
    (tmp_path / "ball_001.txt").write_text("1\n2,2,6,2,6,5,2,5\n")
    assert read(tmp_path / "ball_001.txt", "results", how).tracks[1].frames[1].box == Box(1, 1, 4, 3)
    (tmp_path / "MOT17-02.txt").write_text("1,3,2,3,4,5,0.5,-1,-1,-1\n")  # counts from 1 in any case
    assert read(tmp_path / "MOT17-02.txt", how=how).tracks[3].frames[0] == tracked(1, 2, 4, 5, score=0.5)
    run_export(small(), None, "results", tmp_path / "set", ResultsParams(tracks=(3,), region="mask"))
    assert read(tmp_path / "set", how=how).tracks[3].frames[1].mask == ring(10, 20, 2, 2, 5)
    with pytest.raises(FormatError, match=r"counted_from=2 is not possible.*0 or 1"):
        parse_options(results, ["counted_from=2"], reading("results"))
    with pytest.raises(FormatError, match="is read with ResultsReading"):
        read(tmp_path / "Jogging.txt", how=ResultsParams())


def test_results_of_mot(tmp_path: Path) -> None:
    (tmp_path / "MOT17-02.txt").write_text(
        "1,3,2,3,4,5,0.5,-1,-1,-1\n1,4,2,3,4,5,-1,-1,-1,-1\n2,3,2,3,4,5,1,-1,-1,-1\n"
    )
    assert candidates(tmp_path / "MOT17-02.txt") == ["results"]
    tracks = READ(tmp_path / "MOT17-02.txt").tracks
    assert tracks[3].frames == {0: tracked(1, 2, 4, 5, score=0.5), 1: tracked(1, 2, 4, 5, score=1.0)}
    assert tracks[4].frames == {0: tracked(1, 2, 4, 5)}


def test_several_objects_and_several_clips(tmp_path: Path) -> None:
    for key in (2, 5):
        (tmp_path / f"ball_{key}_001.txt").write_text("1,2,3,4\n")
    assert sorted(READ(tmp_path).tracks) == [2, 5]
    (tmp_path / "car_001.txt").write_text("1,2,3,4\n")
    with pytest.raises(FormatError, match=r"there are 3 results.*ball_2_001\.txt"):
        READ(tmp_path)
    with pytest.raises(FormatError, match="did not write"):
        run_export(small(), None, "results", tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,3\n", r"a_001\.txt, line 1: a region has"),
        ("1,2,3,4\n1,2,-3,4\n", "line 2: width and height must not be negative"),
        ("1,2,inf,4\n", "finite"),
        ("m1,2,3,4,5\n", "a mask needs the picture's size"),
        ("left\n", "is no region"),
        ("1,2,3,4,5,6,7\n1,2,3,4,5,6,7\n", "object 2 is twice on frame 1"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a_001.txt").write_text(text)
    with pytest.raises(FormatError, match=words):
        READ(tmp_path)


@settings(max_examples=200)
@given(st.binary(max_size=60), st.sampled_from((".txt", ".bin", "_confidence.value")))
def test_any_bytes_are_read_or_refused(data: bytes, end: str) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "a_001.txt").write_text("1,2,3,4\n")
        Path(folder, f"a_001{end}").write_bytes(b"\1\0" * (end == ".bin") + data)
        with contextlib.suppress(FormatError):
            READ(Path(folder, "a_001.bin" if end == ".bin" else "a_001.txt"))
        get("results").recognises(Path(folder))


def test_ground_truths_are_no_results(tmp_path: Path) -> None:
    for kind in ("lasot", "uav123", "trackingnet", "otb", "got10k", "vot", "mot"):
        run_export(small(), None, kind, tmp_path / kind)
        for file in (tmp_path / kind).rglob("*"):
            assert not get("results").recognises(file), file
    run_export(small(), None, "otb", tmp_path / "otb")
    assert not get("vot").recognises(tmp_path / "otb" / "clip_one")
