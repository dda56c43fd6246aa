"""A paused run asks its question in a strip over the picture, with each answer one key or one click away."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.commands import BY_ID
from app.gui import theme
from app.gui.actions import Actions, native
from app.gui.elided import ElidedLabel
from app.session import Session
from app.words import mark, tr
from app.work.requests import Ending, Reason

ANSWERS = (
    ("track.accept", mark("Go on")),
    ("object.redraw", mark("Draw")),
    ("object.occluded", mark("Hidden")),
    ("object.out_of_view", mark("Out of view")),
    ("track.stop", mark("Leave")),
)
"""Commands and what they mean as an answer."""
LEAST_REASON = 120
"""Logical pixels that the reason wants beside everything else."""


class PauseBar(QWidget):
    """Seen while a run waits for a person. Where the object was lost, a drag in the picture draws its box at once."""

    def __init__(self, session: Session, actions: Actions) -> None:
        super().__init__()
        self._session = session
        self._actions = actions
        self._asked: Ending | None = None
        self._armed = False
        """Whether the picture was made ready for the drag that answers this pause."""
        self.title, self.reason = QLabel(), ElidedLabel()
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        self.reason.setObjectName("muted")
        self.reason.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        said, answers = QHBoxLayout(), QHBoxLayout()
        said.addWidget(self.title)
        said.addWidget(self.reason, 1)
        self.show_button = QToolButton()
        self.show_button.setObjectName("answer")
        self.show_button.setText(tr("Show"))
        self.show_button.setToolTip(tr("Go to the frame"))
        self.show_button.clicked.connect(self._show)
        answers.addWidget(self.show_button)
        self.buttons: dict[str, QToolButton] = {}
        for name, _ in ANSWERS:
            button = self.buttons[name] = QToolButton()
            button.setObjectName("answer")
            button.clicked.connect(lambda _=False, n=name: self._answer(n))
            answers.addWidget(button)
        answers.addStretch(1)
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._rows.setContentsMargins(theme.GRID * 2, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        for layout in (said, answers, self._rows):
            layout.setSpacing(theme.GRID)
        self._rows.addLayout(said, 1)
        self._rows.addLayout(answers)
        theme.current().changed.connect(self.update)
        events = session.events
        events.mode.connect(lambda _: self.show_pause())
        events.run.connect(lambda _: self.show_pause())
        events.selection.connect(self.show_pause)
        events.position.connect(lambda _: self.show_pause())
        self.hide()

    def show_pause(self) -> None:
        """What waits now; hidden when nothing does, or while a run goes on."""
        session = self._session
        pause = session.pause if session.run is None or session.run.background else None
        if pause is not self._asked:
            self._asked, self._armed = pause, False
            if pause is not None:
                self._ask(pause)
        self.setVisible(pause is not None)
        self.show_button.setVisible(pause is not None and not self._seen(pause))
        if pause is not None and pause.reason is Reason.LOST and not self._armed and self._may_draw(pause):
            self._armed = True
            session.begin_drawing(redraw=True)

    def _may_draw(self, pause: Ending) -> bool:
        """Whether the hand is free for a drag, and the eyes are on the object."""
        session = self._session
        return self._seen(pause) and not session.drawing and session.mask_tool is None

    def _seen(self, pause: Ending) -> bool:
        session = self._session
        return session.selected == pause.aim.track and session.frame == pause.frame

    def _show(self) -> None:
        if self._asked is not None:
            self._session.select(self._asked.aim.track)
            self._session.seek(self._asked.frame)

    def _ask(self, pause: Ending) -> None:
        session = self._session
        lost = pause.reason is Reason.LOST
        track = session.document.tracks[pause.aim.track]
        count = len(session.runs.pauses) - 1
        said = tr("{object} lost at frame {frame}") if lost else tr("{object} uncertain at frame {frame}")
        parts = [said.format(object=f"{track.label} {track.id}", frame=pause.frame)]
        if count:
            parts.append(tr("{count} more after this").format(count=count))
        self.title.setText(" · ".join(parts))
        self.reason.setText(pause.why)
        for name, words in ANSWERS:
            said = (tr("Look on") if lost else tr("It is right")) if name == "track.accept" else tr(words)
            keys = self._actions.keymap.keys(name)
            self.buttons[name].setText(f"{said}  {native(keys[0])}" if keys else said)
            self.buttons[name].setToolTip(self._actions.tip(BY_ID[name]))

    def _answer(self, name: str) -> None:
        if name == "track.stop":
            self._session.end_drawing()
        self._actions.trigger(BY_ID[name])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The answers stand below the question where both do not fit beside each other."""
        shown = [button for button in (self.show_button, *self.buttons.values()) if not button.isHidden()]
        needed = self.title.sizeHint().width() + sum(button.sizeHint().width() + theme.GRID for button in shown)
        wide = needed + LEAST_REASON <= event.size().width()
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if way != self._rows.direction():
            self._rows.setDirection(way)
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(t.panel))
        wash = QColor(t.warning)
        wash.setAlpha(40)
        painter.fillRect(self.rect(), wash)
        painter.fillRect(0, 0, 4, self.height(), QColor(t.warning))
