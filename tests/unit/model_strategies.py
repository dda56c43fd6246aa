"""Random documents and edits for hypothesis, kept small so that they meet each other often."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from app.model import (
    AddTrack,
    Attribute,
    AttributeKind,
    Box,
    Comment,
    Document,
    Edit,
    Group,
    Label,
    Mask,
    Observation,
    RemoveTrack,
    SetComment,
    SetFrames,
    SetLabels,
    SetSettings,
    SetTrack,
    SetVideo,
    Source,
    State,
    Track,
    VideoRef,
)

HEIGHT, WIDTH = 5, 7
"""Size of the video and the masks, unless a test says otherwise."""

finite = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.floats(0, 1e6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.sampled_from(["", "car", "Käfer", "a/b", "犬"])
colours = st.sampled_from(["#000000", "#4e9af1", "#FFAA00"])
boxes = st.builds(Box, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), sizes, sizes)


@st.composite
def bit_masks(draw: st.DrawFn, height: int | None = None, width: int | None = None) -> np.ndarray:
    """(height, width) bool; sizes up to 9 when they are not given."""
    height = height or draw(st.integers(1, 9))
    width = width or draw(st.integers(1, 9))
    n = height * width
    kind = draw(st.sampled_from(["empty", "full", "any", "any"]))
    if kind != "any":
        return np.full((height, width), kind == "full")
    octets = np.frombuffer(draw(st.binary(min_size=-(-n // 8), max_size=-(-n // 8))), np.uint8)
    return np.unpackbits(octets, count=n).astype(bool).reshape(height, width)


masks = bit_masks(HEIGHT, WIDTH).map(Mask.encode)
values = st.booleans() | st.integers(-9, 9) | finite | texts
attributes = st.dictionaries(texts, values, max_size=2)
any_observations = st.builds(
    Observation,
    box=st.none() | boxes,
    mask=st.none() | masks,
    source=st.sampled_from(Source),
    state=st.sampled_from(State),
    verified=st.booleans(),
    keyframe=st.booleans(),
    score=st.none() | st.floats(0, 1),
    signals=st.dictionaries(texts, finite, max_size=2),
    cover=st.none() | st.integers(0, 8),
    attributes=attributes,
)
# A few different ones are enough for edits and histories, and a great deal quicker to draw.
observations = st.sampled_from(
    [
        Observation(),
        Observation(Box(1.5, 2, 3, 4)),
        Observation(Box(0, 0, 1, 1), source=Source.TRACKER, score=0.25, signals={"peak": 0.5}),
        Observation(Box(0, 0, 2, 1), Mask.encode(np.eye(HEIGHT, WIDTH, dtype=bool)), Source.TRACKER, score=1.0),
        Observation(Box(0, 0, 2, 1), source=Source.TRACKER, verified=True),
        Observation(Box(0, 0, 2, 2), source=Source.INTERPOLATED, state=State.OCCLUDED),
        Observation(Box(0, 0, 2, 2), source=Source.IMPORTED, keyframe=True),
        Observation(source=Source.TRACKER, state=State.LOST, score=0.0),
        Observation(Box(0, 0, 2, 2), cover=3, attributes={"pose": "sitting", "speed": 2.5, "blurred": True}),
    ]
)
videos = st.builds(
    VideoRef,
    path=st.sampled_from(["/films/a.mp4", "/films/b c.mp4"]),
    fingerprint=names,
    frames=st.integers(0, 9),
    width=st.just(WIDTH),
    height=st.just(HEIGHT),
    fps=st.sampled_from([0.0, 24000 / 1001, 25.0]),
)
definitions = st.sampled_from(
    [
        (),
        (Attribute("pose", AttributeKind.CHOICE, ("sitting", "standing"), "sitting", per_frame=True),),
        (Attribute("speed", AttributeKind.NUMBER, lowest=0, highest=9), Attribute("blurred", AttributeKind.FLAG)),
    ]
)
labels = st.lists(st.builds(Label, names, colours, definitions), max_size=3, unique_by=lambda label: label.name)
own_settings = st.dictionaries(st.sampled_from(["jump", "masks", "odd"]), st.booleans() | st.integers(1, 99) | texts)
frame_numbers = st.integers(0, 7)


def tracks(ids: st.SearchStrategy[int]) -> st.SearchStrategy[Track]:
    seen = st.dictionaries(frame_numbers, observations, max_size=4)
    return st.builds(Track, ids, names, colours, st.booleans(), seen, attributes, st.booleans(), st.booleans())


def comments(ids: st.SearchStrategy[int]) -> st.SearchStrategy[Comment]:
    return st.builds(Comment, ids, frame_numbers, texts, st.none() | st.integers(1, 6), st.booleans())


@st.composite
def documents(draw: st.DrawFn) -> Document:
    ids = draw(st.sets(st.integers(1, 6), max_size=3))
    known = {id_: draw(tracks(st.just(id_))) for id_ in ids}
    told = {id_: draw(comments(st.just(id_))) for id_ in draw(st.sets(st.integers(7, 9), max_size=2))}
    next_id = max((*ids, *told), default=0) + draw(st.integers(1, 3))
    return Document(draw(st.none() | videos), draw(labels), known, next_id, told, draw(own_settings))


def edits(deep: bool = True) -> st.SearchStrategy[Edit]:
    """Edits that fit a document of `documents` often, not always."""
    ids = st.integers(1, 4)
    single = st.one_of(
        st.builds(AddTrack, tracks(ids)),
        st.builds(RemoveTrack, ids),
        st.builds(
            SetTrack,
            ids,
            st.none() | names,
            st.none() | colours,
            st.none() | st.booleans(),
            st.none() | attributes,
            st.none() | st.booleans(),
            st.none() | st.booleans(),
        ),
        st.integers(1, 9).flatmap(lambda id_: st.builds(SetComment, st.just(id_), st.none() | comments(st.just(id_)))),
        st.builds(SetFrames, ids, st.dictionaries(frame_numbers, st.none() | observations, max_size=4)),
        st.builds(SetLabels, labels.map(tuple)),
        st.builds(SetVideo, st.none() | videos),
        st.builds(SetSettings, own_settings),
    )
    if not deep:
        return single
    return single | st.builds(Group, st.lists(edits(deep=False), max_size=4).map(tuple))
