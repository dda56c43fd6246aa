"""The trackers by name, created on demand.

An entry names its factory as ``module:function`` and is imported when first created, so listing the trackers costs
neither torch nor OpenCV. A factory is called as ``factory(device=..., **fixed, **options)``: ``fixed`` comes from the
entry (one factory may serve several names), ``options`` from the caller, limited to those that the entry accepts.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from tracker.api import Tracker, TrackerError, TrackerInfo
from tracker.config import TrackConfig
from tracker.zoo import ZOO

HOME_VARIABLE = "SIAMLABEL_HOME"
NANOTRACK_FILES = ("nanotrack_v2_backbone.onnx", "nanotrack_v2_head.onnx")
NANOTRACK_ENV = "SIAMLABEL_NANOTRACK_DIR"
DEFAULT = "siamatt-mobile"
_HEADER_LIMIT = 100_000_000  # bytes; the safetensors format's own limit for its header


@dataclass(frozen=True)
class Entry:
    """One registered tracker. ``accepts``: the option names that `create` may be given for it."""

    factory: str
    info: Callable[[], TrackerInfo]
    weights: Callable[[Mapping[str, Any]], tuple[Path, ...]] = lambda options: ()
    accepts: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)


def resource(*parts: str) -> Path:
    """Path of a file under ``resources/``: beside the packages, or inside the bundle when frozen by PyInstaller."""
    bundle = getattr(sys, "_MEIPASS", None)
    root = Path(bundle) if bundle else Path(__file__).resolve().parent.parent
    return root.joinpath("resources", *parts)


def safetensors_header(path: Path) -> tuple[int, dict[str, str]]:
    """Number of values in a safetensors file and its metadata, from the header alone.

    Raises `TrackerError` when the file is not a safetensors file.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _HEADER_LIMIT:
                raise ValueError("its header is too long")
            header = json.loads(file.read(length))
        metadata = dict(header.pop("__metadata__", {}))
        return sum(math.prod(tensor["shape"]) for tensor in header.values()), metadata
    except (OSError, ValueError, struct.error, AttributeError, KeyError, TypeError) as error:
        raise TrackerError(f"{path} is not a readable safetensors file ({error}); restore it.") from error


def weights_home() -> Path:
    """Where imported weights are kept and looked for: the user's data folder, or ``SIAMLABEL_HOME``'s."""
    home = os.environ.get(HOME_VARIABLE)
    data = Path(home).expanduser() if home else platformdirs.user_data_path("SiamLabel", appauthor=False)
    return data / "weights"


def _zoo_weights(name: str) -> Callable[[Mapping[str, Any]], tuple[Path, ...]]:
    """The file given, else the first that is there of those shipped and imported, for this tracker or one like it."""

    def files(options: Mapping[str, Any]) -> tuple[Path, ...]:
        if options.get("untrained"):
            return ()
        if given := options.get("weights"):
            return (Path(given),)
        fitting = [f"{own}.safetensors" for own in (name, *ZOO[name].also_loads)]
        places = [folder / file for file in fitting for folder in (resource("weights"), weights_home())]
        return (next((path for path in places if path.is_file()), places[0]),)

    return files


def _zoo_info(name: str) -> Callable[[], TrackerInfo]:
    def info() -> TrackerInfo:
        published = ZOO[name]
        (path,) = _zoo_weights(name)({})
        aliases = tuple(alias for alias, own in _ALIASES.items() if own == name)
        licence, weights = "Apache-2.0", "none: main.py import-weights"
        ready = path.is_file()
        if ready:
            try:
                licence = safetensors_header(path)[1].get("licence", licence)
                weights = f"{path.name} ({path.stat().st_size / 1e6:.1f} MB)"
            except TrackerError:  # one damaged file must not hide the other trackers; choosing it says what is wrong
                ready, weights = False, f"{path.name} (damaged)"
        return TrackerInfo(
            name, published.title, published.parameters, weights, licence, published.masks, aliases, ready=ready
        )

    return info


def _opencv_info(name: str, title: str, weights: str = "none") -> Callable[[], TrackerInfo]:
    return lambda: TrackerInfo(name, title, None, weights, "Apache-2.0", masks=False)


def nanotrack_dir(given: str | Path | None = None) -> Path | None:
    """Folder of NanoTrack's ONNX files: as given, else from the environment (`NANOTRACK_ENV`), else None."""
    found = given or os.environ.get(NANOTRACK_ENV)
    return Path(found) if found else None


def _nanotrack_weights(options: Mapping[str, Any]) -> tuple[Path, ...]:
    folder = nanotrack_dir(options.get("nanotrack_dir"))
    return tuple(folder / file for file in NANOTRACK_FILES) if folder else ()


_ALIASES = {"default": DEFAULT}
_ENTRIES: dict[str, Entry] = {
    **{
        name: Entry(
            "tracker.inference.load:create",
            _zoo_info(name),
            _zoo_weights(name),
            frozenset({"weights", "untrained", "profile", *(parameter.name for parameter in fields(TrackConfig))}),
            {"name": name},
        )
        for name in ZOO
    },
    "opencv-kcf": Entry(
        "tracker.inference.opencv:create_kcf", _opencv_info("opencv-kcf", "Kernelized correlation filter of OpenCV")
    ),
    "opencv-csrt": Entry(
        "tracker.inference.opencv:create_csrt",
        _opencv_info("opencv-csrt", "Correlation filter with channel and spatial reliability, of OpenCV"),
    ),
    "opencv-nano": Entry(
        "tracker.inference.opencv:create_nano",
        _opencv_info("opencv-nano", "NanoTrack v2 in OpenCV", "ONNX files in --nanotrack-dir"),
        _nanotrack_weights,
        frozenset({"nanotrack_dir"}),
    ),
}


def names() -> tuple[str, ...]:
    """Names of all trackers, the default first; aliases excluded."""
    return tuple(_ENTRIES)


def resolve(name: str) -> str:
    """The tracker's own name behind ``name`` or an alias of it. Raises `TrackerError` listing the names."""
    own = _ALIASES.get(name, name)
    if own not in _ENTRIES:
        known = ", ".join([*_ENTRIES, *_ALIASES])
        raise TrackerError(f"There is no tracker named “{name}”. Known trackers: {known}.")
    return own


def info(name: str) -> TrackerInfo:
    """What ``main.py trackers`` says about one tracker; reads a file header at most."""
    return _ENTRIES[resolve(name)].info()


def infos() -> tuple[TrackerInfo, ...]:
    """`info` of every tracker, in the order of `names`."""
    return tuple(entry.info() for entry in _ENTRIES.values())


def accepts(name: str) -> frozenset[str]:
    """Names of the options that `create` may be given for this tracker."""
    return _ENTRIES[resolve(name)].accepts


def weight_files(name: str, **options: Any) -> tuple[Path, ...]:
    """The files whose content decides this tracker's answers; empty when it has none or they are not configured."""
    return _ENTRIES[resolve(name)].weights(options)


def create(name: str, device: str = "auto", **options: Any) -> Tracker:
    """Make a tracker.

    ``device``: ``auto``, ``cpu``, ``cuda``, ``cuda:0``, ``mps``. ``options``: see `accepts`; None counts as not given.
    Raises `TrackerError` for an unknown name or option and when weights are missing.
    """
    own = resolve(name)
    entry = _ENTRIES[own]
    given = {key: value for key, value in options.items() if value is not None}
    if unknown := sorted(set(given) - entry.accepts):
        known = ", ".join(sorted(entry.accepts)) or "none"
        raise TrackerError(f"{own} does not take the option {', '.join(unknown)}; it takes: {known}.")
    module, _, function = entry.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise TrackerError(f"{own} cannot be loaded ({error}); run packaging/bootstrap.py to install it.") from error
    return factory(device=device, **entry.fixed, **given)


def auto_device() -> str:
    """What the device ``auto`` means on this machine: ``cuda``, ``mps`` or ``cpu``. Loads torch."""
    return importlib.import_module("tracker.inference.device").pick_device("auto")
