"""What the mouse tools do to the session."""

from __future__ import annotations

from collections.abc import Callable

from app.session import Session
from tracker.api import Box


class Hands:
    """See `app.gui.canvas.tools.Hands` and `MaskHands`. What cannot be done is told through ``on_error``."""

    def __init__(self, session: Session, on_error: Callable[[Exception], None]) -> None:
        self._session = session
        self._on_error = on_error

    def hold(self) -> None:
        """What is labelled is the picture that is seen: stop walking, and stop following a run."""
        session = self._session
        session.set_playing(False)
        shown = session.shown
        if shown is not None and (shown.index != session.frame or session.run is not None):
            session.seek(shown.index)

    def select(self, track: int | None) -> None:
        self._session.select(*([] if track is None else [track]))

    def toggle(self, track: int) -> None:
        self._session.select(*(self._session.selection ^ {track}))

    def place(self, track: int, box: Box) -> None:
        self._try(lambda: self._session.set_box(box, track))

    def draw(self, box: Box) -> None:
        redraw = self._session.redraw
        self._try(lambda: self._session.set_box(box) if redraw else self._session.add_object(box))

    def brush(self, points: list[tuple[float, float]], erase: bool) -> None:
        self._try(lambda: self._session.brush(points, erase=erase))

    def outline(self, points: list[tuple[float, float]], erase: bool) -> None:
        self._try(lambda: self._session.outline(points, erase=erase))

    def fill(self, at: tuple[float, float], erase: bool) -> None:
        self._try(lambda: self._session.fill(at, erase=erase))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            self._on_error(error)
