"""What a careful annotator presses, clicks and drags until every frame is right: run by hand, never judged by a test.

    QT_QPA_PLATFORM=offscreen python tests/perf/keystrokes.py CLIP... [--iou 0.7] [--methods ...] [--json FILE]

CLIP: folders with ``video.mp4`` and ``groundtruth.txt`` (x, y, w, h a line). Each clip is labelled in the real window
by mouse and keys, until every frame that the truth knows overlaps it by ``--iou`` in the document:

- *tracker*: N and a drag on the first frame, T; then, in order, the first frame that is not right gets its box drawn
  anew, and the product tracks the gaps beside it again; a pause is answered by drawing;
- *tracker, worst*: the same, but in the first stretch that is not right the worst frame is drawn (the annotator looks a
  little ahead);
- *tracker, worst or line*: also, where a straight line between two keyframes is right, I instead of a box;
- *keyframes, fewest*: the boxes of the fewest keyframes between which straight lines serve (known only from the truth,
  so no person does as well), lines by the product;
- *keyframes, greedy*: from each keyframe as far as a straight line serves, then the next.

Going to a frame takes the cheapest of the keys there are: arrows, Shift, PgDown, Home, End, the keyframes before and
after, or Ctrl+G and the number. Looking on, at the rate of the clip, is the same for all and not counted. A drag is one
press, move and release. Masks are off: they change nothing that is counted here.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch  # noqa: F401  # before Qt, as main.py does

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("SIAMLABEL_HOME", tempfile.mkdtemp(prefix="siamlabel-keystrokes-"))

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from rich.console import Console
from rich.table import Table

from app.gui.application import make_window, prepare
from app.gui.asking import Unsaved
from app.gui.main_window import MainWindow
from tracker import boxes
from tracker.evaluation.keyframes import fewest_keyframes, greedy_keyframes

METHODS = ("tracker", "tracker, worst", "tracker, worst or line", "keyframes, fewest", "keyframes, greedy")
PATIENCE = 1800.0
"""Seconds after which a wait has failed."""
STUCK = 400
"""Corrections after which a clip is given up."""
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier
MOVES = {
    1: (Qt.Key.Key_Right, PLAIN),
    -1: (Qt.Key.Key_Left, PLAIN),
    10: (Qt.Key.Key_Right, SHIFT),
    -10: (Qt.Key.Key_Left, SHIFT),
    100: (Qt.Key.Key_PageDown, PLAIN),
    -100: (Qt.Key.Key_PageUp, PLAIN),
}


@dataclass
class Count:
    """What was done by hand. ``boxes``: drawn after the first one; ``tracking``: seconds that the tracker worked."""

    clip: str
    method: str
    frames: int = 0
    keys: int = 0
    clicks: int = 0
    drags: int = 0
    boxes: int = 0
    tracking: float = 0.0
    lowest: float = 0.0
    mean: float = 0.0

    @property
    def actions(self) -> int:
        return self.keys + self.clicks + self.drags


def wait(until: Callable[[], bool], seconds: float = PATIENCE) -> None:
    loop = QEventLoop()
    poll = QTimer()
    poll.timeout.connect(lambda: loop.quit() if until() else None)
    poll.start(5)
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    if not until():
        loop.exec()
    if not until():
        sys.exit("waited in vain")


@functools.cache
def steps(way: int) -> tuple[int, ...]:
    """The fewest steps of 1, 10 and 100 frames that make up ``way``."""
    if way < 0:
        return tuple(-step for step in steps(-way))
    hundreds, tens, ones = way // 100, way // 10 % 10, way % 10
    tries = []
    for h in (hundreds, hundreds + 1):
        for t in range(-10, 11):
            o = way - 100 * h - 10 * t
            if abs(o) <= 10:
                tries.append([100] * h + [10 if t > 0 else -10] * abs(t) + [1 if o > 0 else -1] * abs(o))
    return tuple(min(tries, key=len)) if tens or ones or hundreds else ()


class Hand:
    """Mouse and keys on the window, counted."""

    def __init__(self, window: MainWindow, count: Count) -> None:
        self.window, self.session, self.count = window, window.session, count

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.count.keys += 1
        QTest.keyClick(self.window.canvas, key, modifier)

    def type_into_dialog(self, text: str, open_it: Callable[[], None]) -> None:
        """A key opens a dialog; a number is typed, Enter ends it."""

        def fill() -> None:
            dialog = QApplication.activeModalWidget()
            into = dialog.focusWidget() if dialog is not None and dialog.isActiveWindow() else None
            if into is None:
                QTimer.singleShot(10, fill)
                return
            QTest.keyClick(into, Qt.Key.Key_A, CTRL)  # it is selected when a dialog opens: no key of ours
            QTest.keyClicks(into, text)
            QTest.keyClick(into, Qt.Key.Key_Return)

        QTimer.singleShot(0, fill)
        open_it()
        self.count.keys += len(text) + 1
        self.window.activateWindow()  # a desktop does that; without one nobody does
        self.window.canvas.setFocus()
        wait(self.window.isActiveWindow, 5)

    def go(self, frame: int) -> None:
        last = self.session.frame_count - 1
        ways: list[tuple[list[Qt.Key], tuple[int, ...]]] = [([], steps(frame - self.session.frame))]
        ways += [([Qt.Key.Key_Home], steps(frame)), ([Qt.Key.Key_End], steps(frame - last))]
        track = next(iter(self.session.document.tracks.values()))
        for key, towards in ((Qt.Key.Key_E, -1), (Qt.Key.Key_R, 1)):
            at = track.next_keyframe(self.session.frame, towards)
            ways += [([key], steps(frame - at))] if at is not None else []
        first, then = min(ways, key=lambda way: len(way[0]) + len(way[1]))
        if len(first) + len(then) > 2 + len(str(frame)):
            self.type_into_dialog(str(frame), lambda: self.key(Qt.Key.Key_G, CTRL))
        else:
            for key in first:
                self.key(key)
            for step in then:
                self.key(*MOVES[step])
        assert self.session.frame == frame, (self.session.frame, frame)
        wait(lambda: self.session.shown is not None and self.session.shown.index == frame)

    def drag(self, box: np.ndarray) -> None:
        """From the upper left corner to the lower right one."""
        self.count.drags += 1
        canvas = self.window.canvas
        x, y, w, h = (float(v) for v in box)
        width, height = canvas.image_size
        (x1, y1), (x2, y2) = (max(0.0, x), max(0.0, y)), (min(width, x + w), min(height, y + h))

        def at(share: float) -> QPoint:
            return QPointF(*canvas.view.to_widget(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)).toPoint()

        QTest.mouseMove(canvas, at(0))
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(0))
        for share in (0.5, 1.0):
            QTest.mouseMove(canvas, at(share))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(1))

    def redraw(self, frame: int, box: np.ndarray) -> None:
        """Go there and draw the selected object's box; after a loss the picture is ready for it without a key."""
        self.go(frame)
        if not self.session.drawing:
            self.key(Qt.Key.Key_N, SHIFT)
        self.drag(box)
        self.count.boxes += 1

    def line(self, frame: int, truth: np.ndarray, iou: float) -> bool:
        """Press I in the gap around ``frame`` where a straight line is right on all of its frames; False: it is not."""
        track = next(iter(self.session.document.tracks.values()))
        left, right = track.next_keyframe(frame, -1), track.next_keyframe(frame, 1)
        if left is None or right is None:
            return False
        inside = np.arange(left + 1, right)
        share = ((inside - left) / (right - left))[:, None]
        a, b = np.array(track.frames[left].box, float), np.array(track.frames[right].box, float)
        if not (boxes.iou(a * (1 - share) + b * share, truth[inside]) >= iou).all():
            return False
        self.go(min(max(self.session.frame, left + 1), right - 1))
        self.key(Qt.Key.Key_I)
        self.settle()
        return True

    def settle(self) -> None:
        """Wait until nothing is tracked any more; that is the tracker's time."""
        began = time.perf_counter()
        QApplication.processEvents()
        wait(lambda: self.session.run is None and not self.session.retracking)
        self.count.tracking += time.perf_counter() - began

    def overlaps(self, truth: np.ndarray) -> np.ndarray:
        """IoU with the truth on every frame, 0 where there is no box, nan where the truth knows none."""
        frames = next(iter(self.session.document.tracks.values())).frames
        found = np.full(len(truth), np.nan)
        for frame in np.flatnonzero(np.isfinite(truth[:, 0])):
            seen = frames.get(int(frame))
            has = seen is not None and seen.present
            found[frame] = float(boxes.iou(np.array(seen.box, float), truth[frame])) if has else 0.0  # type: ignore[union-attr]
        return found


def begin(window: MainWindow, clip: Path, count: Count, truth: np.ndarray) -> Hand:
    """The clip opened, the first box drawn."""
    session = window.session
    opened: list[bool] = []
    stop = session.events.opened.connect(lambda: opened.append(True))
    session.abandon() if session.is_open else None
    session.open(clip / "video.mp4", fresh=True)
    wait(lambda: bool(opened) and session.shown is not None and session.shown.index == 0 and session.frame == 0)
    stop()
    QApplication.processEvents()
    count.frames = session.frame_count
    hand = Hand(window, count)
    hand.key(Qt.Key.Key_N)
    hand.drag(truth[0])
    assert session.selected is not None
    return hand


def by_tracker(window: MainWindow, clip: Path, truth: np.ndarray, iou: float, method: str) -> Count:
    count = Count(clip.name, method)
    hand = begin(window, clip, count, truth)
    hand.key(Qt.Key.Key_T)
    hand.settle()
    while (wrong := np.flatnonzero((now := hand.overlaps(truth)) < iou)).size and count.boxes < STUCK:
        frame = int(wrong[0])
        if "line" in method and hand.line(frame, truth, iou):
            continue
        if "worst" in method:
            fine = np.flatnonzero(~(now[frame:] < iou))
            stretch = now[frame : frame + int(fine[0])] if len(fine) else now[frame:]
            frame += int(np.nanargmin(stretch))
        hand.redraw(frame, truth[frame])
        hand.settle()
    return ended(count, hand.overlaps(truth))


def by_keyframes(window: MainWindow, clip: Path, truth: np.ndarray, iou: float, method: str) -> Count:
    """The last keyframe first, then a line, then those between: each of them bends the line by itself."""
    count = Count(clip.name, method)
    choose = greedy_keyframes if "greedy" in method else fewest_keyframes
    wanted = list(choose(truth, iou).at)
    hand = begin(window, clip, count, truth)
    if wanted:
        hand.redraw(wanted[-1], truth[wanted[-1]])
        hand.key(Qt.Key.Key_I)
    tail = len(truth) - 1 - hand.session.frame
    if tail > 0:
        hand.type_into_dialog(str(tail), lambda: hand.key(Qt.Key.Key_B, CTRL))
    hand.settle()
    for frame in wanted[-2::-1]:
        hand.redraw(frame, truth[frame])
        hand.settle()
    while (wrong := np.flatnonzero((now := hand.overlaps(truth)) < iou)).size and count.boxes < STUCK:
        frame = int(wrong[np.argmin(now[wrong])])  # a drag hits whole pixels of the screen only
        hand.redraw(frame, truth[frame])
        hand.settle()
    count.tracking = 0.0
    return ended(count, hand.overlaps(truth))


def ended(count: Count, overlaps: np.ndarray) -> Count:
    count.lowest, count.mean = float(np.nanmin(overlaps)), float(np.nanmean(overlaps))
    return count


def table(counts: list[Count], iou: float) -> Table:
    made = Table(title=f"By hand until every frame has IoU {iou:g}")
    for name in ("clip", "frames", "method", "boxes drawn again", "keys", "clicks", "drags", "all", "per 100 frames",
                 "tracking s", "lowest IoU", "mean IoU"):  # fmt: skip
        made.add_column(name, justify="left" if name in ("clip", "method") else "right")
    for c in counts:
        made.add_row(
            c.clip, str(c.frames), c.method, str(c.boxes), str(c.keys), str(c.clicks), str(c.drags), str(c.actions),
            f"{100 * c.actions / c.frames:.1f}", f"{c.tracking:.0f}", f"{c.lowest:.2f}", f"{c.mean:.2f}",
        )  # fmt: skip
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--iou", type=float, default=0.7)
    parser.add_argument("--tracker", default="default")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--masks", action="store_true", help="track with masks, as the window does by default")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    prepare(app)
    window, _ = make_window()
    window.documents.asking.unsaved = lambda: Unsaved.DISCARD  # type: ignore[method-assign]
    window.session.change_settings(tracker=arguments.tracker, masks=arguments.masks)
    window.resize(1440, 900)
    window.show()
    counts: list[Count] = []
    for clip in arguments.clips:
        lines = (clip / "groundtruth.txt").read_text().split("\n")
        truth = np.array([[float(v) for v in line.replace("\t", ",").split(",")] for line in lines if line.strip()])
        for method in arguments.methods:
            label = by_tracker if "tracker" in method else by_keyframes
            counts.append(label(window, clip, truth, arguments.iou, method))
            print(counts[-1], file=sys.stderr, flush=True)
    Console(width=160).print(table(counts, arguments.iou))
    if arguments.json:
        said = [{**asdict(c), "actions": c.actions} for c in counts]
        arguments.json.write_text(json.dumps({"iou": arguments.iou, "counts": said}, indent=1))
    window.close()


if __name__ == "__main__":
    main()
