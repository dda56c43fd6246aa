"""What was opened lately; a small file in the user's state folder."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from app import diagnostics

MOST = 8


def load() -> list[Path]:
    """Newest first; what is gone from the disk is left out. An unreadable list is an empty one."""
    try:
        paths = [Path(entry) for entry in json.loads(_file().read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
    return [path for path in paths[:MOST] if path.exists()]


def add(path: Path) -> None:
    """Put a path first. A folder that cannot be written costs the list, nothing else."""
    path = path.absolute()
    paths = [path, *(known for known in load() if known != path)][:MOST]
    with contextlib.suppress(OSError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        _file().write_text(json.dumps([str(p) for p in paths], indent=1), encoding="utf-8")


def _file() -> Path:
    return diagnostics.paths().state / "recent.json"
