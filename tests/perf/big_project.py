"""A project of 200 000 frames and 200 objects, and a run of 10 000 frames: how long things take and what they hold.

    QT_QPA_PLATFORM=offscreen python tests/perf/big_project.py [--frames N] [--objects N] [--labelled N] [--run N]

Makes a small clip of so many frames, and a project with so many labelled frames for each object, and drives the real
window on them. Prints what opening (2 s is the goal once the video is indexed), jumping, editing, saving and painting
the timeline take, with the processor time of the window's own thread, and the memory of the process. Then a cheap
tracker walks ``--run`` frames (10 000): its memory after a tenth of them and at the end should differ by 5 % at most.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch  # noqa: F401  # before Qt, as main.py does

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

os.environ.setdefault("SIAMLABEL_HOME", tempfile.mkdtemp(prefix="siamlabel-big-"))

import av
import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication
from session_fakes import FakeTrackers

from app.formats.project import save_project
from app.gui.application import prepare
from app.gui.asking import Unsaved
from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.held import memory_held
from app.media import probe
from app.model.document import Document, VideoRef
from app.model.tracks import Observation, Source, Track
from app.session import Session
from tracker.api import Box

WIDTH, HEIGHT = 160, 96


def long_clip(path: Path, frames: int) -> Path:
    """A clip of so many frames, small and quick to make: a white square that goes round."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"g": "50", "qscale": "5"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        for i in range(frames):
            planes[:HEIGHT] = 40
            planes[40:60, i % 130 : i % 130 + 20] = 235
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def big_document(ref: VideoRef, objects: int, labelled: int) -> Document:
    """Objects whose labelled frames are spread over the clip, as a run leaves them."""
    doc = Document(video=ref)
    every = max(1, ref.frames // labelled)
    for number in range(1, objects + 1):
        frames = {
            (number + k * every) % ref.frames: Observation(
                Box(k % 130, number % 70, 20, 20), source=Source.TRACKER, score=0.5 + k % 50 / 100, keyframe=k % 50 == 0
            )
            for k in range(labelled)
        }
        doc.tracks[number] = Track(number, f"thing {number % 9}", f"#{number * 40503 % 0xFFFFFF:06x}", True, frames)
    doc.next_id = objects + 1
    return doc


def wait(until: Callable[[], bool], seconds: float) -> bool:
    loop = QEventLoop()
    poll = QTimer()
    poll.timeout.connect(lambda: loop.quit() if until() else None)
    poll.start(2)
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()
    return until()


def memory() -> float:
    """MiB that the process holds."""
    return memory_held() / 2**20


def timed(what: str, times: int, act: Callable[[int], object]) -> None:
    """Print the median and the longest of so many goes, elapsed and of the window's own processor time."""
    took: list[float] = []
    own: list[float] = []
    for number in range(times):
        began, spent = time.perf_counter(), time.thread_time()
        act(number)
        took.append((time.perf_counter() - began) * 1000)
        own.append((time.thread_time() - spent) * 1000)
    mid, most = np.median(took), max(took)
    print(f"{what}: median {mid:.1f} ms, longest {most:.1f} ms; own time {np.median(own):.1f} / {max(own):.1f} ms")


def drive(window: MainWindow, project: Path, limit: float) -> None:
    session = window.session
    began, spent = time.perf_counter(), time.thread_time()
    window.documents.open(project)
    if not wait(lambda: session.shown is not None, limit):
        sys.exit(f"{project} did not open")
    took, own = time.perf_counter() - began, time.thread_time() - spent
    print(f"open: {took:.2f} s, of it {own:.2f} s of the window's own time; memory {memory():.0f} MiB")
    total = session.frame_count

    def scrub(number: int) -> None:
        at = (number * 7919 + 13) % total
        session.seek(at)
        wait(lambda: session.shown is not None and session.shown.index == at, 10)

    def edit(number: int) -> None:
        session.set_box(Box(number, 5, 20, 20), 1 + number % len(session.document.tracks), number * 31)
        QApplication.processEvents()

    timed("jump to a frame", 40, scrub)
    timed("edit and show", 40, edit)
    timed("undo and show", 20, lambda _: (session.undo(), QApplication.processEvents()))
    timed("paint the timeline", 20, lambda _: window.timeline.grab())
    timed("paint the window", 5, lambda _: window.grab())
    began, spent = time.perf_counter(), time.thread_time()
    job = session.save()
    asked = time.perf_counter() - began
    wait(lambda: job.ended, 60)
    took, own = time.perf_counter() - began, time.thread_time() - spent
    print(f"save: {took:.2f} s, the window held up for {asked * 1000:.0f} ms to begin; own time {own * 1000:.0f} ms")
    print(f"memory {memory():.0f} MiB, project {project.stat().st_size / 2**20:.1f} MiB")


def walk(window: MainWindow, frames: int, limit: float) -> None:
    """A run of so many frames, and the memory on the way."""
    session = window.session
    session.seek(0)
    session.add_object(Box(0, 40, 20, 20), "walker")
    held: list[tuple[int, float]] = []
    began = time.perf_counter()
    session.track_range(0, frames)
    while session.run is not None and time.perf_counter() - began < limit:
        wait(lambda: session.run is None, 0.25)
        if session.run is not None:
            held.append((session.run.done, memory()))
    session.stop()
    wait(lambda: session.run is None, 10)
    walked = held[-1][0] if held else 0
    late = [mib for done, mib in held if done > walked / 10] or [memory()]
    print(
        f"run of {walked} frames in {time.perf_counter() - began:.0f} s: memory {late[0]:.0f} MiB after a tenth, "
        f"{late[-1]:.0f} MiB at the end ({late[-1] / late[0] - 1:+.1%})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--objects", type=int, default=200)
    parser.add_argument("--labelled", type=int, default=1000)
    parser.add_argument("--run", type=int, default=10_000)
    parser.add_argument("--limit", type=float, default=240.0, help="seconds that any one step may take")
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    prepare(app)
    bridge = Bridge()
    session = Session(post=bridge.post, create_tracker=FakeTrackers())
    session.settings.tracker = "fake"
    folder = Path(tempfile.mkdtemp(prefix="siamlabel-big-"))
    began = time.perf_counter()
    clip = long_clip(folder / "long.mp4", arguments.frames)
    print(f"made a clip of {arguments.frames} frames in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    info = probe(clip, session._paths.cache)
    print(f"indexed in {time.perf_counter() - began:.1f} s; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    ref = VideoRef(str(clip), info.fingerprint, info.frames, info.width, info.height, info.fps)
    project = folder / "long.siamlabel"
    save_project(big_document(ref, arguments.objects, arguments.labelled), project)
    window = MainWindow(session)
    window.documents.asking.unsaved = lambda: Unsaved.DISCARD  # type: ignore[method-assign]
    window.resize(1600, 1000)
    window.show()
    drive(window, project, arguments.limit)
    walk(window, arguments.run, arguments.limit)
    window.close()
    bridge.close()


if __name__ == "__main__":
    main()
