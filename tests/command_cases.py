"""What the commands of files, runs, review, going about and views do; see `command_world`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import command_cases_objects  # noqa: F401  # its cases
from command_world import CASES, OFF, UNSURE, WINDOWED, Case, FakeUi, Trackers, World, case, default_settings, make_off
from session_fakes import FRAMES, square, write_clip

from app.formats.project import load_project
from app.model.tracks import Source
from app.session import PAUSED, Mode
from app.settings import Settings
from app.work.incoming import Incoming

__all__ = ["CASES", "OFF", "WINDOWED", "FakeUi", "Trackers", "World", "default_settings", "make_off"]


# --- File -------------------------------------------------------------------------------------------------------------


@case("")
def file__open(w: World) -> Case:
    other = write_clip(w.place / "other.mkv", frames=5)
    yield {"path": other}
    w.wait(lambda: w.session.media is not None and w.session.media.path == other)
    assert w.session.frame_count == 5


@case("")
def file__open_folder(w: World) -> Case:
    folder = w.place / "day"
    folder.mkdir()
    for name in "ab":
        write_clip(folder / f"{name}.mkv", frames=3)
    yield {"folder": folder}
    w.at_clip(0)
    assert w.session.collection is not None
    assert len(w.session.collection.clips) == 2


@case("")
def file__sample(w: World) -> Case:
    yield {}
    w.wait(lambda: w.session.media is not None and w.session.media.path != w.clip)
    assert w.session.frame_count > FRAMES


@case("closed")
def file__save(w: World) -> Case:
    track = w.object()
    yield {}
    w.wait(lambda: not w.session.dirty)
    assert w.session.project is not None
    assert w.session.project.parent == w.clip.parent
    assert load_project(w.session.project).tracks.keys() == {track}


@case("closed")
def file__save_as(w: World) -> Case:
    w.object()
    target = w.place / "elsewhere.siamlabel"
    yield {"path": target}
    w.wait(lambda: w.session.project == target)
    assert load_project(target).tracks
    assert not w.session.dirty


def _incoming(w: World, make: Callable[[Path], object]) -> Case:
    """What is read is told and changes nothing yet."""
    w.object()
    out = w.place / "labels"
    make(out)
    came: list[Incoming] = []
    stop = w.session.events.incoming.connect(came.append)
    yield {"path": next(path for path in (out, out.with_suffix(".json")) if path.exists())}
    w.wait(lambda: bool(came))
    stop()
    w.take(came[0])
    w.wait(lambda: len(w.session.document.tracks) == 2)


def _exported(w: World, format_id: str, out: Path) -> None:
    job = w.session.export(format_id, out)
    w.wait(lambda: job.ended)
    assert job.error is None


@case("closed")
def file__import(w: World) -> Case:
    return _incoming(w, lambda out: _exported(w, "coco", out.with_suffix(".json")))


@case("closed")
def file__import_folder(w: World) -> Case:
    return _incoming(w, lambda out: _exported(w, "vot", out))


@case("closed")
def file__export(w: World) -> Case:
    w.object()
    out = w.place / "out.json"
    yield {"format_id": "coco", "out": out}
    w.wait(out.exists)
    w.wait(lambda: not w.session.cancellable("Exporting coco"))
    assert len(json.loads(out.read_bytes())["annotations"]) == 1


@case("closed")
def file__export_frames(w: World) -> Case:
    w.object(3)
    out = w.place / "pictures"
    yield {"out": out, "frames": "labelled"}
    w.wait(lambda: (out / "frames.csv").exists())
    assert [path.name for path in out.glob("*.jpg")] == ["000003.jpg"]


# --- Edit -------------------------------------------------------------------------------------------------------------


@case("bare")
def edit__undo(w: World) -> Case:
    w.object()
    yield {}
    assert not w.session.document.tracks


@case("object")
def edit__redo(w: World) -> Case:
    w.object()
    w.session.undo()
    yield {}
    assert len(w.session.document.tracks) == 1


# --- Track ------------------------------------------------------------------------------------------------------------


@case("bare")
def track__forward(w: World) -> Case:
    w.object(30)
    yield {}
    w.settle()
    assert w.frames.keys() == set(range(30, FRAMES))
    assert w.frames[FRAMES - 1].source is Source.TRACKER


@case("bare")
def track__backward(w: World) -> Case:
    w.object(5)
    yield {}
    w.settle()
    assert w.frames.keys() == set(range(6))
    assert w.frames[0].box == square(0)


@case("bare")
def track__gap(w: World) -> Case:
    w.object()
    w.session.set_box(square(8), frame=8)
    w.settle()
    w.at(4)
    yield {}
    w.settle()
    assert w.frames.keys() == set(range(9))
    assert all(w.frames[f].box == square(f) for f in range(9))


@case("bare")
def track__again(w: World) -> Case:
    w.object(0, square(0))
    w.session.propagate_box(6)
    yield {}
    w.settle()
    assert w.frames[6].box == square(6)


@case("bare")
def track__range(w: World) -> Case:
    w.object()
    yield {"first": 0, "last": 6, "mode": "fill"}
    w.settle()
    assert w.frames.keys() == set(range(7))


@case("object")
def track__accept(w: World) -> Case:
    w.object()
    w.session.change_settings(pause_on="uncertain", uncertain_after=5)
    w.session.track()
    w.wait(lambda: w.session.scope == PAUSED)
    at = w.session.frame
    yield {}
    w.settle()
    assert w.frames[at].verified
    assert w.session.pause is None
    assert max(w.frames) == FRAMES - 1


@case("bare")
def track__interpolate(w: World) -> Case:
    w.object()
    w.session.set_box(square(8), frame=8)
    w.settle()
    w.at(4)
    yield {}
    assert w.frames.keys() == set(range(9))
    assert w.frames[4].source is Source.INTERPOLATED


@case("bare")
def track__stop(w: World) -> Case:
    w.session.begin_drawing()
    yield {}
    assert w.session.mode is Mode.IDLE


# --- Review -----------------------------------------------------------------------------------------------------------


@case("closed")
def review__next(w: World) -> Case:
    w.tracked()
    yield {}
    assert w.session.frame == UNSURE.start


@case("closed")
def review__previous(w: World) -> Case:
    w.tracked()
    w.at(30)
    yield {}
    assert w.session.frame == UNSURE.start


@case("bare")
def review__verify(w: World) -> Case:
    w.tracked()
    w.at(12)
    yield {}
    assert w.frames[12].verified
    assert w.session.triage.around(12, 1) is None


@case("bare")
def review__verify_stretch(w: World) -> Case:
    w.tracked()
    w.at(12)
    yield {}
    assert {f for f, seen in w.frames.items() if seen.verified} == set(UNSURE)
    assert w.session.triage.left() == (0, 0)


@case("object")
def review__unverify(w: World) -> Case:
    w.tracked()
    w.at(30)
    w.session.verify_stretch()
    w.at(30)
    yield {}
    assert not w.frames[30].verified


# --- Go ---------------------------------------------------------------------------------------------------------------


def _goes(id_: str, start: int, end: int) -> None:
    @case("closed", f"go.{id_}")
    def gone(w: World) -> Case:
        w.session.change_settings(jump=3)
        w.at(start)
        yield {}
        assert w.session.frame == end


for _id, _start, _end in (
    ("next", 4, 5), ("previous", 4, 3), ("forward", 4, 7), ("back", 4, 1), ("far_forward", 4, 34), ("far_back", 34, 4),
    ("first", 4, 0), ("last", 4, FRAMES - 1),
):  # fmt: skip
    _goes(_id, _start, _end)


@case("closed")
def go__frame(w: World) -> Case:
    yield {"place": "21"}
    assert w.session.frame == 21


def _to_keyframe(id_: str, end: int) -> None:
    @case("closed", f"go.{id_}")
    def gone(w: World) -> Case:
        w.object(2)
        w.session.set_box(square(20), frame=20)
        w.settle()
        w.at(10)
        yield {}
        assert w.session.frame == end


_to_keyframe("next_keyframe", 20)
_to_keyframe("previous_keyframe", 2)


@case("closed")
def go__play(w: World) -> Case:
    yield {}
    assert w.session.mode is Mode.PLAYING
    w.session.set_playing(False)


@case("closed")
def go__faster(w: World) -> Case:
    yield {}
    assert w.session.settings.playback_rate == 1.5


@case("closed")
def go__slower(w: World) -> Case:
    yield {}
    assert w.session.settings.playback_rate == 0.5


@case("closed")
def go__loop_from(w: World) -> Case:
    w.at(7)
    yield {}
    assert w.session.loop == range(7, FRAMES)


@case("closed")
def go__loop_to(w: World) -> Case:
    w.at(7)
    yield {}
    assert w.session.loop == range(8)


@case("object")
def go__loop_off(w: World) -> Case:
    w.session.set_loop(start=3)
    yield {}
    assert w.session.loop is None


@case("object")
def go__next_clip(w: World) -> Case:
    w.collected()
    yield {}
    w.at_clip(2)


@case("object")
def go__previous_clip(w: World) -> Case:
    w.collected()
    yield {}
    w.at_clip(0)


@case("object")
def go__next_unfinished(w: World) -> Case:
    w.collected()
    w.session.set_clip_done(2, True)
    yield {}
    w.at_clip(0)


# --- View -------------------------------------------------------------------------------------------------------------


@case("")
def view__heat(w: World) -> Case:
    yield {}
    assert w.session.settings.heat_kind == "classification"


@case("")
def view__mask_style(w: World) -> Case:
    yield {}
    assert w.session.settings.mask_style == "fill"


def _switch(id_: str, name: str) -> None:
    @case("", f"view.{id_}")
    def switched(w: World) -> Case:
        yield {}
        assert getattr(w.session.settings, name) is not getattr(Settings(), name)


for _id, _name in {
    "masks": "show_masks",
    "ghost": "show_ghost",
    "labels": "show_labels",
    "lock_camera": "lock_camera",
    "magnifier": "magnifier",
    "search": "show_search",
}.items():
    _switch(_id, _name)
