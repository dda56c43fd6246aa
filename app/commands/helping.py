"""Help."""

from __future__ import annotations

from app.commands.table import Command

COMMANDS: tuple[Command, ...] = (
    Command("help.keys", "Keys", ("F1",), "Help", lambda s, ui: ui.show_keys(), hint="All commands and their keys"),
)  # fmt: skip
