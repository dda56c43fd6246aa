"""Pictures kept on disk: the same pixels as decoding gives, bounded in bytes, never in the way of a request."""

from __future__ import annotations

import os
import queue
import time
from pathlib import Path

import corpus
import numpy as np
import pytest
from av.video.frame import VideoFrame

from app.media import Frame, FrameService, Interrupted, load_index
from app.media import filling as filling_module
from app.media import service as service_module
from app.media.filling import Filler, far_frames, open_filler
from app.media.picture import Painter
from app.media.store import FrameStore
from app.media.video import VideoReader

WAIT = 30.0
PLENTY = 1 << 30


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of the corpus are small: with these, those more than four frames from their key packet are far."""
    monkeypatch.setattr(filling_module, "_FAR_PIXELS", 5 * corpus.WIDTH * corpus.HEIGHT)
    monkeypatch.setattr(filling_module, "_PIECE", 16)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> corpus.Clip:
    recipe = corpus.Recipe("store.mp4", frames=120, options=corpus.x264(60, 3))
    return corpus.make(recipe, tmp_path_factory.mktemp("store"))


def fill(clip: corpus.Clip, cache: Path, budget: int = PLENTY, at: int = 0) -> FrameStore:
    """The store of the clip after as many steps as its filler takes."""
    found = open_filler(clip.path, load_index(clip.path), cache, budget)
    assert found is not None
    store, filler = found
    filler.go_to(at)
    while filler.step(lambda: False):
        pass
    filler.close()
    return store


def picture(fill: int, size: tuple[int, int] = (64, 48)) -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((size[1], size[0], 3), fill, np.uint8), format="bgr24")


@pytest.mark.parametrize("recipe", corpus.RECIPES, ids=lambda recipe: recipe.name)
def test_a_kept_picture_is_the_decoded_one_pixel_by_pixel(recipe: corpus.Recipe, tmp_path: Path) -> None:
    clip = corpus.make(recipe, tmp_path)
    index = load_index(clip.path)
    store = FrameStore(tmp_path / "kept", "mark", PLENTY)
    painter = Painter(index.width, index.height, index.orientation)
    with VideoReader(clip.path, index) as reader:
        for i in range(0, len(index), max(1, len(index) // 7)):
            decoded = reader.picture(i)
            assert store.put(i, decoded), decoded.format.name
            kept = store.get(i)
            assert kept is not None
            assert (kept.format.name, kept.width, kept.height) == (decoded.format.name, decoded.width, decoded.height)
            np.testing.assert_array_equal(painter.bgr(kept), painter.bgr(decoded))


@pytest.mark.parametrize("kind", ["yuv420p10le", "nv12", "yuyv422", "gray", "gbrp", "yuv444p", "rgb24", "yuvj420p"])
@pytest.mark.parametrize("size", [(64, 48), (70, 46)])
def test_pixel_formats_of_every_layout_are_kept(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    width, height = size
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    plain = VideoFrame.from_ndarray(noise, format="bgr24").reformat(format=kind)
    store = FrameStore(tmp_path, "mark", PLENTY)
    assert store.put(3, plain)
    kept = store.get(3)
    assert kept is not None
    np.testing.assert_array_equal(Painter(width, height, 0).bgr(kept), Painter(width, height, 0).bgr(plain))


def test_what_cannot_be_kept_is_refused_not_spoilt(tmp_path: Path) -> None:
    store = FrameStore(tmp_path, "mark", PLENTY)
    assert not store.put(0, VideoFrame(64, 48, "monob"))
    assert not store.put(1, VideoFrame(64, 48, "monob"))
    assert store.get(0) is None
    assert len(store) == 0


def test_the_farthest_pictures_make_room_for_near_ones(tmp_path: Path) -> None:
    store = FrameStore(tmp_path, "mark", PLENTY)
    for i in (0, 50, 100):
        assert store.admit(i, at=0)
        store.put(i, picture(i))
    one = (tmp_path / "mark" / "0").stat().st_size
    small = FrameStore(tmp_path, "mark", 3 * one + one // 2)
    assert [i in small for i in (0, 50, 100)] == [True, True, True]
    assert not small.admit(200, at=0)  # all that is kept lies nearer
    assert small.admit(60, at=55)
    assert [i in small for i in (0, 50, 100)] == [False, True, True]
    small.put(60, picture(60))
    assert sorted(int(p.name) for p in (tmp_path / "mark").iterdir()) == [50, 60, 100]


def test_videos_that_were_not_open_for_long_leave_first(tmp_path: Path) -> None:
    for age, mark in enumerate(("new", "old")):
        other = FrameStore(tmp_path, mark, PLENTY)
        other.put(0, picture(1))
        os.utime(tmp_path / mark, (1000 - age, 1000 - age))
    one = (tmp_path / "old" / "0").stat().st_size
    store = FrameStore(tmp_path, "mark", 3 * one + one // 2)
    store.put(0, picture(2))
    assert store.admit(1, at=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mark", "new"]


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_a_damaged_or_vanished_file_is_decoded_again(damage: bytes | None, clip: corpus.Clip, tmp_path: Path) -> None:
    store = fill(clip, tmp_path)
    for path in (tmp_path / "frames").glob("*/*"):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
    with VideoReader(clip.path, load_index(clip.path)) as reader:
        reader.store = store
        assert corpus.read(reader.get(40).image) == 40
        assert 40 not in store


def test_far_frames_are_kept_and_give_the_same_pixels_both_ways(clip: corpus.Clip, tmp_path: Path) -> None:
    index = load_index(clip.path)
    assert [i for piece in far_frames(index) for i in piece] == [*range(5, 60), *range(65, 120)]
    store = fill(clip, tmp_path)
    assert [i for i in range(120) if i in store] == [*range(5, 60), *range(65, 120)]
    with VideoReader(clip.path, index) as kept, VideoReader(clip.path, index) as plain:
        kept.store = store
        for i in (119, 3, 58, 30, 70, 31, 118):
            np.testing.assert_array_equal(kept.get(i).image, plain.get(i).image)
        assert [corpus.read(f.image) for f in kept.iter(100, 80, -1)] == [*range(100, 80, -1)]
        assert [corpus.read(f.image) for f in kept.iter(50, 70)] == [*range(50, 70)]


def test_where_room_is_short_the_frames_near_the_user_are_kept(clip: corpus.Clip, tmp_path: Path) -> None:
    whole = fill(clip, tmp_path / "all")
    size = sum(p.stat().st_size for p in (tmp_path / "all" / "frames").glob("*/*"))
    store = fill(clip, tmp_path / "some", size // 4, at=100)
    assert 0 < len(store) < len(whole)
    assert all(i in store for i in range(97, 104))
    assert not any(i in store for i in range(5, 60))


def test_an_interrupted_step_goes_on_with_the_same_frame(clip: corpus.Clip, tmp_path: Path) -> None:
    index = load_index(clip.path)
    store = FrameStore(tmp_path, "mark", PLENTY)
    filler = Filler(clip.path, index, store)
    assert not filler.step(lambda: False)  # nobody is anywhere yet
    filler.go_to(70)
    with pytest.raises(Interrupted):
        filler.step(lambda: True)
    assert len(store) == 0
    assert filler.step(lambda: False)
    assert len(store) == 1
    filler.close()


def test_a_full_disk_ends_the_keeping_and_nothing_else(
    clip: corpus.Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = load_index(clip.path)
    store = FrameStore(tmp_path, "mark", PLENTY)
    filler = Filler(clip.path, index, store)
    filler.go_to(70)
    assert filler.step(lambda: False)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert filler.step(lambda: False)
    assert not filler.step(lambda: False)
    assert len(store) == 1
    assert not list(tmp_path.glob("*/*.part"))
    filler.close()
    with VideoReader(clip.path, index) as reader:
        reader.store = store
        assert [corpus.read(reader.get(i).image) for i in (65, 100)] == [65, 100]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[tuple[int, object]]:
    monkeypatch.setattr(service_module, "_CALM", 0.01)
    return queue.Queue()


def test_the_service_keeps_frames_while_nobody_asks(
    clip: corpus.Clip, tmp_path: Path, answers: queue.Queue[tuple[int, object]]
) -> None:
    service = FrameService(clip.path, lambda *answer: answers.put(answer), 1, cache_dir=tmp_path, store_mb=64)
    service.fill(False)
    service.request(0, 0)
    answers.get(timeout=WAIT)
    assert not list((tmp_path / "frames").glob("*/*"))
    service.fill(True)
    until = time.monotonic() + WAIT
    while len(list((tmp_path / "frames").glob("*/*"))) < 110 and time.monotonic() < until:
        time.sleep(0.01)
    for generation, index in enumerate((119, 33, 58, 90), 1):
        service.request(index, generation)
        got, frame = answers.get(timeout=WAIT)
        assert isinstance(frame, Frame)
        assert (got, frame.index, corpus.read(frame.image)) == (generation, index, index)
    service.close()
    assert not list((tmp_path / "frames").glob("*/*.part"))


def test_nothing_is_kept_where_no_frame_is_far_or_nothing_may_be(clip: corpus.Clip, tmp_path: Path) -> None:
    near = corpus.make(corpus.Recipe("near.mp4", frames=20, options=corpus.x264(5)), tmp_path)
    assert open_filler(near.path, load_index(near.path), tmp_path, PLENTY) is None
    assert open_filler(clip.path, load_index(clip.path), tmp_path, 0) is None
    assert open_filler(clip.path, load_index(clip.path), None, PLENTY) is None
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    assert open_filler(clip.path, load_index(clip.path), blocked, PLENTY) is None
