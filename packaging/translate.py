"""Renew the catalogues of the window's sentences: ``python packaging/translate.py``, with babel from the group dev.

Reads all sources of ``app``, brings ``resources/translations/CODE/LC_MESSAGES/siamlabel.po`` up to date (new sentences
are empty there and are listed; those that are gone are dropped) and compiles the ``.mo`` beside it. Nothing is guessed:
a sentence that was changed has to be translated again.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "resources" / "translations"
LANGUAGES = ("es",)
NEVER = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in the head of each catalogue, so that one that says the same is the same."""

GLOSSARY = {
    "es": (
        "# Words: frame fotograma, keyframe fotograma clave, box recuadro, mask máscara, label etiqueta,",
        "# track (noun) trayectoria, to track seguir, run seguimiento, tracker seguidor, gap hueco,",
        "# template plantilla, search region región de búsqueda, heat map mapa de calor, weights pesos,",
        "# score puntuación, confidence confianza, occluded ocluido, out of view fuera de cuadro,",
        "# lost perdido, uncertain incierto, suspicious sospechoso, to vouch for confirmar, to verify verificar,",
        "# comment nota, journal diario, command orden, key tecla. Infinitives for commands, usted elsewhere.",
    ),
}
"""Which word stands for which, at the head of each catalogue."""

CALLS = {"tr": 1, "mark": 1, "trn": 2, "trc": 2}
"""Functions of `app.words` and how many of their first arguments are literals."""


class Sentence(NamedTuple):
    """``id``: what gettext looks up, a pair where there are forms by number. ``context``: of `trc`."""

    id: str | tuple[str, str]
    context: str | None
    file: str
    line: int


def main() -> int:
    """0 when every sentence has its translation."""
    found = list(sentences())
    wanting = 0
    for code in LANGUAGES:
        path = TRANSLATIONS / code / "LC_MESSAGES" / "siamlabel.po"
        catalogue = renewed(code, path, found)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(po_of(catalogue))
        path.with_suffix(".mo").write_bytes(mo_of(catalogue))
        empty = [message.id for message in catalogue if message.id and not is_translated(message.string)]
        wanting += len(empty)
        print(f"{code}: {len(catalogue)} sentences, {len(empty)} without a translation")
        for sentence in empty:
            print(f"  {sentence}")
    return 1 if wanting else 0


def sentences(root: Path = ROOT) -> Iterator[Sentence]:
    """Every literal of the sources that is shown: in calls of `app.words`, in tables of commands and settings."""
    for path in sorted((root / "app").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for id_, context in _of_call(node, name):
                    yield Sentence(id_, context, name, node.lineno)


def _of_call(call: ast.Call, file: str) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function in CALLS:
        literals = [_text(argument) for argument in call.args[: CALLS[function]]]
        if function == "trn" and None not in literals:
            yield (str(literals[0]), str(literals[1])), None
        elif function == "trc" and None not in literals:
            yield str(literals[1]), literals[0]
        elif function in ("tr", "mark") and literals and literals[0]:
            yield literals[0], None
        return
    wanted: list[ast.expr] = []
    if function == "Command":  # id, title, keys, group
        wanted = [*call.args[1:2], *call.args[3:4], *_keywords(call, "title", "group", "hint")]
    elif function == "Meta":
        wanted = _keywords(call, "title", "description")
    elif function == "_meta" and file == "app/settings.py":  # title, group
        wanted = call.args[:2]
    for node in wanted:
        if text := _text(node):
            yield text, None


def _keywords(call: ast.Call, *names: str) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg in names]


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def renewed(code: str, path: Path, found: list[Sentence]) -> Catalog:
    """The catalogue of the sentences that there are, with the translations that the file has for them."""
    old = Catalog(locale=code)
    if path.exists():
        with path.open("rb") as file:
            old = read_po(file, locale=code)
    new = Catalog(
        locale=code,
        project="SiamLabel",
        version="0",
        last_translator="SiamLabel",
        language_team="SiamLabel",
        msgid_bugs_address="SiamLabel",
        creation_date=NEVER,
        revision_date=NEVER,
        fuzzy=False,
    )
    new.header_comment = "\n".join(["# What the window says. The English sentence is the key.", *GLOSSARY[code]])
    for sentence in sorted(found, key=lambda one: (one.file, one.line)):
        known = old.get(sentence.id, sentence.context)
        string = known.string if known is not None else ("", "") if isinstance(sentence.id, tuple) else ""
        new.add(sentence.id, string, locations=[(sentence.file, sentence.line)], context=sentence.context)
    return new


def is_translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    """Whether there are words in every form."""
    return all(string) if isinstance(string, tuple | list) else bool(string)


def po_of(catalogue: Catalog) -> bytes:
    """The file that people edit; places by file alone, so that it changes with the sentences only."""
    out = io.BytesIO()
    write_po(out, catalogue, width=120, include_lineno=False)
    return out.getvalue()


def mo_of(catalogue: Catalog) -> bytes:
    """The file that is shipped."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
