"""YOLO: the folder by eye, round trips up to the stated losses, folders from elsewhere, pictures, and bad input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError
from app.formats.base import plan, run_export
from app.formats.compare import differences
from app.formats.yolo import YOLO, YoloParams
from app.model.document import Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def folder_of(
    root: Path, rows: Mapping[str, str | bytes], yaml: str | bytes = "names: [car, dog]\n", sized: bool = True
) -> Path:
    for name, text in {"data.yaml": yaml, **{f"labels/{name}.txt": text for name, text in rows.items()}}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if sized:
        (root / "images").mkdir(exist_ok=True)
        cv2.imwrite(str(root / "images" / "frame_3.png"), np.zeros((10, 20, 3), np.uint8))
    return root


@settings(max_examples=120)
@given(
    documents(),
    st.builds(
        YoloParams,
        task=st.sampled_from(("detect", "segment")),
        frames=st.sampled_from(("labelled", "all")),
        only_verified=st.booleans(),
        clip=st.booleans(),
    ),
)
def test_random_documents_come_back_up_to_the_stated_losses(doc: Document, params: YoloParams) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, "yolo", params).counts["boxes"]:
            with pytest.raises(FormatError, match="no box to write"):
                run_export(doc, None, "yolo", out, params)
            return
        report = run_export(doc, None, "yolo", out, params)
        found = YOLO.read(out)
        assert report.verified
        assert YOLO.recognises(out)
        assert YOLO.may_replace(out) == ""
        kept = YOLO.keep(doc, params)
        assert not differences(kept, found)
        assert report.preflight.counts["boxes"] == len(found.tracks)
        again = YoloParams(task=params.task, clip=False)
        assert not differences(found, YOLO.keep(found, again))


def test_the_folder_by_eye(tmp_path: Path) -> None:
    doc = small()
    doc.labels[0] = Label("1e3: #car", "#ff0000")
    doc.tracks[3].label = "1e3: #car"
    out = tmp_path / "set"
    report = run_export(doc, None, "yolo", out)
    assert (out / "data.yaml").read_text() == (
        "path: .\ntrain: images/train\nval: images/train\nnames:\n  0: '1e3: #car'\n  1: person\n  2: unused\n"
    )
    rows = {path.name: path.read_text() for path in (out / "labels" / "train").iterdir()}
    assert rows == {
        "clip_one_000000.txt": "0 0.136728 0.4 0.15 0.4\n",
        "clip_one_000001.txt": "0 0.28125 0.45 0.3125 0.5\n",
        "clip_one_000002.txt": "0 0.35 0.45 0.3 0.5\n1 0.1 0.2 0.2 0.4\n",
        "clip_one_000003.txt": "",
        "clip_one_000004.txt": "",
    }
    assert "Boxes, each a track of its own on reading, for YOLO knows no track numbers: 4." in report.preflight.losses
    assert "Frames without any label, not written: 1." in report.preflight.losses
    assert [track.label for track in YOLO.read(out).tracks.values()] == ["1e3: #car"] * 3 + ["person"]


def test_outlines_and_boxes_among_them(tmp_path: Path) -> None:
    """A hole is reached by a bridge, and a mask that is a plain rectangle has a fifth corner."""
    doc, out = small(), tmp_path / "set"
    solid = np.zeros((10, 20), bool)
    solid[2:7, 2:7] = True
    doc.tracks[3].frames[0] = Observation(mask=Mask.encode(solid))
    report = run_export(doc, None, "yolo", out, YoloParams(task="segment", tracks=(3,)))
    row = (out / "labels/train/clip_one_000000.txt").read_text()
    assert row == "0 0.1 0.2 0.225 0.2 0.35 0.2 0.35 0.7 0.1 0.7\n"
    row = (out / "labels/train/clip_one_000001.txt").read_text()
    assert row == "0 0.1 0.2 0.15 0.3 0.15 0.6 0.3 0.6 0.3 0.3 0.15 0.3 0.1 0.2 0.35 0.2 0.35 0.7 0.1 0.7\n"
    assert any(text.startswith("Masks with holes or several parts") for text in report.preflight.losses)
    found = YOLO.read(out)
    assert [track.frames for track in found.tracks.values()] == [
        {0: Observation(Box(2, 2, 5, 5), Mask.encode(solid), Source.IMPORTED)},
        {1: Observation(Box(2, 2, 5, 5), ring(10, 20, 2, 2, 5), Source.IMPORTED)},
        {2: Observation(Box(4, 2, 6, 5), source=Source.IMPORTED)},
    ]


def test_polygons_drawn_by_opencv_are_the_masks_but_for_borders(tmp_path: Path) -> None:
    """Ultralytics draws the polygon of a row with cv2.fillPoly, which fills by crossings and draws the border, too."""
    bits = np.zeros((300, 400), np.uint8)
    for x, y, radius, value in ((120, 150, 100, 1), (130, 140, 50, 0), (330, 60, 40, 1), (120, 140, 15, 1)):
        cv2.circle(bits, (x, y), radius, value, -1)
    doc = Document(VideoRef("c", "", 1, 400, 300, 25.0), [Label("car", "#ff0000")])
    doc.tracks[1] = Track(1, "car", "#ff0000", frames={0: Observation(mask=Mask.encode(bits > 0))})
    run_export(doc, None, "yolo", tmp_path / "set", YoloParams(task="segment"))
    (row,) = (tmp_path / "set/labels/train/c_000000.txt").read_text().splitlines()
    points = np.array(row.split()[1:], float).reshape(-1, 2) * (400, 300)
    drawn = cv2.fillPoly(np.zeros_like(bits), [np.round(points).astype(np.int32)], [1])
    assert (drawn >= bits).all()
    near = cv2.dilate(bits, np.ones((3, 3), np.uint8))
    bridges = int((drawn > near).sum())
    assert 0 < bridges < 200  # from part to part, and to the hole: lines of a pixel


@dataclass
class Shown:
    index: int
    image: np.ndarray


class Film:
    """Six pictures of 20 x 10, as a reader of an image folder gives them."""

    files = tuple(Path(f"img {n}.jpg") if n == 9 else Path(f"img{n}.jpg") for n in range(1, 7))

    def iter(self, start: int, stop: int, step: int = 1) -> Iterator[Shown]:
        for index in range(start, stop, step):
            yield Shown(index, np.full((10, 20, 3), index, np.uint8))


def test_pictures_of_the_labelled_frames_keep_their_names(tmp_path: Path) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    out = tmp_path / "set"
    report = run_export(
        small(), shots, "yolo", out, YoloParams(with_frames=True), open_frames=lambda _: contextlib.nullcontext(Film())
    )
    names = [f"img{n}" for n in range(1, 6)]
    assert sorted(path.stem for path in (out / "images/train").iterdir()) == names
    assert sorted(path.stem for path in (out / "labels/train").iterdir()) == names
    assert report.pictures == 5
    assert [next(iter(track.frames)) for track in YOLO.read(out).tracks.values()] == [0, 1, 2, 2]


def test_folders_from_elsewhere(tmp_path: Path) -> None:
    rows = {"frame_3": "0 0.5 0.5 0.2 0.4 7\n\n1 0.5 0.5 0.2 0.4 0.25\n", "frame_11": "0 0.5 0.5 0.2 0.4 7\n"}
    root = folder_of(tmp_path, rows, "# a comment\nnc: 2\nnames:\n  0: car\n  1: 2\n")
    doc = YOLO.read(root / "data.yaml")
    assert YOLO.recognises(root / "data.yaml")
    assert doc.video == VideoRef(root.name, "", 12, 20, 10, 0.0)
    assert [label.name for label in doc.labels] == ["car", "2"]
    assert doc.tracks[7].frames.keys() == {3, 11}
    assert doc.tracks[7].frames[3].box == pytest.approx(Box(8, 3, 4, 4))
    assert doc.tracks[8].frames[3].score == 0.25


def test_places_among_the_pictures_count_where_there_are_all(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"frame_10": "0 0.5 0.5 0.2 0.4\n"})
    cv2.imwrite(str(root / "images" / "frame_10.png"), np.zeros((10, 20, 3), np.uint8))
    assert YOLO.read(root).tracks[1].frames.keys() == {1}  # frame_3 comes before frame_10


def test_a_folder_without_names_calls_classes_by_number(tmp_path: Path) -> None:
    root = folder_of(tmp_path, {"a": "2 0.5 0.5 0.2 0.4\n", "b": ""})
    (root / "data.yaml").unlink()
    doc = YOLO.read(root)
    assert [label.name for label in doc.labels] == ["class 0", "class 1", "class 2"]
    assert doc.tracks[1].frames.keys() == {0}
    (root / "classes.txt").write_text("x\ny\nz\n")
    assert [label.name for label in YOLO.read(root).labels] == ["x", "y", "z"]


def test_an_occluded_object_is_said_to_lose_that() -> None:
    doc = small()
    assert doc.tracks[3].frames[2].state is State.OCCLUDED
    assert "Frames where the object is occluded, written as visible: 1." in plan(doc, "yolo").losses


def test_only_an_export_makes_way(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "set", {"a1": ""})
    assert "is no export of SiamLabel" in YOLO.may_replace(root)
    out = tmp_path / "ours"
    run_export(small(), None, "yolo", out)
    run_export(small(), None, "yolo", out)
    (out / "labels/train/notes.md").write_text("mine")
    assert "'labels/train/notes.md', which is no part" in YOLO.may_replace(out)


BOMB = "a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nnames: {0: car}\n"
BAD: dict[str, tuple[dict[str, str | bytes], str | bytes, str]] = {
    "class": ({"a1": "car 0.5 0.5 0.1 0.1\n"}, "names: []", r"a1\.txt, line 1: 'car' is no number of a class"),
    "huge class": ({"a1": "999999 0.5 0.5 0.1 0.1\n"}, "names: []", r"'999999' is no number of a class"),
    "text": ({"a1": "\n0 0.5 x 0.1 0.1\n"}, "names: []", r"a1\.txt, line 2: a row is made of numbers"),
    "short": ({"a1": "0 0.5 0.1\n"}, "names: []", r"line 1: a row has 5, 7, 9, \.\.\. numbers, not 3"),
    "pixels": ({"a1": "0 50 50 10 10\n"}, "names: []", r"coordinates are shares of the picture"),
    "nan": ({"a1": "0 0.5 nan 0.1 0.1\n"}, "names: []", r"coordinates are shares of the picture"),
    "infinite": ({"a1": "0 0.5 1e999 0.1 0.1\n"}, "names: []", r"coordinates are shares of the picture"),
    "negative": ({"a1": "0 0.5 0.5 -0.1 0.1\n"}, "names: []", r"width and height must not be negative"),
    "confidence": ({"a1": "0 0.5 0.5 0.1 0.1 7.5\n"}, "names: []", r"'7.5' is neither the number of a track"),
    "track twice": ({"a1": "0 0.5 0.5 0.1 0.1 3\n" * 2}, "names: []", r"line 2: track 3 is there twice"),
    "track changes": (
        {"a1": "0 0.5 0.5 0.1 0.1 3\n", "a2": "1 0.5 0.5 0.1 0.1 3\n"},
        "names: []",
        r"a2\.txt, line 1: track 3 is there twice, or of another class",
    ),
    "bytes": ({"a1": b"\xff\xfe\x00"}, "names: []", r"a1\.txt.*not UTF-8"),
    "clips": ({"a1": "", "b1": ""}, "names: []", r"of 2 clips, by the beginnings of their names: 'a', 'b'"),
    "two files": ({"a1": "", "sub/labels/a01": ""}, "names: []", r"two files are about the same frame"),
    "no YAML": ({"a1": ""}, "names: [", r"data\.yaml: this is no YAML that can be read"),
    "YAML object": ({"a1": ""}, "names: !!python/object:os.system {}", r"data\.yaml: this is no YAML"),
    "deep YAML": ({"a1": ""}, "names: " + "[" * 5_000, r"data\.yaml: this is no YAML"),
    "bomb": ({"a1": ""}, BOMB, r"data\.yaml: this is no YAML that can be read \(aliases"),
    "no names": ({"a1": ""}, "names: car", r"data\.yaml, names: names is no list of class names"),
    "nested names": ({"a1": ""}, "names: [[a]]", r"data\.yaml, names: a name is no text"),
    "huge YAML": ({"a1": ""}, b"#" * (1 << 21), r"data\.yaml: it is too large"),
    "names twice": ({"a1": ""}, "names: [a, a]", r"the name 'a' is used twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_folder_is_refused_with_place_and_remedy(tmp_path: Path, name: str) -> None:
    rows, yaml, words = BAD[name]
    root = folder_of(tmp_path / "set", rows, yaml)
    with pytest.raises(FormatError, match=words) as caught:
        YOLO.read(root)
    assert str(root) in str(caught.value)
    assert str(caught.value).count(". ") >= 1


NOTES = {
    "no note": (b"{", "no valid JSON"),
    "other size": (
        b'{"video":{"name":"a","frames":2,"width":0,"height":9},"colours":[],"frames":[],"files":[]}',
        "0 x 9",
    ),
    "beyond": (
        b'{"video":{"name":"a","frames":2,"width":9,"height":9},"colours":[],"frames":[2],"files":["a"]}',
        "frames beyond the 2",
    ),
    "uneven": (
        b'{"video":{"name":"a","frames":2,"width":9,"height":9},"colours":[],"frames":[1],"files":[]}',
        "do not match",
    ),
    "unknown file": (
        b'{"video":{"name":"a","frames":2,"width":9,"height":9},"colours":[],"frames":[1],"files":["b"]}',
        r"does not know the file a1\.txt",
    ),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_bad_note_is_refused(tmp_path: Path, name: str) -> None:
    note, words = NOTES[name]
    root = folder_of(tmp_path / "set", {"a1": ""})
    (root / "siamlabel.json").write_bytes(note)
    with pytest.raises(FormatError, match=words) as caught:
        YOLO.read(root)
    assert "siamlabel.json" in str(caught.value)


def test_what_is_missing_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        YOLO.read(tmp_path / "nowhere")
    with pytest.raises(FormatError, match="no label files"):
        YOLO.read(tmp_path)
    with pytest.raises(FormatError, match="Put the pictures into images/"):
        YOLO.read(folder_of(tmp_path / "set", {"a1": ""}, sized=False))
    assert not YOLO.recognises(tmp_path / "nowhere")
    assert not YOLO.recognises(tmp_path)


def test_a_box_pictures_wide_is_clipped_so_that_it_can_be_read_again(tmp_path: Path) -> None:
    doc = small()
    doc.tracks[7].frames[2] = Observation(Box(-90.0, 1.0, 400.0, 5.0))
    report = run_export(doc, None, "yolo", tmp_path / "set", YoloParams(clip=False, tracks=(7,)))
    assert "Boxes that reach several pictures outside, clipped to the picture: 1." in report.preflight.losses
    assert YOLO.read(tmp_path / "set").tracks[1].frames[2].box == Box(0, 1, 20, 5)
