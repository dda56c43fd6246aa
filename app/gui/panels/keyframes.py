"""The keyframes of the selected object: what a person vouches for, as a list to walk through and to mend."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QTreeView, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.panels.keyframe_rows import FRAME, KeyframeRow, KeyframesModel
from app.gui.panels.template_head import TemplateHead
from app.gui.panels.thumbs import Thumbs
from app.model.document import Change
from app.model.tracks import Source
from app.session import LiveItem, Session
from app.words import tr, trn
from app.work.thumbnails import Wish
from tracker.api import Exemplar

LOW = 232
"""Logical pixels of height below which there is no room for the pictures above the rows."""
LOWEST = 96
"""Head line and one row."""
_ROW_KEYS = frozenset({Qt.Key.Key_K, Qt.Key.Key_Delete})
"""Keys that are commands of the window too; with the list in hand they mean its row."""


class KeyframeList(QTreeView):
    """K and Del act on the row in hand, wherever the picture is; ``act(key)`` is told.

    A tree without branches: `QListView` lays all of its rows out anew at every change of one, which takes 50 ms with
    10 000 keyframes.
    """

    def __init__(self, act: Callable[[Qt.Key], None]) -> None:
        super().__init__()
        self._act = act
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(48)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._ours(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._ours(event):
            self._act(Qt.Key(event.key()))
        else:
            super().keyPressEvent(event)

    def _ours(self, event: QKeyEvent) -> bool:
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        return plain and event.key() in _ROW_KEYS and self.currentIndex().isValid()


class KeyframesPanel(QWidget):
    """``action(id)`` gives the actions of the command table; errors of what it does itself go to ``on_error``."""

    def __init__(
        self,
        session: Session,
        action: Callable[[str], QAction],
        thumbs: Thumbs,
        on_error: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._action, self._thumbs, self._on_error = session, action, thumbs, on_error
        self._track: int | None = None
        self._behind = True
        """Whether the list is out of date, since nobody looked."""
        self._drawn: dict[int, dict[int, None]] = {}
        """By track the frames that were drawn by hand while the window is open, the newest last."""
        self._exemplars: dict[int, Exemplar] = {}
        self.model = KeyframesModel()
        self.head = TemplateHead(self._go)
        self.count = QLabel()
        self.count.setObjectName("muted")
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.count, 1)
        self.retrack = QToolButton()
        self.retrack.setIcon(theme.icon("track-forward"))
        again = tr("Track on from this keyframe again")
        self.retrack.setToolTip(f"<b>{again}</b><br>" + tr("Up to the next one, from both sides"))
        self.retrack.setAccessibleName(again)
        self.retrack.clicked.connect(self._retrack)
        buttons = [self.retrack]
        for name in ("object.keyframe", "object.delete_box"):
            button = QToolButton()
            button.setIcon(action(name).icon())
            button.setToolTip(action(name).toolTip())
            button.setAccessibleName(action(name).iconText())
            button.clicked.connect(lambda _=False, n=name: self._on_row(n))
            buttons.append(button)
        self.buttons = tuple(buttons)
        for button in buttons:
            button.setAutoRaise(True)
            row.addWidget(button)
        self.list = KeyframeList(lambda key: self._on_row("object.keyframe" if key == _K else "object.delete_box"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(KeyframeRow(self._picture, self.list))
        self.list.setAccessibleName(tr("Keyframes of the selected object"))
        self.list.clicked.connect(self._go_to)
        self.list.activated.connect(self._go_to)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._enable())
        self.hint = QLabel()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addWidget(self.head)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        column.addWidget(self.hint, 1)
        thumbs.arrived.connect(self._arrived)
        theme.current().changed.connect(self._tint)
        events = session.events
        events.opened.connect(self._opened)
        events.selection.connect(self.refresh)
        events.document.connect(self._changed)
        events.position.connect(self._position)
        events.live.connect(self._live)
        self.refresh()

    # --- what is shown ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the selected object; left for later while nobody looks."""
        if not self.isVisible():
            self._behind = True
            return
        self._behind = False
        session = self._session
        self._track = session.selected
        track = None if self._track is None else session.document.tracks.get(self._track)
        self.model.show(track, session.lanes.frames_vouched(self._track))
        self._position(session.frame)
        self._tell()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        if self._behind:
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """On a low screen the rows are what is wanted; the pictures above them make way (`_fit`)."""
        return QSize(super().minimumSizeHint().width(), LOWEST)

    def _fit(self) -> None:
        self.head.setVisible(bool(self.model.rowCount()) and self.height() >= LOW)

    def _opened(self) -> None:
        self._drawn.clear()
        self._exemplars.clear()
        self._track = None
        self.refresh()

    def _changed(self, change: Change) -> None:
        tracks = self._session.document.tracks
        for id_, frames in change.frames.items():
            if len(frames) == 1 and id_ in tracks:  # one frame by hand; a run comes in chunks and is never manual
                frame = next(iter(frames))
                seen = tracks[id_].at(frame)
                if seen is not None and seen.source is Source.MANUAL:
                    order = self._drawn.setdefault(id_, {})
                    order.pop(frame, None)
                    order[frame] = None
        if not self.isVisible():
            self._behind = True
        elif self._track is not None and self._track in change.tracks:
            self.model.follow(
                tracks.get(self._track),
                self._session.lanes.frames_vouched(self._track),
                change.frames.get(self._track, ()),
            )
            self.model.set_here(self._session.frame)
            self._tell()

    def _position(self, frame: int) -> None:
        if not self.isVisible():
            self._behind = True
            return
        at = self.model.set_here(frame)
        if at is not None and not self.list.hasFocus():  # whoever walks through the list is not led away from there
            self.list.setCurrentIndex(self.model.index(at))
            self.list.scrollTo(self.model.index(at))

    def _live(self, item: LiveItem) -> None:
        for one in self._session.lives or (item,):
            if one.exemplar is not None and self._exemplars.get(one.track) is not one.exemplar:
                self._exemplars[one.track] = one.exemplar
                if one.track == self._track and self.isVisible():
                    self._tell_head()

    def _tell(self) -> None:
        """Count, head, hint and what can be done."""
        session, rows = self._session, self.model.rowCount()
        self.count.setText(trn("{count} keyframe", "{count} keyframes", rows).format(count=rows) if rows else "")
        for part in (self.list, self.count, *self.buttons):
            part.setVisible(bool(rows))
        self._fit()
        self.hint.setVisible(not rows)
        if not rows:
            if not session.is_open:
                words = tr("No video is open.")
            elif self._track is None:
                words = tr("Select one object to see its keyframes.")
                if not session.document.tracks:
                    words = tr("Press N and draw a box around an object: its first keyframe.")
            else:
                words = tr("No frame of this object is vouched for. Press K on a frame that is right, or draw its box.")
            self.hint.setText(words)
        self._tell_head()
        self._enable()

    def _tell_head(self) -> None:
        """The template beside the newest correction."""
        track = None if self._track is None else self._session.document.tracks.get(self._track)
        if track is None or not self.model.rowCount():
            self.head.show_template(None, None)
            self.head.show_correction(None, None)
            return
        frames = self.model.frames
        boxed = [f for f in (frames[0], frames[-1]) if track.frames[f].present]
        first = frames[0] if frames[0] in boxed else next((f for f in frames if track.frames[f].present), None)
        start = self._exemplars.get(track.id)
        self.head.show_template(start if start is not None else self._crop(first), None if start else first)
        drawn = [f for f in self._drawn.get(track.id, ()) if self._is_correction(f, first)]
        last = drawn[-1] if drawn else next((f for f in reversed(frames) if self._is_correction(f, first)), None)
        self.head.show_correction(self._crop(last), last)

    def _is_correction(self, frame: int, first: int | None) -> bool:
        seen = self._session.document.tracks[self._track].at(frame) if self._track is not None else None
        return frame != first and seen is not None and seen.present and seen.source is Source.MANUAL

    def _picture(self, frame: int) -> QPixmap | None:
        """The picture of a row; asked for when it is first painted."""
        return self._crop(frame)

    def _crop(self, frame: int | None) -> QPixmap | None:
        track = None if self._track is None else self._session.document.tracks.get(self._track)
        seen = None if track is None or frame is None else track.at(frame)
        if track is None or frame is None or seen is None:
            return None
        return self._thumbs.of(Wish(track.id, frame, seen.box))

    def _arrived(self) -> None:
        if self.isVisible():
            self.list.viewport().update()
            self._tell_head()

    def _tint(self) -> None:
        self.retrack.setIcon(theme.icon("track-forward"))
        for button, name in zip(self.buttons[1:], ("object.keyframe", "object.delete_box"), strict=True):
            button.setIcon(self._action(name).icon())

    # --- what can be done ---------------------------------------------------------------------------------------

    @property
    def _row(self) -> int | None:
        """The frame of the row in hand."""
        return self.list.currentIndex().data(FRAME) if self.list.currentIndex().isValid() else None

    def _go_to(self, index: QModelIndex) -> None:
        self._go(index.data(FRAME))

    def _go(self, frame: int | None) -> None:
        if frame is not None:
            self._session.set_playing(False)
            self._session.seek(frame)

    def _on_row(self, command: str) -> None:
        """Go to the frame of the row, so that one sees what becomes of it, and do a command there."""
        self._go(self._row)
        self._action(command).trigger()

    def _retrack(self) -> None:
        """The gap after the row's keyframe from both sides; after the last one, on from there."""
        frame = self._row
        if frame is None or self._track is None:
            return
        try:
            if self._next(frame) is not None:
                self._session.track_gap(self._track, frame=frame + 1)
            else:
                self._session.track(1, track=self._track, frame=frame, mode="replace")
        except Exception as error:
            self._on_error(error)

    def _next(self, frame: int) -> int | None:
        at = bisect_right(self.model.frames, frame)
        return self.model.frames[at] if at < len(self.model.frames) else None

    def _enable(self) -> None:
        frame = self._row
        for button in self.buttons:
            button.setEnabled(frame is not None)
        if frame is not None:
            following = self._next(frame)
            self.retrack.setEnabled(following is None or following - frame > 1)

    def _menu(self, at: QPoint) -> None:
        index = self.list.indexAt(at)
        if not index.isValid():
            return
        self.list.setCurrentIndex(index)
        frame, following = index.data(FRAME), self._next(index.data(FRAME))
        menu = QMenu(self)
        menu.addAction(tr("Go there"), lambda: self._go(frame))
        on, gap = tr("Track on from here again"), tr("Track the gap to frame {frame} again")
        words = on if following is None else gap.format(frame=following)
        menu.addAction(theme.icon("track-forward"), words, self._retrack).setEnabled(self.retrack.isEnabled())
        menu.addSeparator()
        for name in ("object.keyframe", "object.delete_box"):
            action = self._action(name)
            menu.addAction(action.icon(), action.text(), lambda n=name: self._on_row(n))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(at))


_K = Qt.Key.Key_K
