"""A user who answers dialogs with keys and clicks while the program waits in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from app.gui.dialogs.export import ExportDialog
from app.gui.dialogs.form import Form
from app.gui.dialogs.importing import ImportDialog
from app.gui.dialogs.labels import LabelsDialog
from app.gui.dialogs.params import ParamsDialog

Answer = Callable[[Any], object]


class DialogHands(QObject):
    """Gives each dialog that comes up the next answer. One that nobody expects is closed;

    `surprises` tells of it, and of answers that went wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []
        self.surprises: list[str] = []
        self._met: list[QWidget] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(5)

    def _look(self) -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog) or dialog in self._met or not dialog.isActiveWindow():
            return
        self._met.append(dialog)
        if not self.answers:
            self.surprises.append(f"{dialog.windowTitle()} came up")
            dialog.reject()
            return
        try:
            self.answers.pop(0)(dialog)
            if dialog.isVisible():
                self.surprises.append(f"{dialog.windowTitle()} is still there")
        except Exception as error:
            self.surprises.append(f"{dialog.windowTitle()}: {error!r}")
        if self.surprises:  # it must not stay open, or the test would hang
            dialog.reject()

    def stop(self) -> None:
        self._timer.stop()


def typed(field: QLineEdit | QAbstractSpinBox, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def enter(widget: QWidget) -> None:
    QTest.keyClick(widget, Qt.Key.Key_Return)


def press(dialog: QWidget, *words: str) -> None:
    """Click the button with one of these words."""
    buttons = dialog.findChildren(QPushButton)
    button = next(b for b in buttons if b.isVisible() and b.text().replace("&", "") in words)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def file(path: Path) -> Answer:
    """Paste a path into the dialog of files and press its button."""

    def answer(dialog: QFileDialog) -> None:
        field = dialog.findChild(QLineEdit, "fileNameEdit")
        assert field is not None
        field.setText(str(path))  # pasted: what is typed is completed by whatever lies there
        box = dialog.findChild(QDialogButtonBox)
        assert box is not None
        QTest.mouseClick(
            next(b for b in box.buttons() if box.buttonRole(b) is QDialogButtonBox.ButtonRole.AcceptRole),
            Qt.MouseButton.LeftButton,
        )

    return answer


def fill(form: Form, values: dict[str, Any]) -> None:
    """Fill in a form by hand."""
    for name, value in values.items():
        control = form.controls[name]
        if isinstance(control, QCheckBox):
            if control.isChecked() != value:
                QTest.keyClick(control, Qt.Key.Key_Space)
        elif isinstance(control, QComboBox):
            QTest.keyClick(control, Qt.Key.Key_Home)
            while form.values()[name] != value:
                QTest.keyClick(control, Qt.Key.Key_Down)
        else:
            assert isinstance(control, QLineEdit | QAbstractSpinBox)
            typed(control, control.locale().toString(value) if isinstance(value, float) else str(value))
    assert {name: form.values()[name] for name in values} == values


def params(values: dict[str, Any]) -> Answer:
    """Fill in what a command asks for and press Enter."""

    def answer(dialog: ParamsDialog) -> None:
        fill(dialog.form, values)
        enter(dialog)

    return answer


def text(value: str) -> Answer:
    """Answer a question of one line or many."""

    def answer(dialog: QInputDialog) -> None:
        many = dialog.findChild(QPlainTextEdit)
        if many is not None:
            QTest.keyClicks(many, value)
            press(dialog, "OK")
            return
        field = dialog.findChild(QLineEdit)
        assert field is not None
        typed(field, value)
        enter(field)

    return answer


def take(dialog: ImportDialog) -> None:
    """Yes, bring the labels in."""
    press(dialog, "Import")


def rename(title: str) -> Answer:
    """Another name for the first label."""

    def answer(dialog: LabelsDialog) -> None:
        dialog.list.setFocus()
        dialog.list.editItem(dialog.list.item(0))
        field = dialog.list.findChild(QLineEdit)
        assert field is not None
        typed(field, title)
        enter(field)
        QTest.qWait(1)  # the field goes when Qt has time for it
        press(dialog, "OK")

    return answer


def export(told: dict[str, Any], wait: Callable[[Callable[[], bool]], object]) -> Answer:
    """Choose format and place, export, read the report, close."""

    def answer(dialog: ExportDialog) -> None:
        QTest.keyClick(dialog.format, Qt.Key.Key_Home)
        while dialog.format.currentData() != told["format_id"]:
            QTest.keyClick(dialog.format, Qt.Key.Key_Down)
        typed(dialog.path, str(told["out"]))
        press(dialog, "Export")
        wait(lambda: bool(dialog.outcome.text()))
        press(dialog, "Close")

    return answer
