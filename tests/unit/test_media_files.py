"""Image folders, the frame cache, the owner thread, and errors that name the file and the remedy."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import corpus
import cv2
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from hypothesis import given
from hypothesis import strategies as st

from app.media import Frame, FrameCache, MediaError, fingerprint, open_media, probe
from app.media.picture import FLIP_X, FLIP_Y, TRANSPOSE, turn


def test_image_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    folder = corpus.image_folder(tmp_path / "shots", [1, 2, 9, 10, 11, 100])
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_bytes(b"junk that a file manager leaves")
    with open_media(folder) as reader:
        assert (reader.info.kind, reader.info.frames, reader.info.fps) == ("images", 6, 25.0)
        assert [corpus.read(f.image) for f in reader.iter(0, 6)] == [1, 2, 9, 10, 11, 100]
        assert [f.index for f in reader.iter(4, 1, -1)] == [4, 3, 2]
        frame = reader.get(3)
        assert frame.time == pytest.approx(3 / 25)
        assert not frame.image.flags.writeable
        assert frame.image.flags.c_contiguous
    before = fingerprint(folder)
    (folder / "frame100.png").unlink()
    assert fingerprint(folder) != before


def test_one_image_is_a_video_of_one_frame(tmp_path: Path) -> None:
    folder = corpus.image_folder(tmp_path / "shots", [5], ".jpg")
    info = probe(folder / "frame5.jpg")
    assert (info.kind, info.frames, info.width, info.height) == ("images", 1, corpus.WIDTH, corpus.HEIGHT)


def test_grey_and_sixteen_bit_images_become_bgr(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a1.png"), np.full((20, 30), 100, np.uint8))
    assert cv2.imwrite(str(tmp_path / "a2.png"), np.full((20, 30), 100 * 257, np.uint16))
    assert cv2.imwrite(str(tmp_path / "a3.png"), np.full((20, 30, 4), 100, np.uint8))
    with open_media(tmp_path) as reader:
        for frame in reader.iter(0, 3):
            assert frame.image.shape == (20, 30, 3)
            assert (frame.image == 100).all()


def test_images_of_mixed_sizes_are_refused_by_name(tmp_path: Path) -> None:
    folder = corpus.image_folder(tmp_path / "shots", range(5))
    assert cv2.imwrite(str(folder / "frame3.png"), np.zeros((10, 20, 3), np.uint8))
    with pytest.raises(MediaError, match=r"frame3\.png is 20 x 10 pixels, but frame0\.png is 160 x 96.*another folder"):
        open_media(folder)


def test_an_image_that_went_bad_is_named(tmp_path: Path) -> None:
    folder = corpus.image_folder(tmp_path / "shots", range(3))
    with open_media(folder) as reader:
        (folder / "frame1.png").write_bytes(b"no image")
        with pytest.raises(MediaError, match=r"frame1\.png is not an image.*[Rr]eplace"):
            reader.get(1)
        (folder / "frame2.png").unlink()
        with pytest.raises(MediaError, match=r"frame2\.png cannot be read.*moved"):
            reader.get(2)
        assert corpus.read(reader.get(0).image) == 0


def _only_sound(path: Path) -> None:
    with av.open(str(path), "w") as out:
        assert isinstance(out, OutputContainer)
        stream = out.add_stream("pcm_s16le", rate=8000)
        frame = AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))  # type: ignore[arg-type]


def test_errors_name_the_file_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "letter.mp4").write_text("Dear reader, this is not a video. " * 50)
    (tmp_path / "letter.png").write_text("nor an image")
    _only_sound(tmp_path / "sound.wav")
    whole = corpus.make(corpus.Recipe("late.mp4", frames=30, options=corpus.x264(15)), tmp_path)
    cut = corpus.cut(whole, 0.9)  # its table of contents stood at the end
    cases = {
        "gone.mp4": r"gone\.mp4 does not exist.*moved",
        "nothing": r"nothing holds no images \(bmp, jp2, jpeg.*Choose",
        "empty.mp4": r"empty\.mp4 cannot be opened as a video: .*repair",
        "letter.mp4": r"letter\.mp4 cannot be opened as a video: .*another kind",
        "letter.png": r"letter\.png is not an image",
        "sound.wav": r"sound\.wav has no video stream.*Choose",
        cut.path.name: r"cut-late\.mp4 cannot be opened as a video: .*cut short.*ffmpeg -i",
    }
    for name, message in cases.items():
        with pytest.raises(MediaError, match=message):
            open_media(tmp_path / name)
        if name != "gone.mp4":
            assert fingerprint(tmp_path / name)
    with pytest.raises(MediaError, match="does not exist"):
        fingerprint(tmp_path / "gone.mp4")


def test_names_that_look_like_addresses_or_patterns_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = corpus.make(corpus.Recipe("plain.mp4", frames=3, options=corpus.x264(3)), tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("ünï cödé.mp4", "%03d.mp4", "http:clip.mp4"):
        (tmp_path / name).write_bytes(made.path.read_bytes())
        with open_media(name) as reader:
            assert corpus.read(reader.get(2).image) == 2


def test_a_reader_belongs_to_the_thread_that_opened_it(tmp_path: Path) -> None:
    clip = corpus.make(corpus.Recipe("owned.mp4", frames=5, options=corpus.x264(3)), tmp_path)
    refused: list[str] = []

    def trespass() -> None:
        for call in (lambda: reader.get(0), lambda: next(steps), lambda: next(back), reader.close):
            try:
                call()
            except RuntimeError as e:
                refused.append(str(e))

    with open_media(clip.path) as reader:
        steps, back = reader.iter(0, 5), reader.iter(4, 0, -1)
        thread = threading.Thread(target=trespass)
        thread.start()
        thread.join()
        assert len(refused) == 4
        assert "open a second reader" in refused[0]
        assert corpus.read(reader.get(4).image) == 4
        with pytest.raises(IndexError, match="frames 0 to 4"):
            reader.get(5)
        with pytest.raises(ValueError, match="step"):
            reader.iter(0, 5, 2)
        assert list(reader.iter(3, 3)) == []
        assert [f.index for f in reader.iter(3, 99)] == [3, 4]
        assert [f.index for f in reader.iter(1, -9, -1)] == [1, 0]
    reader.close()


def _frame(index: int, side: int = 8) -> Frame:
    return Frame(index, 0.0, np.zeros((side, side, 3), np.uint8))


@given(st.integers(0, 2000), st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(1, 16)), max_size=60))
def test_cache_holds_the_most_recently_used_within_its_budget(budget: int, steps: list[tuple[bool, int, int]]) -> None:
    cache = FrameCache(budget)
    model: dict[int, Frame] = {}  # oldest first
    for put, index, side in steps:
        if put:
            frame = _frame(index, side)
            cache.put(frame)
            model.pop(index, None)
            model[index] = frame
            while sum(f.image.nbytes for f in model.values()) > budget and len(model) > 1:
                model.pop(next(iter(model)))
        else:
            found = cache.get(index)
            assert found is model.get(index)
            if found is not None:
                model[index] = model.pop(index)
        assert cache.indices() == sorted(model)
        assert cache.bytes == sum(f.image.nbytes for f in model.values())
        assert (index in cache) == (index in model)
    cache.clear()
    assert cache.indices() == []
    assert cache.bytes == 0


def test_all_eight_orientations() -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    for bits in range(8):
        wanted = image
        if bits & TRANSPOSE:
            wanted = wanted.swapaxes(0, 1)
        if bits & FLIP_X:
            wanted = wanted[:, ::-1]
        if bits & FLIP_Y:
            wanted = wanted[::-1]
        np.testing.assert_array_equal(turn(image, bits), wanted)
