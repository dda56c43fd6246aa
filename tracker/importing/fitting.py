"""Whether tensors are those of a tracker's network: by name and shape, and of which network they are instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tracker.config import NetConfig
from tracker.importing.layouts import BATCHES
from tracker.models.build import build
from tracker.zoo import ZOO

BACKBONE = "resnet50-backbone"
"""What ImageNet weights are imported as: not a tracker, but what training one starts from."""
BACKBONE_CONFIG = NetConfig("resnet50", "resnet50")
NEARLY = 0.5
"""Share of fitting tensors from which a file is called close to a tracker's."""


class Kind(NamedTuple):
    shape: tuple[int, ...]
    floating: bool

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.shape)) or 'scalar'}{'' if self.floating else ' of integers'}"


@dataclass(frozen=True)
class Fit:
    """How tensors compare with a network's. ``misshapen``: name, what it is, what it should be.

    ``filled``: counters of batches that the file lacks and that nothing reads.
    """

    config: NetConfig
    mapped: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[tuple[str, str, str], ...]
    filled: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not (self.missing or self.unexpected or self.misshapen)

    @property
    def share(self) -> float:
        """Of all tensors on either side, those that fit."""
        bad = len(self.missing) + len(self.unexpected) + len(self.misshapen)
        return len(self.mapped) / max(1, len(self.mapped) + bad)


@lru_cache
def expected(config: NetConfig) -> Mapping[str, Kind]:
    """Names and shapes of the tensors of a network, without making its weights."""
    if config == BACKBONE_CONFIG:
        prefix = "backbone."
        whole = expected(ZOO["siamrpnpp-r50"].net)
        return {name.removeprefix(prefix): kind for name, kind in whole.items() if name.startswith(prefix)}
    with torch.device("meta"), _Undrawn():
        state = build(config).state_dict()
    return {name: _kind(tensor) for name, tensor in state.items()}


def compare(tensors: Mapping[str, Tensor], config: NetConfig) -> Fit:
    """Hold ``tensors`` against the network of ``config``."""
    wanted = expected(config)
    mapped, misshapen = [], []
    for name, tensor in tensors.items():
        if name in wanted:
            found = _kind(tensor)
            if found == wanted[name]:
                mapped.append(name)
            else:
                misshapen.append((name, str(found), str(wanted[name])))
    absent = [name for name in wanted if name not in tensors]
    return Fit(
        config,
        tuple(mapped),
        tuple(name for name in absent if not name.endswith(BATCHES)),
        tuple(name for name in tensors if name not in wanted),
        tuple(misshapen),
        tuple(name for name in absent if name.endswith(BATCHES)),
    )


def best(tensors: Mapping[str, Tensor], config: NetConfig) -> Fit:
    """`compare` with the network as configured and with its levels fused the other way, whichever fits better.

    pysot's configurations for OTB and for MobileNet average the levels, the others learn weights for them.
    """
    return max((compare(tensors, own) for own in _variants(config)), key=lambda fit: fit.share)


def recognise(tensors: Mapping[str, Tensor]) -> tuple[str, Fit]:
    """The tracker (or `BACKBONE`) that ``tensors`` fit best."""
    fits = {name: best(tensors, published.net) for name, published in ZOO.items()}
    fits[BACKBONE] = compare(tensors, BACKBONE_CONFIG)
    name = max(fits, key=lambda own: fits[own].share)
    return name, fits[name]


class _Undrawn(TorchFunctionMode):
    """Leaves random numbers out: on the meta device they are nothing, but load sympy first, for five seconds."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return args[0] if func in (Tensor.normal_, Tensor.uniform_) else func(*args, **(kwargs or {}))


def _variants(config: NetConfig) -> Iterator[NetConfig]:
    yield config
    if len(config.neck) > 1:
        yield replace(config, weighted=not config.weighted)


def _kind(tensor: Tensor) -> Kind:
    return Kind(tuple(tensor.shape), tensor.is_floating_point())
