"""Weights as safetensors with metadata: what they are, how to feed them, what they were trained on. Never a pickle."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from tracker.api import TrackerError
from tracker.config import SIGNALS, NetConfig, Presence
from tracker.registry import safetensors_header

SCHEMA = "1"


def save(
    weights: nn.Module | Mapping[str, Tensor],
    path: Path,
    config: NetConfig,
    about: dict[str, Any],
    *,
    half: bool = True,
) -> None:
    """Write a network's weights atomically. ``about`` is kept as JSON strings in the metadata.

    ``half``: floats as float16, except in tensors with values beyond its range, such as variances; else as they are.
    """
    state = weights.state_dict() if isinstance(weights, nn.Module) else weights
    written = {name: (_halved(t) if half else t).contiguous().cpu() for name, t in state.items()}
    metadata = {"schema": SCHEMA, "architecture": config.architecture, "config": json.dumps(dataclasses.asdict(config))}
    metadata |= {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(serialise(written, metadata))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def annotate(path: Path, about: Mapping[str, str], out: Path) -> None:
    """Write the weights of ``path`` to ``out`` (which may be the same), bit for bit, with more metadata."""
    content = serialise(tensors(path), metadata(path) | dict(about))
    part = out.with_name(out.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def presence_of(meta: Mapping[str, str], path: Path) -> Presence:
    """What a target's presence is read from with these weights; the defaults where they do not say.

    Raises `TrackerError` naming the file when this version cannot read it.
    """
    if "presence" not in meta:
        return Presence()
    try:
        values: dict[str, Any] = json.loads(meta["presence"])
        for name in ("factors", "usual"):
            values[name] = tuple((str(signal), float(value)) for signal, value in values[name])
        found = Presence(**values)
        numbers = [value for _, value in (*found.factors, *found.usual)]
        numbers += [getattr(found, one.name) for one in dataclasses.fields(Presence)[1:] if one.name != "usual"]
        unknown = {signal for signal, _ in found.factors} - set(SIGNALS)
        if unknown or not all(isinstance(value, float | int) and math.isfinite(value) for value in numbers):
            raise ValueError(f"unknown signals {sorted(unknown)}" if unknown else "a value is no number")
        return found
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TrackerError(f"{path}: its verdict's constants cannot be read ({error}). Run calibrate again.") from error


def _halved(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if half.isfinite().all() else tensor


def metadata(path: Path) -> dict[str, str]:
    """The file's metadata. Raises `TrackerError` naming the file when it is missing or not safetensors."""
    return safetensors_header(path)[1]


def config_of(meta: dict[str, str], path: Path) -> NetConfig:
    """The `NetConfig` stored in the metadata; raises `TrackerError` when this version cannot read it."""
    try:
        if meta["schema"] != SCHEMA:
            raise ValueError(f"schema {meta['schema']}, this version reads {SCHEMA}")
        values: dict[str, Any] = json.loads(meta["config"])
        for name, value in values.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        config = NetConfig(**values)
        for name, usual in dataclasses.asdict(NetConfig()).items():
            if not _is_like(getattr(config, name), usual):
                raise ValueError(f"its {name} is {getattr(config, name)!r}")
        return config
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TrackerError(f"{path}: not weights of this SiamLabel ({error}). Use a matching version.") from error


def _is_like(value: Any, usual: Any) -> bool:
    if isinstance(usual, tuple):
        return isinstance(value, tuple) and all(isinstance(part, int | float) for part in value)
    return isinstance(value, int | float if isinstance(usual, float) else type(usual))


def require(config: NetConfig, expected: NetConfig, path: Path) -> None:
    """Refuse weights of another network. Raises `TrackerError` saying what they are and what is needed."""
    for part in ("architecture", "backbone", "neck"):
        found, wanted = getattr(config, part), getattr(expected, part)
        if found != wanted:
            raise TrackerError(
                f"{path} holds weights with {part} {found or 'none'}, not {wanted or 'none'}. Choose the tracker that "
                "they were made for, or other weights."
            )


def load(net: nn.Module, path: Path) -> None:
    """Load every tensor of ``path`` into ``net`` as float32; missing, extra or misshapen ones raise `TrackerError`."""
    state = {name: t.float() if t.is_floating_point() else t for name, t in tensors(path).items()}
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise TrackerError(f"{path}: the weights do not fit the network: {first}") from error


def tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, ours or another's. Raises `TrackerError` naming a file that is damaged."""
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise TrackerError(f"{path}: cannot read the weights ({error}). Restore the file.") from error
