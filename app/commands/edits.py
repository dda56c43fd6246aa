"""Taking back."""

from __future__ import annotations

from app.commands.table import Command

COMMANDS: tuple[Command, ...] = (
    Command("edit.undo", "Undo", ("Ctrl+Z",), "Edit", lambda s, ui: s.undo(), lambda s: s.can_undo),
    Command("edit.redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Edit", lambda s, ui: s.redo(),
            lambda s: s.can_redo),
    Command("edit.settings", "Settings…", ("Ctrl+,",), "Edit", lambda s, ui: ui.show_settings()),
)  # fmt: skip
