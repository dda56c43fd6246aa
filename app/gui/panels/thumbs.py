"""Small pictures for lists: asked for while a row is painted, made in the background, remembered for a while."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from PySide6.QtCore import QObject, QRectF, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.gui import theme
from app.session import Session
from app.work.thumbnails import Wish

THUMB_W, THUMB_H = 88, 56
"""Logical pixels of the largest picture shown; they are made twice as large for dense screens."""
KEPT = 256
"""Pictures that are remembered."""
BATCH = 32
"""Pictures made in one go: about what a screen shows."""
SOON = 60
"""Milliseconds that wishes are gathered for; a box that is being dragged makes a new one at every move."""


class Thumbs(QObject):
    """One desk for all lists of a window. Whoever scrolls fast gets what was asked for last, the rest is dropped."""

    arrived = Signal()
    """Pictures have come; paint again."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._kept: OrderedDict[tuple[int, int], tuple[Wish, QPixmap]] = OrderedDict()
        self._asked: OrderedDict[tuple[int, int], Wish] = OrderedDict()
        self._making: dict[tuple[int, int], Wish] = {}
        self._failed: set[Wish] = set()
        self._era = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self._fetch)
        session.events.opened.connect(self._opened)

    def of(self, wish: Wish) -> QPixmap | None:
        """The picture of a wish, or an older one of the same object and frame; None while there is none yet."""
        key = wish.track, wish.frame
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
        wanted = known is None or known[0] != wish
        if wanted and self._making.get(key) != wish and wish not in self._failed and self._session.media is not None:
            self._asked[key] = wish
            self._asked.move_to_end(key)
            while len(self._asked) > BATCH:
                self._asked.popitem(last=False)  # scrolled past; it is asked for again when it is painted again
            if not self._making and not self._soon.isActive():
                self._soon.start()
        return None if known is None else known[1]

    @property
    def busy(self) -> bool:
        """Pictures that were asked for are still to come."""
        return bool(self._asked or self._making)

    @property
    def count(self) -> int:
        """How many pictures are remembered."""
        return len(self._kept)

    def _opened(self) -> None:
        self._era += 1
        self._kept.clear()
        self._asked.clear()
        self._failed.clear()

    def _fetch(self) -> None:
        if self._session.media is None or not self._asked or self._making:
            return
        self._making = dict(self._asked)
        self._asked.clear()
        wishes, era = tuple(self._making.values()), self._era
        self._session.pictures(wishes, THUMB_W * 2, THUMB_H * 2, self._take, lambda: self._fetched(wishes, era))

    def _take(self, wish: Wish, pixels: np.ndarray) -> None:
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, width * 3, QImage.Format.Format_BGR888)
        key = wish.track, wish.frame
        self._kept[key] = wish, QPixmap.fromImage(image)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.arrived.emit()

    def _fetched(self, wishes: tuple[Wish, ...], era: int) -> None:
        if era == self._era:  # a frame that cannot be decoded is not tried for ever
            self._failed |= set(wishes) - {wish for wish, _ in self._kept.values()}
        self._making = {}
        if self._asked:
            self._soon.start()


def paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """What lies under a row with a picture: whether it is selected, or under the pointer."""
    tokens, state = theme.current().tokens, option.state  # type: ignore[attr-defined]
    if state & QStyle.StateFlag.State_Selected:
        wash = QColor(tokens.accent)
        wash.setAlpha(60)
        painter.fillRect(option.rect, wash)  # type: ignore[attr-defined]
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(option.rect, QColor(tokens.raised))  # type: ignore[attr-defined]


def paint_picture(painter: QPainter, room: QRectF, picture: QPixmap | None) -> None:
    """A picture in its place, or the place while there is none yet."""
    if picture is None:
        painter.fillRect(room, QColor(theme.current().tokens.grid))
        return
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(room, picture, QRectF(picture.rect()))
