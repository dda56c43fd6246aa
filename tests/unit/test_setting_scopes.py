"""Settings of the user, of a collection and of a project: which hold, where a change goes, and that none is lost."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_fakes import FakeTrackers, saved, square, write_clip

from app.formats.collection import load_collection
from app.formats.project import load_project, save_project
from app.model.document import Document
from app.session import Mode, Session, SessionError
from app.settings import OF_PROJECTS, Settings, load_settings, resolved
from app.work import journal
from app.work.scopes import Scope

FITTING = {
    "jump": st.integers(2, 1000), "masks": st.booleans(), "tracker": st.text(max_size=4),
    "mask_opacity": st.floats(0, 1), "pause_on": st.sampled_from(["lost", "uncertain", "never"]),
    "lost_after": st.integers(1, 100), "playback_rate": st.floats(0.05, 16),
}  # fmt: skip
UNFIT = {
    "jump": 1, "masks": "yes", "tracker": 3, "mask_opacity": 2.0, "pause_on": "often", "theme": "dark",
    "cache_mb": 64, "telepathy": True,
}  # fmt: skip
own = st.fixed_dictionaries({}, optional=FITTING).flatmap(
    lambda fit: st.sets(st.sampled_from(sorted(UNFIT))).map(lambda bad: {**fit, **{name: UNFIT[name] for name in bad}})
)


@given(st.fixed_dictionaries({}, optional=FITTING), own, own)
def test_a_project_stands_above_its_collection_and_that_above_the_user(mine, collection, project):
    user = Settings(**mine)
    holds = resolved(user, collection, project)
    for name in Settings.__struct_fields__:
        candidates = [
            level[name] for level in (collection, project)
            if name in FITTING and name in level and level[name] != UNFIT.get(name, ...)
        ]  # fmt: skip
        wanted = candidates[-1] if candidates else getattr(user, name)
        assert getattr(holds, name) == wanted, name
    assert resolved(user) == user


@given(own)
def test_the_settings_of_a_project_are_read_back_as_they_were_even_those_that_do_not_fit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("p") / "a.siamlabel"
    save_project(Document(settings=values), path)
    assert load_project(path).settings == values
    held = msgspec.msgpack.decode(msgspec.msgpack.encode(Document(settings=values)), type=Document)
    assert held.settings == values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "day"
    folder.mkdir()
    for name in "ab":
        write_clip(folder / f"{name}.mkv", frames=12)
    return folder


@pytest.fixture
def make(tmp_path):
    made = []

    def make_session(trackers: FakeTrackers | None = None, **options) -> Session:
        where = tmp_path / "settings.json"
        settings = load_settings(where) if where.exists() else Settings(tracker="fake")
        made.append(Session(settings, settings_path=where, create_tracker=trackers or FakeTrackers(), **options))
        return made[-1]

    yield make_session
    for session in made:
        session.close(discard=True)


def arrive(session: Session) -> None:
    session.wait(lambda: session.is_open and session.mode is not Mode.OPENING)


def test_a_setting_of_the_project_goes_with_it_and_the_users_stays(make, folder, tmp_path):
    session = make()
    told: list[int] = []
    session.events.settings.connect(lambda settings: told.append(settings.jump))
    session.wait(session.open(folder / "a.mkv"))
    session.change_settings_of(Scope.PROJECT, jump=25)
    assert (session.settings.jump, session.mine.jump, told[-1]) == (25, 10, 25)
    assert session.holder("jump") is Scope.PROJECT
    session.change_settings(jump=30, theme="dark")  # each goes where its value holds
    assert (session.document.settings, session.mine.theme) == ({"jump": 30}, "dark")
    saved(session)
    session.wait(session.open(folder / "b.mkv"))
    assert session.settings.jump == 10
    other = make()
    other.wait(other.open(folder / "a.siamlabel"))
    assert (other.settings.jump, other.settings.theme) == (30, "dark")
    assert "jump" not in json.loads((tmp_path / "settings.json").read_text())
    other.use_mine(Scope.PROJECT, "jump")
    assert (other.settings.jump, other.dirty) == (10, True)
    other.undo()
    assert (other.settings.jump, other.dirty) == (30, False)


def test_the_headless_job_does_as_it_was_asked(make, folder):
    session = make()
    session.wait(session.open(folder / "a.mkv"))
    session.change_settings_of(Scope.PROJECT, masks=False)
    saved(session)
    firm = make(project_settings=False)
    firm.wait(firm.open(folder / "a.siamlabel"))
    assert firm.settings.masks
    assert firm.scopes == (Scope.MINE,)
    firm.change_settings(masks=True)
    assert firm.document.settings == {"masks": False}


def test_what_only_the_user_can_set_is_refused_and_so_is_what_does_not_fit(make, folder):
    session = make()
    session.wait(session.open(folder / "a.mkv"))
    with pytest.raises(SessionError, match="theme"):
        session.change_settings_of(Scope.PROJECT, theme="dark", jump=5)
    with pytest.raises(msgspec.ValidationError):
        session.change_settings_of(Scope.PROJECT, jump=1)
    assert session.document.settings == {}
    assert session.settings == session.mine


def test_settings_of_a_collection_hold_in_all_its_clips_below_those_of_a_clip(make, folder):
    session = make()
    session.open_folder(folder)
    arrive(session)
    assert session.scopes == (Scope.MINE, Scope.COLLECTION, Scope.PROJECT)
    session.change_settings_of(Scope.COLLECTION, jump=40, masks=False)
    session.change_settings_of(Scope.PROJECT, jump=50)
    assert (session.settings.jump, session.settings.masks) == (50, False)
    assert session.settings_for(Scope.COLLECTION).jump == 40
    assert session.settings_for(Scope.MINE).jump == 10
    session.wait(session.go_to_clip(1))
    assert (session.settings.jump, session.settings.masks) == (40, False)
    session.change_settings(masks=True)
    saved(session)
    manifest = folder / "day.siamclips"
    assert load_collection(manifest).settings == {"jump": 40, "masks": True}
    other = make()
    other.open(manifest)
    arrive(other)
    assert (other.clip, other.settings.jump) == (0, 50)
    other.use_mine(Scope.PROJECT)
    other.use_mine(Scope.COLLECTION)
    assert other.settings == other.mine


def test_unsaved_settings_survive_a_kill(make, folder):
    session = make()
    session.wait(session.open(folder / "a.mkv"))
    session.change_settings_of(Scope.PROJECT, lost_after=9)
    assert session.journal is not None
    assert session.journal.flush(10)
    session.close()
    (left,) = make().leftovers()
    assert journal.recover(left).settings == {"lost_after": 9}


def test_changes_while_a_run_goes_hold_from_the_next_one_and_leave_the_run_one_step(make, folder):
    gate = threading.Semaphore(0)
    trackers = FakeTrackers(gate=gate)
    session = make(trackers)
    session.wait(session.open(folder / "a.mkv"))
    session.add_object(square(0), "cat")
    session.track(1)
    for _ in range(3):
        gate.release()
    session.wait(lambda: session.run is not None and session.run.done >= 1)
    session.change_settings_of(Scope.PROJECT, commit_mode="replace", lost_after=1, tracker="default")
    for _ in range(40):
        gate.release()
    session.wait(lambda: session.run is None)
    assert sorted(session.document.tracks[1].frames) == list(range(12))
    assert session.document.settings == {"commit_mode": "replace", "lost_after": 1, "tracker": "default"}
    assert [name for name, _ in trackers.asked] == ["fake"]
    assert sorted(session.history.steps) == ["New cat", "Settings of the project", "Track"]
    session.undo()
    session.undo()
    assert session.document.settings == {}
    assert len(session.document.tracks[1].frames) == 1


def test_every_setting_of_projects_is_a_plain_value():
    for name in OF_PROJECTS:
        assert isinstance(getattr(Settings(), name), bool | int | float | str)
