from __future__ import annotations

import numpy as np
import pytest
from clip_maker import box_at, make_clip, picture

from tracker.data.readers import discover
from tracker.data.sequences import SequenceError, labelled, read_boxes, select


def test_clips_are_found_alone_in_a_folder_and_in_groups(tmp_path):
    make_clip(tmp_path / "boxes" / "car", 2)
    make_clip(tmp_path / "masks" / "dog", 2, masks=True)
    (tmp_path / "notes").mkdir()
    assert [clip.name for clip in discover(tmp_path)] == ["boxes/car", "masks/dog"]
    assert [clip.name for clip in discover(tmp_path / "boxes")] == ["car"]
    (dog,) = discover(tmp_path / "masks" / "dog")
    assert (dog.name, dog.masks) == ("dog", (tmp_path / "masks" / "dog" / "masks").resolve())


def test_a_place_without_clips_is_named(tmp_path):
    with pytest.raises(SequenceError, match="holds no clips"):
        discover(tmp_path)
    with pytest.raises(SequenceError, match="is not a folder"):
        discover(tmp_path / "nowhere")


def test_clips_are_chosen_by_pattern_and_number(tmp_path):
    for name in ("OTB_Man", "OTB_Toy", "VOT_car"):
        make_clip(tmp_path / "boxes" / name, 1)
    clips = discover(tmp_path)
    assert [clip.name for clip in select(clips, ["OTB_*"])] == ["boxes/OTB_Man", "boxes/OTB_Toy"]
    assert [clip.name for clip in select(clips, ["boxes/VOT_car", "OTB_Toy"], 1)] == ["boxes/OTB_Toy"]
    assert len(select(clips, [])) == 3
    with pytest.raises(SequenceError, match=r"“DAVIS\*”.*boxes/VOT_car"):
        select(clips, ["OTB_*", "DAVIS*"])


def test_frames_come_in_order_as_bgr(tmp_path):
    (clip,) = discover(make_clip(tmp_path / "clip", 8))
    frames = list(clip.frames())
    assert len(frames) == len(clip.truth) == 8
    for index, frame in enumerate(frames):
        left, top, _, _ = box_at(index)
        assert frame.flags.c_contiguous
        assert np.abs(frame.astype(int) - picture(left, top)).mean() < 6


def test_masks_are_read_by_frame_number(tmp_path):
    (clip,) = discover(make_clip(tmp_path / "clip", 3, absent=(1,), masks=True))
    mask = clip.mask(2)
    assert mask is not None
    left, top, w, h = box_at(2)
    assert mask.sum() == w * h
    assert mask[top : top + h, left : left + w].all()
    empty = clip.mask(1)
    assert empty is not None
    assert not empty.any()
    assert clip.mask(9) is None
    (tmp_path / "clip" / "masks" / "00002.png").write_bytes(b"no picture")
    with pytest.raises(SequenceError, match=r"00002\.png"):
        clip.mask(2)


def test_the_first_box_may_come_late(tmp_path):
    (clip,) = discover(make_clip(tmp_path / "late", 4, absent=(0, 1)))
    assert clip.first == 2
    assert labelled(clip.truth).tolist() == [False, False, True, True]
    (never,) = discover(make_clip(tmp_path / "never", 2, absent=(0, 1)))
    with pytest.raises(SequenceError, match="never"):
        _ = never.first


def test_what_is_no_video_is_named(tmp_path):
    (clip,) = discover(make_clip(tmp_path / "clip", 2))
    clip.media.write_bytes(b"not a video")
    with pytest.raises(SequenceError, match=r"video\.mp4 cannot be decoded"):
        list(clip.frames())


def test_boxes_in_the_dialects_of_the_field(tmp_path):
    path = tmp_path / "groundtruth.txt"
    path.write_text(
        "\ufeff1,2,3,4\n1.5\t2\t3\t4\n 1  2 3   4 \nNaN,NaN,NaN,NaN\nnan\n1;2;3;4\n1, 2, 3, 4,\n\n\n", "utf-8"
    )
    boxes = read_boxes(path)
    assert np.array_equal(boxes[[0, 2, 5, 6]], np.tile([1.0, 2, 3, 4], (4, 1)))
    assert boxes[1, 0] == 1.5
    assert np.isnan(boxes[3:5]).all()
    assert len(boxes) == 7


@pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5", "", "a,b,c,d", "1,2,inf,4"])
def test_a_wrong_line_is_named_with_its_number(tmp_path, line):
    path = tmp_path / "groundtruth.txt"
    path.write_text(f"1,2,3,4\n{line}\n1,2,3,4\n")
    with pytest.raises(SequenceError, match=r"groundtruth\.txt, line 2"):
        read_boxes(path)
