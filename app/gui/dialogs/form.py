"""A form made from a msgspec struct: one control per field, titles, ranges and hints from its ``Meta``."""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Meta
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from app.gui import theme
from app.words import mark, tr

_WORDS = {
    "all": mark("All"), "labelled": mark("Only labelled"), "system": mark("As the system"), "light": mark("Light"),
    "dark": mark("Dark"), "off": mark("Off"), "fused": mark("Fused"), "classification": mark("Classification"),
    "attention": mark("Attention"), "mask": mark("Mask"), "both": mark("Both"), "fill": mark("Fill"),
    "contour": mark("Contour"), "lost": mark("Lost"), "uncertain": mark("Uncertain"), "never": mark("Never"),
    "detect": mark("Detect"), "segment": mark("Segment"), "none": mark("None"), "plain": mark("Plain"),
    "compressed": mark("Compressed"), "numbers": mark("Numbers"), "polygons": mark("Polygons"),
    "rectangle": mark("Rectangle"), "polygon": mark("Polygon"), "together": mark("Together"), "apart": mark("Apart"),
    "current": mark("Current"), "legacy": mark("Legacy"), "text": mark("Text"), "pictures": mark("Pictures"),
    "within_tolerance": mark("Within tolerance"), "every_frame": mark("Every frame"), "masks": mark("Masks"),
    "whole": mark("Whole"), "fractions": mark("Fractions"), "comma": mark("Comma"), "semicolon": mark("Semicolon"),
    "tab": mark("Tab"), "train": mark("Train"), "val": mark("Val"), "test": mark("Test"),
    "Full-Resolution": mark("Full resolution"),
}  # fmt: skip
"""Choices as they are shown; such as ``vot`` and ``png`` say themselves."""
_FAR = 1_000_000
"""The bound of a number that has none."""

Spin = TypeVar("Spin", bound=QAbstractSpinBox)
LABELS = 104
"""Width of the titles in logical pixels: forms below each other stay in line."""


def form_label(text: str, width: int = LABELS) -> QLabel:
    """The title of a row."""
    label = QLabel(text)
    label.setMinimumWidth(width)
    label.setObjectName("muted")
    return label


def roomy(spin: Spin) -> Spin:
    """With the text of a spin box where that of other fields begins: a style sheet does not move it."""
    field = spin.lineEdit()
    field.setTextMargins(theme.GRID - 1, 0, 0, 0)
    return spin


class Form(QWidget):
    """Fields of types bool, Literal, int, float and str; others keep their default and are not shown."""

    changed = Signal()

    def __init__(
        self,
        kind: type[msgspec.Struct],
        choices: Mapping[str, list[tuple[str, Any]]] | None = None,
        *,
        only: Collection[str] | None = None,
        value: msgspec.Struct | None = None,
        labels: int = LABELS,
        beside: Callable[[str], QWidget] | None = None,
    ) -> None:
        """``choices``: for a field by name, the titles and values to choose from instead of a control by type.

        ``only``: the fields to show, all when None. ``value``: what is filled in, else the defaults.
        ``labels``: width of the titles in logical pixels. ``beside``: what stands after the control of a field.
        """
        super().__init__()
        self._kind = kind
        self._read: dict[str, Callable[[], Any]] = {}
        self._write: dict[str, Callable[[Any], object]] = {}
        self.controls: dict[str, QWidget] = {}
        self.titles: dict[str, QLabel] = {}
        self._rows: dict[str, QWidget] = {}
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # rows are never squeezed
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(theme.GRID)
        self._layout.setVerticalSpacing(theme.GRID)
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            if only is not None and field.name not in only:
                continue
            base, meta = split(hints[field.name])
            title = title_of(field.name, meta)
            control = self._control(field.name, base, meta, (choices or {}).get(field.name), title)
            if control is None:
                continue
            if field.default is not msgspec.NODEFAULT:
                self._write[field.name](field.default)
            if meta and meta.description:
                control.setToolTip(tr(meta.description))
            control.setAccessibleName(title)
            self.controls[field.name] = control
            self.titles[field.name] = form_label("" if isinstance(control, QCheckBox) else title, labels)
            self._rows[field.name] = control if beside is None else _pair(control, beside(field.name))
            self._layout.addRow(self.titles[field.name], self._rows[field.name])
        if value is not None:
            self.show_value(value)

    def value(self) -> msgspec.Struct:
        """The struct as filled in."""
        return self._kind(**self.values())

    def values(self) -> dict[str, Any]:
        """The fields that are shown, as filled in."""
        return {name: read() for name, read in self._read.items()}

    def show_value(self, value: msgspec.Struct) -> None:
        """Fill in what ``value`` says; `changed` keeps silent."""
        self.blockSignals(True)
        for name, write in self._write.items():
            write(getattr(value, name))
        self.blockSignals(False)

    def filter(self, text: str, *, also: str = "", only: Collection[str] | None = None) -> bool:
        """Show only the rows with ``text`` in title or hint, all when ``also`` has it; whether any is left.

        ``only``: the fields that may be seen at all.
        """
        found = False
        for name, control in self.controls.items():
            words = f"{control.accessibleName()} {control.toolTip()} {also}".casefold()
            seen = text.casefold() in words and (only is None or name in only)
            self._layout.setRowVisible(self._rows[name], seen)
            found |= seen
        return found

    def _control(
        self, name: str, base: Any, meta: Meta | None, choices: list[tuple[str, Any]] | None, title: str
    ) -> QWidget | None:
        if choices is None and typing.get_origin(base) is Literal:
            choices = [(choice_title(str(v)), v) for v in typing.get_args(base)]
        if choices is not None:
            return self._choice(name, choices)
        if base is bool:
            box = QCheckBox(title)
            box.toggled.connect(self.changed)
            self._read[name], self._write[name] = box.isChecked, box.setChecked
            return box
        if base is int or base is float:
            spin: Any = roomy(QSpinBox() if base is int else QDoubleSpinBox())
            low, high = (meta.ge, meta.le) if meta else (None, None)
            spin.setRange(base(0 if low is None else low), base(_FAR if high is None else high))
            if isinstance(spin, QDoubleSpinBox) and spin.maximum() <= 1:
                spin.setSingleStep(0.05)
            spin.setMinimumHeight(QLineEdit().sizeHint().height() + theme.GRID // 2)  # as high as the fields around it
            spin.valueChanged.connect(self.changed)
            self._read[name], self._write[name] = spin.value, lambda v: spin.setValue(base(v or 0))
            return spin
        if base is str:
            line = QLineEdit()
            line.textChanged.connect(self.changed)
            self._read[name], self._write[name] = line.text, lambda v: line.setText(v or "")
            return line
        return None

    def _choice(self, name: str, choices: list[tuple[str, Any]]) -> QComboBox:
        combo = QComboBox()
        for text, _ in choices:
            combo.addItem(text)
        combo.currentIndexChanged.connect(self.changed)
        # By index: Qt would turn a tuple kept as item data into a list.
        self._read[name] = lambda: choices[combo.currentIndex()][1]
        self._write[name] = lambda value: combo.setCurrentIndex(
            next((at for at, (_, known) in enumerate(choices) if known == value), 0)
        )
        return combo


def _pair(control: QWidget, other: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.GRID)
    layout.addWidget(control, 1)
    layout.addWidget(other)
    return row


def title_of(name: str, meta: Meta | None) -> str:
    """The title of a field in the language in use."""
    return tr((meta.title if meta else None) or name.replace("_", " ").capitalize())


def choice_title(value: str) -> str:
    """What stands for a choice in a form."""
    return tr(_WORDS.get(value, value.replace("_", " ").capitalize()))


def split(hint: Any) -> tuple[Any, Meta | None]:
    """A field's bare type and its ``Meta``, if it has one."""
    if typing.get_origin(hint) is typing.Annotated:
        base, *extras = typing.get_args(hint)
        return base, next((extra for extra in extras if isinstance(extra, Meta)), None)
    return hint, None
