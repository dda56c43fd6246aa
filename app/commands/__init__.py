"""The command table: one line adds a command to menus, keys, help and the headless tests."""

from __future__ import annotations

from typing import Any

from app.commands import describing, edits, files, going, helping, masks, nudging, objects, review, tracking, views
from app.commands.table import Command, Ui, When
from app.session import Session

__all__ = ["BY_ID", "COMMANDS", "Command", "Ui", "When", "run"]

COMMANDS: tuple[Command, ...] = (
    *files.COMMANDS,
    *edits.COMMANDS,
    *objects.COMMANDS,
    *nudging.COMMANDS,
    *masks.COMMANDS,
    *describing.COMMANDS,
    *tracking.COMMANDS,
    *review.COMMANDS,
    *going.COMMANDS,
    *views.COMMANDS,
    *helping.COMMANDS,
)
"""In the order of the menus."""

BY_ID = {command.id: command for command in COMMANDS}


def run(command_id: str, session: Session, ui: Ui, **params: Any) -> object:
    """Do a command if it can be done now; answers with what it gave, None when it cannot."""
    command = BY_ID[command_id]
    return command.do(session, ui, **params) if command.when(session) else None
