"""How long the window's thread is held up, and how fast it steps: run by hand, never judged by a test.

    QT_QPA_PLATFORM=offscreen python tests/perf/ui_benchmark.py CLIP [--box X,Y,W,H] [--tracker NAME] [--objects N]

Without CLIP: a clip of 1080p with one key frame in 250, made for it. Prints p50 and p95, from the request to the
painted picture, of jumps to frames that are not in memory: in a clip that was just opened, and once the application
has kept far frames on disk (both are exact pictures; there is no other kind). Then, during a tracking run of N objects
(20) and after it: steps over frames in memory with the right arrow, jumps as above, and the longest and the 99th
percentile gap between two turns of the event loop, beyond the 2 ms that the heartbeat sleeps. Whatever held the window
up for long is named by where its thread stood. ``groundtruth.txt`` beside CLIP gives the box unless one is
asked for; the other objects begin beside it.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import re
import sys
import tempfile
import threading
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

from app import diagnostics
from app.gui.application import make_window, prepare
from app.gui.asking import Unsaved
from app.gui.main_window import MainWindow
from tracker.api import Box

BEAT = 2
STALL, OWN = 30, 12
"""Milliseconds without a beat, elapsed and of processor time, after which it is noted where the window's thread stands.
"""


class Heart(QObject):
    """Beats every 2 ms in the window's thread; notes how late each beat came, and the processor time since the last.

    Both in milliseconds. On a machine that is busy otherwise, only the second says what the window itself costs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self.busy: list[float] = []
        self.stalls: list[tuple[float, float, str]] = []
        """Milliseconds of processor time, elapsed ones, and where the window's thread stood meanwhile."""
        self._clock = QElapsedTimer()
        self._window = threading.get_ident()
        self._stood = ""
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._clock.start()
        self._spent = time.thread_time()
        self._timer.start(BEAT)
        self._going = True
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        self._timer.stop()
        self._going = False
        self._watcher.join()

    def _watch(self) -> None:
        clock = time.pthread_getcpuclockid(self._window)
        while self._going:
            time.sleep(0.003)
            own = (time.clock_gettime(clock) - self._spent) * 1000
            if (own > OWN or self._clock.elapsed() > STALL) and not self._stood:
                self._stood = self._stands() or "?"

    def _stands(self) -> str:
        """The innermost calls of the window's thread. Frames as objects would keep alive what paints."""
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            text = file.read()
        stack = text.partition(f"0x{self._window:016x}")[2].partition("\n\n")[0]
        calls = re.findall(r'File ".*/([\w.]+)/(\w+)\.py", line (\d+) in (\w+)', stack)
        return " < ".join(f"{room}/{name}.{call}:{line}" for room, name, line, call in calls[:4])

    def _beat(self) -> None:
        self.late.append(max(0.0, self._clock.nsecsElapsed() / 1e6 - BEAT))
        self._clock.restart()
        if self._stood:
            own = (time.thread_time() - self._spent) * 1000
            self.stalls.append((own, self.late[-1], self._stood))
            self._stood = ""
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


def begin(window: MainWindow, box: Box, objects: int) -> None:
    """Start a run of so many objects."""
    session = window.session
    media = session.media
    assert media is not None
    session.seek(0)
    tracks = []
    for number in range(objects):
        across, down = number % 5, number // 5
        x = (box.x + across * media.width / 5) % max(1, media.width - box.w)
        y = (box.y + down * media.height / 4) % max(1, media.height - box.h)
        tracks.append(session.add_object(Box(x, y, box.w, box.h) if number else box))
        wait(lambda: False, 0.02)  # nobody draws two boxes in one turn of the loop
    session.select(*tracks)
    window.actions_["track.forward"].trigger()


def scrub(window: MainWindow, seconds: float) -> None:
    """Drag to and fro while the run goes on."""
    session = window.session
    assert session.media is not None
    until, place = time.monotonic() + seconds, 0
    while session.run is not None and time.monotonic() < until:
        place = (place + 7) % max(1, min(120, session.media.frames))
        session.seek(place)
        wait(lambda: session.run is None, 0.1)


def settled(seconds: float) -> int:
    """Wait until no more frames are kept on disk; how many are."""
    folder, before, until = diagnostics.paths().cache / "frames", -1, time.monotonic() + seconds
    while time.monotonic() < until:
        wait(lambda: False, 4)
        now = len(list(folder.glob("*/*")))
        if now == before:
            break
        before = now
    return max(0, before)


def tell(what: str, times: list[float]) -> None:
    if times:
        p50, p95 = np.percentile(times, [50, 95])
        print(f"{what} ({len(times)}): p50 {p50:.1f} ms, p95 {p95:.1f} ms; {busy()}", flush=True)


def busy() -> str:
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def figures(times: list[float]) -> str:
    return f"max {max(times):.1f} ms, p99 {np.percentile(times, 99):.1f} ms"


def jump(window: MainWindow, count: int, seed: int = 0) -> list[float]:
    """Milliseconds from a jump to a frame that is not cached to the painted picture of it."""
    session = window.session
    dice = random.Random(seed)
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
        wait(lambda: False, 0.02)  # a held key repeats after some 33 ms
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
    session, steps = window.session, arguments.steps
    size = f"{media.width} x {media.height}, {media.frames} frames"
    print(f"{arguments.clip.name}: {size}; {os.cpu_count()} cores, {busy()}")
    tell("jumps just after opening", jump(window, 20))
    began = time.monotonic()
    kept = settled(240)
    print(f"{kept} frames kept on disk within {time.monotonic() - began:.0f} s of idling")
    tell("jumps after that", jump(window, 40, 1))
    heart = Heart()
    heart.start()
    begin(window, arguments.box or first_box(arguments.clip), arguments.objects)
    scrub(window, arguments.seconds)
    took, spent = step(window, steps)
    during = session.run is not None
    tell("steps over frames in memory during the run", took)
    tell("    processor time of the window", spent)
    tell("jumps during the run", jump(window, 20, 2))
    heart.stop()
    print("the run went on all the while" if during and session.run is not None else "the run had ended before")
    session.stop()
    wait(lambda: session.run is None, 30)
    frames = len(session.document.tracks[1].frames) - 1
    print(f"tracking {arguments.objects} objects over {frames} frames, the window held up for: {figures(heart.late)}")
    print(f"    processor time of its own between two beats: {figures(heart.busy)}")
    worst = sorted(heart.stalls, reverse=True)[:4] + sorted(heart.stalls, key=lambda stall: -stall[1])[:4]
    for own, late, stood in dict.fromkeys(worst):
        print(f"    {own:.0f} ms of its own, {late:.0f} ms elapsed: {stood}")
    took, spent = step(window, steps)
    tell("steps over frames in memory after the run", took)
    tell("    processor time of the window", spent)
    tell("jumps after the run", jump(window, 40, 3))
    window.close()


if __name__ == "__main__":
    main()
