"""How long the window's thread is held up, and how fast it steps: run by hand, never judged by a test.

    QT_QPA_PLATFORM=offscreen python tests/perf/ui_benchmark.py CLIP [--box X,Y,W,H] [--tracker NAME] [--objects N]

Without CLIP: a clip of 1080p with one key frame in 250, made for it. Prints, for a tracking run of N objects (20) on
it: the longest and the 99th percentile gap between two turns of the event loop, beyond the 2 ms that the heartbeat
sleeps, while the person scrubs; then p50 and p95, from the request to the painted picture, of stepping over cached
frames with the right arrow and of jumps to frames that are not cached. ``groundtruth.txt`` beside CLIP gives the box
unless one is asked for; the other objects begin beside it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch  # noqa: F401  # before Qt, as main.py does

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import os

os.environ.setdefault("SIAMLABEL_HOME", tempfile.mkdtemp(prefix="siamlabel-benchmark-"))

import av
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


def long_clip(path: Path, frames: int = 500) -> Path:
    """A clip of 1920 x 1080 with one key frame in 250: an object that moves before a ground that moves otherwise."""
    ground = np.random.default_rng(0).integers(0, 255, (135, 240, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    options = {"g": "250", "keyint_min": "250", "sc_threshold": "0", "preset": "veryfast"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for i in range(frames):
            image = np.roll(ground, (i * 3, i * 5), (0, 1))
            image[300:500, i * 3 % 1700 : i * 3 % 1700 + 200] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    (path.parent / "groundtruth.txt").write_text("0,300,200,200\n")
    return path


def track(window: MainWindow, box: Box, seconds: float, objects: int) -> tuple[Heart, int]:
    """The beats during a run of so many objects, and the frames tracked meanwhile. Loading the tracker counts too."""
    session = window.session
    media = session.media
    assert media is not None
    tracks = []
    for number in range(objects):
        across, down = number % 5, number // 5
        x = (box.x + across * media.width / 5) % max(1, media.width - box.w)
        y = (box.y + down * media.height / 4) % max(1, media.height - box.h)
        tracks.append(session.add_object(Box(x, y, box.w, box.h) if number else box))
    session.select(*tracks)
    heart = Heart()
    heart.start()
    window.actions_["track.forward"].trigger()
    until = time.monotonic() + seconds
    place = 0
    while session.run is not None and time.monotonic() < until:
        place = (place + 7) % max(1, min(120, media.frames))
        session.seek(place)
        wait(lambda: session.run is None, 0.1)
    heart.stop()
    session.stop()
    wait(lambda: session.run is None, 30)
    return heart, len(session.document.tracks[1].frames) - 1


def busy() -> str:
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def figures(times: list[float]) -> str:
    return f"max {max(times):.1f} ms, p99 {np.percentile(times, 99):.1f} ms"


def jump(window: MainWindow, count: int) -> list[float]:
    """Milliseconds from a jump to a frame that is not cached to the painted picture of it."""
    session = window.session
    dice = random.Random(0)
    took: list[float] = []
    for _ in range(count):
        far = sorted(set(range(session.frame_count)) - set(session.cached_frames()))
        if not far:
            break
        target = dice.choice(far)
        loop = QEventLoop()
        painted = Painted(loop)
        window.canvas.installEventFilter(painted)
        began = time.perf_counter()
        session.seek(target)
        QTimer.singleShot(10000, loop.quit)
        while session.shown is None or session.shown.index != target:
            loop.exec()
            if time.perf_counter() - began > 10:
                break
        took.append((time.perf_counter() - began) * 1000)
        window.canvas.removeEventFilter(painted)
        wait(lambda: False, 0.1)  # what else the jump set off is not charged to the next one
    return took


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
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--box", type=lambda text: Box(*map(float, text.split(","))))
    parser.add_argument("--tracker", default="default")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--objects", type=int, default=20)
    arguments = parser.parse_args()
    arguments.clip = arguments.clip or long_clip(Path(tempfile.mkdtemp(prefix="siamlabel-benchmark-")) / "clip.mp4")
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
    print(f"{name}: {media.width} x {media.height}, {media.frames} frames; {os.cpu_count()} cores, {busy()}")
    heart, frames = track(window, arguments.box or first_box(arguments.clip), arguments.seconds, arguments.objects)
    print(f"tracking {arguments.objects} objects over {frames} frames, the window held up for: {figures(heart.late)}")
    print(f"    processor time of its own between two beats: {figures(heart.busy)}")
    took = step(window, arguments.steps)
    for what, times in zip(("from key to paint", "processor time of the window"), took, strict=True):
        p50, p95 = np.percentile(times, [50, 95])
        print(f"stepping over {len(times)} cached frames, {what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    jumps = jump(window, 20)
    if jumps:
        p50, p95 = np.percentile(jumps, [50, 95])
        print(f"{len(jumps)} jumps to frames that are not cached: p50 {p50:.0f} ms, p95 {p95:.0f} ms; {busy()}")
    window.close()


if __name__ == "__main__":
    main()
