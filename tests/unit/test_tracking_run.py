from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from session_fakes import FRAMES, FakeTrackers, square, write_clip

from app.media import open_media
from app.model.document import Document, VideoRef
from app.model.masks import Mask
from app.model.tracks import Observation, Source, State, Track
from app.work.choice import TrackerChoice, Trackers
from app.work.errors import SessionError
from app.work.planning import Way, aim
from app.work.recent import Recent
from app.work.requests import Aim, LiveItem, Memory, Note, Outcome, Reason, TrackRequest
from app.work.tracking import observe, track_frames
from app.work.wording import outcome_words
from tracker.api import Box, HeatMap, MaskPatch, Prediction, TrackerError, Verdict


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv")


@pytest.fixture(scope="module")
def holed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hidden for two frames (10, 11) and for good from 20 to 30."""
    return write_clip(tmp_path_factory.mktemp("clip") / "holed.mkv", hidden=[10, 11, *range(20, 31)])


def request(
    media: Path,
    start: int = 0,
    stop: int = FRAMES,
    step: int = 1,
    persist: bool = False,
    memory: Memory | None = None,
    **more: object,
) -> TrackRequest:
    one = Aim(1, start, stop, square(start), persist=persist, memory=memory)
    values: dict[str, object] = {"tracker": TrackerChoice("fake"), "device": "auto", "aims": (one,)} | more
    return TrackRequest(run=1, media=media, step=step, **values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Result:
    """One object on one frame."""

    track: int
    frame: int
    observation: Observation
    live: LiveItem


def walk(request: TrackRequest, trackers: Trackers) -> tuple[list[Result], list[str], Outcome]:
    results: list[Result] = []
    notes: list[str] = []
    work = track_frames(request, trackers, open_media)
    while True:
        try:
            item = next(work)
        except StopIteration as end:
            return results, notes, end.value
        if isinstance(item, Note):
            notes += [item.text] * bool(item.text)
        else:
            pairs = zip(item.found, item.live, strict=True)
            results += [Result(one.track, one.frame, one.observation, live) for one, live in pairs]


@pytest.mark.parametrize(("start", "stop", "step"), [(3, FRAMES, 1), (30, -1, -1), (8, 15, 1), (15, 8, -1)])
def test_a_run_writes_every_frame_after_its_start(clip: Path, start: int, stop: int, step: int):
    results, notes, outcome = walk(request(clip, start, stop, step), Trackers(FakeTrackers()))
    assert [r.frame for r in results] == list(range(start + step, stop, step))
    assert all(r.observation.box == square(r.frame) for r in results)
    assert all(r.observation.source is Source.TRACKER and r.observation.score == 0.9 for r in results)
    assert all(r.observation.signals == {"peak": 0.9} for r in results)
    assert all(r.observation.mask is not None and r.observation.mask.box == square(r.frame) for r in results)
    assert all(r.live.image is not None and r.live.image.index == r.frame and r.live.fps > 0 for r in results)
    assert notes == ["Loading the tracker…"]
    assert (outcome.reason, outcome.frame) == (Reason.END, stop - step)


def test_masks_are_left_out_on_request(clip: Path):
    results, _, _ = walk(request(clip, stop=4, masks=False), Trackers(FakeTrackers()))
    assert [r.observation.mask for r in results] == [None] * 3


def test_a_loaded_tracker_serves_the_next_run(clip: Path):
    made = FakeTrackers()
    trackers = Trackers(made)
    walk(request(clip, stop=3), trackers)
    _, notes, _ = walk(request(clip, stop=3), trackers)
    assert notes == []
    assert len(made.made["auto"].started) == 2


def test_only_the_last_trackers_are_kept():
    trackers = Trackers(FakeTrackers(), keep=2)
    for device in ("cpu", "cuda:0", "cuda:1"):
        trackers.get(TrackerChoice("fake"), device)
    assert not trackers.ready(TrackerChoice("fake"), "cpu")
    assert trackers.ready(TrackerChoice("fake"), "cuda:0")
    assert trackers.ready(TrackerChoice("fake"), "cuda:1")


def test_a_short_loss_is_written_without_boxes_and_passed_over(holed: Path):
    results, _, outcome = walk(request(holed, stop=20, lost_after=4), Trackers(FakeTrackers()))
    states = {r.frame: r.observation.state for r in results}
    assert [f for f, state in states.items() if state is State.LOST] == [10, 11]
    lost = next(r.observation for r in results if r.frame == 10)
    assert (lost.box, lost.mask, lost.score, lost.source) == (None, None, 0.1, Source.TRACKER)
    assert states[12] is State.VISIBLE
    assert outcome.reason is Reason.END


def test_a_loss_ends_the_run_and_says_why(holed: Path):
    results, _, outcome = walk(request(holed, start=12, lost_after=3), Trackers(FakeTrackers()))
    assert [r.frame for r in results] == list(range(13, 23))
    assert all(r.observation.box is None for r in results if r.frame >= 20)
    assert (outcome.reason, outcome.frame) == (Reason.LOST, 20)
    assert outcome_words(outcome, {}) == "Lost at frame 20: score 0.10"


def test_going_on_after_a_loss_uses_the_memory_and_stays_until_found(holed: Path):
    made = FakeTrackers()
    trackers = Trackers(made)
    _, _, outcome = walk(request(holed, start=12, lost_after=3), trackers)
    assert outcome.resume is not None
    assert outcome.resume.frame == 22
    on = request(holed, start=22, lost_after=3, persist=True, memory=outcome.resume)
    results, _, end = walk(on, trackers)
    assert [r.frame for r in results] == list(range(23, FRAMES))
    assert results[-1].observation.box == square(FRAMES - 1)
    assert end.reason is Reason.END
    assert len(made.made["auto"].started) == 1, "the target was not started again"


def test_full_memory_goes_on_with_the_cpu_from_the_same_frame(clip: Path):
    made = FakeTrackers(full_at=5)
    results, notes, outcome = walk(request(clip, device="cuda"), Trackers(made))
    assert [r.frame for r in results] == list(range(1, FRAMES))
    assert all(r.observation.box == square(r.frame) for r in results)
    assert "going on with the CPU" in notes[-1]
    assert made.made["cpu"].started == [square(4)]
    assert outcome.reason is Reason.END


def test_full_memory_on_the_cpu_is_an_error(clip: Path):
    with pytest.raises(TrackerError, match="full"):
        walk(request(clip, device="cpu"), Trackers(FakeTrackers(full_at=5)))


def test_the_reader_is_closed_when_the_run_is_dropped(clip: Path):
    opened = []

    def open_reader(path: Path):
        opened.append(open_media(path))
        closes.append(opened[-1].close)
        opened[-1].close = lambda: (closed.append(True), closes[-1]())  # type: ignore[method-assign]
        return opened[-1]

    closes, closed = [], []
    work = track_frames(request(clip), Trackers(FakeTrackers()), open_reader)
    next(work)
    next(work)
    work.close()
    assert closed


def test_an_answer_becomes_an_observation():
    patch = MaskPatch(2, 3, np.ones((4, 5), bool))
    seen = observe(Prediction(Box(-2, 3, 10, 4), 0.4, Verdict.UNCERTAIN, patch, signals={"psr": 2.0}), 20, 10)
    assert seen.box == Box(0, 3, 8, 4), "clipped to the picture"
    assert seen.mask == Mask.from_patch(patch, 10, 20)
    assert seen.signals == {"psr": 2.0, "uncertain": 1.0}
    assert seen.present
    assert not seen.protected
    for bad in (Box(50, 50, 4, 4), Box(float("nan"), 0, 4, 4), Box(2, 2, 0, 4)):
        off = observe(Prediction(bad, 0.9), 20, 10)
        assert (off.state, off.box) == (State.LOST, None)


def test_recent_is_bounded_small_and_forgets():
    recent = Recent(size=3)
    heat = {"fused": HeatMap(np.eye(5, dtype=np.float32), Box(0, 0, 5, 5))}
    for frame in range(5):
        recent.put(LiveItem(1, 7, frame, Prediction(Box(0, 0, 1, 1), 1.0, heat=heat, search=np.zeros((9, 9, 3)))))
    assert [recent.get(7, f) is None for f in range(5)] == [True, True, False, False, False]
    kept = recent.get(7, 4)
    assert kept is not None
    assert kept.prediction.heat["fused"].values.dtype == np.float16
    assert kept.prediction.search is None
    recent.forget(7, range(4, 9))
    assert recent.get(7, 4) is None
    assert recent.get(7, 3) is not None


def tracked(**frames: Observation) -> Document:
    observations = {int(name[1:]): seen for name, seen in frames.items()}
    doc = Document(video=VideoRef("v", "f", 100, 96, 64, 25.0))
    doc.tracks[1] = Track(1, "cat", "#ffffff", frames=observations)
    return doc


MANUAL = Observation(box=Box(1, 2, 3, 4))
TRACKER = Observation(box=Box(5, 6, 7, 8), source=Source.TRACKER)
LOST = Observation(source=Source.TRACKER, state=State.LOST)


def planned(doc: Document, frame: int, step: int = 1, until: int | None = None) -> Aim:
    return aim(doc, 1, frame, Way(step, 100, TrackerChoice("t"), until), "replace")


def test_a_run_goes_to_the_end_or_to_the_next_protected_frame():
    doc = tracked(f10=MANUAL, f11=TRACKER, f40=MANUAL)
    assert (planned(doc, 40).stop, planned(doc, 40).ending) == (100, Reason.END)
    assert (planned(doc, 11).stop, planned(doc, 11).ending, planned(doc, 11).box) == (40, Reason.KEYFRAME, TRACKER.box)
    assert (planned(doc, 10, -1).stop, planned(doc, 40, -1).stop) == (-1, 10)


def test_until_counts_when_it_comes_first():
    doc = tracked(f10=MANUAL, f40=MANUAL)
    assert (planned(doc, 10, until=20).stop, planned(doc, 10, until=20).ending) == (21, Reason.UNTIL)
    assert planned(doc, 10, until=39).stop == 40
    assert planned(doc, 10, until=60).ending is Reason.KEYFRAME
    assert (planned(doc, 40, -1, until=15).stop, planned(doc, 40, -1, until=15).ending) == (14, Reason.UNTIL)
    assert planned(doc, 40, until=5000).stop == 100


def test_a_run_on_a_lost_frame_goes_on_from_the_last_box():
    doc = tracked(f10=MANUAL, f11=TRACKER, f12=LOST, f13=LOST)
    run = planned(doc, 13)
    assert (run.start, run.box, run.persist) == (11, TRACKER.box, True)
    assert not planned(doc, 11).persist


@pytest.mark.parametrize(
    ("frame", "step", "more", "words"),
    [
        (99, 1, {}, "last frame"),
        (0, -1, {}, "first frame"),
        (50, 1, {}, "keyframe"),
        (50, 1, {"until": 40}, "does not lie after"),
        (50, 1, {"until": 50}, "does not lie after"),
        (5, 1, {}, "no box on this frame nor before"),
    ],
)
def test_a_run_to_nowhere_is_refused_in_words(frame: int, step: int, more: dict[str, int], words: str):
    doc = tracked(f50=MANUAL, f51=MANUAL, f99=MANUAL)
    if frame == 0:
        doc = tracked(f0=MANUAL)
    if "until" in more:
        doc = tracked(f50=MANUAL)
    with pytest.raises(SessionError, match=words):
        planned(doc, frame, step, **more)
