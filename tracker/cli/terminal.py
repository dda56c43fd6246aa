"""What the commands share: the console they print to, and the files they will write."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from tracker.api import TrackerError

WIDE = 140
"""Columns of a table that goes to a file or a pipe, where there is no window to fit."""


def console() -> Console:
    """The terminal as wide as it is, a pipe or file as wide as the tables need."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDE)


def prepare(path: Path) -> None:
    """Find out before the work, not after it, that a result cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
    except OSError as error:
        raise TrackerError(f"{path} cannot be written: {error}") from error
