"""LaSOT, GOT-10k, TrackingNet, OTB and UAV123: what is wrong in a file is named; nothing crashes a reader."""

from __future__ import annotations

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import msgspec
import numpy as np
import pytest
from format_documents import small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import FormatError, get, run_export
from app.model.document import Document
from app.model.tracks import Track

FORMATS = ("lasot", "got10k", "trackingnet", "otb", "uav123")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.atomic.os.fsync", lambda _: None)


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")
    return path


def shots(folder: Path, names: list[str], width: int = 20, height: int = 10) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((height, width, 3), 20 * number, np.uint8))


def car() -> Document:
    """The car of `small` alone."""
    doc = small()
    del doc.tracks[7]
    return doc


BAD_ROWS = {
    "1,2,3": r"line 1: a box has four numbers, not 3",
    "1,2,3,4\n1,2,x,4": r"line 2: '1,2,x,4' is no box",
    "1,2,-3,4": r"line 1: width and height must not be negative",
    "1,2,inf,4": r"line 1: a box is made of finite numbers",
    "nan,2,3,4": r"line 1: a box is made of finite numbers",
    "1.7e308,1,1.7e308,1": r"line 1: a box is made of finite numbers",
    "1,2,3,4\n\n1,2,3,4": r"line 2: '' is no box",
    "\udcff\udcfe": r"is not UTF-8 text",
}


@pytest.mark.parametrize("row", BAD_ROWS)
@pytest.mark.parametrize("name", FORMATS)
def test_bad_rows(tmp_path: Path, name: str, row: str) -> None:
    run_export(car(), None, name, tmp_path / "set")
    truth = next(path for path in (tmp_path / "set").rglob("*.txt") if path.stem in _TRUTHS)
    truth.write_bytes(row.encode("utf-8", "surrogateescape"))
    with pytest.raises(FormatError, match=BAD_ROWS[row]) as caught:
        get(name).read(tmp_path / "set")
    assert truth.name in str(caught.value)


_TRUTHS = ("groundtruth", "groundtruth_rect", "clip_one")


@pytest.mark.parametrize(
    ("name", "file", "text", "words"),
    [
        ("lasot", "car/car-3/full_occlusion.txt", "0,0,2,0,0,0", "value 3: '2' is not a whole number from 0 to 1"),
        ("lasot", "car/car-3/out_of_view.txt", "0,0,0", "3 values for 6 frames"),
        ("lasot", "car/car-3/groundtruth.txt", "1,1,2,2\n" * 7, "7 rows for 6 frames"),
        ("got10k", "clip_one/cover.label", "9\n" * 6, "value 1: '9' is not a whole number from 0 to 8"),
        ("got10k", "clip_one/absence.label", "nan\n" * 6, "value 1: 'nan' is not a whole number"),
        ("got10k", "clip_one/meta_info.ini", "[METAINFO]\nurl\n", "line 2: 'url' is no 'name: value'"),
        ("got10k", "clip_one/meta_info.ini", "resolution: (0, 5)\n", r"resolution: '\(0, 5\)' is no size"),
        ("got10k", "clip_one/meta_info.ini", f"resolution: ({10**8}, {10**8})\n", "is no size of a picture"),
        ("otb", "clip_one/groundtruth_rect.txt", "1,1,2,2\n" * 7, "7 rows for 6 frames"),
        ("otb", "clip_one/siamlabel.json", "{", "siamlabel.json.*truncated"),
        ("otb", "clip_one/siamlabel.json", "[" * 100_000, "siamlabel.json"),
        ("otb", "clip_one/siamlabel.json", '{"video":1}', "siamlabel.json.*video"),
        ("uav123", "anno/UAV123/att/clip_one.txt", "1,1", "2 values for 12 frames"),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, name: str, file: str, text: str, words: str) -> None:
    run_export(car(), None, name, tmp_path / "set")
    write(tmp_path / "set", file, text)
    with pytest.raises(FormatError, match=words):
        get(name).read(tmp_path / "set")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("width", 10**9, "not possible"),
        ("frames", 10**12, "not possible"),
        ("frames", 2, "6 rows for 2 frames"),
        ("fps", -1.0, "the rate"),
        ("tracks", [], "id of its own"),
        ("tracks", [{"id": 1, "label": "", "colour": ""}] * 2, "id of its own"),
        ("tracks", [{"id": 0, "label": "", "colour": ""}], "siamlabel.json.*tracks"),
    ],
)
def test_bad_notes(tmp_path: Path, key: str, value: object, words: str) -> None:
    run_export(car(), None, "lasot", tmp_path / "set")
    note = tmp_path / "set" / "car" / "car-3" / "siamlabel.json"
    note.write_bytes(msgspec.json.encode(msgspec.json.decode(note.read_bytes()) | {key: value}))
    with pytest.raises(FormatError, match=words):
        get("lasot").read(tmp_path / "set")


def test_pictures_of_another_size(tmp_path: Path) -> None:
    run_export(car(), None, "otb", tmp_path / "set")
    shots(tmp_path / "set" / "clip_one" / "img", ["0001.jpg"], 30, 30)
    with pytest.raises(FormatError, match="the pictures have 30 x 30 pixels, but 20 x 10 are written down"):
        get("otb").read(tmp_path / "set")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_there(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(FormatError):
            get(name).read(path)
        assert not get(name).recognises(path)


@settings(max_examples=150)
@given(st.sampled_from(FORMATS), st.integers(0, 2**32), st.binary(max_size=6))
def test_noise_is_refused_or_read(name: str, seed: int, noise: bytes) -> None:
    with TemporaryDirectory() as folder:
        run_export(small(), None, name, Path(folder, "set"))
        every = sorted(path for path in Path(folder, "set").rglob("*") if path.is_file())
        victim = every[seed % len(every)]
        data = victim.read_bytes()
        at = seed // 7 % (len(data) + 1)
        victim.write_bytes(data[:at] + noise + data[at + seed % 5 :])
        with contextlib.suppress(FormatError):
            found = get(name).read(Path(folder, "set"))
            assert all(isinstance(track, Track) for track in found.tracks.values())
        get(name).recognises(Path(folder, "set"))
