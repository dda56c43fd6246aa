"""Documents for the tests of formats: random ones as hypothesis makes them, and a small one to read by eye."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import strategies as st

from app.model.document import Attribute, AttributeKind, Comment, Document, Label, VideoRef
from app.model.geometry import Box
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track

NAMES = st.text(max_size=12)
COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
KINDS = st.sampled_from(
    [
        (),
        (),
        (Attribute("pose", AttributeKind.CHOICE, ("<sitting>", "standing"), per_frame=True), Attribute("remark")),
        (Attribute("speed", AttributeKind.NUMBER, lowest=0), Attribute("blurred", AttributeKind.FLAG, default=False)),
    ]
)


def ring(height: int, width: int, x: int, y: int, size: int) -> Mask:
    """A square with a hole, cut off at the picture's borders."""
    bits = np.zeros((height, width), bool)
    bits[y : y + size, x : x + size] = True
    bits[y + 1 : y + size - 1, x + 1 : x + size - 1] = False
    return Mask.encode(bits)


def small() -> Document:
    """Six frames of 20 x 10: a car with every state there is, and a person on one frame."""
    doc = Document(
        video=VideoRef("/videos/clip one.mp4", "abc", 6, 20, 10, 29.97),
        labels=[Label("car", "#ff0000"), Label("person", "#0000ff"), Label("unused", "#00ff00")],
        next_id=8,
    )
    doc.tracks[3] = Track(
        3,
        "car",
        "#123456",
        frames={
            0: Observation(Box(1.23456, 2.0, 3.0, 4.0), keyframe=True),
            1: Observation(Box(2.5, 2.0, 6.25, 5.0), mask=ring(10, 20, 2, 2, 5), source=Source.TRACKER, score=0.75),
            2: Observation(
                Box(4.0, 2.0, 6.0, 5.0), source=Source.TRACKER, state=State.OCCLUDED, signals={"ratio": 0.5}
            ),
            3: Observation(source=Source.TRACKER, state=State.LOST, score=0.1),
            4: Observation(state=State.OUT_OF_VIEW, verified=True),
        },
    )
    doc.tracks[7] = Track(7, "person", "#abcdef", frames={2: Observation(Box(-5.0, -5.0, 9.0, 9.0))})
    return doc


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Several objects, absences, masks with holes, odd sizes, odd names; frames beyond the video's end.

    hypothesis draws the shape; what the frames hold comes from a seed, which is a hundred times quicker.
    """
    frames, width, height = draw(st.integers(1, 9)), draw(st.integers(1, 33)), draw(st.integers(1, 33))
    doc = Document(
        video=VideoRef(draw(NAMES) + ".mp4", "", frames, width, height, draw(st.floats(0, 240))),
        labels=draw(st.lists(st.builds(Label, NAMES, COLOURS, KINDS), max_size=3)),
    )
    dice = Random(draw(st.integers(0, 2**32)))
    for key in draw(st.sets(st.integers(1, 99), max_size=4)):
        labelled = [frame for frame in range(frames + 1) if dice.random() < 0.7]
        dice.shuffle(labelled)
        seen = {frame: _observation(dice, height, width) for frame in labelled}
        name = dice.choice(doc.labels).name if doc.labels and dice.random() < 0.5 else draw(NAMES)
        doc.tracks[key] = Track(
            key, name, draw(COLOURS), frames=seen, attributes=_attributes(dice), ignored=dice.random() < 0.15
        )
    for key in draw(st.sets(st.integers(100, 199), max_size=2)):
        about = dice.choice([None, *doc.tracks])
        doc.comments[key] = Comment(key, dice.randrange(frames), draw(NAMES), about, dice.random() < 0.5)
    doc.next_id = max((*doc.tracks, *doc.comments), default=0) + 1
    return doc


def _attributes(dice: Random) -> dict[str, bool | int | float | str]:
    every = {"blurred": dice.random() < 0.5, "doors": dice.randrange(9), "speed": dice.uniform(0, 9), "pose": "<x>"}
    return {name: value for name, value in every.items() if dice.random() < 0.2}


def _observation(dice: Random, height: int, width: int) -> Observation:
    tall = height + (dice.random() < 0.05)  # now and then a mask of another video
    return Observation(
        box=_box(dice, height, width) if dice.random() < 0.8 else None,
        mask=_mask(dice, tall, width) if dice.random() < 0.6 else None,
        source=dice.choice(list(Source)),
        state=dice.choice([*State, State.VISIBLE, State.VISIBLE]),
        verified=dice.random() < 0.3,
        keyframe=dice.random() < 0.3,
        score=dice.random() if dice.random() < 0.5 else None,
        signals={"ratio": 0.25} if dice.random() < 0.1 else {},
        cover=dice.randint(0, 8) if dice.random() < 0.2 else None,
        attributes=_attributes(dice),
    )


def _box(dice: Random, height: int, width: int) -> Box:
    w, h = (dice.choice((0.0, 1e-5, 1.0, *(dice.uniform(0, 2 * side) for _ in range(9)))) for side in (width, height))
    return Box(dice.uniform(-1, 1.2) * width, dice.uniform(-1, 1.2) * height, w, h)


def _mask(dice: Random, height: int, width: int) -> Mask:
    if dice.random() < 0.1:
        return Mask.encode(np.zeros((height, width), bool))
    if dice.random() < 0.5:
        return ring(height, width, dice.randrange(width), dice.randrange(height), dice.randint(1, 12))
    return Mask.encode(np.random.default_rng(dice.randrange(2**32)).random((height, width)) < 0.5)
