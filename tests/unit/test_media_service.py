"""The service that answers a scrubbing view: newest only, never blocking, exact, closed at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import corpus
import numpy as np
import pytest

from app.media import Frame, FrameService, Interrupted, MediaError, MediaInfo, Reader
from app.media import service as service_module

WAIT = 30.0  # seconds; a limit for a hanging test, never waited for in a passing one


class Gate(Reader):
    """A reader of plain pictures whose every decode waits until the test lets it pass."""

    def __init__(self, frames: int = 1000, size: tuple[int, int] = (64, 48)) -> None:
        super().__init__()
        self.passes = threading.Semaphore(0)
        self.open = False
        self.begun: queue.Queue[int] = queue.Queue()
        self.decoded: list[int] = []
        self.closed = False
        width, height = size
        times = np.arange(frames) / 25
        self.info = MediaInfo(Path("gate.mp4"), frames, width, height, 25.0, times, "video")

    def let(self, frames: int) -> None:
        for _ in range(frames):
            self.passes.release()

    def _get(self, i: int) -> Frame:
        self.begun.put(i)
        while not self.open and not self.passes.acquire(timeout=0.005):
            if self.abort is not None and self.abort():
                raise Interrupted
        self.decoded.append(i)
        if i == 666:
            raise MediaError("Frame 666 of gate.mp4 cannot be decoded.")
        return Frame(i, i / 25, np.full((self.info.height, self.info.width, 3), i % 256, np.uint8))

    def close(self) -> None:
        super().close()
        self.closed = True


class Desk:
    """Collects answers."""

    def __init__(self) -> None:
        self.answers: queue.Queue[tuple[int, Frame | MediaError, str]] = queue.Queue()
        self.changed = threading.Event()

    def on_frame(self, generation: int, frame: Frame | MediaError) -> None:
        self.answers.put((generation, frame, threading.current_thread().name))

    def next(self) -> tuple[int, Frame | MediaError, str]:
        return self.answers.get(timeout=WAIT)

    def next_frame(self) -> tuple[int, int]:
        generation, frame, _ = self.next()
        assert isinstance(frame, Frame), frame
        return generation, frame.index


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[queue.Queue[Gate]]:
    """The readers that services open; each is made in the service's thread, as a real one is."""
    made: queue.Queue[Gate] = queue.Queue()

    def open_media(*args: object, **kwargs: object) -> Gate:
        made.put(Gate())
        return made.queue[-1]

    monkeypatch.setattr(service_module, "open_media", open_media)
    return made  # type: ignore[return-value]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_requests_that_nobody_began_are_dropped_for_the_newest(gate: queue.Queue[Gate], desk: Desk) -> None:
    service = FrameService("gate.mp4", desk.on_frame)
    reader = gate.get(timeout=WAIT)
    service.request(10, 1)
    assert reader.begun.get(timeout=WAIT) == 10
    for generation in range(2, 50):
        service.request(generation * 17, generation)  # none of these waits, though frame 10 is stuck
    reader.let(2)
    assert desk.next_frame() == (1, 10)
    assert desk.next_frame() == (49, 49 * 17)
    service.close()
    assert desk.answers.empty()
    assert reader.decoded[:2] == [10, 49 * 17]
    assert reader.closed


def test_cached_frames_answer_at_once_in_the_asking_thread_and_overtake(gate: queue.Queue[Gate], desk: Desk) -> None:
    service = FrameService("gate.mp4", desk.on_frame)
    reader = gate.get(timeout=WAIT)
    service.request(10, 1)
    reader.let(1)
    assert desk.next_frame() == (1, 10)
    service.request(500, 2)  # stuck in the decoder
    while reader.begun.get(timeout=WAIT) != 500:
        pass
    service.request(10, 3)
    generation, frame, thread = desk.answers.get_nowait()
    assert (generation, thread) == (3, threading.current_thread().name)
    assert isinstance(frame, Frame)
    assert frame is service.cached(10)
    reader.open = True
    service.request(900, 4)
    assert desk.next_frame() == (4, 900)  # the answer to generation 2 was out of date: kept, not shown
    assert service.cached(500) is not None
    service.close()


def test_close_ends_a_stuck_decode_and_joins(gate: queue.Queue[Gate], desk: Desk) -> None:
    service = FrameService("gate.mp4", desk.on_frame)
    reader = gate.get(timeout=WAIT)
    service.request(10, 1)
    reader.begun.get(timeout=WAIT)
    service.close()
    assert reader.closed
    assert desk.answers.empty()
    assert service.cached_indices() == []
    service.request(11, 2)
    service.close()
    assert desk.answers.empty()


def test_decodes_ahead_in_the_direction_of_travel(gate: queue.Queue[Gate], desk: Desk) -> None:
    idle = threading.Event()

    def on_cached() -> None:
        if len(service.cached_indices()) >= 151:
            idle.set()

    service = FrameService("gate.mp4", desk.on_frame, on_cached=on_cached)
    reader = gate.get(timeout=WAIT)
    reader.open = True
    service.request(400, 1)
    assert idle.wait(WAIT)
    assert reader.decoded[:121] == list(range(400, 521))
    assert service.cached_indices() == list(range(370, 521))
    idle.clear()
    reader.decoded.clear()
    service.request(399, 2)
    service.request(384, 3)
    done = threading.Event()
    service._on_cached = done.set
    assert done.wait(WAIT)
    service.close()
    assert reader.decoded[:5] == [369, 368, 367, 366, 365]


def test_a_new_request_interrupts_decoding_ahead(gate: queue.Queue[Gate], desk: Desk) -> None:
    service = FrameService("gate.mp4", desk.on_frame)
    reader = gate.get(timeout=WAIT)
    service.request(10, 1)
    reader.let(1)
    assert desk.next_frame() == (1, 10)
    assert reader.begun.get(timeout=WAIT) == 10
    assert reader.begun.get(timeout=WAIT) == 11  # ahead, stuck
    service.request(700, 2)
    assert reader.begun.get(timeout=WAIT) == 700
    reader.let(1)
    assert desk.next_frame() == (2, 700)
    assert 11 not in reader.decoded
    service.close()


def test_a_slot_that_cannot_be_decoded_is_answered_and_passed_over(gate: queue.Queue[Gate], desk: Desk) -> None:
    service = FrameService("gate.mp4", desk.on_frame)
    reader = gate.get(timeout=WAIT)
    reader.open = True
    service.request(666, 1)
    generation, error, _ = desk.next()
    assert generation == 1
    assert isinstance(error, MediaError)
    assert "666" in str(error)
    service.request(660, 2)
    assert desk.next_frame() == (2, 660)
    service.request(5000, 3)
    generation, error, _ = desk.next()
    assert isinstance(error, MediaError)
    assert "frames 0 to 999" in str(error)
    service.request(668, 4)
    assert desk.next_frame() == (4, 668)
    service.close()


@pytest.mark.expected_logs("showing a frame")
def test_a_view_that_fails_does_not_stop_the_service(gate: queue.Queue[Gate]) -> None:
    seen: queue.Queue[int] = queue.Queue()

    def on_frame(generation: int, frame: Frame | MediaError) -> None:
        seen.put(generation)
        if generation == 1:
            raise ZeroDivisionError

    service = FrameService("gate.mp4", on_frame)
    gate.get(timeout=WAIT).open = True
    service.request(1, 1)
    assert seen.get(timeout=WAIT) == 1
    service.request(900, 2)
    assert seen.get(timeout=WAIT) == 2
    service.close()


def test_a_file_that_does_not_open_answers_with_the_reason(tmp_path: Path, desk: Desk) -> None:
    service = FrameService(tmp_path / "gone.mp4", desk.on_frame)
    for generation in (1, 2):
        service.request(0, generation)
        got, error, _ = desk.next()
        assert got == generation
        assert isinstance(error, MediaError)
        assert "gone.mp4 does not exist" in str(error)
    assert service.info is None
    service.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> corpus.Clip:
    recipe = corpus.Recipe("service.mp4", frames=120, options=corpus.x264(60, 3))
    return corpus.make(recipe, tmp_path_factory.mktemp("service"))


def test_real_video_forwards_backwards_and_across(clip: corpus.Clip, desk: Desk, tmp_path: Path) -> None:
    service = FrameService(clip.path, desk.on_frame, cache_mb=2, cache_dir=tmp_path)  # room for 45 frames
    asked = [*range(70), *range(69, 20, -1), 110, 3, 119, 0, *range(118, 60, -1)]
    for generation, index in enumerate(asked):
        service.request(index, generation)
        got, frame, _ = desk.next()
        assert isinstance(frame, Frame)
        assert (got, frame.index, corpus.read(frame.image)) == (generation, index, index)
    assert service.info is not None
    assert service.info.frames == 120
    assert len(service.cached_indices()) <= 45
    service.close()
    assert len(list(tmp_path.iterdir())) == 1


def test_stream_steps_are_generators_closed_in_the_service_thread(
    clip: corpus.Clip, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder freed by another thread is how readers crash."""
    ended: queue.Queue[int] = queue.Queue()
    plain = Reader.iter

    def watched(self: Reader, start: int, stop: int, step: int = 1) -> Generator[Frame, None, None]:
        try:
            yield from plain(self, start, stop, step)
        finally:
            ended.put(threading.get_ident())

    monkeypatch.setattr(Reader, "iter", watched)
    service = FrameService(clip.path, desk.on_frame)
    service.request(30, 1)
    desk.next()
    worker = service._thread.ident
    service.request(29, 2)
    desk.next()
    service.close()
    owners = set()
    while not ended.empty():
        owners.add(ended.get())
    assert owners == {worker}
