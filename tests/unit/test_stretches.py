"""Stretches of clips: the same frames, truth and masks as the whole clip has there; several starts in `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clip_maker import make_clip
from hypothesis import given
from hypothesis import strategies as st

from tracker.api import TrackerError
from tracker.cli import app
from tracker.data.readers import discover
from tracker.data.sequences import Sequence
from tracker.data.stretches import SHORTEST, named, stretch, stretches


def clip(present: list[bool]) -> Sequence:
    truth = np.array([[i, 1, 5, 5] if there else [np.nan] * 4 for i, there in enumerate(present)])
    return Sequence("group/clip", Path("clip.mp4"), truth)


@given(st.lists(st.booleans(), min_size=1, max_size=90), st.integers(1, 6), st.none() | st.integers(1, 50))
def test_stretches_begin_in_sight_and_are_found_again_by_name(
    present: list[bool], starts: int, longest: int | None
) -> None:
    whole = clip(present)
    parts = stretches(whole, starts, longest)
    if not any(present):
        assert parts == [whole]
        return
    assert 1 <= len(parts) <= starts
    assert parts[0].begin == whole.first
    assert len({part.name for part in parts}) == len(parts)
    for part in parts:
        assert part.present[0]
        assert np.array_equal(part.truth, whole.truth[part.begin : part.begin + len(part.truth)], equal_nan=True)
        reaches_end = part.begin + len(part.truth) == len(present)
        assert reaches_end if longest is None else reaches_end or len(part.truth) == longest + 1
    assert all(len(present) - part.begin >= SHORTEST for part in parts[1:])
    again = named([part.name for part in parts], [whole])
    assert [(part.name, part.begin, len(part.truth)) for part in again] == [
        (part.name, part.begin, len(part.truth)) for part in parts
    ]


def test_names_that_fit_no_clip_are_passed_over() -> None:
    whole = clip([True] * 20)
    assert named(["group/clip", "other@0-5", "group/clip@5-5", "group/clip@5-21", "group/clip@x-3"], [whole]) == []
    (part,) = stretches(whole, 1, 4)
    assert part.name == "group/clip@0-5"
    assert stretch(part, 2, 4).begin == 2, "of a stretch of a stretch too"


def test_a_stretch_shows_its_own_frames_and_masks(tmp_path: Path) -> None:
    (whole,) = discover(make_clip(tmp_path / "clip", 16, absent=(5,), masks=True))
    part = stretch(whole, 4, 12)
    for mine, theirs in zip(part.frames(), list(whole.frames())[4:], strict=False):
        assert np.array_equal(mine, theirs)
    assert all(np.array_equal(a, b) for a, b in zip(part.backwards(3), whole.backwards(7), strict=False))
    for frame in range(8):
        assert np.array_equal(part.mask(frame), whole.mask(frame + 4))
    assert part.gone.tolist() == [False, True] + [False] * 6


def test_evaluate_starts_at_several_places_and_reports_them(tmp_path: Path) -> None:
    make_clip(tmp_path / "clips" / "a", 30)
    make_clip(tmp_path / "clips" / "b", 12)
    out, kept, page = tmp_path / "figures.json", tmp_path / "raw", tmp_path / "report.html"
    words = ["evaluate", str(tmp_path / "clips"), "--tracker", "opencv-kcf", "--json", str(out), "--raw", str(kept)]
    assert app([*words, "--starts", "2", "--longest", "14"], result_action="return_value") == 0
    found = json.loads(out.read_text())["trackers"]["opencv-kcf"]["clips"]
    assert {name: one["frames"] for name, one in found.items()} == {"a@0-15": 15, "a@15-30": 15, "b@0-12": 12}
    assert app(["report", str(kept), "--out", str(page)], result_action="return_value") == 0
    assert "a@15-30" in page.read_text(encoding="utf-8")
    for more, message in (
        (["--starts", "0"], "--starts"),
        (["--longest", "0", "--jobs", "0"], "--jobs, --longest"),
        (["--starts", "2", "--protocol", "supervised"], "one pass"),
    ):
        with pytest.raises(TrackerError, match=message):
            app([*words, *more], result_action="return_value")
