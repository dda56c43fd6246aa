"""Label Studio: the file by eye, round trips up to the stated losses, what Label Studio writes, and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from format_documents import documents, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import run_export
from app.formats.compare import differences
from app.formats.label_studio import LABEL_STUDIO, LabelStudioParams
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def file(folder: Path, content: Any) -> Path:
    path = folder / "export.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def key(frame: int, x: float = 10, enabled: bool = True, **more: Any) -> dict[str, Any]:
    about = {"frame": frame, "x": x, "y": 20, "width": 25, "height": 50, "rotation": 0, "time": 0.04 * frame}
    return about | {"enabled": enabled} | more


def task(*sequences: list[dict[str, Any]], **value: Any) -> dict[str, Any]:
    results = [
        {
            "id": f"r{number}",
            "type": "videorectangle",
            "from_name": "box",
            "to_name": "video",
            "origin": "manual",
            "value": {"sequence": sequence, "labels": ["car"], "framesCount": 9, "duration": 0.36} | value,
        }
        for number, sequence in enumerate(sequences)
    ]
    other = {"id": "x", "type": "choices", "value": {"choices": ["a"]}}
    return {
        "id": 7,
        "data": {"video": "/data/clip.mp4", "width": 200, "height": 100},
        "annotations": [{"id": 3, "was_cancelled": False, "result": [other, *results]}],
    }


@settings(max_examples=150)
@given(
    documents(),
    st.builds(
        LabelStudioParams,
        keyframes=st.sampled_from(("within_tolerance", "every_frame")),
        tolerance=st.sampled_from((0.0, 0.5, 8.0)),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: LabelStudioParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "x.json")
        report = run_export(doc, None, "label_studio", out, params)
        found = LABEL_STUDIO.read(out)
        assert report.verified
        assert LABEL_STUDIO.recognises(out) or not found.tracks
        assert not differences(LABEL_STUDIO.keep(doc, params), found)
        assert not differences(found, LABEL_STUDIO.keep(found, LabelStudioParams(keyframes="every_frame")))


def test_the_file_by_eye(tmp_path: Path) -> None:
    doc = small()
    doc.video = VideoRef("/videos/clip one.mp4", "abc", 6, 20, 10, 25.0)
    run_export(doc, None, "label_studio", tmp_path / "x.json", LabelStudioParams(tracks=(3,)))
    (given,) = json.loads((tmp_path / "x.json").read_text())
    assert {name: given["data"][name] for name in ("video", "width", "height")} == {
        "video": "clip_one",
        "width": 20,
        "height": 10,
    }
    (result,) = given["annotations"][0]["result"]
    assert (result["type"], result["from_name"], result["to_name"]) == ("videorectangle", "box", "video")
    value = result["value"]
    assert (value["labels"], value["framesCount"], value["duration"]) == (["car"], 6, 0.24)
    assert value["sequence"] == [
        {
            "frame": 1,
            "enabled": True,
            "x": pytest.approx(6.175),
            "y": 20.0,
            "width": 15.0,
            "height": 40.0,
            "rotation": 0,
            "time": 0.04,
            "siamlabel": {"source": "manual", "keyframe": True},
        },
        {
            "frame": 2,
            "enabled": True,
            "x": 12.5,
            "y": 20.0,
            "width": 31.25,
            "height": 50.0,
            "rotation": 0,
            "time": 0.08,
            "siamlabel": {"source": "tracker", "keyframe": True, "score": 0.75},
        },
        {
            "frame": 3,
            "enabled": False,
            "x": 20.0,
            "y": 20.0,
            "width": 30.0,
            "height": 50.0,
            "rotation": 0,
            "time": 0.12,
            "siamlabel": {"state": "occluded", "source": "tracker", "keyframe": True, "signals": {"ratio": 0.5}},
        },
    ]
    losses = "\n".join(LABEL_STUDIO.plan(doc, LabelStudioParams(tracks=(3,))).losses)
    assert "Masks, not written: 1." in losses


def test_what_label_studio_writes(tmp_path: Path) -> None:
    first = [key(5, 20, enabled=False), key(1, 10), key(8, 30)]
    second = [key(2, 10, auto=True), key(3, 12, enabled=False)]
    path = file(tmp_path, [task(first, second)])
    assert LABEL_STUDIO.recognises(path)
    doc = LABEL_STUDIO.read(path)
    assert doc.video == VideoRef("/data/clip.mp4", "", 9, 200, 100, 0.0)
    assert [label.name for label in doc.labels] == ["car"]
    one = doc.tracks[1].frames
    assert {frame: obs.box.x for frame, obs in one.items() if obs.box} == pytest.approx(
        {0: 20, 1: 25, 2: 30, 3: 35, 4: 40, 7: 60, 8: 60}
    )
    assert one[0] == Observation(Box(20, 20, 50, 50), source=Source.IMPORTED, keyframe=True)
    assert one[1].source is Source.INTERPOLATED
    assert [(frame, obs.source.value) for frame, obs in doc.tracks[2].frames.items()] == [
        (1, "interpolated"),
        (2, "imported"),
    ]


def test_a_task_alone_predictions_and_cancelled_work(tmp_path: Path) -> None:
    content = task([key(1, enabled=False)])
    content["predictions"] = task([key(4, enabled=False)])["annotations"]
    content["annotations"][0]["was_cancelled"] = True
    doc = LABEL_STUDIO.read(file(tmp_path, content))
    assert list(doc.tracks[1].frames) == [3]


def test_a_turned_box_is_the_box_around_it(tmp_path: Path) -> None:
    doc = LABEL_STUDIO.read(file(tmp_path, task([key(1, 10, enabled=False, rotation=90)])))
    assert doc.tracks[1].frames[0].box == pytest.approx(Box(20 - 50, 20, 50, 50))


def altered(**changes: Any) -> dict[str, Any]:
    return task([key(1) | changes])


def without_size() -> dict[str, Any]:
    content = task([key(1)])
    content["data"] = {"video": "a"}
    return content


BAD: dict[str, tuple[Any, str]] = {
    "empty": (b"", "no valid JSON"),
    "cut": (json.dumps(task([key(1)])).encode()[:-9], "no valid JSON"),
    "deep": (b"[" * 100_000, "no valid JSON|Expected"),
    "deep value": (b'[{"annotations":[{"result":[{"type":"videorectangle","value":' + b"[" * 99_999, "no valid JSON"),
    "nothing": ([], "there is no video rectangle in it"),
    "images": ([{"annotations": [{"result": [{"type": "rectanglelabels"}]}]}], "there is no video rectangle in it"),
    "several": ([task([key(1)]), task([key(1)]) | {"id": 8}], r"holds 2 tasks with videos: 7, 8"),
    "no size": (without_size(), r"data: boxes are percentages.*Add \"width\" and \"height\""),
    "huge size": (task([key(1)]) | {"data": {"width": 1e6, "height": 1e6}}, r"a picture of 1000000 x 1000000"),
    "huge length": (task([key(1)], framesCount=1e300), r"framesCount: a video of 1e\+300 frames"),
    "negative length": (task([key(1)], framesCount=-1), r"framesCount: a video of -1 frames"),
    "frame zero": (altered(frame=0), r"region r0: frame 0 is no frame of the video; the first one is 1"),
    "frame beyond": (altered(frame=10), r"region r0: frame 10 is no frame of the video"),
    "twice": (task([key(2), key(2)]), r"region r0: frame 2 is there twice"),
    "negative": (altered(width=-1), r"region r0, frame 1: width and height must not be negative"),
    "far": (altered(x=1e300), r"region r0, frame 1: coordinates are sensible percentages"),
    "text": (altered(x="a"), r"region r0, value: Expected `float`, got `str`"),
    "cover": (altered(siamlabel={"cover": 99}), r"region r0, frame 1: cover 99 is not one of"),
    "ours": (task([key(1)]) | {"data": {"siamlabel": {"video": 1}}}, r"data\.siamlabel: Expected"),
    "our video": (
        task([key(1)]) | {"data": {"siamlabel": {"video": {"name": "", "frames": 1, "width": 0, "height": 1}}}},
        r"data\.siamlabel\.video: a clip of 1 frames of 0 x 1",
    ),
    "far keyframes": (
        task([key(1), key(90_000_000)], framesCount=99_999_999),
        r"region r0: .*asks for more than",
    ),
    "held for ever": (task([key(1)], framesCount=99_999_999), r"region r0: .*asks for more than"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_place_and_remedy(tmp_path: Path, name: str) -> None:
    content, words = BAD[name]
    path = file(tmp_path, content)
    with pytest.raises(FormatError, match=words) as caught:
        LABEL_STUDIO.read(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") >= 1


def test_a_missing_file_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        LABEL_STUDIO.read(tmp_path / "nowhere.json")
    assert not LABEL_STUDIO.recognises(tmp_path / "nowhere.json")
