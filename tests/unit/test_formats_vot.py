"""VOT: golden lines, round trips up to the stated losses, and frames."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import msgspec
import numpy as np
import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError, OpenFrames, get, plan, run_export
from app.formats.compare import differences
from app.formats.rle import vot_mask, vot_text
from app.formats.vot import VotParams
from app.formats.vot_regions import contour, parse_region, polygon_text, settled
from app.media import open_media
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_the_golden_mask_of_the_reference() -> None:
    mask = Mask.encode(np.array([[0, 1, 1], [0, 1, 0]], bool))
    assert vot_text(mask) == "m1,0,2,2,0,3,1"
    assert vot_mask("m1,0,2,2,0,3,1", 2, 3) == mask
    assert (mask.height, mask.width, mask.counts) == (2, 3, b"231")


def test_an_empty_mask_is_nowhere() -> None:
    assert vot_text(Mask.encode(np.zeros((2, 3), bool))) == "m0,0,0,0,0"
    assert vot_mask("m0,0,0,0,0", 2, 3) is None


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32), st.sampled_from((0.02, 0.5, 0.98)))
def test_any_mask_survives_the_text(height: int, width: int, seed: int, share: float) -> None:
    mask = Mask.encode(np.random.default_rng(seed).random((height, width)) < share)
    assert vot_mask(vot_text(mask), height, width) == (mask if mask.area else None)


@settings(max_examples=100)
@given(
    documents(),
    st.builds(
        VotParams,
        region=st.sampled_from(("rectangle", "polygon", "mask")),
        layout=st.sampled_from(("current", "current", "legacy")),
        objects=st.sampled_from(("together", "apart")),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: VotParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, "vot", params).counts["boxes"]:
            with pytest.raises(FormatError, match="no track with a box"):
                run_export(doc, None, "vot", out, params)
            assert list(Path(folder).iterdir()) == []
            return
        report = run_export(doc, None, "vot", out, params)
        found = get("vot").read(out)
        assert report.verified
        assert not differences(get("vot").keep(doc, params), found)
        regions = [line for path in out.glob("*/groundtruth*.txt") for line in lines(path)]
        boxes = sum(line not in ("0", "nan,nan,nan,nan", "m0,0,0,0,0") for line in regions)
        assert report.preflight.counts["boxes"] == boxes
        masks = sum(line != "m0,0,0,0,0" and (line[0] == "m" or line.count(",") > 3) for line in regions)
        assert report.preflight.counts["masks"] == masks
        again = msgspec.structs.replace(params, only_verified=False)  # VOT does not hold who vouches for a frame
        assert not differences(found, get("vot").keep(found, again))


def test_one_object_as_rectangles(tmp_path: Path) -> None:
    run_export(small(), None, "vot", tmp_path / "set", VotParams(tracks=(3,)))
    folder = tmp_path / "set" / "clip_one"
    assert lines(tmp_path / "set" / "list.txt") == ["clip_one"]
    assert lines(folder / "groundtruth.txt") == [
        "1.235,2,3,4",
        "2.5,2,6.25,5",
        "4,2,6,5",
        "0",
        "nan,nan,nan,nan",
        "0",
    ]
    assert lines(folder / "occlusion.tag") == ["0", "0", "1", "0", "0", "0"]
    assert lines(folder / "absent.tag") == ["0", "0", "0", "0", "1", "0"]
    assert lines(folder / "lost.tag") == ["0", "0", "0", "1", "0", "0"]
    assert lines(folder / "sequence") == [
        "channel.default=color",
        "channels.color=color/%08d.jpg",
        "colour.3=#123456",
        "format=default",
        "fps=30",
        "height=10",
        "label.3=car",
        "length=6",
        "video=clip_one",
        "width=20",
    ]
    assert not (folder / "color").exists()


def test_masks_where_there_are_any(tmp_path: Path) -> None:
    params = VotParams(tracks=(3,), region="mask")
    run_export(small(), None, "vot", tmp_path / "set", params)
    assert lines(tmp_path / "set" / "clip_one" / "groundtruth.txt") == [
        "1.235,2,3,4",
        "m2,2,5,5,0,6,3,2,3,2,3,6",
        "4,2,6,5",
        "0",
        "m0,0,0,0,0",
        "0",
    ]
    frames = get("vot").read(tmp_path / "set").tracks[3].frames
    assert frames[1].mask == ring(10, 20, 2, 2, 5)
    assert frames[4] == Observation(source=Source.IMPORTED, state=State.OUT_OF_VIEW)
    losses = "\n".join(plan(small(), "vot", params).losses)
    assert "Frames without a mask, written as rectangles: 2." in losses
    assert "The frame rate 29.97 is written as 30" in losses
    assert "Frames where the object is lost, written as unknown: 1." in losses


def test_several_objects_together_and_apart(tmp_path: Path) -> None:
    run_export(small(), None, "vot", tmp_path / "set")
    folder = tmp_path / "set" / "clip_one"
    assert sorted(path.name for path in folder.glob("groundtruth*")) == ["groundtruth_3.txt", "groundtruth_7.txt"]
    assert (folder / "occlusion_3.tag").exists()
    run_export(small(), None, "vot", tmp_path / "set", VotParams(objects="apart"))
    assert lines(tmp_path / "set" / "list.txt") == ["clip_one_3", "clip_one_7"]
    assert (tmp_path / "set" / "clip_one_7" / "groundtruth.txt").exists()
    assert not folder.exists()
    assert sorted(get("vot").read(tmp_path / "set").tracks) == [3, 7]
    assert list(get("vot").read(tmp_path / "set" / "clip_one_7").tracks) == [7]
    assert "Objects absent on the first frame, where VOT trackers start: 7." in plan(small(), "vot").losses


@dataclass(frozen=True)
class FakeFrame:
    index: int
    image: np.ndarray


def frames_of(count: int, height: int = 10, width: int = 20) -> OpenFrames:
    class Reader:
        def iter(self, start: int, stop: int, step: int = 1) -> Iterator[FakeFrame]:
            for index in range(start, min(stop, count), step):
                yield FakeFrame(index, np.full((height, width, 3), 20 * index, np.uint8))

    @contextlib.contextmanager
    def opened(path: Path) -> Iterator[Reader]:
        yield Reader()

    return opened


@pytest.mark.parametrize("objects", ["together", "apart"])
def test_frames_on_request(tmp_path: Path, objects: str) -> None:
    params = VotParams(objects=objects, with_frames=True)  # type: ignore[arg-type]
    report = run_export(small(), tmp_path / "v.mp4", "vot", tmp_path / "set", params, open_frames=frames_of(6))
    sequences = lines(tmp_path / "set" / "list.txt")
    assert report.pictures == 6 * len(sequences)
    for name in sequences:
        files = sorted((tmp_path / "set" / name / "color").iterdir())
        assert [file.name for file in files] == [f"{number:08d}.jpg" for number in range(1, 7)]
        for index, file in enumerate(files):
            assert abs(float(cv2.imread(str(file)).mean()) - 20 * index) < 2
    # An earlier export with frames makes way for the next one.
    run_export(small(), None, "vot", tmp_path / "set", VotParams())
    assert not list((tmp_path / "set").rglob("*.jpg"))


def test_frames_come_from_the_media_room(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(6):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((10, 20, 3), 20 * index, np.uint8))
    params = VotParams(with_frames=True)
    run_export(small(), folder, "vot", tmp_path / "set", params, open_frames=open_media)
    assert len(list((tmp_path / "set" / "clip_one" / "color").iterdir())) == 6


@pytest.mark.parametrize(
    ("opened", "words"),
    [(frames_of(5), "gave 5 of 6 frames"), (frames_of(6, 9), "not the one that was labelled"), (None, "not at hand")],
)
def test_another_video_is_noticed(tmp_path: Path, opened: object, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        run_export(
            small(),
            "v.mp4",
            "vot",
            tmp_path / "set",
            VotParams(with_frames=True),
            open_frames=opened,  # type: ignore
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("polygon", "rows"),
    [
        # What vot-toolkit 0.7.4 fills: corners rounded to pixels, both ends of an edge inside.
        ("1,1,5,1,5,4,1,4", ["000000", "011111", "011111", "011111", "011111"]),
        ("0.4,0.6,3.5,0.6,2,4.4", ["000000", "111110", "111100", "011000", "001000"]),
        ("0,0,4,0,4,3,2,1,0,3", ["111110", "111110", "110110", "111110", "000000"]),
    ],
)
def test_a_polygon_is_filled_as_the_toolkit_does(polygon: str, rows: list[str]) -> None:
    region = parse_region(polygon, (6, 5))
    assert region.mask is not None
    assert ["".join(map(str, row)) for row in region.mask.decode().astype(int)] == rows


def test_outlines_of_masks(tmp_path: Path) -> None:
    params = VotParams(tracks=(3,), region="polygon")
    run_export(small(), None, "vot", tmp_path / "set", params)
    assert lines(tmp_path / "set" / "clip_one" / "groundtruth.txt")[1] == "2,2,2,6,6,6,6,2,2,2"
    seen = get("vot").read(tmp_path / "set").tracks[3].frames[1]
    assert seen.box == Box(2, 2, 5, 5)
    assert seen.mask is not None
    assert seen.mask.area == 25
    assert "Masks that a polygon cannot say, changed: 1." in plan(small(), "vot", params).losses


@settings(max_examples=60)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32), st.sampled_from((0.05, 0.5, 0.95)))
def test_what_a_polygon_says_is_said_again(height: int, width: int, seed: int, share: float) -> None:
    mask = settled(Mask.encode(np.random.default_rng(seed).random((height, width)) < share))
    if mask is not None:
        points = contour(mask)
        assert points is not None
        assert parse_region(polygon_text(points), (width, height)).mask == mask


def test_attributes_of_frames_are_tags_and_values(tmp_path: Path) -> None:
    doc = small()
    frames = doc.tracks[3].frames
    frames[1] = msgspec.structs.replace(frames[1], attributes={"blurred": True, "speed": 2.5, "pose": "up"})
    frames[2] = msgspec.structs.replace(frames[2], attributes={"blurred": False, "absent": True, "x_3": 4})
    run_export(doc, None, "vot", tmp_path / "set")
    folder = tmp_path / "set" / "clip_one"
    assert lines(folder / "blurred_3.tag") == ["0", "1", "0", "0", "0", "0"]
    assert lines(folder / "speed_3.value") == ["nan", "2.5", "nan", "nan", "nan", "nan"]
    found = get("vot").read(tmp_path / "set")
    assert found.tracks[3].frames[1].attributes == {"blurred": True, "speed": 2.5}
    assert found.tracks[7].frames[2].attributes == {}
    assert [kind.name for kind in found.labels[0].attributes] == ["blurred", "speed"]
    assert "Attributes other than flags and numbers of frames, not written: 3." in plan(doc, "vot").losses
    (folder / "camera_motion.tag").write_text("0\n0\n1\n")
    found = get("vot").read(folder)
    assert found.tracks[3].frames[2].attributes == found.tracks[7].frames[2].attributes == {"camera_motion": True}


def test_the_old_layout(tmp_path: Path) -> None:
    params = VotParams(layout="legacy", with_frames=True)
    run_export(small(), tmp_path / "v.mp4", "vot", tmp_path / "set", params, open_frames=frames_of(6))
    folder = tmp_path / "set" / "clip_one_7"
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == [
        *(f"{number:08d}.jpg" for number in range(1, 7)),
        *("absent.tag", "groundtruth.txt", "occlusion.tag", "siamlabel.json"),
    ]
    found = get("vot").read(tmp_path / "set")
    assert {key: track.label for key, track in found.tracks.items()} == {3: "car", 7: "person"}
    assert found.video is not None
    assert found.video.fps == 29.97
    run_export(small(), None, "vot", tmp_path / "set")  # it makes way for the next export


def test_sequences_of_different_videos_are_named(tmp_path: Path) -> None:
    for name in ("ball", "car"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "groundtruth.txt").write_text("1,1,2,2\n")
    (tmp_path / "list.txt").write_text("ball\ncar\n")
    with pytest.raises(FormatError, match=r"Choose one of its folders: ball, car\."):
        get("vot").read(tmp_path)
    assert get("vot").recognises(tmp_path)
    assert not get("vot").recognises(tmp_path / "nowhere")
    with pytest.raises(FormatError, match="no part of a VOT export"):
        run_export(small(), None, "vot", tmp_path)


def test_a_challenge_folder(tmp_path: Path) -> None:
    """No lengths, sizes or ids in it: polygons, short files and a legacy layout."""
    folder = tmp_path / "ball1"
    folder.mkdir()
    cv2.imwrite(str(folder / "00000001.jpg"), np.zeros((12, 16, 3), np.uint8))
    (folder / "groundtruth.txt").write_text("1,1,5,1,5,4,1,4\n2.0,1.0,4.0,3.0\nnan,nan,nan,nan\n0\nm1,2,2,1,0,2\n\n")
    (folder / "occlusion.label").write_text("0\n1\n")
    doc = get("vot").read(folder)
    assert doc.video == VideoRef("ball1", "", 5, 16, 12, 30.0)
    frames = doc.tracks[1].frames
    assert frames[0].box == Box(1, 1, 4, 3)
    assert frames[1].state is State.OCCLUDED
    assert frames[2].state is State.OUT_OF_VIEW
    assert 3 not in frames
    assert frames[4].box == Box(1, 2, 2, 1)
    assert doc.labels[0].name == "object"


def test_objects_with_names(tmp_path: Path) -> None:
    (tmp_path / "groundtruth_2.txt").write_text("1,1,2,2\n")
    (tmp_path / "groundtruth_left hand.txt").write_text("1,1,2,2\n")
    doc = get("vot").read(tmp_path)
    assert {key: track.label for key, track in doc.tracks.items()} == {2: "object", 3: "left hand"}
    assert doc.video is None
