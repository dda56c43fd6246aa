"""What is to be said about the selected object: its label, its attributes, how much of it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.gui.dialogs.form import form_label, roomy
from app.model.document import Attribute, AttributeKind
from app.model.tracks import AttributeValue
from app.session import Session
from app.words import mark, tr

COVERS = (
    mark("not said"), mark("0: hidden"), mark("1: up to 15 %"), mark("2: to 30 %"), mark("3: to 45 %"),
    mark("4: to 60 %"), mark("5: to 75 %"), mark("6: to 90 %"), mark("7: to 99 %"), mark("8: all of it"),
)  # fmt: skip
NOTHING = "–"


class AttributesPanel(QWidget):
    """Rebuilt when another object, label or schema comes into view; else only filled in."""

    def __init__(
        self, session: Session, on_error: Callable[[Exception], None], edit_labels: Callable[[], object]
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._on_error = on_error
        self._built_for: tuple[object, ...] = ()
        self._fill: dict[str, Callable[[AttributeValue | None], object]] = {}
        self.controls: dict[str, QWidget] = {}
        """By attribute."""
        self._hint = QLabel()
        self._hint.setObjectName("muted")
        self._hint.setWordWrap(True)
        self.label = QComboBox(self)
        self.label.setEditable(True)
        self.label.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.label.setAccessibleName(tr("Label"))
        self.label.textActivated.connect(self._relabel)
        edited = self.label.lineEdit()
        assert edited is not None
        edited.setAccessibleName(self.label.accessibleName())
        edited.editingFinished.connect(lambda: self._relabel(self.label.currentText()))
        self.cover = QComboBox(self)
        self.cover.addItems([tr(cover) for cover in COVERS])
        self.cover.setAccessibleName(tr("How much can be seen"))
        self.cover.activated.connect(lambda at: self._try(lambda: session.set_cover(None if at == 0 else at - 1)))
        self.repeat = QPushButton(tr("Repeat for the following frames"))
        self.repeat.setToolTip(tr("This frame's attributes hold up to the next keyframe, or to the end of the object"))
        self.repeat.clicked.connect(self._repeat)
        self.edit = QPushButton(tr("Edit labels and attributes…"))
        self.edit.clicked.connect(lambda: edit_labels())
        self._whole, self._frame = QFormLayout(), QFormLayout()
        for form in (self._whole, self._frame):
            form.setContentsMargins(0, 0, 0, 0)
            form.setHorizontalSpacing(theme.GRID)
            form.setVerticalSpacing(theme.GRID)
        self._about_frame = QLabel(tr("On this frame"))
        self._about_frame.setObjectName("heading")
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.GRID] * 4)
        column.setSpacing(theme.GRID)
        column.addWidget(self._hint)
        column.addLayout(self._whole)
        column.addWidget(self._about_frame)
        column.addLayout(self._frame)
        column.addWidget(self.repeat)
        column.addStretch(1)
        column.addWidget(self.edit)
        events = session.events
        for event in (events.opened, events.document, events.selection, events.position):
            event.connect(lambda *_: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show the selected object on this frame. What is being typed is left alone."""
        session = self._session
        track = None if session.selected is None else session.document.tracks.get(session.selected)
        self._hint.setVisible(track is None)
        self._hint.setText(
            tr("Select one object to see what is said about it.") if session.is_open else tr("No video is open.")
        )
        schema = () if track is None else session.attributes_of(track.id)
        unknown = () if track is None else tuple(n for n in track.attributes if n not in {a.name for a in schema})
        wanted = (None if track is None else track.id, schema, unknown, tuple(session.document.labels))
        if wanted != self._built_for:
            self._built_for = wanted
            self._build(schema, unknown, track is not None)
        if track is None:
            return
        here = session.here
        self._set_text(self.label, track.label)
        per_frame = {} if here is None else here.attributes
        for attribute in schema:
            said = (per_frame if attribute.per_frame else track.attributes).get(attribute.name)
            self._fill[attribute.name](said)
            self.controls[attribute.name].setEnabled(not track.locked and (not attribute.per_frame or here is not None))
        for name in unknown:
            self._fill[name](track.attributes[name])
        cover = None if here is None else here.cover
        with QSignalBlocker(self.cover):
            self.cover.setCurrentIndex(0 if cover is None else cover + 1)
        self.cover.setEnabled(here is not None and here.present and not track.locked)
        self.repeat.setEnabled(here is not None and bool(here.attributes) and not track.locked)

    def _build(self, schema: tuple[Attribute, ...], unknown: tuple[str, ...], any_track: bool) -> None:
        for form in (self._whole, self._frame):
            while form.rowCount():
                row = form.takeRow(0)
                for item in (row.labelItem, row.fieldItem):
                    widget = item.widget() if item is not None else None
                    if widget is not None and widget not in (self.label, self.cover):
                        widget.hide()  # it would lie on the others until it goes
                        widget.deleteLater()
        self.controls.clear()
        self._fill.clear()
        for widget in (self.label, self.cover, self.repeat, self._about_frame):
            widget.setVisible(any_track)
        if not any_track:
            return
        with QSignalBlocker(self.label):
            self.label.clear()
            self.label.addItems([label.name for label in self._session.document.labels])
        self._whole.addRow(form_label(tr("Label")), self.label)
        for attribute in (*schema, *(Attribute(name) for name in unknown)):
            control = self._control(attribute)
            control.setAccessibleName(attribute.name)
            self.controls[attribute.name] = control
            form = self._frame if attribute.per_frame else self._whole
            form.addRow(form_label("" if isinstance(control, QCheckBox) else attribute.name), control)
        self._frame.addRow(form_label(tr("Visible part")), self.cover)
        whole = [self.controls[a.name] for a in schema if not a.per_frame] + [self.controls[name] for name in unknown]
        frame = [self.controls[a.name] for a in schema if a.per_frame]
        for first, second in pairwise((self.label, *whole, *frame, self.cover, self.repeat)):
            self.setTabOrder(first, second)
        self.repeat.setVisible(any(attribute.per_frame for attribute in schema))

    def _control(self, attribute: Attribute) -> QWidget:
        """A control for one attribute; what it shows is set through ``_fill``."""
        name = attribute.name
        match attribute.kind:
            case AttributeKind.FLAG:
                box = QCheckBox(name)
                box.setTristate(True)
                box.clicked.connect(lambda: self._say(name, box.checkState() is not Qt.CheckState.Unchecked))
                self._fill[name] = lambda v: box.setCheckState(
                    Qt.CheckState.PartiallyChecked
                    if v is None
                    else Qt.CheckState.Checked
                    if v
                    else Qt.CheckState.Unchecked
                )
                return box
            case AttributeKind.CHOICE:
                combo = QComboBox()
                combo.addItems([NOTHING, *attribute.values])
                combo.activated.connect(lambda at: self._say(name, None if at == 0 else attribute.values[at - 1]))
                self._fill[name] = lambda v: combo.setCurrentIndex(
                    1 + attribute.values.index(str(v)) if v in attribute.values else 0
                )
                return combo
            case AttributeKind.NUMBER:
                spin = roomy(QDoubleSpinBox())
                spin.setDecimals(3)
                low = -1e6 if attribute.lowest is None else attribute.lowest
                spin.setRange(low - 1, 1e6 if attribute.highest is None else attribute.highest)
                spin.setSpecialValueText(NOTHING)  # one below the lowest stands for not said
                spin.setKeyboardTracking(False)
                spin.valueChanged.connect(lambda v: self._say(name, None if v < low else float(v)))
                self._fill[name] = lambda v: _quietly(spin, float(v) if isinstance(v, int | float) else low - 1)
                return spin
        line = QLineEdit()
        line.setPlaceholderText(NOTHING)
        line.editingFinished.connect(lambda: self._say(name, line.text() or None))
        self._fill[name] = lambda v: None if line.hasFocus() and line.isModified() else line.setText(_text(v))
        return line

    def _say(self, name: str, value: AttributeValue | None) -> None:
        session = self._session
        if session.selected is None:
            return
        known = {
            **session.document.tracks[session.selected].attributes,
            **(session.here.attributes if session.here else {}),
        }
        if known.get(name) != value:
            self._try(lambda: session.set_attribute(name, value))

    def _relabel(self, text: str) -> None:
        session, text = self._session, text.strip()
        if session.selected is None or not text or text == session.document.tracks[session.selected].label:
            return
        labels = [label.name for label in session.document.labels]
        chosen = session.selected
        if text in labels:
            self._try(lambda: session.label_with(labels.index(text) + 1))
        else:
            self._try(lambda: session.set_track(chosen, label=text))

    def _repeat(self) -> None:
        session = self._session
        if session.selected is None:
            return
        track = session.document.tracks[session.selected]
        following = track.next_keyframe(session.frame)
        until = track.span().stop - 1 if following is None else following - 1
        self._try(lambda: session.carry_attributes(until))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            self._on_error(error)
        self.refresh()

    @staticmethod
    def _set_text(combo: QComboBox, text: str) -> None:
        line = combo.lineEdit()
        if line is not None and not (line.hasFocus() and line.isModified()) and combo.currentText() != text:
            with QSignalBlocker(combo):
                combo.setCurrentText(text)


def _quietly(spin: QDoubleSpinBox, value: float) -> None:
    with QSignalBlocker(spin):
        spin.setValue(value)


def _text(value: AttributeValue | None) -> str:
    return "" if value is None else str(value)
