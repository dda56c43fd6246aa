"""The table: golden rows, round trips without any loss, tables from elsewhere, and bad ones."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import run_export
from app.formats.compare import differences
from app.formats.csv_table import CSV, CsvParams
from app.model.document import Attribute, AttributeKind, Comment, Document, Label
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@settings(max_examples=150)
@given(
    documents(),
    st.builds(
        CsvParams,
        delimiter=st.sampled_from(("comma", "semicolon", "tab")),
        masks=st.booleans(),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_whole(doc: Document, params: CsvParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "table.csv")
        report = run_export(doc, None, "csv", out, params)
        found = CSV.read(out)
        assert report.verified
        assert CSV.recognises(out)
        assert not differences(CSV.keep(doc, params), found, rounding=0)
        assert found.next_id > max((*found.tracks, *found.comments), default=0)


def test_the_rows_by_eye(tmp_path: Path) -> None:
    doc = small()
    doc.labels = [Label("=car", "#ff0000", (Attribute("pose", AttributeKind.CHOICE, ("up", "down"), per_frame=True),))]
    doc.tracks[3].label = "=car"
    doc.tracks[3].attributes = {"brand": 'A"B'}
    del doc.tracks[7]
    doc.comments[9] = Comment(9, 2, "look,\nhere", 3, resolved=True)
    out = tmp_path / "x.csv"
    run_export(doc, None, "csv", out)
    assert out.read_bytes().decode("utf-8-sig") == (
        "what,id,frame,track,label,colour,x,y,w,h,state,source,verified,keyframe,score,cover,ignored,signals,attributes,"
        "text,mask\r\n"
        'video,,,,,,,,,,,,,,,,,,"{""frames"":6,""width"":20,""height"":10,""fps"":29.97,'
        '""fingerprint"":""abc""}",/videos/clip one.mp4,\r\n'
        "label,,,,'=car,#ff0000,,,,,,,,,,,,,"
        '"[{""name"":""pose"",""kind"":""choice"",""values"":[""up"",""down""],'
        '""per_frame"":true}]",,\r\n'
        'track,,,3,\'=car,#123456,,,,,,,,,,,0,,"{""brand"":""A\\""B""}",,\r\n'
        "observation,,0,3,'=car,#123456,1.23456,2.0,3.0,4.0,visible,manual,0,1,,,,,,,\r\n"
        "observation,,1,3,'=car,#123456,2.5,2.0,6.25,5.0,visible,tracker,0,0,0.75,,,,,,20x10 "
        + ring(10, 20, 2, 2, 5).counts.decode()
        + "\r\n"
        'observation,,2,3,\'=car,#123456,4.0,2.0,6.0,5.0,occluded,tracker,0,0,,,,"{""ratio"":0.5}",,,\r\n'
        "observation,,3,3,'=car,#123456,,,,,lost,tracker,0,0,0.1,,,,,,\r\n"
        "observation,,4,3,'=car,#123456,,,,,out_of_view,manual,1,0,,,,,,,\r\n"
        'comment,9,2,3,,,,,,,resolved,,,,,,,,,"look,\nhere",\r\n'
    )


def test_masks_can_be_left_out(tmp_path: Path) -> None:
    params = CsvParams(masks=False)
    report = run_export(small(), None, "csv", tmp_path / "x.csv", params)
    assert "Masks, not written because masks are switched off: 1." in report.preflight.losses
    assert CSV.read(tmp_path / "x.csv").tracks[3].frames[1].mask is None


@pytest.mark.parametrize(
    "text",
    [
        "frame,track,x,y,w,h,label,score\n4,7,1.5,2,3,4,car,0.5\n",
        "\ufeffFrame;Track_ID;Left;Top;Width;Height;Class;Confidence\r\n4;7;1,5;2;3;4;car;0,5\r\n\r\n",
        '"frame_id"\t"track"\t"xmin"\t"ymin"\t"xmax"\t"ymax"\t"label"\t"conf"\n4\t7\t1.5\t2\t4.5\t6\tcar\t0.5\n',
        "x1|y1|x2|y2|frame|track|category|score|unknown\n1.5|2|4.5|6|4.0|7|car|5e-1|?\n",
    ],
)
def test_tables_from_elsewhere(tmp_path: Path, text: str) -> None:
    path = table(tmp_path, text)
    assert CSV.recognises(path)
    doc = CSV.read(path)
    assert doc.video is None
    assert [label.name for label in doc.labels] == ["car"]
    assert doc.tracks[7].label == "car"
    assert doc.tracks[7].frames == {4: Observation(Box(1.5, 2, 3, 4), source=Source.IMPORTED, score=0.5)}
    assert doc.next_id == 8


def test_rows_without_a_track_are_tracks_of_their_own(tmp_path: Path) -> None:
    doc = CSV.read(table(tmp_path, "frame,x,y,w,h,track\n4,1,2,3,4,\n4,5,6,7,8,\n0,1,1,1,1,2\n"))
    assert {key: list(track.frames) for key, track in doc.tracks.items()} == {2: [0], 3: [4], 4: [4]}
    assert {track.label for track in doc.tracks.values()} == {"object"}


def test_an_absent_frame_never_carries_a_box(tmp_path: Path) -> None:
    doc = CSV.read(table(tmp_path, "frame,x,y,w,h,track,state\n4,1,2,3,4,1,lost\n"))
    assert doc.tracks[1].frames == {4: Observation(source=Source.IMPORTED, state=State.LOST)}


HEAD = "what,id,frame,track,label,colour,x,y,w,h,state,source,score,cover,attributes,text,mask\n"
VIDEO = 'video,,,,,,,,,,,,,,"{""frames"":6,""width"":20,""height"":10}",clip,\n'
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", r"line 1: the header names no frame"),
    "no box": ("frame,track\n", r"line 1: the header names no frame, or no box"),
    "no text": (b"\xff\xfef\x00r\x00", r"not UTF-8"),
    "late bytes": (b"frame,x,y,w,h\n" + b"1,1,1,1,1\n" * 9000 + b"\xff,", r"not UTF-8"),
    "no kind": (HEAD + "thing\n", r"line 2, what: 'thing' is no kind of row"),
    "no frame": (HEAD + "observation,,,1,,,1,1,1,1\n", r"line 2, frame: '' is no whole number"),
    "half a frame": (HEAD + "observation,,1.5,1,,,1,1,1,1\n", r"line 2, frame: '1.5' is no whole number"),
    "negative frame": (HEAD + "observation,,-1,1,,,1,1,1,1\n", r"line 2, frame: '-1' is no whole number"),
    "huge frame": (HEAD + "observation,,999999999,1,,,1,1,1,1\n", r"line 2, frame: '999999999' is no whole"),
    "frame beyond": (HEAD + VIDEO + "observation,,6,1,,,1,1,1,1\n", r"line 3, frame: the video has only 6 frames"),
    "twice": (HEAD + "observation,,1,1,,,1,1,1,1\n" * 2, r"line 3, frame: track 1 has a second row for frame 1"),
    "no number": (HEAD + "observation,,1,1,,,a,1,1,1\n", r"line 2, x: 'a' is no finite number"),
    "nan": (HEAD + "observation,,1,1,,,nan,1,1,1\n", r"line 2, x: 'nan' is no finite number"),
    "overflow": (HEAD + "observation,,1,1,,,1e999,1,1,1\n", r"line 2, x: '1e999' is no finite number"),
    "negative": (HEAD + "observation,,1,1,,,1,1,-1,1\n", r"line 2: width and height must not be negative"),
    "no box in a row": (HEAD + "observation,,1,1\n", r"line 2, x: a visible object needs a box"),
    "track zero": (HEAD + "observation,,1,0,,,1,1,1,1\n", r"line 2, track: '0' is no whole number"),
    "state": (HEAD + "observation,,1,1,,,1,1,1,1,gone\n", r"line 2, state: 'gone' is none of visible"),
    "source": (HEAD + "observation,,1,1,,,1,1,1,1,,me\n", r"line 2, source: 'me' is none of manual"),
    "score": (HEAD + "observation,,1,1,,,1,1,1,1,,,inf\n", r"line 2, score: 'inf' is no finite number"),
    "cover": (HEAD + "observation,,1,1,,,1,1,1,1,,,,9\n", r"line 2, cover: '9' is no whole number from 0 to 8"),
    "two labels": (
        HEAD + "observation,,1,1,a,,1,1,1,1\nobservation,,2,1,b,,1,1,1,1\n",
        r"line 3, label: track 1 is both 'a' and 'b'",
    ),
    "label twice": (HEAD + "label,,,,a\nlabel,,,,a\n", r"line 3, label: the label 'a' has no name, or one"),
    "track twice": (HEAD + "track,,,1\ntrack,,,1\n", r"line 3, track: track 1 is described twice"),
    "no JSON": (HEAD + "track,,,1,,,,,,,,,,,{\n", r"line 2, attributes: this is not the JSON"),
    "deep JSON": (HEAD + "track,,,1,,,,,,,,,,," + "[" * 100_000 + "\n", r"line 2, attributes: this is not the JSON"),
    "attribute kind": (
        HEAD + 'label,,,,a,,,,,,,,,,"[{""name"":""x"",""kind"":""choice""}]"\n',
        r"line 2, attributes: .*choice without values",
    ),
    "second video": (HEAD + VIDEO * 2, r"line 3: there is a second video"),
    "flat video": (HEAD + VIDEO.replace("20", "0"), r"line 2: a video of 6 frames of 0 x 10 pixels is impossible"),
    "huge video": (HEAD + VIDEO.replace("20", "99999999"), r"line 2: a picture of 99999999 x 10 pixels"),
    "mask text": (HEAD + "observation,,1,1,,,1,1,1,1,,,,,,,hello\n", r"line 2, mask: a mask is"),
    "mask size": (HEAD + VIDEO + "observation,,1,1,,,1,1,1,1,,,,,,,9x9 0\n", r"line 3, mask: the mask has 9 x 9"),
    "mask runs": (HEAD + "observation,,1,1,,,1,1,1,1,,,,,,,9x9 oo\n", r"line 2, mask: the run lengths do not fill"),
    "mask alone": (HEAD + "observation,,1,1,,,,,,,,,,,,,9x9 oo\n", r"line 2, mask: the run lengths do not fill"),
    "huge mask": (HEAD + "observation,,1,1,,,1,1,1,1,,,,,,,999999x999999 0\n", r"line 2, mask: .*is not supported"),
    "open quote": (HEAD + 'observation,"', r"this is no row of a table"),
    "comment": (HEAD + "comment,1,2\ncomment,1,2\n", r"line 3, id: comment 1 is there twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_names_line_and_remedy(tmp_path: Path, name: str) -> None:
    data, words = BAD[name]
    path = table(tmp_path, data)
    with pytest.raises(FormatError, match=words) as caught:
        CSV.read(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") >= 1


def test_a_missing_table_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        CSV.read(tmp_path / "nowhere.csv")
    assert not CSV.recognises(tmp_path / "nowhere.csv")
    assert not CSV.recognises(tmp_path)
