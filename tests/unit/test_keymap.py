from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands import COMMANDS
from app.commands.keymap import Conflict, Keymap, normal
from app.commands.table import Command


def a_command(id_: str, *keys: str, scope: str = "window") -> Command:
    return Command(id_, id_, keys, "Test", lambda s, ui: None, scope=scope)


TWO = (a_command("a.one", "A", "Ctrl+Z"), a_command("a.two", "B"), a_command("a.tool", "A", scope="mask"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("ctrl+shift+z", "Ctrl+Shift+Z"), ("Shift+Ctrl+z", "Ctrl+Shift+Z"), ("a", "A"), ("Ctrl++", "Ctrl++"), ("+", "+"),
     ("del", "Del"), (" alt + left ", "Alt+Left")],
)  # fmt: skip
def test_a_key_has_one_spelling(written, meant) -> None:
    assert normal(written) == meant
    assert normal(meant) == meant


@pytest.mark.parametrize("written", ["", "Ctrl+", "Hyper+A", "a+b"])
def test_what_is_no_key_is_refused(written) -> None:
    with pytest.raises(ValueError, match="is no key"):
        normal(written)


def test_the_table_itself_has_no_conflicts() -> None:
    assert Keymap(COMMANDS, {}).conflicts() == []


def test_changed_keys_stand_for_the_tables_until_they_are_restored() -> None:
    keymap = Keymap(TWO, {}).with_keys("a.one", ["ctrl+q", "Ctrl+Q"])
    assert keymap.keys("a.one") == ("Ctrl+Q",)
    assert keymap.is_changed("a.one")
    assert keymap.with_keys("a.one", None).keys("a.one") == ("A", "Ctrl+Z")
    assert keymap.with_keys("a.one", ["a", "Ctrl+Z"]).changed() == {}


def test_two_commands_of_one_scope_that_claim_a_key_are_told() -> None:
    keymap = Keymap(TWO, {"a.two": ("A",)})
    assert keymap.conflicts() == [Conflict("A", "window", ("a.one", "a.two"))]
    assert keymap.users("a", "window") == ("a.one", "a.two")


def test_a_tool_takes_its_keys_from_the_window_while_it_is_in_hand() -> None:
    keymap = Keymap(TWO, {})
    assert keymap.active("window") == {"a.one": ("A", "Ctrl+Z"), "a.two": ("B",), "a.tool": ()}
    assert keymap.active("mask") == {"a.one": ("Ctrl+Z",), "a.two": ("B",), "a.tool": ("A",)}


def test_keys_of_commands_that_are_not_known_are_kept() -> None:
    assert Keymap(TWO, {"later.thing": ("F12",)}).with_keys("a.two", ["C"]).changed() == {
        "later.thing": ("F12",),
        "a.two": ("C",),
    }


@given(st.dictionaries(st.sampled_from([c.id for c in COMMANDS]), st.lists(st.sampled_from("ABCXYZ"), max_size=2)))
def test_in_any_scope_a_key_without_conflict_means_one_thing(changed) -> None:
    keymap = Keymap(COMMANDS, changed)
    clashing = {conflict.key for conflict in keymap.conflicts()}
    for scope in {command.scope for command in COMMANDS}:
        active = [normal(key) for keys in keymap.active(scope).values() for key in keys]
        assert len([key for key in active if key not in clashing]) == len(set(active) - clashing)
