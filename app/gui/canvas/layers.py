"""Paints the primitives of `app.scene`: image coordinates in, pens and texts of fixed screen size out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from app.gui import theme
from app.gui.canvas.mask_images import MaskImage, mask_image
from app.gui.canvas.viewport import Viewport
from app.model.geometry import Handle
from app.scene import (
    Dash,
    Ghost,
    Grip,
    Heat,
    Label,
    LookAlike,
    MaskFill,
    Missing,
    Primitive,
    Rect,
    Rotated,
    SearchRegion,
)
from tracker.api import Box

T = TypeVar("T")

GRIP = 8.0
"""Side of a handle in logical pixels."""
SMALL = 32.0
"""Boxes smaller than this on screen get corner handles only, pushed outwards."""
PUSH = 6.0
_DASHES = {Dash.SOLID: None, Dash.DASHED: [5.0, 2.5], Dash.DOTTED: [2.0, 1.6]}
_HEAT_CELLS = 160
"""Side in pixels to which response maps are interpolated before they are coloured."""


def grip_centres(left: float, top: float, width: float, height: float) -> dict[Handle, tuple[float, float]]:
    """Where the handles of a box on the widget are drawn and grabbed; a small target is never covered by them."""
    right, bottom = left + width, top + height
    if width < SMALL or height < SMALL:
        x0, y0, x1, y1 = left - PUSH, top - PUSH, right + PUSH, bottom + PUSH
        return {"nw": (x0, y0), "ne": (x1, y0), "se": (x1, y1), "sw": (x0, y1)}
    cx, cy = left + width / 2, top + height / 2
    return {
        "nw": (left, top), "n": (cx, top), "ne": (right, top), "e": (right, cy),
        "se": (right, bottom), "s": (cx, bottom), "sw": (left, bottom), "w": (left, cy),
    }  # fmt: skip


@lru_cache(maxsize=8)
def heat_table(opacity: float) -> list[int]:
    """256 colours as ``0xAARRGGBB``, inferno; weak answers are nearly clear so that the picture stays readable."""
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8).reshape(-1, 1), cv2.COLORMAP_INFERNO)[:, 0].astype(int)
    alpha = np.round(255 * opacity * np.clip(2 * np.linspace(0, 1, 256), 0, 1)).astype(int)
    return [int(a << 24 | r << 16 | g << 8 | b) for a, (b, g, r) in zip(alpha, bgr, strict=True)]


class _Cache:
    """The last images made, by the identity of their array (which is kept, so that ids stay true)."""

    def __init__(self, size: int = 96) -> None:
        self._size = size
        self._items: OrderedDict[tuple[int, object], tuple[np.ndarray, object]] = OrderedDict()

    def get(self, array: np.ndarray, key: object, make: Callable[[], T]) -> T:
        found = self._items.get((id(array), key))
        if found is None:
            found = array, make()
            self._items[id(array), key] = found
            while len(self._items) > self._size:
                self._items.popitem(last=False)
        return found[1]  # type: ignore[return-value]


class Layers:
    """Draws a scene. ``moved`` is a box under the hand: it stands for that track's box until the drag ends."""

    def __init__(self) -> None:
        self.moved: tuple[int, Box] | None = None
        self._cache = _Cache()

    def paint(
        self, painter: QPainter, scene: tuple[Primitive, ...], view: Viewport, widget: QRectF, picture: QRectF
    ) -> None:
        """``widget``, ``picture``: the canvas and the frame on it; maps end with the frame."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scene = self._with_moved(scene)
        boxes = {p.track: _on_widget(p.box, view) for p in scene if isinstance(p, Rect)}
        taken: list[QRectF] = list(boxes.values())
        faint = any(isinstance(p, Heat) for p in scene)
        for p in scene:
            match p:
                case Heat():
                    painter.save()
                    painter.setClipRect(picture)
                    self._heat(painter, p, view)
                    painter.restore()
                case MaskFill():
                    made = self._made(p, view, widget, painter.device().devicePixelRatioF(), faint)
                    if made is not None:
                        painter.drawImage(made.at, made.image)
                case SearchRegion():
                    outline(painter, _on_widget(p.box, view), QColor(255, 255, 255, 150), 1.0, [3.0, 5.0])
                case Ghost():
                    pale = QColor(p.colour)
                    pale.setAlpha(110)
                    outline(painter, _on_widget(p.box, view), pale, 1.0, [4.0, 4.0] if p.after else [1.2, 2.4])
                case Rotated():
                    _rotated(painter, p, view)
                case LookAlike():
                    look_alike(painter, QPointF(*view.to_widget(p.x, p.y)))
                case Rect():
                    _rect(painter, p, boxes[p.track])
                case Missing():
                    _missing(painter, p, view, widget, taken)
                case Label():
                    rect = boxes.get(p.track, _on_widget(p.box, view))
                    _label(painter, p.text, rect, p.colour, p.selected, widget, taken)
                case Grip():
                    rect = boxes.get(p.track)
                    if rect is not None:
                        _grip(painter, p, grip_centres(rect.left(), rect.top(), rect.width(), rect.height()))
        painter.restore()

    def _with_moved(self, scene: tuple[Primitive, ...]) -> tuple[Primitive, ...]:
        if self.moved is None:
            return scene
        track, box = self.moved
        out: list[Primitive] = []
        for p in scene:
            if isinstance(p, Rect | Label) and p.track == track:
                out.append(replace(p, box=box, dash=Dash.SOLID) if isinstance(p, Rect) else replace(p, box=box))
            elif not (isinstance(p, MaskFill) and p.track == track):
                out.append(p)
        return tuple(out)

    def _heat(self, painter: QPainter, heat: Heat, view: Viewport) -> None:
        opacity = round(heat.opacity, 2)
        image = self._cache.get(heat.values, opacity, lambda: heat_image(heat.values, opacity))
        painter.drawImage(_on_widget(heat.rect, view), image)

    def prepare(self, scene: tuple[Primitive, ...], view: Viewport, widget: QRectF, ratio: float) -> None:
        """Make the masks of a scene that is soon to be painted; ``ratio``: device pixels per logical pixel."""
        for p in scene:
            if isinstance(p, MaskFill):
                self._made(p, view, widget, ratio, False)

    def _made(self, mask: MaskFill, view: Viewport, widget: QRectF, ratio: float, faint: bool) -> MaskImage | None:
        """``faint``: a heat map lies below and must stay readable."""
        fill = round(mask.opacity * (0.25 if faint else 1.0), 2) if mask.fill else 0.0
        place = view.scale, view.x, view.y
        key = place, widget.getRect(), ratio, mask.patch.x, mask.patch.y, mask.colour, fill, mask.outline
        return self._cache.get(
            mask.patch.bits,
            key,
            lambda: mask_image(mask.patch, place, widget, ratio, mask.colour, fill, mask.outline),
        )


def _on_widget(box: Box, view: Viewport) -> QRectF:
    return QRectF(*view.box(box))


def heat_image(values: np.ndarray, opacity: float) -> QImage:
    """Interpolated as numbers, coloured afterwards; the outer half cells repeat the edge, as the cells' areas do."""
    rows, columns = values.shape
    side = max(rows, columns)
    grow = max(1, -(-_HEAT_CELLS // side))
    fine = cv2.resize(values.astype(np.float32), (columns * grow, rows * grow), interpolation=cv2.INTER_CUBIC)
    levels = np.ascontiguousarray(np.clip(fine * 255 + 0.5, 0, 255).astype(np.uint8))
    image = QImage(levels.data, levels.shape[1], levels.shape[0], levels.strides[0], QImage.Format.Format_Indexed8)
    image.setColorTable(heat_table(opacity))
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def outline(painter: QPainter, rect: QRectF, colour: QColor, width: float, dash: list[float] | None) -> None:
    """A line with a thin dark rim, to be seen on any ground."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    rim = QPen(QColor(0, 0, 0, round(colour.alpha() * 0.3)), width + 1.25)
    rim.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(rim)
    painter.drawRect(rect)
    pen = QPen(colour, width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dash:
        pen.setDashPattern(dash)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawRect(rect)


def _rotated(painter: QPainter, p: Rotated, view: Viewport) -> None:
    corners = QPolygonF([QPointF(*view.to_widget(x, y)) for x, y in p.corners])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 90), 3.5), (QColor(p.colour), 2.0)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin))
        painter.drawPolygon(corners)


def look_alike(painter: QPainter, at: QPointF, reach: float = 9.0) -> None:
    """A diamond around what looks like the target but is not believed to be it."""
    sides = ((0, -reach), (reach, 0), (0, reach), (-reach, 0))
    diamond = QPolygonF([QPointF(at.x() + dx, at.y() + dy) for dx, dy in sides])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 140), 3.5), (QColor(theme.DARK.warning), 1.75)):
        painter.setPen(QPen(colour, width))
        painter.drawPolygon(diamond)


def _rect(painter: QPainter, p: Rect, rect: QRectF) -> None:
    colour = QColor(p.colour)
    if p.occluded:
        colour.setAlpha(190)
    outline(painter, rect, colour, 2.25 if p.selected or p.live else 1.75, _DASHES[p.dash])


def _missing(painter: QPainter, p: Missing, view: Viewport, widget: QRectF, taken: list[QRectF]) -> None:
    colour = QColor(theme.current().tokens.danger)
    if p.box is None:
        corner = QRectF(max(view.x, 0) + 8, max(view.y, 0) + 8, 0, 0)
        _label(painter, p.text.capitalize(), corner, p.colour, p.selected, widget, taken, below=True)
        return
    rect = _on_widget(p.box, view)
    faint = QColor(colour)
    faint.setAlpha(150)
    outline(painter, rect, faint, 1.25, [2.0, 4.0])
    pen = QPen(faint, 1)
    painter.setPen(pen)
    painter.drawLine(rect.topLeft(), rect.bottomRight())
    painter.drawLine(rect.topRight(), rect.bottomLeft())
    taken.append(rect)
    _label(painter, p.text.capitalize(), rect, colour.name(), p.selected, widget, taken)


def _label(
    painter: QPainter, text: str, rect: QRectF, colour: str, selected: bool, widget: QRectF, taken: list[QRectF],
    below: bool = False,
) -> None:  # fmt: skip
    """A tag beside the box, never on it: above if there is room, else below, right or left of it."""
    font = theme.fixed_font(12, bold=selected)
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(text) + 12, metrics.height() + 4
    gap = PUSH + GRIP if selected and (rect.width() < SMALL or rect.height() < SMALL) else 4.0
    gap = gap + GRIP / 2 if selected and gap == 4.0 else gap
    places = [
        QPointF(rect.left(), rect.top() - height - gap),
        QPointF(rect.left(), rect.bottom() + gap),
        QPointF(rect.right() + gap, rect.top()),
        QPointF(rect.left() - width - gap, rect.top()),
        QPointF(rect.right() + gap, rect.bottom() - height),
        QPointF(rect.left() - width - gap, rect.bottom() - height),
        QPointF(rect.left(), rect.top() - 2 * height - gap - 2),
        QPointF(rect.left(), rect.bottom() + height + gap + 2),
    ]
    if below:
        places = places[1:]
    tags = [QRectF(at.x(), at.y(), width, height) for at in places]
    room = widget.adjusted(2, 2, -2, -2)
    for tag in tags:
        if rect.left() <= tag.left() <= rect.right():
            tag.moveLeft(min(max(tag.left(), room.left()), room.right() - width))
    fits = [tag for tag in tags if room.contains(tag)] or tags
    tag = _freest(fits, taken)
    if not room.contains(tag):
        if not rect.intersects(room):
            return
        tag.moveTop(min(max(tag.top(), room.top()), room.bottom() - height))
    taken.append(tag)
    ground = QColor(colour)
    painter.setPen(QPen(QColor(0, 0, 0, 70), 1))
    painter.setBrush(ground)
    painter.drawRoundedRect(tag, 4, 4)
    painter.setPen(QColor("#101214" if ground.lightnessF() > 0.5 or _luminance(ground) > 0.35 else "#ffffff"))
    painter.setFont(font)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)


def _freest(tags: list[QRectF], taken: list[QRectF]) -> QRectF:
    """The tag that shares the least area with what is taken; the first free one, if any is."""
    for tag in tags:
        if not any(map(tag.intersects, taken)):
            return tag
    return min(tags, key=lambda tag: sum(_shared(tag, other) for other in filter(tag.intersects, taken)))


def _shared(a: QRectF, b: QRectF) -> float:
    """Area that both cover."""
    both = a.intersected(b)
    return both.width() * both.height()


def _luminance(c: QColor) -> float:
    return 0.2126 * c.redF() ** 2.2 + 0.7152 * c.greenF() ** 2.2 + 0.0722 * c.blueF() ** 2.2


def _grip(painter: QPainter, p: Grip, centres: dict[Handle, tuple[float, float]]) -> None:
    at = centres.get(p.handle)
    if at is None:
        return
    square = QRectF(at[0] - GRIP / 2, at[1] - GRIP / 2, GRIP, GRIP)
    painter.setPen(QPen(QColor(16, 18, 20, 220), 1))
    painter.setBrush(QColor(255, 255, 255))
    painter.drawRoundedRect(square, 2, 2)
