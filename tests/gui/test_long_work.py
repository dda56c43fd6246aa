"""Long work shows one bar with a way out; the status line has a gauge; the log is one command away."""

from __future__ import annotations

from PySide6.QtGui import QDesktopServices

from app import diagnostics
from app.gui.progress import PATIENCE


def test_long_work_shows_a_bar_and_can_be_ended(user, qtbot):
    window, ended = user.window, []
    job = type("Job", (), {"cancel": lambda self: ended.append(True)})()
    user.session._long["Exporting coco"] = job
    user.session.events.progress("Exporting coco", 0.25)
    assert not window.work.isVisible()
    qtbot.waitUntil(window.work.isVisible, timeout=10 * PATIENCE)
    assert (window.work.title.text(), window.work.bar.value()) == ("Exporting coco", 250)
    window.work.button.click()
    assert ended == [True]
    assert not window.work.button.isEnabled()
    del user.session._long["Exporting coco"]
    user.session.events.progress("Exporting coco", None)
    assert not window.work.isVisible()


def test_work_that_cannot_be_ended_has_no_button(user, qtbot):
    window = user.window
    user.session.events.progress("Saving a", 0.0)
    qtbot.waitUntil(window.work.isVisible, timeout=10 * PATIENCE)
    assert not window.work.button.isVisible()
    assert window.work.bar.maximum() == 0
    user.session.events.progress("Saving a", None)


def test_opening_is_long_work_that_can_be_ended(user, clip):
    told = []
    user.session.events.progress.connect(lambda title, share: told.append((title, share)))
    job = user.session.open(clip)
    title = told[0][0]
    assert told == [(title, 0.0)]
    assert user.session.cancellable(title)
    user.qtbot.waitUntil(lambda: job.ended)
    assert told[-1] == (title, None)
    assert not user.session.cancellable(title)


def test_the_gauge_tells_frames_and_memory(user):
    user.window.gauge.look()
    assert "frames" in user.window.status.gauge.text()


def test_the_log_folder_opens(user, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    user.window.actions_["help.log"].trigger()
    assert opened == [str(diagnostics.paths().log.parent)]
