"""The settings dialog for the user, for a project, and for the clips of a collection."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from session_fakes import write_clip

from app.gui.dialogs.settings import SettingsDialog
from app.work.scopes import Scope


def dialog_of(user, qtbot) -> SettingsDialog:
    dialog = SettingsDialog(user.session, user.window)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def control(dialog: SettingsDialog, name: str):
    return next(form.controls[name] for form in dialog.forms.values() if name in form.controls)


def click(button) -> None:
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_project_gets_a_setting_of_its_own_and_lets_go_of_it(user, qtbot):
    dialog = dialog_of(user, qtbot)
    assert [button.text() for button in dialog.bar.buttons.values()] == ["For me", "For this project"]
    click(dialog.bar.buttons[Scope.PROJECT])
    assert not control(dialog, "theme").isVisible()
    assert not control(dialog, "cache_mb").isVisible()
    control(dialog, "jump").setValue(25)
    control(dialog, "masks").setChecked(False)
    assert user.session.document.settings == {"jump": 25, "masks": False}
    assert (user.session.settings.jump, user.session.mine.jump) == (25, 10)
    assert control(dialog, "masks").font().bold()
    assert not dialog.marks["lost_after"].isVisible()
    click(dialog.bar.buttons[Scope.MINE])
    assert (control(dialog, "jump").value(), control(dialog, "jump").isEnabled()) == (10, True)
    assert dialog.marks["jump"].text() == "Set for this project"
    control(dialog, "jump").setValue(12)  # mine, though the project's goes on to hold
    assert (user.session.settings.jump, user.session.mine.jump) == (25, 12)
    click(dialog.marks["jump"])
    assert dialog.scope is Scope.PROJECT
    assert dialog.marks["jump"].text() == "Use mine"
    click(dialog.marks["jump"])
    assert (user.session.settings.jump, control(dialog, "jump").value()) == (12, 12)
    assert not dialog.marks["jump"].isVisible()
    assert user.session.document.settings == {"masks": False}
    click(dialog.restore)
    assert user.session.document.settings == {}
    assert user.session.settings == user.session.mine


def test_a_setting_is_found_in_either_scope(user, qtbot):
    dialog = dialog_of(user, qtbot)
    dialog.search.setText("frame")
    assert control(dialog, "jump").isVisible()
    assert control(dialog, "cache_mb").isVisible()
    click(dialog.bar.buttons[Scope.PROJECT])
    assert control(dialog, "jump").isVisible()
    assert not control(dialog, "cache_mb").isVisible()
    dialog.search.setText("cache")
    assert dialog._empty.isVisible()


def test_without_a_project_there_is_only_the_user(make_user, qtbot):
    dialog = dialog_of(make_user(), qtbot)
    assert not dialog.bar.isVisible()
    control(dialog, "jump").setValue(30)
    assert dialog._session.mine.jump == 30


def test_undo_while_the_dialog_is_seen_shows_in_it(user, qtbot):
    dialog = dialog_of(user, qtbot)
    click(dialog.bar.buttons[Scope.PROJECT])
    for value in (20, 21, 22):
        control(dialog, "jump").setValue(value)
    user.session.undo()  # turning one knob is one step
    assert control(dialog, "jump").value() == 10
    assert not user.session.can_undo


def test_keys_and_panels_change_the_value_that_holds(user, qtbot):
    user.session.change_settings_of(Scope.PROJECT, show_masks=True, tracker="fake")
    user.key(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert not user.session.settings.show_masks
    assert user.session.mine.show_masks
    assert user.session.document.settings["show_masks"] is False


@pytest.fixture
def collected(make_user, tmp_path: Path):
    (tmp_path / "day").mkdir()
    for name in "ab":
        write_clip(tmp_path / "day" / f"{name}.mkv", frames=6)
    user = make_user()
    user.window.documents.dropped([tmp_path / "day"])
    user.wait(lambda: user.session.clip == 0 and user.session.shown is not None)
    return user


def test_the_clips_of_a_collection_share_settings_and_one_may_differ(collected, qtbot):
    dialog = dialog_of(collected, qtbot)
    titles = [button.text() for button in dialog.bar.buttons.values()]
    assert titles == ["For me", "For all clips", "For this clip"]
    click(dialog.bar.buttons[Scope.COLLECTION])
    control(dialog, "jump").setValue(40)
    click(dialog.bar.buttons[Scope.PROJECT])
    assert control(dialog, "jump").value() == 40
    control(dialog, "jump").setValue(50)
    assert dialog.marks["jump"].text() == "As all clips"
    assert collected.session.settings.jump == 50
    click(dialog.marks["jump"])
    assert collected.session.settings.jump == 40
    click(dialog.bar.buttons[Scope.MINE])
    assert dialog.marks["jump"].text() == "Set for all clips"
