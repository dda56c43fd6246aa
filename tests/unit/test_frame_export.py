"""Frames as files: exactly the wanted ones, by the numbers of the data sets, whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, get_args, get_type_hints

import corpus
import cv2
import numpy as np
import pytest
from format_documents import small

import main
from app.formats import base
from app.formats.project import save_project
from app.formats.single import SingleFormat
from app.media import MediaError, open_media
from app.model.document import VideoRef
from app.work.errors import SessionError
from app.work.frame_export import NUMBERINGS, FrameParams, FrameReport, export_frames, wanted

CLIPS = ("bframes.mp4", "vfr.mp4", "rotated90.mp4", "odd.mp4", "editlist.mp4")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, corpus.Clip]:
    folder = tmp_path_factory.mktemp("clips")
    return {recipe.name: corpus.make(recipe, folder) for recipe in corpus.RECIPES if recipe.name in CLIPS}


def written(media: Path, out: Path, frames: list[int], **params: Any) -> FrameReport:
    steps, done = export_frames(media, out, frames, FrameParams(**params)), [0.0]
    while True:
        try:
            done.append(next(steps))
        except StopIteration as end:
            assert done == sorted(done)
            assert done[-1] <= 1.0
            return end.value


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", CLIPS)
def test_pictures_are_the_wanted_frames(clips: dict[str, corpus.Clip], tmp_path: Path, name: str) -> None:
    clip = clips[name]
    frames = [0, 1, 7, 8, 9, 30, 31, len(clip.numbers) - 1]
    report = written(clip.path, tmp_path / "out", frames, kind="png", numbering="vot")
    assert (report.frames, report.table) == (8, tmp_path / "out" / "frames.csv")
    assert len(list((tmp_path / "out").iterdir())) == 9
    with open_media(clip.path) as reader:
        for row, frame in zip(rows(report.table), frames, strict=True):
            assert (row["file"], row["frame"]) == (f"{frame + 1:08d}.png", str(frame))
            assert float(row["seconds"]) == pytest.approx(reader.get(frame).time, abs=1e-6)
            image = cv2.imread(str(tmp_path / "out" / row["file"]))
            assert corpus.read(image) == clip.numbers[frame]
            assert np.array_equal(image, reader.get(frame).image)


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_holds_the_wanted_frames_and_no_others(clips: dict[str, corpus.Clip], tmp_path: Path, name: str) -> None:
    clip = clips[name]
    frames = [3, 4, 5, 12, 20, 21, 22]
    report = written(clip.path, tmp_path / "out.mp4", frames, kind="mp4", rate=10)
    with open_media(report.out) as reader, open_media(clip.path) as original:
        assert [corpus.read(frame.image) for frame in reader.iter(0, 7)] == [clip.numbers[frame] for frame in frames]
        assert reader.info.frames == 7
        assert np.allclose(np.diff(reader.info.times), 0.1)
        width, height = clip.size
        assert (reader.info.width, reader.info.height) == (width + width % 2, height + height % 2)
        one, other = reader.get(0).image[:height, :width].astype(float), original.get(3).image
        assert abs(one - other).mean() < 4  # levels of 255
    assert [(row["clip_frame"], row["frame"]) for row in rows(report.table)] == [
        (str(number), str(frame)) for number, frame in enumerate(frames)
    ]


def test_what_is_wanted_is_said_in_words() -> None:
    doc = small()
    assert wanted(doc, 6) == [0, 1, 2, 3, 4]
    assert wanted(doc, 6, "keyframes") == [0, 2, 4]
    assert wanted(doc, 6, "all", 2) == [0, 2, 4]
    assert wanted(None, 6, "1-3, 5,2") == [1, 2, 3, 5]
    assert wanted(None, 6, "1-5", 3) == [1, 4]
    assert wanted(doc, 3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("frames", "every", "words"),
    [
        ("labelled", 1, "no labels to say which frames are labelled"),
        ("keyframes", 1, "no labels"),
        ("0-6", 1, "frames 0 to 5"),
        ("4-2", 1, "not all in the video"),
        ("some", 1, "“some” names no frames"),
        ("", 1, "names no frames"),
        ("-1", 1, "names no frames"),
        ("all", 0, "give 1 or more"),
    ],
)
def test_what_cannot_be_had_is_refused(frames: str, every: int, words: str) -> None:
    with pytest.raises(SessionError, match=words):
        wanted(None, 6, frames, every)


def test_no_frames_are_no_export() -> None:
    doc = small()
    doc.tracks.clear()
    with pytest.raises(SessionError, match="no frames to write"):
        wanted(doc, 6)


def test_the_numbers_are_those_of_the_formats() -> None:
    assert set(get_args(get_args(get_type_hints(FrameParams, include_extras=True)["numbering"])[0])) == set(NUMBERINGS)
    for name, known in base.formats(plugins=False).items():
        if isinstance(known, SingleFormat):
            pattern, first = NUMBERINGS[name]
            assert (pattern + ".jpg", first) == (known.picture, known.first)


def pictures(folder: Path, count: int = 6) -> Path:
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), corpus.draw(number, 20, 10))
    return folder


def test_an_earlier_export_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    media = pictures(tmp_path / "v")
    written(media, tmp_path / "out", [0, 1])
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    steps = export_frames(media, tmp_path / "out", [2, 3, 4], FrameParams())
    next(steps)
    steps.close()  # cancelled
    (media / "3.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"3\.png"):
        written(media, tmp_path / "out", [2, 3, 4])
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"v", "out"}
    (media / "3.png").unlink()
    written(media, tmp_path / "out", [4], numbering="trackingnet")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"4.jpg", "frames.csv"}


def test_a_cancelled_clip_leaves_nothing(tmp_path: Path) -> None:
    steps = export_frames(pictures(tmp_path / "v"), tmp_path / "out.mp4", [2, 3, 4], FrameParams(kind="mp4"))
    next(steps)
    steps.close()
    assert {path.name for path in tmp_path.iterdir()} == {"v"}


def test_nothing_but_an_export_makes_way(tmp_path: Path) -> None:
    media = pictures(tmp_path / "v")
    (tmp_path / "own.mp4").write_text("a film")
    for out, kind, words in (
        (media, "jpg", "would overwrite the video"),
        (tmp_path, "jpg", "would overwrite the video"),
        (tmp_path / "own.mp4", "mp4", "no clip of an earlier export"),
        (tmp_path / "own.avi", "mp4", r"end in \.mp4"),
        (tmp_path / "own.mp4", "png", "is a file"),
        (pictures(tmp_path / "w"), "png", "holds “0.png”, which no earlier export wrote"),
    ):
        with pytest.raises(SessionError, match=words):
            written(media, out, [0], kind=kind)
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "diary.txt").write_text("dear diary")
    with pytest.raises(SessionError, match=r"“diary\.txt”"):
        written(media, tmp_path / "diary", [0])
    written(media, tmp_path / "named", [2], numbering="yolo")
    assert {path.name for path in (tmp_path / "named").iterdir()} == {"v_000002.jpg", "frames.csv"}
    written(media, tmp_path / "named", [3])
    with pytest.raises(SessionError, match=r"cannot be written"):
        written(media, tmp_path / "own.mp4" / "out", [0])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    media = pictures(tmp_path / "v")
    doc = small()
    doc.video = VideoRef(str(media), "", 6, 20, 10, 25.0)
    save_project(doc, tmp_path / "x.siamlabel")
    out = tmp_path / "out"
    assert main.main(["export-frames", str(media), str(out), "--every", "4", "--numbering", "davis"]) == 0
    assert {path.name for path in out.iterdir()} == {"00000.jpg", "00004.jpg", "frames.csv"}
    assert "2 frames written" in capsys.readouterr().out
    words = ["export-frames", str(tmp_path / "x.siamlabel"), str(out), "--frames", "keyframes", "-f", "png"]
    assert main.main(words) == 0
    assert {path.name for path in out.iterdir()} == {f"00000{n}.png" for n in (0, 2, 4)} | {"frames.csv"}
    assert main.main([*words[:2], str(tmp_path / "c.mp4"), "-f", "mp4"]) == 0
    with open_media(tmp_path / "c.mp4") as reader:
        assert reader.info.frames == 5
    capsys.readouterr()
    assert main.main(["export-frames", str(media), str(out), "--frames", "labelled"]) == main.USER_ERROR
    assert "There are no labels" in capsys.readouterr().err
    assert main.main(["export-frames", str(media), str(out), "-f", "tiff"]) == main.USER_ERROR
    assert "tiff" in capsys.readouterr().err
    media.rename(tmp_path / "moved")
    assert main.main(words) == main.USER_ERROR
    assert "--video" in capsys.readouterr().err
    assert main.main([*words, "--video", str(tmp_path / "moved")]) == 0
