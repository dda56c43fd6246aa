"""The tool bar."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

from app.gui.actions import Actions
from app.words import tr


def tool_bar(actions: Actions) -> QToolBar:
    """What is wanted all day; everything else is in the menus and the palette."""
    bar = QToolBar(tr("Tools"))
    bar.setMovable(False)
    bar.setIconSize(QSize(18, 18))
    bar.toggleViewAction().setEnabled(False)
    for name in ("file.open", "file.save", "file.export", "", "edit.undo", "edit.redo", ""):
        bar.addAction(actions[name]) if name else bar.addSeparator()
    named = [actions[name] for name in ("object.new", "track.backward", "track.forward")]
    for action in (*named, actions.stop):
        button = QToolButton()
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.addWidget(button)
    bar.addSeparator()
    for name in ("object.keyframe", "object.delete_box", "", "view.heat", "view.fit"):
        bar.addAction(actions[name]) if name else bar.addSeparator()
    space = QWidget()
    space.setSizePolicy(space.sizePolicy().Policy.Expanding, space.sizePolicy().Policy.Preferred)
    bar.addWidget(space)
    bar.addAction(actions["help.keys"])
    return bar
