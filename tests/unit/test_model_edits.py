from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from model_strategies import documents, edits, observations

from app.model import (
    AddTrack,
    Attribute,
    AttributeKind,
    Box,
    Change,
    Comment,
    Document,
    Edit,
    EditError,
    Group,
    Label,
    Mask,
    Observation,
    RemoveTrack,
    SetComment,
    SetFrames,
    SetLabels,
    SetTrack,
    SetVideo,
    Source,
    State,
    Track,
    VideoRef,
    apply,
    unprotected,
)
from app.model.document import as_frames


def content(doc: Document) -> tuple:
    """What undo restores: everything but ``next_id``. A copy."""
    copied = doc.copy()
    return copied.video, copied.labels, copied.tracks, copied.comments


def a_document() -> Document:
    track = Track(3, "car", "#112233", True, {f: Observation(Box(f, 0, 4, 5)) for f in range(5)})
    return Document(VideoRef("/v.mp4", "f", 10, 7, 5, 25.0), [Label("car", "#112233")], {3: track}, 4)


@given(documents(), edits())
def test_taking_an_edit_back_restores_the_document(doc, edit) -> None:
    before = content(doc)
    try:
        inverse, change = apply(edit, doc)
    except EditError:
        assert content(doc) == before
        return
    after = content(doc)
    again, change_back = apply(inverse, doc)
    assert content(doc) == before
    assert change_back == change
    apply(again, doc)
    assert content(doc) == after


@given(documents(), edits())
def test_a_failed_edit_leaves_no_trace(doc, edit) -> None:
    before, next_id = content(doc), doc.next_id
    with pytest.raises(EditError):
        apply(Group((edit, RemoveTrack(99))), doc)
    assert content(doc) == before
    assert doc.next_id == next_id


@given(documents(), edits())
def test_the_change_names_everything_that_differs(doc, edit) -> None:
    before = doc.copy()
    try:
        _, change = apply(edit, doc)
    except EditError:
        assume(False)
    assert change.video or doc.video == before.video
    assert change.structure or doc.labels == before.labels
    for id_ in before.tracks.keys() | doc.tracks.keys():
        old, new = before.tracks.get(id_), doc.tracks.get(id_)
        if old != new:
            assert id_ in change.tracks
        if old is None or new is None or (old.label, old.colour, old.visible) != (new.label, new.colour, new.visible):
            assert change.structure or old is new
        frames = (old.frames if old else {}), (new.frames if new else {})
        for frame in frames[0].keys() | frames[1].keys():
            if frames[0].get(frame) != frames[1].get(frame):
                assert frame in change.frames[id_]


@given(edits())
def test_edits_survive_being_written_down(edit) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(edit), type=Edit) == edit
    assert msgspec.json.decode(msgspec.json.encode(edit), type=Edit) == edit


def test_an_added_track_is_independent_of_its_edit() -> None:
    doc = Document()
    edit = AddTrack(doc.new_track("car"))
    apply(edit, doc)
    apply(SetFrames(1, {0: Observation(Box(0, 0, 1, 1))}), doc)
    assert edit.track.frames == {}
    assert doc.next_id == 2


def test_ids_are_never_used_twice() -> None:
    doc = Document()
    inverse, _ = apply(AddTrack(doc.new_track()), doc)
    apply(inverse, doc)
    assert doc.new_track().id == 2


def test_a_property_that_is_not_named_stays() -> None:
    doc = a_document()
    inverse, change = apply(SetTrack(3, label="bus"), doc)
    assert (doc.tracks[3].label, doc.tracks[3].colour) == ("bus", "#112233")
    assert inverse == SetTrack(3, label="car")
    assert change == Change(frozenset({3}), structure=True)


def test_a_chunk_of_a_run_changes_a_range() -> None:
    doc = a_document()
    _, change = apply(SetFrames(3, {f: Observation(Box(0, 0, 1, 1)) for f in (6, 5, 7)}), doc)
    assert change == Change(frozenset({3}), {3: range(5, 8)})


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (RemoveTrack(9), "no track with the id 9"),
        (SetTrack(9, label="x"), "no track with the id 9"),
        (SetFrames(9, {}), "no track with the id 9"),
        (SetFrames(3, {-1: None}), "frame -1"),
        (SetFrames(3, {2: Observation(mask=Mask.encode(np.ones((7, 5), bool)))}), "frame 2 is 5 x 7 .* video is 7 x 5"),
        (AddTrack(Track(3, "x", "#000000")), "id 3 already"),
        (AddTrack(Track(0, "x", "#000000")), "ids start at 1"),
        (AddTrack(Track(4, "x", "red")), "'red' is not a colour"),
        (SetTrack(3, colour="#12"), "'#12' is not a colour"),
        (SetLabels((Label("a", "#000000"), Label("a", "#ffffff"))), "'a' is in the list twice"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(edit, reason) -> None:
    doc = a_document()
    with pytest.raises(EditError, match=reason):
        apply(edit, doc)
    assert doc == a_document()


def test_a_video_of_another_size_is_refused_while_there_are_masks() -> None:
    doc = a_document()
    apply(SetFrames(3, {2: Observation(mask=Mask.encode(np.ones((5, 7), bool)))}), doc)
    other = VideoRef("/w.mp4", "g", 10, 8, 5, 25.0)
    with pytest.raises(EditError, match="7 x 5 pixels, but the video is 8 x 5"):
        apply(SetVideo(other), doc)
    apply(SetFrames(3, {2: None}), doc)
    apply(SetVideo(other), doc)
    assert doc.video == other


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_an_observation_holds_finite_numbers_only(number) -> None:
    with pytest.raises(ValueError, match="finite"):
        Observation(Box(0, number, 1, 1))
    with pytest.raises(ValueError, match="score"):
        Observation(score=number)
    with pytest.raises(ValueError, match="'peak'"):
        Observation(signals={"peak": number})


def test_an_observation_has_no_negative_box() -> None:
    with pytest.raises(ValueError, match="negative"):
        Observation(Box(0, 0, -1, 1))


def test_present_and_protected() -> None:
    box = Box(0, 0, 1, 1)
    assert Observation(box).present
    assert Observation(box, state=State.OCCLUDED).present
    assert not Observation(box, state=State.LOST).present
    assert not Observation(state=State.OUT_OF_VIEW).present
    assert not Observation().present
    assert Observation().protected
    for source in (Source.TRACKER, Source.INTERPOLATED, Source.IMPORTED):
        assert not Observation(source=source).protected
        assert Observation(source=source, verified=True).protected
        assert Observation(source=source, keyframe=True).protected


@given(st.dictionaries(st.integers(0, 20), observations), st.integers(-1, 21))
def test_keyframes_are_the_protected_frames(frames, frame) -> None:
    track = Track(1, "x", "#000000", True, frames)
    keys = [f for f in sorted(frames) if frames[f].protected]
    assert track.keyframes() == keys
    assert track.next_keyframe(frame) == next((f for f in keys if f > frame), None)
    assert track.next_keyframe(frame, -1) == next((f for f in reversed(keys) if f < frame), None)
    assert track.span() == (range(min(frames), max(frames) + 1) if frames else range(0))
    assert [track.at(f) for f in frames] == list(frames.values())
    assert track.at(21) is None


@given(st.dictionaries(st.integers(0, 9), observations), st.dictionaries(st.integers(0, 9), st.none() | observations))
def test_a_run_never_writes_onto_a_protected_frame(known, wanted) -> None:
    track = Track(1, "x", "#000000", True, known)
    allowed = unprotected(track, wanted)
    assert allowed == {f: o for f, o in wanted.items() if f not in known or not known[f].protected}
    doc = Document(tracks={1: track.copy()}, next_id=2)
    apply(SetFrames(1, allowed), doc)
    assert all(doc.tracks[1].frames[f] == known[f] for f in track.keyframes())


def test_a_new_track_takes_the_colour_of_its_label() -> None:
    doc = a_document()
    assert doc.new_track("car").colour == "#112233"
    assert doc.new_track("bus", "#abcdef") == Track(4, "bus", "#abcdef")
    assert doc.new_track("bus").colour != Document(next_id=5).new_track("bus").colour


frame_sets = st.frozensets(st.integers(0, 12)).map(as_frames)
changes = st.builds(
    Change,
    st.frozensets(st.integers(1, 3)),
    st.dictionaries(st.integers(1, 3), frame_sets),
    st.booleans(),
    st.booleans(),
)


@given(changes, changes)
def test_merged_changes_touch_what_either_touches(a, b) -> None:
    both = a.merge(b)
    assert both.tracks == a.tracks | b.tracks
    assert both.structure == (a.structure or b.structure)
    assert both.video == (a.video or b.video)
    for track in {1, 2, 3}:
        assert set(both.frames.get(track, ())) == {*a.frames.get(track, ()), *b.frames.get(track, ())}


def test_consecutive_chunks_stay_a_range() -> None:
    a, b = Change(frames={1: range(8)}), Change(frames={1: range(8, 16)})
    assert a.merge(b).frames == b.merge(a).frames == {1: range(16)}


def test_a_comment_comes_changes_and_goes() -> None:
    doc = Document(next_id=3)
    said = Comment(5, 2, "Is this a van?")
    undo, change = apply(SetComment(5, said), doc)
    assert (doc.comments, doc.next_id, change.comments) == ({5: said}, 6, True)
    apply(SetComment(5, msgspec.structs.replace(said, resolved=True)), doc)
    assert doc.comments[5].resolved
    apply(undo, doc)
    assert not doc.comments


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Attribute("a", AttributeKind.TEXT), ["", "x"], [True, 1, 0.5]),
        (Attribute("a", AttributeKind.FLAG), [True, False], [1, "yes"]),
        (Attribute("a", AttributeKind.CHOICE, ("x", "y")), ["x"], ["z", True]),
        (Attribute("a", AttributeKind.NUMBER, lowest=0, highest=2), [0, 1.5, 2], [-1, 3, True, "1"]),
    ],
)
def test_an_attribute_accepts_its_own_kind_of_value(kind, good, bad) -> None:
    assert all(kind.accepts(value) for value in good)
    assert not any(kind.accepts(value) for value in bad)


def test_an_attribute_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="choice without values"):
        Attribute("a", AttributeKind.CHOICE)
    with pytest.raises(ValueError, match="its own default"):
        Attribute("a", AttributeKind.NUMBER, default="much")


def test_nothing_of_a_locked_track_may_be_written_by_a_run() -> None:
    track = Track(1, "car", "#000000", locked=True)
    assert unprotected(track, {3: Observation()}) == {}
