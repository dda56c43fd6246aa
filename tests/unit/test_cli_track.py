"""The command line's own part: asking, refusing in one sentence, painting the preview."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console
from session_fakes import FRAMES, FakeTrackers, square, write_clip

import main
from app.cli import headless
from app.cli.headless import INTERRUPTED, Task, parse_box, track_and_export
from app.cli.preview import bgr, paint
from app.formats.project import load_project
from app.model.tracks import Source, State
from app.scene import Dash, Label, MaskFill, Missing, Rect
from app.session import Session, SessionError
from tracker.api import Box, MaskPatch


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", hidden=range(12, 22))


@pytest.fixture
def trackers(monkeypatch: pytest.MonkeyPatch) -> FakeTrackers:
    """What every session of the command line gets for trackers."""
    fake = FakeTrackers()
    monkeypatch.setattr(headless, "Session", partial(Session, create_tracker=fake))
    return fake


def tracked(task: Task) -> dict[int, Box | None]:
    result = track_and_export(task, Console(quiet=True))
    assert result.status == 0
    return result.boxes


def test_a_run_writes_a_project_and_the_exports(clip: Path, tmp_path: Path, trackers: FakeTrackers):
    out = tmp_path / "out"
    boxes = tracked(Task(clip, square(0), out, until=8, formats=("coco", "vot"), label="cat"))
    assert boxes == {frame: square(frame) for frame in range(9)}
    doc = load_project(out / "clip.siamlabel")
    assert doc.tracks[1].label == "cat"
    assert [doc.tracks[1].frames[f].source for f in (0, 8)] == [Source.MANUAL, Source.TRACKER]
    assert doc.tracks[1].frames[8].mask is not None
    assert len(json.loads((out / "clip.coco.json").read_text())["annotations"]) == 9
    assert (out / "clip-vot" / "list.txt").is_file()
    assert not clip.with_suffix(".siamlabel").exists()


def test_backward_from_a_frame_without_masks(clip: Path, tmp_path: Path, trackers: FakeTrackers):
    boxes = tracked(Task(clip, square(10), tmp_path / "out", frame=10, until=2, step=-1, masks=False))
    assert sorted(boxes) == list(range(2, 11))
    assert load_project(tmp_path / "out" / "clip.siamlabel").tracks[1].frames[5].mask is None


def test_a_loss_ends_the_run_or_not(clip: Path, tmp_path: Path, trackers: FakeTrackers):
    boxes = tracked(Task(clip, square(0), tmp_path / "out"))
    assert max(boxes) == 15
    boxes = tracked(Task(clip, square(0), tmp_path / "out", keep_going=True))
    assert boxes[FRAMES - 1] == square(FRAMES - 1)
    frames = load_project(tmp_path / "out" / "clip.siamlabel").tracks[1].frames
    assert [f for f, seen in frames.items() if seen.state is State.LOST] == list(range(12, 22))


def test_keep_going_ends_when_the_object_never_comes_back(tmp_path: Path, trackers: FakeTrackers):
    clip = write_clip(tmp_path / "gone.mkv", hidden=range(20, FRAMES))
    boxes = tracked(Task(clip, square(0), tmp_path / "out", keep_going=True))
    assert (max(boxes), boxes[19], boxes[FRAMES - 1]) == (FRAMES - 1, square(19), None)


def test_a_project_beside_the_video_is_left_alone(clip: Path, tmp_path: Path, trackers: FakeTrackers):
    beside = clip.with_suffix(".siamlabel")
    beside.write_text("precious")
    tracked(Task(clip, square(0), tmp_path / "out", until=3))
    assert beside.read_text() == "precious"


def test_the_preview_shows_the_tracked_part(clip: Path, tmp_path: Path, trackers: FakeTrackers):
    preview = tmp_path / "deep" / "p.mp4"
    tracked(Task(clip, square(3), tmp_path / "out", frame=3, until=9, preview=preview))
    with av.open(str(preview)) as container:
        pictures = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
    assert len(pictures) == 7
    assert pictures[0].shape == (64, 96, 3)
    assert [p.name for p in preview.parent.iterdir()] == ["p.mp4"]


def test_an_interrupt_keeps_and_exports_what_was_computed(
    clip: Path, tmp_path: Path, trackers: FakeTrackers, monkeypatch: pytest.MonkeyPatch
):
    class Impatient(Session):
        def track(self, *args: int, **more: int | None):  # type: ignore[override]
            super().track(*args, **more)
            self.wait(lambda: self.run is None or self.run.frame >= 3)
            raise KeyboardInterrupt

    monkeypatch.setattr(headless, "Session", partial(Impatient, create_tracker=trackers))
    result = track_and_export(Task(clip, square(0), tmp_path / "out"), Console(quiet=True))
    assert result.status == INTERRUPTED
    assert len(result.boxes) > 3
    assert (tmp_path / "out" / "clip.coco.json").is_file()


def test_boxes_are_read_from_text():
    assert parse_box("1,2.5,30,40") == Box(1, 2.5, 30, 40)
    assert parse_box(" -3, 2, 30, 40 ") == Box(-3, 2, 30, 40)
    for bad in ("", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4"):
        with pytest.raises(SessionError, match="is not a box"):
            parse_box(bad)
    for bad in ("1,2,0,4", "1,2,3,-4", "1,2,nan,4", "inf,2,3,4"):
        with pytest.raises(SessionError, match="has no area"):
            parse_box(bad)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.mp4", "--box", "1,2,3,4"], "does not exist"),
        (["CLIP", "--box", "1,2,3"], "is not a box"),
        (["CLIP", "--box", "1,2,0,9"], "has no area"),
        (["CLIP", "--box", "500,2,9,9"], "covers nothing of the picture (96 x 64)"),
        (["CLIP", "--box", "1,2,9,9", "--tracker", "crystal-ball"], "no tracker named “crystal-ball”"),
        (["CLIP", "--box", "1,2,9,9", "--format", "papyrus"], "no format 'papyrus'"),
        (["CLIP", "--box", "1,2,9,9", "--frame", "99"], "--frame 99 is outside the clip, which has frames 0 to 35"),
        (["CLIP", "--box", "1,2,9,9", "--until", "99"], "--until 99 is outside the clip"),
        (["CLIP", "--box", "1,2,9,9", "--frame", "5", "--until", "5"], "does not lie after"),
        (["CLIP", "--box", "1,2,9,9", "--preview", "x.txt"], "ending .mp4"),
        (["CLIP", "--box", "1,2,9,9", "--out", "CLIP"], "cannot be made"),
        (["CLIP", "--box", "1,2,9,9", "--frame", "0", "--backward"], "first frame"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_sentence(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
):
    arguments = [str(clip) if a == "CLIP" else a for a in arguments]
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "out")]
    assert main.main(["track", *arguments, *out]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith("siamlabel: ")
    assert error.count("\n") == 1


def test_info_says_what_is_here(capsys: pytest.CaptureFixture[str]):
    assert main.main(["info"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("torch", "Device", "siamatt-mobile", "Log", "Settings"))


def test_painting():
    image = np.full((100, 120, 3), 128, np.uint8)
    patch = MaskPatch(70, 60, np.ones((10, 20), bool))
    shapes = (
        MaskFill(patch, "#ff0000", 0.5, 1),
        Rect(Box(10, 40, 80, 50), "#00ff00", Dash.SOLID, 1),
        Rect(Box(20, 50, 40, 30), "#0000ff", Dash.DASHED, 2),
        Label("cat 1 · 0.90", Box(10, 40, 80, 50), "#ffffff", 1),
        Missing(None, "lost", "#ffffff", 3),
        Missing(Box(-50, -50, 1, 1), "lost", "#ffffff", 3),
    )
    painted = paint(image, shapes)
    assert (image == 128).all(), "the frame itself is never painted on"
    assert bgr("#123456") == (0x56, 0x34, 0x12)
    red = painted[65, 85]
    assert red[2] > red[0]
    assert tuple(painted[89, 90]) != (128, 128, 128)
    solid = painted[90, 12:88, 1].astype(int) > painted[90, 12:88, 0]
    assert solid.all()
    dashed = painted[80, 22:58, 0].astype(int) > painted[80, 22:58, 1]
    assert 0 < dashed.sum() < len(dashed)
