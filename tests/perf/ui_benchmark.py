"""How long the window's thread is held up, and how fast it steps: run by hand, never judged by a test.

    QT_QPA_PLATFORM=offscreen python tests/perf/ui_benchmark.py CLIP [--box X,Y,W,H] [--tracker NAME] [--seconds S]

Prints, for a tracking run on CLIP (a 720p one, say): the longest and the 99th percentile gap between two turns of the
event loop, beyond the 2 ms that the heartbeat sleeps; then p50 and p95 of stepping over cached frames with the right
arrow, from the key press to the painted picture. ``groundtruth.txt`` beside CLIP gives the box unless one is asked for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch  # noqa: F401  # before Qt, as main.py does

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import os

os.environ.setdefault("SIAMLABEL_HOME", tempfile.mkdtemp(prefix="siamlabel-benchmark-"))

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.gui.application import make_window, prepare
from app.gui.asking import Unsaved
from app.gui.main_window import MainWindow
from tracker.api import Box

BEAT = 2


class Heart(QObject):
    """Beats every 2 ms in the window's thread; notes how late each beat came, and the processor time since the last.

    Both in milliseconds. On a machine that is busy otherwise, only the second says what the window itself costs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self.busy: list[float] = []
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._clock.start()
        self._spent = time.thread_time()
        self._timer.start(BEAT)

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        self.late.append(max(0.0, self._clock.nsecsElapsed() / 1e6 - BEAT))
        self._clock.restart()
        spent = time.thread_time()
        self.busy.append((spent - self._spent) * 1000)
        self._spent = spent


class Painted(QObject):
    """Ends a loop when the canvas was painted."""

    def __init__(self, loop: QEventLoop) -> None:
        super().__init__()
        self._loop = loop

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._loop.quit)
        return False


def wait(until: Callable[[], bool], seconds: float) -> bool:
    loop = QEventLoop()
    poll = QTimer()
    poll.timeout.connect(lambda: loop.quit() if until() else None)
    poll.start(5)
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()
    return until()


def first_box(clip: Path) -> Box:
    line = (clip.parent / "groundtruth.txt").read_text().splitlines()[0]
    return Box(*(float(v) for v in line.replace("\t", ",").split(",")))


def track(window: MainWindow, box: Box, seconds: float) -> tuple[Heart, int]:
    """The beats during a run, and the frames tracked meanwhile. Loading the tracker counts too."""
    session = window.session
    session.add_object(box)
    heart = Heart()
    heart.start()
    window.actions_["track.forward"].trigger()
    wait(lambda: session.run is None, seconds)
    heart.stop()
    session.stop()
    wait(lambda: session.run is None, 30)
    return heart, len(session.document.tracks[1].frames) - 1


def figures(times: list[float]) -> str:
    return f"max {max(times):.1f} ms, p99 {np.percentile(times, 99):.1f} ms"


def step(window: MainWindow, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the right arrow to the painted picture over cached frames: elapsed, and of processor time."""
    session = window.session
    session.seek(0)
    wait(lambda: len(session.cached_frames()) > count, 20)
    took: list[float] = []
    spent: list[float] = []
    for _ in range(min(count, len(session.cached_frames()) - 2)):
        loop = QEventLoop()
        painted = Painted(loop)
        window.canvas.installEventFilter(painted)
        QTimer.singleShot(2000, loop.quit)
        began, own = time.perf_counter(), time.thread_time()
        QTest.keyClick(window.canvas, Qt.Key.Key_Right)
        loop.exec()
        took.append((time.perf_counter() - began) * 1000)
        spent.append((time.thread_time() - own) * 1000)
        window.canvas.removeEventFilter(painted)
        wait(lambda: True, 0.02)  # what else the step set off is not charged to the next one
    return took, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--box", type=lambda text: Box(*map(float, text.split(","))))
    parser.add_argument("--tracker", default="default")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    prepare(app)
    window, _ = make_window()
    window.documents.asking.unsaved = lambda: Unsaved.DISCARD  # type: ignore[method-assign]
    window.session.settings.tracker = arguments.tracker
    window.show()
    window.documents.open(arguments.clip)
    if not wait(lambda: window.session.shown is not None, 60):
        sys.exit(f"{arguments.clip} did not open")
    media = window.session.media
    assert media is not None
    name = arguments.clip.parent.name
    print(f"{name}: {media.width} x {media.height}, {media.frames} frames; {os.cpu_count()} cores")
    heart, frames = track(window, arguments.box or first_box(arguments.clip), arguments.seconds)
    print(f"tracking {frames} frames, the window held up for: {figures(heart.late)}")
    print(f"    processor time of its own between two beats: {figures(heart.busy)}")
    took = step(window, arguments.steps)
    for what, times in zip(("from key to paint", "processor time of the window"), took, strict=True):
        p50, p95 = np.percentile(times, [50, 95])
        print(f"stepping over {len(times)} cached frames, {what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    window.close()


if __name__ == "__main__":
    main()
