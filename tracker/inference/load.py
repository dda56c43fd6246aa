"""Making a tracker: network, weights, engine, hyper-parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tracker import checkpoint
from tracker.api import TrackerError
from tracker.config import NetConfig, Presence
from tracker.inference.choice import make
from tracker.inference.device import on_device, pick_device
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
    engine: str = "auto",
    **overrides: Any,
) -> SiameseTracker:
    """Load a tracker of the zoo. ``overrides`` replace fields of `TrackConfig`, after those of ``profile``.

    ``profile``: by default the one that the weights were published for. ``engine``: what runs the network, see
    `tracker.inference.choice.make`.

    Raises `TrackerError` when the weights are missing (and random ones were not asked for) or do not fit, the profile
    or the device is not there, and `OutOfDeviceMemory` when they do not fit on it.
    """
    published = ZOO[name]
    if profile is not None and profile not in published.profiles:
        known = ", ".join(published.profiles)
        raise TrackerError(f"{name} has no profile “{profile}”; it has: {known}.")
    chosen = pick_device(device)
    net, meant, presence = _untrained(name, published.net) if untrained else _trained(name, weights, published.net)
    meant = meant if meant in published.profiles else next(iter(published.profiles))
    config = replace(published.profiles[profile or meant], **{"presence": presence, **overrides})
    label = f"{name} (untrained)" if untrained else name
    return on_device(chosen, lambda: SiameseTracker(label, make(engine, net, chosen, config), config))


def _untrained(name: str, config: NetConfig) -> tuple[torch.nn.Module, str, Presence]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return build(config, attentive=name.startswith("attsiammask")), "", Presence()


def _trained(name: str, weights: Path | str | None, expected: NetConfig) -> tuple[torch.nn.Module, str, Presence]:
    """The network with its weights, the profile they were published for and what presence is read from with them, as
    far as their file says."""
    files = weight_files(name, weights=weights)
    path = next((file for file in files if file.is_file()), files[0])
    if not path.is_file() and weights is None:
        raise TrackerError(
            f"{name} has no weights here. Import published ones (main.py import-weights FILE --as {name}), train it, "
            "or ask for random ones with --untrained to look at the mechanics."
        )
    meta = checkpoint.metadata(path)
    config = checkpoint.config_of(meta, path)
    checkpoint.require(config, expected, path)
    net = build(config, attentive=name.startswith("attsiammask"))
    checkpoint.load(net, path)
    return net, meta.get("profile", ""), checkpoint.presence_of(meta, path)
