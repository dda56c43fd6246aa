"""The right side of the window: panels in two stacks of tabs, each panel added in one line."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QTabWidget, QWidget

from app.gui import theme
from app.words import tr


class Panels(QTabWidget):
    """Panels of which one is seen. Its tab says icon and name, the others show their icon and tell their name."""

    def __init__(self, about: str) -> None:
        super().__init__()
        self.setAccessibleName(about)
        self._known: dict[str, tuple[int, str, str]] = {}
        self._badges: dict[str, int] = {}
        self.setDocumentMode(True)
        self.setIconSize(QSize(16, 16))
        self.tabBar().setExpanding(False)
        self.tabBar().setDrawBase(False)
        self.currentChanged.connect(lambda _: self._name())
        theme.current().changed.connect(self._name)

    def add(self, name: str, title: str, icon: str, panel: QWidget, *, scrolls: bool = False) -> None:
        """``name`` is for `show_panel`; ``scrolls``: the panel may be higher than a low screen."""
        shown: QWidget = panel
        if scrolls:
            area = QScrollArea()
            area.setWidget(panel)
            area.setWidgetResizable(True)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setAccessibleName(title)
            shown = area
        self._known[name] = self.addTab(shown, ""), title, icon
        self._name()

    def show_panel(self, name: str) -> None:
        """Bring a panel to the front."""
        self.setCurrentIndex(self._known[name][0])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._known)

    @property
    def current(self) -> str:
        """The name of the panel that is seen."""
        return next((name for name, (at, _, _) in self._known.items() if at == self.currentIndex()), "")

    def set_badge(self, name: str, count: int) -> None:
        """How many things wait in a panel; 0 for none."""
        if count != self._badges.get(name, 0):
            self._badges[name] = count
            self._name()

    def _name(self) -> None:
        tokens = theme.current().tokens
        for name, (at, title, icon) in self._known.items():
            front, count = at == self.currentIndex(), self._badges.get(name, 0)
            self.setTabIcon(at, theme.icon(icon, tokens.text if front else tokens.muted))
            self.setTabText(at, (f"{title} ({count})" if count else title) if front else (str(count) if count else ""))
            self.setTabToolTip(at, f"{title}: {count}" if count else title)
            self.tabBar().setAccessibleTabName(at, title)


class Side(QSplitter):
    """``above``: what there is in the clip and the project. ``below``: about the selected object."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setHandleWidth(1)
        self.above = Panels(tr("Panels about the clip"))
        self.below = Panels(tr("Panels about the selected object"))
        self.addWidget(self.above)
        self.addWidget(self.below)
        self.setStretchFactor(0, 1)
        self.setSizes([256, 376])
        self.above.setMinimumHeight(208)  # four objects; more, and a window of 600 px has no room for the panels below
        self.setCollapsible(0, False)
        self.setMinimumWidth(280)
