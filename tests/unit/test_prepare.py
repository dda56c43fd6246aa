"""Published data sets, laid out here in miniature as they come, become crop sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from main import main
from tracker.boxes import context_side
from tracker.data.crops import CropSet
from tracker.data.prepare.cutting import crop_map, cut, prepare
from tracker.data.prepare.films import PrepareError
from tracker.data.prepare.imagenet import vid
from tracker.data.prepare.sets import SETS
from tracker.data.prepare.single import SingleClip
from tracker.data.prepare.youtube import palette_numbers

RED = (30, 40, 220)


def picture(path: Path, box: Sequence[float], width: int = 160, height: int = 120) -> None:
    """A grey picture with a red box ``x, y, w, h``."""
    image = np.full((height, width, 3), 90, np.uint8)
    x, y, w, h = (int(v) for v in box)
    image[y : y + h, x : x + w] = RED
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 100])


def run(name: str, source: Path, out: Path, size: int = 511, every: int = 1, jobs: int = 1) -> int:
    steps = prepare(name, SETS[name](source, "train"), out, size, every, jobs)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def index(out: Path, name: str) -> dict[str, Any]:
    return json.loads((out / f"{name}.json").read_text())


def assert_red_in_the_middle(crops: CropSet) -> None:
    """The object is where the reader of crops says: red inside its box, grey outside."""
    for items in crops.tracks:
        for item in items:
            x1, y1, x2, y2 = (round(v) for v in item.corners)
            pixels = crops.pixels(item).astype(int)
            assert np.abs(pixels[y1 + 6 : y2 - 6, x1 + 6 : x2 - 6] - RED).max() < 25, item.stem
            # at a corner of the box outwards
            assert np.abs(pixels[y1 - 8, x1 - 8] - RED).max() > 60, item.stem
            mask = crops.mask(item)
            if mask is not None:
                assert cv2.boundingRect(mask) == pytest.approx((x1, y1, x2 - x1, y2 - y1), abs=6)


def test_a_crop_shows_the_template_square_on_127_px() -> None:
    """Reference E.1: side s_z 511/127, corners on the first and last pixel, the object in the middle."""
    matrix = crop_map((10, 20, 50, 100), 511)
    side = context_side(40, 80) * 511 / 127
    assert matrix @ (30 - side / 2, 60 - side / 2, 1) == pytest.approx((0, 0), abs=1e-9)
    assert matrix @ (30 + side / 2, 60 + side / 2, 1) == pytest.approx((510, 510))
    assert matrix @ (30, 60, 1) == pytest.approx((255, 255))


def coco(root: Path) -> Path:
    boxes = {1: (40, 30, 60, 40), 2: (20, 20, 30, 60)}
    images, items = [], []
    for number, (x, y, w, h) in boxes.items():
        picture(root / "train2017" / f"{number:012d}.jpg", (x, y, w, h))
        images.append({"id": number, "file_name": f"{number:012d}.jpg", "width": 160, "height": 120})
        outline = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        items.append({"image_id": number, "bbox": [x, y, w, h], "segmentation": outline, "iscrowd": 0})
    crowd = {"counts": [0, 160 * 120], "size": [120, 160]}
    items.append({"image_id": 1, "bbox": [0, 0, 160, 120], "segmentation": crowd, "iscrowd": 1})
    items.append({"image_id": 1, "bbox": [5, 5, 0, 9], "segmentation": [[5, 5, 5, 14, 5, 14]], "iscrowd": 0})
    (root / "annotations").mkdir(parents=True)
    data = {"images": images, "annotations": items}
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(data))
    return root


def xml(path: Path, objects: Sequence[tuple[str, Sequence[float]]]) -> None:
    parts = []
    for track, (x, y, w, h) in objects:
        tag = f"<trackid>{track}</trackid>" if track else ""
        box = f"<xmax>{x + w}</xmax><xmin>{x}</xmin><ymax>{y + h}</ymax><ymin>{y}</ymin>"
        parts.append(f"<object>{tag}<name>n0</name><bndbox>{box}</bndbox></object>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><folder>f</folder>{''.join(parts)}</annotation>")


def imagenet_vid(root: Path) -> Path:
    """Track 0 on frames 0 to 2 and 5 to 6, and alone on 8; track 1 on 1 to 2."""
    box, other = (40, 30, 60, 40), (110, 70, 30, 40)
    name = "ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000"
    for frame in range(9):
        objects = [("0", box)] if frame in (0, 1, 2, 5, 6, 8) else []
        objects += [("1", other)] if frame in (1, 2) else []
        xml(root / "Annotations" / "VID" / "train" / name / f"{frame:06d}.xml", objects)
        picture(root / "Data" / "VID" / "train" / name / f"{frame:06d}.JPEG", box)
    return root


def test_coco(tmp_path: Path) -> None:
    assert run("coco", coco(tmp_path / "coco"), tmp_path / "out") == 2
    videos = index(tmp_path / "out", "coco")
    assert videos["train2017/000000000001"] == {"00": {"000000": [40.0, 30.0, 100.0, 70.0]}}
    crops = CropSet(tmp_path / "out", "coco")
    assert crops.masks
    assert crops.size == 511
    assert_red_in_the_middle(crops)


def test_every_run_of_a_vid_track_survives(tmp_path: Path) -> None:
    assert run("vid", imagenet_vid(tmp_path / "vid"), tmp_path / "out") == 7
    (tracks,) = index(tmp_path / "out", "vid").values()
    assert {track: [int(frame) for frame in frames] for track, frames in tracks.items()} == {
        "00": [0, 1, 2],
        "01": [5, 6],
        "02": [1, 2],
    }
    crops = CropSet(tmp_path / "out", "vid")
    assert not crops.masks
    assert [len(video) for video in crops.videos] == [3]
    for item in (*crops.tracks[0], *crops.tracks[1]):
        assert np.abs(crops.pixels(item)[255, 255].astype(int) - RED).max() < 25
    assert run("vid", tmp_path / "vid", tmp_path / "few", every=2) == 4


def test_det(tmp_path: Path) -> None:
    source = tmp_path / "det"
    for number in range(2):
        name = f"ILSVRC2013_train/n0/p{number}"
        xml(source / "Annotations" / "DET" / "train" / f"{name}.xml", [("", (40, 30, 60, 40))])
        picture(source / "Data" / "DET" / "train" / f"{name}.JPEG", (40, 30, 60, 40))
    assert run("det", source, tmp_path / "out") == 2
    assert list(index(tmp_path / "out", "det")) == ["ILSVRC2013_train/n0/p0", "ILSVRC2013_train/n0/p1"]
    assert_red_in_the_middle(CropSet(tmp_path / "out", "det"))


def test_youtube_bounding_boxes(tmp_path: Path) -> None:
    source = tmp_path / "ytbb"
    lines = []
    for moment in (0, 1000, 2000):
        presence = "present" if moment < 2000 else "absent"
        sides = "0.25,0.625,0.25,0.5" if presence == "present" else "-1,-1,-1,-1"
        lines += [f"{video},{moment},3,dog,0,{presence},{sides}" for video in ("here", "gone")]
        picture(source / "train" / "here" / f"{moment}.jpg", (40, 30, 60, 30))
    (source / "train" / "here" / "1000.jpg").unlink()
    (source / "yt_bb_detection_train.csv").write_text("\n".join(lines) + "\n")
    assert run("ytbb", source, tmp_path / "out") == 1
    assert index(tmp_path / "out", "ytbb") == {"here": {"00": {"000000": [40, 30, 100, 60]}}}
    assert_red_in_the_middle(CropSet(tmp_path / "out", "ytbb"))


def palette(path: Path, numbers: np.ndarray) -> None:
    """A PNG of indices into a palette, as YouTube-VOS has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.zeros((256, 4), np.uint8)
    colours[:, 3] = 255
    colours[1:4, :3] = [(236, 95, 103), (249, 145, 87), (250, 200, 99)]
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = numbers.shape[1], numbers.shape[0], "pal8"
        frame = av.VideoFrame.from_ndarray((numbers, colours), format="pal8")  # type: ignore[arg-type]
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)


def test_youtube_vos(tmp_path: Path) -> None:
    source = tmp_path / "ytvos" / "train"
    for frame in (0, 5):
        numbers = np.zeros((120, 160), np.uint8)
        numbers[30:70, 40:100] = 1
        numbers[80:110, 10:50] = 2 if frame else 0
        palette(source / "Annotations" / "v" / f"{frame:05d}.png", numbers)
        picture(source / "JPEGImages" / "v" / f"{frame:05d}.jpg", (40, 30, 60, 40))
    assert set(np.unique(palette_numbers(source / "Annotations" / "v" / "00005.png"))) == {0, 1, 2}
    meta = {"videos": {"v": {"objects": {"1": {"category": "cat"}, "2": {"category": "dog"}}}}}
    (source / "meta.json").write_text(json.dumps(meta))
    assert run("ytvos", tmp_path / "ytvos", tmp_path / "out") == 3
    (tracks,) = index(tmp_path / "out", "ytvos").values()
    assert tracks["01"] == {"000000": [40, 30, 100, 70], "000005": [40, 30, 100, 70]}
    assert tracks["02"] == {"000005": [10, 80, 50, 110]}
    crops = CropSet(tmp_path / "out", "ytvos")
    assert crops.masks
    mask = crops.mask(crops.tracks[0][0])
    assert mask is not None
    x1, y1, x2, y2 = crops.tracks[0][0].corners
    assert cv2.boundingRect(mask) == pytest.approx((x1, y1, x2 - x1, y2 - y1), abs=4)


def test_got10k_and_lasot_leave_out_what_cannot_be_seen(tmp_path: Path) -> None:
    got, lasot = tmp_path / "got", tmp_path / "lasot"
    clips = {"got10k": got / "train" / "GOT-10k_Train_000001", "lasot": lasot / "cat" / "cat-1"}
    other = lasot / "cat" / "cat-2"
    for folder in (*clips.values(), other):
        for frame in range(1, 5):
            inside = folder if folder == clips["got10k"] else folder / "img"
            picture(inside / f"{frame:08d}.jpg", (40, 30, 60, 40))
        (folder / "groundtruth.txt").write_text("40,30,60,40\n" * 3 + "40,30,0,0\n")
    (clips["got10k"] / "absence.label").write_text("0\n1\n0\n0\n")
    (clips["got10k"] / "cover.label").write_text("8\n8\n0\n8\n")
    (clips["lasot"] / "full_occlusion.txt").write_text("0,1,0,0")
    (clips["lasot"] / "out_of_view.txt").write_text("0,0,0,0")
    (lasot / "training_set.txt").write_text("cat-1\n")
    assert run("got10k", got, tmp_path / "out") == 1
    assert run("lasot", lasot, tmp_path / "out") == 2
    assert index(tmp_path / "out", "got10k") == {"GOT-10k_Train_000001": {"00": {"000000": [40, 30, 100, 70]}}}
    assert list(index(tmp_path / "out", "lasot")["cat-1"]["00"]) == ["000000", "000002"]
    for name in clips:
        assert_red_in_the_middle(CropSet(tmp_path / "out", name))
    assert [film.name for film in SETS["lasot"](lasot, "val")] == ["cat-2"]
    (lasot / "training_set.txt").unlink()
    with pytest.raises(PrepareError, match=r"training_set\.txt is missing"):
        SETS["lasot"](lasot, "train")


def test_another_size_has_an_index_that_says_so(tmp_path: Path) -> None:
    assert run("coco", coco(tmp_path / "coco"), tmp_path / "out", size=431) == 2
    crops = CropSet(tmp_path / "out", "coco")
    assert crops.size == 431
    assert_red_in_the_middle(crops)


def test_an_interrupted_preparation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = coco(tmp_path / "coco"), tmp_path / "out"
    steps = prepare("coco", SETS["coco"](source, "train"), out, 511, 1, 1)
    assert [next(steps), next(steps)] == [0, 1]
    steps.close()
    part = out / "coco.part"
    part.write_text(part.read_text() + '["train2017/0000', encoding="utf-8")  # killed while writing
    seen: list[str] = []
    whole = cut

    def noted(film: Any, *rest: Any) -> Any:
        seen.append(film.name)
        return whole(film, *rest)

    monkeypatch.setattr("tracker.data.prepare.cutting.cut", noted)
    with pytest.raises(PrepareError, match="other settings"):
        run("coco", source, out, every=3)
    assert run("coco", source, out) == 2
    assert seen == ["train2017/000000000002"]
    assert not part.exists()


def test_several_processes_cut_the_same(tmp_path: Path) -> None:
    source = imagenet_vid(tmp_path / "vid")
    assert run("vid", source, tmp_path / "one") == run("vid", source, tmp_path / "two", jobs=2)
    assert index(tmp_path / "one", "vid") == index(tmp_path / "two", "vid")


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    for name in SETS:
        with pytest.raises(PrepareError, match=str(tmp_path)):
            SETS[name](tmp_path / "empty", "train")
    source = coco(tmp_path / "coco")
    (source / "train2017" / "000000000002.jpg").write_bytes(b"no picture")
    with pytest.raises(PrepareError, match=r"000000000002\.jpg"):
        run("coco", source, tmp_path / "out")
    (source / "annotations" / "instances_train2017.json").write_text("{}")
    with pytest.raises(PrepareError, match=r"instances_train2017\.json"):
        run("coco", source, tmp_path / "again")
    clips = vid(imagenet_vid(tmp_path / "vid"), "train")
    bad = clips[0].notes / "000003.xml"
    bad.write_text("<annotation><object></object></annotation>")
    with pytest.raises(PrepareError, match=r"000003\.xml.*bndbox"):
        list(clips[0].pictures())
    clip = tmp_path / "clip"
    clip.mkdir()
    (clip / "groundtruth.txt").write_text("1,2,3\n")
    with pytest.raises(PrepareError, match=r"groundtruth\.txt"):
        list(SingleClip("clip", clip, clip, ("absence.label",)).pictures())
    (clip / "groundtruth.txt").write_text("1,2,3,4\n")
    (clip / "absence.label").write_text("0\n1\n")
    with pytest.raises(PrepareError, match=r"absence\.label has 2"):
        list(SingleClip("clip", clip, clip, ("absence.label",)).pictures())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = coco(tmp_path / "coco"), tmp_path / "out"
    assert main(["prepare", "coco", str(source), str(out)]) == 0
    assert "2 crops of 2 films" in capsys.readouterr().out
    assert main(["prepare", "coco", str(source), str(out), "--size", "20"]) == 2
    assert "--size" in capsys.readouterr().err
    assert main(["prepare", "got10k", str(source), str(out)]) == 2
    assert "GOT-10k" in capsys.readouterr().err
