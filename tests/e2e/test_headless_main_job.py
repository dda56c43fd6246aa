"""The main job through the real entry, with a real tracker, on a rendered clip: nothing is faked here."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from session_fakes import saved

import main
from app.model.geometry import iou
from app.session import Session
from app.settings import Settings
from tracker.api import Box

FRAMES = 24
SIZE = (240, 320)  # height, width


def target(frame: int) -> Box:
    return Box(60 + 4 * frame, 70 + 2 * frame, 56, 44)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A textured patch that wanders over a textured ground."""
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(0, 150, (*SIZE, 3), np.uint8), (0, 0), 6)
    patch = cv2.GaussianBlur(rng.integers(60, 256, (44, 56, 3), np.uint8), (0, 0), 2)
    patch = cv2.normalize(patch, None, 40, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    path = tmp_path_factory.mktemp("clip") / "wander.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for frame in range(FRAMES):
            x, y, w, h = (int(v) for v in target(frame))
            image = ground.copy()
            image[y : y + h, x : x + w] = patch
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def box_argument(frame: int) -> str:
    return ",".join(f"{v:g}" for v in target(frame))


@pytest.mark.parametrize("tracker", ["default", "opencv-csrt"])
def test_track_export_and_look_at_it(clip: Path, tmp_path: Path, tracker: str):
    out = tmp_path / "out"
    arguments = ["--box", box_argument(0), "--tracker", tracker, "--format", "coco", "--format", "vot"]
    assert main.main(["track", str(clip), *arguments, "--out", str(out), "--preview", str(out / "p.mp4")]) == 0
    data = COCO(str(out / "wander.coco.json"))
    boxes = {data.imgs[a["image_id"]]["frame_id"]: Box(*a["bbox"]) for a in data.anns.values()}
    assert len(boxes) == FRAMES
    overlaps = [iou(box, target(frame)) for frame, box in boxes.items()]
    assert np.mean(overlaps) > 0.6, overlaps
    (truth,) = (out / "wander-vot").glob("**/groundtruth.txt")
    assert len(truth.read_text().splitlines()) == FRAMES
    with av.open(str(out / "p.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_label_correct_track_on_save_reopen_export(clip: Path, tmp_path: Path):
    """What a person does in the window, without one: drift, correction, re-tracking, a second sitting, export."""
    session = Session(Settings(tracker="opencv-csrt"))
    session.wait(session.open(clip))
    session.add_object(target(0), "patch")
    session.wait(session.track(until=12))
    session.seek(10)
    session.set_box(target(10))
    session.wait(session.track())
    session.seek(FRAMES - 1)
    session.wait(session.track(-1, mode="replace"))
    assert session.frame == 11, "the run backward ends at the correction"
    project = saved(session, tmp_path / "work.siamlabel")
    session.close()

    again = Session()
    again.wait(again.open(project))
    track = again.document.tracks[1]
    assert len(track.frames) == FRAMES
    assert track.keyframes() == [0, 10]
    assert np.mean([iou(track.frames[f].box or Box(0, 0, 0, 0), target(f)) for f in range(FRAMES)]) > 0.6
    again.wait(again.export("coco", tmp_path / "labels.json"))
    again.close()
    assert len(json.loads((tmp_path / "labels.json").read_text())["annotations"]) == FRAMES
