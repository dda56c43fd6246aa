"""MOTS and DAVIS: lines and pixels as in the reference, masks apart, round trips up to the stated losses, bad input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from format_documents import documents, ring, small
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.formats import FormatError, get, plan, run_export
from app.formats.compare import differences
from app.formats.davis import DavisParams, palette
from app.formats.detect import candidates
from app.formats.mots import MotsParams
from app.formats.sequence_folder import FolderParams
from app.model.document import Document
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State

KINDS = {
    "mots": [MotsParams(), MotsParams(masks="pictures")],
    "davis": [DavisParams(), DavisParams(resolution="Full-Resolution", only_verified=True)],
}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def square(x: int, y: int, size: int) -> Mask:
    bits = np.zeros((10, 20), bool)
    bits[y : y + size, x : x + size] = True
    return Mask.encode(bits)


def pair() -> Document:
    """A car with a person in front of it on frame 1, and the person alone on frame 2."""
    doc = small()
    doc.tracks[3].frames = {1: Observation(mask=square(2, 2, 6)), 2: Observation(state=State.OUT_OF_VIEW)}
    doc.tracks[7].frames = {1: Observation(mask=square(4, 4, 2)), 2: Observation(mask=square(5, 4, 2))}
    return doc


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(documents(), st.integers(0, 1))
def test_random_documents_come_back_up_to_the_stated_losses(kind: str, doc: Document, which: int) -> None:
    params = KINDS[kind][which]
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        if not plan(doc, kind, params).counts["masks"]:
            with pytest.raises(FormatError, match="no track with a mask"):
                run_export(doc, None, kind, out, params)
            return
        assert run_export(doc, None, kind, out, params).verified
        found = get(kind).read(out)
        assert candidates(out) == [kind]
        assert not differences(get(kind).keep(doc, params), found)
        assert not differences(found, get(kind).keep(found, get(kind).params()))
        for frame in range(9):
            masks = [obs.mask for track in found.tracks.values() if (obs := track.at(frame)) and obs.mask]
            assert not masks or sum(mask.decode().astype(int) for mask in masks).max() == 1  # type: ignore[union-attr]
        run_export(doc, None, kind, out, params)  # an earlier export makes way


def test_a_smaller_object_is_in_front(tmp_path: Path) -> None:
    run_export(pair(), None, "mots", tmp_path / "set")
    found = get("mots").read(tmp_path / "set")
    car, person = (found.tracks[key].frames[1].mask for key in (3, 7))
    assert car is not None
    assert person == square(4, 4, 2)
    assert car.area == 36 - 4
    assert "Masks that lose pixels to another one, the smaller one being in front: 1." in plan(pair(), "mots").losses


def test_mots_lines_of_the_reference(tmp_path: Path) -> None:
    doc = pair()
    doc.tracks[7].label = "pedestrian"
    doc.tracks[5] = small().new_track("crowd")
    doc.tracks[5].id, doc.tracks[5].ignored = 5, True
    doc.tracks[5].frames[2] = Observation(mask=square(0, 0, 1))
    run_export(doc, None, "mots", tmp_path / "set")
    rows = (tmp_path / "set" / "clip_one" / "gt" / "gt.txt").read_text().splitlines()
    person = square(5, 4, 2).counts.decode()
    assert [row.split()[:5] for row in rows] == [
        ["2", "1003", "1", "10", "20"],
        ["2", "2007", "2", "10", "20"],
        ["3", "10000", "10", "10", "20"],
        ["3", "2007", "2", "10", "20"],
    ]
    assert rows[3] == f"3 2007 2 10 20 {person}"
    found = get("mots").read(tmp_path / "set")
    assert found.tracks[5].ignored
    assert not [loss for loss in plan(doc, "mots").losses if "refuse" in loss]
    assert [loss for loss in plan(pair(), "mots").losses if "refuse" in loss]
    (tmp_path / "set" / "clip_one" / "siamlabel.json").unlink()
    found = get("mots").read(tmp_path / "set")
    assert {key: track.label for key, track in found.tracks.items()} == {3: "car", 7: "pedestrian", 10000: "ignored"}


def test_mots_pictures_have_sixteen_bits(tmp_path: Path) -> None:
    run_export(pair(), None, "mots", tmp_path / "set", MotsParams(masks="pictures"))
    files = sorted((tmp_path / "set" / "instances" / "clip_one").iterdir())
    assert [file.name for file in files] == [f"{frame:06d}.png" for frame in range(6)]
    with Image.open(files[1]) as image:
        assert image.mode == "I;16"
        assert sorted(np.unique(np.asarray(image))) == [0, 1003, 3007]


def test_davis_pictures_have_its_palette(tmp_path: Path) -> None:
    run_export(pair(), None, "davis", tmp_path / "set")
    files = sorted((tmp_path / "set" / "Annotations" / "480p" / "clip_one").iterdir())
    assert [file.name for file in files] == [f"{frame:05d}.png" for frame in range(6)]
    with Image.open(files[1]) as image:
        assert image.mode == "P"
        assert image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]  # type: ignore[index]
        assert sorted(np.unique(np.asarray(image))) == [0, 1, 2]
    assert palette()[255].tolist() == [224, 224, 192]
    assert (tmp_path / "set" / "ImageSets" / "2017" / "val.txt").read_text() == "clip_one\n"
    found = get("davis").read(tmp_path / "set")
    assert sorted(found.tracks) == [3, 7]
    assert found.tracks[3].frames[5] == Observation(source=Source.IMPORTED, state=State.OUT_OF_VIEW)


@pytest.mark.parametrize("place", ["", "Annotations", "Annotations/480p", "Annotations/480p/blackswan"])
def test_a_clip_of_davis(tmp_path: Path, place: str) -> None:
    """No note: numbers are ids, 254 and 255 are void."""
    folder = tmp_path / "Annotations" / "480p" / "blackswan"
    folder.mkdir(parents=True)
    pixels = np.array([[0, 1, 1], [254, 255, 2]], np.uint8)
    Image.fromarray(pixels).save(folder / "00000.png")
    Image.fromarray(np.where(pixels == 2, 0, pixels)).save(folder / "00001.png")
    doc = get("davis").read(tmp_path / place)
    assert get("davis").recognises(tmp_path / place)
    assert {key: track.ignored for key, track in doc.tracks.items()} == {1: False, 2: False, 254: True, 255: True}
    assert doc.tracks[1].frames[0].mask == Mask.encode(pixels == 1)
    assert doc.tracks[2].frames[1].state is State.OUT_OF_VIEW
    assert doc.video is not None
    assert (doc.video.frames, doc.video.width, doc.video.height) == (2, 3, 2)


def test_davis_without_resolutions_is_read(tmp_path: Path) -> None:
    """As YouTube-VOS lies on the disk: every fifth frame."""
    folder = tmp_path / "Annotations" / "0a49f5265b"
    folder.mkdir(parents=True)
    for frame in (0, 5):
        Image.fromarray(np.eye(3, dtype=np.uint8)).save(folder / f"{frame:05d}.png")
    for place in (tmp_path, folder):
        assert list(get("davis").read(place).tracks[1].frames) == [0, 5]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1 2001 2 10\n", r"gt\.txt, line 1: '1 2001 2 10' is no 'frame id"),
        ("1 2001 2 10 20 0\n", "line 1: the run lengths do not fill 20 x 10"),
        ("1 2001 2 0 20 0\n", "a mask of 20 x 0 pixels is not possible"),
        ("1 2001 2 999999 999999 0\n", "is not possible"),
        ("0 2001 2 10 20 0\n", "counted from 1"),
        ("", "no line in it"),
    ],
)
def test_bad_mots_rows_are_named(tmp_path: Path, rows: str, words: str) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text(rows)
    with pytest.raises(FormatError, match=words):
        get("mots").read(tmp_path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (b"no picture", "no readable picture"),
        (b"", "no readable picture"),
        ("colours", "is in 'RGB'"),
        ("smaller", "3 x 3 pixels, not 20 x 10"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_pictures_are_named(tmp_path: Path, kind: str, damage: object, words: str) -> None:
    run_export(pair(), None, kind, tmp_path / "set", MotsParams(masks="pictures") if kind == "mots" else None)
    file = max((tmp_path / "set").rglob("*.png"))
    if isinstance(damage, bytes):
        file.write_bytes(damage)
    else:
        size = (10, 20, 3) if damage == "colours" else (3, 3)
        Image.fromarray(np.zeros(size, np.uint8)).save(file)
    with pytest.raises(FormatError, match=words) as caught:
        get(kind).read(tmp_path / "set")
    assert file.name in str(caught.value)


@settings(max_examples=150)
@given(st.binary(max_size=80), st.integers(0, 200))
def test_mutated_files_are_read_or_refused(data: bytes, at: int) -> None:
    with TemporaryDirectory() as folder:
        for kind in KINDS:
            run_export(pair(), None, kind, Path(folder, kind))
        files = [Path(folder, "mots", "clip_one", "gt", "gt.txt"), *Path(folder, "davis").rglob("00001.png")]
        for kind, file in zip(KINDS, files, strict=True):
            whole = file.read_bytes()
            file.write_bytes(whole[:at] + data + whole[at + len(data) :])
            with contextlib.suppress(FormatError):
                get(kind).read(Path(folder, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_several_clips_are_named_and_other_folders_stay(tmp_path: Path, kind: str) -> None:
    run_export(pair(), None, kind, tmp_path / "set")
    if kind == "davis":
        (tmp_path / "set" / "siamlabel.json").write_text("{}")
        with pytest.raises(FormatError, match="missing required field"):
            get(kind).read(tmp_path / "set")
    (tmp_path / "set" / "mine.txt").write_text("x")
    with pytest.raises(FormatError, match=r"mine\.txt"):
        run_export(pair(), None, kind, tmp_path / "set")
    assert not get(kind).recognises(tmp_path / "nowhere")
    with pytest.raises(FormatError, match="no such file"):
        get(kind).read(tmp_path / "nowhere")


def test_holes_stay(tmp_path: Path) -> None:
    doc = pair()
    doc.tracks[3].frames[1] = Observation(mask=ring(10, 20, 2, 2, 5))
    del doc.tracks[7]
    for kind in KINDS:
        run_export(doc, None, kind, tmp_path / kind)
        assert get(kind).read(tmp_path / kind).tracks[3].frames[1].mask == ring(10, 20, 2, 2, 5)


class _Reader:
    def iter(self, start: int, stop: int, step: int = 1) -> Iterator[_Frame]:
        for index in range(start, stop, step):
            yield _Frame(index, np.full((10, 20, 3), 30 * index, np.uint8))


@dataclass(frozen=True)
class _Frame:
    index: int
    image: np.ndarray


@contextlib.contextmanager
def opened(path: Path) -> Iterator[_Reader]:
    yield _Reader()


@pytest.mark.parametrize(
    ("kind", "params", "first"),
    [
        ("mot", FolderParams(with_frames=True), "clip_one/img1/000001.jpg"),
        ("mots", MotsParams(with_frames=True), "clip_one/img1/000001.jpg"),
        ("mots", MotsParams(with_frames=True, masks="pictures"), "images/clip_one/000000.jpg"),
        ("davis", DavisParams(with_frames=True), "JPEGImages/480p/clip_one/00000.jpg"),
    ],
)
def test_pictures_are_numbered_as_each_data_set_does(
    tmp_path: Path, kind: str, params: FolderParams, first: str
) -> None:
    out = tmp_path / "set"
    report = run_export(pair() if kind != "mot" else small(), "v.mp4", kind, out, params, open_frames=opened)
    files = sorted((out / first).parent.iterdir())
    assert len(files) == 6
    assert files[0] == out / first
    for index, file in enumerate(files):
        with Image.open(file) as image:
            assert abs(float(np.asarray(image).mean()) - 30 * index) < 2
    assert report.pictures >= 6
    assert not [path for path in report.written if path.suffix in (".png", ".jpg")]
    video = get(kind).read(out).video
    assert video is not None
    assert Path(video.path) == files[0].parent  # the labels open with the pictures beside them
