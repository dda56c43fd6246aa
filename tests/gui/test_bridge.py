from __future__ import annotations

import threading

from app.gui.bridge import Bridge


def test_posts_of_many_threads_all_run_in_the_main_thread_in_order(qtbot):
    bridge = Bridge()
    main = threading.get_ident()
    seen: dict[int, list[int]] = {n: [] for n in range(4)}

    def work(n: int) -> None:
        for i in range(500):
            bridge.post(lambda i=i: seen[n].append(i if threading.get_ident() == main else -1))

    threads = [threading.Thread(target=work, args=(n,)) for n in seen]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: sum(map(len, seen.values())) == 2000, timeout=5000)
    for thread in threads:
        thread.join()
    assert all(items == list(range(500)) for items in seen.values())


def test_a_failing_call_does_not_stop_the_next_ones(qtbot):
    bridge = Bridge()
    seen: list[int] = []

    def fail() -> None:
        raise ValueError("boom")

    with qtbot.capture_exceptions() as caught:
        bridge.post(fail)
        bridge.post(lambda: seen.append(1))
        qtbot.waitUntil(lambda: seen == [1])
    assert [str(error) for _, error, _ in caught] == ["boom"]


def test_a_call_may_post_and_may_close(qtbot):
    bridge = Bridge()
    seen: list[str] = []
    bridge.post(lambda: (seen.append("a"), bridge.post(lambda: (seen.append("b"), bridge.close()))))
    qtbot.waitUntil(lambda: seen == ["a", "b"])
    bridge.post(lambda: seen.append("late"))
    bridge._woke.emit()
    qtbot.wait(1)
    assert seen == ["a", "b"]


def test_two_thousand_emits_survive(qtbot):
    """PySide6 6.12.0 on Python 3.11 aborts after some 570 emits; this pins a version that does not."""
    bridge = Bridge()
    for _ in range(2000):
        bridge._woke.emit()
    bridge.post(lambda: None)
    qtbot.waitUntil(lambda: not bridge._queue)
