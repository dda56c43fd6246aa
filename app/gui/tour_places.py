"""Where the steps of the tour point in the window, and where there is room for the card beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize
from PySide6.QtWidgets import QToolBar, QWidget

from app.gui import theme
from app.work.tour import NEAR, Place, Step

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

GAP = 2 * theme.GRID


def place_of(window: MainWindow, step: Step) -> QRect | None:
    """What the step points at, in pixels of the window; None while it cannot be seen."""
    session = window.session
    match step.place:
        case Place.TRACKER:
            return _of(window, window.side.below)
        case Place.REVIEW:
            return _of(window, window.side.above)
        case Place.EXPORT:
            return _of(window, _tool(window, "file.export"))
        case Place.PAUSE:
            return _of(window, window.pause_bar) or _object(window)
        case Place.PICTURE:
            if step.frame is not None and abs(session.frame - step.frame) > NEAR:
                return _frame(window, step.frame)
            if step.box is not None:
                return _on_picture(window, QRectF(*window.canvas.view.box(step.box)))
            return _object(window)


def put(size: QSize, area: QRect, target: QRect | None, free: list[QRect]) -> QPoint:
    """The place for a card inside ``area`` that covers nothing of ``free`` and is near ``target``; else the best."""
    inner = area.adjusted(GAP, GAP, -GAP, -GAP)
    right, bottom = inner.right() - size.width() + 1, inner.bottom() - size.height() + 1
    spots = [QPoint(x, y) for x in (inner.left(), right) for y in (bottom, inner.top())]
    if target is not None:
        middle = target.center() - QPoint(size.width() // 2, size.height() // 2)
        spots += [
            QPoint(target.right() + GAP, middle.y()),
            QPoint(target.left() - GAP - size.width(), middle.y()),
            QPoint(middle.x(), target.bottom() + GAP),
            QPoint(middle.x(), target.top() - GAP - size.height()),
        ]
    spots = [QPoint(min(max(s.x(), inner.left()), right), min(max(s.y(), inner.top()), bottom)) for s in spots]

    def cost(spot: QPoint) -> tuple[int, int]:
        room = QRect(spot, size)
        covered = sum(_area(room.intersected(other.adjusted(-8, -8, 8, 8))) for other in free)
        away = (room.center() - target.center()).manhattanLength() if target is not None else 0
        return covered, away

    return min(spots, key=cost)


def _area(room: QRect) -> int:
    return max(0, room.width()) * max(0, room.height())


def _of(window: MainWindow, widget: QWidget | None) -> QRect | None:
    if widget is None or not widget.isVisible():
        return None
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def _tool(window: MainWindow, command: str) -> QWidget | None:
    """The button of a command on the tool bar."""
    action = window.actions_[command]
    found = (bar.widgetForAction(action) for bar in window.findChildren(QToolBar))
    return next((button for button in found if button is not None), None)


def _object(window: MainWindow) -> QRect | None:
    """The box of the selected object."""
    here = window.session.here
    if here is not None and here.box is not None:
        return _on_picture(window, QRectF(*window.canvas.view.box(here.box)))
    return None


def _on_picture(window: MainWindow, room: QRectF) -> QRect | None:
    canvas = _of(window, window.canvas)
    if canvas is None:
        return None
    return room.toAlignedRect().adjusted(-6, -6, 6, 6).translated(canvas.topLeft()).intersected(canvas)


def _frame(window: MainWindow, frame: int) -> QRect | None:
    """The column of a frame in the timeline."""
    lanes = window.timeline.lane_view
    room = _of(window, lanes)
    if room is None:
        return None
    x = round(lanes.x_of(frame + 0.5))
    return QRect(room.left() + x - 12, room.top(), 24, room.height())
