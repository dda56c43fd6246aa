"""Where things live, what this machine is, and the log: everything one needs to write a good bug report."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.metadata
import logging
import logging.handlers
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from app import __version__

NAME = "SiamLabel"
HOME_VARIABLE = "SIAMLABEL_HOME"
PACKAGES = ("torch", "numpy", "av", "opencv-contrib-python-headless", "PySide6-Essentials", "pyqtgraph", "msgspec")

log = logging.getLogger("siamlabel")


@dataclass(frozen=True)
class Paths:
    """The user's folders. They are made on first use by whoever writes there."""

    config: Path
    cache: Path
    state: Path
    documents: Path

    @property
    def settings(self) -> Path:
        return self.config / "settings.json"

    @property
    def log(self) -> Path:
        return self.state / "logs" / "siamlabel.log"


def paths() -> Paths:
    """The user's folders by the habits of the platform; ``SIAMLABEL_HOME`` puts them all under one folder."""
    if home := os.environ.get(HOME_VARIABLE):
        root = Path(home).expanduser()
        return Paths(root / "config", root / "cache", root / "state", root / "documents")
    dirs = platformdirs.PlatformDirs(NAME, appauthor=False)
    return Paths(dirs.user_config_path, dirs.user_cache_path, dirs.user_state_path, dirs.user_documents_path / NAME)


def resource(name: str) -> Path:
    """A file of ``resources/`` (``"sample/video.mp4"``), from the checkout or from a frozen build; may not exist."""
    frozen = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parent.parent
    return root / "resources" / name


def version(package: str) -> str:
    """Installed version of a distribution, or ``"not installed"``."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def environment_report() -> dict[str, str]:
    """Versions and folders by name, for ``main.py info`` and bug reports. Imports nothing heavy."""
    where = paths()
    report = {
        NAME: __version__,
        "Python": f"{platform.python_version()} ({sys.executable})",
        "System": platform.platform(),
        "CPU cores": str(os.cpu_count()),
    }
    report |= {package: version(package) for package in PACKAGES}
    report |= {
        "Settings": str(where.settings),
        "Cache": str(where.cache),
        "Unsaved work": str(where.state),
        "Log": str(where.log),
    }
    return report


def start_logging(level: int = logging.INFO) -> Path:
    """Send the log to a rotating file (1 MB, three kept) and native crashes beside it; returns the log's path.

    Calling it again changes nothing. A folder that cannot be written costs the log, never the start.
    """
    path = paths().log
    root = logging.getLogger()
    if any(isinstance(h, logging.handlers.RotatingFileHandler) for h in root.handlers):
        return path
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s"))
        root.addHandler(handler)
        root.setLevel(level)
        _watch_native_crashes(path.with_name("crash.log"))
    return path


_crash_file: IO[str] | None = None
"""faulthandler writes to this descriptor for the life of the process, so it is kept open."""


def _watch_native_crashes(path: Path) -> None:
    global _crash_file
    if _crash_file is None:
        _crash_file = path.open("a", encoding="utf-8")
        faulthandler.enable(_crash_file)
