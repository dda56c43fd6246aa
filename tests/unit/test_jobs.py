from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator

import pytest

from app.work.jobs import Jobs
from app.work.lane import MainLane


@pytest.fixture
def lane() -> MainLane:
    return MainLane()


@pytest.fixture
def jobs(lane: MainLane) -> Iterator[Jobs]:
    jobs = Jobs(lane.post)
    yield jobs
    assert jobs.close()


def test_items_come_in_the_worker_the_end_in_the_main_lane(jobs: Jobs, lane: MainLane):
    where: dict[str, set[str]] = {"item": set(), "end": set(), "closed": set()}
    items: list[int] = []

    def work() -> Generator[int, None, str]:
        try:
            yield from range(5)
            return "done"
        finally:
            where["closed"].add(threading.current_thread().name)

    def on_item(item: int) -> None:
        items.append(item)
        where["item"].add(threading.current_thread().name)

    job = jobs.run("a", work(), on_item, lambda error, cancelled: where["end"].add(threading.current_thread().name))
    lane.wait(job)
    assert items == [0, 1, 2, 3, 4]
    assert (job.value, job.error, job.cancelled) == ("done", None, False)
    assert where == {"item": {"lane-a"}, "closed": {"lane-a"}, "end": {threading.current_thread().name}}


def test_cancel_stops_before_the_next_item_and_closes_in_the_worker(jobs: Jobs, lane: MainLane):
    gate: queue.Queue[None] = queue.Queue()
    items: list[int] = []
    closed: list[str] = []
    ends: list[tuple[Exception | None, bool]] = []

    def work() -> Generator[int, None, None]:
        try:
            for n in range(1000):
                gate.get(timeout=5)
                yield n
        finally:
            closed.append(threading.current_thread().name)

    job = jobs.run("a", work(), items.append, lambda error, cancelled: ends.append((error, cancelled)))
    gate.put(None)
    lane.wait(lambda: items == [0])
    job.cancel()
    gate.put(None)  # the item in the making is finished and delivered, the next is not begun
    lane.wait(job)
    assert items == [0, 1]
    assert closed == ["lane-a"]
    assert ends == [(None, True)]
    assert not job.running


def test_a_job_cancelled_while_it_waits_never_begins(jobs: Jobs, lane: MainLane):
    gate = threading.Event()
    begun: list[str] = []

    def work(name: str) -> Generator[None, None, None]:
        begun.append(name)
        gate.wait(5)
        yield

    first, second, third = (jobs.run("a", work(name)) for name in "123")
    second.cancel()
    gate.set()
    lane.wait(third)
    assert begun == ["1", "3"]
    assert second.cancelled
    assert first.ended


def test_lanes_run_side_by_side_and_a_lane_in_order(jobs: Jobs, lane: MainLane):
    meet = threading.Barrier(2, timeout=5)
    order: list[int] = []

    def together() -> Generator[None, None, None]:
        meet.wait()
        yield

    def numbered(n: int) -> Generator[None, None, None]:
        order.append(n)
        yield

    both = [jobs.run("a", together()), jobs.run("b", together())]
    queued = [jobs.run("a", numbered(n)) for n in range(10)]
    for job in both + queued:
        lane.wait(job)
    assert order == list(range(10))


def test_an_error_is_reported_once_and_the_lane_goes_on(jobs: Jobs, lane: MainLane):
    ends: list[tuple[Exception | None, bool]] = []

    def broken() -> Generator[int, None, None]:
        yield 1
        raise ValueError("boom")

    def fine() -> Generator[int, None, int]:
        yield 1
        return 2

    def end(error: Exception | None, cancelled: bool) -> None:
        ends.append((error, cancelled))

    bad = jobs.run("a", broken(), on_end=end)
    good = jobs.run("a", fine(), on_end=end)
    with pytest.raises(ValueError, match="boom"):
        lane.wait(bad)
    lane.wait(good)
    assert [str(error) for error, _ in ends] == ["boom", "None"]
    assert good.value == 2


def test_an_error_of_the_listener_closes_the_generator(jobs: Jobs, lane: MainLane):
    closed: list[bool] = []

    def work() -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            closed.append(True)

    def on_item(item: int) -> None:
        raise RuntimeError("listener")

    job = jobs.run("a", work(), on_item, lambda error, cancelled: None)
    with pytest.raises(RuntimeError, match="listener"):
        lane.wait(job)
    assert closed == [True]


@pytest.mark.expected_logs("Work on lane 'a' failed")
def test_an_error_that_nobody_takes_is_logged(jobs: Jobs, lane: MainLane):
    def broken() -> Generator[int, None, None]:
        raise ValueError("boom")
        yield

    with pytest.raises(ValueError, match="boom"):
        lane.wait(jobs.run("a", broken()))


def test_close_cancels_what_runs_and_what_waits(lane: MainLane):
    jobs = Jobs(lane.post)
    begun = threading.Event()

    def endless() -> Generator[int, None, None]:
        begun.set()
        while True:
            yield 1

    running, waiting = jobs.run("a", endless()), jobs.run("a", endless())
    assert begun.wait(5)
    assert jobs.close()
    assert running.cancelled
    assert waiting.cancelled
    with pytest.raises(RuntimeError):
        jobs.run("a", endless())


@pytest.mark.expected_logs("Still busy")
def test_close_does_not_wait_for_ever(lane: MainLane):
    jobs = Jobs(lane.post)
    begun, gate = threading.Event(), threading.Event()

    def stuck() -> Generator[int, None, None]:
        begun.set()
        gate.wait(5)
        yield 1

    job = jobs.run("a", stuck())
    assert begun.wait(5)
    assert not jobs.close(timeout=0.01)
    gate.set()
    assert job.join(5)


def test_wait_gives_up(lane: MainLane):
    with pytest.raises(TimeoutError):
        lane.wait(lambda: False, timeout=0.01)


def test_pump_does_what_was_posted(lane: MainLane):
    done: list[int] = []
    calls: list[Callable[[], None]] = [lambda: done.append(1), lambda: lane.post(lambda: done.append(2))]
    for call in calls:
        lane.post(call)
    assert lane.pump() == 3
    assert done == [1, 2]
