"""COCO: round trips up to the stated losses, and the reference reader's opinion."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import coco as reference
from pycocotools.cocoeval import COCOeval

from app.formats import get, plan, run_export
from app.formats.coco import CocoParams
from app.formats.coco_masks import Encoding
from app.formats.compare import differences
from app.media import open_media
from app.model.document import Document
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track

REFERENCE_WARNS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:")  # with NumPy 2


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def written(doc: Document, folder: Path, params: CocoParams | None = None) -> dict[str, Any]:
    run_export(doc, None, "coco", folder / "x.json", params)
    return json.loads((folder / "x.json").read_text())


@settings(max_examples=100)
@given(
    documents(),
    st.builds(
        CocoParams,
        masks=st.booleans(),
        encoding=st.sampled_from(("compressed", "numbers", "polygons")),
        only_verified=st.booleans(),
        clip=st.booleans(),
        images=st.sampled_from(("all", "labelled")),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: CocoParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "x.json")
        report = run_export(doc, None, "coco", out, params)
        found = get("coco").read(out)
        kept = get("coco").keep(doc, params)
        assert report.verified
        assert not differences(kept, found)
        counts = report.preflight.counts
        notes = json.loads(out.read_text())["annotations"]
        assert counts["boxes"] == len(notes)
        assert counts["masks"] == sum(bool(note["segmentation"]) for note in notes)
        # What reads back is a document that loses nothing more.
        assert not differences(found, get("coco").keep(found, CocoParams()))


def test_nothing_but_named_losses_is_lost(tmp_path: Path) -> None:
    doc = small()
    written(doc, tmp_path)
    found = get("coco").read(tmp_path / "x.json")
    expected = {
        key: {
            frame: (obs.state, obs.source, obs.verified, obs.keyframe, obs.mask, obs.score)
            for frame, obs in track.frames.items()
        }
        for key, track in doc.tracks.items()
    }
    assert expected == {
        key: {
            frame: (obs.state, obs.source, obs.verified, obs.keyframe, obs.mask, obs.score)
            for frame, obs in track.frames.items()
        }
        for key, track in found.tracks.items()
    }
    assert found.labels == doc.labels
    assert found.tracks[3].colour == "#123456"
    assert found.tracks[3].frames[0].box == Box(1.235, 2, 3, 4)
    assert found.video is not None
    assert (found.video.fps, found.video.fingerprint) == (29.97, "abc")


def test_absent_frames_carry_no_annotation(tmp_path: Path) -> None:
    doc = small()
    odd = Observation(Box(1.0, 1.0, 5.0, 5.0), mask=ring(10, 20, 2, 2, 5), state=State.OUT_OF_VIEW)
    doc.tracks[3].frames[5] = odd
    file = written(doc, tmp_path)
    frame_of = {image["id"]: image["frame_id"] for image in file["images"]}
    frames = sorted(frame_of[note["image_id"]] for note in file["annotations"] if note["track_id"] == 3)
    assert frames == [0, 1, 2]
    assert any("Absent frames that carry a box" in text for text in plan(doc, "coco").losses)
    runs = next(track for track in file["tracks"] if track["id"] == 3)["absent"]
    assert [(run["first"], run["last"], run["state"]) for run in runs] == [
        (3, 3, "lost"),
        (4, 4, "out_of_view"),
        (5, 5, "out_of_view"),  # not verified, so a run of its own
    ]


def test_fields_of_an_annotation(tmp_path: Path) -> None:
    file = written(small(), tmp_path)
    assert [image["file_name"] for image in file["images"][:2]] == ["clip_one/00000000.jpg", "clip_one/00000001.jpg"]
    assert [(image["frame_id"], image["video_id"]) for image in file["images"]] == [(n, 1) for n in range(6)]
    assert file["videos"][0]["length"] == 6
    note = file["annotations"][1]
    assert note["bbox"] == [2.5, 2.0, 6.25, 5.0]
    assert note["area"] == 16  # the ring's pixels, not the box
    assert note["iscrowd"] == 0
    assert note["track_id"] == 3
    assert note["attributes"] == {
        "track_id": 3,
        "source": "tracker",
        "state": "visible",
        "occluded": False,
        "verified": False,
        "keyframe": False,
        "score": 0.75,
    }
    assert note["segmentation"]["size"] == [10, 20]
    assert min(note["id"] for note in file["annotations"]) == 1


def test_preflight_counts() -> None:
    assert plan(small(), "coco").counts == {
        "frames": 6,
        "tracks": 2,
        "boxes": 4,
        "masks": 1,
        "absent": 2,
        "occluded": 1,
        "unverified": 2,
        "ignored": 0,
    }


def test_options_choose_and_say_so(tmp_path: Path) -> None:
    doc = small()
    file = written(doc, tmp_path, CocoParams(tracks=(3,), only_verified=True, masks=False, images="labelled"))
    assert [(note["track_id"], note["image_id"]) for note in file["annotations"]] == [(3, 1)]
    assert [image["frame_id"] for image in file["images"]] == [0, 4]
    losses = "\n".join(plan(doc, "coco", CocoParams(tracks=(3,), only_verified=True, images="labelled")).losses)
    assert "tracks that were not chosen, not written: 1" in losses
    assert "nobody has verified, not written: 3" in losses
    assert "Frames without any label, not listed as images: 4" in losses
    clipped = written(doc, tmp_path, CocoParams(clip=True))
    assert [note["bbox"] for note in clipped["annotations"] if note["track_id"] == 7] == [[0, 0, 4, 4]]


def test_odd_entries_are_put_right_or_left_out_and_named() -> None:
    doc = small()
    assert doc.video is not None
    wrong = Mask.encode(np.ones((3, 3), bool))
    empty = Mask.encode(np.zeros((10, 20), bool))
    doc.tracks[7].frames = {
        0: Observation(mask=ring(10, 20, 2, 2, 5)),
        1: Observation(Box(3.0, 3.0, 0.0, 5.0)),
        2: Observation(Box(100.0, 3.0, 2.0, 5.0)),
        3: Observation(Box(3.0, 3.0, 2.0, 5.0), mask=wrong),
        4: Observation(Box(3.0, 3.0, 2.0, 5.0), mask=empty),
        5: Observation(),
        6: Observation(Box(3.0, 3.0, 2.0, 5.0)),
    }
    kept = get("coco").keep(doc, CocoParams(tracks=(7,))).tracks[7].frames
    assert list(kept) == [0, 3, 4]
    assert kept[0].box == Box(2, 2, 5, 5)
    assert kept[3].mask is None
    assert kept[4].mask is None
    losses = "\n".join(plan(doc, "coco", CocoParams(tracks=(7,))).losses)
    for words in (
        "Masks without a box, written with the mask's box: 1.",
        "Boxes without area, replaced by the mask's box or not written: 1.",
        "Boxes wholly outside the picture, replaced by the mask's box or not written: 1.",
        "Masks of another size than the video, not written: 1.",
        "Masks without pixels, not written: 1.",
        "without a usable box or mask, not written: 1.",
        "beyond the last frame of the video, not written: 1.",
    ):
        assert words in losses


@REFERENCE_WARNS
@pytest.mark.parametrize("kind", ["coco", "coco_vid"])
def test_polygons_filled_by_the_reference_are_the_masks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Three parts, one of them with a hole, one touching it at a corner; and an ignored region, as run lengths."""
    doc = small()
    bits = ring(10, 20, 2, 2, 5).decode()
    bits[7, 7] = bits[1, 15] = True
    doc.tracks[3].frames[1] = Observation(Box(2, 2, 5, 5), mask=Mask.encode(bits))
    doc.tracks[7].ignored = True
    doc.tracks[7].frames[2] = Observation(Box(2, 2, 5, 5), mask=ring(10, 20, 2, 2, 5))
    out = tmp_path / "x.json"
    report = run_export(doc, None, kind, out, get(kind).params(encoding="polygons"))
    assert any(text.startswith("Masks written as polygons along pixel borders: 1.") for text in report.preflight.losses)
    truth = reference.COCO(str(out))
    there = {note["id"]: note for note in truth.anns.values() if note["segmentation"]}
    object_, region = there.values()
    assert object_["segmentation"][0] == [15, 1, 16, 1, 16, 2, 15, 2]
    assert [len(part) for part in object_["segmentation"]] == [8, 20, 8]
    assert region["segmentation"]["size"] == [10, 20]
    assert np.array_equal(truth.annToMask(object_).astype(bool), bits)
    assert np.array_equal(truth.annToMask(region).astype(bool), ring(10, 20, 2, 2, 5).decode())
    assert get(kind).read(out).tracks[3].frames[1].mask == Mask.encode(bits)
    capsys.readouterr()


@REFERENCE_WARNS
@pytest.mark.parametrize(("kind", "encoding"), [("bbox", "compressed"), ("segm", "compressed"), ("segm", "polygons")])
def test_reference_evaluates_it_with_full_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, encoding: Encoding
) -> None:
    doc = small()
    assert doc.video is not None
    for track in doc.tracks.values():  # a mask on every box, so that both kinds can be judged
        for frame, obs in list(track.frames.items()):
            if obs.present:
                mask = ring(10, 20, 2 + track.id, 2, 5)
                track.frames[frame] = Observation(mask.box, mask=mask, source=Source.MANUAL)
    run_export(doc, None, "coco", tmp_path / "x.json", CocoParams(encoding=encoding))
    truth = reference.COCO(str(tmp_path / "x.json"))
    assert len(truth.getAnnIds()) == 4
    assert truth.loadCats(1)[0]["name"] == "car"
    results = [
        {
            "image_id": note["image_id"],
            "category_id": note["category_id"],
            "score": 0.9,
            **({"bbox": note["bbox"]} if kind == "bbox" else {"segmentation": truth.annToRLE(note)}),
        }
        for note in truth.loadAnns(truth.getAnnIds())
    ]
    judge = COCOeval(truth, truth.loadRes(results), kind)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1.0)
    assert np.array_equal(truth.annToMask(truth.loadAnns(2)[0]).astype(bool), ring(10, 20, 5, 2, 5).decode())
    capsys.readouterr()


def test_no_tracks_is_a_list_of_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doc = small()
    doc.tracks.clear()
    run_export(doc, None, "coco", tmp_path / "x.json")
    assert len(reference.COCO(str(tmp_path / "x.json")).getImgIds()) == 6
    found = get("coco").read(tmp_path / "x.json")
    assert found.tracks == {}
    capsys.readouterr()


def test_plain_coco_without_track_fields(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    path.write_text(
        json.dumps(
            {
                "images": [
                    {"id": 5, "width": 8, "height": 6, "file_name": "a.jpg"},
                    {"id": 2, "width": 8, "height": 6, "file_name": "b.jpg"},
                ],
                "categories": [{"id": 9, "name": "cat"}],
                "annotations": [
                    {"id": 1, "image_id": 5, "category_id": 9, "bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0,
                     "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]},
                    {"id": 2, "image_id": 2, "category_id": 9, "bbox": [0, 0, 8, 6], "area": 3, "iscrowd": 1,
                     "segmentation": {"size": [6, 8], "counts": [1, 2, 45]}},
                ],
            }
        )
    )  # fmt: skip
    doc = get("coco").read(path)
    assert doc.video is not None
    assert (doc.video.frames, doc.video.width, doc.video.height) == (2, 8, 6)
    assert [list(track.frames) for track in doc.tracks.values()] == [[0], [1]]
    square = doc.tracks[1].frames[0].mask
    assert square is not None
    assert square.area == 16
    runs = doc.tracks[2].frames[1].mask
    assert runs is not None
    assert [tuple(map(int, at)) for at in np.argwhere(runs.decode())] == [(1, 0), (2, 0)]
    assert {obs.source for track in doc.tracks.values() for obs in track.frames.values()} == {Source.IMPORTED}


def test_attributes_as_cvat_writes_them(tmp_path: Path) -> None:
    file = {
        "images": [{"id": n, "width": 8, "height": 6, "frame_id": n - 1} for n in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 2, 2],
             "attributes": {"track_id": 0, "occluded": n == 1, "outside": n == 2, "rotation": 0.0}}
            for n in (1, 2)
        ],
    }  # fmt: skip
    (tmp_path / "cvat.json").write_text(json.dumps(file))
    frames = get("coco").read(tmp_path / "cvat.json").tracks[1].frames
    assert frames[0].state is State.OCCLUDED
    assert frames[1] == Observation(source=Source.IMPORTED, state=State.OUT_OF_VIEW)


def test_pictures_of_a_folder_keep_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for number in (2, 10, 1, 33, 4, 5):
        cv2.imwrite(str(folder / f"shot{number}.png"), np.zeros((10, 20, 3), np.uint8))
    run_export(small(), folder, "coco", tmp_path / "x.json", open_frames=open_media)
    images = json.loads((tmp_path / "x.json").read_text())["images"]
    assert [image["file_name"] for image in images] == [f"my pictures/shot{n}.png" for n in (1, 2, 4, 5, 10, 33)]


def test_long_tracks_yield_progress_and_stay_in_order(tmp_path: Path) -> None:
    doc = small()
    assert doc.video is not None
    doc.video = type(doc.video)("v.mp4", "", 2000, 20, 10, 25.0)
    doc.tracks = {1: Track(1, "car", "#112233", frames={n: Observation(Box(1.0, 1.0, 2.0, 2.0)) for n in range(2000)})}
    seen: list[float] = []
    run_export(doc, None, "coco", tmp_path / "x.json", progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 8
    assert seen[-1] == 1.0


def test_ignored_regions_are_crowds_and_attributes_lie_flat_as_in_cvat(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[7].ignored = True
    doc.tracks[3].frames[0] = Observation(Box(1, 2, 3, 4), cover=5, attributes={"pose": "up", "state": "reserved"})
    file = written(doc, tmp_path)
    assert [note["iscrowd"] for note in file["annotations"]] == [0, 0, 0, 1]
    assert file["annotations"][0]["attributes"]["pose"] == "up"
    found = get("coco").read(tmp_path / "x.json")
    assert [track.ignored for track in found.tracks.values()] == [False, True]
    assert (found.tracks[3].frames[0].cover, found.tracks[3].frames[0].attributes) == (5, {"pose": "up"})
    losses = "\n".join(plan(doc, "coco").losses)
    assert "Attributes of frames with a name that COCO files reserve, not written: 1." in losses
