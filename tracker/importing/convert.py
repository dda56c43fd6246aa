"""Importing published weights: read, rename, compare, and only if every tensor fits, write our own file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tracker import checkpoint, registry
from tracker.api import TrackerError
from tracker.importing import files, fitting, resnet
from tracker.importing.fitting import BACKBONE, BACKBONE_CONFIG, Fit
from tracker.importing.layouts import Renamed, renamed
from tracker.zoo import ZOO

LICENCE = "as its publisher states"
OWN = "SiamLabel"
_CLASSIFIER = "fc."
_TARGETS = (*ZOO, BACKBONE)
_OURS = ("schema", "architecture", "config")


@dataclass(frozen=True)
class Import:
    """What a file holds, held against a tracker. ``instead``: a name that it fits better, or empty."""

    path: Path
    target: str
    layout: str
    fit: Fit
    tensors: Mapping[str, Tensor]
    sources: Mapping[str, str]
    """Names in the file by our names; converted tensors too."""
    ignored: tuple[str, ...]
    metadata: Mapping[str, str]
    instead: str

    def require(self) -> None:
        """Raises `TrackerError` unless every tensor fits and is finite; part of a network is never imported."""
        if not self.fit.complete:
            wrong = {"missing": self.fit.missing, "unexpected": self.fit.unexpected, "misshapen": self.fit.misshapen}
            counts = ", ".join(f"{len(names)} {word}" for word, names in wrong.items() if names)
            raise TrackerError(
                f"{self.path} does not fit {self.target} ({counts} tensors); nothing was written. {self._remedy()}"
            )
        bad = [self.sources[name] for name in self.fit.mapped if not _finite(self.tensors[name])]
        if bad:
            more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
            raise TrackerError(
                f"{self.path}: {bad[0]}{more} hold values that are no numbers; the training that wrote them failed. "
                "Use another file."
            )

    def _remedy(self) -> str:
        if self.instead:
            return f"This looks like {self.instead}; use --as {self.instead}."
        if self.fit.share >= fitting.NEARLY:
            return f"It is close to {self.target}, but of another version; --verbose names the tensors."
        known = ", ".join(_TARGETS)
        return f"It looks like none of the networks known here ({known}); --verbose names the tensors."


def resolve(target: str) -> str:
    """The name in full of what weights can be imported as. Raises `TrackerError` naming all of them."""
    own = target if target == BACKBONE else registry.resolve(target)
    if own not in _TARGETS:
        raise TrackerError(f"{own} has no weights to import. Weights can be imported as {', '.join(_TARGETS)}.")
    return own


def examine(path: Path, target: str) -> Import:
    """Read ``path`` and compare it with ``target``'s network; nothing is written.

    Raises `TrackerError` when the file is not weights, is damaged or would run code (`files.read`), and when it is our
    own file but of another network.
    """
    target = resolve(target)
    found = files.read(path)
    names = renamed(found.tensors)
    tensors, ignored = _backbone(names)
    layout = names.layout
    if "architecture" in found.metadata:
        config = checkpoint.config_of(dict(found.metadata), path)
        wanted = BACKBONE_CONFIG if target == BACKBONE else ZOO[target].net
        checkpoint.require(config, wanted, path)
        fit, layout = fitting.compare(tensors, config), OWN
    elif target == BACKBONE:
        fit = fitting.compare(tensors, BACKBONE_CONFIG)
    else:
        fit = fitting.best(tensors, ZOO[target].net)
    instead = ""
    if not fit.complete:
        name, other = fitting.recognise(tensors)
        instead = name if other.complete or (other.share > fit.share and other.share >= fitting.NEARLY) else ""
    return Import(path, target, layout, fit, tensors, names.sources, ignored, found.metadata, instead)


def write(found: Import, out: Path | None = None, *, half: bool = False, licence: str | None = None) -> Path:
    """Write the weights as safetensors, bit for bit as float32 or with ``half`` as float16; returns where.

    ``out``: by default where the trackers look for imported weights. Raises `TrackerError` when they do not fit.
    """
    found.require()
    out = out or registry.weights_home() / f"{found.target}.safetensors"
    if out.suffix != ".safetensors":
        raise TrackerError(f"{out}: weights are written as safetensors. Give --out a name that ends in .safetensors.")
    if out.exists() and out.samefile(found.path):
        raise TrackerError(f"{out} is the file to import. Give --out another name.")
    state = {name: _plain(found.tensors[name]) for name in found.fit.mapped}
    state |= {name: torch.zeros((), dtype=torch.int64) for name in found.fit.filled}
    try:
        checkpoint.save(state, out, found.fit.config, _about(found, licence), half=half)
    except OSError as error:
        raise TrackerError(f"{out} cannot be written: {error}") from error
    return out


def _backbone(names: Renamed) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors, an ImageNet network's converted to the dilated one's, and the names of those left out."""
    if not fitting.expected(BACKBONE_CONFIG).keys() & names.tensors.keys():
        return names.tensors, names.ignored
    kept = {name: tensor for name, tensor in names.tensors.items() if not name.startswith(_CLASSIFIER)}
    classifier = tuple(names.sources[name] for name in names.tensors if name.startswith(_CLASSIFIER))
    return (resnet.dilated(kept) if resnet.is_ordinary(kept) else kept), (*names.ignored, *classifier)


def _about(found: Import, licence: str | None) -> dict[str, Any]:
    with found.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    about = {key: value for key, value in found.metadata.items() if key not in _OURS} if found.layout == OWN else {}
    about["licence"] = licence or about.get("licence", LICENCE)
    about |= {"source": found.path.name, "source_sha256": digest, "source_layout": found.layout}
    if profile := _profile(found.path, found.target):
        about["profile"] = profile
    return about


def _profile(path: Path, target: str) -> str | None:
    """The published profile that the file or its folder is named after (SiamMask_DAVIS.pth), else the first."""
    profiles = ZOO[target].profiles if target in ZOO else {}
    words = re.split(r"[^a-z0-9]+", f"{path.stem} {path.resolve().parent.name}".lower())
    return next((name for name in profiles if name in words), next(iter(profiles), None))


def _finite(tensor: Tensor) -> bool:
    return bool(_plain(tensor).isfinite().all())


def _plain(tensor: Tensor) -> Tensor:
    """Own memory, float32 or int64: files may share memory between tensors, which safetensors does not write."""
    kind = torch.float32 if tensor.is_floating_point() else torch.int64
    return tensor.to(kind).clone(memory_format=torch.contiguous_format)
