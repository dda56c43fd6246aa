"""The words of the window: how they are looked up, that Spanish has all of them, and that none is shown past them."""

from __future__ import annotations

import ast
import gettext
import importlib.util
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app import words
from app.diagnostics import resource
from app.words import mark, tr, trc, trn

ROOT = Path(__file__).resolve().parents[2]
FOLDER = resource("translations")
CODES = [code for code in words.LANGUAGES if code != words.ENGLISH]


@pytest.fixture(scope="module")
def translate() -> ModuleType:
    """``packaging/translate.py``, which is no package."""
    spec = importlib.util.spec_from_file_location("translate", ROOT / "packaging" / "translate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translate"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def spanish() -> Iterator[None]:
    words.use("es", FOLDER)
    yield
    words.use("en", FOLDER)


def po(code: str) -> Path:
    return FOLDER / code / "LC_MESSAGES" / "siamlabel.po"


def catalogue(code: str) -> Catalog:
    with po(code).open("rb") as file:
        return read_po(file, locale=code)


def places(text: str) -> list[tuple[str, str | None, str | None]]:
    """What has to be filled in, with how."""
    return sorted((name, form, turned) for _, name, form, turned in string.Formatter().parse(text) if name is not None)  # type: ignore[type-var]


# --- looking up -------------------------------------------------------------------------------------------------------


def test_english_until_another_language_is_asked_for() -> None:
    assert words.language() == "en"
    assert tr("Save") == mark("Save") == "Save"
    assert tr("") == ""
    assert trn("{count} edit", "{count} edits", 1) == "{count} edit"
    assert trn("{count} edit", "{count} edits", 2) == "{count} edits"
    assert trc("key", "Shift") == "Shift"


@pytest.mark.usefixtures("spanish")
def test_spanish() -> None:
    assert words.language() == "es"
    assert tr("Save") == "Guardar"
    assert trn("{count} frame", "{count} frames", 3).format(count=3) == "3 fotogramas"
    assert trn("{count} edit", "{count} edits", 1).format(count=1) == "1 cambio"
    assert trn("{count} edit", "{count} edits", 5).format(count=5) == "5 cambios"
    assert trc("key", "Shift") == "Mayús"
    assert tr("a sentence that nobody wrote") == "a sentence that nobody wrote"
    assert tr("") == ""


def test_what_cannot_be_spoken_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'fr' is none of"):
        words.use("fr", FOLDER)
    with pytest.raises(OSError, match="siamlabel"):
        words.use("es", tmp_path)
    assert words.language() == "en"
    assert tr("Save") == "Save"


@pytest.mark.parametrize(
    ("wish", "preferred", "code"),
    [
        ("system", ["es-MX", "en-US"], "es"),
        ("system", ["es_ES"], "es"),
        ("system", ["fr-FR", "es-ES", "en"], "es"),
        ("system", ["en-GB", "es-ES"], "en"),
        ("system", ["C"], "en"),
        ("system", [], "en"),
        ("es", ["en-GB"], "es"),
        ("en", ["es-ES"], "en"),
        ("tlh", ["es-ES"], "en"),
    ],
)
def test_the_setting_wins_else_what_the_system_prefers(wish: str, preferred: list[str], code: str) -> None:
    assert words.choose(wish, preferred) == code


# --- the catalogues ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated_and_no_other(translate: ModuleType, code: str) -> None:
    found = {(sentence.id, sentence.context) for sentence in translate.sentences()}
    there = {(message.id, message.context): message for message in catalogue(code) if message.id}
    missing, gone = sorted(map(str, found - there.keys())), sorted(map(str, there.keys() - found))
    assert missing == [], "run packaging/translate.py and translate these"
    assert gone == [], "run packaging/translate.py: these are said no more"
    assert not [id_ for id_, message in there.items() if not translate.is_translated(message.string)]
    assert not [id_ for id_, message in there.items() if message.fuzzy]
    assert not catalogue(code).obsolete


def test_our_list_of_sentences_has_what_babel_finds(translate: ModuleType) -> None:
    ours = {(sentence.id, sentence.context) for sentence in translate.sentences()}
    keywords = {"tr": None, "mark": None, "trn": (1, 2), "trc": ((1, "c"), 2)}
    theirs = {
        (id_, context)
        for _, _, id_, _, context in extract_from_dir(str(ROOT / "app"), [("**.py", "python")], keywords=keywords)
    }
    assert len(theirs) > 500
    assert not theirs - ours


@pytest.mark.parametrize("code", CODES)
def test_a_translation_has_the_places_of_its_sentence(code: str) -> None:
    for message in catalogue(code):
        pairs = (
            [(message.id, message.string)]
            if isinstance(message.id, str)
            else zip(message.id, message.string, strict=True)
        )
        for said, translated in pairs:
            assert places(said) == places(translated), said
            assert said.endswith("…") == translated.endswith("…"), said
            assert said[:1].isspace() == translated[:1].isspace(), said


@pytest.mark.parametrize("code", CODES)
def test_what_is_shipped_is_what_people_edit(translate: ModuleType, code: str) -> None:
    there = catalogue(code)
    assert po(code).with_suffix(".mo").read_bytes() == translate.mo_of(there), "run packaging/translate.py"
    shipped = gettext.translation(words.DOMAIN, FOLDER, [code])
    assert shipped.gettext("Quit") == there.get("Quit").string  # type: ignore[union-attr]


# --- nothing is shown past them ---------------------------------------------------------------------------------------

_CALLS = """
QLabel QPushButton QCheckBox QRadioButton QAction QMenu QToolBar QGroupBox ElidedLabel Thumbnail form_label
setText setToolTip setWindowTitle setPlaceholderText setAccessibleName setAccessibleDescription setStatusTip setTitle
setInformativeText setIconText setTabText setTabToolTip setHeaderLabels setHorizontalHeaderLabels addAction addMenu
addButton addItem addItems addRow addTab insertItem drawText QTreeWidgetItem QListWidgetItem QTableWidgetItem
getText getMultiLineText getOpenFileName getOpenFileNames getSaveFileName getExistingDirectory getColor
hint ask tell message show_message set_note commit SessionError RelinkError MediaError JournalError Note
"""
SHOWN = frozenset(_CALLS.split())
"""Calls whose literal arguments people read."""

ROOMS = ("app/gui", "app/work", "app/media", "app/scene.py", "app/commands")
SAME = re.compile(
    r"SiamLabel.*|CPU|CUDA|MPS|[\d.]* ?GiB|labels\.json|\*?\.\w+"
    r"|(run|cover|nudge|attribute|gesture)-.*"
)
"""What is the same in every language: names, units, file types, and ids such as ``gesture-3``."""
ID = re.compile("[a-z]+")
"""Alone, a word of small letters is a name in the program."""
MARKUP = re.compile(r"<[^>]*>?|^[^<]*>|&nbsp;")


def literals(node: ast.expr) -> Iterator[tuple[int, str]]:
    """What an argument shows by itself: not inside a call, which speaks for itself, nor as a condition or a key."""
    match node:
        case ast.Constant(value=str() as text):
            yield node.lineno, text
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from literals(part)
        case ast.FormattedValue(value=value):
            yield from literals(value)
        case ast.IfExp(body=body, orelse=orelse):
            yield from literals(body)
            yield from literals(orelse)
        case ast.BinOp(left=left, right=right):
            yield from literals(left)
            yield from literals(right)
        case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values):
            for value in values:
                yield from literals(value)


def shown_past_them() -> Iterator[str]:
    for room in ROOMS:
        for path in [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name not in SHOWN:
                    continue
                for argument in (*node.args, *(keyword.value for keyword in node.keywords if keyword.arg != "gesture")):
                    for line, literal in literals(argument):
                        text = MARKUP.sub("", literal)
                        if isinstance(argument, ast.Constant) and ID.fullmatch(text):
                            continue
                        if re.search("[A-Za-z]{2}", text) and not SAME.fullmatch(text.strip(" ·—[]*()\n")):
                            yield f"{path.relative_to(ROOT)}:{line}: {text!r}"


def test_what_is_shown_passes_through_tr() -> None:
    assert not list(shown_past_them())


def test_the_check_above_sees_what_it_should() -> None:
    call = ast.parse("""label.setText(f"{n} frames" if n else "No " + kind + " here")""").body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert [text for _, text in literals(call.value.args[0])] == [" frames", "No ", " here"]


SILENT = frozenset({
    "tr", "mark", "trn", "trc", "debug", "info", "warning", "error", "exception", "critical", "setStyleSheet",
    "stylesheet", "execute", "executescript", "RuntimeError", "ValueError", "TypeError", "TimeoutError", "IndexError",
    "Command", "Meta", "_meta",
})  # fmt: skip
"""Calls whose literals are translated, logged, or for programmers. Command, Meta: see ``packaging/translate.py``."""

ENGLISH_STAYS = re.compile(
    r"another tool|<span style='color: |frames of |\s*create table.*|# Keys.*"
    r"| is missing or damaged|.*\{flaw\}.*|.*\{aspect:.*|.*timestamps.*|no keyframes",
    re.DOTALL,
)
"""Names of threads, statements of SQL, docs/keys.md, notes that are kept in files."""


def spoken(node: ast.AST, heard: bool = True) -> Iterator[ast.Constant]:
    """The texts in ``node`` that pass by no call of `SILENT` and are no docstrings."""
    for child in ast.iter_child_nodes(node):
        name = child.func if isinstance(child, ast.Call) else None
        name = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if heard and isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child
        yield from spoken(child, heard and name not in SILENT)


def test_no_sentence_stands_by_itself() -> None:
    """Two words and a space between them are a sentence, wherever they stand."""
    found = []
    for room in ROOMS:
        for path in [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py")):
            if path.name == "theme.py":  # style sheets
                continue
            for text in spoken(ast.parse(path.read_text(encoding="utf-8"))):
                if re.search(r"[A-Za-z]{2,}[,:;]? [A-Za-z]{2,}", text.value) and not ENGLISH_STAYS.fullmatch(
                    text.value
                ):
                    found.append(f"{path.relative_to(ROOT)}:{text.lineno}: {text.value!r}")
    assert found == []
