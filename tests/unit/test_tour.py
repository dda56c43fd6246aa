"""The tour without a window: its steps fit the sample, and each is done by the real thing and by nothing else."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from session_fakes import FakeTrackers, square, write_clip

from app.commands import BY_ID
from app.model.tracks import State
from app.session import Session
from app.settings import Settings
from app.work.tour import END_KEYS, END_TEXT, STEPS, Guide
from tracker.api import Box

SAMPLE = Path(__file__).parents[2] / "resources/sample/groundtruth.txt"
HIDDEN = range(12, 22)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    trackers = FakeTrackers(teachable=True)
    session = Session(Settings(tracker="fake", lost_after=3), create_tracker=trackers)
    session.wait(session.open(write_clip(tmp_path / "clip.mkv", hidden=HIDDEN)))
    yield session
    session.close(discard=True)


def at(guide: Guide) -> str:
    return guide.step.id if guide.step is not None else ""


def settle(session: Session) -> None:
    while session.run is not None or session.retracking:
        job = session.runs.job
        session.wait(job) if job is not None else session.pump()


def begin(session: Session, step: str) -> Guide:
    """A tour that has come to a step."""
    guide = Guide(session)
    while at(guide) != step:
        guide.skip()
    return guide


def test_texts_name_the_keys_of_commands_that_there_are():
    assert len({step.id for step in STEPS}) == len(STEPS) == 7
    for text, keys in [*((step.text, step.keys) for step in STEPS), (END_TEXT, END_KEYS)]:
        places = {name for _, name, _, _ in string.Formatter().parse(text) if name} - {"frame"}
        assert places == keys.keys()
        assert set(keys.values()) <= BY_ID.keys()


def test_boxes_are_where_the_tug_is():
    truth = np.loadtxt(SAMPLE, delimiter=",")
    for step in STEPS:
        if step.box is not None and step.frame is not None:
            np.testing.assert_allclose(step.box, truth[step.frame], atol=0.2)


def test_the_whole_tour_by_the_session_alone(session: Session, tmp_path: Path):
    guide = Guide(session)
    said: list[str] = []
    guide.changed.connect(lambda: said.append(at(guide)))
    session.add_object(square(0))
    assert at(guide) == "track"
    session.wait(session.track(1))
    guide.look()
    assert at(guide) == "pause", "it asks"
    assert session.pause is not None
    session.set_state(State.OCCLUDED)
    settle(session)
    guide.look()
    assert at(guide) == "correct"
    session.seek(26)
    session.set_box(Box(50, 18, 14, 14))
    assert at(guide) == "correct", "the gaps are still to be tracked"
    settle(session)
    guide.look()
    assert at(guide) == "review"
    session.seek(18)
    session.verify()
    assert at(guide) == "mask"
    session.seek(28)
    session.begin_masking()
    session.mask_from_box()
    assert at(guide) == "mask", "the brush is still in hand"
    session.end_masking()
    assert at(guide) == "export"
    session.wait(session.export("coco", tmp_path / "out.json"))
    assert guide.step is None
    assert said == ["track", "pause", "correct", "review", "mask", "export", ""]
    guide.end()


def test_back_and_skip_stay_inside(session: Session):
    guide = Guide(session)
    guide.back()
    assert guide.number == 0
    for _ in range(len(STEPS) + 2):
        guide.skip()
    assert guide.number == len(STEPS)
    guide.back()
    assert at(guide) == "export"
    guide.end()


def test_what_was_done_before_a_step_began_does_not_count(session: Session):
    session.add_object(square(0))
    guide = Guide(session)
    guide.look()
    assert at(guide) == "draw"
    session.add_object(Box(50, 40, 10, 10))
    assert at(guide) == "track"
    guide.end()


def test_a_run_that_never_asks_does_not_hold_the_tour_up(session: Session):
    guide = begin(session, "pause")
    session.seek(30)
    session.add_object(square(30))
    guide.look()
    assert at(guide) == "pause"
    session.wait(session.track(1))
    guide.look()
    assert at(guide) == "correct"
    guide.end()


def test_a_first_box_is_no_correction(session: Session):
    guide = begin(session, "correct")
    session.add_object(square(0))
    guide.look()
    assert at(guide) == "correct"
    guide.end()


def test_after_the_end_nothing_is_watched(session: Session):
    guide = Guide(session)
    guide.end()
    session.add_object(square(0))
    assert at(guide) == "draw"
