"""Files as other tools write them, in small: what each means is read, not what its fields would say of ours."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.formats import FormatError
from app.formats.coco_others import frames_of
from app.formats.detect import detect, read
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


def packed(path: Path, files: dict[str, str]) -> Path:
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
