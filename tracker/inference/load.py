"""Making a tracker: network, weights, engine, hyper-parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tracker import checkpoint
from tracker.api import TrackerError
from tracker.config import NetConfig
from tracker.inference.device import on_device, pick_device
from tracker.inference.engine import TorchEngine
from tracker.inference.siamese import SiameseTracker
from tracker.models.build import build
from tracker.registry import weight_files
from tracker.zoo import ZOO

SEED = 20
"""Of untrained weights, so that two people who look at the mechanics see the same."""


def create(
    device: str = "auto",
    *,
    name: str,
    weights: Path | str | None = None,
    untrained: bool = False,
    profile: str | None = None,
    **overrides: Any,
) -> SiameseTracker:
    """Load a tracker of the zoo. ``overrides`` replace fields of `TrackConfig`, after those of ``profile``.

    Raises `TrackerError` when the weights are missing (and random ones were not asked for) or do not fit, the profile
    or the device is not there, and `OutOfDeviceMemory` when they do not fit on it.
    """
    published = ZOO[name]
    profile = profile or next(iter(published.profiles))
    if profile not in published.profiles:
        known = ", ".join(published.profiles)
        raise TrackerError(f"{name} has no profile “{profile}”; it has: {known}.")
    config = replace(published.profiles[profile], **overrides)
    chosen = pick_device(device)
    net = _untrained(name, published.net) if untrained else _trained(name, weights, published.net)
    label = f"{name} (untrained)" if untrained else name
    return on_device(chosen, lambda: SiameseTracker(label, TorchEngine(net, chosen, config), config))


def _untrained(name: str, config: NetConfig) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return build(config, attentive=name.startswith("attsiammask"))


def _trained(name: str, weights: Path | str | None, expected: NetConfig) -> torch.nn.Module:
    files = weight_files(name, weights=weights)
    path = next((file for file in files if file.is_file()), files[0])
    if not path.is_file() and weights is None:
        raise TrackerError(
            f"{name} has no weights here. Import published ones (main.py import-weights FILE --as {name}), train it, "
            "or ask for random ones with --untrained to look at the mechanics."
        )
    config = checkpoint.config_of(checkpoint.metadata(path), path)
    checkpoint.require(config, expected, path)
    net = build(config, attentive=name.startswith("attsiammask"))
    checkpoint.load(net, path)
    return net
