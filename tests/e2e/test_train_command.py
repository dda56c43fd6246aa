"""`main.py train` on a handful of crops: it learns, saves, resumes, and its weights open as the embedded tracker."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from main import main
from tracker import registry
from tracker.api import Box
from tracker.models import siamrpn
from tracker.models.resnet import ResNet50


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
    (root / "toys.json").write_text(
        json.dumps({"size": 431, "exemplar": 127, "masks": False, "videos": {"v": {"00": frames}}})
    )
    return root


def test_train_saves_weights_that_track(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    threads = torch.get_num_threads()
    command = ["train", str(data), "--out", str(out), "--sets.toys", "1", "--batch", "2", "--workers", "0"]
    try:
        assert main([*command, "--steps", "1", "--device", "cpu", "--threads", "1"]) == 0
        assert "after 1 steps" in capsys.readouterr().out
        assert main([*command, "--steps", "2", "--device", "cpu"]) == 0
    finally:
        torch.set_num_threads(threads)
    assert "after 2 steps" in capsys.readouterr().out
    tracker = registry.create("siamatt-mobile", "cpu", weights=out / "weights.safetensors")
    image = np.zeros((120, 160, 3), np.uint8)
    assert tracker.start(image, Box(40, 40, 30, 30)).step(image).mask is not None


def test_train_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(tmp_path), "--out", str(tmp_path / "run"), "--sets.toys", "1", "--device", "cpu"]) == 2
    assert "toys.json" in capsys.readouterr().err


def test_the_mask_branch_is_trained_on_given_weights(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(data), "--out", str(tmp_path / "run"), "--preset", "siamatt-mobile-masks"]
    command += ["--sets.toys", "1", "--steps", "1", "--batch", "2", "--workers", "0", "--device", "cpu"]
    assert main(command) == 2
    assert "--start" in capsys.readouterr().err
    weights = registry.weight_files("siamatt-mobile")[0]
    assert main([*command, "--start", str(weights)]) == 2
    assert "no masks" in capsys.readouterr().err
    for frame in range(2):
        mask = np.zeros((431, 431), np.uint8)
        mask[190:240, 180:250] = 255
        cv2.imwrite(str(data / "crops" / "toys" / "v" / f"{frame:06d}.00.m.png"), mask)
    index = data / "toys.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"masks": True}))
    assert main([*command, "--start", str(weights), "--pictures", "1"]) == 0
    assert (tmp_path / "run" / "pictures" / "0000001.jpg").is_file()
    tracker = registry.create("siamatt-mobile", "cpu", weights=tmp_path / "run" / "weights.safetensors", engine="torch")
    assert tracker.start(np.zeros((120, 160, 3), np.uint8), Box(40, 40, 30, 30))


def test_a_preset_trains_resumes_and_logs(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On several folders of crop sets, with a backbone a sixteenth as wide to be quick."""
    monkeypatch.setitem(siamrpn.BACKBONES, "resnet50", partial(ResNet50, width=4))
    out = tmp_path / "run"
    (tmp_path / "more").mkdir()
    command = ["train", str(data), str(tmp_path / "more"), "--out", str(out), "--preset", "siamatt-r50"]
    command += ["--batch", "2", "--workers", "0", "--device", "cpu", "--no-tensorboard", "--save-every", "1"]
    command += ["--label-grid", "paper", "--reach.toys", "1"]
    assert main([*command, "--steps", "1", "--pictures", "1"]) == 0
    assert (out / "pictures" / "0000001.jpg").is_file()
    assert main([*command, "--steps", "2", "--pictures", "0"]) == 0
    assert "after 2 steps" in capsys.readouterr().out
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert {"cls", "loc", "att", "off", "rate"} <= rows[0].keys()
    tracker = registry.create("siamatt-r50", "cpu", weights=out / "weights.safetensors")
    image = np.zeros((120, 160, 3), np.uint8)
    assert tracker.start(image, Box(40, 40, 30, 30)).step(image).box.w > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "siamrpnpp-r18"], "siamrpnpp-r50"),
        (["--preset", "siammask-r50-refine"], "--start"),
        (["--preset", "siamrpnpp-alex", "--sets.films", "3"], "films.json"),
        (["--preset", "siamrpnpp-alex", "--backbone", "nothing.safetensors"], "nothing.safetensors"),
    ],
)
def test_train_says_what_a_preset_lacks(
    options: list[str], message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(data), "--out", str(tmp_path / "run"), "--device", "cpu", "--workers", "0"]
    assert main([*command, *options]) == 2
    assert message in capsys.readouterr().err
