"""DIVE: the file by eye, round trips up to the stated losses, what DIVE itself writes, and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import run_export
from app.formats.compare import differences
from app.formats.dive import DIVE, DiveParams
from app.model.document import Document
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def file(folder: Path, content: Any) -> Path:
    path = folder / "result.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@settings(max_examples=150)
@given(
    documents(),
    st.builds(
        DiveParams,
        keyframes=st.sampled_from(("within_tolerance", "every_frame")),
        tolerance=st.sampled_from((0.0, 0.5, 8.0)),
        masks=st.booleans(),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: DiveParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "x.json")
        report = run_export(doc, None, "dive", out, params)
        found = DIVE.read(out)
        assert report.verified
        assert DIVE.recognises(out) or not found.tracks
        assert not differences(DIVE.keep(doc, params), found)
        again = DiveParams(keyframes="every_frame", masks=params.masks)
        assert not differences(found, DIVE.keep(found, again))


def test_every_frame_is_lossless_but_for_rounding(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[3].attributes = {"brand": "x", "doors": 4}
    run_export(doc, None, "dive", tmp_path / "x.json", DiveParams(keyframes="every_frame"))
    found = DIVE.read(tmp_path / "x.json")
    doc.tracks[3].frames[0] = Observation(Box(1.235, 2, 3, 4), keyframe=True)
    assert not differences(doc, found, rounding=1e-9)


def test_the_file_by_eye(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[3].frames[0] = Observation(Box(1, 2, 3, 4), attributes={"pose": "up"})
    run_export(doc, None, "dive", tmp_path / "x.json")
    given = json.loads((tmp_path / "x.json").read_text())
    assert given["version"] == 2
    assert given["groups"] == {}
    assert given["fps"] == 29.97
    assert list(given["tracks"]) == ["3", "7"]
    track = given["tracks"]["3"]
    assert {key: track[key] for key in ("id", "begin", "end", "confidencePairs", "attributes")} == {
        "id": 3,
        "begin": 0,
        "end": 2,
        "confidencePairs": [["car", 1.0]],
        "attributes": {},
    }
    assert track["meta"]["siamlabel"] == {
        "colour": "#123456",
        "absent": [
            {"first": 3, "last": 3, "says": {"state": "lost", "source": "tracker", "score": 0.1}},
            {"first": 4, "last": 4, "says": {"state": "out_of_view", "source": "manual", "verified": True}},
        ],
    }
    assert track["features"][0] == {
        "frame": 0,
        "bounds": [1.0, 2.0, 4.0, 6.0],
        "keyframe": True,
        "interpolate": True,
        "attributes": {"pose": "up"},
        "siamlabel": {"source": "manual", "keyframe": True},
    }
    masked = track["features"][1]
    assert masked["bounds"] == [2.5, 2.0, 8.75, 7.0]
    assert masked["geometry"]["features"][0]["geometry"] == {
        "type": "Polygon",
        "coordinates": [
            [[2, 2], [7, 2], [7, 7], [2, 7], [2, 2]],
            [[6, 3], [3, 3], [3, 6], [6, 6], [6, 3]],
        ],
    }
    assert DIVE.read(tmp_path / "x.json").tracks[3].frames[1].mask == ring(10, 20, 2, 2, 5)


def test_what_dive_writes(tmp_path: Path) -> None:
    tracks = {
        "0": {
            "id": 0,
            "begin": 0,
            "end": 9,
            "meta": {"other": 1},
            "attributes": {"userCreated": True, "sex": "f", "nested": {}},
            "confidencePairs": [["rock", 0.22], ["fish", 0.87]],
            "features": [
                {"frame": 6, "bounds": [10, 10, 20, 20], "keyframe": True},
                {"frame": 0, "bounds": [0, 0, 10, 10], "interpolate": True, "keyframe": True},
                {"frame": 2, "bounds": [4, 0, 14, 10], "interpolate": False, "attributes": {"size": 2.5}},
                {"frame": 9, "bounds": [0, 0, 4, 2], "attributes": {"rotation": 1.5707963267948966}},
                {"frame": 4, "head": [1, 2], "notes": ["?"]},
            ],
        }
    }
    for content in ({"version": 2, "tracks": tracks, "groups": {}}, tracks):  # version 1 has tracks alone
        doc = DIVE.read(file(tmp_path, content))
        assert doc.video is None
        assert list(doc.tracks) == [1]
        track = doc.tracks[1]
        assert (track.label, track.attributes) == ("fish", {"sex": "f"})
        assert [label.name for label in doc.labels] == ["fish"]
        key = Observation(Box(0, 0, 10, 10), source=Source.IMPORTED, keyframe=True, score=0.87)
        assert track.frames[0] == key
        assert track.frames[1] == Observation(Box(2, 0, 10, 10), source=Source.INTERPOLATED)
        assert track.frames[2].attributes == {"size": 2.5}
        assert list(track.frames) == [0, 1, 2, 6, 9]
        assert track.frames[9].box == pytest.approx(Box(1, -1, 2, 4))
    assert DIVE.recognises(file(tmp_path, {"version": 2, "tracks": tracks}))


def test_reserved_names_are_left_out_and_said(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[7].attributes = {"rotation": 0.5}
    report = run_export(doc, None, "dive", tmp_path / "x.json")
    assert any(loss.startswith("Attributes with a name that DIVE reserves") for loss in report.preflight.losses)
    assert DIVE.read(tmp_path / "x.json").tracks[7].attributes == {}


def good() -> Any:
    return {
        "version": 2,
        "tracks": {"1": {"id": 1, "confidencePairs": [["a", 1]], "features": [{"frame": 1, "bounds": [1, 1, 2, 2]}]}},
        "siamlabel": {"video": {"name": "c", "frames": 6, "width": 20, "height": 10}},
    }


def bad(*path: Any, value: Any) -> Any:
    content = good()
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return content


FEATURE = ("tracks", "1", "features", 0)
POLYGON = {"type": "Polygon", "coordinates": [[[0, 0], [1e9, 0], [0, 1], [0, 0]]]}
BAD: dict[str, tuple[Any, str]] = {
    "empty": (b"", "no valid JSON"),
    "cut": (json.dumps(good()).encode()[:-9], "no valid JSON"),
    "deep": (b"[" * 100_000, "no valid JSON|Expected"),
    "no tracks": ([1], r"Expected `object`, got `array`"),
    "text": ({"tracks": "a"}, r"Expected `object`, got `str` - at|\$\.tracks"),
    "frame": (bad(*FEATURE, "frame", value=-1), r"tracks, 1: frame -1 is no frame of the clip"),
    "frame beyond": (bad(*FEATURE, "frame", value=6), r"tracks, 1: frame 6 is no frame of the clip"),
    "twice": (bad("tracks", "1", "features", value=good()["tracks"]["1"]["features"] * 2), r"frame 1 is there twice"),
    "bounds": (bad(*FEATURE, "bounds", value=[1, 2, 3]), r"tracks, 1, frame 1, bounds: bounds are four"),
    "far": (bad(*FEATURE, "bounds", value=[1, 2, 3, 1e300]), r"frame 1, bounds: bounds are four"),
    "wrong way": (bad(*FEATURE, "bounds", value=[5, 2, 3, 3]), r"frame 1, bounds: the corners are the wrong way"),
    "bounds text": (bad(*FEATURE, "bounds", value=["a"] * 4), r"Expected `float`, got `str`|tracks.*bounds"),
    "geometry": (
        bad(*FEATURE, "geometry", value={"features": [{"geometry": POLYGON}]}),
        r"frame 1, geometry: a polygon reaches far",
    ),
    "state": (bad(*FEATURE, "siamlabel", value={"state": "gone"}), r"Invalid enum value 'gone'"),
    "cover": (bad(*FEATURE, "siamlabel", value={"cover": 9}), r"tracks, 1, frame 1: cover 9 is not one of"),
    "no number": ({"tracks": {"a": {"features": []}}}, r"tracks, a: the track has no number"),
    "number twice": (
        {"tracks": {"1": {"id": 1, "features": []}, "2": {"id": 1, "features": []}}},
        r"tracks, 2: track 1 is there twice",
    ),
    "video": (bad("siamlabel", "video", "width", value=0), r"siamlabel\.video: a clip of 6 frames of 0 x 10"),
    "huge video": (bad("siamlabel", "video", "width", value=10**9), r"siamlabel\.video: a picture of"),
    "run": (
        bad(
            "tracks", "1", "meta", value={"siamlabel": {"absent": [{"first": 5, "last": 3, "says": {"state": "lost"}}]}}
        ),
        r"tracks, 1: absent frames 5 to 3",
    ),
    "run over": (
        bad(
            "tracks", "1", "meta", value={"siamlabel": {"absent": [{"first": 0, "last": 1, "says": {"state": "lost"}}]}}
        ),
        r"tracks, 1: frame 1 is there twice",
    ),
    "run seen": (
        bad("tracks", "1", "meta", value={"siamlabel": {"absent": [{"first": 0, "last": 0}]}}),
        r"tracks, 1: 'visible' is no state of an absent object",
    ),
    "far keyframes": (
        {
            "tracks": {
                "1": {
                    "features": [
                        {"frame": 0, "bounds": [0, 0, 1, 1], "interpolate": True},
                        {"frame": 90_000_000, "bounds": [0, 0, 1, 1]},
                    ]
                }
            }
        },
        r"tracks, 1: .*asks for more than",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_place_and_remedy(tmp_path: Path, name: str) -> None:
    content, words = BAD[name]
    path = file(tmp_path, content)
    with pytest.raises(FormatError, match=words) as caught:
        DIVE.read(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") >= 1


def test_absent_states_never_carry_a_box(tmp_path: Path) -> None:
    doc = DIVE.read(file(tmp_path, bad(*FEATURE, "siamlabel", value={"state": "lost"})))
    assert doc.tracks[1].frames == {1: Observation(source=Source.IMPORTED, state=State.LOST)}


def test_a_missing_file_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        DIVE.read(tmp_path / "nowhere.json")
    assert not DIVE.recognises(tmp_path / "nowhere.json")
