"""Folders of known data sets as collections: what is found, which labels come in, what a bad clip does to the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from session_fakes import FakeTrackers, square, write_clip

from app.formats.collection import load_collection
from app.model.tracks import Source
from app.session import Mode, Session, SessionError
from app.settings import Settings
from app.work import journal
from app.work.collecting import KEPT
from app.work.gathering import gather

SIZE = (48, 32)
FRAMES = 4
BOX = "5,6,10,8"


def images(folder: Path, pattern: str = "{:08d}.jpg", frames: int = FRAMES, first: int = 1) -> Path:
    folder.mkdir(parents=True)
    for n in range(frames):
        cv2.imwrite(str(folder / pattern.format(n + first)), np.full((SIZE[1], SIZE[0], 3), 40 * n, np.uint8))
    return folder


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def otb(root: Path) -> None:
    for name in ("Car4", "Jogging"):
        images(root / name / "img", "{:04d}.jpg")
    text(root / "Car4" / "groundtruth_rect.txt", *[BOX] * FRAMES)
    for number in (1, 2):
        text(root / "Jogging" / f"groundtruth_rect.{number}.txt", *[BOX.replace(",", "\t")] * FRAMES)


def lasot(root: Path) -> None:
    for name in ("cat-1", "cat-2"):
        folder = root / "cat" / name
        images(folder / "img")
        text(folder / "groundtruth.txt", *[BOX] * FRAMES)
        text(folder / "full_occlusion.txt", "0,0,0,0")
        text(folder / "out_of_view.txt", "0,0,0,0")


def got10k(root: Path) -> None:
    for name in ("GOT-10k_Train_000001", "GOT-10k_Train_000002"):
        folder = images(root / "train" / name)
        text(folder / "groundtruth.txt", *[BOX] * FRAMES)
        text(folder / "absence.label", *["0"] * FRAMES)
        text(folder / "cover.label", *["8"] * FRAMES)
        text(folder / "meta_info.ini", "[METAINFO]", "object_class: cat")


def vot(root: Path) -> None:
    text(root / "list.txt", "ball", "book")
    for name in ("ball", "book"):
        images(root / name / "color")
        text(root / name / "groundtruth.txt", *["5,6,15,6,15,14,5,14"] * FRAMES)


def mot(root: Path) -> None:
    for name in ("MOT17-02", "MOT17-04"):
        images(root / "train" / name / "img1", "{:06d}.jpg")
        rows = [f"{frame},{number},5,6,10,8,1,1,1" for frame in range(1, FRAMES + 1) for number in (1, 2)]
        text(root / "train" / name / "gt" / "gt.txt", *rows)


def davis(root: Path) -> None:
    for name in ("bear", "swan"):
        images(root / "JPEGImages" / "480p" / name, "{:05d}.jpg", first=0)
        folder = root / "Annotations" / "480p" / name
        folder.mkdir(parents=True)
        for n in range(FRAMES):
            mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
            mask[6:14, 5:15] = 1
            cv2.imwrite(str(folder / f"{n:05d}.png"), mask)


def uav123(root: Path) -> None:
    images(root / "data_seq" / "UAV123" / "bike1", "{:06d}.jpg")
    images(root / "data_seq" / "UAV123" / "car1", "{:06d}.jpg", frames=2 * FRAMES - 1)
    for name in ("bike1", "car1_1", "car1_2"):
        text(root / "anno" / "UAV123" / f"{name}.txt", *[BOX] * FRAMES)


def trackingnet(root: Path) -> None:
    for name in ("aa", "bb"):
        images(root / "TRAIN_0" / "frames" / name, "{}.jpg", first=0)
        text(root / "TRAIN_0" / "anno" / f"{name}.txt", *[BOX] * FRAMES)


ROOTS: dict[str, tuple[Callable[[Path], None], list[tuple[str, int, int]]]] = {
    "otb": (otb, [("Car4", 1, FRAMES), ("Jogging", 2, 2 * FRAMES)]),
    "lasot": (lasot, [("cat-1", 1, FRAMES), ("cat-2", 1, FRAMES)]),
    "got10k": (got10k, [("GOT-10k_Train_000001", 1, FRAMES), ("GOT-10k_Train_000002", 1, FRAMES)]),
    "vot": (vot, [("ball", 1, FRAMES), ("book", 1, FRAMES)]),
    "mot": (mot, [("MOT17-02", 2, 2 * FRAMES), ("MOT17-04", 2, 2 * FRAMES)]),
    "davis": (davis, [("bear", 1, FRAMES), ("swan", 1, FRAMES)]),
    "uav123": (uav123, [("bike1", 1, FRAMES), ("car1", 2, 2 * FRAMES)]),
    "trackingnet": (trackingnet, [("aa", 1, FRAMES), ("bb", 1, FRAMES)]),
}


@pytest.fixture
def session():
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    session.errors = []
    session.told = []
    session.events.error.connect(session.errors.append)
    session.events.message.connect(session.told.append)
    yield session
    session.close(discard=True)


def arrive(session: Session) -> None:
    session.wait(lambda: session.is_open and session.mode is not Mode.OPENING)


def go(session: Session, number: int) -> None:
    job = session.go_to_clip(number)
    assert job is not None
    session.wait(job)


def found(*paths: Path):
    steps = gather(paths)
    shares = []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as end:
            assert shares == sorted(shares)
            assert all(0 <= share <= 1 for share in shares)
            return end.value


@pytest.mark.parametrize("name", ROOTS)
def test_the_root_of_a_data_set_opens_with_its_sequences_and_their_labels(session, tmp_path, name):
    make, expected = ROOTS[name]
    make(tmp_path / name)
    session.open_folder(tmp_path / name)
    arrive(session)
    assert [clip.name for clip in session.collection.clips] == [clip for clip, _, _ in expected]
    assert {clip.format for clip in session.collection.clips} == {name}
    for number, (clip, objects, boxes) in enumerate(expected):
        if number:
            go(session, number)
        seen = [one for track in session.document.tracks.values() for one in track.frames.values()]
        assert (clip, len(session.document.tracks), sum(one.present for one in seen)) == (clip, objects, boxes)
        assert {one.source for one in seen} == {Source.IMPORTED}
        assert any(f"{boxes} boxes" in said for said in session.told)
        session.undo()  # one step brings all of it
        assert not session.document.tracks
        session.redo()
    assert session.errors == []


@pytest.mark.parametrize("name", ROOTS)
def test_the_pictures_of_one_sequence_open_with_its_labels(session, tmp_path, name):
    make, expected = ROOTS[name]
    make(tmp_path / name)
    media = [Path(clip.video) for clip in found(tmp_path / name)]
    for (clip, objects, boxes), pictures in zip(expected, media, strict=True):
        session.wait(session.open(pictures))
        seen = [one for track in session.document.tracks.values() for one in track.frames.values()]
        assert (clip, len(session.document.tracks), sum(one.present for one in seen)) == (clip, objects, boxes)
        assert f"{boxes} boxes" in session.told[-1]
        assert session.collection is None
        session.undo()
        assert not session.document.tracks
        assert not session.dirty
        (alone,) = found(pictures)  # as a collection of one clip, too
        assert (alone.video, alone.format, bool(alone.truths)) == (str(pictures), name, True)
    session.wait(session.open(media[0], fresh=True))
    assert not session.document.tracks
    session.add_object(square(0), "mine")
    session.wait(session.save())
    session.wait(session.open(media[0]))
    assert [track.label for track in session.document.tracks.values()] == ["mine"]
    assert session.errors == []


def test_pictures_beside_labels_of_others_and_labels_that_are_broken(session, tmp_path):
    got10k(tmp_path)
    folder = tmp_path / "train" / "GOT-10k_Train_000001"
    plain = images(folder / "more")
    session.wait(session.open(plain))
    assert not session.document.tracks
    truth = text(folder / "groundtruth.txt", "1,2,three,4")
    session.wait(session.open(folder))
    assert not session.document.tracks
    assert str(truth) in str(session.errors[0])


def test_labels_come_in_once_and_what_was_saved_wins(session, tmp_path):
    otb(tmp_path / "set")
    session.open_folder(tmp_path / "set")
    arrive(session)
    session.undo()
    session.add_object(square(0), "mine")
    session.wait(session.save())
    go(session, 1)
    go(session, 0)
    assert [track.label for track in session.document.tracks.values()] == ["mine"]
    manifest = session.collection_path
    session.wait(session.save())
    session.wait(session.open_collection(manifest))
    arrive(session)
    assert [track.label for track in session.document.tracks.values()] == ["mine"]


def test_looking_through_a_long_data_set_keeps_only_a_few_clips_and_all_that_were_worked_on(session, tmp_path):
    for n in range(KEPT + 4):
        images(tmp_path / "set" / f"c{n}" / "img", "{:04d}.jpg", frames=2)
        text(tmp_path / "set" / f"c{n}" / "groundtruth_rect.txt", *[BOX] * 2)
    session.open_folder(tmp_path / "set")
    arrive(session)
    session.add_object(square(0), "mine")
    for n in range(1, KEPT + 4):
        go(session, n)
    names = {Path(video).parent.name for video in session.unsaved_clips}
    assert names == {"c0", *(f"c{n}" for n in range(3, KEPT + 3))}
    go(session, 1)
    assert len(session.document.tracks) == 1  # they have come again
    go(session, 0)
    assert len(session.document.tracks) == 2


def test_labels_that_came_in_survive_a_kill(session, tmp_path):
    otb(tmp_path / "set")
    session.open_folder(tmp_path / "set")
    arrive(session)
    assert session.dirty
    assert session.journal is not None
    assert session.journal.flush(10)
    session.close()
    (left,) = session.leftovers()
    assert len(journal.recover(left).tracks[1].frames) == FRAMES


def test_the_labels_of_a_clip_that_cannot_be_read_are_told_and_the_clip_opens(session, tmp_path):
    otb(tmp_path / "set")
    truth = text(tmp_path / "set" / "Car4" / "groundtruth_rect.txt", "1,2,three,4")
    session.open_folder(tmp_path / "set")
    arrive(session)
    assert session.clip == 0
    assert not session.document.tracks
    assert str(truth) in str(session.errors[0])
    assert "three" in session.failed[session.collection.clips[0].video]
    go(session, 1)
    assert len(session.document.tracks) == 2
    go(session, 0)  # it was kept: nothing is read again, and what is said of it stays
    assert session.told[-1] == "Opened Car4"
    assert list(session.failed) == [session.collection.clips[0].video]


def test_a_clip_that_cannot_be_opened_says_why_and_the_next_one_is(session, tmp_path):
    otb(tmp_path / "set")
    for file in (tmp_path / "set" / "Car4" / "img").iterdir():
        file.write_bytes(b"no picture")
    session.open_folder(tmp_path / "set")
    session.wait(lambda: session.clip == 1)
    assert "damaged" in session.failed[session.collection.clips[0].video]
    assert len(session.errors) == 1


def test_labels_that_do_not_fit_are_told(session, tmp_path):
    otb(tmp_path / "set")
    text(tmp_path / "set" / "Car4" / "groundtruth_rect.txt", *[BOX] * (FRAMES + 2))
    session.open_folder(tmp_path / "set")
    arrive(session)
    assert "beyond the last frame" in str(session.errors[0])
    assert len(session.document.tracks[1].frames) == FRAMES


def test_sequences_may_have_videos_in_place_of_pictures_and_lie_in_folders_of_folders(tmp_path):
    for part, name in (("boxes", "car"), ("boxes", "dog"), ("absent", "fox")):
        text(tmp_path / part / name / "groundtruth.txt", *[BOX] * FRAMES)
        write_clip(tmp_path / part / name / "video.mkv", frames=FRAMES)
        (tmp_path / part / name / "masks").mkdir()
        cv2.imwrite(str(tmp_path / part / name / "masks" / "0.png"), np.zeros((8, 8), np.uint8))
    clips = found(tmp_path)
    assert [clip.name for clip in clips] == ["fox", "car", "dog"]
    assert all(Path(clip.video).name == "video.mkv" for clip in clips)


def test_folders_without_labels_bring_their_pictures_and_videos(tmp_path):
    images(tmp_path / "walk" / "left")
    images(tmp_path / "walk" / "right")
    write_clip(tmp_path / "more" / "a.mkv", frames=3) if (tmp_path / "more").mkdir() is None else None
    assert [clip.name for clip in found(tmp_path)] == ["a.mkv", "left", "right"]
    write_clip(tmp_path / "day.mkv", frames=3)  # then the folder is one of videos
    assert [clip.name for clip in found(tmp_path)] == ["day.mkv"]
    assert [clip.name for clip in found(tmp_path / "walk" / "left", tmp_path / "day.mkv")] == ["left", "day.mkv"]


def test_nothing_to_label_is_told(tmp_path):
    text(tmp_path / "deep" / "er" / "notes.txt", "nothing")
    with pytest.raises(SessionError, match="holds no videos, no pictures"):
        found(tmp_path)
    with pytest.raises(SessionError, match="does not exist"):
        found(tmp_path / "gone")


def test_looking_through_a_folder_can_be_cancelled(session, tmp_path):
    otb(tmp_path / "set")
    titles: list[str] = []
    session.events.progress.connect(lambda title, share: titles.append(title))
    job = session.open_folder(tmp_path / "set")
    assert session.mode is Mode.OPENING
    assert session.cancellable(titles[0])
    session.cancel(titles[0])
    session.wait(job)
    assert session.collection is None
    assert session.mode is Mode.EMPTY
    assert not list((tmp_path / "set").glob("*.siamclips"))


def test_a_set_that_cannot_be_written_keeps_its_manifest_and_projects_elsewhere(session, tmp_path, monkeypatch):
    otb(tmp_path / "set")
    monkeypatch.setattr("os.access", lambda path, mode: "set" not in Path(path).parts)
    session.open_folder(tmp_path / "set")
    arrive(session)
    assert tmp_path / "set" not in session.collection_path.parents
    session.wait(session.save())
    assert session.project.name == "Car4.siamlabel"
    assert tmp_path / "set" not in session.project.parents
    assert not list((tmp_path / "set").rglob("*.siam*"))


def test_a_manifest_remembers_where_the_labels_are_when_all_was_moved(session, tmp_path):
    otb(tmp_path / "set")
    session.open_folder(tmp_path / "set")
    arrive(session)
    session.close(discard=True)
    shutil.move(tmp_path / "set", tmp_path / "elsewhere")
    clips = load_collection(tmp_path / "elsewhere" / "set.siamclips").clips
    assert all(Path(truth).exists() and "elsewhere" in truth for clip in clips for truth in clip.truths)
    assert [len(clip.truths) for clip in clips] == [1, 1]
