"""Labels of 100 objects on 2 000 frames come into an open project: how long the window's own thread is held by it.

    QT_QPA_PLATFORM=offscreen python tests/perf/big_import.py [--frames N] [--objects N]

Writes them as COCO and as MOTChallenge, drives the real window from Import labels to undo and redo, and prints for each
stage the longest turn of the window's loop, in processor time of that thread and by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch  # noqa: F401  # before Qt, as main.py does

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

os.environ.setdefault("SIAMLABEL_HOME", tempfile.mkdtemp(prefix="siamlabel-import-"))

from big_project import HEIGHT, WIDTH, long_clip, wait
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from session_fakes import FakeTrackers

from app.gui.application import make_window, prepare
from app.gui.asking import Unsaved
from app.gui.bridge import Bridge
from app.gui.dialogs.importing import ImportDialog
from app.session import Session
from app.settings import Settings

BOX = (8, 12)
"""Width and height of every box."""


def mot(folder: Path, frames: int, objects: int) -> Path:
    """A MOTChallenge sequence with all objects on all frames."""
    (folder / "gt").mkdir(parents=True)
    head = f"name=big\nimDir=img1\nframeRate=25\nseqLength={frames}\nimWidth={WIDTH}\nimHeight={HEIGHT}\nimExt=.jpg\n"
    (folder / "seqinfo.ini").write_text("[Sequence]\n" + head)
    rows = (
        f"{frame + 1},{number + 1},{(frame + number) % 150 + 1},{number % 80 + 1},{BOX[0]},{BOX[1]},1,1,1\n"
        for frame in range(frames)
        for number in range(objects)
    )
    (folder / "gt" / "gt.txt").write_text("".join(rows))
    return folder / "gt" / "gt.txt"


def coco(path: Path, frames: int, objects: int) -> Path:
    """The same as COCO with videos."""
    notes = [
        {
            "id": 1 + frame * objects + number, "image_id": frame + 1, "category_id": 1, "track_id": number + 1,
            "bbox": [(frame + number) % 150, number % 80, *BOX], "area": BOX[0] * BOX[1], "iscrowd": 0,
        }
        for frame in range(frames) for number in range(objects)
    ]  # fmt: skip
    images = [
        {"id": at + 1, "video_id": 1, "frame_id": at, "file_name": f"{at:06d}.jpg", "width": WIDTH, "height": HEIGHT}
        for at in range(frames)
    ]
    videos = [{"id": 1, "name": "big", "width": WIDTH, "height": HEIGHT}]
    categories = [{"id": 1, "name": "car"}]
    file = {"videos": videos, "images": images, "annotations": notes, "categories": categories}
    path.write_text(json.dumps(file))
    return path


class Turns:
    """The longest turn of the loop: processor time of the window's thread, and time by the clock."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(1)
        self.begin()

    def begin(self) -> None:
        self.busy = self.late = 0.0
        self._own, self._clock = time.thread_time(), time.perf_counter()

    def _beat(self) -> None:
        own, clock = time.thread_time(), time.perf_counter()
        self.busy, self.late = max(self.busy, own - self._own), max(self.late, clock - self._clock)
        self._own, self._clock = own, clock


@contextmanager
def stage(turns: Turns, name: str) -> Iterator[None]:
    turns.begin()
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    wait(lambda: False, 1)  # what is still to be drawn
    print(f"  {name:8} {took:6.2f} s in all; longest turn {turns.busy * 1000:6.0f} ms of its own, "
          f"{turns.late * 1000:6.0f} ms by the clock", flush=True)  # fmt: skip


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--frames", type=int, default=2000)
    asked.add_argument("--objects", type=int, default=100)
    args = asked.parse_args()
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    prepare(app)
    with tempfile.TemporaryDirectory(prefix="siamlabel-import-") as name:
        place = Path(name)
        clip = long_clip(place / "big.mp4", args.frames)
        files = {"MOT": mot(place / "mot" / "big", args.frames, args.objects),
                 "COCO": coco(place / "big.json", args.frames, args.objects)}  # fmt: skip
        for kind, path in files.items():
            print(f"{kind}: {args.objects} objects on {args.frames} frames, {path.stat().st_size / 1e6:.0f} MB")
            drive(clip, path, args.objects)
    return 0


def drive(clip: Path, path: Path, objects: int) -> None:
    """One window: open, import, undo, redo."""
    bridge = Bridge()
    session = Session(Settings(), bridge.post, create_tracker=FakeTrackers())
    window, _ = make_window(session, bridge)
    window.documents.asking.unsaved = lambda: Unsaved.DISCARD  # type: ignore[method-assign]
    window.resize(1600, 1000)
    window.show()
    window.documents.open(clip)
    until(lambda: session.is_open and session.shown is not None)
    wait(lambda: False, 2)
    turns = Turns()

    def dialog() -> ImportDialog | None:
        return next(iter(window.findChildren(ImportDialog)), None)

    with stage(turns, "read"):
        session.read_labels(path)
        until(lambda: dialog() is not None)
    with stage(turns, "take"):
        asking = dialog()
        assert asking is not None
        asking.accept()
        until(lambda: len(session.document.tracks) == objects)
    with stage(turns, "undo"):
        session.undo()
        until(lambda: not session.document.tracks)
    with stage(turns, "redo"):
        session.redo()
        until(lambda: len(session.document.tracks) == objects)
    window.close()


def until(condition: Callable[[], bool]) -> None:
    if not wait(condition, 300):
        raise TimeoutError("waited five minutes in vain")


if __name__ == "__main__":
    raise SystemExit(main())
