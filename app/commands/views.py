"""What is shown, and how large."""

from __future__ import annotations

from app.commands.table import Command, is_open

COMMANDS: tuple[Command, ...] = (
    Command("view.heat", "Next heat map", ("H",), "View", lambda s, ui: s.cycle_heat(),
            hint="Off, fused, classification, attention, mask"),
    Command("view.fit", "Fit the picture", ("Ctrl+0",), "View", lambda s, ui: ui.fit(), is_open),
    Command("view.zoom_in", "Zoom in", ("Ctrl+=", "Ctrl++"), "View", lambda s, ui: ui.zoom(1.25), is_open),
    Command("view.zoom_out", "Zoom out", ("Ctrl+-",), "View", lambda s, ui: ui.zoom(0.8), is_open),
)  # fmt: skip
