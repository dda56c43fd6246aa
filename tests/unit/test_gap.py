"""The gap between two keyframes, walked from both sides: which pass is believed where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from session_fakes import FakeTracker, FakeTrackers, picture, square, write_clip

from app.media import open_media
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State
from app.work.choice import TrackerChoice, Trackers
from app.work.gap import track_gap
from app.work.requests import GapRequest, Meeting, Note, Outcome
from tracker.api import Box, Image, Prediction, Target

LEFT, RIGHT = 2, 22


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", hidden=[12])


class Astray(FakeTrackers):
    """Walking backward, the tracker sees the square 24 px too low: that pass misses the left keyframe."""

    def __call__(self, name: str, device: str, **options: object) -> FakeTracker:
        tracker = super().__call__(name, device, **options)
        step = tracker.step
        last = [-1.0]

        def low(image: Image, targets: Sequence[Target], *, want_mask: bool = True) -> list[Prediction]:
            out = []
            for said in step(image, targets, want_mask=want_mask):
                x, y, w, h = said.box
                backward, last[0] = x < last[0], x
                out.append(replace(said, box=Box(x, y + 24, w, h)) if backward else said)
            return out

        tracker.step = low  # type: ignore[method-assign]
        return tracker


def request(media: Path, **more: object) -> GapRequest:
    values = {"left_box": square(LEFT), "right_box": square(RIGHT)} | more
    return GapRequest(1, media, 7, LEFT, RIGHT, tracker=TrackerChoice("fake"), device="auto", **values)  # type: ignore[arg-type]


def walk(request: GapRequest, trackers: FakeTrackers) -> tuple[dict[int, Observation], int, Meeting]:
    """What is to be written by frame, how many frames were walked, and how the passes met."""
    work = track_gap(request, Trackers(trackers), open_media)
    found: dict[int, Observation] = {}
    walked = 0
    while True:
        try:
            item = next(work)
        except StopIteration as end:
            outcome: Outcome = end.value
            return found, walked, outcome.meetings[0]
        if isinstance(item, Note):
            continue
        walked += bool(item.live)
        assert not (item.live and item.found), "nothing is written before both passes are through"
        found |= {one.frame: one.observation for one in item.found}


def test_both_passes_go_on_to_the_opposite_keyframe(clip: Path):
    found, walked, met = walk(request(clip), FakeTrackers())
    assert walked == 2 * (RIGHT - LEFT)
    assert list(found) == list(range(LEFT + 1, RIGHT))
    assert all(found[f].box == pytest.approx(square(f)) for f in found if f != 12)
    assert all(found[f].mask == Mask.encode(picture(f)[..., 0] > 128) for f in found if f != 12)
    assert found[12].state is State.LOST
    assert (met.closure, met.worst, met.agreement) == pytest.approx((1, 1, 1))


def test_a_pass_that_misses_the_opposite_keyframe_is_told_and_its_frames_are_suspicious(clip: Path):
    found, _, met = walk(request(clip), Astray())
    assert all(found[f].box == square(f) for f in range(LEFT + 1, 11)), "beside its own keyframe the other is believed"
    assert (met.closure, met.worst) == (0, 0)
    assert found[5].signals["disagreement"] == 1
    assert found[5].signals["closure"] == 0


def test_one_keyframe_without_a_box_leaves_one_pass(clip: Path):
    for side in ("left_box", "right_box"):
        found, walked, met = walk(request(clip, **{side: None}), FakeTrackers())
        assert walked == RIGHT - LEFT
        assert found[10].box == square(10)
        assert met.one_sided


def test_a_pass_that_was_made_before_is_taken_and_the_other_ends_where_they_agree(clip: Path):
    made = {f: Observation(box=square(f), source=Source.TRACKER, score=0.9) for f in range(LEFT + 1, RIGHT)}
    off = {f: Observation(box=Box(60, 45, 9, 9), source=Source.TRACKER, score=0.9) for f in range(16, RIGHT + 1)}
    found, walked, met = walk(request(clip, made=made | off, settle=2), FakeTrackers())
    assert walked == RIGHT - 14, "down to frame 14, the second one in a row on which they agree"
    assert all(found[f].box == pytest.approx(square(f)) for f in found if f != 12)
    assert met.closure == 0, "what was made before had missed the right keyframe"


def test_verdicts_of_a_pass_do_not_end_it(clip: Path):
    trackers = FakeTrackers(unsure=range(30))
    found, walked, _ = walk(request(clip), trackers)
    assert walked == 2 * (RIGHT - LEFT)
    assert found[5].signals["uncertain"] == 1
