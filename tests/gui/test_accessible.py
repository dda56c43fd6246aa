"""Who cannot see the window or hold a mouse: every control has a name, and Tab goes through them as the eye does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QSplitterHandle, QTabBar, QWidget
from session_fakes import square

from app.gui.counting import at_once
from app.gui.dialogs.error import ErrorDialog
from app.gui.dialogs.export import ExportDialog
from app.gui.dialogs.importing import ImportDialog
from app.gui.dialogs.keys import KeysDialog
from app.gui.dialogs.labels import LabelsDialog
from app.gui.dialogs.palette import Palette
from app.gui.dialogs.params import ParamsDialog
from app.gui.dialogs.recover import RecoverDialog
from app.gui.dialogs.relink import RelinkDialog
from app.gui.dialogs.settings import SettingsDialog
from app.model.document import Attribute, AttributeKind, Label, VideoRef
from app.session import RelinkError

LABELS = (
    Label(
        "car",
        "#112233",
        (
            Attribute("make", AttributeKind.CHOICE, ("audi", "seat")),
            Attribute("doors", AttributeKind.NUMBER, lowest=0, highest=9),
            Attribute("plate"),
            Attribute("parked", AttributeKind.FLAG, per_frame=True),
        ),
    ),
    Label("person", "#445566"),
)


def takes_focus(widget: QWidget) -> bool:
    """Whether Tab stops at it: not at parts of a control, nor at choices not taken, which arrow keys lead to."""
    if isinstance(widget, QAbstractButton) and not widget.isChecked():
        group = widget.group()
        if widget.autoExclusive() or (group is not None and group.exclusive()):
            return False
    return (
        bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusProxy() is None
        and not widget.objectName().startswith("qt_spinbox")
    )


def stops(root: QWidget) -> list[QWidget]:
    """Where Tab stops inside ``root``, in the order of the chain."""
    found, at = [], root.nextInFocusChain()
    while at is not None and at is not root:
        if root.isAncestorOf(at) and takes_focus(at) and at.window() is root.window():
            found.append(at)
        at = at.nextInFocusChain()
    return found


def name(widget: QWidget) -> str:
    """What a screen reader says."""
    seen = QAccessible.queryAccessibleInterface(widget)
    return seen.text(QAccessible.Text.Name) if seen is not None else ""


def said(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName()!r} {name(widget)!r} in {type(widget.parentWidget()).__name__}"


def nameless(root: QWidget) -> list[str]:
    controls = [root, *root.findChildren(QWidget)]
    wanted = [w for w in controls if w.focusPolicy() != Qt.FocusPolicy.NoFocus and w.isVisible() and not inner(w)]
    return [said(w) for w in wanted if not name(w).strip()]


def inner(widget: QWidget) -> bool:
    """Parts of Qt's own controls, windows, and what only holds others."""
    parts = ("qt_scrollarea", "qt_spinbox", "qt_tabwidget", "qt_toolbar", "qt_menubar")
    return widget.objectName().startswith(parts) or isinstance(widget, QSplitterHandle | QTabBar)


def place(widget: QWidget) -> QRect:
    return QRect(widget.mapToGlobal(QPoint(0, 0)), widget.size())


def backward(order: list[QWidget]) -> list[str]:
    """Steps of Tab that go up or to the left, where the eye would go down or to the right."""
    wrong = []
    seen = [w for w in order if not w.visibleRegion().isEmpty()]  # others are scrolled out of sight
    for a, b in pairwise(seen):
        first, second = place(a), place(b)
        up = second.bottom() < first.top() and second.left() < first.right()
        same_row = min(first.bottom(), second.bottom()) - max(first.top(), second.top()) > 0
        left = same_row and second.right() < first.left()
        if up or left:
            wrong.append(f"{said(a)} -> {said(b)}")
    return wrong


def walk(root: QWidget, first: QWidget, count: int) -> list[QWidget]:
    """Where the focus is as Tab is pressed, ``count`` times from ``first``."""
    first.setFocus(Qt.FocusReason.TabFocusReason)
    met = [first]
    for _ in range(count):
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        if focus is not None and root.isAncestorOf(focus):
            met.append(focus)
    return met


def check(root: QWidget) -> None:
    order = stops(root)
    assert not nameless(root)
    assert not backward(order)
    if order:
        met = walk(root, order[0], len(order) + 2)
        missed = [said(w) for w in order if w not in met]
        assert not missed, "Tab does not get there"


@pytest.fixture
def labelled(user):
    user.session.set_labels(LABELS)
    user.draw(square(0))
    user.session.label_with(1)
    user.track()
    user.session.comment("too wide", 1)
    user.at_frame(0)
    return user


PANELS = ("objects", "review", "clips", "history", "comments")


@pytest.mark.parametrize("panel", [*PANELS, "tracker", "attributes", "keyframes"])
def test_panels(labelled, panel: str) -> None:
    side = labelled.window.side
    tabs = side.above if panel in PANELS else side.below
    tabs.show_panel(panel)
    labelled.wait(lambda: tabs.currentWidget().isVisible())
    check(tabs.currentWidget())


def test_the_window_as_a_whole(labelled) -> None:
    assert not nameless(labelled.window)
    for part in (labelled.window.transport, labelled.window.timeline):
        assert not backward(stops(part))


def test_every_panel_is_tested(labelled) -> None:
    side = labelled.window.side
    assert {*side.above.names, *side.below.names} == {*PANELS, "tracker", "attributes", "keyframes"}


def test_the_start_page(make_user) -> None:
    user = make_user()
    user.window.activateWindow()
    user.wait(user.window.isActiveWindow)
    assert not nameless(user.window)
    check(user.window.start_page)


def test_the_bar_of_a_pause_and_that_of_a_question(labelled) -> None:
    window = labelled.window
    window.notices.ask("Which one?", [("This", lambda: None), ("That", lambda: None)])
    check(window.notices)


Make = Callable[..., QDialog]


def settings(user, tmp_path: Path) -> QDialog:
    return SettingsDialog(user.session, user.window)


def keys(user, tmp_path: Path) -> QDialog:
    dialog = KeysDialog(user.window.actions_.keymap, user.window)
    dialog.tree.setCurrentItem(dialog.tree.topLevelItem(0).child(0))
    return dialog


def export(user, tmp_path: Path) -> QDialog:
    return ExportDialog(
        user.session.document, tmp_path, "clip", 1, lambda answer: None, lambda: None, at_once, user.window
    )


def labels(user, tmp_path: Path) -> QDialog:
    return LabelsDialog(LABELS, user.window)


def palette(user, tmp_path: Path) -> QDialog:
    return Palette(user.window.actions_, user.window)


def error(user, tmp_path: Path) -> QDialog:
    return ErrorDialog(ValueError("no"), "It broke", user.window)


def importing(user, tmp_path: Path) -> QDialog:
    job = user.session.export("coco", tmp_path / "labels.json")
    user.wait(lambda: job.ended)
    read = user.session.read_labels(tmp_path / "labels.json")
    user.wait(lambda: any(one.isVisible() for one in user.window.findChildren(ImportDialog)))
    assert read.error is None
    return next(one for one in user.window.findChildren(ImportDialog) if one.isVisible())


def recover(user, tmp_path: Path) -> QDialog:
    from app.work.journal import Journal, leftovers

    journal = Journal.create(tmp_path, user.session.document.copy(), None, dirty=True)
    assert journal is not None
    journal.close()
    return RecoverDialog(leftovers(tmp_path), lambda leftover: None, user.window)


def relink(user, tmp_path: Path) -> QDialog:
    video = VideoRef("clip.mkv", "", 3, 96, 64, 25.0)
    return RelinkDialog(RelinkError(tmp_path / "a.siamlabel", video, None, "The video is gone"), user.window)


def copies(user, tmp_path: Path) -> QDialog:
    made: list[ParamsDialog] = []
    user.window.ranges.show = made.append
    user.window.ranges.track_range()
    return made[0]


DIALOGS: tuple[Make, ...] = (settings, keys, export, labels, palette, error, importing, recover, relink, copies)


@pytest.fixture
def shown() -> Iterator[list[QDialog]]:
    found: list[QDialog] = []
    yield found
    for dialog in found:
        dialog.close()
        dialog.deleteLater()


@pytest.mark.parametrize("make", DIALOGS, ids=lambda make: make.__name__)
def test_dialogs(labelled, tmp_path: Path, shown: list[QDialog], make: Make) -> None:
    dialog = make(labelled, tmp_path)
    shown.append(dialog)
    dialog.show()
    dialog.activateWindow()
    labelled.wait(dialog.isActiveWindow)
    check(dialog)
