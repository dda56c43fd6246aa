"""The language of the window: chosen once, before anything is made that shows words."""

from __future__ import annotations

import logging

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from app import words
from app.diagnostics import resource

log = logging.getLogger("siamlabel.gui")

_qt: list[QTranslator] = []


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
    translator = QTranslator(app)
    if code != words.ENGLISH and translator.load(
        f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    ):
        app.installTranslator(translator)
        _qt.append(translator)
