from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.model import Box, Change, Document, Observation, Source, State, Track
from app.work.overview import SUSPICIOUS, VOUCHES, Lanes, doubt
from app.work.thumbnails import cut
from app.work.triage import Triage

BOX = Box(1, 2, 3, 4)
SURE = Observation(BOX, source=Source.TRACKER, score=0.9)
ODD = Observation(BOX, source=Source.TRACKER, score=0.3)
LOST = Observation(source=Source.TRACKER, state=State.LOST, score=0.0)
SEEN = Observation(BOX, source=Source.TRACKER, score=0.3, verified=True)


def triage_of(*tracks: dict[int, Observation], frames: int = 100) -> tuple[Document, Lanes, Triage]:
    doc = Document(tracks={n: Track(n, "car", "#112233", frames=dict(seen)) for n, seen in enumerate(tracks, 1)})
    lanes = Lanes()
    lanes.reset(doc, frames)
    return doc, lanes, Triage(lanes)


def test_what_a_person_or_interpolation_said_is_not_doubted():
    for source in (Source.MANUAL, Source.INTERPOLATED, Source.IMPORTED):
        assert doubt(Observation(BOX, source=source, score=0.0)) == (0.0, "")
    assert doubt(SEEN)[0] == 0


def test_the_first_frame_that_says_anything():
    assert triage_of()[1].first == 0
    assert triage_of({}, {})[1].first == 0
    assert triage_of({}, {40: SURE, 7: LOST}, {9: SURE})[1].first == 7


def test_the_strongest_reason_is_told():
    assert doubt(LOST) == (1.0, "lost")
    assert doubt(ODD)[1] == "score 0.30"
    uncertain = Observation(BOX, source=Source.TRACKER, score=0.8, signals={"uncertain": 1.0})
    assert doubt(uncertain)[1] == "the tracker is uncertain"
    apart = Observation(BOX, source=Source.TRACKER, score=0.9, signals={"disagreement": 0.7})
    assert doubt(apart)[1] == "both directions disagree (IoU 0.30)"


def test_places_are_runs_of_suspicious_frames_worst_first():
    _, _, triage = triage_of({3: ODD, 4: LOST, 5: ODD, 20: ODD, 21: SURE}, {50: LOST, 51: LOST, 52: LOST})
    assert triage.left() == (3, 7)
    assert [(s.track, s.start, s.stop, s.worst) for s in triage.worst_first()] == [
        (1, 3, 6, 4),
        (2, 50, 53, 50),
        (1, 20, 21, 20),
    ]


def test_walking_meets_every_place_once_in_both_directions():
    _, _, triage = triage_of({10: LOST, 40: ODD}, {10: LOST, 30: ODD})
    met, at = [], (-1, None)
    while (found := triage.next(*at)) is not None:
        met.append((found.worst, found.track))
        at = met[-1]
    assert met == [(10, 1), (10, 2), (30, 2), (40, 1)]
    back, at = [], (100, None)
    while (found := triage.next(*at, -1)) is not None:
        back.append((found.worst, found.track))
        at = back[-1]
    assert back == met[::-1]


def test_a_verified_frame_vouches_for_its_neighbours():
    doc, lanes, triage = triage_of(dict.fromkeys(range(30), ODD))
    doc.tracks[1].frames[15] = SEEN
    lanes.update(doc, Change(frozenset({1}), {1: range(15, 16)}))
    assert [(s.start, s.stop) for s in triage.worst_first()] == [(0, 15 - VOUCHES), (15 + VOUCHES + 1, 30)]
    assert triage.around(3, 1) is not None
    assert triage.around(15, 1) is None


@given(st.lists(st.sampled_from([None, SURE, ODD, LOST, SEEN]), max_size=60))
def test_places_hold_exactly_the_doubtful_frames_that_nobody_vouches_for(said):
    _, _, triage = triage_of({n: seen for n, seen in enumerate(said) if seen is not None}, frames=len(said))
    sure = [n for n, seen in enumerate(said) if seen is SEEN]
    wanted = {
        n
        for n, seen in enumerate(said)
        if seen is not None and doubt(seen)[0] * 255 >= SUSPICIOUS and all(abs(n - s) > VOUCHES for s in sure)
    }
    found = triage.worst_first()
    assert {frame for s in found for frame in range(s.start, s.stop)} == wanted
    assert all(s.start <= s.worst < s.stop for s in found)


def test_a_thumbnail_shows_the_box_in_its_middle():
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:60, 90:110] = 255
    small = cut(image, Box(90, 40, 20, 20), 88, 56)
    assert small.shape == (56, 88, 3)
    assert (small[28, 44] == 255).all()
    assert (small[2, 44] == 0).all()
    assert cut(image, None, 88, 56)[28, 44].min() == 255
