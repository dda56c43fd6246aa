"""Going about in the clip."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, is_open
from app.session import Session

FAR = 10
"""A far step is this many long ones."""


def _steps(count: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.step(count)


def _jumps(count: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.step(count * session.settings.jump)


def _looping(session: Session) -> bool:
    return session.loop is not None


def _collected(session: Session) -> bool:
    return session.collection is not None


COMMANDS: tuple[Command, ...] = (
    Command("go.next", "Next frame", ("Right", "F"), "Go", _steps(1), is_open),
    Command("go.previous", "Previous frame", ("Left", "D"), "Go", _steps(-1), is_open),
    Command("go.forward", "Ten frames on", ("Shift+Right", "Shift+F"), "Go", _jumps(1), is_open,
            hint="As many as the settings say"),
    Command("go.back", "Ten frames back", ("Shift+Left", "Shift+D"), "Go", _jumps(-1), is_open,
            hint="As many as the settings say"),
    Command("go.far_forward", "A hundred frames on", ("PgDown",), "Go", _jumps(FAR), is_open,
            hint="Ten times the long step"),
    Command("go.far_back", "A hundred frames back", ("PgUp",), "Go", _jumps(-FAR), is_open,
            hint="Ten times the long step"),
    Command("go.first", "First frame", ("Home",), "Go", lambda s, ui: s.step(-s.frame), is_open),
    Command("go.last", "Last frame", ("End",), "Go", lambda s, ui: s.step(s.frame_count), is_open),
    Command("go.frame", "Go to frame…", ("Ctrl+G", "`"), "Go", lambda s, ui, **p: s.go_to(**p), is_open, "frame",
            hint="By number or by time"),
    Command("go.next_keyframe", "Next keyframe", ("R", "Ctrl+Right"), "Go", lambda s, ui: s.go_to_keyframe(1), is_open,
            hint="Of the selected object, or of any"),
    Command("go.previous_keyframe", "Previous keyframe", ("E", "Ctrl+Left"), "Go",
            lambda s, ui: s.go_to_keyframe(-1), is_open, hint="Of the selected object, or of any"),
    Command("go.play", "Play or pause", ("Space",), "Go", lambda s, ui: s.set_playing(not s.playing), is_open,
            hint="At the rate of the video"),
    Command("go.faster", "Play faster", ("Ctrl+Up",), "Go", lambda s, ui: s.change_rate(1), is_open,
            hint="Frames that come too late are dropped and counted"),
    Command("go.slower", "Play slower", ("Ctrl+Down",), "Go", lambda s, ui: s.change_rate(-1), is_open),
    Command("go.loop_from", "Loop from here", ("Ctrl+[",), "Go", lambda s, ui: s.set_loop(start=s.frame), is_open,
            hint="Playing goes round in the range"),
    Command("go.loop_to", "Loop to here", ("Ctrl+]",), "Go", lambda s, ui: s.set_loop(end=s.frame), is_open,
            hint="Playing goes round in the range"),
    Command("go.loop_off", "Stop looping", ("Ctrl+\\",), "Go", lambda s, ui: s.end_loop(), _looping),
    Command("go.next_clip", "Next clip", ("Ctrl+PgDown",), "Go", lambda s, ui: s.step_clip(1), _collected,
            hint="Of the collection; unsaved work of this one is kept"),
    Command("go.previous_clip", "Previous clip", ("Ctrl+PgUp",), "Go", lambda s, ui: s.step_clip(-1), _collected,
            hint="Of the collection; unsaved work of this one is kept"),
    Command("go.next_unfinished", "Next unfinished clip", ("Ctrl+Shift+PgDown",), "Go",
            lambda s, ui: s.next_unfinished(), _collected, hint="The next one of the collection without a tick"),
)  # fmt: skip
