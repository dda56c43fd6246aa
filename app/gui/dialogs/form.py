"""A form made from a msgspec struct: one control per field, titles and hints from its ``Meta``."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Meta
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from app.gui import theme

_WORDS = {"all": "All", "labelled": "Only labelled"}

LABELS = 104
"""Width of the titles in logical pixels: forms below each other stay in line."""


def form_label(text: str) -> QLabel:
    """The title of a row."""
    label = QLabel(text)
    label.setMinimumWidth(LABELS)
    label.setObjectName("muted")
    return label


class Form(QWidget):
    """Fields of types bool, Literal, int, float and str; others must be given in ``fixed`` and are not shown."""

    changed = Signal()

    def __init__(self, kind: type[msgspec.Struct], choices: Mapping[str, list[tuple[str, Any]]] | None = None) -> None:
        """``choices``: for a field by name, the titles and values to choose from instead of a control by type."""
        super().__init__()
        self._kind = kind
        self._read: dict[str, Callable[[], Any]] = {}
        self.controls: dict[str, QWidget] = {}
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # rows are never squeezed
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(theme.GRID)
        layout.setVerticalSpacing(theme.GRID)
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            base, meta = _split(hints[field.name])
            title = (meta.title if meta else None) or field.name.replace("_", " ").capitalize()
            default = field.default if field.default is not msgspec.NODEFAULT else None
            control = self._control(field.name, base, default, (choices or {}).get(field.name), title)
            if control is None:
                continue
            if meta and meta.description:
                control.setToolTip(meta.description)
            control.setAccessibleName(title)
            self.controls[field.name] = control
            layout.addRow(form_label("" if isinstance(control, QCheckBox) else title), control)

    def value(self) -> msgspec.Struct:
        """The struct as filled in."""
        return self._kind(**{name: read() for name, read in self._read.items()})

    def _control(
        self, name: str, base: Any, default: Any, choices: list[tuple[str, Any]] | None, title: str
    ) -> QWidget | None:
        if choices is None and typing.get_origin(base) is Literal:
            choices = [(_WORDS.get(str(v), str(v).replace("_", " ").capitalize()), v) for v in typing.get_args(base)]
        if choices is not None:
            combo = QComboBox()
            for text, value in choices:
                combo.addItem(text, value)
            combo.setCurrentIndex(max(0, next((i for i, (_, v) in enumerate(choices) if v == default), 0)))
            combo.currentIndexChanged.connect(self.changed)
            # By index: Qt would turn a tuple kept as item data into a list.
            self._read[name] = lambda: choices[combo.currentIndex()][1]
            return combo
        if base is bool:
            box = QCheckBox(title)
            box.setChecked(bool(default))
            box.toggled.connect(self.changed)
            self._read[name] = box.isChecked
            return box
        if base is int or base is float:
            spin = QSpinBox() if base is int else QDoubleSpinBox()
            spin.setRange(0, 1_000_000)
            spin.setValue(default or 0)
            spin.setMinimumHeight(QLineEdit().sizeHint().height() + theme.GRID // 2)  # as high as the fields around it
            spin.valueChanged.connect(self.changed)
            self._read[name] = spin.value
            return spin
        if base is str:
            line = QLineEdit(default or "")
            line.textChanged.connect(self.changed)
            self._read[name] = line.text
            return line
        return None


def _split(hint: Any) -> tuple[Any, Meta | None]:
    if typing.get_origin(hint) is typing.Annotated:
        base, *extras = typing.get_args(hint)
        return base, next((extra for extra in extras if isinstance(extra, Meta)), None)
    return hint, None
