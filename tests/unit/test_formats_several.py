"""Files about several clips, as data sets are published: one is chosen by its name, or by the clip that is open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from format_documents import ring, small

from app.formats import FormatError, convert, run_export
from app.formats.compare import differences
from app.formats.detect import detect, read, read_about
from app.formats.several import SeveralClipsError
from app.model.document import Document, Label, VideoRef
from app.model.tracks import Observation, Track

KINDS = ("coco", "coco_vid", "tao", "youtube_vis", "burst")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def second() -> Document:
    """A clip of another size with one object."""
    doc = Document(VideoRef("/videos/dog-3.mp4", "", 3, 8, 6, 25.0), [Label("dog", "#00ff00")])
    mask = ring(6, 8, 1, 1, 4)
    doc.tracks[1] = Track(1, "dog", "#00ff00", frames={at: Observation(mask.box, mask) for at in range(3)})
    doc.next_id = 2
    return doc


def moved(kind: str, file: dict[str, Any]) -> dict[str, Any]:
    """``file`` with other ids everywhere, as of another clip of one data set."""
    text = json.dumps(file)
    for name in ("id", "image_id", "video_id", "category_id", "track_id", "instance_id"):
        for old in range(1, 10):
            text = text.replace(f'"{name}": {old},', f'"{name}": {old + 100},').replace(
                f'"{name}": {old}}}', f'"{name}": {old + 100}}}'
            )
    out = json.loads(text)
    if kind == "burst":
        for one in out["sequences"]:
            one["track_category_ids"] = {key: number + 100 for key, number in one["track_category_ids"].items()}
    return out


def published(kind: str, folder: Path) -> Path:
    """Two clips in one file, without anything of ours."""
    files = []
    for at, doc in enumerate((small(), second())):
        run_export(doc, None, kind, folder / f"{at}.json")
        files.append(json.loads((folder / f"{at}.json").read_text()))
    first, other = files[0], moved(kind, files[1])
    for key, value in other.items():
        if isinstance(value, list):
            first[key] += value
    for name in ("siamlabel", "siamlabel_comments"):
        first.pop(name, None)
    path = folder / "instances.json"
    path.write_text(json.dumps(first))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_is_chosen_by_its_name(tmp_path: Path, kind: str) -> None:
    path = published(kind, tmp_path)
    chosen = path / "dog-3"
    assert detect(chosen) == detect(path)
    doc = read(chosen)
    assert doc.video is not None
    assert (doc.video.frames, doc.video.width, doc.video.height) == (3, 8, 6)
    assert [label.name for label in doc.labels] == ["dog"]
    (track,) = doc.tracks.values()
    assert (track.label, list(track.frames)) == ("dog", [0, 1, 2])
    assert all(obs.mask == ring(6, 8, 1, 1, 4) for obs in track.frames.values())
    assert {track.label for track in read(path / "clip_one").tracks.values()} == {"car", "person"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_clip_that_is_called_like_the_open_one(tmp_path: Path, kind: str) -> None:
    path = published(kind, tmp_path)
    alone = read(path / "dog-3")
    assert not differences(alone, read_about(path, VideoRef("/elsewhere/Dog-3.mkv", "", 3, 8, 6, 25.0)))
    assert not differences(alone, read_about(path, VideoRef("/elsewhere/dog-3/img", "", 3, 8, 6, 25.0)))
    for video in (None, VideoRef("/elsewhere/cat.mkv", "", 3, 8, 6, 25.0)):
        with pytest.raises(SeveralClipsError, match=r"holds 2 clips.*Choose one as instances\.json/clip_one.*dog-3"):
            read_about(path, video)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_clip_is_an_error_that_names_the_others(tmp_path: Path, kind: str) -> None:
    path = published(kind, tmp_path)
    with pytest.raises(FormatError, match=r"no clip 'cat'.*Known are: clip_one, dog-3\."):
        read(path / "cat")
    alone = tmp_path / "1.json"
    assert list(read(alone / "dog-3").tracks) == [1]
    with pytest.raises(FormatError, match=r"no clip 'cat'"):
        read(alone / "cat")


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_of_a_data_set_is_converted(tmp_path: Path, kind: str) -> None:
    path = published(kind, tmp_path)
    assert convert(path / "dog-3", tmp_path / "out", "davis").verified
    assert convert(path, tmp_path / "out", "davis", video=second().video).verified


def test_clips_of_one_name_get_numbers(tmp_path: Path) -> None:
    path = published("youtube_vis", tmp_path)
    file = json.loads(path.read_text())
    for video in file["videos"]:
        video["file_names"] = [f"a/b/{at}.jpg" for at in range(video["length"])]
    path.write_text(json.dumps(file))
    assert len(read(path / "a/b").tracks) == 2
    assert len(read(path / "a/b (2)").tracks) == 1


def test_many_clips_are_not_all_named(tmp_path: Path) -> None:
    path = published("burst", tmp_path)
    file = json.loads(path.read_text())
    file["sequences"] = [{**file["sequences"][0], "seq_name": f"clip-{at}"} for at in range(500)]
    file["sequences"][0]["seq_name"] = "x" * 4000
    path.write_text(json.dumps(file))
    with pytest.raises(SeveralClipsError, match=r"500 clips.*clip-9 and 490 more") as caught:
        read(path)
    assert len(str(caught.value)) < 400
    assert len(caught.value.clips) == 500


def test_pictures_without_clips_are_one(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"images": [{"id": 1, "width": 2, "height": 2}], "annotations": []}))
    with pytest.raises(FormatError, match="does not say which clips"):
        read(path / "dog")
