"""The window in Spanish: nothing that is seen is English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from conftest import User
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QPushButton,
    QTableWidget,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app import words
from app.commands.params import FramesWanted, TrackRange
from app.diagnostics import resource
from app.gui.counting import at_once
from app.gui.dialogs.export import ExportDialog
from app.gui.dialogs.keys import KeysDialog
from app.gui.dialogs.labels import LabelsDialog
from app.gui.dialogs.palette import Palette
from app.gui.dialogs.params import ParamsDialog
from app.gui.dialogs.settings import SettingsDialog
from app.gui.language import speak
from app.settings import Settings
from tracker.api import Box

BOX = Box(20, 15, 24, 18)


@pytest.fixture(scope="module")
def english() -> Callable[[str], bool]:
    """Whether a text is one of our English sentences, and not also a Spanish one."""
    with (resource("translations") / "es" / "LC_MESSAGES" / "siamlabel.po").open("rb") as file:
        messages = [message for message in read_po(file, locale="es") if message.id]
    flat = [(m.id, m.string) for m in messages if isinstance(m.id, str)]
    flat += [pair for m in messages if isinstance(m.id, tuple) for pair in zip(m.id, m.string, strict=True)]
    spanish = {translated for _, translated in flat}
    wrong = {said for said, translated in flat if said != translated} - spanish
    wrong |= {said.removesuffix("…") for said in wrong if said.removesuffix("…") not in spanish}
    open_ones = [
        re.compile(re.sub(r"\\\{[^{}]*\\\}", ".+", re.escape(said).replace(r"\{count\}", r"[\d ]+")), re.DOTALL)
        for said in wrong
        if "{" in said and len(re.findall(r"[A-Za-z]{4,}", re.sub(r"\{.*?\}", "", said)))
    ]
    return lambda text: text in wrong or any(pattern.fullmatch(text) for pattern in open_ones)


@pytest.fixture
def spanish_user(make_user: Callable[..., User], qapp: QApplication) -> Iterator[User]:
    user = make_user(settings=Settings(language="es"))
    yield user
    speak(qapp, "en")
    assert words.language() == "en"


def texts(top: QWidget) -> Iterator[str]:
    """All words that a widget and those in it show, on hovering, and to a screen reader."""
    for widget in [top, *top.findChildren(QWidget)]:
        yield from (widget.toolTip(), widget.accessibleName(), widget.windowTitle())
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(n) for n in range(widget.count()))
        if isinstance(widget, QTabWidget):
            for n in range(widget.count()):
                yield from (widget.tabText(n), widget.tabToolTip(n))
        if isinstance(widget, QListWidget):
            for n in range(widget.count()):
                yield from (widget.item(n).text(), widget.item(n).toolTip())
        if isinstance(widget, QTreeWidget):
            root, header = widget.invisibleRootItem(), widget.headerItem()
            yield from (header.text(n) for n in range(widget.columnCount()))
            yield from of_tree(root)
        if isinstance(widget, QTableWidget):
            for n in range(widget.columnCount()):
                head = widget.horizontalHeaderItem(n)
                yield head.text() if head is not None else ""
        if isinstance(widget, QMenu):
            yield widget.title()
    for action in top.findChildren(QAction):
        if type(action.parent()).__module__.startswith("pyqtgraph"):  # its menu is never opened
            continue
        yield from (action.text(), action.iconText())
        yield from re.split(r"<br>|</?b>|&nbsp;", action.toolTip())


def of_tree(item: QTreeWidgetItem) -> Iterator[str]:
    for n in range(item.childCount()):
        child = item.child(n)
        yield from (child.text(0), child.text(1), child.toolTip(0))
        yield from of_tree(child)


def check(top: QWidget, english: Callable[[str], bool]) -> None:
    seen = {line.strip() for text in texts(top) for line in (text, *text.split(" · "))} - {""}
    assert len(seen) > 3
    assert not {text for text in seen if english(text)}


def cut_off(top: QWidget) -> list[str]:
    """Words that have less room than they need, though their widgets neither wrap nor elide."""
    return [
        f"{widget.text()}: {widget.width()} of {widget.minimumSizeHint().width()}"
        for widget in top.findChildren(QWidget)
        if (type(widget) is QLabel and not widget.wordWrap() and widget.text())
        or isinstance(widget, QPushButton | QCheckBox)
        if 0 < widget.visibleRegion().boundingRect().width() < widget.minimumSizeHint().width()
    ]


def test_the_check_knows_english(english: Callable[[str], bool]) -> None:
    assert english("Save the project")
    assert english("Open")
    assert english("Saved /home/me/clip.siamlabel")
    assert not english("Guardar el proyecto")
    assert not english("Manual")


def test_the_window(spanish_user: User, english: Callable[[str], bool], clip: Path) -> None:
    window = spanish_user.window
    check(window, english)
    assert window.menuBar().actions()[0].text() == "Archivo"
    assert window.actions_["file.save"].text() == "Guardar"
    spanish_user.open(clip)
    check(window, english)
    spanish_user.draw(BOX)
    spanish_user.track()
    window.refresh()
    check(window, english)
    window.resize(1280, 860)
    QApplication.processEvents()
    assert cut_off(window.centralWidget()) == []
    assert "siguiendo" not in window.status.mode.text()
    assert "hacia delante" in window.status.mode.text()


def test_dialogs(spanish_user: User, english: Callable[[str], bool], clip: Path, tmp_path: Path) -> None:
    window, session = spanish_user.window, spanish_user.session
    spanish_user.open(clip)
    number = spanish_user.draw(BOX)
    dialogs: list[QDialog] = [
        SettingsDialog(session, window),
        KeysDialog(window.actions_.keymap, window),
        Palette(window.actions_, window),
        LabelsDialog(session.document.labels, window),
        ParamsDialog(window, "", "", "", TrackRange(0, 5)),
        ParamsDialog(window, "", "", "", FramesWanted()),
        ExportDialog(session.document, tmp_path, "clip", number, lambda answer: None, lambda: None, at_once, window),
    ]
    for dialog in dialogs:
        if isinstance(dialog, ExportDialog):
            for n in range(dialog.format.count()):
                dialog.format.setCurrentIndex(n)
                check(dialog, english)
        check(dialog, english)
        dialog.show()
        QApplication.processEvents()
        assert cut_off(dialog) == []
        dialog.close()
        dialog.deleteLater()


def test_what_qt_says(spanish_user: User) -> None:
    dialog = LabelsDialog((), spanish_user.window)
    assert {"Aceptar", "Cancelar"} <= {button.text() for button in dialog.findChildren(QAbstractButton)}
    tip = spanish_user.window.actions_["edit.redo"].toolTip()
    assert "Ctrl+Mayús+Z" in tip


def test_what_the_session_refuses(spanish_user: User) -> None:
    window = spanish_user.window
    window.show_error(_refusal(spanish_user))
    assert window.notices.text.text() == "Abra antes un vídeo (Ctrl+O)"


def _refusal(user: User) -> Exception:
    with pytest.raises(Exception, match="Abra") as caught:
        user.session.require_open()
    return caught.value
