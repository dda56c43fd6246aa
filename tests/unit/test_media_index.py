"""The frame table: lookups, fingerprints, and a cache that no damage can turn into a wrong frame."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import corpus
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media import FrameIndex, fingerprint, load_index, probe
from app.media import index as index_module


def table(pts: list[int], keys: list[int]) -> FrameIndex:
    return FrameIndex(
        pts=np.array(pts, np.int64), keys=np.array([(k, k) for k in keys], np.int64), time_base=Fraction(1, 1000),
        fps=25.0, width=16, height=16, orientation=0, pixel_aspect=1.0, codec="h264", stream=0,
    )  # fmt: skip


stamps = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=60, unique=True).map(sorted)


@given(stamps, st.data())
def test_lookup_agrees_with_counting(pts: list[int], data: st.DataObject) -> None:
    first = data.draw(st.integers(pts[0] - 10, pts[0]), "a first key at or before the first frame")
    keys = sorted({first, *data.draw(st.lists(st.sampled_from(pts)))})
    index = table(pts, keys)
    assert len(index) == len(pts)
    for i, p in enumerate(pts):
        assert index.slot(p) == i
        k = index.key_before(i)
        assert keys[k] <= p
        assert k + 1 == len(keys) or keys[k + 1] > p or index.key_slot(k + 1) == index.key_slot(k)
        assert index.key_slot(k) <= i
    for k, key in enumerate(keys):
        assert index.key_slot(k) == sum(p < key for p in pts)
    other = data.draw(st.integers())
    assert index.slot(other) == (pts.index(other) if other in pts else None)
    assert index.slot(None) is None
    assert index.times[0] == 0
    assert (np.diff(index.times) > 0).all() or len(pts) == 1


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> corpus.Clip:
    recipe = corpus.Recipe("indexed.mp4", frames=40, options=corpus.x264(15, 2))
    return corpus.make(recipe, tmp_path_factory.mktemp("indexed"))


def test_fingerprint_follows_content_not_name(clip: corpus.Clip, tmp_path: Path) -> None:
    moved = shutil.copy(clip.path, tmp_path / "otherwise.mp4")
    assert fingerprint(moved) == fingerprint(clip.path) == probe(moved).fingerprint
    data = bytearray(Path(moved).read_bytes())
    data[len(data) // 2] ^= 1
    Path(moved).write_bytes(data)
    assert fingerprint(moved) != fingerprint(clip.path)


def test_fingerprint_of_a_large_file_sees_head_middle_and_tail(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    size = 9 << 20
    seen = set()
    for at in (None, 0, size // 2, size - 1):
        data = bytearray(size)
        if at is not None:
            data[at] = 1
        path.write_bytes(data)
        seen.add(fingerprint(path))
    path.write_bytes(bytes(size + 1))
    seen.add(fingerprint(path))
    assert len(seen) == 5


def test_the_table_is_made_once_per_content(clip: corpus.Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    build = index_module.build_index
    monkeypatch.setattr(index_module, "build_index", lambda path, *a: (made.append(path), build(path, *a))[1])
    first = load_index(clip.path, tmp_path)
    again = load_index(clip.path, tmp_path)
    assert len(made) == 1
    np.testing.assert_array_equal(first.pts, again.pts)
    np.testing.assert_array_equal(first.keys, again.keys)
    for name in (
        "time_base",
        "fps",
        "width",
        "height",
        "orientation",
        "codec",
        "stream",
        "counted",
        "notes",
        "fingerprint",
    ):
        assert getattr(first, name) == getattr(again, name)
    load_index(clip.path)
    assert len(made) == 2


def test_a_damaged_cache_file_is_made_again(clip: corpus.Clip, tmp_path: Path) -> None:
    good = load_index(clip.path, tmp_path)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    for bad in (b"", whole[:10], whole[: len(whole) // 2], bytes(flipped), whole + b"\0", b"\0" * len(whole)):
        file.write_bytes(bad)
        np.testing.assert_array_equal(load_index(clip.path, tmp_path).pts, good.pts)
        assert file.read_bytes() == whole
    file.unlink()
    file.mkdir()  # cannot be read nor replaced: only the time is lost
    np.testing.assert_array_equal(load_index(clip.path, tmp_path).pts, good.pts)
    assert [p.name for p in tmp_path.iterdir()] == [file.name]


def test_a_cache_folder_that_cannot_be_made_costs_nothing_but_time(clip: corpus.Clip, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    assert len(load_index(clip.path, blocker / "cache")) == 40


def test_progress_is_told_and_may_cancel(clip: corpus.Clip) -> None:
    told: list[float] = []
    load_index(clip.path, progress=told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)

    def cancel(done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_index(clip.path, progress=cancel)
