"""The language of the window: chosen once, before anything is made that shows words."""

from __future__ import annotations

import logging

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from app import words
from app.diagnostics import resource
from app.words import trc

log = logging.getLogger("siamlabel.gui")

_qt: list[QTranslator] = []


class _Keys(QTranslator):
    """Names of keys as they stand on the keyboard and in our sentences; Qt's own are long (Control+Mayúsculas)."""

    def __init__(self, parent: QApplication) -> None:
        super().__init__(parent)
        self._names = {
            "Ctrl": trc("key", "Ctrl"), "Shift": trc("key", "Shift"), "Alt": trc("key", "Alt"),
            "Meta": trc("key", "Meta"), "Space": trc("key", "Space"), "Return": trc("key", "Return"),
            "Enter": trc("key", "Enter"), "Esc": trc("key", "Esc"), "Del": trc("key", "Del"),
            "Ins": trc("key", "Ins"), "Backspace": trc("key", "Backspace"), "Tab": trc("key", "Tab"),
            "Home": trc("key", "Home"), "End": trc("key", "End"), "PgUp": trc("key", "PgUp"),
            "PgDown": trc("key", "PgDown"), "Left": trc("key", "Left"), "Right": trc("key", "Right"),
            "Up": trc("key", "Up"), "Down": trc("key", "Down"),
        }  # fmt: skip

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str | None:  # type: ignore[override]
        return self._names.get(text) if context == "QShortcut" else None  # None: the next translator is asked


def speak(app: QApplication, wish: str) -> None:
    """Use the language of the setting ``wish`` for our own words, and for Qt's (OK, Cancel, the names of keys).

    A catalogue that cannot be read costs the language, never the start.
    """
    code = words.choose(wish, QLocale.system().uiLanguages())
    try:
        words.use(code, resource("translations"))
    except OSError as error:
        log.warning("there are no words of the language %s (%s); the window speaks English", code, error)
        code = words.ENGLISH
        words.use(code, resource("translations"))
    for old in _qt:
        app.removeTranslator(old)
    _qt.clear()
    if code == words.ENGLISH:
        return
    theirs = QTranslator(app)
    theirs.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    for translator in (theirs, _Keys(app)):  # the newest is asked first
        app.installTranslator(translator)
        _qt.append(translator)
