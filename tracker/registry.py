"""The trackers by name, created on demand.

An entry names its factory as ``module:function`` and is imported when first created, so listing the trackers costs
neither torch nor OpenCV. A factory is called as ``factory(device=..., **fixed, **options)``: ``fixed`` comes from the
entry (one factory may serve several names), ``options`` from the caller, limited to those that the entry accepts. Other
distributions add entries by entry points; see docs/plugins.md.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from tracker.api import Tracker, TrackerError, TrackerInfo
from tracker.config import TrackConfig
from tracker.plugins import TRACKERS, Plugin, PluginError, clashes, plugins
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
    return (_home() or platformdirs.user_data_path("SiamLabel", appauthor=False)) / "weights"


def engines_home() -> Path:
    """Where networks compiled for this machine are kept: the user's cache folder, or ``SIAMLABEL_HOME``'s."""
    home = _home()
    return (home / "cache" if home else platformdirs.user_cache_path("SiamLabel", appauthor=False)) / "engines"


def _home() -> Path | None:
    given = os.environ.get(HOME_VARIABLE)
    return Path(given).expanduser() if given else None


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
_OPTIONS = frozenset(
    {"weights", "untrained", "profile", "engine", *(parameter.name for parameter in fields(TrackConfig))}
)
_ENTRIES: dict[str, Entry] = {
    **{
        name: Entry(
            "tracker.inference.load:create",
            _zoo_info(name),
            _zoo_weights(name),
            _OPTIONS,
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
    """Names of all trackers, the default first, those of plug-ins last; aliases excluded."""
    return (*_ENTRIES, *_plugins())


def problems() -> list[str]:
    """A sentence for each plug-in that brings no usable tracker."""
    out = clashes(TRACKERS, {*_ENTRIES, *_ALIASES})
    for name in _plugins():
        try:
            _info(name)
        except TrackerError as error:
            out.append(str(error))
    return out


def _plugins() -> dict[str, Plugin]:
    return plugins(TRACKERS, {*_ENTRIES, *_ALIASES})


def _entry(own: str) -> Entry:
    """The entry of a tracker by its own name. Raises `TrackerError` for a plug-in that cannot be used."""
    if own in _ENTRIES:
        return _ENTRIES[own]
    plugin = _plugins()[own]
    try:
        entry = plugin.load()
        if not isinstance(entry, Entry):
            raise plugin.broken(f"{type(entry).__name__} is not a tracker.registry.Entry")
    except PluginError as error:
        raise TrackerError(str(error)) from error
    return entry


def _info(own: str) -> TrackerInfo:
    entry = _entry(own)
    if own in _ENTRIES:
        return entry.info()
    plugin = _plugins()[own]
    try:
        return replace(entry.info(), name=own, aliases=())
    except Exception as error:  # it is not our code
        raise TrackerError(str(plugin.broken(f"its info fails, {type(error).__name__}: {error}"))) from error


def resolve(name: str) -> str:
    """The tracker's own name behind ``name`` or an alias of it. Raises `TrackerError` listing the names."""
    own = _ALIASES.get(name, name)
    if own not in names():
        known = ", ".join([*names(), *_ALIASES])
        raise TrackerError(f"There is no tracker named “{name}”. Known trackers: {known}.")
    return own


def info(name: str) -> TrackerInfo:
    """What ``main.py trackers`` says about one tracker; reads a file header at most."""
    return _info(resolve(name))


def infos() -> tuple[TrackerInfo, ...]:
    """`info` of every tracker, in the order of `names`; a plug-in that cannot be used is left out, see `problems`."""
    out = []
    for name in names():
        try:
            out.append(_info(name))
        except TrackerError:
            if name in _ENTRIES:
                raise
    return tuple(out)


def accepts(name: str) -> frozenset[str]:
    """Names of the options that `create` may be given for this tracker."""
    return _entry(resolve(name)).accepts


def weight_files(name: str, **options: Any) -> tuple[Path, ...]:
    """The files whose content decides this tracker's answers; empty when it has none or they are not configured."""
    own = resolve(name)
    entry = _entry(own)
    if own in _ENTRIES:
        return entry.weights(options)
    try:
        return tuple(map(Path, entry.weights(options)))
    except Exception as error:  # it is not our code
        raise TrackerError(str(_plugins()[own].broken(f"its weights fail, {type(error).__name__}: {error}"))) from error


def create(name: str, device: str = "auto", **options: Any) -> Tracker:
    """Make a tracker.

    ``device``: ``auto``, ``cpu``, ``cuda``, ``cuda:0``, ``mps``. ``options``: see `accepts`; None counts as not given.
    Raises `TrackerError` for an unknown name or option and when weights are missing.
    """
    own = resolve(name)
    entry = _entry(own)
    given = {key: value for key, value in options.items() if value is not None}
    if unknown := sorted(set(given) - entry.accepts):
        known = ", ".join(sorted(entry.accepts)) or "none"
        raise TrackerError(f"{own} does not take the option {', '.join(unknown)}; it takes: {known}.")
    if own not in _ENTRIES:
        return _create_plugin(_plugins()[own], entry, device, given)
    module, _, function = entry.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise TrackerError(f"{own} cannot be loaded ({error}); run packaging/bootstrap.py to install it.") from error
    return factory(device=device, **entry.fixed, **given)


def _create_plugin(plugin: Plugin, entry: Entry, device: str, given: Mapping[str, Any]) -> Tracker:
    """The tracker of a plug-in. Whatever its code raises becomes a `TrackerError` that names its distribution."""
    module, _, function = entry.factory.partition(":")
    try:
        return getattr(importlib.import_module(module), function)(device=device, **entry.fixed, **given)
    except TrackerError:
        raise
    except (Exception, SystemExit) as error:
        raise TrackerError(str(plugin.broken(f"{type(error).__name__}: {error}"))) from error


def import_weights(file: Path, name: str) -> Path:
    """Make published weights this tracker's own, in `weights_home`; returns where they lie. Loads torch.

    All tensors fit or nothing is written. Raises `TrackerError` saying why they do not.
    """
    convert = importlib.import_module("tracker.importing.convert")
    return convert.write(convert.examine(file, resolve(name)))


def auto_device() -> str:
    """What the device ``auto`` means on this machine: ``cuda``, ``mps`` or ``cpu``. Loads torch."""
    return importlib.import_module("tracker.inference.device").pick_device("auto")
