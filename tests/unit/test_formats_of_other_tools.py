"""Files as other tools write them, in small: what each means is read, not what its fields would say of ours."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from app.formats import FormatError
from app.formats.coco_others import frames_of
from app.formats.detect import detect, read, read_about
from app.model.document import Document, VideoRef
from app.model.geometry import Box
from app.model.tracks import Source, State


def coco(folder: Path, content: dict[str, Any], name: str = "instances_default.json") -> Document:
    (folder / name).write_text(json.dumps(content))
    assert detect(folder / name) == "coco"
    return read(folder / name)


def cvat_note(number: int, frame: int, bbox: list[float], segmentation: Any = (), crowd: int = 0, **more: Any) -> Any:
    attributes = {"occluded": False, "rotation": 0.0, **more}
    return {
        "id": number, "image_id": frame + 1, "category_id": 1, "segmentation": segmentation, "area": 4.0,
        "bbox": bbox, "iscrowd": crowd, "attributes": attributes,
    }  # fmt: skip


def test_coco_of_cvat(tmp_path: Path) -> None:
    """A track of three boxes, one interpolated, one turned; a mask as run lengths, which CVAT calls a crowd."""
    info = {"contributor": "", "date_created": "", "description": "", "url": "", "version": "", "year": ""}
    images = [
        {"id": n + 1, "width": 8, "height": 6, "file_name": f"frame_{n:06d}.PNG", "license": 0, "flickr_url": "",
         "coco_url": "", "date_captured": 0}
        for n in (0, 2, 3, 7)
    ]  # fmt: skip
    notes = [
        cvat_note(1, 2, [1.0, 1.0, 2.0, 2.0], track_id=0, keyframe=True, colour="red"),
        cvat_note(2, 3, [2.0, 1.0, 2.0, 2.0], track_id=0, keyframe=False, occluded=True, colour="red"),
        cvat_note(3, 7, [1.0, 1.0, 4.0, 2.0], track_id=0, keyframe=True, rotation=90.0, colour="red"),
        cvat_note(4, 3, [0.0, 1.0, 1.0, 2.0], {"size": [6, 8], "counts": [1, 2, 45]}, crowd=1),
    ]
    file = {"licenses": [{"name": "", "id": 0, "url": ""}], "info": info, "images": images, "annotations": notes}
    file["categories"] = [{"id": 1, "name": "car", "supercategory": ""}]
    doc = coco(tmp_path, file)
    assert doc.video == VideoRef("instances_default", "", 8, 8, 6, 0.0)
    assert [(track.id, track.label, track.ignored) for track in doc.tracks.values()] == [
        (1, "car", False),
        (2, "car", False),
    ]
    car = doc.tracks[1].frames
    assert {n: (obs.state, obs.source, obs.keyframe) for n, obs in car.items()} == {
        2: (State.VISIBLE, Source.IMPORTED, True),
        3: (State.OCCLUDED, Source.INTERPOLATED, False),
        7: (State.VISIBLE, Source.IMPORTED, True),
    }
    assert [obs.box for obs in car.values()] == [Box(1, 1, 2, 2), Box(2, 1, 2, 2), pytest.approx(Box(2, 0, 2, 4))]
    assert all(obs.attributes == {"colour": "red"} for obs in car.values())
    mask = doc.tracks[2].frames[3].mask
    assert mask is not None
    assert np.argwhere(mask.decode()).tolist() == [[1, 0], [2, 0]]


def test_a_crowd_of_coco_itself_is_a_region_to_ignore(tmp_path: Path) -> None:
    note = cvat_note(1, 0, [0, 1, 1, 2], {"size": [6, 8], "counts": [1, 2, 45]}, crowd=1)
    del note["attributes"]
    images = [{"id": 1, "width": 8, "height": 6, "file_name": "000000001.jpg"}]
    doc = coco(tmp_path, {"images": images, "annotations": [note], "categories": [{"id": 1, "name": "person"}]})
    assert doc.tracks[1].ignored


def test_coco_of_label_studio(tmp_path: Path) -> None:
    """Ids from 0, names with digits of its own before them, in the order of the tasks; brushes as run lengths."""
    file = {
        "images": [
            {"width": 8, "height": 6, "id": 0, "file_name": "images/5e7a01bc-shot_0002.jpg"},
            {"width": 8, "height": 6, "id": 1, "file_name": "images\\0b3c9d2e-shot_0001.jpg"},
        ],
        "categories": [{"id": 0, "name": "Airplane"}, {"id": 1, "name": "Car"}],
        "annotations": [
            {"id": 0, "image_id": 0, "category_id": 1, "segmentation": [], "bbox": [1.5, 1, 2, 3.25], "ignore": 0,
             "iscrowd": 0, "area": 6.5},
            {"id": 1, "image_id": 1, "category_id": 0, "segmentation": [[1, 1, 5, 1, 5, 4]],
             "bbox": [1, 1, 4, 3], "ignore": 0, "iscrowd": 0, "area": 6},
        ],
        "info": {"year": 2024, "version": "1.0", "description": "", "contributor": "Label Studio", "url": "",
                 "date_created": "2024-05-01 10:00:00.000000"},
    }  # fmt: skip
    doc = coco(tmp_path, file, "result.json")
    assert [label.name for label in doc.labels] == ["Airplane", "Car"]
    assert [(track.label, list(track.frames)) for track in doc.tracks.values()] == [("Car", [1]), ("Airplane", [0])]
    assert doc.tracks[1].frames[1].box == Box(1.5, 1, 2, 3.25)
    mask = doc.tracks[2].frames[0].mask
    assert mask is not None
    assert mask.area > 0


def test_coco_of_roboflow(tmp_path: Path) -> None:
    """The data set stands first among the categories, and under the name of one; the pictures come in no order."""

    def image(number: int, shot: int) -> dict[str, Any]:
        name = f"ball_mp4-{shot:04d}"
        return {
            "id": number, "license": 1, "file_name": f"{name}_jpg.rf.{'3f' * 15}a{number}.jpg", "height": 6, "width": 8,
            "date_captured": "2024-01-05T12:00:00+00:00", "extra": {"name": f"{name}.jpg"},
        }  # fmt: skip

    file = {
        "info": {"year": "2024", "version": "3", "description": "Exported from roboflow.com", "contributor": "",
                 "url": "https://public.roboflow.com/object-detection/undefined",
                 "date_created": "2024-01-05T12:00:00+00:00"},
        "licenses": [{"id": 1, "url": "https://creativecommons.org/licenses/by/4.0/", "name": "CC BY 4.0"}],
        "categories": [
            {"id": 0, "name": "ball", "supercategory": "none"},
            {"id": 1, "name": "ball", "supercategory": "ball"},
            {"id": 2, "name": "goal", "supercategory": "ball"},
        ],
        "images": [image(0, 31), image(1, 1), image(2, 11)],
        "annotations": [
            {"id": 0, "image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 2.5], "area": 7.5, "segmentation": [],
             "iscrowd": 0},
            {"id": 1, "image_id": 2, "category_id": 2, "bbox": [0, 0, 8, 6], "area": 48, "segmentation": [],
             "iscrowd": 0},
        ],
    }  # fmt: skip
    doc = coco(tmp_path, file, "_annotations.coco.json")
    assert [label.name for label in doc.labels] == ["ball", "goal"]
    assert [(track.label, list(track.frames)) for track in doc.tracks.values()] == [("ball", [2]), ("goal", [1])]
    assert doc.video is not None
    assert doc.video.frames == 3
    del file["images"][0]["extra"]  # older exports
    for entry in file["images"]:
        entry.pop("extra", None)
    assert [list(track.frames) for track in coco(tmp_path, file).tracks.values()] == [[2], [1]]


def test_a_data_set_that_something_is_stays_a_class(tmp_path: Path) -> None:
    images = [{"id": 1, "width": 8, "height": 6, "file_name": "a.jpg"}]
    categories = [{"id": 0, "name": "all", "supercategory": "none"}, {"id": 1, "name": "car", "supercategory": "all"}]
    note = {"id": 1, "image_id": 1, "category_id": 0, "bbox": [1, 1, 2, 2]}
    doc = coco(tmp_path, {"images": images, "annotations": [note], "categories": categories})
    assert [label.name for label in doc.labels] == ["all", "car"]


def test_coco_of_labelme_converters(tmp_path: Path) -> None:
    """Polygons with fractions, names that are numbers, keys in any order; some leave the box away."""
    file = {
        "images": [
            {"height": 6, "width": 8, "id": 2, "file_name": "10.jpg"},
            {"height": 6, "width": 8, "id": 1, "file_name": "9.jpg"},
        ],
        "categories": [{"supercategory": "Animal", "id": 1, "name": "cat"}],
        "annotations": [
            {"iscrowd": 0, "image_id": 1, "bbox": [1.0, 1.0, 4.0, 3.0], "category_id": 1, "id": 1, "area": 6.0,
             "segmentation": [[1.0, 1.0, 5.0, 1.0, 5.0, 4.0, 1.0, 4.0]]},
            {"iscrowd": 0, "image_id": 2, "category_id": 1, "id": 2, "area": 4.0,
             "segmentation": [[2.0, 2.0, 4.0, 2.0, 4.0, 4.0, 2.0, 4.0]]},
        ],
    }  # fmt: skip
    doc = coco(tmp_path, file)
    assert [list(track.frames) for track in doc.tracks.values()] == [[0], [1]]
    assert doc.tracks[2].frames[1].box == Box(2, 2, 2, 2)
    file["annotations"][1]["segmentation"] = []
    with pytest.raises(FormatError, match=r"annotations, id 2, bbox: a box is four finite numbers"):
        coco(tmp_path, file)
    file["annotations"][1]["segmentation"] = {"size": [6, 8], "counts": [48]}
    with pytest.raises(FormatError, match=r"annotations, id 2: there is neither a box nor a mask"):
        coco(tmp_path, file)


def test_coco_of_via(tmp_path: Path) -> None:
    """Numbers as texts, and the only polygon without a list around it."""
    file = {
        "images": [{"id": "1", "width": 8, "height": 6, "file_name": "a.jpg", "license": "1", "date_captured": ""}],
        "categories": [{"supercategory": "type", "id": 1, "name": "cat"}],
        "annotations": [
            {"id": "0", "image_id": "1", "segmentation": [1, 1, 5, 1, 5, 4, 1, 4], "area": 12, "bbox": [1, 1, 4, 3],
             "iscrowd": 0, "category_id": "1"}
        ],
    }  # fmt: skip
    mask = coco(tmp_path, file).tracks[1].frames[0].mask
    assert mask is not None
    assert mask.area == 12


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["frame_000012.PNG", "frame_000003.PNG"], [12, 3]),
        (["a10.jpg", "a9.jpg", "a2.jpg"], [2, 1, 0]),
        (["cam1_3.jpg", "cam1_2.jpg"], [1, 0]),
        (["cam1_3.jpg", "cam2_2.jpg"], [0, 1]),
        (["b.jpg", "a.jpg"], [0, 1]),
        (["x1.jpg", "x01.jpg"], [0, 1]),
        (["frame_000001.PNG", "frame_000001.JPG"], [0, 1]),
        ([], []),
    ],
)
def test_frames_by_the_names_of_pictures(names: list[str], frames: list[int]) -> None:
    assert frames_of(names) == frames


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


def picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def test_a_folder_of_black_and_white_masks_is_one_object(tmp_path: Path) -> None:
    """As DAVIS 2016 and many trackers have them; a frame without white is one without the object."""
    for number, size in ((0, 2), (1, 0), (2, 3)):
        mask = np.zeros((6, 8), np.uint8)
        mask[1 : 1 + size, 2 : 2 + size] = 255
        picture(tmp_path / "masks" / f"{number:05d}.png", mask)
    for place in (tmp_path / "masks", tmp_path / "masks" / "00001.png"):
        assert detect(place) == "davis"
    (track,) = read(tmp_path / "masks").tracks.values()
    assert (track.id, track.ignored) == (1, False)
    assert [obs.box for obs in track.frames.values()] == [Box(2, 1, 2, 2), None, Box(2, 1, 3, 3)]
    (tmp_path / "masks" / "notes.txt").write_text("mine")
    with pytest.raises(FormatError, match="not recognised"):
        detect(tmp_path / "masks" / "notes.txt")


def test_masks_that_count_from_1_do(tmp_path: Path) -> None:
    for number in (1, 2):
        picture(tmp_path / f"clip_{number}.png", np.full((6, 8), number, np.uint8))
    doc = read(tmp_path)
    assert {track.id: sorted(n for n, obs in track.frames.items() if obs.present) for track in doc.tracks.values()} == {
        1: [0],
        2: [1],
    }


def test_photographs_are_no_masks(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (6, 8), np.uint8)
    picture(tmp_path / "grey" / "00000.png", noise)
    picture(tmp_path / "colour" / "00000.png", np.dstack([noise] * 3))
    picture(tmp_path / "two" / "a_0.png", np.zeros((6, 8), np.uint8))
    picture(tmp_path / "two" / "b_0.png", np.zeros((6, 8), np.uint8))
    for name in ("grey", "colour", "two"):
        with pytest.raises(FormatError, match="not recognised"):
            detect(tmp_path / name)


def test_a_ground_truth_stands_for_its_folder(tmp_path: Path) -> None:
    picture(tmp_path / "00000001.jpg", np.zeros((6, 8), np.uint8))
    (tmp_path / "groundtruth.txt").write_text("1,1,2,2\n")
    assert detect(tmp_path / "groundtruth.txt") == "vot"
    assert read(tmp_path / "groundtruth.txt").tracks[1].frames[0].box == Box(1, 1, 2, 2)


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


def packed(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_archives_with_coco_are_read_without_unpacking(tmp_path: Path) -> None:
    """As CVAT and Roboflow hand them out; of several files one is chosen by its name."""
    images = [{"id": 1, "width": 8, "height": 6, "file_name": "a.jpg"}]
    labels = {"images": images, "categories": [{"id": 1, "name": "cat"}]}
    note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}
    text = json.dumps({**labels, "annotations": [note]})
    one = packed(tmp_path / "one.zip", {"images/a.json": "[]", "annotations/instances_default.json": text})
    assert detect(one) == "coco"
    assert read(one).tracks[1].frames[0].box == Box(1, 1, 2, 2)
    splits = {f"{split}/_annotations.coco.json": text for split in ("train", "valid")}
    two = packed(tmp_path / "two.zip", splits)
    with pytest.raises(FormatError, match=r"the file holds 2 clips\. Choose one as two\.zip/train/_annotations"):
        read(two)
    assert read(two / "valid" / "_annotations.coco.json").tracks.keys() == {1}
    with pytest.raises(FormatError, match=r"two\.zip.*2 clips"):
        read(two / "test", "coco")
    none = packed(tmp_path / "none.zip", {"labels.json": "{}"})
    with pytest.raises(FormatError, match="not recognised"):
        detect(none)
    with pytest.raises(FormatError, match="holds no COCO file"):
        read(none, "coco")
    broken = one.read_bytes()
    one.write_bytes(broken[: len(broken) // 2])
    with pytest.raises(FormatError, match=r"one\.zip"):
        read(one, "coco")
