"""LaSOT, GOT-10k, TrackingNet, OTB and UAV123: exact bytes, round trips up to the stated losses, the sets' layouts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import cv2
import msgspec
import numpy as np
import pytest
from format_documents import documents, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError, get, plan, run_export
from app.formats.base import Aspect
from app.formats.compare import differences
from app.formats.single import SingleFormat, SingleParams
from app.model.document import Attribute, AttributeKind, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State, Track
from tracker.data.readers import discover

FORMATS = ("lasot", "got10k", "trackingnet", "otb", "uav123")
IMPORTED = Source.IMPORTED


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")
    return path


def shots(folder: Path, names: list[str], width: int = 20, height: int = 10) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((height, width, 3), 20 * number, np.uint8))


def car() -> Document:
    """The car of `small` alone."""
    doc = small()
    del doc.tracks[7]
    return doc


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(doc=documents(), only_verified=st.booleans(), clip=st.booleans())
def test_random_documents_come_back_up_to_the_stated_losses(
    name: str, doc: Document, only_verified: bool, clip: bool
) -> None:
    params = SingleParams(only_verified=only_verified, clip=clip)
    chosen = get(name)
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, name, params).counts["boxes"]:
            with pytest.raises(FormatError, match="no track with a box"):
                run_export(doc, None, name, out, params)
            return
        report = run_export(doc, None, name, out, params)
        assert report.verified
        found, kept = chosen.read(out), chosen.keep(doc, params)
        assert not differences(kept, found)
        assert chosen.recognises(out)
        assert not chosen.may_replace(out)
        assert found.next_id > max(found.tracks)
        boxes = sum(obs.present for track in found.tracks.values() for obs in track.frames.values())
        assert boxes == report.preflight.counts["boxes"]
        again = msgspec.structs.replace(params, only_verified=False)  # the sets do not hold who vouches for a frame
        assert not differences(found, chosen.keep(found, again))


@pytest.mark.parametrize("name", FORMATS)
def test_every_aspect_is_told(name: str) -> None:
    assert set(get(name).holds) == set(Aspect)


def test_lasot_to_the_byte(tmp_path: Path) -> None:
    doc = car()
    doc.tracks[3].attributes = {"description": "red car\nturning left", "doors": 4}
    report = run_export(doc, None, "lasot", tmp_path / "set")
    found = files(tmp_path / "set")
    note = found.pop("car/car-3/siamlabel.json")
    assert found == {
        "car/car-3/groundtruth.txt": "2,3,3,4\n3,3,6,5\n5,3,6,5\n0,0,0,0\n0,0,0,0\n0,0,0,0\n",
        "car/car-3/full_occlusion.txt": "0,0,0,1,0,0\n",
        "car/car-3/out_of_view.txt": "0,0,0,0,1,0\n",
        "car/car-3/nlp.txt": "red car turning left\n",
    }
    assert msgspec.json.decode(note) == {
        "video": "clip_one",
        "frames": 6,
        "width": 20,
        "height": 10,
        "fps": 29.97,
        "tracks": [{"id": 3, "label": "car", "colour": "#123456"}],
    }
    back = get("lasot").read(tmp_path / "set")
    assert back.tracks[3].frames[0] == Observation(Box(1, 2, 3, 4), source=IMPORTED)
    assert back.tracks[3].frames[3] == Observation(source=IMPORTED, state=State.LOST)
    assert back.tracks[3].frames[4] == Observation(source=IMPORTED, state=State.OUT_OF_VIEW)
    assert 5 not in back.tracks[3].frames
    assert back.tracks[3].attributes == {"description": "red car turning left"}
    assert back.labels == [Label("car", "#123456", (Attribute("description", AttributeKind.TEXT),))]
    losses = "\n".join(report.preflight.losses)
    assert "lost, written as fully occluded: 1." in losses
    assert "rounded to whole pixels" in losses
    assert "no place for, not written: 1." in losses


def test_lasot_without_a_note(tmp_path: Path) -> None:
    write(tmp_path, "airplane-9/groundtruth.txt", "367,101,41,16\n366,102,-1,16\n".replace("-1", "0"))
    write(tmp_path, "airplane-9/full_occlusion.txt", "0,0")
    write(tmp_path, "airplane-9/out_of_view.txt", "0,1")
    write(tmp_path, "airplane-9/nlp.txt", "white airplane landing on ground")
    doc = get("lasot").read(tmp_path / "airplane-9")
    assert doc.video is None
    assert doc.tracks[1].label == "airplane"
    assert doc.tracks[1].frames == {
        0: Observation(Box(366, 100, 41, 16), source=IMPORTED),
        1: Observation(source=IMPORTED, state=State.OUT_OF_VIEW),
    }
    shots(tmp_path / "airplane-9" / "img", ["00000001.jpg", "00000002.jpg"], 400, 200)
    video = get("lasot").read(tmp_path / "airplane-9" / "groundtruth.txt").video
    assert video == VideoRef(str(tmp_path / "airplane-9" / "img"), "", 2, 400, 200, 30.0)


def test_got10k_to_the_byte(tmp_path: Path) -> None:
    doc = car()
    doc.tracks[3].attributes = {"motion_class": "drive", "major_class": "vehicle: wheeled", "url": ""}
    frames = doc.tracks[3].frames
    frames[0] = msgspec.structs.replace(frames[0], attributes={"cut_by_image": True})
    frames[1] = msgspec.structs.replace(frames[1], cover=3)
    frames[5] = Observation(Box(15, 0, 5, 5))
    run_export(doc, None, "got10k", tmp_path / "set")
    found = files(tmp_path / "set")
    del found["clip_one/siamlabel.json"]
    assert found == {
        "list.txt": "clip_one\n",
        "clip_one/groundtruth.txt": (
            "1.2346,2.0000,3.0000,4.0000\n2.5000,2.0000,6.2500,5.0000\n4.0000,2.0000,6.0000,5.0000\n"
            "0.0000,0.0000,0.0000,0.0000\n0.0000,0.0000,0.0000,0.0000\n15.0000,0.0000,5.0000,5.0000\n"
        ),
        "clip_one/absence.label": "0\n0\n0\n1\n1\n0\n",
        "clip_one/cover.label": "8\n3\n4\n0\n0\n8\n",
        "clip_one/cut_by_image.label": "1\n0\n0\n0\n0\n1\n",
        "clip_one/meta_info.ini": (
            "[METAINFO]\nurl: \nbegin: \nend: \nanno_fps: 30Hz\nobject_class: car\nmotion_class: drive\n"
            "major_class: vehicle: wheeled\nroot_class: \nmotion_adverb: \nresolution: (20, 10)\n"
        ),
    }
    back = get("got10k").read(tmp_path / "set").tracks[3]
    assert back.attributes == {"motion_class": "drive", "major_class": "vehicle: wheeled"}
    assert back.frames[0].attributes == {"cut_by_image": True}
    assert (back.frames[1].state, back.frames[1].cover) == (State.OCCLUDED, 3)
    assert (back.frames[2].state, back.frames[2].cover) == (State.OCCLUDED, 4)
    assert (back.frames[5].state, back.frames[5].cover) == (State.VISIBLE, 8)


def test_got10k_without_a_note(tmp_path: Path) -> None:
    folder = tmp_path / "GOT-10k_Train_000001"
    meta = "[METAINFO]\nurl: https://youtu.be/b0ZnfLI8YPw\nbegin: 00:00:48\nend: 00:01:29\nanno_fps: 10Hz\n"
    meta += "object_class: ostrich\nmotion_class: run\nmajor_class: bird\nroot_class: animal\nmotion_adverb: quickly\n"
    write(folder, "meta_info.ini", meta + "resolution: (1920, 1080)\n")
    write(folder, "groundtruth.txt", "347.0000,443.0000,429.0000,272.0000\n" * 2)
    write(folder, "absence.label", "0\n1\n")
    write(folder, "cover.label", "8\n0\n")
    write(folder, "cut_by_image.label", "0\n0\n")
    doc = get("got10k").read(folder)
    assert doc.video == VideoRef("GOT-10k_Train_000001", "", 2, 1920, 1080, 10.0)
    assert doc.tracks[1].label == "ostrich"
    assert doc.tracks[1].attributes["begin"] == "00:00:48"
    assert doc.tracks[1].frames[0].box == Box(347, 443, 429, 272)
    assert doc.tracks[1].frames[1].state is State.OUT_OF_VIEW
    assert doc.tracks[1].frames[1].box is None  # the set has one there, of no use


def test_a_test_clip_of_got10k_has_one_row(tmp_path: Path) -> None:
    folder = tmp_path / "GOT-10k_Test_000001"
    shots(folder, [f"{number:08d}.jpg" for number in range(1, 4)])
    write(folder, "groundtruth.txt", "3.0000,4.0000,5.0000,5.0000\n")
    write(folder, "cover.label", "8\n8\n8\n")
    doc = get("got10k").read(folder)
    assert doc.video == VideoRef(str(folder), "", 3, 20, 10, 30.0)
    assert list(doc.tracks[1].frames) == [0]


def test_got10k_of_a_single_frame(tmp_path: Path) -> None:
    doc = Document(VideoRef("/one.mp4", "", 1, 20, 10, 30.0))
    doc.tracks[1] = Track(1, "car", "#123456", frames={0: Observation(Box(0, 0, 5, 5), state=State.OCCLUDED)})
    run_export(doc, None, "got10k", tmp_path / "set")
    assert get("got10k").read(tmp_path / "set").tracks[1].frames[0].cover == 4


def test_trackingnet_to_the_byte(tmp_path: Path) -> None:
    run_export(car(), None, "trackingnet", tmp_path / "set")
    found = files(tmp_path / "set")
    assert found.keys() == {"anno/clip_one.txt", "anno/clip_one.siamlabel.json"}
    assert found["anno/clip_one.txt"] == "1.235,2,3,4\n2.5,2,6.25,5\n4,2,6,5\n0,0,0,0\n0,0,0,0\n0,0,0,0\n"


def test_trackingnet_without_a_note(tmp_path: Path) -> None:
    write(tmp_path, "TRAIN_0/anno/abc_0.txt", "1.0,2.0,3.0,4.0\n-1,-1,-1,-1\n")
    shots(tmp_path / "TRAIN_0" / "frames" / "abc_0", [f"{number}.jpg" for number in (0, 1, 2)])
    for place in (tmp_path, tmp_path / "TRAIN_0", tmp_path / "TRAIN_0" / "anno" / "abc_0.txt"):
        doc = get("trackingnet").read(place)
        assert doc.video is not None
        assert (doc.video.frames, doc.video.width) == (3, 20)
        assert doc.tracks[1].frames == {0: Observation(Box(1, 2, 3, 4), source=IMPORTED)}


def test_otb_to_the_byte(tmp_path: Path) -> None:
    run_export(small(), None, "otb", tmp_path / "set")
    found = files(tmp_path / "set")
    assert found["clip_one/groundtruth_rect.3.txt"] == "2.235,3,3,4\n3.5,3,6.25,5\n5,3,6,5\n" + "0,0,0,0\n" * 3
    assert found["clip_one/groundtruth_rect.7.txt"] == "0,0,0,0\n" * 2 + "-4,-4,9,9\n" + "0,0,0,0\n" * 3
    assert sorted(get("otb").read(tmp_path / "set").tracks) == [3, 7]
    one = get("otb").read(tmp_path / "set" / "clip_one" / "groundtruth_rect.7.txt")
    assert {key: track.label for key, track in one.tracks.items()} == {7: "person"}
    run_export(small(), None, "otb", tmp_path / "set", SingleParams(tracks=(3,)))
    assert "clip_one/groundtruth_rect.txt" in files(tmp_path / "set")
    assert list(get("otb").read(tmp_path / "set").tracks) == [3]


@pytest.mark.parametrize(
    "row", ["198,214,34,81", "198\t214\t34\t81", "198 214  34 81 ", " 198, 214,34 , 81,", "198;214;34;81"]
)
def test_otb_separators_are_sniffed(tmp_path: Path, row: str) -> None:
    write(tmp_path, "Basketball/groundtruth_rect.txt", f"{row}\r\n{row}\n\n")
    doc = get("otb").read(tmp_path)
    assert [obs.box for obs in doc.tracks[1].frames.values()] == [Box(197, 213, 34, 81)] * 2


def test_otb_clips_that_begin_late_and_with_several_objects(tmp_path: Path) -> None:
    shots(tmp_path / "BlurCar3" / "img", [f"{number:04d}.jpg" for number in range(1, 6)])
    write(tmp_path, "BlurCar3/groundtruth_rect.txt", "1,1,4,4\n" * 3)
    doc = get("otb").read(tmp_path / "BlurCar3")
    assert list(doc.tracks[1].frames) == [2, 3, 4]
    assert doc.video is not None
    assert doc.video.frames == 5
    for number in (1, 2):
        write(tmp_path, f"Jogging/groundtruth_rect.{number}.txt", "1,1,4,4\n")
    assert list(get("otb").read(tmp_path / "Jogging").tracks) == [1, 2]


def test_uav123_to_the_byte(tmp_path: Path) -> None:
    doc = car()
    doc.tracks[3].attributes = {"SV": True, "OV": True, "LR": False}
    run_export(doc, None, "uav123", tmp_path / "set")
    found = files(tmp_path / "set")
    gone = "NaN,NaN,NaN,NaN\n"
    assert found["anno/UAV123/clip_one.txt"] == "2.235,3,3,4\n3.5,3,6.25,5\n5,3,6,5\n" + 3 * gone
    assert found["anno/UAV123/att/clip_one.txt"] == "1,0,0,0,0,0,1,0,0,0,0,0\n"
    back = get("uav123").read(tmp_path / "set").tracks[3]
    assert back.attributes == {"SV": True, "OV": True}
    assert back.frames[5].state is State.OUT_OF_VIEW
    assert "never labelled (of each object), written as absent: 1." in "\n".join(plan(doc, "uav123").losses)


def test_the_parts_of_a_uav123_clip_share_its_pictures(tmp_path: Path) -> None:
    shots(tmp_path / "data_seq" / "UAV123" / "car1", [f"{number:06d}.jpg" for number in range(1, 7)])
    write(tmp_path, "anno/UAV123/car1_1.txt", "1,1,4,4\n" * 3)
    second = write(tmp_path, "anno/UAV123/car1_2.txt", "2,2,4,4\nNaN,NaN,NaN,NaN\n")
    doc = get("uav123").read(second)
    assert doc.video is not None
    assert doc.video.frames == 6
    assert {frame: obs.box for frame, obs in doc.tracks[1].frames.items()} == {2: Box(1, 1, 4, 4), 3: None}


@dataclass(frozen=True)
class FakeFrame:
    index: int
    image: np.ndarray


@contextlib.contextmanager
def six_frames(path: Path) -> Iterator[object]:
    class Reader:
        def iter(self, start: int, stop: int, step: int = 1) -> Iterator[FakeFrame]:
            for index in range(6):
                yield FakeFrame(index, np.full((10, 20, 3), 20 * index, np.uint8))

    yield Reader()


@pytest.mark.parametrize(
    ("name", "pattern", "first", "truths"),
    [
        ("lasot", "*/*/img/{:08d}.jpg", 1, 2),
        ("got10k", "*/{:08d}.jpg", 1, 2),
        ("trackingnet", "frames/*/{}.jpg", 0, 2),
        ("otb", "*/img/{:04d}.jpg", 1, 1),
        ("uav123", "data_seq/UAV123/*/{:06d}.jpg", 1, 2),
    ],
)
def test_pictures_are_numbered_as_in_the_set_and_its_readers_find_everything(
    tmp_path: Path, name: str, pattern: str, first: int, truths: int
) -> None:
    out = tmp_path / "set"
    params = SingleParams(with_frames=True)
    report = run_export(small(), tmp_path / "v.mp4", name, out, params, open_frames=six_frames)  # type: ignore[arg-type]
    assert report.pictures == 6 * truths
    for frame in range(6):
        found = list(out.glob(pattern.format(frame + first)))
        assert len(found) == truths
        for file in found:
            assert abs(float(cv2.imread(str(file)).mean()) - 20 * frame) < 2
    clips = discover(out)  # an independent reader: the one that evaluation uses
    whole = cast(SingleFormat, get(name)).keep(small(), params)
    assert len(clips) == 2
    for clip, track in zip(clips, whole.tracks.values(), strict=True):
        assert len(clip.truth) == len(clip.pictures) == 6
        boxes = {frame: obs.box for frame, obs in track.frames.items() if obs.box is not None}
        assert np.flatnonzero(clip.present).tolist() == sorted(boxes)
        for frame, box in boxes.items():
            assert clip.truth[frame] == pytest.approx(tuple(box), abs=0.0006)
    assert get(name).read(out).video == VideoRef(*found_video(out, name), 6, 20, 10, 29.97)
    run_export(small(), None, name, out)  # the pictures of an earlier export make way
    assert not list(out.rglob("*.jpg"))


def found_video(out: Path, name: str) -> tuple[str, str]:
    """The pictures of the first sequence, and no fingerprint."""
    inside = {
        "lasot": "car/car-3/img", "got10k": "clip_one-3", "trackingnet": "frames/clip_one-3", "otb": "clip_one/img",
        "uav123": "data_seq/UAV123/clip_one-3",
    }  # fmt: skip
    return str(out / inside[name]), ""


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_but_an_export_makes_way(tmp_path: Path, name: str) -> None:
    out = tmp_path / "set"
    run_export(small(), None, name, out)
    write(out, "diary.txt", "dear diary")
    with pytest.raises(FormatError, match="diary"):
        run_export(small(), None, name, out)
    (out / "diary.txt").unlink()
    for note in out.rglob("*siamlabel.json"):
        note.unlink()
    with pytest.raises(FormatError, match="did not write"):
        run_export(small(), None, name, out)


def test_a_data_set_of_many_clips_lists_them(tmp_path: Path) -> None:
    for number in range(12):
        write(tmp_path, f"car/car-{number}/groundtruth.txt", "1,1,4,4\n")
        write(tmp_path, f"car/car-{number}/nlp.txt", "a car\n")
    with pytest.raises(FormatError, match=r"12 sequences of different clips.*Choose one: car/car-0, .* and 2 more"):
        get("lasot").read(tmp_path)


def test_a_clip_in_a_folder_called_img_is_called_by_the_folder_around_it(tmp_path: Path) -> None:
    doc = car()
    doc.video = VideoRef("/data/airplane-1/img", "", 6, 20, 10, 30.0)
    run_export(doc, None, "otb", tmp_path / "set")
    assert (tmp_path / "set" / "airplane-1").is_dir()


def test_absent_frames_do_not_count_as_never_labelled() -> None:
    doc = small()  # of six frames the car is on three, absent on two and never labelled on one
    losses = plan(doc, "otb", get("otb").params(tracks=(3,))).losses
    assert "Frames where the object is absent, written as frames without a box: 2." in losses
    assert "Frames never labelled (of each object), written without a box: 1." in losses
