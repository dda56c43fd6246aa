"""Weights to start from: those of a backbone, of the same network, or of one that holds part of it."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from tracker import checkpoint
from tracker.api import TrackerError

COUNTER = "num_batches_tracked"
TRUNK = "backbone."


def start_from(net: nn.Module, path: Path) -> list[str]:
    """Load every tensor of ``path`` that the network has; returns the names of those that begin at random.

    So SiamAtt starts from SiamRPN++'s weights, and SiamMask's refinement from its base. Raises `TrackerError` when the
    file is damaged, or holds a tensor that the network does not have or has in another shape.
    """
    own = net.state_dict()
    given = checkpoint.tensors(path)
    strange = [name for name, t in given.items() if name not in own or own[name].shape != t.shape]
    if strange:
        raise TrackerError(f"{path}: these weights are of another network ({strange[0]} does not fit).")
    net.load_state_dict({name: t.to(own[name].dtype) for name, t in given.items()}, strict=False)
    return [name for name in own if name not in given and not name.endswith(COUNTER)]


def backbone_from(trunk: nn.Module, path: Path) -> None:
    """Load a backbone, on its own (``import-weights --as resnet50-backbone``) or out of a network's weights.

    Raises `TrackerError` when the file is damaged or does not hold this backbone in full.
    """
    given = checkpoint.tensors(path)
    if any(name.startswith(TRUNK) for name in given):
        given = {name.removeprefix(TRUNK): t for name, t in given.items() if name.startswith(TRUNK)}
    own = trunk.state_dict()
    wrong = [
        name
        for name, t in own.items()
        if not name.endswith(COUNTER) and (name not in given or given[name].shape != t.shape)
    ]
    if wrong:
        raise TrackerError(f"{path}: does not hold this backbone: {wrong[0]} is missing or of another shape.")
    trunk.load_state_dict({name: t.to(own[name].dtype) for name, t in given.items() if name in own}, strict=False)
