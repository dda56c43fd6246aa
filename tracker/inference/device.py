"""Which device to compute on, and what to say when its memory is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from tracker.api import OutOfDeviceMemory, TrackerError

T = TypeVar("T")


def pick_device(device: str) -> str:
    """Resolve ``auto`` to the best device here; raises `TrackerError` when the one asked for is not available."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available.get(device.split(":")[0], False):
        usable = ", ".join(name for name, there in available.items() if there)
        raise TrackerError(f"Device '{device}' is not available on this machine. Use one of: auto, {usable}.")
    return device


def on_device(device: str, work: Callable[[], T]) -> T:
    """Do ``work`` without gradients, whichever thread runs it: an outer ``no_grad`` does not reach other threads.

    Raises `OutOfDeviceMemory` when the accelerator's memory is full.
    """
    try:
        with torch.inference_mode():
            return work()
    except torch.OutOfMemoryError as error:
        message = f"The memory of {device} is full. Close other programs or track on the CPU."
        raise OutOfDeviceMemory(message) from error
