"""``main.py import-weights`` from end to end: what it prints, where it writes, and that the tracker then runs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import published_weights as published
import pytest
import torch

import main
from tracker import registry
from tracker.api import Box


@pytest.fixture
def siammask(tmp_path: Path) -> Path:
    names = published.in_siammasks_repository(published.siammask())
    state = published.cheap(published.siammask())
    path = tmp_path / "SiamMask_VOT.pth"
    torch.save({"epoch": 18, "state_dict": {f"module.{new}": state[old] for old, new in names}}, path)
    return path


@pytest.fixture
def alex(tmp_path: Path) -> Path:
    path = tmp_path / "model.pth"
    state = published.real(published.ALEX)
    state["rpn_head.loc.head.3.weight"] *= 1e-3  # boxes near their anchors, as of a trained network
    torch.save(state, path)
    return path


def run(*arguments: object) -> int:
    return main.main(["import-weights", *map(str, arguments)])


def test_imported_weights_are_found_by_the_tracker(alex: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not registry.info("siamrpnpp-alex").ready
    assert run(alex, "--as", "siamrpnpp-alex", "--licence", "CC BY-SA 3.0") == 0
    out = Path(os.environ["SIAMLABEL_HOME"]) / "weights" / "siamrpnpp-alex.safetensors"
    printed = capsys.readouterr().out
    assert f"{out} (25." in printed
    assert "--weights" not in printed
    info = registry.info("siamrpnpp-alex")
    assert (info.ready, info.licence) == (True, "CC BY-SA 3.0")

    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    tracker = registry.create("siamrpnpp-alex", device="cpu")
    target = tracker.start(image, Box(120, 80, 60, 60))
    assert np.isfinite(tracker.step(image, [target])[0].box).all()


def test_a_dry_run_reports_and_writes_nothing(siammask: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(siammask.parent.iterdir())
    assert run(siammask, "--as", "siammask-r50", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "SiamMask_VOT.pth (SiamMask's repository) as siammask-r50" in printed
    assert "│ mapped     │   356 │" in printed
    assert "module.features.features.conv1.weight → backbone.conv1.weight" in printed
    assert "refine_head.post2.weight" not in printed
    assert "can be imported as siammask-r50; nothing was written" in printed
    assert sorted(siammask.parent.iterdir()) == before
    assert not registry.weights_home().exists()


def test_verbose_names_every_tensor(siammask: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(siammask, "--as", "siammask-r50", "--dry-run", "--verbose") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in published.siammask())


def test_out_is_told_how_to_be_used(alex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "alex.safetensors"
    assert run(alex, "--as", "siamrpnpp-alex", "--half", "--out", out) == 0
    assert f"--tracker siamrpnpp-alex --weights {out}" in capsys.readouterr().out
    assert out.stat().st_size < 13e6


def test_what_does_not_fit_is_reported_and_refused(siammask: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(siammask, "--as", "siamrpnpp-r50") == main.USER_ERROR
    told = capsys.readouterr()
    assert "This looks like siammask-r50; use --as siammask-r50." in told.err
    assert len(told.err.splitlines()) == 1
    for kind in ("missing", "unexpected"):
        assert f"│ {kind} " in told.out
    assert "module.features.downsample." in told.out
    assert not registry.weights_home().exists()


@pytest.mark.parametrize(
    ("out", "words"),
    [("alex.pth", "ends in .safetensors"), ("folder.safetensors", "cannot be written"), ("model.pth/x", "cannot be")],
)
def test_where_nothing_can_be_written(
    out: str, words: str, alex: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    assert run(alex, "--as", "siamrpnpp-alex", "--out", tmp_path / out) == main.USER_ERROR
    assert words in capsys.readouterr().err


def test_a_backbone_is_no_tracker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(published.cheap(published.torchvision_resnet50()), tmp_path / "resnet50-0676ba61.pth")
    out = tmp_path / "resnet50.safetensors"
    assert run(tmp_path / "resnet50-0676ba61.pth", "--as", "resnet50-backbone", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "--tracker" not in printed
    assert "fc.weight" in printed
    assert out.is_file()
