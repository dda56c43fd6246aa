"""YOLO folders as other tools write them, in small: what each means is read."""

from __future__ import annotations

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from app.formats import FormatError
from app.formats.detect import detect, read, read_about
from app.model.document import VideoRef
from app.model.geometry import Box


def yolo(root: Path, files: dict[str, str], data: str, name: str = "data.yaml") -> Path:
    for path, text in {**files, name: data}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".jpg"):
            cv2.imwrite(str(root / path), np.zeros((10, 20, 3), np.uint8))
        else:
            (root / path).write_text(text)
    return root


COCO8 = """# COCO8 dataset
# Train/val/test sets as 1) dir: path/to/imgs, 2) file: path/to/imgs.txt, or 3) list: [path/to/imgs1, ..]
path: ../datasets/coco8 # dataset root dir
train: images/train # train images (relative to 'path')
val: images/val
test: # test images (optional)

# Classes
names:
  0: person
  1: sports ball
download: https://example.org/coco8.zip
"""


def test_yolo_of_ultralytics_with_a_yaml_of_any_name(tmp_path: Path) -> None:
    files = {
        "labels/train/f_0001.txt": "1 0.5 0.5 0.2 0.4\n",
        "images/train/f_0001.jpg": "",
        "images/val/f_0002.jpg": "",
    }
    root = yolo(tmp_path, files, COCO8, "coco8.yaml")
    for place in (root, root / "coco8.yaml"):
        assert detect(place) == "yolo"
        doc = read(place)
        assert [label.name for label in doc.labels] == ["person", "sports ball"]
        assert (doc.tracks[1].label, doc.tracks[1].frames[0].box) == ("sports ball", pytest.approx(Box(8, 3, 4, 4)))
    (root / "hyp.yaml").write_text("lr0: 0.01\n")  # says nothing of classes
    assert detect(root) == "yolo"
    (root / "other.yml").write_text("names: [a, b]\n")
    assert [label.name for label in read(root / "other.yml").labels] == ["a", "b"]


def test_yolo_of_roboflow(tmp_path: Path) -> None:
    """Splits with pictures and labels in each, names in a list, and its own digits behind every name."""
    files = {
        f"{split}/{kind}/ball_mp4-{shot:04d}_jpg.rf.{shot:032d}.{end}": "0 0.5 0.5 0.2 0.4\n"
        for split, shot in (("train", 12), ("train", 3), ("valid", 7))
        for kind, end in (("images", "jpg"), ("labels", "txt"))
    }
    data = "train: ../train/images\nval: ../valid/images\n\nnc: 1\nnames: ['ball']\n\nroboflow:\n  version: 3\n"
    root = yolo(tmp_path, files, data)
    assert detect(root) == "yolo"
    doc = read(root)
    assert [(track.label, list(track.frames)) for track in doc.tracks.values()] == [
        ("ball", [0]),
        ("ball", [1]),
        ("ball", [2]),
    ]


def test_yolo_of_poses_gives_the_boxes(tmp_path: Path) -> None:
    """Three points of x, y and visibility behind a box; CVAT and others put a confidence behind them."""
    points = "0.4 0.4 2 0.5 0.5 1 0 0 0"
    files = {"labels/a1.txt": f"0 0.5 0.5 0.2 0.4 {points}\n0 0.5 0.5 0.2 0.4 {points} 0.75\n", "images/a1.jpg": ""}
    doc = read(yolo(tmp_path, files, "names: [person]\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n"))
    assert [(track.frames[0].box, track.frames[0].mask, track.frames[0].score) for track in doc.tracks.values()] == [
        (pytest.approx(Box(8, 3, 4, 4)), None, None),
        (pytest.approx(Box(8, 3, 4, 4)), None, 0.75),
    ]


def test_yolo_as_ultralytics_predicts_on_a_video(tmp_path: Path) -> None:
    """``yolo track save_txt save_conf``: rows with confidence and track, frames from 1, no pictures and no names."""
    rows = {1: "0 0.5 0.5 0.2 0.4 0.83 1\n", 3: "0 0.5 0.5 0.2 0.4 0.5 1\n2 0.25 0.5 0.1 1 9e-05 12\n", 10: ""}
    for frame, text in rows.items():
        (tmp_path / f"clip_{frame}.txt").write_text(text)
    assert detect(tmp_path) == "yolo"
    video = VideoRef("/videos/clip.mp4", "", 10, 20, 10, 25.0)
    doc = read_about(tmp_path, video)
    assert {track.id: (track.label, list(track.frames)) for track in doc.tracks.values()} == {
        1: ("class 0", [0, 2]),
        12: ("class 2", [2]),
    }
    assert doc.tracks[1].frames[0].box == pytest.approx(Box(8, 3, 4, 4))
    assert [obs.score for obs in doc.tracks[1].frames.values()] == [0.83, 0.5]
    with pytest.raises(FormatError, match="or say which video it is about"):
        read(tmp_path)
    with pytest.raises(FormatError, match="labels up to frame 9, but the video has 5 frames"):
        read_about(tmp_path, VideoRef("/videos/clip.mp4", "", 5, 20, 10, 25.0))
    (tmp_path / "clip_0.txt").write_text("")  # then another tool counts from 0
    assert list(read_about(tmp_path, msgspec.structs.replace(video, frames=11)).tracks[1].frames) == [1, 3]


def test_yolo_segments_with_confidence_and_track(tmp_path: Path) -> None:
    points = "0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.4"
    files = {"labels/a1.txt": f"0 {points} 0.75 3\n0 {points}\n0 {points} 0.5\n0 {points} 0.1 1\n", "images/a1.jpg": ""}
    doc = read(yolo(tmp_path, files, "names: [car]\n"))
    told = [(track.id, track.frames[0].score) for track in doc.tracks.values()]
    assert told == [(3, 0.75), (4, None), (5, 0.5), (6, None)]  # the last one is a fifth corner at the lower border
    assert all(track.frames[0].mask is not None for track in doc.tracks.values())


@pytest.mark.parametrize("text", ["10 20 30 40 50\n", "some words in a\n", "1,0.5,0.5,0.5,0.5\n", "", "0 0.5 0.5\n"])
def test_other_texts_are_no_predictions(tmp_path: Path, text: str) -> None:
    (tmp_path / "clip_1.txt").write_text(text)
    with pytest.raises(FormatError, match="not recognised"):
        detect(tmp_path)


def test_yolo_1_1_of_cvat(tmp_path: Path) -> None:
    """Darknet's folders: names in a list beside, pictures beside their texts or nowhere, numbers from 0."""
    files = {
        "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
        "obj.names": "car\nperson\n",
        "train.txt": "data/obj_train_data/frame_000000.PNG\ndata/obj_train_data/frame_000002.PNG\n",
        "obj_train_data/frame_000000.txt": "",
    }
    root = yolo(tmp_path, files, "1 0.500000 0.500000 0.200000 0.400000\n", "obj_train_data/frame_000002.txt")
    assert detect(root) == "yolo"
    doc = read_about(root, VideoRef("/videos/clip.mp4", "", 10, 20, 10, 25.0))
    assert [(track.label, list(track.frames)) for track in doc.tracks.values()] == [("person", [2])]
