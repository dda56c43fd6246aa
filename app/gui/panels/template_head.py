"""What a tracker started from, beside what a person corrected last: how far the object has come from its template."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from app.gui import theme
from app.gui.panels.thumbs import THUMB_H, THUMB_W
from app.words import tr
from tracker.api import Exemplar

HIGH = 76
"""Logical pixels of a picture."""


class TemplateHead(QWidget):
    """``go(frame)``: a picture that comes from a frame was clicked."""

    def __init__(self, go: Callable[[int], None]) -> None:
        super().__init__()
        self.template, self.correction = _Card(go), _Card(go)
        self._of: Exemplar | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID)
        row.addWidget(self.template, 1)
        row.addWidget(self.correction, 1)

    def show_template(self, of: Exemplar | QPixmap | None, frame: int | None) -> None:
        """The tracker's own picture, or that of the first box as long as no run has told."""
        if isinstance(of, Exemplar):
            if of is self._of:
                return
            self._of = of
            height, width = of.pixels.shape[:2]
            image = QImage(of.pixels.tobytes(), width, height, width * 3, QImage.Format.Format_BGR888)
            self.template.show_picture(QPixmap.fromImage(image), tr("Template"), None)
            self.template.setToolTip(tr("What the tracker started from"))
        else:
            self._of = None
            words = tr("First box") if frame is None else tr("First box · {frame}").format(frame=frame)
            self.template.show_picture(of, words, frame)
            self.template.setToolTip(tr("What a run starts from; its own template is shown when one goes on"))

    def show_correction(self, picture: QPixmap | None, frame: int | None) -> None:
        newest = tr("Newest correction · {frame}")
        words = tr("No correction yet") if frame is None else newest.format(frame=frame)
        self.correction.show_picture(picture, words, frame)
        self.correction.setToolTip("" if frame is None else tr("The box that was drawn last; a click goes there"))


class _Card(QAbstractButton):
    """A picture in its own shape with a caption; a dashed frame while there is none."""

    def __init__(self, go: Callable[[int], None]) -> None:
        super().__init__()
        self.caption, self._picture = "", QPixmap()
        self.frame: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setEnabled(False)
        self.clicked.connect(lambda: go(self.frame) if self.frame is not None else None)

    def show_picture(self, picture: QPixmap | None, caption: str, frame: int | None) -> None:
        picture = picture or QPixmap()
        if (picture.cacheKey(), caption, frame) == (self._picture.cacheKey(), self.caption, self.frame):
            return
        self._picture, self.caption, self.frame = picture, caption, frame
        self.setEnabled(frame is not None)
        self.setAccessibleName(caption)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(HIGH * THUMB_W // THUMB_H, HIGH + 20)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        ratio = THUMB_W / THUMB_H if self._picture.isNull() else self._picture.width() / self._picture.height()
        room = QRectF(0.5, 0.5, HIGH * ratio - 1, HIGH - 1)
        if self._picture.isNull():
            painter.setPen(QPen(QColor(t.border), 1, Qt.PenStyle.DashLine))
            painter.drawRect(room)
        else:
            painter.drawPixmap(room, self._picture, QRectF(self._picture.rect()))
        if self.hasFocus():
            painter.setPen(QPen(QColor(t.accent), 2))
            painter.drawRect(room.adjusted(1, 1, -1, -1))
        painter.setPen(QColor(t.muted))
        painter.setFont(theme.fixed_font(11))
        shown = painter.fontMetrics().elidedText(self.caption, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, HIGH + 2, self.width(), 18), Qt.AlignmentFlag.AlignLeft, shown)
