"""Many clips as one piece of work: the manifest, going about, undo, unsaved work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import documents
from session_fakes import FakeTrackers, saved, square, write_clip

from app.formats.collection import CollectionError, load_collection, save_collection
from app.formats.project import load_project
from app.model.collection import Clip, Collection
from app.model.document import Label
from app.session import Mode, RelinkError, Session, SessionError
from app.settings import Settings
from app.work import journal
from app.work.clips import counts
from app.work.opening import glance

names = st.text("abcä ü._-", min_size=1, max_size=8).filter(lambda name: name.strip(". "))
count = st.integers(0, 2**40)
clips = st.builds(
    Clip, names.map("/data/{}".format), st.just("") | names.map("/data/{}.siamlabel".format), names, count, count,
    count, count, count, count, st.booleans(), count, st.lists(names.map("/data/{}".format), max_size=2).map(tuple),
    st.sampled_from(["", "otb"]),
)  # fmt: skip


@given(st.lists(clips, unique_by=lambda clip: clip.video, max_size=5), st.lists(names, unique=True, max_size=3))
def test_a_manifest_reads_back_as_it_was(tmp_path_factory, found, labels):
    path = tmp_path_factory.mktemp("c") / "all.siamclips"
    before = Collection(tuple(found), tuple(Label(name, "#ff0000") for name in labels), {"jump": 5, "masks": False})
    save_collection(before, path)
    assert load_collection(path) == before


@given(documents())
def test_the_open_clip_is_counted_from_its_lanes_as_from_its_document(doc):
    told = counts(doc, Path("a.siamlabel"))
    assert glance(doc, 8).coverage() == (told["labelled"], told["vouched"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[" * 5000, "damaged"),
        ('{"format": "coco"}', "not a collection"),
        ('{"format": "siamclips", "schema": 9}', "newer SiamLabel"),
        ('{"format": "siamclips", "schema": 1, "clips": [], "more": 1}', "more"),
        ('{"format": "siamclips", "schema": 1, "clips": [{"video": {"path": "", "absolute": ""}}]}', "no path"),
        (
            '{"format": "siamclips", "schema": 1, "clips": [{"video": {"path": "a\\u0000", "absolute": "/a"}}]}',
            "no path",
        ),
        (
            '{"format": "siamclips", "schema": 1, "clips": [{"video": {"path": "a", "absolute": "/a"}},'
            ' {"video": {"path": "a", "absolute": "/a"}}]}',
            "twice",
        ),
    ],
)
def test_a_bad_manifest_is_refused_in_words(tmp_path, text, said):
    path = tmp_path / "bad.siamclips"
    path.write_text(text)
    with pytest.raises(CollectionError, match=said) as caught:
        load_collection(path)
    assert "bad.siamclips" in str(caught.value)


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "day"
    folder.mkdir()
    return [write_clip(folder / f"{name}.mkv", frames=6 + n) for n, name in enumerate("abc")]


@pytest.fixture
def session(videos: list[Path]) -> Iterator[Session]:
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.open_folder(videos[0].parent)
    arrive(session)
    yield session
    session.close(discard=True)


def arrive(session: Session) -> None:
    session.wait(lambda: session.is_open and session.mode is not Mode.OPENING)


def go(session: Session, number: int, video: Path | None = None) -> None:
    job = session.go_to_clip(number, video=video)
    assert job is not None
    session.wait(job)


def test_a_folder_of_videos_is_a_collection_that_opens_at_its_first_clip(session, videos):
    assert [Path(clip.video) for clip in session.collection.clips] == videos
    assert session.clip == 0
    session.step_clip(1)
    arrive(session)
    assert session.media.path == videos[1]
    assert session.collection.clips[1].frames == 7
    go(session, 0)
    with pytest.raises(SessionError, match="first"):
        session.step_clip(-1)


def test_undo_takes_back_the_newest_step_of_all_clips(session):
    session.add_object(square(0), "cat")
    go(session, 1)
    session.add_object(square(0), "dog")
    go(session, 0)
    session.add_object(square(1), "cow")
    go(session, 2)
    for clip, left in ((0, ["cat"]), (1, []), (0, [])):
        session.undo()
        arrive(session)
        assert (session.clip, [t.label for t in session.document.tracks.values()]) == (clip, left)
    assert not session.can_undo
    assert not session.dirty
    for clip, there in ((0, ["cat"]), (1, ["dog"]), (0, ["cat", "cow"])):
        session.redo()
        arrive(session)
        assert (session.clip, [t.label for t in session.document.tracks.values()]) == (clip, there)


def test_saving_saves_every_clip_and_tells_the_manifest(session):
    session.add_object(square(0), "cat")
    go(session, 1)
    session.add_object(square(0), "dog")
    session.set_labels([Label("dog", "#ff0000")])
    assert session.dirty
    saved(session)
    assert not session.dirty
    manifest = load_collection(session.collection_path)
    assert [(clip.objects, clip.boxes, clip.labelled) for clip in manifest.clips] == [(1, 1, 1), (1, 1, 1), (0, 0, 0)]
    held = [load_project(Path(clip.project)).tracks[1].label for clip in manifest.clips[:2]]
    assert held == ["cat", "dog"]
    go(session, 2)
    assert "dog" in [label.name for label in session.document.labels]  # the labels are shared
    assert not session.dirty


def test_a_moved_folder_is_found_again(session, videos, tmp_path):
    session.add_object(square(0), "cat")
    saved(session)
    manifest = session.collection_path
    assert manifest is not None
    session.close()
    shutil.move(videos[0].parent, tmp_path / "night")
    again = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    again.open(tmp_path / "night" / manifest.name)
    arrive(again)
    assert again.media.path == tmp_path / "night" / "a.mkv"
    assert len(again.document.tracks) == 1
    again.close()


def test_unsaved_work_of_a_clip_that_was_left_survives_a_kill(session, videos, monkeypatch):
    session.add_object(square(0), "cat")
    left = session.journal
    assert left is not None
    go(session, 1)
    assert left.flush(10)
    copies = [shutil.copy(left.path, left.path.with_name("20200101-dead.journal" + left.path.suffix))]
    wal = left.path.with_name(left.path.name + "-wal")
    if wal.exists():
        copies.append(shutil.copy(wal, str(copies[0]) + "-wal"))
    found = [one for one in session.leftovers() if str(one.path) == str(copies[0])]
    assert [Path(one.video) for one in found] == [videos[0]]
    assert [t.label for t in journal.recover(found[0]).tracks.values()] == ["cat"]


def test_leaving_the_collection_keeps_what_was_not_saved_unless_it_is_abandoned(session, videos):
    session.add_object(square(0), "cat")
    go(session, 1)
    session.wait(session.open(videos[2]))
    assert session.collection is None
    assert [Path(one.video) for one in session.leftovers()] == [videos[0]]
    session.forget(session.leftovers()[0])
    session.open_collection(videos[0].parent / "day.siamclips")
    session.wait(lambda: session.clip == 0)
    session.add_object(square(0), "cat")
    go(session, 1)
    session.abandon()
    session.wait(session.open(videos[2]))
    assert session.leftovers() == []


def test_a_missing_clip_is_passed_by_and_found_again_by_its_content(session, videos, tmp_path):
    go(session, 1)
    manifest = session.collection_path
    assert manifest is not None
    go(session, 0)
    session.wait(session.jobs.run("files", iter_nothing()))
    session.close()
    moved = videos[1].rename(tmp_path / "elsewhere.mkv")
    again = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    again.open(manifest)
    arrive(again)
    assert again.missing == {str(videos[1])}
    again.step_clip(1)
    arrive(again)
    assert again.clip == 2
    with pytest.raises(RelinkError):
        go(again, 1)
    with pytest.raises(RelinkError):
        go(again, 1, videos[0])
    go(again, 1, moved)
    assert again.go_to_clip(1) is None
    assert again.clip == 1
    assert again.collection is not None
    assert again.collection.clips[1].video == str(moved)
    assert not again.missing
    again.close()


def iter_nothing():
    yield


def test_clips_are_added_removed_and_ticked_off(session, videos, tmp_path):
    more = write_clip(tmp_path / "d.mkv", frames=5)
    session.wait(session.add_clips([more, videos[0]]))
    session.set_clip_done(3, True)
    session.remove_clip(1)
    with pytest.raises(SessionError, match="is open"):
        session.remove_clip(0)
    session.wait(session.jobs.run("files", iter_nothing()))
    found = load_collection(session.collection_path).clips
    assert [(Path(clip.video).name, clip.done) for clip in found] == [
        ("a.mkv", False),
        ("c.mkv", False),
        ("d.mkv", True),
    ]
