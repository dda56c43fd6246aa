"""Help."""

from __future__ import annotations

from app.commands.table import Command

COMMANDS: tuple[Command, ...] = (
    Command("help.palette", "Find a command…", ("Ctrl+Shift+P", "Ctrl+K"), "Help", lambda s, ui: ui.show_palette(),
            hint="Type what you want to do"),
    Command("help.keys", "Keys", ("F1",), "Help", lambda s, ui: ui.show_keys(),
            hint="All commands and their keys, to read and to change"),
    Command("help.tour", "Take the tour (two minutes)", (), "Help", lambda s, ui: ui.show_tour(),
            hint="Draw, track, correct, review and export, on the sample clip"),
    Command("help.log", "Show the log file", (), "Help", lambda s, ui: ui.show_log(),
            hint="Opens the folder that holds it"),
)  # fmt: skip
