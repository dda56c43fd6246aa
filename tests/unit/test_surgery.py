"""Cutting, joining and reshaping tracks: what each means, and what it never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.document import Comment, Document, VideoRef
from app.model.edits import Edit, SetFrames, apply
from app.model.interpolate import between
from app.model.tracks import Observation, Source, State, Track
from app.work import surgery
from app.work.errors import SessionError
from tracker.api import Box

FRAMES = 40
places = st.floats(0, 500, allow_nan=False).map(lambda v: round(v, 2))
boxes = st.builds(Box, places, places, st.floats(1, 60), st.floats(1, 60))
seen = st.one_of(
    st.builds(lambda b: Observation(box=b, source=Source.TRACKER, score=0.5, signals={"psr": 3.0}), boxes),
    st.builds(lambda b: Observation(box=b, source=Source.TRACKER), boxes),
    st.builds(lambda b: Observation(box=b, keyframe=True), boxes),
    st.builds(lambda b: Observation(box=b, source=Source.TRACKER, verified=True), boxes),
    st.builds(lambda b: Observation(box=b, source=Source.TRACKER, state=State.OCCLUDED), boxes),
    st.just(Observation(source=Source.TRACKER, state=State.LOST)),
    st.just(Observation(state=State.OUT_OF_VIEW)),
)
many = st.dictionaries(st.integers(0, FRAMES - 1), seen, max_size=20)
dense = st.lists(seen, min_size=3, max_size=FRAMES).map(lambda found: dict(enumerate(found)))
walks = st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=3, max_size=FRAMES)


def document(*tracks: dict[int, Observation]) -> Document:
    doc = Document(video=VideoRef("v", "f", FRAMES, 640, 480, 25.0))
    for frames in tracks:
        track = doc.new_track("cat")
        track.frames.update(frames)
        apply_to(doc, surgery.AddTrack(track))
    return doc


def apply_to(doc: Document, edit: Edit) -> None:
    apply(edit, doc)


def frames(doc: Document, track: int = 1) -> dict[int, Observation]:
    return dict(doc.tracks[track].frames)


@given(many, st.integers(0, FRAMES))
def test_split_then_merge_is_where_one_began(found: dict[int, Observation], at: int):
    doc = document(found)
    try:
        edit = surgery.split(doc, 1, at)
    except SessionError:
        assert all(f < at for f in found) or all(f >= at for f in found)
        return
    apply_to(doc, edit)
    assert all(f < at for f in frames(doc, 1))
    assert all(f >= at for f in frames(doc, 2))
    assert doc.tracks[2].label == "cat"
    assert doc.tracks[2].colour != doc.tracks[1].colour
    apply_to(doc, surgery.merged(doc, 1, 2))
    assert frames(doc) == found
    assert list(doc.tracks) == [1]


@given(many, many)
def test_merging_keeps_what_people_vouch_for_then_what_has_a_box(a: dict[int, Observation], b: dict[int, Observation]):
    doc = document(a, b)
    doc.comments[9] = Comment(9, 3, "who is it?", track=2)
    apply_to(doc, surgery.merged(doc, 1, 2))
    after = frames(doc)
    assert set(after) == {*a, *b}
    for f, kept in after.items():
        both = [o for o in (a.get(f), b.get(f)) if o is not None]
        assert kept in both
        assert kept.protected or not any(o.protected for o in both)
        assert kept == a.get(f) or f not in a or (kept.protected, kept.present) > (a[f].protected, a[f].present)
    assert doc.comments[9].track == 1


@given(many, many, st.integers(0, FRAMES))
def test_swapping_twice_is_nothing_and_frames_before_stay(
    a: dict[int, Observation], b: dict[int, Observation], at: int
):
    doc = document(a, b)
    if not any(f >= at for f in {*a, *b}):
        with pytest.raises(SessionError, match="from here on"):
            surgery.swapped(doc, 1, 2, at)
        return
    apply_to(doc, surgery.swapped(doc, 1, 2, at))
    assert frames(doc, 1) == {f: o for f, o in a.items() if f < at} | {f: o for f, o in b.items() if f >= at}
    apply_to(doc, surgery.swapped(doc, 1, 2, at))
    assert (frames(doc, 1), frames(doc, 2)) == (a, b)


@given(dense, st.floats(0, 30))
def test_simplifying_stays_within_the_tolerance_and_touches_nothing_that_people_vouch_for(
    found: dict[int, Observation], tolerance: float
):
    doc = document(found)
    try:
        apply_to(doc, surgery.simplified(doc.tracks[1], tolerance))
    except SessionError:
        return
    after = frames(doc)
    assert set(after) == set(found)
    for f, old in found.items():
        new = after[f]
        if old.protected or not old.present:
            assert new == old
            continue
        assert old.box is not None
        assert new.box is not None
        assert new.state is old.state
        assert max(abs(p - q) for p, q in zip(edges(old.box), edges(new.box), strict=True)) <= tolerance + 1e-3
        assert new.keyframe or new.source is Source.INTERPOLATED


def edges(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x2, box.y2


def test_a_straight_way_needs_two_keyframes_and_keeps_its_masks():
    found = {f: Observation(box=Box(f, 2 * f, 10, 10), source=Source.TRACKER, score=0.8) for f in range(20)}
    doc = document(found)
    apply_to(doc, surgery.simplified(doc.tracks[1], 0.5))
    assert doc.tracks[1].keyframes() == [0, 19]
    assert frames(doc)[7] == Observation(box=Box(7, 14, 10, 10), source=Source.INTERPOLATED)
    with pytest.raises(SessionError, match="nothing to simplify"):
        surgery.simplified(Track(1, "cat", "#ffffff"), 1)


@given(many, boxes, boxes, st.integers(0, 18), st.integers(20, 39))
def test_interpolation_fills_what_nobody_vouches_for(
    found: dict[int, Observation], a: Box, b: Box, left: int, right: int
):
    ends = {left: Observation(box=a, keyframe=True), right: Observation(box=b, keyframe=True)}
    doc = document(found | ends)
    before = frames(doc)
    apply_to(doc, surgery.interpolated(doc.tracks[1], left, right))
    after = frames(doc)
    for f in range(left + 1, right):
        if f in before and before[f].protected:
            assert after[f] == before[f]
        else:
            assert after[f].source is Source.INTERPOLATED
            assert after[f].box == between(a, b, (f - left) / (right - left))
    assert {f: o for f, o in after.items() if not left < f < right} == {
        f: o for f, o in before.items() if not left < f < right
    }


def test_a_line_needs_two_boxes():
    doc = document({0: Observation(box=Box(1, 1, 5, 5)), 9: Observation(state=State.OUT_OF_VIEW)})
    with pytest.raises(SessionError, match="box on both"):
        surgery.interpolated(doc.tracks[1], 0, 9)


def test_extending_holds_the_last_box_up_to_here():
    doc = document({3: Observation(box=Box(1, 1, 5, 5)), 5: Observation(state=State.OUT_OF_VIEW)})
    apply_to(doc, surgery.extended(doc.tracks[1], 8))
    after = frames(doc)
    assert after[5].state is State.OUT_OF_VIEW, "a person said so"
    assert [f for f, o in sorted(after.items()) if o.source is Source.INTERPOLATED] == [4, 6, 7]
    assert after[8] == Observation(box=Box(1, 1, 5, 5), keyframe=True)
    for at, words in ((8, "already"), (2, "no box before")):
        with pytest.raises(SessionError, match=words):
            surgery.extended(doc.tracks[1], at)


@given(many, st.integers(0, FRAMES - 1), st.integers(0, FRAMES - 1), st.booleans())
def test_deleting_a_range(found: dict[int, Observation], first: int, last: int, protected: bool):
    doc = document(found)
    low, high = sorted((first, last))
    gone = {f for f, o in found.items() if low <= f <= high and (protected or not o.protected)}
    if not gone:
        with pytest.raises(SessionError, match="nothing"):
            surgery.range_deleted(doc.tracks[1], first, last, protected=protected)
        return
    apply_to(doc, surgery.range_deleted(doc.tracks[1], first, last, protected=protected))
    assert frames(doc) == {f: o for f, o in found.items() if f not in gone}


@given(many, boxes, st.integers(0, FRAMES - 1), st.integers(-60, 60))
def test_copying_on_stays_in_the_clip_and_off_what_people_vouch_for(
    found: dict[int, Observation], box: Box, at: int, count: int
):
    doc = document(found | {at: Observation(box=box)})
    before = frames(doc)
    try:
        edit = surgery.propagated(doc.tracks[1], at, count, FRAMES)
    except SessionError:
        return
    apply_to(doc, edit)
    after = frames(doc)
    low, high = sorted((at, at + count))
    for f, o in after.items():
        if o != before.get(f):
            assert low <= f <= high
            assert 0 <= f < FRAMES
            assert (o.box, o.source) == (box, Source.INTERPOLATED)
            assert f not in before or not before[f].protected


def test_copying_on_needs_a_box_and_room():
    doc = document({39: Observation(box=Box(1, 1, 5, 5))})
    for at, count in ((3, 2), (39, 5), (39, 0)):
        with pytest.raises(SessionError):
            surgery.propagated(doc.tracks[1], at, count, FRAMES)


@given(many, st.sampled_from(["split", "simplify", "delete"]), st.integers(0, FRAMES))
def test_all_of_it_can_be_taken_back(found: dict[int, Observation], what: str, at: int):
    doc = document(found)
    try:
        edit: Edit
        if what == "split":
            edit = surgery.split(doc, 1, at)
        elif what == "simplify":
            edit = surgery.simplified(doc.tracks[1], 2)
        else:
            edit = surgery.range_deleted(doc.tracks[1], 0, at)
    except SessionError:
        return
    back, _ = apply(edit, doc)
    apply_to(doc, back)
    assert frames(doc) == found
    assert isinstance(edit, SetFrames) or list(doc.tracks) == [1]
