"""The language of what people read: English in the sources, other languages from catalogues of gettext.

Sentences are born everywhere, also where there is no Qt, so this stands below all rooms. Nothing is translated until
`use` was called, which the window does at its start; the command line, the log and files stay English.

How to write a sentence: ``tr("Saved {name}").format(name=path.name)``, one whole literal with named places. Two forms
by number: ``trn("{count} frame", "{count} frames", n).format(count=n)``. In a table that is built on import:
``mark("Save")`` there and ``tr(command.title)`` where it is shown. A word with two meanings: ``trc("verb", "Track")``.
"""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from pathlib import Path

DOMAIN = "siamlabel"
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "es": "Español"}
"""By code, each in its own words. All but English have ``translations/CODE/LC_MESSAGES/siamlabel.po`` and ``.mo``."""

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = ENGLISH


def use(language: str, folder: Path) -> None:
    """Speak ``language``, a code of `LANGUAGES`, from now on; ``folder`` holds the catalogues.

    Raises ValueError for another code, OSError when the catalogue cannot be read.
    """
    global _catalogue, _language
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
    if language == ENGLISH:
        _catalogue = gettext.NullTranslations()
    else:
        _catalogue = gettext.translation(DOMAIN, folder, [language])
    _language = language


def language() -> str:
    """The code of the language in use."""
    return _language


def choose(wish: str, preferred: Sequence[str]) -> str:
    """The code for the setting ``wish``; ``system`` takes the first that we have of ``preferred`` (``es-MX``)."""
    if wish != "system":
        return wish if wish in LANGUAGES else ENGLISH
    codes = (name.replace("_", "-").partition("-")[0].lower() for name in preferred)
    return next((code for code in codes if code in LANGUAGES), ENGLISH)


def tr(text: str) -> str:
    """The sentence in the language in use; itself where there is no translation."""
    return _catalogue.gettext(text) if text else ""


def trn(one: str, many: str, count: int) -> str:
    """The form that goes with ``count``; its places still have to be filled."""
    return _catalogue.ngettext(one, many, count)


def trc(context: str, text: str) -> str:
    """`tr` of a text that means something else elsewhere."""
    return _catalogue.pgettext(context, text)


def mark(text: str) -> str:
    """The text itself. Marks a literal for the catalogue that is translated later, where it is shown."""
    return text
