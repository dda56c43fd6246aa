"""What every format keeps, rounds and loses, as docs/formats.md says it: made from the formats themselves."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Mapping

from app.formats.aspects import KEPT, LOST, Aspect
from app.formats.base import Format
from app.formats.detect import reading
from app.formats.options import Option, options_of
from app.formats.selection import Choice

_SIGNS = {KEPT: "●", LOST: "–"}
_PARTLY = "◐"
_HEAD = """# Formats

Made by `main.py formats --markdown > docs/formats.md`; do not edit.

`main.py convert IN OUT --to FORMAT` reads and writes each of these, and the project file `.siamlabel`, which keeps
everything. The format of `IN` is recognised; `--from FORMAT` says it. `--option name=value` sets an option. Files of
COCO, COCO-VID, TAO, YouTube-VIS and BURST may be about many clips, as data sets are published: `FILE/CLIP` is one of
them, and `FILE` the one that is called like `--video`, or like the clip that is open. Before
anything is written, the counts and every loss are shown; afterwards the export is read back and compared, and a report
is put beside it as `OUT.report.json`. In the window the same is under *File, Export* and *Import*. Other packages can
add formats: see [plugins.md](plugins.md).

Boxes inside SiamLabel are `x, y, w, h` in pixels, counted from 0, with edges on the borders of pixels; frames count
from 0. Every format converts at its own edge.

## What is kept

● kept, ◐ kept in part or changed (the words are below), – lost
"""
_SHARED = """## Options of every format
"""


def grouped(held: Mapping[Aspect, str]) -> tuple[list[Aspect], dict[Aspect, str], list[Aspect]]:
    """What is kept, what becomes of the rest, and what is lost; in the order of `Aspect`."""
    told = {aspect: held.get(aspect, LOST) for aspect in Aspect}
    return (
        [aspect for aspect, text in told.items() if text == KEPT],
        {aspect: text for aspect, text in told.items() if text not in _SIGNS},
        [aspect for aspect, text in told.items() if text == LOST],
    )


def markdown(chosen: Iterable[Format]) -> str:
    """The text of docs/formats.md for these formats."""
    known = list(chosen)
    rows = [
        [f"[{one.title}](#{_anchor(one)})", *(_SIGNS.get(one.holds.get(aspect, LOST), _PARTLY) for aspect in Aspect)]
        for one in known
    ]
    parts = [_HEAD, _table(["format", *(aspect.value for aspect in Aspect)], rows)]
    shared = {option.name: option for one in known for option in options_of(one)}
    parts += [_SHARED, _options(shared[name] for name in Choice.__struct_fields__ if name in shared)]
    parts += [_section(one) for one in known]
    return "\n".join(parts)


def _anchor(one: Format) -> str:
    """As GitHub makes it from the heading."""
    return re.sub(r"[^\w -]", "", f"{one.title} ({one.id})".lower()).replace(" ", "-")


def _section(one: Format) -> str:
    kept, partly, lost = grouped(one.holds)
    what = "a folder" if one.folder else f"one file, `{one.suffix}`"
    parts = [f"## {one.title} ({one.id})\n", f"{_about(one)}\nAn export is {what}.\n"]
    parts.append(f"Kept: {', '.join(kept) or 'nothing whole'}. Lost: {', '.join(lost) or 'nothing'}.\n")
    if partly:
        parts.append(
            _table(["in part", "what becomes of it"], [[aspect.value, text] for aspect, text in partly.items()])
        )
    own = [option for option in options_of(one) if option.name not in Choice.__struct_fields__]
    if own:
        parts.append(_options(own))
    kind = reading(one.id)
    if kind is not None:
        parts += ["At reading (`--reading name=value`):\n", _options(options_of(one, kind))]
    return "\n".join(parts)


def _options(options: Iterable[Option]) -> str:
    rows = [[f"`{o.name}`", o.values, f"`{o.default}`" if o.default else "", o.hint] for o in options]
    return _table(["option", "values", "default", "what it does"], rows)


def _about(one: Format) -> str:
    """The text of the module that the format is in: its conventions."""
    text = inspect.getdoc(sys.modules[type(one).__module__]) or ""
    return re.sub(r"``(.*?)``", r"`\1`", text.replace("\n\n\n", "\n\n"), flags=re.DOTALL).strip() + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    every = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in every
    )
