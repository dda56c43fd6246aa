"""`main.py ablate` in miniature: three runs on one budget, a table, and only the modules differ."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from main import main
from tracker import checkpoint
from tracker.models import siamrpn
from tracker.models.resnet import ResNet50
from tracker.training.ablation import Row, table


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    folder = root / "crops" / "toys" / "v"
    folder.mkdir(parents=True)
    frames = {}
    for frame in range(2):
        picture = np.random.default_rng(frame).integers(0, 256, (431, 431, 3), np.uint8)
        cv2.imwrite(str(folder / f"{frame:06d}.00.x.png"), picture)
        frames[f"{frame:06d}"] = [180.0, 190.0, 250.0, 240.0]
    index = {"size": 431, "exemplar": 127, "masks": False, "videos": {"v": {"00": frames}}}
    (root / "toys.json").write_text(json.dumps(index))
    return root


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips" / "toy"
    folder.mkdir(parents=True)
    with av.open(str(folder / "video.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for i in range(2):
            picture = np.full((128, 160, 3), 80, np.uint8)
            picture[40:80, 50 + 4 * i : 90 + 4 * i] = (30, 40, 220)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    (folder / "groundtruth.txt").write_text("".join(f"{50 + 4 * i},40,40,40\n" for i in range(2)))
    return tmp_path / "clips"


@pytest.mark.parametrize("network", ["mobile", "r50"])
def test_ablate_trains_three_variants_and_tells_them_apart(
    network: str,
    data: Path,
    clips: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # compiling each variant's network takes longer than this test's few frames
    monkeypatch.setattr("tracker.inference.openvino.installed", lambda: False)
    if network == "r50":  # its training is shown, measuring is the same for both
        monkeypatch.setitem(siamrpn.BACKBONES, "resnet50", partial(ResNet50, width=4))
        monkeypatch.setattr("tracker.cli.ablating._measure", lambda variant, *rest: Row(variant.title, 0.5, 0.5, 0.5))
    out = tmp_path / "out"
    command = ["ablate", str(data), "--clips", str(clips), "--out", str(out), "--network", network, "--steps", "1"]
    command += ["--batch", "2", "--device", "cpu", "--workers", "0", "--sets.toys", "1"]
    assert main(command) == 0
    text = (out / "ablation.md").read_text()
    assert text.strip() in capsys.readouterr().out
    assert "| + attention + offset |" in text
    rows = json.loads((out / "ablation.json").read_text())
    assert [row["title"] for row in rows] == ["baseline", "+ attention", "+ attention + offset"]
    logs = {}
    for name in ("baseline", "attention", "offset"):
        (line,) = (out / name / "log.jsonl").read_text().splitlines()
        logs[name] = json.loads(line)
    assert "att" not in logs["baseline"]
    assert "att" in logs["attention"]
    assert "off" not in logs["attention"]
    assert "off" in logs["offset"]
    # the same start and the same samples
    assert logs["baseline"]["cls"] == logs["attention"]["cls"] == logs["offset"]["cls"]
    begun = [checkpoint.tensors(out / name / "weights.safetensors") for name in ("baseline", "offset")]
    assert begun[0].keys() == begun[1].keys()


def test_the_table_shows_differences_to_the_baseline() -> None:
    rows = [Row("baseline", 0.5, 0.6, 0.4), Row("+ attention", 0.525, 0.61, 0.41)]
    text = table(rows, "Heading", ["a remark"])
    assert "| baseline | 0.500 |  | 0.600 | 0.400 |" in text
    assert "| + attention | 0.525 | +0.025 | 0.610 | 0.410 |" in text
    assert text.endswith("- a remark\n")


def test_ablate_refuses_what_the_network_cannot(
    data: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["ablate", str(data), "--clips", str(clips), "--out", str(tmp_path / "out"), "--steps", "1"]
    assert main([*command, "--label-grid", "paper"]) == 2
    assert "--network r50" in capsys.readouterr().err
