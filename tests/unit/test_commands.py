from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_fakes import FRAMES, FakeTrackers, square, write_clip

from app.commands import BY_ID, COMMANDS, run
from app.model.tracks import State
from app.session import Mode, Session
from app.settings import Settings
from tracker.api import Box

POINT_7 = {
    "Right": "go.next", "Left": "go.previous", "F": "go.next", "D": "go.previous", "Shift+Right": "go.forward",
    "Shift+Left": "go.back", "Home": "go.first", "End": "go.last", "Space": "go.play", "N": "object.new",
    "T": "track.forward", "Shift+T": "track.backward", "Esc": "track.stop", "K": "object.keyframe",
    "Del": "object.delete_box", "Ctrl+Z": "edit.undo", "Ctrl+Shift+Z": "edit.redo", "Ctrl+Y": "edit.redo",
    "Ctrl+S": "file.save", "Ctrl+Shift+S": "file.save_as", "Ctrl+O": "file.open", "Ctrl+E": "file.export",
    "Ctrl+0": "view.fit", "Ctrl+=": "view.zoom_in", "Ctrl+-": "view.zoom_out", "A": "view.heat", "H": "object.hide",
    "L": "object.lock", "F1": "help.keys",
    "Ctrl+Q": "file.quit",
}  # fmt: skip


class FakeUi:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def fit(self) -> None:
        self.calls.append("fit")

    def zoom(self, factor: float) -> None:
        self.calls.append(f"zoom {factor:g}")

    def finish_shape(self) -> None:
        self.calls.append("shape")

    def actual_size(self) -> None:
        self.calls.append("actual size")

    def show_keys(self) -> None:
        self.calls.append("keys")

    def show_palette(self) -> None:
        self.calls.append("palette")

    def show_tour(self) -> None:
        self.calls.append("tour")

    def show_log(self) -> None:
        self.calls.append("log")

    def show_settings(self) -> None:
        self.calls.append("settings")

    def quit(self) -> None:
        self.calls.append("quit")


@pytest.fixture
def ui() -> FakeUi:
    return FakeUi()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    yield session
    session.close(discard=True)


def test_ids_and_keys_are_unique_and_words_are_there():
    assert max(Counter(c.id for c in COMMANDS).values()) == 1
    keys = Counter((key.casefold(), c.scope) for c in COMMANDS for key in c.keys)
    assert max(keys.values()) == 1, keys
    for command in COMMANDS:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", command.id)
        assert command.title
        assert command.group
        assert not command.hint.endswith(".")


def test_the_keys_that_people_have_in_their_fingers():
    table = {key: command.id for command in COMMANDS for key in command.keys}
    assert {key: table.get(key) for key in POINT_7} == POINT_7


def test_every_command_can_be_asked_when_nothing_is_open(ui: FakeUi):
    empty = Session()
    able = {c.id for c in COMMANDS if c.when(empty)}
    assert able == {
        "file.open",
        "file.open_folder",
        "file.sample",
        "file.quit",
        "edit.settings",
        "view.heat",
        "view.masks",
        "view.mask_style",
        "view.ghost",
        "view.labels",
        "view.search",
        "view.lock_camera",
        "view.magnifier",
        "help.palette",
        "help.keys",
        "help.log",
        "help.tour",
    }
    for command in COMMANDS:
        if command.id not in able:
            assert run(command.id, empty, ui) is None
    empty.close()


def test_going_about(session: Session, ui: FakeUi):
    frames = []
    for command in ("go.next", "go.forward", "go.previous", "go.last", "go.next", "go.back", "go.first", "go.previous"):
        run(command, session, ui)
        frames.append(session.frame)
    last = FRAMES - 1
    assert frames == [1, 11, 10, last, last, last - 10, 0, 0]
    run("go.play", session, ui)
    assert session.mode is Mode.PLAYING
    run("go.next", session, ui)
    assert session.mode is Mode.IDLE
    run("go.play", session, ui)
    run("track.stop", session, ui)
    assert session.mode is Mode.IDLE


def test_the_main_job_by_commands_alone(session: Session, ui: FakeUi, tmp_path: Path):
    assert not BY_ID["track.forward"].when(session)
    run("object.new", session, ui)
    assert session.mode is Mode.DRAWING
    run("track.stop", session, ui)
    assert session.mode is Mode.IDLE
    run("object.new", session, ui)
    session.add_object(square(0), "cat")
    assert session.mode is Mode.IDLE
    session.wait(run("track.forward", session, ui))  # type: ignore[arg-type]
    session.seek(10)
    run("object.keyframe", session, ui)
    assert session.document.tracks[1].keyframes() == [0, 10]
    run("object.occluded", session, ui)
    assert session.here is not None
    assert session.here.state is State.OCCLUDED
    run("object.occluded", session, ui)
    assert session.here.state is State.VISIBLE
    run("object.out_of_view", session, ui)
    assert session.here.box is None
    run("object.redraw", session, ui)
    assert session.status.redraw
    session.set_box(square(10))
    run("go.next", session, ui)
    run("object.delete_box", session, ui)
    assert session.here is None
    run("edit.undo", session, ui)
    assert session.here is not None
    run("edit.redo", session, ui)
    session.seek(20)
    session.wait(run("track.backward", session, ui))  # type: ignore[arg-type]
    assert session.document.tracks[1].frames[11].box == square(11)
    session.wait(run("file.save", session, ui))  # type: ignore[arg-type]
    session.wait(run("file.save_as", session, ui, path=tmp_path / "other.siamlabel"))  # type: ignore[arg-type]
    assert session.title == "other.siamlabel"
    session.wait(run("file.export", session, ui, format_id="coco", out=tmp_path / "x.json"))  # type: ignore[arg-type]
    session.wait(run("file.open", session, ui, path=tmp_path / "other.siamlabel"))  # type: ignore[arg-type]
    assert len(session.document.tracks[1].frames) == FRAMES
    session.select(1)
    run("object.delete", session, ui)
    assert not session.document.tracks


def test_what_only_a_window_can_do_goes_to_it(session: Session, ui: FakeUi):
    for command in ("view.fit", "view.zoom_in", "view.zoom_out", "help.keys", "file.quit"):
        run(command, session, ui)
    assert ui.calls == ["fit", "zoom 1.25", "zoom 0.8", "keys", "quit"]


def test_the_heat_map_key_goes_round(session: Session, ui: FakeUi):
    seen = []
    for _ in range(5):
        run("view.heat", session, ui)
        seen.append(session.settings.heat_kind)
    assert seen == ["classification", "attention", "mask", "off", "fused"]


def test_escape_leaves_the_innermost_mode_first(session: Session, ui: FakeUi):
    session.add_object(Box(1, 1, 9, 9))
    session.begin_drawing()
    run("track.stop", session, ui)
    assert (session.drawing, session.selected) == (False, 1)
    run("track.stop", session, ui)
    assert session.selected is None
    assert not BY_ID["track.stop"].when(session)
