"""Every command of the table by itself, without a window. A command without a case in `command_cases` fails here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_cases import CASES, OFF, WINDOWED, FakeUi, Trackers, World, default_settings, make_off
from session_fakes import write_clip

from app.commands import BY_ID, COMMANDS, run
from app.session import Session


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv")


@pytest.fixture
def make(clip: Path, tmp_path: Path) -> Iterator[Callable[[bool], World]]:
    sessions: list[Session] = []

    def make(is_open: bool) -> World:
        session = Session(default_settings(), create_tracker=Trackers())
        sessions.append(session)
        own = tmp_path / "clip.mkv"
        if is_open:
            own.write_bytes(clip.read_bytes())
            session.wait(session.open(own, fresh=True))
            session.wait(lambda: session.shown is not None)
        return World(session, own, tmp_path, lambda until: session.wait(until, 10), session.take_labels)

    yield make
    for session in sessions:
        session.close(discard=True)


def test_every_command_has_a_case_and_every_case_a_command() -> None:
    assert not set(CASES) & set(WINDOWED)
    assert set(CASES) | set(WINDOWED) == set(BY_ID), "tests/command_cases.py tells what each command does"


@pytest.mark.parametrize("id_", [command.id for command in COMMANDS])
def test_a_command_does_what_it_says(make: Callable[[bool], World], id_: str) -> None:
    w, ui = make(True), FakeUi()
    if id_ in WINDOWED:
        if id_ == "mask.close":
            w.object()
            w.session.begin_masking()
        assert BY_ID[id_].when(w.session)
        run(id_, w.session, ui)
        assert ui.calls == [WINDOWED[id_]]
        return
    case = CASES[id_](w)
    params = next(case)
    assert BY_ID[id_].when(w.session), "the case makes ready what the command needs"
    run(id_, w.session, ui, **params)
    with pytest.raises(StopIteration):
        next(case)
    assert not ui.calls


@pytest.mark.parametrize("id_", [id_ for id_, off in OFF.items() if off and id_ in BY_ID])
def test_a_command_that_cannot_be_done_changes_nothing(make: Callable[[bool], World], id_: str) -> None:
    w, ui = make(OFF[id_] != "closed"), FakeUi()
    make_off(w, OFF[id_])
    before, mode = w.session.history.state, w.session.mode
    assert not BY_ID[id_].when(w.session)
    assert run(id_, w.session, ui) is None
    assert (w.session.history.state, w.session.mode, ui.calls) == (before, mode, [])


@pytest.mark.parametrize("id_", [id_ for id_, off in OFF.items() if not off and id_ in BY_ID])
def test_what_can_always_be_done_can_be_asked_without_a_clip(make: Callable[[bool], World], id_: str) -> None:
    assert BY_ID[id_].when(make(False).session)
