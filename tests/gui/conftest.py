"""A window on the small clip with the small tracker, driven as a user drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from session_fakes import FakeTrackers, write_clip

from app.gui.application import make_window, prepare
from app.gui.asking import Unsaved
from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.session import Session
from app.settings import Settings
from tracker.api import Box


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv")


class User:
    """Mouse and keys on a window; positions are in image pixels."""

    def __init__(self, window: MainWindow, trackers: FakeTrackers, qtbot) -> None:
        self.window = window
        self.session = window.session
        self.trackers = trackers
        self.qtbot = qtbot
        self.asked: list[str] = []
        self.answer = Unsaved.DISCARD

    def wait(self, until: Callable[[], bool], timeout: int = 10_000) -> None:
        self.qtbot.waitUntil(until, timeout=timeout)

    def open(self, path: Path) -> None:
        self.window.documents.open(path)
        self.wait(lambda: self.session.is_open and self.session.shown is not None)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.window.canvas, key, modifier)

    def at(self, x: float, y: float) -> QPoint:
        return QPointF(*self.window.canvas.view.to_widget(x, y)).toPoint()

    def press(self, x: float, y: float) -> None:
        QTest.mouseMove(self.window.canvas, self.at(x, y))
        QTest.mousePress(self.window.canvas, Qt.MouseButton.LeftButton, pos=self.at(x, y))

    def move(self, x: float, y: float) -> None:
        QTest.mouseMove(self.window.canvas, self.at(x, y))

    def release(self, x: float, y: float) -> None:
        QTest.mouseRelease(self.window.canvas, Qt.MouseButton.LeftButton, pos=self.at(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.press(*start)
        for share in (0.3, 0.7, 1.0):
            self.move(start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        self.release(*end)

    def draw(self, box: Box) -> int:
        """A new object through N and a drag; answers with its id."""
        self.key(Qt.Key.Key_N)
        self.drag((box.x, box.y), (box.x2, box.y2))
        assert self.session.selected is not None
        return self.session.selected

    def track(self) -> None:
        """T, and wait for the end of the run."""
        self.key(Qt.Key.Key_T)
        self.wait(lambda: self.session.run is None)

    def at_frame(self, frame: int) -> None:
        """Go there and wait for its picture."""
        self.session.seek(frame)
        self.wait(lambda: self.session.shown is not None and self.session.shown.index == frame)


@pytest.fixture
def make_user(qtbot, qapp: QApplication) -> Iterator[Callable[..., User]]:
    prepare(qapp)
    made: list[MainWindow] = []

    def make(trackers: FakeTrackers | None = None, settings: Settings | None = None) -> User:
        trackers = trackers or FakeTrackers()
        bridge = Bridge()
        session = Session(settings or Settings(), bridge.post, create_tracker=trackers)
        window, _ = make_window(session, bridge)
        user = User(window, trackers, qtbot)

        def unsaved() -> Unsaved:
            user.asked.append("unsaved")
            return user.answer

        window.documents.asking.unsaved = unsaved  # type: ignore[method-assign]
        made.append(window)
        window.show()
        return user

    yield make
    for window in made:
        window.documents.asking.unsaved = lambda: Unsaved.DISCARD  # type: ignore[method-assign]
        window.close()
        window.deleteLater()


@pytest.fixture
def user(make_user: Callable[..., User], clip: Path) -> User:
    """A window on the clip, its first frame on show."""
    user = make_user()
    user.open(clip)
    return user
