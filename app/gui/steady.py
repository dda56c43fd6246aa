"""A label for figures that change with every frame."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel

from app.gui import theme


class SteadyLabel(QLabel):
    """Of a fixed size, so that another text is only painted: Qt lays out the window anew for any other label's.

    ``width``: in logical pixels; a text that needs more gets it.
    """

    def __init__(self, width: int, font: QFont) -> None:
        super().__init__()
        self.setFont(font)
        self.setFixedSize(width, self.fontMetrics().height() + theme.GRID // 2)

    def setText(self, text: str) -> None:
        if text == self.text():
            return
        around = self.contentsMargins()
        needed = self.fontMetrics().horizontalAdvance(text) + around.left() + around.right() + 2
        if needed > self.width():
            self.setFixedWidth(needed)
        super().setText(text)
