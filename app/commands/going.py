"""Going about in the clip."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, is_open
from app.session import Session


def _steps(count: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.step(count)


COMMANDS: tuple[Command, ...] = (
    Command("go.next", "Next frame", ("Right", "F"), "Go", _steps(1), is_open),
    Command("go.previous", "Previous frame", ("Left", "D"), "Go", _steps(-1), is_open),
    Command("go.forward", "Ten frames on", ("Shift+Right", "Shift+F"), "Go",
            lambda s, ui: s.step(s.settings.jump), is_open, hint="As many as the settings say"),
    Command("go.back", "Ten frames back", ("Shift+Left", "Shift+D"), "Go",
            lambda s, ui: s.step(-s.settings.jump), is_open, hint="As many as the settings say"),
    Command("go.first", "First frame", ("Home",), "Go", lambda s, ui: s.step(-s.frame), is_open),
    Command("go.last", "Last frame", ("End",), "Go", lambda s, ui: s.step(s.frame_count), is_open),
    Command("go.play", "Play or pause", ("Space",), "Go", lambda s, ui: s.set_playing(not s.playing), is_open,
            hint="At the rate of the video"),
)  # fmt: skip
