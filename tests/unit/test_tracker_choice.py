"""Which tracker a run is made with: random weights, weights of one's own, imported ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from session_fakes import FakeTrackers, square, write_clip

from app.cli.headless import chosen
from app.model.document import Document
from app.model.tracks import Observation, Track
from app.scene import LookAlike, Rotated, mode_line, scene
from app.session import LiveItem, Session, SessionError
from app.settings import Settings
from app.work.choice import TrackerChoice
from tracker import registry
from tracker.api import Box, Peak, Prediction, TrackerError, Verdict


def test_random_weights_are_asked_for_marked_everywhere_and_not_kept(tmp_path: Path):
    trackers = FakeTrackers()
    kept = tmp_path / "settings.json"
    session = Session(Settings(tracker="fake"), create_tracker=trackers, settings_path=kept)
    try:
        session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
        session.use_tracker(TrackerChoice("fake", untrained=True))
        assert session.tracker.title == "fake (untrained)"
        session.add_object(square(0))
        said: list[str] = []
        session.events.run.connect(lambda status: said.append(mode_line(session.status)) if status else None)
        session.wait(session.track(until=3))
        assert trackers.asked == [("fake", {"untrained": True})]
        assert any("fake (untrained)" in line for line in said)
        assert session.document.tracks[1].frames[3].signals["untrained"] == 1.0
        assert not kept.exists()
        session.change_settings(tracker="fake")
        assert session.tracker == TrackerChoice("fake")
    finally:
        session.close(discard=True)


def test_a_choice_says_what_it_is_made_from():
    assert TrackerChoice("a").title == "a"
    assert TrackerChoice("a", untrained=True, profile="davis").title == "a (untrained, davis)"
    own = TrackerChoice("a", weights=Path("mine/best.safetensors"))
    assert own.title == "a (best.safetensors)"
    assert own.options == {"weights": Path("mine/best.safetensors")}


def test_the_command_line_refuses_what_cannot_be():
    with pytest.raises(SessionError, match="one of the two"):
        chosen("siammask-r50", untrained=True, weights=Path("w.safetensors"))
    with pytest.raises(SessionError, match="opencv-kcf has no network of ours"):
        chosen("opencv-kcf", untrained=True)
    with pytest.raises(SessionError, match="There is no file"):
        chosen("siammask-r50", weights=Path("nowhere.safetensors"))
    with pytest.raises(TrackerError, match="There is no tracker named"):
        chosen("nothing")
    assert chosen("siammask-r50", profile="davis").options == {"profile": "davis"}


def test_weights_that_do_not_fit_leave_the_tracker_as_it_was(tmp_path: Path):
    bad = tmp_path / "page.pth"
    bad.write_text("<html>not weights</html>")
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    errors: list[Exception] = []
    told: list[int] = []
    session.events.error.connect(errors.append)
    session.events.trackers.connect(lambda: told.append(1))
    try:
        job = session.import_weights(bad, "siammask-r50")
        with pytest.raises(TrackerError):
            session.wait(job)
        assert isinstance(errors[0], TrackerError)
        assert "page.pth" in str(errors[0])
        assert told == [1]
        assert session.tracker == TrackerChoice("fake")
    finally:
        session.close(discard=True)


def test_imported_weights_are_used_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    taken: list[tuple[Path, str]] = []
    monkeypatch.setattr(registry, "import_weights", lambda file, name: taken.append((file, name)) or file)
    session = Session(Settings(tracker="fake"), create_tracker=FakeTrackers())
    try:
        session.wait(session.import_weights(tmp_path / "mask.pth", "siammask-r50"))
        assert taken == [(tmp_path / "mask.pth", "siammask-r50")]
        assert session.tracker == TrackerChoice("siammask-r50")
    finally:
        session.close(discard=True)


def said(verdict: Verdict = Verdict.TRACKED, second: float = 0.9, **more: object) -> LiveItem:
    peaks = (Peak(12, 12, 1.0), Peak(40, 14, second))
    prediction = Prediction(Box(5, 5, 10, 8), 0.5, verdict, peaks=peaks, **more)  # type: ignore[arg-type]
    return LiveItem(1, 1, 3, prediction, "picture")  # type: ignore[arg-type]


DOC = Document(tracks={1: Track(1, "car", "#ff0000", frames={3: Observation(box=Box(5, 5, 10, 8))})})


def test_a_look_alike_is_marked_when_it_makes_the_answer_uncertain():
    def marks(live: LiveItem) -> list[LookAlike]:
        return [p for p in scene(DOC, 3, (), live, Settings()) if isinstance(p, LookAlike)]

    assert marks(said(Verdict.UNCERTAIN)) == [LookAlike(40, 14, 0.9)]
    assert marks(said(Verdict.TRACKED)) == []
    assert marks(said(Verdict.UNCERTAIN, second=0.3)) == [], "uncertain for another reason"


def test_the_rotated_rectangle_is_drawn_while_its_track_is_to_be_seen():
    live = said(polygon=np.array([[1.0, 2], [3, 4], [5, 6], [7, 8]]))
    drawn = [p for p in scene(DOC, 3, (), live, Settings()) if isinstance(p, Rotated)]
    assert drawn == [Rotated(((1, 2), (3, 4), (5, 6), (7, 8)), "#ff0000", 1)]
