"""BURST: round trips, a file as it is published, what evaluations take it for, and bad input."""

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

from app.formats import FormatError, get, plan, run_export
from app.formats.burst import DROPPED, BurstParams
from app.formats.compare import differences
from app.formats.detect import detect
from app.model.document import Document, Label, VideoRef
from app.model.geometry import Box
from app.model.tracks import Observation, Source, State, Track


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


@settings(max_examples=60)
@given(documents(), st.sampled_from(["all", "labelled"]), st.booleans())
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, images: Any, clip: bool) -> None:
    chosen, params = get("burst"), BurstParams(images=images, clip=clip)
    with TemporaryDirectory() as folder:
        out = Path(folder, "x.json")
        assert run_export(doc, None, "burst", out, params).verified
        assert detect(out) == "burst"
        found = chosen.read(out)
        assert not differences(chosen.keep(doc, params), found)
        assert not differences(found, chosen.keep(found, chosen.params()))


def test_the_fields_are_those_of_the_benchmark(tmp_path: Path) -> None:
    run_export(small(), None, "burst", tmp_path / "x.json")
    file = json.loads((tmp_path / "x.json").read_text())
    (sequence,) = file["sequences"]
    assert (file["split"], sequence["seq_name"], sequence["fps"]) == ("val", "clip_one", 30)
    assert (sequence["width"], sequence["height"]) == (20, 10)
    assert sequence["all_image_paths"] == [f"0000{frame}.jpg" for frame in range(6)]
    # one mask, and the car is known to be gone on frames 3 and 4
    assert sequence["annotated_image_paths"] == ["00001.jpg", "00003.jpg", "00004.jpg"]
    assert sequence["track_category_ids"] == {"3": 1, "7": 2}
    first, *others = sequence["segmentations"]
    assert others == [{}, {}]
    assert (first["3"]["is_gt"], first["3"]["score"], first["3"]["bbox"]) == (False, 0.75, [2.5, 2, 6.25, 5])
    assert first["3"]["rle"].encode() == ring(10, 20, 2, 2, 5).counts
    assert [one["name"] for one in file["categories"]] == ["car", "person", "unused"]


def test_what_others_do_not_see_is_said() -> None:
    doc = small()
    doc.tracks[7].ignored = True
    losses = " ".join(plan(doc, "burst").losses)
    assert "Boxes without a mask, for which BURST has no entry, written under siamlabel: 2." in losses
    assert "Ignored regions, which BURST has not, written under siamlabel: 1." in losses
    assert "take it for absent" not in losses
    assert "take it for absent: 3." in " ".join(plan(doc, "burst", BurstParams(images="all")).losses)


def test_ignored_regions_are_no_objects(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[3].ignored = True
    run_export(doc, None, "burst", tmp_path / "x.json")
    (sequence,) = json.loads((tmp_path / "x.json").read_text())["sequences"]
    assert sequence["segmentations"] == []
    assert list(sequence["track_category_ids"]) == ["7"]
    found = get("burst").read(tmp_path / "x.json").tracks[3]
    assert (found.ignored, found.frames[1].mask) == (True, doc.tracks[3].frames[1].mask)


def test_no_label_has_a_number_that_the_evaluation_drops(tmp_path: Path) -> None:
    doc = Document(VideoRef("x.mp4", "", 1, 4, 4, 25.0), [Label(f"label {at}", "#ff0000") for at in range(700)])
    for key in range(1, 701):
        doc.tracks[key] = Track(key, f"label {key - 1}", "#ff0000")
    run_export(doc, None, "burst", tmp_path / "x.json")
    file = json.loads((tmp_path / "x.json").read_text())
    numbers = [one["id"] for one in file["categories"]]
    assert len(set(numbers)) == 700
    assert not DROPPED.intersection(numbers)
    assert file["sequences"][0]["track_category_ids"]["700"] == numbers[-1]


def published() -> dict[str, Any]:
    """As the benchmark's own files are: 3 x 2 pixels, five pictures of which two are annotated, all of LVIS listed."""
    return {
        "sequences": [
            {
                "width": 3, "height": 2, "id": 12, "seq_name": "dog-3", "dataset": "LaSOT", "fps": 30,
                "all_image_paths": [f"{at:08d}.jpg" for at in range(1, 6)],
                "annotated_image_paths": ["00000002.jpg", "00000005.jpg"],
                "neg_category_ids": [7], "not_exhaustive_category_ids": [],
                "track_category_ids": {"1": 378, "2": 805},
                "segmentations": [
                    {"1": {"rle": "231", "is_gt": True, "score": 1.0}},
                    {"1": {"rle": "231", "is_gt": False, "score": 0.5}, "2": {"rle": "06", "bbox": [0, 0, 3, 1]}},
                ],
            }
        ],
        "categories": [
            {"id": 1, "name": "acorn", "synset": "acorn.n.01", "def": "a nut", "synonyms": ["acorn"]},
            {"id": 378, "name": "dog", "synset": "dog.n.01", "def": "a pet", "synonyms": ["dog", "hound"]},
            {"id": 805, "name": "person", "synset": "person.n.01", "def": "", "synonyms": []},
        ],
        "split": "val",
    }  # fmt: skip


def put(file: dict[str, Any], folder: Path) -> Path:
    path = folder / "x.json"
    path.write_text(json.dumps(file))
    return path


def test_a_published_file(tmp_path: Path) -> None:
    path = put(published(), tmp_path)
    assert detect(path) == "burst"
    doc = get("burst").read(path)
    assert doc.video == VideoRef("dog-3", "", 5, 3, 2, 30.0)
    assert [label.name for label in doc.labels] == ["dog", "person"]
    dog, person = doc.tracks[1], doc.tracks[2]
    assert list(dog.frames) == [1, 4]
    mask = dog.frames[1].mask
    assert mask is not None
    assert mask.decode().tolist() == [[False, True, True], [False, True, False]]
    assert (dog.frames[1].box, dog.frames[1].source, dog.frames[1].score) == (Box(1, 0, 2, 2), Source.IMPORTED, None)
    assert (dog.frames[4].source, dog.frames[4].score) == (Source.TRACKER, 0.5)
    assert (person.label, person.frames[4].box) == ("person", Box(0, 0, 3, 1))
    assert person.frames[4].mask is not None
    assert person.frames[4].mask.area == 6


def test_categories_may_come_first_and_be_long(tmp_path: Path) -> None:
    file = published()
    file["categories"] += [{"id": at, "name": f"thing {at}", "def": "x" * 200} for at in range(2000, 2500)]
    turned = {"categories": file["categories"], **file}
    assert detect(put(turned, tmp_path)) == "burst"


def test_results_may_leave_out_what_they_are_not_asked_for(tmp_path: Path) -> None:
    file = published()
    del file["categories"], file["split"]
    (sequence,) = file["sequences"]
    sequence["track_category_ids"] = {"0": 5, "1": 6}
    sequence["segmentations"] = [{"0": {"rle": "231", "score": 0.25}}, {"1": {"rle": "06"}}]
    doc = get("burst").read(put(file, tmp_path))
    assert {key: track.label for key, track in doc.tracks.items()} == {1: "category 5", 2: "category 6"}
    assert doc.tracks[1].frames[1].score == 0.25


def test_an_absent_object_stays_absent_and_an_unknown_one_unknown(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[7].frames[1] = Observation(Box(0, 0, 2, 2), ring(10, 20, 0, 0, 2))
    run_export(doc, None, "burst", tmp_path / "x.json")
    found = get("burst").read(tmp_path / "x.json")
    assert [found.tracks[3].frames[frame].state for frame in (3, 4)] == [State.LOST, State.OUT_OF_VIEW]
    assert 5 not in found.tracks[3].frames
    assert list(found.tracks[7].frames) == [1, 2]


LOST = {"first": 1, "last": 1, "says": {"state": "lost"}}
SEQUENCE = ("sequences", 0)
FIRST = (*SEQUENCE, "segmentations", 0, "1")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("sequences",), [], "no clip"),
        (("sequences",), [published()["sequences"][0]] * 2, r"2 clips.*dog-3 \(2\)"),
        ((*SEQUENCE, "width"), 1 << 40, "not supported"),
        ((*SEQUENCE, "height"), 0, "not supported"),
        ((*SEQUENCE, "height"), 3, "track 1, frame 1.*do not fill 3 x 3"),
        ((*SEQUENCE, "fps"), "fast", r"fps.*Expected `float`"),
        ((*SEQUENCE, "segmentations"), [], "0 entries do not fit 2"),
        ((*SEQUENCE, "segmentations"), [{"a": {}}, {}], "Expected `int`"),
        ((*SEQUENCE, "segmentations"), [{"9": {"rle": "231"}}, {}], "track 9, frame 1.*no category"),
        ((*SEQUENCE, "annotated_image_paths"), ["00000002.jpg", "x.jpg"], "'x.jpg' is not among"),
        ((*SEQUENCE, "annotated_image_paths"), ["00000002.jpg"] * 2, "annotated_image_paths.*there twice"),
        ((*SEQUENCE, "all_image_paths"), ["00000002.jpg", "00000005.jpg", "00000002.jpg"], "all_image_paths.*twice"),
        ((*SEQUENCE, "all_image_paths"), ["../00000002.jpg"], "leads out"),
        ((*SEQUENCE, "all_image_paths"), ["/etc/passwd"], "leads out"),
        ((*SEQUENCE, "track_category_ids"), {"1": 99, "2": 805}, "no category 99"),
        ((*SEQUENCE, "track_category_ids"), {"one": 1}, "Expected `int`"),
        ((*FIRST, "rle"), "zzzzzzzz", "track 1, frame 1.*do not fill 3 x 2"),
        ((*FIRST, "rle"), "é\u4e00", "do not fill"),
        ((*FIRST, "rle"), None, "neither a mask"),
        ((*FIRST, "rle"), 5, "Expected `str | null`"),
        ((*FIRST, "bbox"), [0, 0, -1, 2], "track 1, frame 1, bbox.*at least 0"),
        ((*FIRST, "bbox"), [0, 0, 1], "bbox"),
        ((*FIRST, "bbox"), [1.7e308, 1.7e308, 1, 1], "not finite"),
        ((*FIRST, "score"), "high", "score.*Expected `float"),
        (("categories", 0, "id"), 378, "id 378.*used twice"),
        (("categories", 0, "name"), "dog", "used twice"),
        ((*SEQUENCE, "siamlabel"), {"9": {}}, "track 9.*no such track"),
        ((*SEQUENCE, "siamlabel"), {"1": {"ignored": 378}}, "track 1.*used twice"),
        ((*SEQUENCE, "siamlabel"), {"1": {"absent": [LOST]}}, "there twice"),
        ((*SEQUENCE, "siamlabel"), {"1": {"hidden": {"1": {"bbox": [0, 0, 1, 1]}}}}, "there twice"),
        ((*SEQUENCE, "siamlabel"), {"1": {"hidden": {"77": {"bbox": [0, 0, 1, 1]}}}}, "no frame of the clip"),
        ((*SEQUENCE, "siamlabel"), {"1": {"frames": {"1": {"state": "lost"}}}}, "an absent object has no box"),
        (("siamlabel",), {"comments": [{"id": 1, "frame": 0, "text": ""}]}, "comments, id 1.*used twice"),
        (("siamlabel",), {"comments": [{"id": 9, "frame": 8, "text": ""}]}, "not there"),
    ],
)  # fmt: skip
def test_bad_input_names_the_entry(tmp_path: Path, place: tuple[Any, ...], value: Any, words: str) -> None:
    file = copy.deepcopy(published())
    inner: Any = file
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path = put(file, tmp_path)
    with pytest.raises(FormatError, match=words) as caught:
        get("burst").read(path)
    assert str(path) in str(caught.value)
