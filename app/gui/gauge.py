"""The gauge of the status line: speed of the run, memory of the process, frames at hand."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.gui.status import StatusLine
from app.held import memory_held
from app.session import Session
from app.words import tr, trn

EVERY = 1000
"""Milliseconds between two looks."""


class Gauge(QObject):
    """Looks once a second; nothing is measured while the window is hidden."""

    def __init__(self, session: Session, line: StatusLine) -> None:
        super().__init__(line)
        self._session, self._line = session, line
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Read everything and show it."""
        if not self._line.isVisible():
            return
        run = self._session.run
        parts = [tr("{fps:.1f} fps").format(fps=run.fps)] if run is not None and run.fps else []
        if self._session.is_open:
            ready = len(self._session.cached_frames())
            parts.append(trn("{count} frame", "{count} frames", ready).format(count=ready))
        if held := memory_held():
            parts.append(f"{held / 2**30:.1f} GiB")
        self._line.show_gauge(" · ".join(parts))
