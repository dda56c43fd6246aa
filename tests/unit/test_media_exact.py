"""Frame identity: every kind of file, every way of asking, the number in the pixels is the number asked for."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import corpus
import numpy as np
import pytest

from app.media import MediaError, load_index, open_media
from app.media.video import VideoReader

SEEKS = 1000
RECIPES = {recipe.name: recipe for recipe in corpus.RECIPES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture(scope="module")
def clips(folder: Path) -> dict[str, corpus.Clip]:
    """Made on first use, so that one test alone is quick."""

    class Clips(dict[str, corpus.Clip]):
        def __missing__(self, name: str) -> corpus.Clip:
            self[name] = corpus.make(RECIPES[name], folder)
            return self[name]

    return Clips()


@pytest.mark.parametrize("name", RECIPES)
def test_every_way_to_a_frame_gives_that_frame(name: str, clips: dict[str, corpus.Clip]) -> None:
    clip = clips[name]
    with open_media(clip.path) as reader:
        info = reader.info
        assert (info.frames, info.width, info.height) == (len(clip.numbers), *clip.size)
        forward = list(reader.iter(0, info.frames))
        assert [corpus.read(f.image) for f in forward] == clip.numbers
        assert [f.index for f in forward] == list(range(info.frames))
        assert not any(f.damaged for f in forward)
        pixels = [zlib.crc32(f.image) for f in forward]
        backward = [zlib.crc32(f.image) for f in reader.iter(info.frames - 1, -1, -1)]
        assert backward[::-1] == pixels
        rng = random.Random(name)
        asked = [rng.randrange(info.frames) for _ in range(SEEKS)]
        wrong = [i for i in asked if zlib.crc32(reader.get(i).image) != pixels[i]]
        assert wrong == []
        if clip.times is not None:
            np.testing.assert_allclose(info.times, clip.times, atol=1.1e-3)  # Matroska rounds to milliseconds
            assert [f.time for f in forward] == info.times.tolist()


@pytest.mark.parametrize("name", RECIPES)
def test_files_without_sound_timestamps_are_counted_and_say_so(name: str, clips: dict[str, corpus.Clip]) -> None:
    clip = clips[name]
    index = load_index(clip.path)
    assert index.counted == clip.counted
    assert any("counted in decode order" in note for note in index.notes) == clip.counted


def test_pictures_are_read_only_contiguous_bgr(clips: dict[str, corpus.Clip]) -> None:
    for name in ("cfr.mp4", "rotated90.mp4", "odd.mp4"):
        with open_media(clips[name].path) as reader:
            image = reader.get(3).image
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert not image.flags.writeable


def test_backward_holds_its_budget_and_decodes_a_group_only_a_few_times(clips: dict[str, corpus.Clip]) -> None:
    clip = clips["gop250.mp4"]
    picture = corpus.WIDTH * corpus.HEIGHT * 3 // 2
    index = load_index(clip.path)
    held: list[int] = []

    class Watched(VideoReader):
        fed = 0

        def _feed(self, target: int) -> None:
            self.fed += 1
            super()._feed(target)

    for frames in (60, 1):
        reader = Watched(clip.path, index, reverse_bytes=frames * picture * 2)
        with reader:
            steps = reader.iter(249, 229, -1) if frames == 1 else reader.iter(249, -1, -1)
            for n, frame in enumerate(steps):
                assert corpus.read(frame.image) == 249 - n
                held.append(len(steps.gi_frame.f_locals["chunk"]) if steps.gi_frame else 0)
        if frames == 60:
            # Pieces of 60 (or more, pictures being smaller than thought) cost at most 250 + 190 + 130 + 70 packets.
            assert reader.fed < 800
    assert max(held) <= 130


def test_ahead_in_the_same_group_is_decoded_on_without_a_seek(
    clips: dict[str, corpus.Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    landings: list[int] = []
    land = VideoReader._land
    monkeypatch.setattr(VideoReader, "_land", lambda self, k: (landings.append(k), land(self, k)))
    with open_media(clips["gop250.mp4"].path) as reader:
        for i in (2, 3, 90, 91, 240):
            assert corpus.read(reader.get(i).image) == i
        assert landings == []
        assert corpus.read(reader.get(20).image) == 20
        assert landings == [0]


def test_damage_close_to_the_end_does_not_take_whole_frames_with_it(tmp_path: Path) -> None:
    clip = corpus.make(corpus.Recipe("late.mp4", options=corpus.x264(20)), tmp_path)
    index = load_index(clip.path)
    _blank_packet(clip.path, 119)
    with VideoReader(clip.path, index) as reader:
        assert [corpus.read(f.image) for f in reader.iter(100, 119)] == list(range(100, 119))
        with pytest.raises(MediaError, match=r"Frame 119 of late\.mp4"):
            reader.get(119)
        assert corpus.read(reader.get(118).image) == 118


def test_pixel_aspect_is_told_but_not_applied(clips: dict[str, corpus.Clip]) -> None:
    with open_media(clips["stretched.mp4"].path) as reader:
        assert reader.info.pixel_aspect == pytest.approx(4 / 3)
        assert reader.get(0).image.shape == (corpus.HEIGHT, corpus.WIDTH, 3)
        assert any("wide as high" in note for note in reader.info.notes)


@pytest.mark.parametrize("name", ["bframes.mkv", "bframes.ts"])
def test_a_cut_file_gives_every_frame_up_to_the_cut(name: str, clips: dict[str, corpus.Clip]) -> None:
    clip = corpus.cut(clips[name], 0.55)
    with open_media(clip.path) as reader:
        n = reader.info.frames
        assert 30 < n < 90
        good = [corpus.read(f.image) for f in reader.iter(0, n - 4)]
        assert good == clip.numbers[: n - 4]
        assert [corpus.read(f.image) for f in reader.iter(n - 5, -1, -1)] == clip.numbers[n - 5 :: -1]


def test_a_cut_mp4_with_its_table_in_front_gives_the_frames_it_has(tmp_path: Path) -> None:
    recipe = corpus.Recipe("front.mp4", options=corpus.x264(48, 2), container={"movflags": "faststart"})
    clip = corpus.cut(corpus.make(recipe, tmp_path), 0.6)
    with open_media(clip.path) as reader:
        n = reader.info.frames
        assert 30 < n < 110
        numbers = [corpus.read(f.image) for f in reader.iter(0, n)]  # none is lost to the error at the very end
        assert numbers[: n - 4] == clip.numbers[: n - 4]


def test_a_stream_that_begins_between_keys_begins_at_the_first_one(clips: dict[str, corpus.Clip]) -> None:
    whole = clips["bframes.ts"]
    data = whole.path.read_bytes()
    path = whole.path.with_name("headless.ts")
    path.write_bytes(
        data[: 2 * 188] + data[len(data) // 6 // 188 * 188 :]
    )  # the tables, then from within the first group
    with open_media(path) as reader:
        numbers = [corpus.read(f.image) for f in reader.iter(0, reader.info.frames)]
        assert numbers == whole.numbers[-len(numbers) :]
        assert numbers[0] == 24
        assert [corpus.read(reader.get(i).image) for i in (50, 0, 93)] == [74, 24, 117]


def test_joined_recordings_whose_clock_starts_again_are_counted(clips: dict[str, corpus.Clip]) -> None:
    one = clips["bframes.ts"]
    path = one.path.with_name("joined.ts")
    path.write_bytes(one.path.read_bytes() * 2)
    with open_media(path) as reader:
        assert reader.info.frames == 2 * len(one.numbers)
        assert any("jump back" in note or "double" in note for note in reader.info.notes)
        assert [corpus.read(f.image) for f in reader.iter(0, reader.info.frames)] == one.numbers * 2
        assert [corpus.read(reader.get(i).image) for i in (200, 10, 130, 119, 120)] == [80, 10, 10, 119, 0]


def test_damage_in_the_middle_costs_only_its_own_frames(tmp_path: Path) -> None:
    clip = corpus.make(corpus.Recipe("hole.mp4", options=corpus.x264(20)), tmp_path)
    index = load_index(clip.path)
    lost = 90  # in the group of 80 to 99
    _blank_packet(clip.path, lost)
    with VideoReader(clip.path, index) as reader:
        with pytest.raises(MediaError, match=rf"Frame {lost} of hole\.mp4 cannot be decoded.*ffmpeg"):
            reader.get(lost)
        for i in (89, 79, 100, 101, 119, 0):
            assert corpus.read(reader.get(i).image) == i
        with pytest.raises(MediaError, match=f"Frame {lost} "):
            list(reader.iter(80, 110))
        with pytest.raises(MediaError, match=f"Frame {lost} "):
            list(reader.iter(99, 80, -1))
        frames = reader.iter(105, 80, -1)
        assert [corpus.read(next(frames).image) for _ in range(6)] == [105, 104, 103, 102, 101, 100]


def _blank_packet(path: Path, number: int) -> None:
    """Overwrite the n-th packet in the file with zeros."""
    import av

    with av.open(str(path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][number]
        assert packet.pos is not None
        at, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
