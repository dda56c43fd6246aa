"""The CUDA engine's own code, on the CPU: cutting, recording with a stand-in, the trial of half precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tracker import crops
from tracker.api import Box, OutOfDeviceMemory
from tracker.config import NetConfig, TrackConfig
from tracker.inference.cuda import CudaEngine, cut_on
from tracker.inference.engine import Square, TorchEngine
from tracker.inference.siamese import SiameseTracker
from tracker.models.siamatt_mobile import SiamAttMobile

RNG = np.random.default_rng(7)
IMAGE = RNG.integers(0, 256, (90, 120, 3), np.uint8)
FILL = np.array([12, 200, 90], np.uint8)


@given(
    st.floats(-30, 150),
    st.floats(-30, 120),
    st.floats(2, 400),
    st.sampled_from([31, 64]),
    st.sampled_from(["area", "bilinear"]),
)
@settings(max_examples=150, deadline=None)
def test_squares_cut_on_the_device_equal_those_cut_by_opencv(
    cx: float, cy: float, side: float, size: int, sampling: crops.Sampling
) -> None:
    expected, crop = crops.cut(IMAGE, cx, cy, side, size, FILL, sampling)
    found, cut = cut_on(torch.from_numpy(IMAGE), [Square(cx, cy, side)], size, [FILL], sampling)
    assert cut == [crop]
    assert found.dtype == torch.uint8
    assert np.abs(found[0].numpy().astype(int) - expected).max() <= 1


def network() -> SiamAttMobile:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return SiamAttMobile(NetConfig(channels=8))


class Recorder:
    """Stands in for a CUDA graph: runs the work again into the same output memory."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def __call__(self, work: Callable[[], tuple[Tensor, ...]]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
        self.recorded += 1
        outputs = work()

        def replay() -> None:
            self.replayed += 1
            for own, new in zip(outputs, work(), strict=True):
                own.copy_(new)

        return replay, outputs


def frames(count: int = 3) -> list[np.ndarray]:
    return [np.ascontiguousarray(np.roll(np.kron(IMAGE, np.ones((2, 2, 1), np.uint8)), 2 * i, 1)) for i in range(count)]


def follow(engine: TorchEngine, batch: int = 1) -> list[list]:
    # what learns online makes much of a single grey level, and untrained networks of everything
    tracker = SiameseTracker("test", engine, replace(TrackConfig(), online_weight=0.0, calibration=0.0))
    first, *rest = frames()
    targets = [tracker.start(first, Box(60 + 20 * i, 50, 40, 36)) for i in range(batch)]
    return [tracker.step(image, targets) for image in rest]


def test_recorded_passes_answer_as_plain_ones_and_are_recorded_once_a_size() -> None:
    recorder = Recorder()
    engine = CudaEngine(network(), "cpu", TrackConfig(), half=False, recorder=recorder)
    plain = TorchEngine(network(), "cpu", TrackConfig())
    for batch in (1, 3, 1):
        for ours, theirs in zip(follow(engine, batch), follow(plain, batch), strict=True):
            for one, other in zip(ours, theirs, strict=True):
                assert one.box == pytest.approx(other.box, abs=0.5)
                # the fused map jumps where an untrained attention's flat peaks come and go
                for name in ("classification", "attention"):
                    assert np.allclose(one.heat[name].values, other.heat[name].values, atol=2e-2)
                assert isinstance(one.search, np.ndarray)
    assert recorder.recorded == 2
    assert recorder.replayed == 6


def test_answers_do_not_share_the_recorded_memory() -> None:
    engine = CudaEngine(network(), "cpu", TrackConfig(), half=False, recorder=Recorder())
    kernels = engine.embed(np.zeros((1, 127, 127, 3), np.uint8))
    first = engine.match(kernels, RNG.integers(0, 256, (1, 255, 255, 3), np.uint8))
    before = first.scores.foreground.copy()
    engine.match(kernels, RNG.integers(0, 256, (1, 255, 255, 3), np.uint8))
    assert np.array_equal(first.scores.foreground, before)


def test_a_pass_that_cannot_be_recorded_runs_plainly() -> None:
    def refuse(work: Callable[[], tuple[Tensor, ...]]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
        raise RuntimeError("operation not permitted when stream is capturing")

    engine = CudaEngine(network(), "cpu", TrackConfig(), half=False, recorder=refuse)
    assert len(follow(engine)) == 2


def test_a_full_device_is_said_so_while_recording() -> None:
    def full(work: Callable[[], tuple[Tensor, ...]]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfDeviceMemory, match="CPU"):
        follow(CudaEngine(network(), "cpu", TrackConfig(), half=False, recorder=full))


def test_half_precision_is_tried_and_left_when_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CudaEngine(network(), "cpu", TrackConfig(), recorder=None).half
    monkeypatch.setattr("tracker.inference.cuda.HALF_ERROR", 1e-9)
    assert not CudaEngine(network(), "cpu", TrackConfig(), recorder=None).half
