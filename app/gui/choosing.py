"""Choosing a tracker: one whose weights are not here leads to one question; random weights never come unasked."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.gui.notices import NoticeBar
from app.gui.panels.tracker import TrackerPanel
from app.session import Session
from app.words import mark, tr
from app.work.choice import TrackerChoice
from tracker import registry

PUBLISHED = mark("Published weights (*.pth *.pt *.pth.tar *.ckpt *.model *.bin *.safetensors);;All files (*)")
OURS = mark("Weights (*.safetensors);;All files (*)")


class Choosing:
    """Between the tracker's panel, the notice bar and the session."""

    def __init__(self, window: QWidget, session: Session, notices: NoticeBar) -> None:
        self._window = window
        self._session = session
        self._notices = notices
        self.menu = QMenu(window)
        self._import = self.menu.addAction(tr("Import published weights…"), lambda: self.bring_in(self._name))
        self._own = self.menu.addAction(tr("Use a file of weights…"), lambda: self.use_file(self._name))
        self._random = self.menu.addAction(tr("Try untrained"), lambda: self.untrained(self._name))
        self._random.setToolTip(tr("Random weights: to look at the mechanics, the answers mean nothing"))
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._refresh)

    @property
    def _name(self) -> str:
        return registry.resolve(self._session.tracker.name)

    def _refresh(self) -> None:
        takes = registry.accepts(self._name)
        for action, option in ((self._import, "weights"), (self._own, "weights"), (self._random, "untrained")):
            action.setEnabled(option in takes)

    def choose(self, name: str, panel: TrackerPanel) -> None:
        """What was picked in the list; the one in use stays until there are weights or random ones are asked for."""
        if registry.info(name).ready:
            self._notices.dismiss()
            self._session.use_tracker(TrackerChoice(name))
            return
        panel.show_settings(self._session.settings, self._session.tracker)
        self._notices.ask(
            tr("{name} needs weights, which are not here. Import published ones, or try it with random ones.").format(
                name=name
            ),
            [(tr("Import weights…"), lambda: self.bring_in(name)), (tr("Try untrained"), lambda: self.untrained(name))],
        )

    def bring_in(self, name: str) -> None:
        """Ask for a published file and import it in the background."""
        file = self.ask_file(tr("Import weights for {name}").format(name=name), tr(PUBLISHED))
        if file is not None:
            self._notices.ask(tr("Importing {file} for {name}…").format(file=file.name, name=name))
            self._session.import_weights(file, name)

    def use_file(self, name: str) -> None:
        """Ask for a file of our own kind and use it for this session."""
        file = self.ask_file(tr("Weights for {name}").format(name=name), tr(OURS))
        if file is not None:
            self._session.use_tracker(TrackerChoice(name, weights=file))

    def untrained(self, name: str) -> None:
        self._session.use_tracker(TrackerChoice(name, untrained=True))

    def ask_file(self, title: str, kinds: str) -> Path | None:
        """Tests replace this."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, title, "", kinds)
        return Path(chosen) if chosen else None
