"""Labels and comments."""

from __future__ import annotations

from collections.abc import Callable

from app.commands.table import Command, Ui, is_open
from app.session import Session
from app.words import mark


def _label(number: int) -> Callable[[Session, Ui], None]:
    return lambda session, ui: session.label_with(number)


def _has_label(number: int) -> Callable[[Session], bool]:
    return lambda session: session.is_open and len(session.document.labels) >= number


_NUMBERS = (
    ("one", mark("Label 1")), ("two", mark("Label 2")), ("three", mark("Label 3")), ("four", mark("Label 4")),
    ("five", mark("Label 5")), ("six", mark("Label 6")), ("seven", mark("Label 7")), ("eight", mark("Label 8")),
    ("nine", mark("Label 9")),
)  # fmt: skip

COMMANDS: tuple[Command, ...] = (
    Command("label.edit", "Labels and attributes…", ("Ctrl+Shift+L",), "Label", lambda s, ui, **p: s.set_labels(**p),
            is_open, "labels", hint="The label set of the project: names, colours, what is to be said about objects"),
    Command("label.import", "Import labels…", (), "Label", lambda s, ui, **p: s.import_labels(**p), is_open,
            "label_file", hint="From another project, a file that was saved here, or CVAT's label constructor"),
    *(
        Command(f"label.{word}", title, (str(n),), "Label", _label(n), _has_label(n), in_menu=False,
                hint="For the selected object, or for the next new one")
        for n, (word, title) in enumerate(_NUMBERS, 1)
    ),
    Command("label.comment", "Comment on this frame…", ("C",), "Label", lambda s, ui, **p: s.comment(**p), is_open,
            "comment", hint="For whoever reviews the labels; about the selected object or the picture"),
)  # fmt: skip
