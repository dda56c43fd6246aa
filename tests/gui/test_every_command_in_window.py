"""Every command of the table through the window: by each of its keys and by the menu, its dialogs answered."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dialog_hands as hands
import msgspec
import pytest
from command_cases import CASES, OFF, WINDOWED, Trackers, World, default_settings, make_off
from dialog_hands import DialogHands
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from session_fakes import write_clip

from app import diagnostics
from app.commands import BY_ID, COMMANDS
from app.gui.dialogs.keys import KeysDialog
from app.gui.dialogs.palette import Palette
from app.gui.dialogs.settings import SettingsDialog
from app.work.painting import MaskTool
from tracker.api import Box

MENU = "menu"
BOX = Box(28, 18, 30, 30)
GROUPS = list(dict.fromkeys(command.group for command in COMMANDS))


@dataclass
class Desk:
    """A user at a window, a world for the cases, and the hands that answer dialogs."""

    user: Any
    hands: DialogHands
    place: Path

    def world(self, number: str) -> World:
        """The window on a clip of its own, everything as in the beginning."""
        session, user = self.user.session, self.user
        place = self.place / number
        place.mkdir()
        clip = write_clip(place / "clip.mkv")
        session.abandon()
        user.open(clip)
        user.wait(lambda: session.media.path == clip and session.shown is not None)
        session.change_settings(**msgspec.structs.asdict(default_settings()))
        user.window.activateWindow()  # the offscreen platform leaves that to a menu that was closed
        user.wait(user.window.isActiveWindow)
        user.window.canvas.setFocus()
        return World(session, clip, place, user.wait, lambda incoming: None)

    def trigger(self, id_: str, how: str) -> None:
        """Press a key, or choose from the menu."""
        if how != MENU:
            stroke: Any = QKeySequence(how)
            self.user.key(stroke[0].key(), stroke[0].keyboardModifiers())
            return
        bar, action = self.user.window.menuBar(), self.user.window.actions_[id_]
        title = next(one for one in bar.actions() if action in menu_of(one).actions())
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(title).center())
        menu = menu_of(title)
        assert menu.isVisible()
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def menu_of(action: QAction) -> QMenu:
    menu: Any = action.menu()
    return menu


def ways(id_: str) -> list[str]:
    command = BY_ID[id_]
    return [*command.keys, *([MENU] if command.in_menu else [])]


def answers(id_: str, told: dict[str, Any], wait: Callable[[Callable[[], bool]], object]) -> list[hands.Answer]:
    """What a user says to the dialogs of a command."""
    match BY_ID[id_].ask:
        case "open" | "clip_folder" | "save_as" | "label_file":
            return [hands.file(next(iter(told.values())))]
        case "label_data" | "label_folder":
            return [hands.file(told["path"]), hands.take]
        case "export":
            return [hands.export(told, wait)]
        case "frames":
            return [hands.params({"frames": told["frames"]}), hands.file(told["out"])]
        case "labels":
            return [hands.rename(told["labels"][0].name)]
        case "comment":
            return [hands.text(told["text"])]
        case "frame":
            return [hands.text(told["place"])]
        case None:
            assert not told
            return []
        case _:
            return [hands.params(told)]


@pytest.fixture
def desk(make_user, tmp_path: Path) -> Iterator[Desk]:
    user = make_user(Trackers(), default_settings())
    found = DialogHands()
    yield Desk(user, found, tmp_path)
    found.stop()


@pytest.mark.parametrize("group", GROUPS)
def test_commands_by_their_keys_and_by_the_menu(desk: Desk, group: str) -> None:
    for command in COMMANDS:
        if command.group != group or command.id in WINDOWED:
            continue
        assert ways(command.id), f"{command.id} can only be reached through the palette"
        for number, how in enumerate(ways(command.id)):
            about = f"{command.id} by {how}"
            w = desk.world(f"{command.id}{number}")
            action = desk.user.window.actions_[command.id]
            if OFF[command.id] == "bare":
                assert not action.isEnabled(), about
            case = CASES[command.id](w)
            told = next(case)
            assert action.isEnabled(), about
            desk.hands.answers += answers(command.id, told, w.wait)
            desk.trigger(command.id, how)
            assert not desk.hands.surprises, f"{about}: {desk.hands.surprises}"
            finish(case, about)
            assert not desk.hands.answers, about
            assert not desk.hands.surprises, f"{about}: {desk.hands.surprises}"
            assert not desk.user.window.notices.isVisible(), f"{about}: {desk.user.window.notices.text()}"


def finish(case: Generator[Any, None, None], about: str) -> None:
    try:
        next(case)
    except StopIteration:
        return
    except Exception as error:
        raise AssertionError(f"{about}: {error}") from error
    raise AssertionError(f"{about}: the case has more to say")


def test_what_needs_a_clip_is_grey_without_one(desk: Desk) -> None:
    actions = desk.user.window.actions_
    assert {c.id for c in COMMANDS if actions[c.id].isEnabled()} == {id_ for id_, off in OFF.items() if not off}


def test_what_needs_more_than_an_object_is_grey_with_one(desk: Desk) -> None:
    w = desk.world("object")
    make_off(w, "object")
    actions = desk.user.window.actions_
    assert not [id_ for id_, off in OFF.items() if off == "object" and actions[id_].isEnabled()]


# --- what only a window can do --------------------------------------------------------------------------------------


def each_way(desk: Desk, id_: str) -> Iterator[str]:
    for number, how in enumerate(ways(id_)):
        desk.world(f"{id_}{number}")
        yield how


@pytest.mark.parametrize(
    ("id_", "factor"), [("view.fit", None), ("view.actual_size", None), ("view.zoom_in", 1.25), ("view.zoom_out", 0.8)]
)
def test_the_view(desk: Desk, id_: str, factor: float | None) -> None:
    canvas = desk.user.window.canvas
    for how in each_way(desk, id_):
        canvas.fit()
        fitting = canvas.view.scale
        canvas.zoom(1.5)
        before = canvas.view.scale
        desk.trigger(id_, how)
        if factor is not None:
            assert canvas.view.scale == pytest.approx(before * factor)
        elif id_ == "view.fit":
            assert canvas.view.scale == pytest.approx(fitting)
        else:
            assert canvas.view.scale * canvas.devicePixelRatioF() == pytest.approx(1)


def test_return_closes_a_polygon(desk: Desk) -> None:
    for how in each_way(desk, "mask.close"):
        user, session = desk.user, desk.user.session
        session.add_object(BOX)
        session.begin_masking(MaskTool.POLYGON)
        for at in ((30, 20), (50, 20), (50, 40)):
            QTest.mouseClick(user.window.canvas, Qt.MouseButton.LeftButton, pos=user.at(*at))
        assert session.here.mask is None
        desk.trigger("mask.close", how)
        assert session.here.mask.area == pytest.approx(200, abs=30)


@pytest.mark.parametrize(("id_", "kind"), [("edit.settings", SettingsDialog), ("help.keys", KeysDialog)])
def test_a_dialog_comes_and_goes(desk: Desk, id_: str, kind: type) -> None:
    met: list[QWidget] = []

    def look(dialog: QWidget) -> None:
        met.append(dialog)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    for how in each_way(desk, id_):
        desk.hands.answers.append(look)
        desk.trigger(id_, how)
        assert type(met[-1]) is kind
        assert not met[-1].isVisible()


def test_the_palette_does_what_is_typed(desk: Desk) -> None:
    for how in each_way(desk, "help.palette"):
        desk.user.session.add_object(BOX)
        desk.trigger("help.palette", how)
        palette = next(one for one in desk.user.window.findChildren(Palette) if one.isVisible())
        QTest.keyClicks(palette.search, "undo")
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
        assert not palette.isVisible()
        assert not desk.user.session.document.tracks


def test_the_log_file_is_one_command_away(desk: Desk) -> None:
    class Opener(QObject):
        @Slot(QUrl)
        def open(self, url: QUrl) -> None:
            opened.append(Path(url.toLocalFile()))

    opened: list[Path] = []
    opener = Opener()
    QDesktopServices.setUrlHandler("file", opener, "open")
    try:
        for how in each_way(desk, "help.log"):
            desk.trigger("help.log", how)
            assert opened[-1] == diagnostics.paths().log.parent
    finally:
        QDesktopServices.unsetUrlHandler("file")


@pytest.mark.parametrize("how", ways("help.tour"))
def test_the_tour_begins_on_the_sample(desk: Desk, how: str) -> None:
    desk.trigger("help.tour", how)
    desk.user.wait(lambda: desk.user.window.touring.card.isVisible())


@pytest.mark.parametrize("how", ways("file.quit"))
def test_quit_closes_the_window(desk: Desk, how: str) -> None:
    desk.world("quit")
    desk.trigger("file.quit", how)
    desk.user.wait(lambda: not desk.user.window.isVisible())
    assert QApplication.activeModalWidget() is None
    assert not desk.user.asked


def test_every_command_that_only_a_window_does_has_a_test_here() -> None:
    here = {"view.fit", "view.actual_size", "view.zoom_in", "view.zoom_out", "mask.close", "edit.settings", "help.keys"}
    assert here | {"help.palette", "help.tour", "help.log", "file.quit"} == set(WINDOWED)
