"""What the session refuses, in words for people."""

from __future__ import annotations

from pathlib import Path

from app.model.document import VideoRef


class SessionError(Exception):
    """What was asked cannot be done now; the message says why and what to do."""


class RelinkError(SessionError):
    """A project's video is not where it was or is another one; `Session.open` with ``video=`` goes on.

    ``found`` is the file that stands there now, None when nothing does.
    """

    def __init__(self, project: Path, video: VideoRef, found: Path | None, message: str) -> None:
        super().__init__(message)
        self.project = project
        self.video = video
        self.found = found
