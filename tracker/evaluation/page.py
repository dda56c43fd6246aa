"""A page as text: elements whose text is escaped once, numbers as people read them, and the page around them.

What `tag` returns is `Html` and goes into other elements as it is; every other string is text and is escaped. So no
name of a clip or tracker can become markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tracker import registry

COLOURS: Final = 8
"""Colours of the palette (Okabe and Ito's, legible without colour vision); later trackers begin it again, dashed."""
VOID: Final = frozenset({"meta", "input", "br"})
"""Elements that hold nothing; written closed, so that the page is well-formed XML as well."""
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Html(str):
    """Markup that is ready to stand in a page."""


Child = str | None


def text(value: object) -> Html:
    """A value as text of a page; characters that no page may hold become U+FFFD."""
    return Html(html.escape(_NOT_IN_XML.sub("\ufffd", str(value)), quote=True))


def tag(element: str, /, *children: Child, **attributes: object) -> Html:
    """One element. ``attributes``: a trailing ``_`` is dropped, others become ``-``; None and False leave one out."""
    given = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        given.append(f' {word}="{text("" if value is True else value)}"')
    inside = join(children)
    if element in VOID and not inside:
        return Html(f"<{element}{''.join(given)} />")
    return Html(f"<{element}{''.join(given)}>{inside}</{element}>")


def join(children: Iterable[Child]) -> Html:
    """Elements and texts after one another."""
    return Html("".join(child if isinstance(child, Html) else text(child) for child in children if child is not None))


def number(value: float | None, digits: int = 3) -> str:
    """A figure; a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def line_class(colour: int) -> str:
    """Classes of the line of a tracker: its colour, and dashes where the palette begins again."""
    return f"line c{colour % COLOURS}{' dashed' if colour >= COLOURS else ''}"


def swatch(colour: int) -> Html:
    """The sample of a tracker's line."""
    line = tag("line", x1=1, y1=6, x2=27, y2=6, class_=line_class(colour))
    return tag("svg", line, class_="swatch", viewBox="0 0 28 12", aria_hidden="true")


@dataclass(frozen=True)
class Section:
    """A part of the page: ``anchor`` and ``short`` title for the page's contents."""

    anchor: str
    short: str
    body: Html


def section(title: str, *children: Child, anchor: str, short: str = "") -> Section:
    """A part of the page under its title, whose ``short`` form, if there is one, stands in the contents."""
    return Section(anchor, short or title, tag("section", tag("h2", title), *children, id=anchor))


def document(title: str, body: Html) -> Html:
    """The whole page, with its style and script inside; nothing of it comes from elsewhere."""
    place = registry.resource("report")
    style = Html((place / "style.css").read_text("utf-8"))
    script = Html((place / "script.js").read_text("utf-8"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        # a browser is told to load nothing, so that a page made of others' file names stays what it was made as
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
        ),
        tag("title", title),
        tag("style", style),
    )
    return Html(f"<!DOCTYPE html>\n{tag('html', head, tag('body', body, tag('script', script)), lang='en')}\n")
