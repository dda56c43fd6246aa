"""The tracker: which one, where it runs, how it fares, and what it sees."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPaintEvent, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.gui.panels.pictures import Picture, ScoreBar, SignalTable, Thumbnail, verdict_colour
from app.scene import pace
from app.settings import HEAT_KINDS, Settings
from app.words import mark, tr
from app.work.choice import TrackerChoice
from app.work.reasons import translated
from tracker.api import Prediction, TrackerInfo, Verdict

SetOption = Callable[[str, object], None]
"""Takes the name of a setting and its new value."""
MARKERS = ("uncertain", "untrained")
"""Signals that are marks of an observation, not figures."""

HEAT_TITLES = {
    "off": mark("Off"),
    "fused": mark("Fused score"),
    "classification": mark("Classification"),
    "attention": mark("Attention"),
    "mask": mark("Mask probability"),
}
VERDICTS = {Verdict.TRACKED: mark("Tracked"), Verdict.UNCERTAIN: mark("Uncertain"), Verdict.LOST: mark("Lost")}


class TrackerPanel(QWidget):
    """Choices leave through ``set_option``, trackers through ``choose``; the ``show_`` methods bring what is shown."""

    wanted = Signal()
    """It is seen again after `ask_later`."""

    def __init__(
        self, infos: Sequence[TrackerInfo], set_option: SetOption, choose: Callable[[str], None], more: QMenu
    ) -> None:
        """``more``: what else can be done about the weights of the tracker in use."""
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._set_option = set_option
        self.tracker = QComboBox()
        self._infos = tuple(infos)
        self._choice = TrackerChoice("")
        self._kinds: frozenset[str] | None = None
        self._behind = False
        self.tracker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.tracker.setMinimumContentsLength(12)
        self.tracker.setAccessibleName(tr("Tracker"))
        self.made_from = QLabel()
        self.made_from.hide()
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setToolTip(tr("Weights of this tracker"))
        self.more.setAccessibleName(tr("Weights of this tracker"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(more)
        self.device = QComboBox()
        devices = [(tr("Automatic"), "auto"), ("CPU", "cpu"), ("CUDA", "cuda")]
        for title, name in devices + ([("MPS", "mps")] if sys.platform == "darwin" else []):
            self.device.addItem(title, name)
        self.device.setAccessibleName(tr("Device"))
        self.masks = QCheckBox(tr("Masks"))
        self.masks.setToolTip(tr("Compute a mask on every frame, where the tracker can; without, tracking is faster"))
        self.heat = QComboBox()
        for kind in HEAT_KINDS:
            self.heat.addItem(tr(HEAT_TITLES[kind]), kind)
        self.heat.setAccessibleName(tr("Heat map"))
        self.heat.setToolTip(tr("The response map laid over the search region while tracking"))
        for combo, letters in ((self.tracker, 8), (self.device, 2), (self.heat, 2)):
            # no less than this, else as wide as there is room: words may be long
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(letters)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(5, 100)
        self.opacity.setAccessibleName(tr("Heat-map opacity"))
        self.opacity.setToolTip(tr("Opacity of the heat map"))
        self.speed = QLabel("")
        self.speed.setObjectName("value")
        self.where = QLabel("")
        self.where.setObjectName("muted")
        self.score = ScoreBar()
        self.verdict = QLabel(tr("Not tracking"))
        self.verdict.setObjectName("value")
        self.reason = QLabel("")
        self.reason.setObjectName("muted")
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.reason.setFixedHeight(2 * self.reason.fontMetrics().lineSpacing() + 2)  # nothing jumps when it is filled
        self.template = Thumbnail(tr("Template"))
        self.search = Thumbnail(tr("Search region"))
        self.search.setToolTip(tr("What the tracker searched: circle = best answer, diamond = second best"))
        self.signals = SignalTable()
        self._build()
        self.tracker.activated.connect(lambda _: choose(self.tracker.currentData()))
        self.device.activated.connect(lambda _: set_option("device", self.device.currentData()))
        self.masks.clicked.connect(lambda on: set_option("masks", on))
        self.heat.activated.connect(lambda _: set_option("heat_kind", self.heat.currentData()))
        self.opacity.valueChanged.connect(lambda value: set_option("heat_opacity", value / 100))

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID)
        grid.setVerticalSpacing(theme.GRID // 2 + 2)
        grid.setColumnStretch(1, 1)
        model = QGridLayout()
        model.setSpacing(theme.GRID // 2)
        model.setColumnStretch(0, 1)
        model.addWidget(self.tracker, 0, 0)
        model.addWidget(self.more, 0, 1)
        model.addWidget(self.made_from, 1, 0, 1, 2)
        device = QHBoxLayout()
        device.setSpacing(theme.GRID)
        device.addWidget(self.device, 1)
        device.addWidget(self.masks)
        heat = QHBoxLayout()
        heat.setSpacing(theme.GRID)
        heat.addWidget(self.heat, 3)
        heat.addWidget(self.opacity, 2)
        state = QHBoxLayout()
        state.setSpacing(theme.GRID)
        state.addWidget(self.verdict, 1)
        state.addWidget(self.speed)
        state.addWidget(self.where)
        rows: dict[int, tuple[str, QWidget | QLayout]] = {  # first what changes, below it what is chosen seldom
            0: (tr("Verdict"), state),
            1: (tr("Score"), self.score),
            3: (tr("Model"), model),
            4: (tr("Device"), device),
            5: (tr("Heat map"), heat),
        }
        grid.addWidget(self.reason, 2, 0, 1, 2)
        for n, (title, part) in rows.items():
            name = QLabel(title)
            name.setObjectName("muted")
            if part is model:  # level with the list, not with what is said below it
                name.setFixedHeight(self.tracker.sizeHint().height())
            grid.addWidget(name, n, 0, Qt.AlignmentFlag.AlignTop if part is model else Qt.AlignmentFlag.AlignVCenter)
            if isinstance(part, QWidget):
                grid.addWidget(part, n, 1)
            else:
                grid.addLayout(part, n, 1)
        pictures = QHBoxLayout()
        pictures.setSpacing(theme.GRID)
        pictures.addWidget(self.template, 1)
        pictures.addWidget(self.search, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        column.setSpacing(theme.GRID)
        column.addLayout(grid)
        column.addLayout(pictures, 1)
        column.addWidget(self.signals)

    def show_trackers(self, infos: Sequence[TrackerInfo]) -> None:
        """What there is to choose from, after weights have come."""
        self._infos = tuple(infos)
        self._list_trackers()

    def ask_later(self) -> None:
        """It was not told what it should show, since nobody sees it."""
        self._behind = True

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._behind:
            self._behind = False
            self.wanted.emit()

    def _list_trackers(self) -> None:
        with QSignalBlocker(self.tracker):
            self.tracker.clear()
            for info in self._infos:
                own = self._choice.name == info.name or self._choice.name in info.aliases
                special = own and bool(self._choice.options)
                text = info.name if info.ready else tr("{name} · needs weights").format(name=info.name)
                if special:
                    chosen = self._choice
                    text = TrackerChoice(info.name, chosen.untrained, chosen.weights, chosen.profile).title
                self.tracker.addItem(text, info.name)
                tip = info.title if info.ready else tr("{title}. Its weights are not here").format(title=info.title)
                self.tracker.setItemData(self.tracker.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
                if own:
                    self.tracker.setCurrentIndex(self.tracker.count() - 1)
            widest = self.tracker.view().sizeHintForColumn(0) + 2 * theme.GRID
            self.tracker.view().setMinimumWidth(widest)  # the list may be wider than its box
        choice, untrained = self._choice, self._choice.untrained
        words = (
            tr("Untrained: random weights")
            if untrained
            else tr("With {weights}").format(weights=choice.weights.name)
            if choice.weights
            else ""
        )
        self.made_from.setText(words)
        self.made_from.setVisible(bool(words))
        self.made_from.setStyleSheet(f"color: {theme.current().tokens.warning}" if untrained else "")
        self.tracker.setToolTip(
            tr("{name}: random weights").format(name=self.tracker.currentText()) if untrained else ""
        )
        colour = theme.current().tokens.warning
        self.tracker.setStyleSheet(f"QComboBox {{ color: {colour}; border-color: {colour} }}" if untrained else "")

    def _offer_kinds(self, kinds: frozenset[str] | None) -> None:
        """Heat maps that the tracker has; None while that is not known."""
        if kinds == self._kinds:
            return
        self._kinds = kinds
        model = self.heat.model()
        assert isinstance(model, QStandardItemModel)
        for n, kind in enumerate(HEAT_KINDS):
            has = kinds is None or kind == "off" or kind in kinds
            model.item(n).setEnabled(has)
            model.item(n).setToolTip("" if has else tr("This tracker has no such map"))

    def show_settings(self, settings: Settings, choice: TrackerChoice) -> None:
        """Put every control where the settings are; ``choice``: the tracker in use."""
        if choice != self._choice:
            self._choice = choice
            self._offer_kinds(None)
        self._list_trackers()
        with (
            QSignalBlocker(self.device),
            QSignalBlocker(self.heat),
            QSignalBlocker(self.opacity),
            QSignalBlocker(self.masks),
        ):
            self.device.setCurrentIndex(self.device.findData(settings.device))
            self.heat.setCurrentIndex(self.heat.findData(settings.heat_kind))
            self.opacity.setValue(round(settings.heat_opacity * 100))
            self.opacity.setEnabled(settings.heat_kind != "off")
            self.masks.setChecked(settings.masks)

    def show_run(self, device: str, fps: float) -> None:
        """Where the run goes on and how fast; fps 0 while it starts."""
        self.speed.setText(pace(fps) if fps else tr("starting…"))
        self.where.setText(tr("on {device}").format(device=device.upper()) if device != "auto" else "")

    def show_idle(self) -> None:
        self.speed.setText("")
        self.where.setText("")

    def show_prediction(self, prediction: Prediction | None, search: Picture | None = None) -> None:
        """What the tracker said of the frame on show, and where it searched; None when it said nothing."""
        t = theme.current().tokens
        self._show_signals(prediction.signals if prediction else {})
        if prediction is None:
            self.score.set_score(None, None)
            self._say(tr("No answer here"), t.muted, "")
            self.search.show_picture(None)
            return
        kinds = frozenset(kind for kind, heat in prediction.heat.items() if heat.values.any())
        self._offer_kinds(kinds | self._masks() | (self._kinds or frozenset()))
        self.score.set_score(prediction.score, prediction.verdict)
        self._say(
            tr(VERDICTS[prediction.verdict]), verdict_colour(prediction.verdict, t), translated(prediction.reason)
        )
        self.search.show_picture(search)

    def _masks(self) -> frozenset[str]:
        """The mask's map comes and goes with the verdict; whether there can be one, the tracker's description says."""
        has = any(info.masks for info in self._infos if self._choice.name in (info.name, *info.aliases))
        return frozenset({"mask"} if has else ())

    def _show_signals(self, signals: Mapping[str, float]) -> None:
        self.signals.show_values({name: value for name, value in signals.items() if name not in MARKERS})

    def show_stored(
        self, score: float | None, verdict: Verdict | None, reason: str, signals: Mapping[str, float]
    ) -> None:
        """What the document keeps of a frame whose maps are gone."""
        t = theme.current().tokens
        self.score.set_score(score, verdict)
        text = tr(VERDICTS[verdict]) if verdict else reason or "–"
        self._say(text, verdict_colour(verdict, t), reason if verdict else "")
        self._show_signals(signals)
        self.search.show_picture(None)

    def show_template(self, picture: Picture | None) -> None:
        """What the target was started from."""
        self.template.show_picture(picture)
        weighed = picture is not None and picture.part is not None
        self.template.setToolTip(
            tr("What the tracker looks for: warm = counts most, white outline = key part") if weighed else ""
        )

    def _say(self, text: str, colour: str, reason: str) -> None:
        if self.verdict.text() != text or self.verdict.property("tint") != colour:
            self.verdict.setText(text)
            self.verdict.setProperty("tint", colour)
            self.verdict.setStyleSheet(f"color: {colour}")
        if self.reason.text() != reason:
            self.reason.setText(reason)
