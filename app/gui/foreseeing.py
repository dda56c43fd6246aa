"""Makes the next step's picture while nobody waits: whoever steps frame by frame then only waits for its painting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from app.media import Frame
from app.scene import scene

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

IDLE = 5
"""Milliseconds after the painting of a picture: what else is painted, and the next key, come first."""


class Foreseeing:
    """After a frame, the one that the same step leads to: its picture in the size that is shown, and its masks.

    Only of frames in memory. What is made lies in the caches of the canvas and is dropped there when it is not wanted.
    """

    def __init__(self, window: MainWindow) -> None:
        self._w = window
        self._before = 0
        self._next: int | None = None
        self._idle = QTimer(window)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE)
        self._idle.timeout.connect(self._make)
        window.session.events.shown.connect(self._shown)
        window.canvas.painted.connect(self._painted)

    def close(self) -> None:
        self._idle.stop()

    def _shown(self, frame: Frame) -> None:
        step = frame.index - self._before
        self._before, self._next = frame.index, frame.index + step if step else None

    def _painted(self) -> None:
        if self._next is not None:
            self._idle.start()

    def _make(self) -> None:
        session, canvas = self._w.session, self._w.canvas
        wanted, self._next = self._next, None
        frame = None if wanted is None else session.at_hand(wanted)
        if frame is None or session.settings.lock_camera:  # a locked camera shows the next frame elsewhere
            return
        boxing = session.mask_tool is None
        drawn = scene(session.document, frame.index, session.selection, None, session.settings, handles=boxing)
        canvas.prepare(frame.image, drawn)
