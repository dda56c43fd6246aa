"""The guided tour in the window: a calm card that says what to do, and a ring around where to do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.commands import BY_ID
from app.gui import theme
from app.gui.actions import native
from app.gui.tour_places import place_of, put
from app.words import tr
from app.work.tour import END_KEYS, END_TEXT, END_TITLE, Guide

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

LOOK = 150
"""Milliseconds after which ring and card follow what they point at."""
WIDE = 340
_PRESSES = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})


class _Button(QPushButton):
    """Space and Enter press it, whatever they mean in the window."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setAutoDefault(True)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _PRESSES:
            event.accept()
            return True
        return super().event(event)


class TourCard(QFrame):
    """What to do now, and the way on, back and out. ``done`` is told once the tour is over."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setObjectName("tour")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title, self.text, self.progress = QLabel(), QLabel(), QLabel()
        bold = self.title.font()
        bold.setBold(True)
        bold.setPointSizeF(bold.pointSizeF() * 1.15)
        self.title.setFont(bold)
        self.title.setWordWrap(True)
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.progress.setObjectName("muted")
        self.end, self.back, self.skip = _Button(tr("End tour")), _Button(tr("Back")), _Button(tr("Skip step"))
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setToolTip(tr("End tour"))
        self.close_button.setAccessibleName(tr("End tour"))
        self.close_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the button below does the same
        head = QHBoxLayout()
        head.addWidget(self.progress, 1)
        head.addWidget(self.close_button)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GRID)
        buttons.addWidget(self.end)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.skip)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID * 2, theme.GRID, theme.GRID * 2, theme.GRID * 2)
        column.setSpacing(theme.GRID)
        column.addLayout(head)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addSpacing(theme.GRID // 2)
        column.addLayout(buttons)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.ensurePolished()
        self.setFixedWidth(max(WIDE, column.minimumSize().width() + 4))  # other languages have longer words

    def say(self, progress: str, title: str, text: str, skip: str, *, first: bool, last: bool) -> None:
        """Another step. ``skip``: what the button says that goes on."""
        self.progress.setText(progress)
        self.title.setText(title)
        self.text.setText(text)
        self.back.setEnabled(not first)
        self.end.setVisible(not last)
        self.skip.setText(skip)
        self.setAccessibleName(f"{progress}: {title}")
        self.setAccessibleDescription(text)
        column = self.layout()
        assert column is not None
        edges = 2 * self.frameWidth() + 2  # the border of the style sheet, which the layout does not know
        self.setFixedHeight(column.heightForWidth(self.width() - edges) + edges)

    def _dress(self) -> None:
        t = theme.current().tokens
        self.setStyleSheet(
            f"QFrame#tour {{ background: {t.panel}; border: 1px solid {t.accent}; border-radius: 10px; }}"
        )
        self.close_button.setIcon(theme.icon("close", t.muted))


class Ring(QWidget):
    """An outline around what the card speaks of. The mouse goes through it."""

    EDGE = 5

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def surround(self, room: QRect) -> None:
        wanted = room.adjusted(-self.EDGE, -self.EDGE, self.EDGE, self.EDGE)
        parent = self.parentWidget()
        wanted = wanted.intersected(parent.rect()) if parent is not None else wanted
        if wanted != self.geometry():
            self.setGeometry(wanted)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = QColor(theme.current().tokens.accent)
        inside = QRectF(self.rect()).adjusted(3, 3, -3, -3)
        for colour, width in ((QColor(0, 0, 0, 60), 6.0), (QColor(255, 255, 255, 200), 4.0), (accent, 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawRoundedRect(inside, 7, 7)


class Touring(QObject):
    """Opens the sample, shows the steps, and goes away when they are done or nobody wants them."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._w = window
        self._session = window.session
        self.guide: Guide | None = None
        self.card = TourCard(window)
        self.ring = Ring(window)
        self.card.hide()
        self.ring.hide()
        self._offers = False
        self._begins = False
        """Whether the clip that is being opened is the tour's."""
        self.card.end.clicked.connect(self.end)
        self.card.close_button.clicked.connect(self.end)
        self.card.back.clicked.connect(lambda: self.guide.back() if self.guide else None)
        self.card.skip.clicked.connect(self._skip)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.setEnabled(False)
        self._escape.activated.connect(self.end)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._look)
        window.installEventFilter(self)
        events = self._session.events
        events.opened.connect(self._opened)
        events.error.connect(lambda _: self._failed())
        for event in (events.mode, events.selection, events.run):
            event.connect(lambda *_: self._heed_escape())

    def start(self) -> None:
        """Leave what is open, asking about unsaved work, and begin on the sample: anew, as nobody's project."""
        self._w.documents.leave(self._open)

    def offer(self) -> None:
        """Ask a newcomer, over the clip that is being opened."""
        self._offers = True

    def end(self) -> None:
        """Enough of it, or all of it done. What was drawn on the way stays open."""
        if self.guide is None:
            return
        self.guide.end()
        self.guide = None
        self._timer.stop()
        self.card.hide()
        self.ring.hide()
        self._heed_escape()
        self._w.canvas.setFocus()

    # --- the course of it ---------------------------------------------------------------------------------------

    def _open(self) -> None:
        self.end()
        self._begins = True
        try:
            self._session.open(None, fresh=True)
        except Exception as error:
            self._begins = False
            self._w.show_error(error)

    def _failed(self) -> None:
        self._begins = False

    def _opened(self) -> None:
        self.end()  # another clip is no longer the tour's
        if self._offers and not self._begins:
            QTimer.singleShot(0, self, self._ask)  # the window clears its notices when a clip is open
        self._offers = False
        if not self._begins:
            return
        self._begins = False
        self.guide = Guide(self._session)
        self.guide.changed.connect(self._tell)
        self._tell()
        self.card.show()
        QWidget.setTabOrder(self._w.canvas, self.card.end)
        QWidget.setTabOrder(self.card.end, self.card.back)
        QWidget.setTabOrder(self.card.back, self.card.skip)
        self._timer.start()
        self._heed_escape()

    def _ask(self) -> None:
        begin = tr("Take the tour (two minutes)"), self.start
        self._w.notices.ask(tr("New here? The tour shows the way from the first box to the export."), (begin,))

    def _skip(self) -> None:
        if self.guide is not None:
            self.end() if self.guide.step is None else self.guide.skip()

    def _tell(self) -> None:
        """Show the step one is at."""
        assert self.guide is not None
        step, count = self.guide.step, len(self.guide.steps)
        if step is None:
            text, keys, title, skip = END_TEXT, END_KEYS, END_TITLE, tr("Close")
            progress = tr("Done")
        else:
            text, keys, title, skip = step.text, step.keys, step.title, tr("Skip step")
            progress = tr("{number} of {count}").format(number=self.guide.number + 1, count=count)
        places = {name: self._key(command) for name, command in keys.items()}
        if step is not None and step.frame is not None:
            places["frame"] = f"<b>{step.frame}</b>"
        said = tr(text).format(**places)
        self.card.say(progress, tr(title), said, skip, first=self.guide.number == 0, last=step is None)
        if step is not None:
            self._bring(step.place)
        self._follow(anew=True)

    def _bring(self, place: str) -> None:
        """The panel that a step speaks of comes to the front."""
        if place == "tracker":
            self._w.side.below.show_panel("tracker")
        elif place == "review":
            self._w.side.above.show_panel("review")

    def _key(self, command: str) -> str:
        keys = self._w.actions_.keymap.keys(command)
        said = native(keys[0]) if keys else tr(BY_ID[command].title)
        return f"<b>{said}</b>"

    def _look(self) -> None:
        if self.guide is not None:
            self.guide.look()
        if self.guide is not None:
            self._follow()

    def _follow(self, *, anew: bool = False) -> None:
        """Ring and card go where the step points; the card stays where it is as long as it is not in the way."""
        if self.guide is None or self._w.canvas.gesturing:
            return
        step = self.guide.step
        target = place_of(self._w, step) if step is not None else None
        self.ring.setVisible(target is not None)
        if target is not None:
            self.ring.surround(target)
        free = [room for room in (target, self._visible(self._w.pause_bar)) if room is not None]
        if anew or any(self.card.geometry().intersects(room) for room in free):
            self.card.move(put(self.card.size(), self._area(), target, free))
        self.ring.raise_()
        self.card.raise_()

    def _area(self) -> QRect:
        """Where the card may be: picture and panels, so that timeline, tools and status stay free."""
        top = self._w.rows.widget(0)
        assert top is not None
        return QRect(top.mapTo(self._w, QPoint(0, 0)), top.size())

    def _visible(self, widget: QWidget) -> QRect | None:
        if not widget.isVisible():
            return None
        return QRect(widget.mapTo(self._w, QPoint(0, 0)), widget.size())

    def _heed_escape(self) -> None:
        """Esc ends the tour when it means nothing else."""
        self._escape.setEnabled(self.guide is not None and not BY_ID["track.stop"].when(self._session))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.guide is not None:
            QTimer.singleShot(0, self, lambda: self._follow(anew=True))  # once the parts have found their places
        return False
