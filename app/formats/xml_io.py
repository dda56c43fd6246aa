"""XML, in and out: files from strangers only through defusedxml and a piece at a time, ours by hand with escaping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from app.formats.names import plain
from app.words import tr

MAX_DEPTH = 32
"""Elements inside each other; no format here has more than ten."""

HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n'


class XmlError(Exception):
    """A file is no XML that we read; the message says what and where."""


def walk(file: IO[bytes]) -> Iterator[tuple[str, int, Element]]:
    """Start and end of every element as ("start" or "end", depth, element); the root has depth 0.

    The caller takes elements out of their parents when they are done with, which bounds the memory. Raises `XmlError`
    for what is not well-formed, nested too deeply, or declares entities (a few lines of them could fill the memory).
    """
    depth = -1
    try:
        for event, element in iterparse(file, ("start", "end"), forbid_dtd=True):
            if event == "start":
                depth += 1
                if depth > MAX_DEPTH:
                    raise XmlError(
                        tr("there are more than {MAX_DEPTH} elements inside each other").format(MAX_DEPTH=MAX_DEPTH)
                    )
                yield event, depth, element
            else:
                yield event, depth, element
                depth -= 1
    except ParseError as error:
        raise XmlError(tr("this is no well-formed XML ({error})").format(error=error)) from None
    except DefusedXmlException:
        raise XmlError(tr("it declares a document type or entities, which are not read")) from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise XmlError(tr("this is no XML that can be read ({error})").format(error=error)) from None


def xml_text(text: str) -> str:
    """One line of text that XML can hold."""
    return plain(re.sub("[\ufffe\uffff]", "\ufffd", text))


def tag(name: str, attributes: Mapping[str, Any], text: str | None = None, end: bool = True) -> str:
    """An element without children, or (``end`` false) only its opening tag. Everything is escaped."""
    inside = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    if not end:
        return f"<{name}{inside}>"
    return f"<{name}{inside}/>" if text is None else f"<{name}{inside}>{escape(text)}</{name}>"


def number(value: float) -> str:
    """A coordinate with up to three decimals."""
    return repr(round(float(value), 3)).removesuffix(".0")
