"""The session and the disk: opening, saving, relinking, recovering, exporting, closing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from session_fakes import FakeTrackers, picture, saved, square, write_clip

from app.formats.base import FormatError
from app.formats.project import ProjectError, load_project
from app.formats.vot import VotParams
from app.media import MediaError, index
from app.session import Mode, RelinkError, Session, SessionError
from app.settings import Settings, load_settings
from app.work.journal import recover


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", frames=8)


@pytest.fixture
def session() -> Iterator[Session]:
    session = new_session()
    yield session
    session.close(discard=True)


def new_session() -> Session:
    return Session(Settings(tracker="fake"), create_tracker=FakeTrackers())


def labelled(clip: Path) -> Session:
    session = new_session()
    session.wait(session.open(clip))
    session.add_object(square(0), "cat")
    return session


def test_a_new_session_holds_nothing_and_says_so(session: Session):
    assert (session.mode, session.media, session.frame_count, session.dirty) == (Mode.EMPTY, None, 0, False)
    session.seek(5)
    session.step(1)
    session.set_playing(True)
    session.escape()
    session.undo()
    session.redo()
    assert session.frame == 0
    for ask in (session.save, session.begin_drawing, session.track, lambda: session.export("coco", "x.json")):
        with pytest.raises(SessionError, match="Open a video first"):
            ask()


def test_opening_a_video_shows_its_first_frame(session: Session, clip: Path):
    modes: list[Mode] = []
    session.events.mode.connect(modes.append)
    session.wait(session.open(clip))
    session.wait(lambda: session.shown is not None)
    assert session.shown is not None
    assert (session.shown.image == picture(0)).all()
    assert (session.frame_count, session.title, session.project, session.dirty) == (8, "clip.mkv", None, False)
    assert modes == [Mode.OPENING, Mode.IDLE]


def test_opening_a_folder_of_images(session: Session, tmp_path: Path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for n in range(3):
        cv2.imwrite(str(folder / f"{n}.png"), picture(n))
    session.wait(session.open(folder))
    session.add_object(square(0))
    assert saved(session) == tmp_path / "frames.siamlabel"
    assert session.frame_count == 3


@pytest.mark.parametrize("name", ["missing.mp4", "text.mp4"])
def test_what_cannot_be_opened_is_told_and_the_rest_stays(session: Session, clip: Path, tmp_path: Path, name: str):
    (tmp_path / "text.mp4").write_text("no video")
    session.wait(session.open(clip))
    session.add_object(square(0))
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.open(tmp_path / name)
    session.wait(lambda: job.ended)
    assert len(errors) == 1
    assert isinstance(errors[0], (SessionError, MediaError))
    assert name in str(errors[0])
    assert session.title == "clip.mkv"
    assert session.document.tracks


def test_a_project_is_saved_beside_its_video_and_found_again(session: Session, clip: Path):
    first = labelled(clip)
    told: list[Path] = []
    first.events.saved.connect(told.append)
    assert first.dirty
    assert saved(first) == clip.with_suffix(".siamlabel")
    assert told == [clip.with_suffix(".siamlabel")]
    assert not first.dirty
    assert first.title == "clip.siamlabel"
    first.close()
    session.wait(session.open(clip))
    assert session.project == clip.with_suffix(".siamlabel")
    assert session.document.tracks[1].label == "cat"
    assert not session.dirty


def test_the_project_of_another_video_is_never_overwritten(session: Session, clip: Path):
    labelled_session = labelled(clip)
    saved(labelled_session)
    labelled_session.close()
    write_clip(clip, frames=5)
    session.wait(session.open(clip))
    assert not session.document.tracks
    session.add_object(square(0))
    assert saved(session).name == "clip-2.siamlabel"
    assert load_project(clip.with_suffix(".siamlabel")).video.frames == 8  # type: ignore[union-attr]


def test_save_as_takes_the_suffix_and_makes_the_folder(session: Session, clip: Path, tmp_path: Path):
    session.wait(session.open(clip))
    target = saved(session, tmp_path / "deep" / "er" / "work.v1")
    assert target == tmp_path / "deep" / "er" / "work.v1.siamlabel"
    session.add_object(square(0))
    assert saved(session) == target


def test_a_save_that_fails_leaves_the_work_unsaved(session: Session, clip: Path, tmp_path: Path):
    session.wait(session.open(clip))
    session.add_object(square(0))
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError):
        saved(session, tmp_path / "file" / "x.siamlabel")
    assert session.dirty
    assert session.project is None


def test_a_moved_video_asks_and_is_relinked(session: Session, clip: Path, tmp_path: Path):
    first = labelled(clip)
    project = saved(first, tmp_path / "projects" / "p.siamlabel")
    first.close()
    moved = tmp_path / "moved.mkv"
    clip.rename(moved)
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.open(project)
    session.wait(lambda: job.ended)
    (error,) = errors
    assert isinstance(error, RelinkError)
    assert (error.project, error.found, error.video.frames) == (project, None, 8)
    assert "is not at" in str(error)
    session.wait(session.open(error.project, video=moved))
    assert session.document.video is not None
    assert session.document.video.path == str(moved)
    assert session.dirty, "the new place is worth saving"


def test_a_changed_video_asks_before_it_is_taken(session: Session, clip: Path, tmp_path: Path):
    first = labelled(clip)
    project = saved(first, tmp_path / "projects" / "p.siamlabel")
    first.close()
    write_clip(clip, frames=5)
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.open(project)
    session.wait(lambda: job.ended)
    assert isinstance(errors[0], RelinkError)
    assert errors[0].found == clip
    assert "5 frames of 96 x 64 instead of 8" in str(errors[0])
    session.wait(session.open(project, video=clip, accept=True))
    assert session.frame_count == 5
    assert session.document.tracks


def test_unsaved_work_is_offered_and_recovered(session: Session, clip: Path):
    first = labelled(clip)
    first.close()
    (left,) = session.leftovers()
    assert (left.project, left.video, left.edits) == (None, str(clip), 1)
    session.wait(session.recover(left))
    assert session.document.tracks[1].label == "cat"
    assert session.dirty
    session.wait(lambda: not left.path.exists())
    saved(session)
    session.close()
    assert new_session().leftovers() == []


def test_unsaved_work_can_be_forgotten(session: Session, clip: Path):
    labelled(clip).close()
    session.forget(session.leftovers()[0])
    assert session.leftovers() == []


@pytest.mark.parametrize("end", ["saved", "discarded", "nothing done"])
def test_nothing_is_offered_after_a_proper_end(session: Session, clip: Path, end: str):
    first = labelled(clip) if end != "nothing done" else session
    if end == "saved":
        saved(first)
    first.close(discard=end == "discarded")
    assert session.leftovers() == []


def test_recovering_work_whose_video_is_gone_asks_too(session: Session, clip: Path, tmp_path: Path):
    labelled(clip).close()
    clip.rename(tmp_path / "moved.mkv")
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    (left,) = session.leftovers()
    job = session.recover(left)
    session.wait(lambda: job.ended)
    assert isinstance(errors[0], RelinkError)
    assert left.path.exists()
    session.wait(session.recover(left, video=tmp_path / "moved.mkv"))
    assert session.document.tracks


def test_only_one_thing_is_opened_at_a_time(session: Session, clip: Path):
    job = session.open(clip)
    with pytest.raises(SessionError, match="already"):
        session.open(clip)
    session.wait(job)


def test_export_reports_and_can_be_read(session: Session, clip: Path, tmp_path: Path):
    session.wait(session.open(clip))
    session.add_object(square(0), "cat")
    session.wait(session.track())
    progress: list[float | None] = []
    session.events.progress.connect(lambda title, done: progress.append(done))
    job = session.export("coco", tmp_path / "out.json")
    session.wait(job)
    assert job.value is not None
    assert job.value.verified
    assert progress[-1] is None
    assert all(0 <= done <= 1 for done in progress[:-1] if done is not None)
    assert progress[:-1]
    assert len(json.loads((tmp_path / "out.json").read_text())["annotations"]) == 8


def test_an_export_that_fails_is_told(session: Session, clip: Path, tmp_path: Path):
    session.wait(session.open(clip))
    session.add_object(square(0), "cat")
    with pytest.raises(FormatError, match="here is no format"):
        session.export("nonsense", tmp_path / "out")
    (tmp_path / "file").write_text("")
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.export("coco", tmp_path / "file" / "x.json")
    session.wait(lambda: job.ended)
    assert isinstance(errors[0], FormatError)


def test_settings_are_kept_when_there_is_a_place(tmp_path: Path):
    session = Session(settings_path=tmp_path / "s" / "settings.json")
    told: list[Settings] = []
    session.events.settings.connect(told.append)
    session.cycle_heat()
    session.change_settings(cache_mb=128)
    kept = load_settings(tmp_path / "s" / "settings.json")
    assert (kept.heat_kind, kept.cache_mb) == ("classification", 128)
    assert told[-1] == kept
    session.close()


def test_the_sample_clip_opens_without_a_path(session: Session, clip: Path, monkeypatch: pytest.MonkeyPatch):
    folder = clip.parent / "resources" / "sample"
    folder.mkdir(parents=True)
    shutil.move(clip, folder / "video.mkv")
    monkeypatch.setattr("app.work.opening.SAMPLE", "sample/video.mkv")
    monkeypatch.setattr("app.diagnostics.resource", lambda name: folder.parent / name)
    session.wait(session.open())
    session.add_object(square(0))
    project = saved(session)
    assert project.name == "sample.siamlabel"
    assert folder not in project.parents


def test_work_that_was_abandoned_is_not_offered_again(session: Session, clip: Path, tmp_path: Path):
    other = write_clip(tmp_path / "other.mkv", frames=3)
    first = labelled(clip)
    first.abandon()
    first.wait(first.open(other))
    assert first.leftovers() == []
    first.add_object(square(0))
    first.abandon()
    first.set_box(square(1))
    first.close()
    assert len(session.leftovers()) == 1, "an edit after it is kept"


def test_an_export_does_not_scan_the_video_again(session: Session, clip: Path, tmp_path: Path, monkeypatch):
    session.wait(session.open(clip))
    session.add_object(square(0))

    def scan(*_: object) -> None:
        raise AssertionError("the table of frames was made once, when the video was opened")

    monkeypatch.setattr(index, "build_index", scan)
    session.wait(session.export("vot", tmp_path / "out", VotParams(with_frames=True)))
    assert list((tmp_path / "out").rglob("*.jpg"))


def test_what_is_edited_while_saving_stays_unsaved_and_in_the_journal(session: Session, clip: Path):
    session.wait(session.open(clip))
    session.add_object(square(0), "cat")
    job = session.save()
    session.set_track(1, label="dog")
    session.wait(job)
    assert job.value is not None
    assert load_project(job.value).tracks[1].label == "cat"
    assert session.dirty
    session.undo()
    assert not session.dirty
    session.redo()
    session.close()
    again = new_session()
    (left,) = again.leftovers()
    assert recover(left).tracks[1].label == "dog"
    again.close(discard=True)
