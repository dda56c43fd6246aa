"""Brings the window into its main states and takes a picture of each. A process of its own, for Qt's scale is one's.

    python tests/gui/golden/stage.py OUT light|dark [STATE ...]

Fonts, sizes, the tracker's answers and all figures that go with time are fixed, so that pictures differ only where the
window does. QT_SCALE_FACTOR=2 gives the pictures of a screen of 200 %.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["SIAMLABEL_HOME"] = tempfile.mkdtemp(prefix="golden-")
sys.path[:0] = [str(HERE), str(HERE.parents[2])]

# ruff: noqa: E402
from golden_compare import STATES
from golden_tracker import GoldenTracker, truth
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app import diagnostics
from app.commands import BY_ID
from app.gui.application import make_window, prepare
from app.gui.asking import Unsaved
from app.gui.bridge import Bridge
from app.gui.dialogs.keys import KeysDialog
from app.gui.dialogs.palette import Palette
from app.gui.dialogs.settings import SettingsDialog
from app.model.document import Attribute, AttributeKind, Label
from app.scene import mode_line
from app.session import Session
from app.settings import Settings
from app.work.painting import MaskTool
from tracker.api import Box

SIZE = 1200, 760
LETTERS = "Golden Sans"
LABELS = (
    Label("boat", "#0072b2", (
        Attribute("kind", AttributeKind.CHOICE, ("tug", "ferry"), "tug"),
        Attribute("name"),
        Attribute("moored", AttributeKind.FLAG, per_frame=True),
    )),
    Label("bird", "#e69f00"),
)  # fmt: skip


class Stage:
    """A window on the sample clip. Each method named after a state goes there from a clip without objects."""

    def __init__(self, app: QApplication, out: Path, theme: str) -> None:
        self.app, self.out = app, out
        video = diagnostics.resource("sample/video.mp4")
        folder = Path(os.environ["SIAMLABEL_HOME"]) / "harbour"
        folder.mkdir()
        self.clip = Path(shutil.copy(video, folder / "harbour.mp4"))
        self.tracker = GoldenTracker(self.clip)
        bridge = Bridge()
        settings = Settings(theme=theme, language="en", store_mb=0, cache_mb=64)  # type: ignore[call-arg]
        self.session = Session(settings, bridge.post, create_tracker=lambda *args, **options: self.tracker)
        self.window, _ = make_window(self.session, bridge)
        self.window.documents.asking.unsaved = lambda: Unsaved.DISCARD  # type: ignore[method-assign]
        self.window.resize(*SIZE)
        self.window.show()
        self.window.activateWindow()

    # --- hands --------------------------------------------------------------------------------------------------

    def wait(self, until: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come so far")
            self.app.processEvents()
            self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # there is no event loop that would do it
            time.sleep(0.002)

    def spin(self, seconds: float = 0.15) -> None:
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def calm(self) -> None:
        """Wait until nothing goes on in the background, and fix the figures that go with time."""
        session = self.session
        if session.is_open:
            known: list[int] = []
            while known != (now := session.cached_frames()):
                known = now
                self.spin(0.2)
            self.window.grab()  # rows that are painted ask for their pictures
            self.wait(lambda: not self.window.thumbs.busy)
        for timer in self.window.gauge.findChildren(QTimer):
            timer.stop()
        self.window.status.show_gauge("30.0 fps · 0.5 GiB" if session.run is not None else "0.5 GiB")
        if session.run is not None:
            self.window.tracker_panel.show_run("cpu", 30.0)
            self.window.status.show_mode(mode_line(replace(session.status, run=replace(session.run, fps=30.0))))
        self.spin()

    def take(self, name: str, widget: QWidget | None = None) -> None:
        self.calm()
        assert (widget or self.window).grab().save(str(self.out / f"{name}.png"))

    def run(self, command: str) -> None:
        self.window.actions_.trigger(BY_ID[command])

    def at(self, frame: int) -> None:
        self.session.seek(frame)
        self.wait(lambda: self.session.shown is not None and self.session.shown.index == frame)

    def on(self, x: float, y: float) -> QPoint:
        return QPointF(*self.window.canvas.view.to_widget(x, y)).toPoint()

    def drag(self, *points: tuple[float, float], release: bool = True) -> None:
        canvas = self.window.canvas
        QTest.mouseMove(canvas, self.on(*points[0]))
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=self.on(*points[0]))
        for point in points[1:]:
            QTest.mouseMove(canvas, self.on(*point))
        if release:
            QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=self.on(*points[-1]))

    def fresh(self) -> None:
        """The clip as it is opened for the first time."""
        self.session.escape()
        self.session.abandon()
        self.session.open(self.clip, fresh=True)
        self.wait(lambda: self.session.status.opening == "" and self.session.shown is not None)
        self.home()

    def home(self) -> None:
        """The first panels, the whole picture, no message of what was before."""
        self.window.side.above.show_panel("objects")
        self.window.side.below.show_panel("tracker")
        self.window.canvas.fit()
        self.window.canvas.setFocus()
        self.window.status.quiet()

    def boats(self, *, last: int = 80) -> None:
        """Two boats and a gull, followed up to ``last``; those that are there already do for the next state, too."""
        session = self.session
        if len(session.document.tracks) == 3:
            self.at(0)
            self.home()
            return
        self.fresh()
        session.set_labels(LABELS)
        for label, box in (
            ("boat", Box(342, 400.9, 93.8, 52.6)),
            ("boat", Box(209.8, 184.6, 96.1, 45.6)),
            ("bird", Box(983.7, 169.3, 73.9, 77.8)),
        ):
            session.add_object(box, label)
        session.change_settings(pause_on="never")
        session.select_all()
        session.track(1, until=last)
        self.wait(lambda: session.run is None)
        session.change_settings(pause_on="lost")
        session.select(1)

    # --- states -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.take("start")

    def open(self) -> None:
        self.fresh()
        self.take("open")

    def drawing(self) -> None:
        self.fresh()
        self.run("object.new")
        self.drag((342, 401), (380, 430), (436, 453.5), release=False)
        self.take("drawing")
        QTest.mouseRelease(self.window.canvas, Qt.MouseButton.LeftButton, pos=self.on(436, 453.5))

    def tracking(self) -> None:
        self.fresh()
        self.session.add_object(Box(342, 400.9, 93.8, 52.6), "boat")
        self.tracker.gate = threading.Semaphore(48)
        self.run("track.forward")
        self.wait(lambda: self.session.live is not None and self.session.live.frame == 48)
        self.session.runs.flush()
        self.take("tracking")
        self.session.stop()
        self.tracker.gate.release(500)
        self.wait(lambda: self.session.run is None)
        self.tracker.gate = None

    def paused(self) -> None:
        self.fresh()
        self.at(150)
        box = truth()[0][0][150]
        assert box is not None
        self.session.add_object(box, "boat")
        self.run("track.forward")
        self.wait(lambda: self.session.pause is not None)
        self.take("paused")
        self.session.dismiss()

    def corrected(self) -> None:
        self.boats()
        self.at(40)
        here = self.session.here
        assert here is not None
        assert here.box is not None
        self.drag((here.box.cx, here.box.cy), (here.box.cx + 6, here.box.cy), (here.box.cx + 8, here.box.cy + 5))
        self.wait(lambda: self.session.run is None and not self.session.retracking)
        self.window.side.below.show_panel("keyframes")
        self.take("corrected")

    def masks(self) -> None:
        self.boats()
        self.at(20)
        self.session.begin_masking(MaskTool.BRUSH)
        self.window.canvas.zoom(2.5)
        self.window.canvas.centre_on(self.session.here.box)  # type: ignore[union-attr, arg-type]
        box = self.session.here.box  # type: ignore[union-attr]
        assert box is not None
        self.drag((box.x + 10, box.y + 8), (box.cx, box.cy - 20), (box.x2 - 5, box.y + 4))
        self.take("masks")
        self.session.end_masking()

    def review(self) -> None:
        self.boats()
        self.window.side.above.show_panel("review")
        self.run("review.next")
        self.wait(lambda: self.session.shown is not None and self.session.shown.index == self.session.frame)
        self.take("review")

    def attributes(self) -> None:
        self.boats()
        self.at(60)
        self.session.set_attribute("name", "Marie")
        self.session.set_attribute("moored", False)
        self.window.side.below.show_panel("attributes")
        self.take("attributes")

    def settings(self) -> None:
        self.dialog("settings", SettingsDialog(self.session, self.window))

    def export(self) -> None:
        self.boats()
        self.run("file.export")
        self.spin()
        dialog = self.window.exporting.dialog
        assert dialog is not None
        dialog.path.setText("/videos/harbour.json")
        self.dialog("export", dialog)

    def palette(self) -> None:
        self.boats()
        palette = Palette(self.window.actions_, self.window)
        palette.search.setText("track")
        self.dialog("palette", palette)

    def keys(self) -> None:
        self.dialog("keys", KeysDialog(self.window.actions_.keymap, self.window))

    def clips(self) -> None:
        """A day of three clips: one done, one begun, one untouched."""
        day = self.clip.parent / "day"
        day.mkdir()
        for name in ("bridge", "harbour", "quay"):
            shutil.copy(self.clip, day / f"{name}.mp4")
        self.session.abandon()
        self.window.documents.dropped([day])
        self.wait(lambda: self.session.clip == 0 and self.session.shown is not None)
        self.session.set_labels(LABELS)
        self.session.add_object(Box(342, 400.9, 93.8, 52.6), "boat")
        self.session.track(1, until=30)
        self.wait(lambda: self.session.run is None)
        self.session.save()
        self.wait(lambda: not self.session.dirty)
        self.session.set_clip_done(0, True)
        self.session.go_to_clip(1)
        self.wait(lambda: self.session.clip == 1 and self.session.shown is not None)
        self.session.add_object(Box(209.8, 184.6, 96.1, 45.6), "boat")
        self.home()
        self.window.side.above.show_panel("clips")
        self.take("clips")

    def tour(self) -> None:
        """Its first step: the card, and the ring around what it speaks of."""
        self.session.abandon()
        self.run("help.tour")
        self.wait(lambda: self.window.touring.card.isVisible() and self.session.shown is not None)
        self.home()
        self.take("tour")

    def dialog(self, name: str, dialog: QDialog) -> None:
        dialog.show()
        self.spin(0.3)
        self.take(name, dialog)
        dialog.close()
        dialog.deleteLater()

    def close(self) -> None:
        self.session.abandon()
        self.window.close()
        self.spin(0.3)


def main(out: Path, theme: str, states: tuple[str, ...]) -> None:
    app = QApplication([])
    for file in ("letters.ttf", "letters-bold.ttf"):
        QFontDatabase.addApplicationFont(str(HERE / file))
    font = QFont(LETTERS)
    font.setPointSizeF(9.5)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    app.setFont(font)
    app.setCursorFlashTime(0)
    prepare(app)
    out.mkdir(parents=True, exist_ok=True)
    stage = Stage(app, out, theme)
    for state in states:
        getattr(stage, state)()
    stage.close()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:]) or STATES)
    finally:
        shutil.rmtree(os.environ["SIAMLABEL_HOME"], ignore_errors=True)
