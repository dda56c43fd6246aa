from __future__ import annotations

import errno
import itertools
import json
import os
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import HEIGHT, WIDTH, any_observations, documents

from app.formats import project
from app.formats.project import BACKUPS, ProjectError, backup_of, load_project, save_project
from app.model import Box, Document, Label, Mask, Observation, Track, VideoRef

DOC = Document(
    VideoRef("/films/a.mp4", "abc", 9, WIDTH, HEIGHT, 25.0),
    [Label("car", "#112233")],
    {
        2: Track(2, "car", "#112233", True, {7: Observation(Box(1, 2, 3, 4)), 5: Observation(score=0.5)}),
        4: Track(4, "dog", "#445566", False, {0: Observation(mask=Mask.encode(np.eye(HEIGHT, WIDTH, dtype=bool)))}),
    },
    6,
)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "work.siamlabel"


def tampered(path: Path, change) -> Path:
    """``DOC`` saved at ``path``, then changed by ``change(json)``."""
    save_project(DOC, path)
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    return path


def failing(call: str, monkeypatch, number: int = errno.ENOSPC) -> None:
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(call, fail)


@settings(max_examples=60)
@given(doc=documents(), seen=st.dictionaries(st.integers(0, 2**40), any_observations, max_size=3))
def test_a_project_holds_every_document(tmp_path, doc, seen) -> None:
    path = tmp_path / "work.siamlabel"
    path.unlink(missing_ok=True)
    backup_of(path).unlink(missing_ok=True)
    doc.tracks[10] = Track(10, "x", "#000000", True, seen)
    doc.next_id = 11
    save_project(doc, path)
    assert load_project(path) == doc


def test_frames_come_in_order_and_the_file_says_what_it_is(path) -> None:
    save_project(DOC, path)
    content = json.loads(path.read_bytes())
    assert (content["format"], content["schema"]) == ("siamlabel", 3)
    assert list(content["tracks"][0]["frames"]) == ["5", "7"]
    assert content["tracks"][0]["frames"]["7"] == {"box": [1, 2, 3, 4]}
    assert content["video"]["fingerprint"] == "abc"


def test_a_project_moves_together_with_its_video(tmp_path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "clips").mkdir(parents=True)
    (here / "clips" / "a.mp4").write_bytes(b"")
    doc = Document(VideoRef(str(here / "clips" / "a.mp4"), "f", 1, 2, 2, 1.0))
    save_project(doc, here / "work.siamlabel")
    assert load_project(here / "work.siamlabel") == doc
    here.rename(there)
    assert load_project(there / "work.siamlabel").video.path == str(there / "clips" / "a.mp4")


def test_a_project_that_moves_alone_finds_its_video_where_it_was(tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    doc = Document(VideoRef(str(tmp_path / "a.mp4"), "f", 1, 2, 2, 1.0))
    save_project(doc, tmp_path / "work.siamlabel")
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "work.siamlabel").rename(tmp_path / "elsewhere" / "work.siamlabel")
    assert load_project(moved) == doc


def test_a_project_opens_without_its_video(path, tmp_path) -> None:
    doc = Document(VideoRef(str(tmp_path / "gone.mp4"), "f", 1, 2, 2, 1.0))
    save_project(doc, path)
    assert load_project(path) == doc


def test_the_previous_good_version_is_kept(path) -> None:
    save_project(Document(next_id=1), path)
    assert not backup_of(path).exists()
    save_project(Document(next_id=2), path)
    save_project(Document(next_id=3), path)
    assert load_project(path).next_id == 3
    assert load_project(backup_of(path)).next_id == 2
    names = ["work.siamlabel", "work.siamlabel.bak", "work.siamlabel.bak2"]
    assert sorted(p.name for p in path.parent.iterdir()) == names


def test_older_versions_are_kept_and_the_oldest_goes(path) -> None:
    for version in range(1, 10):
        save_project(Document(next_id=version), path)
        os.utime(path, (version * 1000.0, version * 1000.0))
    kept = [load_project(backup_of(path, age)).next_id for age in range(1, BACKUPS + 1)]
    assert kept == [8, 7, 6, 5, 4]
    assert len(list(path.parent.iterdir())) == BACKUPS + 1


def test_saving_every_minute_does_not_push_the_older_versions_out(path) -> None:
    for version in range(1, 30):
        save_project(Document(next_id=version), path)
        os.utime(path, (version * 60.0, version * 60.0))
    kept = [load_project(backup_of(path, age)).next_id for age in range(1, BACKUPS + 1)]
    assert kept[0] == 28
    assert all(newer - older >= 5 for newer, older in itertools.pairwise(kept[1:]))


def test_no_room_for_older_versions_does_not_keep_from_saving(path, monkeypatch) -> None:
    for version in (1, 2):
        save_project(Document(next_id=version), path)
    failing("shutil.copy2", monkeypatch)
    link = os.link
    second = backup_of(path, 2).name

    def full(source, target):
        if second in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        link(source, target)

    monkeypatch.setattr("os.link", full)
    save_project(Document(next_id=3), path)
    assert load_project(path).next_id == 3
    assert load_project(backup_of(path)).next_id == 2


def test_the_previous_version_is_kept_on_a_disk_without_hard_links(path, monkeypatch) -> None:
    failing("os.link", monkeypatch, errno.EPERM)
    save_project(Document(next_id=1), path)
    save_project(Document(next_id=2), path)
    assert load_project(backup_of(path)).next_id == 1


def test_a_damaged_version_does_not_replace_the_good_backup(path) -> None:
    save_project(Document(next_id=1), path)
    save_project(Document(next_id=2), path)
    path.write_bytes(path.read_bytes()[:-9])
    save_project(Document(next_id=3), path)
    assert load_project(backup_of(path)).next_id == 1


def test_a_link_to_a_project_stays_a_link(tmp_path, path) -> None:
    save_project(Document(next_id=1), path)
    link = tmp_path / "link.siamlabel"
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("needs POSIX")
    save_project(Document(next_id=2), link)
    assert link.is_symlink()
    assert load_project(path).next_id == 2


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "pathlib.Path.open", "app.formats.project._keep"])
def test_a_failed_save_leaves_the_old_file(path, monkeypatch, call) -> None:
    save_project(Document(next_id=1), path)
    save_project(Document(next_id=2), path)
    with monkeypatch.context() as patch:
        failing(call, patch)
        with pytest.raises(ProjectError, match=r"work\.siamlabel could not be saved: No space .* untouched.*Make room"):
            save_project(Document(next_id=3), path)
    assert load_project(path).next_id == 2
    assert sorted(p.name for p in path.parent.iterdir()) == ["work.siamlabel", "work.siamlabel.bak"]
    save_project(Document(next_id=4), path)
    assert load_project(path).next_id == 4
    assert load_project(backup_of(path)).next_id == 2


def test_saving_into_a_folder_that_is_not_there_says_so(tmp_path) -> None:
    with pytest.raises(ProjectError, match="could not be saved: No such file"):
        save_project(DOC, tmp_path / "no" / "work.siamlabel")


def test_a_name_that_is_not_text_is_refused_before_anything_is_written(path) -> None:
    doc = Document(VideoRef("/films/\udcff.mp4", "f", 1, 2, 2, 1.0))
    with pytest.raises(ProjectError, match="Rename"):
        save_project(doc, path)
    assert not path.exists()


def test_a_missing_file_is_named(path) -> None:
    with pytest.raises(ProjectError, match=r"work\.siamlabel cannot be read: No such file"):
        load_project(path)


@pytest.mark.parametrize(
    "content", [b"[]", b"3", b'{"tracks": []}', b'{"format": "coco", "schema": 1}', b'{"schema": "x"}']
)
def test_another_kind_of_file_is_refused(path, content) -> None:
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"work\.siamlabel is not a SiamLabel project\. Choose"):
        load_project(path)


def test_an_older_schema_opens_without_settings(path) -> None:
    def age(content: dict) -> None:
        content["schema"] = 2
        del content["settings"]

    assert load_project(tampered(path, age)).settings == {}


def test_a_newer_schema_is_refused(path) -> None:
    with pytest.raises(ProjectError, match=r"newer SiamLabel .schema 4; .* 3.*Update"):
        load_project(tampered(path, lambda c: c.update(schema=4, tracks={"shape": "unknown"})))


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 50, b"{", b"\xff\xfe{}", b'{"format": "siamlabel", "schema": 1, "tr']
)
def test_a_damaged_file_is_refused(path, content) -> None:
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"work\.siamlabel cannot be opened: .*damaged or cut off.*backup"):
        load_project(path)


@given(st.integers(0, 2000), st.binary(max_size=3))
def test_no_damage_gets_through_as_another_exception(tmp_path, at, octets) -> None:
    path = tmp_path / "work.siamlabel"
    if not path.exists():
        save_project(DOC, path)
    good = path.read_bytes()
    at %= len(good)
    broken = path.with_name("broken.siamlabel")
    broken.write_bytes(good[:at] + octets + good[at + 1 :])
    message = str(broken)
    try:
        load_project(broken)
    except ProjectError as error:
        message = str(error)
    assert str(broken) in message


def frame(content: dict, track: int = 0, number: str = "7") -> dict:
    return content["tracks"][track]["frames"][number]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda c: frame(c).update(box=[1, 2, "3", 4]), r"float.*tracks\[0\]\.frames\.7\.box\[2\]"),
        (lambda c: frame(c).update(box=[1, 2, -3, 4]), r"negative side.*tracks\[0\]\.frames\.7"),
        (lambda c: frame(c).update(box=[1, 2, 3]), r"length 4.*tracks\[0\]\.frames\.7\.box"),
        (lambda c: frame(c).update(box=[1, 1e308, 3, 1e308 * 1.7]), r"finite.*tracks\[0\]\.frames\.7"),
        (lambda c: frame(c).update(score="high"), r"float.*tracks\[0\]\.frames\.7\.score"),
        (lambda c: frame(c).update(state="asleep"), r"asleep.*tracks\[0\]\.frames\.7\.state"),
        (lambda c: frame(c).update(mood="good"), r"unknown field `mood`.*tracks\[0\]\.frames\.7"),
        (lambda c: frame(c, 1, "0")["mask"].update(height=0), r"impossible.*tracks\[1\]\.frames\.0\.mask"),
        (
            lambda c: frame(c, 1, "0")["mask"].update(height=4),
            r"7 x 4 pixels but .* 7 x 5.*tracks\[1\]\.frames\.0\.mask",
        ),
        (
            lambda c: frame(c, 1, "0")["mask"].update(counts="MzI3"),
            r"do not fill.*tracks\[1\]\.frames\.0\.mask; track 4",
        ),
        (lambda c: c["tracks"][0]["frames"].update({"-1": {}}), r"frames"),
        (lambda c: c["tracks"][0]["frames"].update({"x": {}}), r"frames"),
        (lambda c: c["tracks"][0].update(id="2"), r"int.*tracks\[0\]\.id"),
        (lambda c: c["tracks"][0].update(id=0), r"int.*>= 1.*tracks\[0\]\.id"),
        (lambda c: c["tracks"][1].update(id=2), r"id 2 is used by 2 tracks"),
        (lambda c: c["tracks"][1].update(colour="red"), r"tracks\[1\]\.colour"),
        (lambda c: c["tracks"][1].pop("label"), r"label.*tracks\[1\]"),
        (lambda c: c["labels"].append(c["labels"][0]), r"label 'car' is there 2 times"),
        (lambda c: c["labels"][0].update(name=None), r"labels\[0\]\.name"),
        (lambda c: c["video"].update(width="wide"), r"video\.width"),
        (lambda c: c["video"].update(width=-4), r"video\.width"),
        (lambda c: c.update(tracks="none"), r"tracks"),
        (lambda c: c.update(later={}), r"unknown field `later`"),
        (lambda c: c.pop("labels"), r"labels"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(path, change, key) -> None:
    with pytest.raises(ProjectError, match=key) as caught:
        load_project(tampered(path, change))
    assert str(caught.value).startswith(f"{path} cannot be opened: ")


def test_a_refusal_points_at_the_backup(path) -> None:
    save_project(DOC, path)
    with pytest.raises(ProjectError, match=r"kept as work\.siamlabel\.bak: rename that file"):
        load_project(tampered(path, lambda c: c.pop("labels")))


def test_numbers_that_json_cannot_hold_are_refused(path) -> None:
    save_project(DOC, path)
    path.write_bytes(
        path.read_bytes().replace(b"[1,2,3,4]", b"[1,NaN,3,4]").replace(b"[1.0,2.0,3.0,4.0]", b"[1,NaN,3,4]")
    )
    with pytest.raises(ProjectError, match="damaged"):
        load_project(path)


def test_a_next_id_that_lags_behind_is_put_right(path) -> None:
    assert load_project(tampered(path, lambda c: c.update(next_id=1))).next_id == 5


def test_the_first_version_can_be_read_for_ever() -> None:
    content = (Path(__file__).parent / "data" / "project-1.siamlabel").read_bytes()
    file = msgspec.json.decode(content, type=project._File)
    assert file.tracks[0].frames[12].box == Box(10.5, 20, 30, 40.25)
    doc = load_project(Path(__file__).parent / "data" / "project-1.siamlabel")
    assert doc.tracks[1].frames[12].signals == {"peak": 0.75}
    assert doc.tracks[1].frames[13].mask.area == 7
    assert doc.labels == [Label("person", "#4e9af1")]
