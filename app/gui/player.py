"""Playing: a clock says which frame is due; what cannot be shown in time is dropped and counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer

from app.session import Session
from app.words import tr

LEAST_ROUND = 100
"""Milliseconds that one round of a loop takes at least."""


class Player(QObject):
    """Drives `Session.seek` while the session plays. Frames are due at their own time stamps, so VFR plays right."""

    def __init__(self, session: Session, parent: QObject, note: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._session = session
        self._note = note
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._clock = QElapsedTimer()
        self._from = 0
        self._last = 0
        self._due = 0
        self._shown = 0

    @property
    def dropped(self) -> int:
        """Frames that were due since playing began and never shown."""
        return max(0, self._due - self._shown)

    def mode_changed(self) -> None:
        """Start or stop with the session."""
        if self._session.playing == self._timer.isActive():
            return
        if not self._session.playing:
            self._timer.stop()
            return
        walk = self._walk()
        if self._session.frame >= walk.stop - 1 or self._session.frame < walk.start:
            self._session.seek(walk.start)
        self._due = self._shown = 0
        self._begin()
        self._timer.start(4)

    def shown(self) -> None:
        """A picture reached the canvas."""
        if self._timer.isActive():
            self._shown += 1

    def stop(self) -> None:
        self._timer.stop()

    def _walk(self) -> range:
        """The frames that playing walks through."""
        return self._session.loop or range(self._session.frame_count)

    def _begin(self) -> None:
        self._from = self._last = self._session.frame
        self._clock.start()

    def _tick(self) -> None:
        session = self._session
        media = session.media
        if media is None or not session.playing:
            self._timer.stop()
            return
        if session.frame != self._last:  # the user went elsewhere; go on from there
            self._begin()
        times = media.times
        now = times[self._from] + self._clock.elapsed() / 1000 * session.settings.playback_rate
        last = self._walk().stop - 1
        due = min(int(np.searchsorted(times, now, side="right")) - 1, max(last, self._from))
        if due > self._last:
            self._due += due - self._last
            self._last = due
            session.seek(due)
            self._note(tr("{dropped} dropped").format(dropped=self.dropped) if self.dropped > 1 else "")
        if due < last:
            return
        if session.loop is None:
            session.set_playing(False)
        elif self._clock.elapsed() >= LEAST_ROUND:  # a loop of one frame must not spin
            session.seek(session.loop.start)
            self._begin()
