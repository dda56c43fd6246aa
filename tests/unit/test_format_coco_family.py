"""The relatives of COCO: round trips, what their readers look for, and bad input."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from app.formats import FormatError, get, run_export
from app.formats.compare import differences
from app.formats.detect import detect
from app.model.document import Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source, Track

FAMILY = ("coco_vid", "tao", "youtube_vis")
REFERENCE_WARNS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:")  # with NumPy 2


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def written(doc: Document, folder: Path, kind: str) -> dict[str, Any]:
    run_export(doc, None, kind, folder / "x.json")
    return json.loads((folder / "x.json").read_text())


@settings(max_examples=60)
@given(documents(), st.sampled_from(FAMILY), st.booleans(), st.booleans(), st.sampled_from(["numbers", "compressed"]))
def test_random_documents_come_back_up_to_the_stated_losses(
    doc: Document, kind: str, masks: bool, clip: bool, encoding: str
) -> None:
    chosen = get(kind)
    params = chosen.params(masks=masks, clip=clip, encoding=encoding)
    with TemporaryDirectory() as folder:
        out = Path(folder, "x.json")
        assert run_export(doc, None, kind, out, params).verified
        assert detect(out) == kind
        found = chosen.read(out)
        assert not differences(chosen.keep(doc, params), found)
        assert not differences(found, chosen.keep(found, chosen.params()))


def test_coco_vid_and_tao_have_the_fields_of_their_readers(tmp_path: Path) -> None:
    vid = written(small(), tmp_path, "coco_vid")
    assert [(note["instance_id"], note["video_id"]) for note in vid["annotations"]] == [(3, 1)] * 3 + [(7, 1)]
    assert [image["frame_id"] for image in vid["images"]] == list(range(6))
    tao = written(small(), tmp_path, "tao")
    assert [image["frame_index"] for image in tao["images"]] == list(range(6))
    assert [(track["id"], track["video_id"]) for track in tao["tracks"]] == [(3, 1), (7, 1)]
    assert tao["videos"][0]["neg_category_ids"] == tao["videos"][0]["not_exhaustive_category_ids"] == []


def test_tao_keeps_ignored_regions_where_others_do_not_see_them(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[3].ignored = True
    file = written(doc, tmp_path, "tao")
    assert [note["track_id"] for note in file["annotations"]] == [7]
    assert [note["track_id"] for note in file["siamlabel_ignored"]] == [3, 3, 3]
    assert len({note["id"] for note in file["annotations"] + file["siamlabel_ignored"]}) == 4
    found = get("tao").read(tmp_path / "x.json").tracks
    assert (found[3].ignored, found[7].ignored) == (True, False)


@REFERENCE_WARNS
@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_the_reference_evaluates_every_frame_of_coco_vid_with_full_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Two objects of one class that cross, one that leaves, one of another class, and an ignored region over all."""
    doc = Document(VideoRef("/x/walk.mp4", "", 9, 40, 30, 25.0), [Label("man", "#ff0000"), Label("dog", "#00ff00")])
    for key, label in ((1, "man"), (2, "man"), (3, "dog"), (4, "dog")):
        track = doc.tracks[key] = Track(key, label, "#ff0000", ignored=key == 4)
        for frame in range(9 if key < 3 else 5):
            mask = ring(30, 40, 3 * frame if key % 2 else 24 - 3 * frame, 2 + 5 * key, 6 + key)
            track.frames[frame] = Observation(mask.box, mask)
    written(doc, tmp_path, "coco_vid")
    truth = COCO(str(tmp_path / "x.json"))
    assert truth.getImgIds() == list(range(1, 10))
    shown = {"bbox": "bbox", "segm": "segmentation"}[kind]
    results = [
        {"image_id": note["image_id"], "category_id": note["category_id"], "score": 0.9, shown: note[shown]}
        for note in truth.dataset["annotations"]
        if not note["iscrowd"]
    ]
    assert len(results) == 9 + 9 + 5
    for frames in (truth.getImgIds(), *([at] for at in truth.getImgIds())):  # the clip, then each frame alone
        judge = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), kind)
        judge.params.imgIds = frames
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
        assert judge.stats[0] == pytest.approx(1.0)
    capsys.readouterr()


def test_youtube_vis_writes_runs_as_the_published_files_have_them(tmp_path: Path) -> None:
    mask = {"size": [10, 20], "counts": [22, 5, 5, 1, 3, 1, 5, 1, 3, 1, 5, 1, 3, 1, 5, 5, 133]}
    assert written(small(), tmp_path, "youtube_vis")["annotations"][0]["segmentations"][1] == mask
    params = get("youtube_vis").params(encoding="compressed")
    run_export(small(), None, "youtube_vis", tmp_path / "x.json", params)
    (car, _) = json.loads((tmp_path / "x.json").read_text())["annotations"]
    assert car["segmentations"][1]["counts"] == ring(10, 20, 2, 2, 5).counts.decode()


def test_youtube_vis_has_an_entry_for_each_frame(tmp_path: Path) -> None:
    file = written(small(), tmp_path, "youtube_vis")
    car, person = file["annotations"]
    assert file["videos"][0]["file_names"][1] == "clip_one/00001.jpg"
    assert car["bboxes"] == [[1.235, 2, 3, 4], [2.5, 2, 6.25, 5], [4, 2, 6, 5], None, None, None]
    assert car["areas"] == [12, 16, 30, None, None, None] or car["areas"][1] == 16
    assert [one is not None for one in car["segmentations"]] == [False, True, False, False, False, False]
    assert len(person["bboxes"]) == 6


def plain_file() -> dict[str, Any]:
    return {
        "videos": [{"id": 5, "width": 3, "height": 2, "length": 2, "file_names": ["dog/0.jpg", "dog/5.jpg"]}],
        "categories": [{"id": 9, "name": "dog"}],
        "annotations": [
            {"id": 0, "video_id": 5, "category_id": 9, "iscrowd": 0, "bboxes": [None, [1, 0, 2, 2]],
             "segmentations": [None, {"size": [2, 3], "counts": [2, 3, 1]}]}
        ],
    }  # fmt: skip


def test_youtube_vis_of_others(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(plain_file()))
    doc = get("youtube_vis").read(path)
    (obs,) = doc.tracks[1].frames.values()
    assert (list(doc.tracks[1].frames), obs.box, obs.source) == ([1], Box(1, 0, 2, 2), Source.IMPORTED)
    assert obs.mask is not None
    assert obs.mask.decode().tolist() == [[False, True, True], [False, True, False]]
    assert doc.video is not None
    assert doc.video.path == "dog"


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("videos", 0, "length"), 3, "do not fit"),
        (("videos", 0, "length"), -1, "impossible"),
        (("videos", 0, "width"), 1 << 40, "not supported"),
        (("videos", 0, "file_names"), ["../a", "b"], "leads out"),
        (("videos",), [], "no clip"),
        (("annotations", 0, "bboxes"), [None], "do not fit"),
        (("annotations", 0, "bboxes", 1), [1, 0, -2, 2], "at least 0"),
        (("annotations", 0, "segmentations", 1), {"size": [2, 3], "counts": [2, 3]}, "do not fill"),
        (("annotations", 0, "segmentations", 1), {"size": [2, 3], "counts": "zz"}, "do not fill"),
        (("annotations", 0, "segmentations", 1), {"size": [9, 9], "counts": "1"}, "is not the picture's"),
        (("annotations", 0, "category_id"), 1, "no category"),
        (("annotations", 0, "video_id"), 1, "no video"),
        (("annotations", 0, "id"), "a", "Expected"),
    ],
)
def test_youtube_vis_names_the_entry(tmp_path: Path, place: tuple[Any, ...], value: Any, words: str) -> None:
    file = plain_file()
    inner: Any = file
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path = tmp_path / "x.json"
    path.write_text(json.dumps(file))
    with pytest.raises(FormatError, match=words):
        get("youtube_vis").read(path)
