from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from session_fakes import FRAMES, FakeTrackers, square, write_clip

from app.formats.base import FormatError
from app.model.document import Comment, Document, Label, VideoRef
from app.model.edits import SetFrames
from app.model.masks import Mask
from app.model.tracks import Observation, Track
from app.session import Session
from app.settings import Settings
from app.work import journal
from app.work.incoming import fit
from app.work.overview import Lane


@pytest.fixture
def session(tmp_path: Path):
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    yield session
    session.close(discard=True)


def exported(session: Session, out: Path, format_id: str = "coco") -> Path:
    session.add_object(square(0), "cat")
    session.wait(session.track(until=5))
    session.wait(session.export(format_id, out))
    return out


def test_what_was_exported_comes_in_beside_what_is_there_in_one_step(session, tmp_path):
    path = exported(session, tmp_path / "labels.json")
    before = {id_: dict(track.frames) for id_, track in session.document.tracks.items()}
    told = []
    session.events.incoming.connect(told.append)
    job = session.read_labels(path)
    session.wait(job)
    assert told == [job.value]
    assert job.value.format == "coco"
    assert job.value.tracks == (("cat 2", 6, 5),)
    assert {id_: dict(track.frames) for id_, track in session.document.tracks.items()} == before
    session.take_labels(job.value)
    assert set(session.document.tracks) == {1, 2}
    assert session.document.tracks[2].at(3).box == square(3)
    session.undo()
    assert set(session.document.tracks) == {1}


def test_of_a_file_about_many_clips_the_one_that_is_open_comes_in(session, tmp_path):
    path = exported(session, tmp_path / "labels.json")
    file = json.loads(path.read_text())
    file["videos"].append({"id": 2, "name": "other", "width": 8, "height": 8})
    file["images"].append({"id": 900, "video_id": 2, "frame_id": 0, "width": 8, "height": 8})
    path.write_text(json.dumps(file))
    job = session.read_labels(path)
    session.wait(job)
    assert job.value.tracks == (("cat 2", 6, 5),)


def test_numbers_taken_since_it_was_read_are_not_taken_twice(session, tmp_path):
    path = exported(session, tmp_path / "labels.json")
    job = session.read_labels(path)
    session.wait(job)
    mine = session.add_object(square(2))
    again = session.take_labels(job.value)
    assert len(session.document.tracks) == 2  # it is fitted anew beside the window
    other = session.add_object(square(3))
    session.wait(again)
    session.wait(lambda: len(session.document.tracks) == 4)
    boxes = [session.document.tracks[one].at(session.frame).box for one in (mine, other)]
    assert boxes == [square(2), square(3)]
    session.undo()
    assert set(session.document.tracks) == {1, mine, other}
    session.redo()
    assert len(session.document.tracks) == 4


def test_what_is_edited_meanwhile_beside_it_stays_and_comes_back_from_the_journal(session, tmp_path):
    path = exported(session, tmp_path / "labels.json")
    job = session.read_labels(path)
    session.wait(job)
    session.commit(SetFrames(1, {2: None}), "")
    assert session.take_labels(job.value) is None
    session.commit(SetFrames(2, {3: None}), "")
    assert [sorted(track.frames) for track in session.document.tracks.values()] == [[0, 1, 3, 4, 5], [0, 1, 2, 4, 5]]
    lanes = {id_: Lane(FRAMES, track) for id_, track in session.document.tracks.items()}
    assert all((session.lanes.lanes[id_].codes == lane.codes).all() for id_, lane in lanes.items())
    assert session.journal.flush(10)
    doc = session.document.copy()
    session.close()
    (left,) = session.leftovers()
    assert journal.recover(left) == doc
    session.forget(left)


def test_an_import_does_not_go_into_another_clip(session, tmp_path):
    path = exported(session, tmp_path / "labels.json")
    job = session.read_labels(path)
    session.wait(job)
    session.add_object(square(2))
    gate = threading.Event()
    session.jobs.run("files", (gate.wait(10) for _ in range(1)))
    session.take_labels(job.value)
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    session.wait(session.open(write_clip(tmp_path / "other.mkv")))
    gate.set()
    session.wait(lambda: bool(errors))
    assert "labels.json was not imported" in str(errors[0])
    assert not session.document.tracks


def test_results_that_count_from_1_are_known_by_their_first_box(session, tmp_path):
    """A tracker repeats the box it was started on; in the file it lies a pixel right of and below the labelled one."""
    session.add_object(square(0), "cat")
    x, y, w, h = session.document.tracks[1].at(0).box
    (tmp_path / "Ball.txt").write_text(f"{x + 1},{y + 1},{w},{h}\n{x + 3},{y + 1},{w},{h}\n")
    job = session.read_labels(tmp_path / "Ball.txt")
    session.wait(job)
    assert job.value.how.counted_from == "1"
    assert "one pixel right of and below that of object 1" in job.value.why
    session.take_labels(job.value)
    assert [obs.box for obs in session.document.tracks[2].frames.values()] == [(x, y, w, h), (x + 2, y, w, h)]
    plain = session.read_labels(tmp_path / "Ball.txt", "", type(job.value.how)())  # as said, whatever it looks like
    session.wait(plain)
    assert (plain.value.how.counted_from, plain.value.why) == ("0", "")
    assert plain.value.found.tracks[1].frames[0].box == (x + 1, y + 1, w, h)


def test_other_results_count_from_0(session, tmp_path):
    session.add_object(square(0), "cat")
    x, y, w, h = session.document.tracks[1].at(0).box
    for first in ((x, y), (x + 1, y), (x + 5, y + 5)):
        (tmp_path / "Ball.txt").write_text(f"{first[0]},{first[1]},{w},{h}\n")
        job = session.read_labels(tmp_path / "Ball.txt")
        session.wait(job)
        assert (job.value.how.counted_from, job.value.why) == ("0", "")


def test_what_is_no_label_file_is_told_and_changes_nothing(session, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    errors: list[Exception] = []
    session.events.error.connect(errors.append)
    job = session.read_labels(tmp_path / "x.json")
    session.wait(lambda: job.ended)
    assert isinstance(errors[0], FormatError)
    assert "x.json" in str(errors[0])
    assert not session.document.tracks


def test_what_does_not_fit_is_left_out_and_counted():
    video = VideoRef("/a.mp4", "f", 10, 20, 10, 25.0)
    here = Document(video, [Label("cat", "#111111")], {1: Track(1, "cat", "#111111")}, 2)
    small, right = (Mask.encode(np.ones(shape, bool)) for shape in ((5, 5), (10, 20)))
    frames = {0: Observation(square(0), small), 1: Observation(square(1), right), 12: Observation(square(2))}
    found = Document(
        VideoRef("/b.mp4", "g", 20, 40, 20, 25.0), [Label("dog", "#222222")],
        {1: Track(1, "dog", "#222222", True, frames)}, 3, {2: Comment(2, 1, "look", 1)},
    )  # fmt: skip
    brought = fit(found, here, Path("b.json"), "coco")
    assert brought.labels == ("dog",)
    assert brought.tracks == (("dog 3", 2, 1),)
    assert [note.split(",")[0].split(":")[0] for note in brought.notes] == [
        "They were made for a video of 20 frames; this one has 10.",
        "They were made for pictures of 40 x 20; these are 20 x 10",
        "Labels beyond the last frame",
        "Masks of another picture size",
    ]
    comment = brought.edit.edits[-1].comment
    assert (comment.track, comment.text) == (3, "look")


def test_every_frame_of_a_project_comes_in(session, tmp_path):
    session.add_object(square(0), "cat")
    session.wait(session.track())
    job = session.save(tmp_path / "one.siamlabel")
    session.wait(job)
    read = session.read_labels(tmp_path / "one.siamlabel")
    session.wait(read)
    session.take_labels(read.value)
    assert len(session.document.tracks[2].frames) == FRAMES
