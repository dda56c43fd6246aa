"""What surrounds the labelling: errors, hints, keys, settings, playing, themes, the start page, the entry point."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from session_fakes import FRAMES, square, write_clip

from app import diagnostics
from app.commands import COMMANDS
from app.commands.table import WINDOW
from app.gui import recent, theme
from app.gui.actions import ICONS
from app.gui.application import begin
from app.gui.asking import Unsaved
from app.gui.canvas.tools import rect_at
from app.gui.dialogs.relink import RelinkDialog
from app.gui.panels.tracks import EYE, LABEL
from app.media import MediaError
from app.session import Mode
from app.settings import HEAT_KINDS
from app.work.errors import RelinkError


def test_every_command_has_an_action_with_its_keys_and_every_icon_exists(user):
    for command in COMMANDS:
        action = user.window.actions_[command.id]
        if command.scope == WINDOW:
            assert [QKeySequence(key) for key in command.keys] == action.shortcuts()
    assert set(ICONS) <= {command.id for command in COMMANDS}
    for name in ICONS.values():
        assert diagnostics.resource(f"icons/{name}.svg").is_file()


def test_what_cannot_be_done_is_disabled(make_user):
    user = make_user()
    enabled = {command.id for command in COMMANDS if user.window.actions_[command.id].isEnabled()}
    assert {"file.open", "file.sample", "help.keys"} <= enabled
    assert not {"file.save", "object.new", "track.forward", "go.next", "edit.undo"} & enabled
    assert "Ctrl+O" in user.window.status.mode.text()


def test_a_hint_says_what_to_do_and_an_error_stays(user):
    window = user.window
    user.at_frame(FRAMES - 1)
    user.draw(square(0))
    user.key(Qt.Key.Key_T)
    assert window.notices.isVisible()
    assert "last frame" in window.notices.text.text()
    assert not window.notices.details.isVisible()
    window.show_error(MediaError("clip.mp4: frame 3 cannot be decoded."))
    assert "frame 3" in window.notices.text.text()
    window.notices.hint("a mere hint")
    assert "frame 3" in window.notices.text.text()
    window.notices.details.click()
    dialog = next(iter(window.errors._open.values()))
    assert "MediaError" in dialog.details.toPlainText()
    dialog.copy_button.click()
    assert "MediaError" in QGuiApplication.clipboard().text()
    dialog.close()


def test_one_dialog_for_one_distinct_error(user):
    def fail(text: str) -> Exception:
        try:
            raise ValueError(text)
        except ValueError as error:
            return error

    errors = user.window.errors
    first = errors.show_once(fail("a"), "Headline")
    assert errors.show_once(fail("b"), "Headline") is None  # the same place, another text
    assert first is not None
    first.close()


def test_a_frame_that_cannot_be_shown_is_said_on_the_picture(user, monkeypatch):
    user.session.events.error(MediaError("clip.mkv: frame 0 cannot be decoded."))
    assert user.window.canvas._note == "Frame 0 cannot be shown"
    user.at_frame(3)
    assert user.window.canvas._note == ""


def test_relink_offers_to_find_the_video(user, qtbot, monkeypatch, tmp_path):
    video = user.session.document.video
    dialog = RelinkDialog(RelinkError(tmp_path / "p.siamlabel", video, None, "not there"), user.window)
    qtbot.addWidget(dialog)
    assert not dialog.anyway_button.isVisibleTo(dialog)
    monkeypatch.setattr(
        "app.gui.dialogs.relink.QFileDialog.getOpenFileName", lambda *a: (str(tmp_path / "found.mkv"), "")
    )
    dialog.find_button.click()
    assert dialog.video == tmp_path / "found.mkv"
    assert not dialog.anyway


def test_a_moved_video_is_found_through_the_dialog(user, make_user, monkeypatch, clip):
    user.draw(square(0))
    job = user.session.save()
    user.wait(lambda: job.ended)
    project = job.value
    user.window.close()
    elsewhere = clip.rename(clip.with_name("moved.mkv"))
    again = make_user()

    def answer(dialog):
        dialog.video = elsewhere
        return True

    monkeypatch.setattr("app.gui.documents.RelinkDialog.exec", answer)
    again.window.documents.open(project)
    again.wait(lambda: again.session.is_open)
    assert again.session.media.path == elsewhere
    assert len(again.session.document.tracks) == 1


def test_opening_another_asks_first_and_is_remembered(user, tmp_path, monkeypatch):
    other = write_clip(tmp_path / "other.mkv", frames=5)
    user.draw(square(0))
    monkeypatch.setattr(user.window.documents.asking, "file_to_open", lambda: other)
    user.answer = Unsaved.CANCEL
    user.window.actions_["file.open"].trigger()
    user.window.actions_["file.sample"].trigger()
    assert user.asked == ["unsaved", "unsaved"]
    assert user.session.document.tracks
    user.answer = Unsaved.DISCARD
    user.window.actions_["file.open"].trigger()
    user.wait(lambda: user.session.is_open and user.session.frame_count == 5)
    assert recent.load()[0] == other
    user.window.close()
    assert not user.session.leftovers()


def test_the_context_menu_acts_on_what_is_under_the_cursor(user):
    user.draw(square(0))
    user.session.select()
    canvas = user.window.canvas
    box = square(0)
    user.wait(lambda: rect_at(canvas, QPointF(user.at(box.cx, box.cy))) is not None)
    canvas.menu_wanted.emit(canvas.mapToGlobal(user.at(box.cx, box.cy)))
    assert user.session.selected == 1
    menu = next(m for m in user.window.findChildren(QMenu) if m.isVisible())
    titles = [action.text() for action in menu.actions()]
    assert "Track forward" in titles
    menu.close()


def test_the_list_renames_hides_and_selects(user, qtmodeltester):
    user.draw(square(0))
    user.session.select()
    panel = user.window.tracks_panel
    qtmodeltester.check(panel.model)
    assert panel.model.setData(panel.model.index(0, LABEL), "tug")
    assert user.session.document.tracks[1].label == "tug"
    panel.table.clicked.emit(panel.model.index(0, EYE))
    assert not user.session.document.tracks[1].visible
    user.wait(lambda: user.window.canvas.scene == ())
    panel.table.setCurrentIndex(panel.model.index(0, LABEL))
    assert user.session.selected == 1
    user.session.undo()
    assert user.session.document.tracks[1].visible


def test_letters_typed_into_a_label_are_no_commands(user):
    user.draw(square(0))
    panel = user.window.tracks_panel
    panel.table.edit(panel.model.index(0, LABEL))
    editor = panel.table.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "nt fkh")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    user.wait(lambda: user.session.document.tracks[1].label == "nt fkh")
    assert user.session.mode is Mode.IDLE
    assert user.session.run is None
    assert user.session.frame == 0


def test_the_tracker_panel_sets_what_the_session_uses(user):
    panel = user.window.tracker_panel
    panel.heat.setCurrentIndex(panel.heat.findData("attention"))
    panel.heat.activated.emit(panel.heat.currentIndex())
    assert user.session.settings.heat_kind == "attention"
    panel.opacity.setValue(80)
    assert user.session.settings.heat_opacity == 0.8
    user.key(Qt.Key.Key_A)
    following = HEAT_KINDS[(HEAT_KINDS.index("attention") + 1) % len(HEAT_KINDS)]
    assert panel.heat.currentData() == following
    assert {panel.device.itemData(n) for n in range(panel.device.count())} >= {"auto", "cpu", "cuda"}


def test_playing_follows_the_clock_and_stops_at_the_end(user):
    user.at_frame(FRAMES - 6)
    user.key(Qt.Key.Key_Space)
    assert user.session.playing
    user.wait(lambda: user.session.frame == FRAMES - 1 and not user.session.playing)
    assert user.window.player.dropped <= 5


def test_the_theme_follows_the_wish(user):
    for wish, dark in [("dark", True), ("light", False), ("system", False)]:
        user.session.change_settings(theme=wish)
        assert theme.current().tokens.dark is dark
    palette = QApplication.palette()
    assert palette.window().color().name() == theme.current().tokens.window


def test_recent_files_are_newest_first_and_exist(tmp_path: Path):
    paths = [tmp_path / name for name in ("a.mp4", "b.mp4")]
    for path in paths:
        path.touch()
        recent.add(path)
    recent.add(paths[0])
    assert recent.load() == [paths[0], paths[1]]
    paths[0].unlink()
    assert recent.load() == [paths[1]]
    recent._file().write_text("[1, {")
    assert recent.load() == []


def test_the_menus_offer_what_was_opened_lately_and_the_colours(user, clip):
    menus = {menu.title(): menu for menu in user.window.menuBar().findChildren(QMenu)}
    menus["Open recent"].aboutToShow.emit()
    assert clip.name in menus["Open recent"].actions()[0].text()
    next(action for action in menus["Colours"].actions() if action.text() == "Dark").trigger()
    assert user.session.settings.theme == "dark"
    assert theme.current().tokens.dark
    user.session.change_settings(theme="system")


def test_a_newcomer_gets_the_sample_and_others_their_list(make_user, clip, monkeypatch):
    user = make_user()
    opened: list[Path | None] = []
    monkeypatch.setattr(user.window.documents, "open", lambda path: opened.append(path))
    begin(user.window, None)
    recent.add(clip)
    begin(user.window, None)
    begin(user.window, str(clip))
    assert opened == [None, clip]


@pytest.mark.expected_logs("unexpected error")
def test_run_opens_and_ends_and_shows_what_escapes(qapp, clip, monkeypatch, caplog):
    """The real start: hooks, window, event loop."""
    from app.gui import application

    windows = []
    make = application.make_window

    def remember():
        windows.append(made := make())
        return made

    monkeypatch.setattr(application, "make_window", remember)
    monkeypatch.setattr("app.gui.asking.Asking.unsaved", lambda self: pytest.fail("nothing was changed"))

    def boom() -> None:
        try:
            raise ValueError("a mistake")
        except ValueError:
            sys.excepthook(*sys.exc_info())
        window = windows[0][0]
        assert [d.isVisible() for d in window.errors._open.values()] == [True]
        window.close()

    poll = QTimer()
    poll.timeout.connect(lambda: (poll.stop(), boom()) if windows and windows[0][0].session.is_open else None)
    poll.start(5)
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        assert application.run(str(clip)) == 0
    finally:
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()
    assert sys.excepthook is sys.__excepthook__
    log = diagnostics.paths().log.read_text(encoding="utf-8")
    assert "a mistake" in log
    assert json.loads((diagnostics.paths().state / "recent.json").read_text()) == [str(clip)]


def test_a_setting_dresses_the_window_anew_only_when_it_is_the_theme(user):
    dressed = []
    theme.current().changed.connect(lambda: dressed.append(1))
    user.session.change_settings(brush=3.0, heat_opacity=0.2)
    assert not dressed
    user.session.change_settings(theme="dark")
    user.session.change_settings(theme="light")
    assert len(dressed) == 2
