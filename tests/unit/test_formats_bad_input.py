"""Malformed files: an error that names file, place and remedy; never a crash, a hang or a half-read document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from format_documents import small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError, get, run_export
from app.formats.rle import vot_mask
from app.formats.vot import VotParams

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``x.json`` and the VOT data set ``set``, both sound."""
    folder = tmp_path_factory.mktemp("good")
    run_export(small(), None, "coco", folder / "x.json")
    run_export(small(), None, "vot", folder / "set", VotParams(region="mask"))
    return folder


def note(file: dict[str, Any], at: int = 1) -> dict[str, Any]:
    return file["annotations"][at]


COCO: dict[str, tuple[Change, str]] = {
    "short box": (lambda f: note(f).update(bbox=[1, 2, 3]), r"annotations, id 2, bbox.*four finite numbers"),
    "negative size": (lambda f: note(f).update(bbox=[1, 2, -3, 4]), r"annotations, id 2, bbox.*must not be negative"),
    "infinite box": (lambda f: note(f).update(bbox=["1e999", 2, 3, 4]), r"bbox\[0\]: Number out of range"),
    "sum overflows": (lambda f: note(f).update(bbox=[1.7e308, 1.7e308, 3, 4]), r"annotations, id 2.*not finite"),
    "same annotation id": (lambda f: note(f).update(id=1), r"annotations, id 1.*used twice"),
    "same image id": (lambda f: f["images"][1].update(id=1), r"images, id 1.*used twice"),
    "same frame": (lambda f: f["images"][1].update(frame_id=0), r"images, id 2.*frame 0 is there twice"),
    "same track and frame": (lambda f: note(f).update(image_id=1), r"annotations, id 2.*two entries for frame 0"),
    "some frame ids": (lambda f: f["images"][1].pop("frame_id"), r"some images have a frame_id"),
    "huge frame": (lambda f: f["images"][1].update(frame_id=10**12), r"frame number 1000000000000 is impossible"),
    "huge length": (lambda f: f["videos"][0].update(length=10**15), r"length 1000000000000000"),
    "no such image": (lambda f: note(f).update(image_id=77), r"annotations, id 2.*no image 77"),
    "no such category": (lambda f: note(f, 3).update(category_id=77), r"track 7.*no category 77"),
    "two categories": (lambda f: note(f).update(category_id=2), r"track 3.*both 'car' and 'person'"),
    "category twice": (lambda f: f["categories"][1].update(name="car"), r"categories, id 2.*'car' is used twice"),
    "wrong mask size": (lambda f: note(f)["segmentation"].update(size=[20, 10]), r"segmentation.*not the picture's"),
    "mask overflows": (lambda f: note(f)["segmentation"].update(counts="zzzzzzzzz"), r"segmentation.*do not fill"),
    "mask runs over": (lambda f: note(f)["segmentation"].update(counts="oo7oo7"), r"segmentation.*do not fill"),
    "mask not ascii": (lambda f: note(f)["segmentation"].update(counts="é\u4e00"), r"segmentation.*do not fill"),
    "empty runs": (lambda f: note(f)["segmentation"].update(counts=""), r"segmentation.*do not fill"),
    "negative runs": (lambda f: note(f)["segmentation"].update(counts=[-5, 205]), r"segmentation.*do not fill"),
    "runs of text": (lambda f: note(f)["segmentation"].update(counts=["a"]), r"segmentation.*whole numbers"),
    "ragged runs": (lambda f: note(f)["segmentation"].update(counts=[[1], 2]), r"annotations, id 2, segmentation"),
    "huge runs": (lambda f: note(f)["segmentation"].update(counts=[10**30]), r"annotations, id 2, segmentation"),
    "far polygon": (lambda f: note(f).update(segmentation=[[0, 0, 1e9, 0, 0, 1e9]]), r"far outside the picture"),
    "short polygon": (lambda f: note(f).update(segmentation=[[0, 0, 1, 1]]), r"at least six"),
    "text polygon": (lambda f: note(f).update(segmentation=[["a"] * 6]), r"finite numbers"),
    "segmentation text": (lambda f: note(f).update(segmentation="x"), r"neither polygons nor run lengths"),
    "climbing name": (lambda f: f["images"][2].update(file_name="../../etc/passwd"), r"images, id 3.*leads out"),
    "absolute name": (lambda f: f["images"][2].update(file_name="/etc/passwd"), r"images, id 3.*leads out"),
    "windows name": (lambda f: f["images"][2].update(file_name="C:\\x.jpg"), r"images, id 3.*leads out"),
    "other size": (lambda f: f["images"][2].update(width=21), r"different sizes"),
    "no size": (lambda f: [i.update(width=0) for i in f["images"]], r"0 x 10 pixels is not supported"),
    "huge size": (lambda f: [i.update(width=10**9) for i in f["images"]], r"1000000000 x 10 pixels is not supported"),
    "second video": (lambda f: f["videos"].append({"id": 2}), r"holds 2 clips"),
    "unknown video": (lambda f: f["images"][0].update(video_id=5), r"images, id 1.*no video 5"),
    "run backwards": (lambda f: f["tracks"][0]["absent"][0].update(first=5), r"tracks, id 3.*5 to 3"),
    "run beyond": (lambda f: f["tracks"][0]["absent"][0].update(last=10**8), r"not frames of the video"),
    "run over box": (lambda f: f["tracks"][0]["absent"][0].update(first=1), r"frame 1 is there twice"),
    "present absent": (lambda f: f["tracks"][0]["absent"][0].update(state="visible"), r"no state of an absent"),
    "score text": (lambda f: note(f)["attributes"].update(score="high"), r"attributes\.score.*is a number"),
    "images missing": (lambda f: f.pop("images"), r"missing required field `images`"),
    "text for a number": (lambda f: note(f).update(category_id="car"), r"category_id.*Expected `int`, got `str`"),
}


@pytest.mark.parametrize("name", COCO)
def test_coco_names_the_entry_and_a_remedy(good: Path, tmp_path: Path, name: str) -> None:
    change, words = COCO[name]
    file = json.loads((good / "x.json").read_text())
    change(file)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(file))
    with pytest.raises(FormatError, match=words) as caught:
        get("coco").read(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") >= 1  # what is wrong, then what to do


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no valid JSON"),
        (b'{"images": [', "no valid JSON"),
        (b'{"images": [], "annotations": [{"bbox": [NaN]}]}', "no valid JSON"),
        (b'{"images": [], "annotations": [{"id":1,"image_id":1,"category_id":1,"bbox":[1e999]}]}', "out of range"),
        (b"\xff\xfe{}", "no valid JSON"),
        (b"[" * 100_000, "Expected `object`|no valid JSON"),
        (b'{"images": [], "x": ' + b"[" * 100_000, "no valid JSON"),
        (b"[]", "Expected `object`"),
    ],
)
def test_coco_that_is_no_json(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=words):
        get("coco").read(path)


@pytest.mark.parametrize("kind", ["coco", "vot"])
def test_a_missing_file_is_an_error_for_people(tmp_path: Path, kind: str) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        get(kind).read(tmp_path / "nowhere")


@settings(max_examples=150)
@given(st.data())
def test_a_mutated_coco_file_is_read_or_refused(good: Path, tmp_path: Path, data: st.DataObject) -> None:
    _mutate_and_read("coco", good / "x.json", tmp_path / "x.json", tmp_path / "x.json", data)


@settings(max_examples=150)
@given(st.data())
def test_a_mutated_vot_folder_is_read_or_refused(good: Path, tmp_path: Path, data: st.DataObject) -> None:
    copy = tmp_path / "set" / "clip_one"
    copy.mkdir(parents=True, exist_ok=True)
    files = sorted((good / "set" / "clip_one").iterdir())
    for file in files:
        (copy / file.name).write_bytes(file.read_bytes())
    chosen = data.draw(st.sampled_from(files))
    _mutate_and_read("vot", chosen, copy / chosen.name, copy, data)


def _mutate_and_read(kind: str, source: Path, copy: Path, opened: Path, data: st.DataObject) -> None:
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        stop = at + data.draw(st.integers(0, 6))
        content[at:stop] = data.draw(st.binary(max_size=4) | st.sampled_from((b"-", b"9999999", b"nan", b"..", b"e99")))
    copy.write_bytes(content)
    doc, refusal = None, ""
    try:
        doc = get(kind).read(opened)
    except FormatError as error:
        refusal = str(error)
    if doc is None:
        assert str(opened) in refusal
        return
    for track in doc.tracks.values():
        for obs in track.frames.values():
            assert obs.mask is None or obs.mask.decode().any() or kind == "coco"


VOT: dict[str, tuple[str, bytes, str]] = {
    "text": ("groundtruth_3.txt", b"1,2,3,4\nhello\n", r"groundtruth_3\.txt, line 2: 'hello' is no region"),
    "infinite": ("groundtruth_3.txt", b"1,inf,3,4\n", r"line 1: a region is made of finite numbers"),
    "negative": ("groundtruth_3.txt", b"1,2,-3,4\n", r"line 1: width and height must not be negative"),
    "three numbers": ("groundtruth_3.txt", b"1,2,3\n", r"line 1: a region has 1, 4, 6"),
    "too many lines": ("groundtruth_3.txt", b"0\n" * 7, r"length 6 is less than the 7 lines"),
    "mask outside": ("groundtruth_3.txt", b"m18,0,5,1,0,5\n", r"line 1: the mask's box.*does not lie"),
    "mask negative": ("groundtruth_3.txt", b"m-1,0,5,1,0,5\n", r"line 1: the mask's box.*does not lie"),
    "mask not filled": ("groundtruth_3.txt", b"m0,0,5,1,0,4\n", r"line 1: the run lengths do not fill"),
    "mask overfilled": ("groundtruth_3.txt", b"m0,0,5,1,0,99999999999\n", r"line 1: the run lengths do not fill"),
    "mask cut": ("groundtruth_3.txt", b"m0,0\n", r"line 1: a mask needs at least"),
    "mask text": ("groundtruth_3.txt", b"m0,0,a,1,5\n", r"line 1: a mask is 'm' and whole numbers"),
    "not text": ("groundtruth_3.txt", b"\xff\xfe\x00", r"groundtruth_3\.txt.*not UTF-8"),
    "tag": ("occlusion_3.tag", b"0\nyes\n", r"occlusion_3\.tag, line 2: 'yes' is neither 0 nor 1"),
    "long tag": ("occlusion_3.tag", b"0\n" * 9, r"occlusion_3\.tag, line 9.*only 6 frames"),
    "no key": ("sequence", b"width\n", r"sequence, line 1: 'width' is no 'key=value'"),
    "key twice": ("sequence", b"width=3\nwidth=4\n", r"sequence, line 2: 'width' is given twice"),
    "huge length": ("sequence", b"width=20\nheight=10\nlength=99999999999\n", r"sequence, length.*no sensible number"),
    "negative width": ("sequence", b"width=-20\nheight=10\n", r"sequence, width.*no sensible number"),
    "no width": ("sequence", b"width=0\nheight=10\n", r"0 x 10 pixels is not supported"),
    "huge picture": ("sequence", b"width=99999999\nheight=99999999\n", r"pixels is not supported"),
    "climbing truth": ("sequence", b"groundtruth=../../x.txt\n", r"sequence: the ground truth lies outside"),
    "climbing pictures": ("sequence", b"channels.color=/etc/%08d.jpg\n", r"channels\.color.*no picture name"),
    "format string": ("sequence", b"channels.color=%s%s%n\n", r"channels\.color.*no picture name"),
}


@pytest.mark.parametrize("name", VOT)
def test_vot_names_file_and_line_and_a_remedy(good: Path, tmp_path: Path, name: str) -> None:
    file, data, words = VOT[name]
    folder = tmp_path / "clip_one"
    folder.mkdir()
    for path in (good / "set" / "clip_one").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / file).write_bytes(data)
    with pytest.raises(FormatError, match=words) as caught:
        get("vot").read(folder)
    assert str(folder) in str(caught.value)
    assert str(caught.value).count(". ") >= 1


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ("../elsewhere\n", r"list\.txt, line 1: '\.\./elsewhere' is no plain folder name"),
        ("/etc\n", "no plain folder name"),
        ("a/b\n", "no plain folder name"),
        ("C:x\n", "no plain folder name"),
        (".\n", "no plain folder name"),
        ("clip_one\nclip_one\n", r"line 2: 'clip_one' is listed twice"),
        ("missing\n", "no such sequence folder"),
        ("\n\n", "lists no sequence"),
        ("clip_one\nother\n", "2 sequences of different videos"),
    ],
)
def test_a_list_leads_nowhere_else(good: Path, tmp_path: Path, listed: str, words: str) -> None:
    for name in ("clip_one", "other"):
        (tmp_path / name).mkdir()
        for path in (good / "set" / "clip_one").iterdir():
            text = path.read_text()
            (tmp_path / name / path.name).write_text(text.replace("video=clip_one", f"video={name}"))
    (tmp_path / "list.txt").write_text(listed)
    with pytest.raises(FormatError, match=words):
        get("vot").read(tmp_path)


def test_a_mask_without_a_picture_size_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "groundtruth.txt").write_text("m0,0,1,1,0,1\n")
    with pytest.raises(FormatError, match="Add width= and height= to 'sequence'"):
        get("vot").read(tmp_path)


@given(st.text(alphabet="m0123456789,-", max_size=30))
def test_any_mask_text_is_read_or_refused(text: str) -> None:
    try:
        mask = vot_mask("m" + text, 6, 8)
    except ValueError:
        return
    assert mask is None or mask.area
