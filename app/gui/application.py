"""Starts the application: theme, crash path, session, window."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import diagnostics
from app.gui import recent, theme
from app.gui.bridge import Bridge
from app.gui.language import speak
from app.gui.main_window import MainWindow
from app.session import Session
from app.settings import load_settings
from app.words import tr

log = logging.getLogger("siamlabel.gui")
qt_log = logging.getLogger("siamlabel.qt")

SETTLED = 3000
"""Milliseconds after which the window has shown what it began with, and may load what is needed later."""


def run(path: str | None) -> int:
    """Open the window, on ``path`` if given, and stay until it is closed. Returns the exit code."""
    diagnostics.start_logging()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    prepare(app)
    window, bridge = make_window()
    hooks = _Hooks(window, bridge)
    hooks.install()
    window.show()
    QTimer.singleShot(0, lambda: begin(window, path))
    QTimer.singleShot(SETTLED, window, window.exporting.prepare)
    code = app.exec()
    bridge.close()
    hooks.remove()
    return code


def prepare(app: QApplication) -> None:
    """Name, icon and theme of the application, and an interpreter that does not keep the window waiting.

    With torch in memory a full collection of garbage takes some 120 ms, most of it over modules that live as long as
    the process; once they are set apart it takes less than one. And workers must hand the interpreter over sooner than
    after the usual 5 ms, of which a single repaint could meet several.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
    sys.setswitchinterval(0.001)
    app.setApplicationName(diagnostics.NAME)
    app.setApplicationDisplayName(diagnostics.NAME)
    app.setDesktopFileName("siamlabel")
    app.setWindowIcon(QIcon(str(diagnostics.resource("icons/siamlabel.svg"))))
    theme.install(app)


def make_window(session: Session | None = None, bridge: Bridge | None = None) -> tuple[MainWindow, Bridge]:
    """A window with its session; the session's workers reach it through the bridge alone."""
    bridge = bridge or Bridge()
    where = diagnostics.paths().settings
    if session is None:
        session = Session(load_settings(where), bridge.post, settings_path=where)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    speak(app, session.settings.language)
    theme.current().set_scheme(session.settings.theme)
    return MainWindow(session), bridge


def begin(window: MainWindow, path: str | None) -> None:
    """First what an earlier session left unsaved, then what was asked for; the sample clip for a newcomer."""
    if window.documents.offer_recovery():
        return
    if path is not None:
        window.documents.open(Path(path))
    elif not recent.load():
        window.touring.offer()
        window.documents.open(None)


class _Hooks:
    """Whatever escapes is logged, and shown once per distinct error; nothing is swallowed, nothing ends the program."""

    def __init__(self, window: MainWindow, bridge: Bridge) -> None:
        self._window = window
        self._bridge = bridge
        self._wake = QTimer(window)  # lets Python see Ctrl+C while Qt's loop runs
        self._wake.start(500)
        self._wake.timeout.connect(lambda: None)

    def install(self) -> None:
        sys.excepthook = self._main
        threading.excepthook = self._thread
        qInstallMessageHandler(_qt_message)
        signal.signal(signal.SIGINT, lambda *_: self._window.close())

    def remove(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _main(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("unexpected error", exc_info=(kind, error, trace))
        self._show(error)

    def _thread(self, args: threading.ExceptHookArgs) -> None:
        error = args.exc_value
        if error is None:
            return
        log.critical("unexpected error in %s", args.thread, exc_info=(args.exc_type, error, args.exc_traceback))
        self._bridge.post(lambda: self._show(error))

    def _show(self, error: BaseException) -> None:
        self._window.errors.show_once(error, tr("SiamLabel made a mistake. Your work is safe in the journal."))


def _qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }.get(kind, logging.ERROR)
    qt_log.log(level, "%s", text)
