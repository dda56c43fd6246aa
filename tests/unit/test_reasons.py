"""What trackers say is recognised, so that the window can say it in its language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import words
from app.diagnostics import resource
from app.work.reasons import DIRECTIONS, FAULTS, REASONS, translated, why
from tracker.api import Box, Prediction, Verdict
from tracker.inference.signals import _direction, _times

TRACKER = Path(__file__).resolve().parents[2] / "tracker"
MADE_OF_PARTS = {"the box is {} times larger than usual", "the box is {} times smaller than usual"}


@pytest.fixture
def spanish() -> Iterator[None]:
    words.use("es", resource("translations"))
    yield
    words.use("en", resource("translations"))


def said() -> set[str]:
    """Every text of the tracker's sources, with ``{}`` for what is filled in."""
    found = set()
    for path in TRACKER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                again = {"_AGAIN": "Download or copy it again."}
                parts = (
                    part.value
                    if isinstance(part, ast.Constant)
                    else again.get(ast.unparse(part.value), "{}")
                    if isinstance(part, ast.FormattedValue)
                    else ""
                    for part in node.values
                )
                found.add("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_each_is_a_sentence_of_the_tracker() -> None:
    ours = {re.sub(r"\{\w+\}", "{}", sentence) for sentence in (*REASONS, *FAULTS)}
    assert sorted(ours - said() - MADE_OF_PARTS) == []
    assert {f"the box is {_times(size)} than usual" for size in (0.5, -0.5)} == {
        "the box is 1.6 times larger than usual",
        "the box is 1.6 times smaller than usual",
    }
    assert {_direction(rows, columns) for rows in (-9, 0, 9) for columns in (-9, 0, 9)} == set(DIRECTIONS)


def test_in_english_they_stay_as_they_are() -> None:
    assert translated("a look-alike above and to the left scores 83% of the target") == (
        "a look-alike above and to the left scores 83% of the target"
    )
    assert translated("what nobody foresaw") == "what nobody foresaw"
    assert translated("") == ""
    assert why(_lost("")) == "score 0.25"


@pytest.mark.usefixtures("spanish")
def test_in_spanish_they_are_translated() -> None:
    assert translated("a look-alike to the right scores 83% of the target") == (
        "un parecido a la derecha puntúa 83% del objetivo"
    )
    assert translated("confidence 0.10 has fallen below 0.40") == "la confianza 0.10 ha caído por debajo de 0.40"
    assert translated("/a b/c.pth is not there. Check the name.") == "/a b/c.pth no está ahí. Compruebe el nombre."
    assert translated("what a plug-in says") == "what a plug-in says"
    assert why(_lost("it has left the picture")) == "ha salido de la imagen"
    assert why(_lost("")) == "puntuación 0.25"


def _lost(reason: str) -> Prediction:
    return Prediction(Box(0, 0, 4, 4), 0.25, Verdict.LOST, reason=reason)
