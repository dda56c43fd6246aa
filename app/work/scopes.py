"""Settings of the user, of a collection, and of one project: which of them hold, and whose a change is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from app.model.document import Change, SettingValue
from app.model.edits import Edit, SetSettings
from app.settings import OF_PROJECTS, Settings, resolved, save_settings
from app.words import tr
from app.work.choice import TrackerChoice
from app.work.errors import SessionError
from app.work.travelling import Travelling


class Scope(StrEnum):
    """Whom a setting is for; a later one stands above those before it."""

    MINE = "mine"
    COLLECTION = "collection"
    PROJECT = "project"


class Scopes(Travelling):
    """The part of the session that knows the settings. ``settings`` are those that hold now."""

    mine: Settings
    """The user's own, which hold wherever nothing stands above them."""
    _settings_path: Path | None
    _special: TrackerChoice | None
    _heeds_projects: bool

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Whom settings can be for now, the user first."""
        there = {Scope.MINE: True, Scope.COLLECTION: self.collection is not None, Scope.PROJECT: self.is_open}
        return tuple(scope for scope, is_there in there.items() if is_there and self._heeds(scope))

    def _heeds(self, scope: Scope) -> bool:
        return self._heeds_projects or scope is Scope.MINE

    def own(self, scope: Scope) -> Mapping[str, SettingValue]:
        """The settings that a collection or a project has of its own, as they are written; none of the user's."""
        if scope is Scope.PROJECT:
            return self.document.settings
        return self.collection.settings if scope is Scope.COLLECTION and self.collection is not None else {}

    def settings_for(self, scope: Scope) -> Settings:
        """What holds for a scope: its own settings over those of the scopes below it."""
        levels = list(Scope)[1 : list(Scope).index(scope) + 1]
        return resolved(self.mine, *(self.own(level) for level in levels))

    def holder(self, name: str) -> Scope:
        """Whose value of a setting holds now."""
        fits = [s for s in (Scope.PROJECT, Scope.COLLECTION) if s in self.scopes and name in OF_PROJECTS]
        return next((scope for scope in fits if self._has(scope, name)), Scope.MINE)

    def below(self, scope: Scope, name: str) -> Scope:
        """Whose value of a setting would hold for a scope that had none of its own."""
        collected = scope is Scope.PROJECT and Scope.COLLECTION in self.scopes and self._has(Scope.COLLECTION, name)
        return Scope.COLLECTION if collected else Scope.MINE

    def _has(self, scope: Scope, name: str) -> bool:
        """Whether a scope has a value of its own that fits the schema."""
        try:
            msgspec.convert({name: self.own(scope)[name]}, Settings)
        except (KeyError, msgspec.ValidationError):
            return False
        return True

    def change_settings(self, **values: Any) -> None:
        """Change some settings by name where they hold: of the project or collection that has its own, else the user's.

        Tells everyone and keeps them. Raises `msgspec.ValidationError` for a value that does not fit.
        """
        by_scope: dict[Scope, dict[str, Any]] = {}
        for name, value in values.items():
            by_scope.setdefault(self.holder(name), {})[name] = value
        for scope, part in by_scope.items():
            self.change_settings_of(scope, **part)

    def change_settings_of(self, scope: Scope, **values: Any) -> None:
        """Change some settings of a scope. Those of a project are an undo step; all hold from the next run on.

        Raises `SessionError` for settings that only the user can have, and as `change_settings`.
        """
        if "tracker" in values:
            self._special = None
        checked = msgspec.convert(msgspec.to_builtins(values), Settings)
        if scope is Scope.MINE:
            new = {name: getattr(checked, name) for name in values}
            self.mine = msgspec.structs.replace(self.mine, **new)
            if self._settings_path is not None:
                save_settings(self.mine, self._settings_path)
            self._resettle(tell=True)
            return
        if wrong := sorted(values.keys() - OF_PROJECTS):
            raise SessionError(tr("{names} can only be set for all projects").format(names=", ".join(wrong)))
        self._set_own(scope, {**self.own(scope), **{name: getattr(checked, name) for name in values}}, *values)

    def use_mine(self, scope: Scope, *names: str) -> None:
        """Let go of a project's or collection's own values, all when no name is given; what lies below them holds."""
        gone = names or tuple(self.own(scope))
        self._set_own(scope, {name: value for name, value in self.own(scope).items() if name not in gone}, *gone)

    def _set_own(self, scope: Scope, own: dict[str, SettingValue], *names: str) -> None:
        if own == self.own(scope):
            return
        if scope is Scope.PROJECT:
            self.require_open()
            self.commit(SetSettings(own), tr("Settings of the project"), gesture=f"settings {' '.join(names)}")
        elif scope is Scope.COLLECTION:
            self._change(msgspec.structs.replace(self._collection(), settings=own))
            self._resettle(tell=True)

    def _resettle(self, *, tell: bool = False) -> None:
        """Find out what holds now; everyone is told when it is something else, or with ``tell`` anyway."""
        heeded = (self.own(scope) for scope in (Scope.COLLECTION, Scope.PROJECT) if self._heeds(scope))
        before, self.settings = self.settings, resolved(self.mine, *heeded)
        if tell or self.settings != before:
            self.events.settings(self.settings)

    def _before_opened(self) -> None:
        super()._before_opened()
        self._resettle()

    def _changed(self, edit: Edit, change: Change) -> None:
        super()._changed(edit, change)
        if change.settings:
            self._resettle(tell=True)
