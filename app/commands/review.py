"""Reviewing what the tracker said."""

from __future__ import annotations

from app.commands.table import Command, has_observation, is_open
from app.session import Session


def _verified(session: Session) -> bool:
    return session.here is not None and session.here.verified


COMMANDS: tuple[Command, ...] = (
    Command("review.next", "Next suspicious frame", ("]",), "Review", lambda s, ui: s.go_to_suspicious(1), is_open,
            hint="Where a tracker was lost, uncertain or at odds with itself"),
    Command("review.previous", "Previous suspicious frame", ("[",), "Review", lambda s, ui: s.go_to_suspicious(-1),
            is_open),
    Command("review.verify", "Verify and go on", ("Return", "Enter"), "Review", lambda s, ui: s.verify(),
            has_observation, hint="This frame is right; then the next suspicious one"),
    Command("review.verify_stretch", "Verify the whole place", ("Shift+Return",), "Review",
            lambda s, ui: s.verify_stretch(), has_observation,
            hint="All suspicious frames in a row around this one are right"),
    Command("review.unverify", "Not verified after all", (), "Review", lambda s, ui: s.unverify(), _verified),
)  # fmt: skip
