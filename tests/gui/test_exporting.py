"""Export through the dialog: counts before, progress, report after; errors and cancel leave nothing behind."""

from __future__ import annotations

import json
import threading

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog
from session_fakes import FRAMES, square

from app.formats.coco import CocoFormat
from app.gui.counting import Counting
from app.gui.dialogs.importing import ImportDialog

CTRL = Qt.KeyboardModifier.ControlModifier


def ask(user):
    user.draw(square(0))
    user.track()
    user.key(Qt.Key.Key_E, CTRL)
    dialog = user.window.exporting.dialog
    assert dialog is not None
    return dialog


def figure(dialog):
    found = dialog.counts._figures.get("boxes")
    return found.text() if found is not None else None


def test_a_long_count_is_said_and_only_the_newest_is_told(user, monkeypatch):
    begun: list[int] = []
    told: list[int] = []
    gate = threading.Event()

    def count(number):
        begun.append(number)
        gate.wait(30)
        return number

    counting = Counting(user.session.jobs)
    for number in range(5):
        counting.ask(lambda number=number: count(number), lambda plan, error: told.append(plan))
        user.wait(lambda: begun == [0])
    gate.set()
    user.wait(lambda: told == [4])
    assert begun == [0, 4]

    gate.clear()
    monkeypatch.setattr(CocoFormat, "plan", lambda *_: count(5))
    dialog = ask(user)
    user.wait(lambda: dialog.counts.losses.text() == "Counting…")
    dialog.close_button.click()
    gate.set()
    user.wait(lambda: not any(job.running for job in user.session.jobs._jobs))


def test_formats_load_beside_the_window(user):
    user.window.exporting.prepare()
    user.wait(lambda: all(job.ended for job in user.session.jobs._jobs))
    assert all(job.error is None for job in user.session.jobs._jobs)


def test_counts_come_before_and_the_report_after(user, tmp_path):
    dialog = ask(user)
    user.wait(lambda: figure(dialog) == str(FRAMES))
    assert "0.001 px" in dialog.counts.losses.text()
    out = tmp_path / "out.json"
    dialog.path.setText(str(out))
    dialog.export_button.click()
    user.wait(lambda: dialog.outcome.text() != "")
    assert dialog.outcome.text() == "Exported and checked"
    assert len(json.loads(out.read_bytes())["annotations"]) == FRAMES
    dialog.close_button.click()
    assert user.window.exporting.dialog is None


def test_options_of_the_format_change_the_counts(user):
    dialog = ask(user)
    dialog.form.controls["only_verified"].setChecked(True)
    user.wait(lambda: figure(dialog) == "1")
    dialog.format.setCurrentIndex(dialog.format.findData("vot"))
    user.wait(lambda: figure(dialog) == str(FRAMES))
    assert dialog.path.text().endswith("-vot")
    dialog.close_button.click()


def test_an_error_is_told_in_the_dialog_and_the_options_stay(user, tmp_path, clip):
    dialog = ask(user)
    dialog.path.setText(str(clip))  # the video itself must never be overwritten
    dialog.export_button.click()
    user.wait(lambda: "overwrite" in dialog.counts.losses.text())
    assert dialog.export_button.isEnabled()
    assert not user.window.notices.isVisible()
    dialog.close_button.click()


def test_cancelling_leaves_nothing_behind(user, tmp_path, monkeypatch):
    from app.formats import base

    def slow(*args, **kwargs):
        while True:
            yield 0.1

    monkeypatch.setattr(base, "_export", slow)
    dialog = ask(user)
    dialog.path.setText(str(tmp_path / "out.json"))
    dialog.export_button.click()
    user.wait(lambda: dialog.progress.value() > 0)
    dialog.close_button.click()
    user.wait(lambda: user.window.exporting.dialog is None)
    assert not (tmp_path / "out.json").exists()


def test_an_import_is_shown_and_then_taken_in_one_step(user, tmp_path, monkeypatch):
    user.draw(square(0))
    job = user.session.export("coco", tmp_path / "labels.json")
    user.wait(lambda: job.ended)
    monkeypatch.setattr(
        "app.gui.asking.QFileDialog.getOpenFileName", lambda *a, **k: (str(tmp_path / "labels.json"), "")
    )
    user.key(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    user.wait(lambda: user.window.findChild(ImportDialog) is not None)
    dialog = user.window.findChild(ImportDialog)
    assert dialog.summary.text() == "1 object, 1 box, 0 masks"
    assert len(user.session.document.tracks) == 1
    dialog.accept()
    assert len(user.session.document.tracks) == 2
    user.session.undo()
    assert len(user.session.document.tracks) == 1


def test_which_clip_of_a_data_set_is_asked(user, tmp_path, monkeypatch):
    path = tmp_path / "instances.json"
    videos = [{"id": at, "name": f"clip-{at}"} for at in range(3)]
    images = [{"id": at, "video_id": at, "frame_id": 0, "width": 64, "height": 48} for at in range(3)]
    notes = [{"id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4], "track_id": 5}]
    file = {"videos": videos, "images": images, "annotations": notes, "categories": [{"id": 1, "name": "dog"}]}
    path.write_text(json.dumps(file))
    monkeypatch.setattr("app.gui.asking.QFileDialog.getOpenFileName", lambda *a, **k: (str(path), ""))
    user.key(Qt.Key.Key_I, CTRL)
    user.wait(lambda: user.window.findChild(QInputDialog) is not None)
    asking = user.window.findChild(QInputDialog)
    assert "instances.json holds the labels of 3 clips" in asking.labelText()
    assert asking.comboBoxItems() == ["clip-0", "clip-1", "clip-2"]
    asking.setTextValue("clip-2")
    asking.accept()
    user.wait(lambda: user.window.findChild(ImportDialog) is not None)
    dialog = user.window.findChild(ImportDialog)
    assert dialog.summary.text() == "1 object, 1 box, 0 masks"
    dialog.accept()
    (track,) = user.session.document.tracks.values()
    assert (track.label, track.frames[0].box) == ("dog", (1, 2, 3, 4))


def test_results_are_read_another_way_before_they_come_in(user, tmp_path, monkeypatch):
    (tmp_path / "Ball.txt").write_text("11,21,30,40\n")
    monkeypatch.setattr("app.gui.asking.QFileDialog.getOpenFileName", lambda *a, **k: (str(tmp_path / "Ball.txt"), ""))
    user.key(Qt.Key.Key_I, CTRL)
    user.wait(lambda: user.window.findChild(ImportDialog) is not None)
    dialog = user.window.findChild(ImportDialog)
    dialog.form.controls["counted_from"].setCurrentIndex(1)
    user.wait(lambda: dialog.incoming.how.counted_from == "1")
    assert user.window.findChildren(ImportDialog) == [dialog]
    dialog.accept()
    assert user.session.document.tracks[1].frames[0].box == (10, 20, 30, 40)


def test_frames_are_asked_for_and_written(user, tmp_path, monkeypatch):
    user.draw(square(0))
    out = tmp_path / "pictures"
    asked = {"kind": "png", "numbering": "vot", "quality": 95, "rate": 0.0, "frames": "0-3", "every": 2}
    monkeypatch.setattr(user.window.ranges, "show", lambda dialog: dict(asked) if dialog.form.values() else None)
    monkeypatch.setattr("app.gui.dialogs.params.QFileDialog.getSaveFileName", lambda *a, **k: (str(out), ""))
    user.key(Qt.Key.Key_E, CTRL | Qt.KeyboardModifier.ShiftModifier)
    user.wait(lambda: (out / "frames.csv").exists())
    assert sorted(path.name for path in out.glob("*.png")) == ["00000001.png", "00000003.png"]
