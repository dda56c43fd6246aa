"""Work stands behind the window, with all the threads that it starts."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from app.threads import stand_back
from app.work.jobs import Jobs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: threads have a niceness of their own")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_lanes_and_their_threads_stand_back_and_the_window_does_not() -> None:
    mine, seen = niceness(), []

    def work():
        seen.append(niceness())
        inner = threading.Thread(target=lambda: seen.append(niceness()))
        inner.start()
        inner.join()
        yield

    for back in (0, 3):
        jobs = Jobs(lambda call: call(), back=back)
        jobs.run("lane", work()).join(10)
        jobs.close()
    assert seen == [mine, mine, min(19, mine + 3), min(19, mine + 3)]
    assert niceness() == mine


def test_standing_back_ends_at_the_last_place() -> None:
    seen: list[int] = []

    def far() -> None:
        stand_back(19)
        stand_back(19)
        seen.append(niceness())

    thread = threading.Thread(target=far)
    thread.start()
    thread.join()
    assert seen[0] <= 19
