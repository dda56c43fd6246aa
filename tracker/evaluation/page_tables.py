"""Tables of a page: sortable by their heads, the best figure of each column or row marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.evaluation.page import Child, Html, number, swatch, tag


@dataclass(frozen=True)
class Column:
    """``digits`` of its figures; ``best``: which of them is marked, the highest, the lowest or none; ``hint``: what it
    means, shown under the pointer; ``colour``: number of the tracker that it is of."""

    title: str
    digits: int = 3
    best: int = 0
    hint: str = ""
    colour: int | None = None


@dataclass(frozen=True)
class Row:
    """``figures``: None where there is none. ``colour``: number of the tracker that the row is of."""

    title: Child
    figures: Sequence[float | None]
    colour: int | None = None
    note: str = ""


def table(first: str, columns: Sequence[Column], rows: Sequence[Row], *, across: bool = False) -> Html:
    """A table whose columns can be sorted.

    ``across``: the best figure of each row is marked instead of each column's (trackers side by side); cells are then
    tinted by their value, which must lie in 0 … 1.
    """
    head = [tag("th", tag("button", first, type="button"), scope="col", class_="name")]
    for column in columns:
        shown = [swatch(column.colour)] if column.colour is not None else []
        button = tag("button", *shown, column.title, type="button", title=column.hint or None)
        hidden = f" tracker s{column.colour}" if column.colour is not None else ""
        head.append(tag("th", button, scope="col", class_=f"figure{hidden}", aria_sort="none"))
    found = [_best([row.figures[i] for row in rows], column.best, column.digits) for i, column in enumerate(columns)]
    body = []
    for row in rows:
        best = [_best(row.figures, columns[0].best, columns[0].digits)] * len(columns) if across else found
        shown = [swatch(row.colour)] if row.colour is not None else []
        note = tag("small", row.note, class_="note") if row.note else None
        cells = [tag("th", *shown, row.title, note, scope="row", class_="name")]
        for column, value, top in zip(columns, row.figures, best, strict=True):
            words = number(value, column.digits)
            marked = " best" if value is not None and words == top else ""
            hidden = f" s{column.colour}" if column.colour is not None else ""
            tint = f"--v:{value:.3f}" if across and value is not None else None
            sort = None if value is None else f"{value:.6g}"
            cells.append(tag("td", words, class_=f"figure{marked}{hidden}", data_value=sort, style=tint))
        body.append(tag("tr", *cells, class_=f"s{row.colour}" if row.colour is not None else None))
    names = "sortable tinted" if across else "sortable"
    inside = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), class_=names)
    return tag("div", inside, class_="scroll")


def _best(values: Sequence[float | None], way: int, digits: int) -> str | None:
    """The best value as it is printed, so that ties are all marked; None when all are the same."""
    known = [value for value in values if value is not None and value == value]
    if not way or len({number(value, digits) for value in known}) < 2:
        return None
    return number(max(known) if way > 0 else min(known), digits)
