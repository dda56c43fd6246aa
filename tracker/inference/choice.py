"""Which engine runs a network."""

from __future__ import annotations

import logging

import torch
from torch import nn

from tracker.api import TrackerError
from tracker.config import TrackConfig
from tracker.inference import openvino
from tracker.inference.cuda import CudaEngine
from tracker.inference.engine import Engine, TorchEngine

log = logging.getLogger(__name__)
ENGINES = ("auto", "torch", "openvino")


def make(engine: str, net: nn.Module, device: str, track: TrackConfig) -> Engine:
    """An engine for ``net`` on ``device``.

    ``auto``: the embedded tracker on a CPU runs through OpenVINO where that is installed, all else through torch: the
    papers' networks gain little for the time they take to compile. On CUDA in half precision, recorded.
    Raises `TrackerError` when the engine asked for is
    unknown, is not installed or cannot serve the device.
    """
    if engine not in ENGINES:
        raise TrackerError(f"There is no engine “{engine}”; there are: {', '.join(ENGINES)}.")
    if engine == "openvino":
        if device != "cpu":
            raise TrackerError(
                f"The engine openvino runs on the CPU, not on {device}. Choose device cpu or engine auto."
            )
        if not openvino.installed():
            raise TrackerError("OpenVINO is not installed. Run: pip install openvino, or choose engine torch.")
    light = device == "cpu" and getattr(net.config, "architecture", "") == "siamatt-mobile"
    if engine == "openvino" or (engine == "auto" and light and openvino.installed()):
        try:
            return openvino.OpenVinoEngine(net, track)
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:  # a converter fails in many ways, and torch runs everything
            log.warning("OpenVINO cannot run this network, torch does: %s", error)
    if engine == "auto" and device.startswith("cuda"):
        return CudaEngine(net, device, track)
    return TorchEngine(net, device, track)
