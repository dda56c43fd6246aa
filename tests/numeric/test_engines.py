"""The CPU engine answers as torch does, on the shipped weights; which engine is chosen, and what is said without it."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from main import main
from tracker import registry
from tracker.api import Box, Image, TrackerError
from tracker.boxes import iou
from tracker.config import NetConfig, TrackConfig
from tracker.inference import choice, openvino, outlines
from tracker.inference.engine import Answer, Square, TorchEngine
from tracker.models.heads import windows
from tracker.models.siamatt_mobile import SiamAttMobile

HAS_WHEELS = sys.platform != "darwin" and platform.machine() in ("x86_64", "AMD64")
fast = pytest.mark.skipif(not HAS_WHEELS, reason="needs Linux or Windows on x86, where bootstrap.py installs OpenVINO")
BOXES = [Box(60, 50, 60, 40), Box(150, 90, 40, 70), Box(10, 120, 50, 50)]
FILL = np.array([100, 110, 120], np.uint8)


def picture() -> Image:
    coarse = np.random.default_rng(4).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)


def ask(engine: TorchEngine, image: Image) -> tuple[Answer, list[np.ndarray]]:
    """Answer, and masks drawn with and without a memory, for all `BOXES` in one batch."""
    exemplars, _ = engine.cut(image, [Square(b.cx, b.cy, 2 * b.w) for b in BOXES], 127, [FILL] * 3, "area")
    searches, _ = engine.cut(image, [Square(b.cx + 5, b.cy, 4 * b.w) for b in BOXES], 255, [FILL] * 3, "area")
    kernels = engine.join([engine.embed(exemplars[i : i + 1]) for i in range(3)])
    answer = engine.match(kernels, searches)
    of = [outlines.Outline() for _ in BOXES]
    fresh = outlines.draw(engine, image, BOXES, of, [FILL] * 3, "area")
    for outline, drawn, box in zip(of, fresh, BOXES, strict=True):
        outline.first = drawn.memory()
        outline.last = drawn.heat, box.cx, box.cy
    again = outlines.draw(engine, image, BOXES, of, [FILL] * 3, "area")
    return answer, [np.stack([drawn.heat.values for drawn in found]) for found in (fresh, again)]


@fast
@pytest.mark.parametrize("exact", [True, False])
def test_openvino_equals_torch(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In full precision to rounding, in that of the processor, which may be bfloat16, on average."""
    most, mean = (1e-3, 1e-3) if exact else (1.0, 0.03)
    if exact:
        monkeypatch.setattr(openvino, "precision", lambda: "f32")
    image = picture()
    slow = registry.create("siamatt-mobile", "cpu", engine="torch")
    quick = registry.create("siamatt-mobile", "cpu")
    assert type(slow.engine) is TorchEngine
    assert isinstance(quick.engine, openvino.OpenVinoEngine)
    (wanted, wanted_masks), (found, found_masks) = ask(slow.engine, image), ask(quick.engine, image)
    for name, a, b in zip(wanted.scores._fields, wanted.scores, found.scores, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), name
        apart = np.abs(a - b) / (1 + np.abs(a))
        assert a.size == 0 or (apart.max() < most and apart.mean() < mean), name
    for a, b in zip(wanted_masks, found_masks, strict=True):
        assert b.dtype == np.float32
        assert np.abs(a - b).max() < most
        assert np.abs(a - b).mean() < mean
        assert a.max() > 0.5  # not a comparison of nothing with nothing
    again, _ = ask(quick.engine, image)
    assert all(np.array_equal(a, b) for a, b in zip(found.scores, again.scores, strict=True))


@fast
def test_both_engines_follow_alike() -> None:
    """What the processor's own precision does to scores does not move boxes."""
    trackers = [registry.create("siamatt-mobile", "cpu", engine=engine) for engine in ("torch", "openvino")]
    ground = cv2.resize(picture(), (640, 480), interpolation=cv2.INTER_CUBIC) // 2 + 60
    shape = np.random.default_rng(8).integers(0, 256, (4, 5, 3), np.uint8)
    frames, at = [], [(100 + 7 * i, 120 + 4 * i) for i in range(30)]
    for x, y in at:
        frames.append(ground.copy())
        frames[-1][y : y + 60, x : x + 75] = cv2.resize(shape, (75, 60), interpolation=cv2.INTER_NEAREST)
    targets = [tracker.start(frames[0], Box(*at[0], 75, 60)) for tracker in trackers]
    for frame, place in zip(frames[1:], at[1:], strict=True):
        torch_box, quick_box = (np.array(target.step(frame, want_mask=False).box) for target in targets)
        assert iou(torch_box, np.array([*place, 75, 60])) > 0.7
        assert iou(torch_box, quick_box) > 0.85


@fast
def test_the_precision_is_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    class Core:
        def get_property(self, device: str, name: str) -> list[str]:
            return told

    monkeypatch.setattr(openvino, "_openvino", lambda: SimpleNamespace(Core=Core))
    told = ["FP32", "INT8"]
    assert openvino.precision() == "f32"
    told = ["BF16", "FP32", "INT8"]
    assert openvino.precision() == "bf16"


@fast
def test_a_compiled_network_is_kept_and_a_damaged_one_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "_ready", {})
    net = SiamAttMobile(NetConfig(channels=8))
    engine = openvino.OpenVinoEngine(net, TrackConfig())
    files = sorted(registry.engines_home().glob("*"))
    assert [file.suffix for file in files] == [".blob"] * 3
    openvino._ready.clear()
    with monkeypatch.context() as patch:
        patch.setattr(openvino, "_converted", lambda *_: pytest.fail("compiled again"))
        kept = openvino.OpenVinoEngine(net, TrackConfig())
    for file in files:
        file.write_bytes(file.read_bytes()[:-100])
    openvino._ready.clear()
    made = openvino.OpenVinoEngine(net, TrackConfig())
    answers = [ask(e, picture()) for e in (engine, kept, made)]
    for answer, masks in answers[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(masks, answers[0][1], strict=True))
        assert np.array_equal(answer.scores.loc, answers[0][0].scores.loc)


@fast
def test_importing_openvino_does_not_load_its_telemetry() -> None:
    openvino._openvino()
    assert sys.modules["openvino_telemetry"] is None


@pytest.mark.expected_logs("OpenVINO cannot run this network")
def test_a_network_that_cannot_be_converted_runs_on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(net: nn.Module, track: TrackConfig) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(openvino, "installed", lambda: True)
    monkeypatch.setattr(openvino, "OpenVinoEngine", refuse)
    net = SiamAttMobile(NetConfig(channels=8))
    assert type(choice.make("auto", net, "cpu", TrackConfig())) is TorchEngine


def test_an_engine_that_is_not_there_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    net = SiamAttMobile(NetConfig(channels=8))
    monkeypatch.setattr(openvino, "installed", lambda: False)
    assert type(choice.make("auto", net, "cpu", TrackConfig())) is TorchEngine
    with pytest.raises(TrackerError, match="pip install openvino"):
        choice.make("openvino", net, "cpu", TrackConfig())
    with pytest.raises(TrackerError, match="not on cuda"):
        choice.make("openvino", net, "cuda", TrackConfig())
    with pytest.raises(TrackerError, match="auto, torch, openvino"):
        choice.make("tensorrt", net, "cpu", TrackConfig())


def test_windows_are_those_of_the_padded_map() -> None:
    features = torch.arange(2 * 3 * 20 * 20, dtype=torch.float32).reshape(2, 3, 20, 20)
    for side, margin in ((7, 0), (9, 4), (15, 12)):
        padded = nn.functional.pad(features, (margin, margin + side, margin, margin + side))
        for row, column in ((0, 0), (0, 19), (19, 5), (8, 8)):
            found = windows(features, torch.tensor([row, 3]), torch.tensor([column, 4]), side, margin)
            assert torch.equal(found[0], padded[0, :, row : row + side, column : column + side])
            assert torch.equal(found[1], padded[1, :, 3 : 3 + side, 4 : 4 + side])


def test_bench_prints_and_writes_every_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "speed.json"
    command = ["bench", "trackers", "--tracker", "default", "opencv-kcf", "--engine", "torch", "--targets", "1", "2"]
    assert main([*command, "--repeats", "1", "--frames", "2", "--size", "320x240", "--json", str(out)]) == 0
    rows = json.loads(out.read_text())
    lines = [(row["tracker"], row["engine"], row["targets"], row["masks"]) for row in rows]
    own = [("siamatt-mobile", "torch", n, masks) for n in (1, 2) for masks in (False, True)]
    assert lines == [*own, ("opencv-kcf", "opencv", 1, False), ("opencv-kcf", "opencv", 2, False)]
    assert all(row["frames_per_second"] > 0 for row in rows)
    assert [row["forward_ms"] is None for row in rows] == [False] * 4 + [True] * 2
    assert "siamatt-mobile" in capsys.readouterr().out
    assert main(["bench", "trackers", "--size", "wide"]) == 2
    assert "1280x720" in capsys.readouterr().err
