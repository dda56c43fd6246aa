"""Keys, palette and settings: finding what can be done, and making it one's own."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from app.commands import COMMANDS
from app.gui.dialogs.keys import KeysDialog
from app.gui.dialogs.palette import Palette, match
from app.gui.dialogs.settings import SettingsDialog
from app.settings import Settings
from tracker.api import Box

BOX = Box(20, 20, 30, 24)


def sheet_of(user, qtbot) -> KeysDialog:
    sheet = KeysDialog(user.window.actions_.keymap, user.window)
    sheet.changed.connect(lambda keymap: user.session.change_settings(keys=keymap.changed()))
    qtbot.addWidget(sheet)
    sheet.show()
    return sheet


def choose(sheet: KeysDialog, command: str) -> None:
    sheet.tree.setCurrentItem(sheet._items[command])


def type_key(sheet: KeysDialog, key: str) -> None:
    sheet.edit.setKeySequence(QKeySequence(key))
    sheet.edit.editingFinished.emit()


def test_the_sheet_of_keys_names_every_command(user, qtbot):
    sheet = sheet_of(user, qtbot)
    assert {item.text(0) for item in sheet._items.values()} == {c.title.removesuffix("…") for c in COMMANDS}
    sheet.search.setText("keyfr")
    seen = {item.text(0) for item in sheet._items.values() if not item.isHidden()}
    assert {"Toggle keyframe", "Next keyframe"} <= seen
    assert "Save" not in seen


def test_a_key_can_be_changed_and_works_at_once(user, qtbot):
    user.draw(BOX)
    sheet = sheet_of(user, qtbot)
    choose(sheet, "object.keyframe")
    type_key(sheet, "Y")
    assert "Y is free" in sheet.note.text()
    sheet.add.click()
    assert user.window.actions_["object.keyframe"].shortcuts() == [QKeySequence("K"), QKeySequence("Y")]
    assert user.session.settings.keys == {"object.keyframe": ("K", "Y")}
    sheet.restore.click()
    assert user.session.settings.keys == {}


def test_a_key_that_is_taken_is_said_before_it_is_taken_away(user, qtbot):
    sheet = sheet_of(user, qtbot)
    choose(sheet, "object.keyframe")
    type_key(sheet, "T")
    assert "belongs to “Track forward”" in sheet.note.text()
    sheet.add.click()
    assert sheet.keymap.keys("track.forward") == ()
    assert not sheet.keymap.conflicts()
    choose(sheet, "track.forward")
    sheet.restore.click()
    assert sheet.keymap.keys("track.forward") == ("T",)
    assert sheet.keymap.keys("object.keyframe") == ("K",)
    sheet.restore_all.click()
    assert not sheet.restore_all.isEnabled()


def test_the_palette_finds_and_does_a_command(user, qtbot):
    palette = Palette(user.window.actions_, user.window)
    qtbot.addWidget(palette)
    palette.show()
    QTest.keyClicks(palette.search, "new ob")
    assert palette.list.currentItem().text() == "Object: New object"
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert user.session.drawing
    assert not palette.isVisible()


def test_the_palette_shows_what_cannot_be_done_but_does_not_do_it(user, qtbot):
    palette = Palette(user.window.actions_, user.window)
    qtbot.addWidget(palette)
    palette.show()
    QTest.keyClicks(palette.search, "delete the object")
    assert palette.list.item(0).text() == "Object: Delete the object"
    assert palette.list.currentRow() == -1
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_a_command_is_found_by_words_initials_and_hint():
    track = next(c for c in COMMANDS if c.id == "track.forward")
    assert match("", track) == 0
    assert match("forw tra", track) == 0
    assert match("tf", track) == 1
    assert match("track keyframe", track) == 2
    assert match("banana", track) is None


def test_settings_hold_at_once_and_can_be_restored(user, qtbot):
    dialog = SettingsDialog(user.session, user.window)
    qtbot.addWidget(dialog)
    dialog.show()
    controls = {name: control for form in dialog.forms.values() for name, control in form.controls.items()}
    controls["jump"].setValue(25)
    controls["show_labels"].setChecked(False)
    assert (user.session.settings.jump, user.session.settings.show_labels) == (25, False)
    dialog.search.setText("cache")
    assert controls["cache_mb"].isVisible()
    assert not controls["jump"].isVisible()
    buttons = dialog.findChild(QDialogButtonBox).buttons()
    next(b for b in buttons if b.text() == "Restore defaults").click()
    assert user.session.settings.jump == Settings().jump
    assert controls["jump"].value() == Settings().jump


def test_the_arrows_with_alt_move_and_size_the_box_in_one_step(user):
    track = user.draw(BOX)
    before = user.session.document.tracks[track].at(0).box
    for _ in range(3):
        user.key(Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    user.key(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
    user.key(Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier)
    x, y, w, h = before
    assert user.session.document.tracks[track].at(0).box == Box(x + 3, y - 10, w + 1, h)
    user.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert user.session.document.tracks[track].at(0).box == before


def test_a_locked_object_stays_as_it_is(user):
    track = user.draw(BOX)
    user.key(Qt.Key.Key_L)
    user.key(Qt.Key.Key_Delete)
    assert user.session.document.tracks[track].at(0) is not None
    assert "is locked" in user.window.notices.text.text()


def test_playing_goes_round_in_a_loop(user):
    user.at_frame(5)
    user.key(Qt.Key.Key_BracketLeft, Qt.KeyboardModifier.ControlModifier)
    user.at_frame(8)
    user.key(Qt.Key.Key_BracketRight, Qt.KeyboardModifier.ControlModifier)
    seen: list[int] = []
    user.session.events.position.connect(seen.append)
    user.key(Qt.Key.Key_Space)
    user.wait(lambda: seen.count(5) >= 2)
    assert set(seen) <= {5, 6, 7, 8}
    user.key(Qt.Key.Key_Space)


def test_keyframes_are_walked(user):
    user.draw(BOX)
    user.at_frame(7)
    user.session.set_box(BOX)
    user.key(Qt.Key.Key_E)
    user.wait(lambda: user.session.frame == 0)
    user.key(Qt.Key.Key_R)
    user.wait(lambda: user.session.frame == 7)
