"""The settings dialog, made from the schema: a page of groups, a search, and the way back to the defaults."""

from __future__ import annotations

import typing

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.gui.dialogs.form import Form, split
from app.gui.dialogs.params import modes
from app.session import Session
from app.settings import Settings
from app.words import LANGUAGES, tr
from tracker import registry

LABELS = 184
"""Width of the titles in logical pixels: the longest setting."""


class SettingsDialog(QDialog):
    """A change holds at once and is kept; nothing waits for a button."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle(tr("Settings"))
        self.resize(560, 640)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find a setting"))
        self.search.setAccessibleName(tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        page = QWidget()
        page.setObjectName("panel")
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(*[theme.GRID * 2] * 4)
        self._column.setSpacing(theme.GRID)
        self.forms: dict[str, Form] = {}
        self._headings: dict[str, QLabel] = {}
        self._build()
        self._empty = QLabel(tr("No setting has this in its name."))
        self._empty.setObjectName("muted")
        self._empty.hide()
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        restore = buttons.addButton(tr("Restore defaults"), QDialogButtonBox.ButtonRole.ResetRole)
        restore.setAutoDefault(False)
        restore.clicked.connect(self._restore)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.GRID * 2] * 4)
        outer.setSpacing(theme.GRID)
        outer.addWidget(self.search)
        outer.addWidget(area, 1)
        outer.addWidget(buttons)

    def _build(self) -> None:
        choices = {
            "language": [(tr("As the system"), "system"), *((name, code) for code, name in LANGUAGES.items())],
            "tracker": [(tr("Default"), "default"), *((line.name, line.name) for line in registry.infos())],
            "device": [(tr("Automatic"), "auto"), ("CPU", "cpu"), ("CUDA", "cuda"), (tr("Apple GPU"), "mps")],
            "commit_mode": modes(),
            "pause_on": [
                (tr("the object is lost"), "lost"),
                (tr("lost or uncertain"), "uncertain"),
                (tr("never"), "never"),
            ],
        }
        groups: dict[str, list[str]] = {}
        for name, hint in typing.get_type_hints(Settings, include_extras=True).items():
            _, meta = split(hint)
            if meta is not None and meta.extra:
                groups.setdefault(meta.extra["group"], []).append(name)
        for group, names in groups.items():
            heading = QLabel(tr(group))
            heading.setObjectName("heading")
            form = Form(Settings, choices, only=names, value=self._session.settings, labels=LABELS)
            if not form.controls:  # keys have a dialog of their own
                form.deleteLater()
                continue
            form.changed.connect(lambda f=form: self._take(f))
            self._headings[group], self.forms[group] = heading, form
            self._column.addWidget(heading)
            self._column.addWidget(form)
            self._column.addSpacing(theme.GRID)

    def _take(self, form: Form) -> None:
        now = self._session.settings
        changed = {name: value for name, value in form.values().items() if value != getattr(now, name)}
        if changed:
            self._session.change_settings(**changed)

    def _restore(self) -> None:
        """Everything that has a place in this dialog; keys have a dialog of their own."""
        fresh = Settings()
        shown = [name for form in self.forms.values() for name in form.controls]
        self._session.change_settings(**{name: getattr(fresh, name) for name in shown})
        for form in self.forms.values():
            form.show_value(self._session.settings)

    def _filter(self, text: str) -> None:
        found = False
        for group, form in self.forms.items():
            seen = form.filter(text, also=tr(group))
            self._headings[group].setVisible(seen)
            form.setVisible(seen)
            found |= seen
        self._empty.setVisible(not found)
