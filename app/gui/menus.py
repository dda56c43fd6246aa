"""The menus that are more than a list of commands: what was opened lately, and the colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from app.gui import recent
from app.session import Session
from app.words import mark, tr

THEMES = {"system": mark("As the system"), "light": mark("Light"), "dark": mark("Dark")}


def recent_menu(parent: QMenu, open_path: Callable[[Path], None]) -> QMenu:
    """A submenu that is filled when it is about to be seen."""
    menu = QMenu(tr("Open recent"), parent)

    def fill() -> None:
        menu.clear()
        paths = recent.load()
        for path in paths:
            entry = menu.addAction(f"{path.name}  ({path.parent})")
            entry.triggered.connect(lambda _=False, p=path: open_path(p))
        if not paths:
            menu.addAction(tr("Nothing yet")).setEnabled(False)

    menu.aboutToShow.connect(fill)
    return menu


def theme_menu(parent: QMenu, session: Session) -> QMenu:
    """The colour scheme, checked at the one in force."""
    menu = QMenu(tr("Colours"), parent)
    group = QActionGroup(menu)
    for name, title in THEMES.items():
        entry = QAction(tr(title), menu)
        entry.setCheckable(True)
        entry.setChecked(session.settings.theme == name)
        entry.triggered.connect(lambda _=False, n=name: session.change_settings(theme=n))
        group.addAction(entry)
        menu.addAction(entry)
    return menu
