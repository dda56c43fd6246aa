from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from app.work.latest import Chunks, Latest


def test_latest_keeps_the_newest_and_wakes_once_per_fill():
    wakes: list[int] = []
    box: Latest[int] = Latest(lambda: wakes.append(1))
    for n in range(100):
        box.put(n)
    assert len(wakes) == 1
    assert box.take() == 99
    assert box.take() is None
    box.put(7)
    assert (len(wakes), box.take()) == (2, 7)


def test_latest_never_goes_back_in_time_between_threads():
    seen: list[int] = []
    woken = threading.Semaphore(0)
    box: Latest[int] = Latest(woken.release)

    def write() -> None:
        for n in range(20_000):
            box.put(n)

    writer = threading.Thread(target=write)
    writer.start()
    while not seen or seen[-1] != 19_999:
        assert woken.acquire(timeout=5)
        item = box.take()
        assert item is not None, "woken for nothing"
        seen.append(item)
    writer.join()
    assert seen == sorted(set(seen))


@given(st.lists(st.integers(1, 50)), st.integers(1, 8))
def test_chunks_lose_nothing_and_keep_the_order(bursts: list[int], count: int):
    chunks: Chunks[int] = Chunks(lambda: None, count=count, seconds=1e9)
    put: list[int] = []
    taken: list[int] = []
    for burst in bursts:
        for _ in range(burst):
            put.append(len(put))
            chunks.put(put[-1])
        taken += chunks.take()
    assert taken == put


def test_chunks_wake_when_enough_waits_and_once_only():
    wakes: list[int] = []
    chunks: Chunks[int] = Chunks(lambda: wakes.append(1), count=3, seconds=1e9)
    for n in range(2):
        chunks.put(n)
    assert not wakes
    for n in range(10):
        chunks.put(n)
    assert len(wakes) == 1
    chunks.take()
    for n in range(3):
        chunks.put(n)
    assert len(wakes) == 2


def test_chunks_wake_when_the_oldest_has_waited():
    wakes: list[int] = []
    chunks: Chunks[int] = Chunks(lambda: wakes.append(1), count=1000, seconds=0.0)
    chunks.put(1)
    assert wakes == [1]
