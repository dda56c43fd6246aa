"""Parts of the settings dialog: whom the settings are for, and the mark of a row that somebody has of his own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.gui import theme
from app.session import Session
from app.words import tr
from app.work.scopes import Scope


class ScopeBar(QWidget):
    """One button for each scope that there is; not seen while there is only the user."""

    def __init__(self, session: Session, chosen: Callable[[Scope], object]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID // 2)
        group = QButtonGroup(self)
        self.buttons: dict[Scope, QToolButton] = {}
        for scope in session.scopes:
            button = QToolButton()
            button.setText(scope_title(session, scope))
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, s=scope: chosen(s))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[scope] = button
        row.addStretch(1)
        self.buttons[Scope.MINE].setChecked(True)
        self.setAccessibleName(tr("Whom the settings are for"))
        self.setVisible(len(self.buttons) > 1)


class Mark(QToolButton):
    """Beside a setting: lets go of a value of one's own, or tells who has one and leads there; unseen otherwise, but
    its room is kept."""

    def __init__(self, name: str, pressed: Callable[[str], object]) -> None:
        super().__init__()
        self.setObjectName("answer")
        policy = QSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        widest = max(self.fontMetrics().horizontalAdvance(text) for text in mark_texts())
        self.setFixedWidth(widest + 3 * theme.GRID)
        self.clicked.connect(lambda: pressed(name))
        self.hide()

    def tell(self, text: str, tip: str = "") -> None:
        """What it says; nothing for an empty text."""
        self.setText(text)
        self.setToolTip(tip)
        self.setVisible(bool(text))


def scope_title(session: Session, scope: Scope) -> str:
    """What a scope is called; a project is a clip where there are several."""
    if scope is Scope.MINE:
        return tr("For me")
    if scope is Scope.COLLECTION:
        return tr("For all clips")
    return tr("For this project") if session.collection is None else tr("For this clip")


def mark_texts() -> tuple[str, ...]:
    """All that marks say."""
    return (*_back().values(), *(_theirs(scope, clips) for scope in Scope for clips in (False, True)))


def back_text(below: Scope) -> str:
    """What lets go of a value, so that the one of ``below`` holds."""
    return _back().get(below, "")


def theirs_text(session: Session, holder: Scope) -> str:
    """Who has a value of his own above the user's."""
    return _theirs(holder, session.collection is not None)


def _back() -> dict[Scope, str]:
    return {Scope.MINE: tr("Use mine"), Scope.COLLECTION: tr("As all clips")}


def _theirs(holder: Scope, clips: bool) -> str:
    if holder is Scope.MINE:
        return ""
    if holder is Scope.COLLECTION:
        return tr("Set for all clips")
    return tr("Set for this clip") if clips else tr("Set for this project")
