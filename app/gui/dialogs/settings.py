"""The settings dialog, made from the schema: whom they are for, a search, a page of groups, and the way back."""

from __future__ import annotations

import typing
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
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
from app.gui.dialogs.form import Form, split, title_of
from app.gui.dialogs.params import modes
from app.gui.dialogs.setting_rows import Mark, ScopeBar, back_text, theirs_text
from app.session import Session
from app.settings import OF_PROJECTS, Settings
from app.words import LANGUAGES, tr
from app.work.scopes import Scope
from tracker import registry

CONTROLS = 500
"""Logical pixels beside the titles."""


class SettingsDialog(QDialog):
    """A change holds at once and is kept; nothing waits for a button. It is for whom the bar says: the user, all clips
    of the collection, or the open project."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.scope = Scope.MINE
        self.setWindowTitle(tr("Settings"))
        self.bar = ScopeBar(session, self.show_scope)
        self.about = QLabel()
        self.about.setObjectName("muted")
        self.about.setWordWrap(True)
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
        self.marks: dict[str, Mark] = {}
        self._headings: dict[str, QLabel] = {}
        self._shown: dict[str, Any] = {}
        """What the controls said when they were last filled in."""
        self._build()
        self._empty = QLabel(tr("No setting has this in its name."))
        self._empty.setObjectName("muted")
        self._empty.hide()
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setAccessibleName(tr("Settings"))
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.restore = buttons.addButton(tr("Restore defaults"), QDialogButtonBox.ButtonRole.ResetRole)
        self.restore.setAutoDefault(False)
        self.restore.clicked.connect(self._restore)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[theme.GRID * 2] * 4)
        outer.setSpacing(theme.GRID)
        outer.addWidget(self.bar)
        outer.addWidget(self.about)
        outer.addWidget(self.search)
        outer.addWidget(area, 1)
        outer.addWidget(buttons)
        self.show_scope(Scope.MINE)
        self.search.setFocus()
        stop = session.events.settings.connect(lambda _: self.refresh())
        self.finished.connect(lambda _: stop())
        self.destroyed.connect(lambda _=None: stop())

    def show_scope(self, scope: Scope) -> None:
        """Show and change the settings of somebody else."""
        self.scope = scope
        self.bar.buttons[scope].setChecked(True)
        if scope is Scope.MINE:
            self.restore.setText(tr("Restore defaults"))
            self.about.setText(tr("They hold in every project that has none of its own."))
        else:
            self.restore.setText(tr("Use mine for all"))
            self.about.setText(
                tr("What is set here goes with the labels, whoever opens them. The rest is as you have it.")
            )
        self.about.setVisible(len(self.bar.buttons) > 1)
        self.refresh()
        self._filter(self.search.text())

    def refresh(self) -> None:
        """Fill in what holds for the scope, and mark what somebody has of his own."""
        session, scope = self._session, self.scope
        if scope not in session.scopes:
            return
        for form in self.forms.values():
            form.show_value(session.settings_for(scope))
            self._shown |= form.values()
            for name, control in form.controls.items():
                own = name in session.own(scope)
                for part in (form.titles[name], control if isinstance(control, QCheckBox) else None):
                    if part is not None:
                        font = part.font()
                        font.setBold(own)
                        part.setFont(font)
                if scope is Scope.MINE:
                    self.marks[name].tell(theirs_text(session, session.holder(name)), tr("Go there"))
                else:
                    self.marks[name].tell(back_text(session.below(scope, name)) if own else "")

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
        hints = typing.get_type_hints(Settings, include_extras=True)
        titles = [
            title_of(name, split(hints[name])[1])
            for names in groups.values()
            for name in names
            if split(hints[name])[0] is not bool
        ]
        widest = max(self.fontMetrics().horizontalAdvance(title) for title in titles) + theme.GRID
        self.resize(widest + CONTROLS, 640)
        for group, names in groups.items():
            heading = QLabel(tr(group))
            heading.setObjectName("heading")
            form = Form(Settings, choices, only=names, labels=widest, beside=self._mark)
            if not form.controls:  # keys have a dialog of their own
                form.deleteLater()
                continue
            form.changed.connect(lambda f=form: self._take(f))
            self._headings[group], self.forms[group] = heading, form
            self._column.addWidget(heading)
            self._column.addWidget(form)
            self._column.addSpacing(theme.GRID)

    def _mark(self, name: str) -> Mark:
        self.marks[name] = Mark(name, self._pressed)
        return self.marks[name]

    def _pressed(self, name: str) -> None:
        """A mark leads to who has the value, or lets go of it."""
        if self.scope is Scope.MINE:
            self.show_scope(self._session.holder(name))
        else:
            self._session.use_mine(self.scope, name)

    def _take(self, form: Form) -> None:
        changed = {name: value for name, value in form.values().items() if value != self._shown[name]}
        if changed:
            self._session.change_settings_of(self.scope, **changed)

    def _restore(self) -> None:
        """Everything that has a place in this dialog; keys have a dialog of their own."""
        if self.scope is not Scope.MINE:
            self._session.use_mine(self.scope)
            return
        fresh = Settings()
        shown = [name for form in self.forms.values() for name in form.controls]
        self._session.change_settings_of(Scope.MINE, **{name: getattr(fresh, name) for name in shown})

    def _filter(self, text: str) -> None:
        found = False
        only = None if self.scope is Scope.MINE else OF_PROJECTS
        for group, form in self.forms.items():
            seen = form.filter(text, also=tr(group), only=only)
            self._headings[group].setVisible(seen)
            form.setVisible(seen)
            found |= seen
        self._empty.setVisible(not found)
