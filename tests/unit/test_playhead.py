"""Which of the pictures that arrive is shown, with a service that answers when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media import Frame, MediaError, MediaInfo
from app.work import playhead
from app.work.events import Events
from app.work.playhead import Playhead

FRAMES = 100


def frame(index: int) -> Frame:
    return Frame(index, index / 25, np.zeros((2, 2, 3), np.uint8))


class Service:
    """Notes what is asked for; `answer` is the decoder being done with one of the requests."""

    def __init__(
        self, path: Path, on_frame: Callable[[int, object], None], *_: object, cache_dir: Path, store_mb: int
    ) -> None:
        self._on_frame = on_frame
        self.kept: dict[int, Frame] = {}
        self.asked: list[tuple[int, int]] = []  # index, generation

    def cached(self, index: int) -> Frame | None:
        return self.kept.get(index)

    def request(self, index: int, generation: int) -> None:
        self.asked.append((index, generation))
        if index in self.kept:
            self._on_frame(generation, self.kept[index])

    def answer(self, number: int, error: bool = False) -> None:
        index, generation = self.asked[number]
        self._on_frame(generation, MediaError(f"frame {index}") if error else frame(index))

    def close(self) -> None: ...


class View:
    """A playhead whose posted work is done at once, with what it told."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(playhead, "FrameService", Service)
        info = MediaInfo(Path("clip"), FRAMES, 2, 2, 25.0, np.arange(FRAMES) / 25, "video")
        self.events = Events()
        self.posted: list[Callable[[], object]] = []
        self.head = Playhead(info, self.events, self.posted.append, 1, 0, Path())
        self.seen: list[int] = []
        self.errors: list[str] = []
        self.events.shown.connect(lambda shown: self.seen.append(shown.index))
        self.events.error.connect(lambda error: self.errors.append(str(error)))

    @property
    def service(self) -> Service:
        return self.head.service  # type: ignore[return-value]

    def answer(self, number: int, error: bool = False) -> None:
        self.service.answer(number, error)
        self.turn()

    def turn(self) -> None:
        while self.posted:
            self.posted.pop(0)()


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> View:
    return View(monkeypatch)


def test_a_drag_shows_pictures_on_its_way_while_the_goal_stays(view: View):
    for index in (10, 20, 30):
        view.head.seek(index)
    view.answer(0)
    assert (view.seen, view.head.frame) == ([10], 30)
    view.answer(2)
    assert view.seen == [10, 30]


def test_an_answer_older_than_the_picture_on_display_is_dropped(view: View):
    view.head.seek(10)
    view.head.seek(20)
    view.answer(1)
    view.answer(0)
    assert view.seen == [20]


def test_a_cached_picture_is_newer_than_what_is_still_being_decoded(view: View):
    view.service.kept[5] = frame(5)
    view.head.seek(5)
    view.head.seek(50)
    view.head.seek(5)  # the same picture as on display
    view.answer(1)
    view.head.seek(60)
    view.head.show(frame(61))
    view.answer(3)
    assert view.seen == [5, 61]


def test_a_late_answer_of_the_worker_does_not_displace_a_newer_one(view: View):
    view.head.seek(10)
    view.head.seek(20)
    view.service.answer(1)
    view.service.answer(0)  # both before the main lane has its turn
    view.turn()
    assert view.seen == [20]


def test_only_the_goal_is_reported_as_broken(view: View):
    view.head.seek(10)
    view.head.seek(20)
    view.answer(0, error=True)
    assert not view.errors
    view.answer(1, error=True)
    assert (view.errors, view.seen) == (["frame 20"], [])


def test_back_from_a_broken_frame_the_picture_is_shown_anew(view: View):
    view.head.seek(10)
    view.answer(0)
    view.head.seek(11)
    view.answer(1, error=True)
    view.head.seek(10)
    assert view.seen == [10, 10]


def test_a_picture_that_is_held_stays_although_it_left_the_cache(view: View):
    view.head.seek(10)
    view.answer(0)
    view.head.seek(50)
    view.head.seek(10)
    view.answer(1)
    assert view.seen == [10]


@given(st.lists(st.tuples(st.integers(0, FRAMES - 1), st.booleans(), st.integers(0, 9)), min_size=1, max_size=20))
def test_pictures_only_go_forward_and_end_at_the_last_request(steps: list[tuple[int, bool, int]]):
    with pytest.MonkeyPatch.context() as patch:
        view = View(patch)
        for index, cached, answered in steps:
            if cached:
                view.service.kept[index] = frame(index)
            view.head.seek(index)
            if answered < len(view.service.asked):
                view.answer(answered)
        view.answer(len(steps) - 1)
        assert view.head.shown is not None
        assert view.head.shown.index == view.head.frame == steps[-1][0]
        asked = iter(index for index, _ in view.service.asked)
        assert all(index in asked for index in view.seen), "in the order of the requests"
