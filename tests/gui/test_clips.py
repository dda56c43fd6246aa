"""A collection of clips through the window."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QListView, QPushButton, QWidget
from session_fakes import square, write_clip

from app.gui.panels.clip_rows import CLIP, NOTE

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def collected(make_user, tmp_path: Path):
    folder = tmp_path / "day"
    folder.mkdir()
    for name in "abc":
        write_clip(folder / f"{name}.mkv", frames=8)
    user = make_user()
    user.window.documents.dropped([folder])
    user.wait(lambda: user.session.clip == 0 and user.session.shown is not None)
    return user


def at_clip(user, number: int) -> None:
    user.wait(lambda: user.session.clip == number and user.session.shown is not None)


def names(user) -> list[str]:
    rows = user.window.clips_panel.rows
    return [str(rows.index(n).data()) for n in range(rows.rowCount())]


def note(user, number: int) -> str:
    return user.window.clips_panel.rows.index(number).data(NOTE)[0]


def drop(widget: QWidget, *paths: Path) -> bool:
    """Drag files over a widget and let go; whether it took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), copy, data, left, none)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(9, 9), copy, data, left, none))
    return enter.isAccepted()


def tick(user, number: int) -> None:
    panel = user.window.clips_panel
    user.window.side.above.show_panel("clips")
    rect = panel.list.visualRect(panel.rows.index(number))
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.left() + 13, rect.center().y()))


def pictures(folder: Path, frames: int = 4) -> Path:
    folder.mkdir(parents=True)
    for n in range(frames):
        cv2.imwrite(str(folder / f"{n + 1:04d}.jpg"), np.full((32, 48, 3), 40 * n, np.uint8))
    return folder


def test_the_panel_lists_the_clips_and_keys_go_from_one_to_the_next(collected):
    panel = collected.window.clips_panel
    collected.window.side.above.show_panel("clips")
    assert names(collected) == ["a.mkv", "b.mkv", "c.mkv"]
    collected.draw(square(0))
    collected.key(Qt.Key.Key_PageDown, CTRL)
    at_clip(collected, 1)
    assert names(collected)[0] == "a.mkv *"
    assert panel.list.currentIndex().row() == 1
    panel.list.setCurrentIndex(panel.rows.index(2))
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    at_clip(collected, 2)
    collected.key(Qt.Key.Key_Z, CTRL)
    at_clip(collected, 0)
    assert not collected.session.document.tracks
    assert not collected.session.dirty


def test_saving_shows_how_far_a_clip_is_and_a_tick_says_it_is_done(collected):
    collected.draw(square(0))
    collected.key(Qt.Key.Key_S, CTRL)
    collected.wait(lambda: not collected.session.dirty)
    clip = collected.session.collection.clips[0]
    assert (clip.share, clip.share_vouched) == (1 / 8, 1 / 8)
    assert "12% verified" in note(collected, 0)
    tick(collected, 0)
    assert collected.session.collection.clips[0].done
    assert collected.window.clips_panel.count.text() == "1 of 3 done"


def test_the_open_clip_shows_how_far_it_is_now_without_being_saved(collected):
    rows = collected.window.clips_panel.rows
    collected.window.side.above.show_panel("clips")
    collected.draw(square(0))
    collected.wait(lambda: "12% verified" in note(collected, 0))
    collected.track()
    collected.wait(lambda: rows.index(0).data(CLIP).share == 1)
    assert (rows.index(0).data(CLIP).labelled, rows.index(0).data(CLIP).vouched) == (8, 1)
    counts = rows.index(0).data(CLIP)
    collected.key(Qt.Key.Key_S, CTRL)
    collected.wait(lambda: not collected.session.dirty)
    saved = collected.session.collection.clips[0]
    assert (saved.labelled, saved.vouched) == (counts.labelled, counts.vouched)  # both ways of counting agree
    collected.key(Qt.Key.Key_Z, CTRL)
    collected.wait(lambda: rows.index(0).data(CLIP).labelled == 1)


def test_a_key_goes_to_the_next_clip_that_is_not_done(collected):
    tick(collected, 1)
    collected.key(Qt.Key.Key_PageDown, CTRL | SHIFT)
    at_clip(collected, 2)
    collected.key(Qt.Key.Key_PageDown, CTRL | SHIFT)
    at_clip(collected, 0)
    tick(collected, 2)
    collected.key(Qt.Key.Key_PageDown, CTRL | SHIFT)
    assert "All other clips are done" in collected.window.notices.text.text()
    assert collected.session.clip == 0


def test_leaving_asks_once_for_all_clips(collected, clip):
    collected.draw(square(0))
    collected.key(Qt.Key.Key_PageDown, CTRL)
    at_clip(collected, 1)
    collected.draw(square(0))
    collected.window.documents.open(clip)
    collected.wait(lambda: collected.session.media is not None and collected.session.media.path == clip)
    assert collected.asked == ["unsaved"]
    assert collected.session.collection is None
    assert collected.window.clips_panel.hint.isVisibleTo(collected.window.clips_panel)
    assert collected.session.leftovers() == []


def test_the_root_of_a_data_set_dropped_on_the_window_brings_its_labels(make_user, tmp_path):
    for name in ("Car", "Dog"):
        pictures(tmp_path / "set" / name / "img")
        (tmp_path / "set" / name / "groundtruth_rect.txt").write_text("5,6,10,8\n" * 4)
    (tmp_path / "set" / "Dog" / "groundtruth_rect.txt").write_text("5,6\n" * 4)
    user = make_user()
    assert drop(user.window, tmp_path / "set")
    at_clip(user, 0)
    assert names(user) == ["Car *", "Dog"]
    assert "OTB brought 1 object with 4 boxes" in user.window.status.message.text()
    assert len(user.session.document.tracks) == 1
    user.key(Qt.Key.Key_PageDown, CTRL)
    at_clip(user, 1)
    assert "a box has four numbers" in user.window.notices.text.text()
    assert note(user, 1).startswith("failed")
    user.key(Qt.Key.Key_Z, CTRL)
    at_clip(user, 0)
    assert not user.session.document.tracks


def test_folders_and_videos_are_added_by_the_button_and_by_dropping_them_on_the_panel(collected, tmp_path):
    panel = collected.window.clips_panel
    collected.window.side.above.show_panel("clips")
    left, right = pictures(tmp_path / "walk" / "left"), pictures(tmp_path / "walk" / "right")
    collected.window.documents.asking.folders = lambda: [left]
    collected.window.documents.asking.clips = lambda: [write_clip(tmp_path / "z.mkv", frames=3)]
    videos, folders = panel.add.menu().actions()
    folders.trigger()
    collected.wait(lambda: len(names(collected)) == 4)
    videos.trigger()
    collected.wait(lambda: len(names(collected)) == 5)
    assert drop(panel, left, right)
    collected.wait(lambda: len(names(collected)) == 6)
    assert names(collected)[3:] == ["left", "z.mkv", "right"]
    assert collected.session.clip == 0  # it stays where it is
    panel.list.setCurrentIndex(panel.rows.index(5))
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    at_clip(collected, 5)
    assert collected.session.frame_count == 4


def test_a_folder_of_pictures_dropped_on_the_window_is_one_clip(user, tmp_path):
    assert drop(user.window, pictures(tmp_path / "walk"))
    user.wait(lambda: user.session.media.path == tmp_path / "walk" and user.session.shown is not None)
    assert user.session.collection is None


def test_a_folder_with_its_labels_beside_the_pictures_dropped_on_the_window_brings_them(user, tmp_path):
    folder = pictures(tmp_path / "walk")
    (folder / "groundtruth.txt").write_text("5,6,10,8\n" * len(list(folder.iterdir())))
    (folder / "meta_info.ini").write_text("[METAINFO]\nobject_class: cat\n")
    assert drop(user.window, folder)
    user.wait(lambda: user.session.media.path == folder and user.session.shown is not None)
    assert [track.label for track in user.session.document.tracks.values()] == ["cat"]
    assert user.session.history.undo_title == "Import the labels of walk"
    user.key(Qt.Key.Key_Z, CTRL)
    assert not user.session.document.tracks


def history(user) -> list[str]:
    panel = user.window.history_panel
    return [panel.list.item(n).text() for n in range(panel.list.count())]


def click(user, row: int) -> None:
    panel = user.window.history_panel
    rect = panel.list.visualItemRect(panel.list.item(row))
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_the_history_lists_the_steps_of_all_clips_and_a_click_goes_to_one(collected):
    collected.window.side.above.show_panel("history")
    collected.draw(square(0))
    collected.key(Qt.Key.Key_PageDown, CTRL)
    at_clip(collected, 1)
    collected.draw(square(0))
    collected.draw(square(1))
    collected.key(Qt.Key.Key_PageUp, CTRL)
    at_clip(collected, 0)
    collected.draw(square(1))
    steps = history(collected)
    assert [steps[n] for n in (0, 1, 3, 6)] == ["As it was opened", "a.mkv", "b.mkv", "a.mkv"]
    assert len(steps) == 8
    click(collected, 3)  # a heading is no step
    assert len(collected.session.document.tracks) == 2
    click(collected, 4)
    at_clip(collected, 1)
    assert len(collected.session.document.tracks) == 1
    assert history(collected) == steps
    assert collected.window.history_panel.list.currentRow() == 4
    collected.key(Qt.Key.Key_PageUp, CTRL)
    at_clip(collected, 0)
    assert len(collected.session.document.tracks) == 1
    click(collected, 7)
    collected.wait(lambda: collected.session.clip == 0 and len(collected.session.document.tracks) == 2)
    click(collected, 0)
    collected.wait(lambda: not collected.session.can_undo)
    assert not collected.session.dirty
    assert history(collected) == steps


def test_several_folders_can_be_chosen_at_once(collected, tmp_path, monkeypatch):
    wanted = [pictures(tmp_path / "walk" / name) for name in ("left", "right")]

    def choose(dialog: QFileDialog) -> int:
        dialog.setDirectory(str(tmp_path / "walk"))
        dialog.show()
        view = dialog.findChild(QListView, "listView")
        model = view.model()
        collected.wait(lambda: model.rowCount(view.rootIndex()) == 2)
        view.selectAll()
        button = next(b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "") in ("Open", "Choose"))
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert not dialog.isVisible()
        return dialog.result()

    monkeypatch.setattr(QFileDialog, "exec", choose)
    assert sorted(collected.window.documents.asking.folders()) == wanted


def test_a_long_look_through_a_folder_shows_how_far_it_is_and_can_be_cancelled(make_user, tmp_path, monkeypatch):
    pictures(tmp_path / "set" / "walk")
    going = threading.Event()

    def slowly(paths):
        going.set()
        for n in range(10_000):
            yield min(0.9, n / 10)
            time.sleep(0.01)
        return []

    monkeypatch.setattr("app.work.clip_list.gather", slowly)
    user = make_user()
    user.window.documents.open(tmp_path / "set")
    work = user.window.work
    user.wait(lambda: going.is_set() and work.isVisible() and work.bar.value() > 0)
    assert "Looking through set" in user.window.start_page.title.text()
    QTest.mouseClick(work.button, Qt.MouseButton.LeftButton)
    user.wait(lambda: not work.isVisible())
    assert user.session.collection is None
    assert user.window.start_page.open_button.isVisible()
