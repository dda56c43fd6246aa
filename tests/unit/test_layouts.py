"""Readers of the field's data sets, on small made-up copies of their folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.api import MaskPatch, Prediction
from tracker.data.layouts_sets import davis_attributes
from tracker.data.readers import discover
from tracker.data.sequences import Sequence, SequenceError
from tracker.evaluation import multi_start, one_pass, supervised

SIZE = (40, 30)
ROWS = ["3,4,10,8", "4,4,10,8", "5,4,10,8", "6,4,10,8"]


def drain(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def text(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def shots(folder: Path, numbers, pattern: str) -> None:
    """Pictures whose grey value is their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / pattern.format(number)), np.full((SIZE[1], SIZE[0], 3), number, np.uint8))


def seen(clip: Sequence) -> list[int]:
    return [int(image[0, 0, 0]) for image in clip.frames()]


def otb(root: Path) -> None:
    shots(root / "Car" / "img", range(1, 5), "{:04d}.png")
    text(root / "Car" / "groundtruth_rect.txt", *(row.replace(",", "\t") for row in ROWS))
    text(root / "Car" / "attrs.txt", "IV, OCC")


def lasot(root: Path) -> None:
    shots(root / "car" / "car-1" / "img", range(1, 5), "{:08d}.png")
    text(root / "car" / "car-1" / "groundtruth.txt", *ROWS)
    text(root / "car" / "car-1" / "full_occlusion.txt", "0,0,1,0")
    text(root / "car" / "car-1" / "out_of_view.txt", "0,0,0,0")


def got10k(root: Path) -> None:
    shots(root / "GOT-10k_Val_000001", range(1, 5), "{:08d}.png")
    text(root / "GOT-10k_Val_000001" / "groundtruth.txt", *ROWS)
    text(root / "GOT-10k_Val_000001" / "absence.label", "0", "0", "1", "0")
    text(root / "GOT-10k_Val_000001" / "cover.label", "8", "4", "0", "8")
    text(root / "GOT-10k_Val_000001" / "cut_by_image.label", "0", "1", "0", "0")
    text(root / "GOT-10k_Val_000001" / "meta_info.ini", "[METAINFO]", "object_class: car", "motion_class: drive")


def vot(root: Path) -> None:
    shots(root / "car" / "color", range(1, 5), "{:08d}.png")
    text(root / "car" / "groundtruth.txt", "3,4,13,4,13,12,3,12", "4,4,10,8", "nan,nan,nan,nan", "m6,4,3,2,1,4,1")
    text(root / "car" / "occlusion.tag", "0", "1", "0", "0")
    text(root / "car" / "anchor.value", "1", "0", "0", "-1")


def uav(root: Path) -> None:
    pool = root / "data_seq" / "UAV123"
    shots(pool / "car1", range(1, 8), "{:06d}.png")
    text(root / "anno" / "UAV123" / "car1_1.txt", *ROWS)
    text(root / "anno" / "UAV123" / "car1_2.txt", *ROWS[:3], "NaN,NaN,NaN,NaN")
    text(root / "anno" / "UAV123" / "att" / "car1_2.txt", "1,0,0,1,0,0,0,0,0,0,0,0")


def trackingnet(root: Path) -> None:
    shots(root / "frames" / "abc_0", range(11), "{}.png")
    text(root / "anno" / "abc_0.txt", *(ROWS[0] for _ in range(11)))


def davis(root: Path) -> None:
    shots(root / "JPEGImages" / "480p" / "two", range(3), "{:05d}.png")
    for number in range(3):
        mask = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        mask[4:12, 3 + number : 13 + number] = (0, 0, 128)  # BGR of index 1
        if number < 2:
            mask[20:25, 30:36] = (0, 128, 0)  # of index 2, gone in the last frame
        path = root / "Annotations" / "480p" / "two" / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), mask)


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "otb": otb,
    "lasot": lasot,
    "got10k": got10k,
    "vot": vot,
    "uav": uav,
    "trackingnet": trackingnet,
    "davis": davis,
}


def test_otb_counts_pixels_from_one(tmp_path):
    otb(tmp_path)
    (clip,) = discover(tmp_path)
    assert (clip.name, clip.attributes) == ("Car", {"IV", "OCC"})
    assert clip.truth[0].tolist() == [2, 3, 10, 8]
    assert seen(clip) == [1, 2, 3, 4]


def test_otb_clips_with_several_objects_and_a_late_start(tmp_path):
    shots(tmp_path / "Jogging" / "img", range(1, 5), "{:04d}.png")
    for number in (1, 2):
        text(tmp_path / "Jogging" / f"groundtruth_rect.{number}.txt", *ROWS)
    shots(tmp_path / "BlurCar3" / "img", range(1, 7), "{:04d}.png")
    text(tmp_path / "BlurCar3" / "groundtruth_rect.txt", *ROWS)
    late, *several = discover(tmp_path)
    assert [clip.name for clip in several] == ["Jogging.1", "Jogging.2"]
    assert seen(late) == [3, 4, 5, 6]


def test_lasot_flags_absent_frames(tmp_path):
    lasot(tmp_path)
    (clip,) = discover(tmp_path)
    assert clip.gone.tolist() == [False, False, True, False]
    assert clip.present.tolist() == [True, True, False, True]
    assert clip.frame_attributes["full_occlusion"].tolist() == [False, False, True, False]


@pytest.mark.parametrize("place", ["att", "car/att", "annos/att"])
def test_lasot_takes_attributes_from_its_toolkit(tmp_path, place):
    lasot(tmp_path)
    text(tmp_path / place / "car-1.txt", "1,0,0,0,0,0,0,0,1,0,0,1,0,0")
    (clip,) = discover(tmp_path)
    assert clip.attributes == {"IV", "SV", "OV"}


def test_got10k_cover_absence_and_classes(tmp_path):
    got10k(tmp_path)
    (clip,) = discover(tmp_path)
    assert clip.cover is not None
    assert clip.cover.tolist() == [1, 0.5, 0, 1]
    assert clip.gone.tolist() == [False, False, True, False]
    assert clip.truth[0].tolist() == [3, 4, 10, 8], "its toolkit takes the numbers as they stand"
    assert clip.attributes == {"object_class: car", "motion_class: drive"}


def test_a_test_clip_has_its_first_box_alone(tmp_path):
    shots(tmp_path / "GOT-10k_Test_000001", range(1, 5), "{:08d}.png")
    text(tmp_path / "GOT-10k_Test_000001" / "groundtruth.txt", ROWS[0])
    text(tmp_path / "GOT-10k_Test_000001" / "meta_info.ini", "[METAINFO]")
    (clip,) = discover(tmp_path)
    assert clip.truth.shape == (4, 4)
    assert clip.present.tolist() == [True, False, False, False]


def test_vot_polygons_masks_tags_and_anchors(tmp_path):
    vot(tmp_path)
    (clip,) = discover(tmp_path)
    polygon, box, gone, mask = (clip.region(frame) for frame in range(4))
    assert np.array_equal(polygon, [[3, 4], [13, 4], [13, 12], [3, 12]])  # type: ignore[arg-type]
    assert np.array_equal(box, [4, 4, 10, 8])  # type: ignore[arg-type]
    assert gone is None
    assert isinstance(mask, MaskPatch)
    assert mask.bits.tolist() == [[False, True, True], [True, True, False]]
    assert clip.truth[0].tolist() == [3, 4, 10, 8]
    assert clip.gone.tolist() == [False, False, True, False]
    assert clip.frame_attributes["occlusion"].tolist() == [False, True, False, False]
    full = clip.mask(3)
    assert full is not None
    assert full.shape == (SIZE[1], SIZE[0])
    assert full.sum() == 4
    assert [(start.frame, start.backward) for start in multi_start.starts(clip)] == [(0, False), (3, True)]


def test_uav_parts_share_a_picture(tmp_path):
    uav(tmp_path)
    first, second = discover(tmp_path)
    assert (seen(first), seen(second)) == ([1, 2, 3, 4], [4, 5, 6, 7])
    assert second.attributes == {"SV", "FM"}
    assert second.present.tolist() == [True, True, True, False]


def test_trackingnet_sorts_pictures_by_number(tmp_path):
    trackingnet(tmp_path)
    (clip,) = discover(tmp_path)
    assert seen(clip) == list(range(11))


def test_davis_makes_a_clip_of_each_object(tmp_path):
    davis(tmp_path)
    first, second = discover(tmp_path)
    assert [clip.name for clip in (first, second)] == ["two.1", "two.2"]
    assert first.truth.tolist() == [[3, 4, 10, 8], [4, 4, 10, 8], [5, 4, 10, 8]]
    assert second.gone.tolist() == [False, False, True]
    mask = first.mask(1)
    assert mask is not None
    assert mask.sum() == 80


DAVIS_INFO = """\
# the development kit's list
attributes: [AC, BC]
sequences:
- attributes: [AC, FM,
    OCC]
  eval_t: true
  name: two
  num_frames: 3
- name: "other"
  attributes:
  - BC
"""


@pytest.mark.parametrize("place", ["db_info.yaml", "Annotations/db_info.yml"])
def test_davis_attributes_come_from_its_development_kit(tmp_path, place):
    davis(tmp_path)
    text(tmp_path / place, DAVIS_INFO)
    assert [clip.attributes for clip in discover(tmp_path)] == [{"AC", "FM", "OCC"}] * 2
    assert davis_attributes(tmp_path / place)["other"] == {"BC"}


@pytest.mark.parametrize("count", [3, 5])
def test_a_line_without_its_picture_is_an_error(tmp_path, count):
    otb(tmp_path)
    uav(tmp_path / "uav")
    lasot(tmp_path / "lasot")
    text(tmp_path / "Car" / "groundtruth_rect.txt", *[ROWS[0]] * count)
    with pytest.raises(SequenceError, match=rf"groundtruth_rect\.txt has {count} lines, but .*img holds 4 pictures"):
        discover(tmp_path / "Car")
    text(tmp_path / "uav" / "anno" / "UAV123" / "car1_2.txt", *[ROWS[0]] * 5)
    with pytest.raises(SequenceError, match=r"car1_2\.txt has 5 lines, but .*car1 holds 4 pictures"):
        discover(tmp_path / "uav")
    (tmp_path / "lasot" / "car" / "car-1" / "img" / "00000004.png").unlink()
    with pytest.raises(SequenceError, match=r"groundtruth\.txt has 4 lines, but .* 3 pictures"):
        discover(tmp_path / "lasot")


def test_otb_clips_that_end_before_their_pictures(tmp_path):
    otb(tmp_path)
    (tmp_path / "Car").rename(tmp_path / "Diving")
    text(tmp_path / "Diving" / "groundtruth_rect.txt", *ROWS[:3])
    (clip,) = discover(tmp_path)
    assert seen(clip) == [1, 2, 3]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"IV, <b>", b"1, 0"])
def test_wrong_attributes_name_their_file(tmp_path, content):
    otb(tmp_path)
    (tmp_path / "Car" / "attrs.txt").write_bytes(content)
    with pytest.raises(SequenceError, match=r"attrs\.txt"):
        discover(tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_protocol_runs_on_every_layout(tmp_path, layout):
    LAYOUTS[layout](tmp_path)

    class Still:
        name, device = "still", "cpu"

        def start(self, image, box):
            self.box = box
            return self

        def step(self, image, *, want_mask=True):
            return Prediction(self.box, 1.0)

    for clip in discover(tmp_path):
        scored = one_pass.score(drain(one_pass.run_clip(Still(), clip, masks=True)), clip)  # type: ignore[arg-type]
        assert scored.auc > 0.5
        runs = drain(supervised.run(Still(), clip))  # type: ignore[arg-type]
        assert supervised.score(runs, clip).failures == ((),) * 3
        starts = drain(multi_start.run(Still(), clip, masks=True))  # type: ignore[arg-type]
        assert multi_start.score(starts, clip).robustness == 1


@pytest.mark.parametrize(
    ("layout", "file", "line", "words"),
    [
        (otb, "Car/groundtruth_rect.txt", "1,2,3", r"groundtruth_rect\.txt, line 1"),
        (lasot, "car/car-1/out_of_view.txt", "0,x,0,0", r"out_of_view\.txt, line 1"),
        (lasot, "car/car-1/out_of_view.txt", "0,0", r"out_of_view\.txt has 2 values for 4 frames"),
        (got10k, "GOT-10k_Val_000001/cover.label", "8", r"cover\.label has 1 values for 4 frames"),
        (vot, "car/groundtruth.txt", "m1,2,2,2,9", r"groundtruth\.txt, line 1: expected a VOT region"),
        (vot, "car/anchor.value", "1", r"anchor\.value has 1 values"),
        (uav, "anno/UAV123/boat9.txt", "1,2,3,4", r"boat9 is missing"),
        (trackingnet, "anno/gone.txt", "1,2,3,4", r"gone holds no pictures"),
        (davis, "db_info.yaml", "nothing: here", r"db_info\.yaml names no sequence"),
        (lasot, "att/car-1.txt", "1,0", r"car-1\.txt has 2 values for 14 frames"),
        (davis, "Annotations/480p/two/00001.png", "no picture", r"00001\.png is not a readable picture"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, layout, file, line, words):
    layout(tmp_path)
    text(tmp_path / file, line)
    with pytest.raises(SequenceError, match=words):
        discover(tmp_path)
