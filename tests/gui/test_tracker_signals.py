"""What the trackers know is seen, and every tracker can be chosen: panel, canvas, the question about weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from session_fakes import FakeTrackers, square

from app.scene import LookAlike, Rotated
from app.settings import HEAT_KINDS
from app.work.choice import TrackerChoice
from tracker import registry
from tracker.api import TrackerError


@pytest.fixture
def rich(make_user, clip: Path):
    user = make_user(FakeTrackers(rich=True))
    user.open(clip)
    user.draw(square(0))
    user.track()
    return user


def enabled(user) -> set[str]:
    model = user.window.tracker_panel.heat.model()
    return {kind for n, kind in enumerate(HEAT_KINDS) if model.item(n).isEnabled()}


def pick(user, name: str) -> None:
    """In the list of trackers, as a click does."""
    combo = user.window.tracker_panel.tracker
    index = combo.findData(name)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def test_the_template_shows_the_trackers_own_exemplar_its_weights_and_key_part(rich):
    panel = rich.window.tracker_panel
    rich.wait(lambda: panel.template.picture is not None)
    shown = panel.template.picture
    assert shown.pixels.shape == (127, 127, 3)
    assert shown.heat.values.shape == (7, 7)
    assert shown.part is not None
    rich.session.change_settings(heat_kind="off")
    rich.wait(lambda: panel.template.picture.heat is None)
    assert panel.template.picture.part is not None
    assert panel.search.picture.heat is None


def test_the_search_shows_map_and_peaks_and_follows_the_chosen_kind(rich):
    panel = rich.window.tracker_panel
    rich.wait(lambda: panel.search.picture is not None)
    assert [round(p.height, 1) for p in panel.search.picture.peaks] == [1.0, 0.9]
    assert panel.search.picture.heat is rich.session.live_here.prediction.heat["fused"]
    rich.session.change_settings(heat_kind="classification")
    rich.wait(lambda: panel.search.picture.heat is rich.session.live_here.prediction.heat["classification"])
    assert panel.signals.values == {"peak": 0.9}


def test_the_canvas_shows_the_rotated_rectangle_and_the_look_alike(rich):
    scene = rich.window.canvas.scene
    assert any(isinstance(p, Rotated) for p in scene)
    assert any(isinstance(p, LookAlike) for p in scene)
    assert not rich.window.grab().isNull(), "all of it can be painted"


def test_maps_that_the_tracker_does_not_have_cannot_be_chosen(rich):
    assert enabled(rich) == {"off", "fused", "classification", "mask"}
    panel = rich.window.tracker_panel
    item = panel.heat.model().item(HEAT_KINDS.index("attention"))
    assert "no such map" in item.toolTip()
    rich.session.use_tracker(TrackerChoice("opencv-kcf"))
    assert enabled(rich) == set(HEAT_KINDS), "not known before it has answered"


def test_another_object_does_not_inherit_the_template(rich):
    panel = rich.window.tracker_panel
    rich.wait(lambda: panel.template.picture is not None)
    rich.session.seek(0)
    rich.wait(lambda: rich.session.shown.index == 0)
    assert panel.template.picture is not None, "the same object keeps it"
    rich.session.select()
    rich.wait(lambda: panel.template.picture is None)


def test_a_tracker_without_an_exemplar_shows_none(user):
    user.draw(square(0))
    user.track()
    assert user.window.tracker_panel.template.picture is None


def test_a_hidden_panel_costs_nothing_and_catches_up(user):
    panel = user.window.tracker_panel
    user.draw(square(0))
    user.window.side.hide()
    user.track()
    assert panel.search.picture is None
    user.window.side.show()
    user.wait(lambda: panel.search.picture is not None)


def test_a_tracker_without_weights_leads_to_a_question(user):
    panel, notices = user.window.tracker_panel, user.window.notices
    text = panel.tracker.itemText(panel.tracker.findData("siammask-r50"))
    assert text == "siammask-r50 · needs weights"
    pick(user, "siammask-r50")
    assert notices.isVisible()
    assert "needs weights" in notices.text.text()
    assert [b.text() for b in notices.answers] == ["Import weights…", "Try untrained"]
    assert user.session.tracker == TrackerChoice("default"), "nothing changed yet"
    assert panel.tracker.currentData() == "siamatt-mobile"
    user.qtbot.mouseClick(notices.answers[1], Qt.MouseButton.LeftButton)
    assert user.session.tracker == TrackerChoice("siammask-r50", untrained=True)
    assert panel.tracker.currentText() == "siammask-r50 (untrained)"
    assert "random weights" in panel.made_from.text()
    assert panel.made_from.isVisible()
    assert user.session.settings.tracker == "default", "not kept"
    assert not notices.isVisible()
    pick(user, "opencv-kcf")
    assert user.session.tracker == TrackerChoice("opencv-kcf")
    assert not panel.made_from.isVisible()


def test_importing_makes_the_tracker_ready_and_takes_it(user, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    weights = registry.weights_home() / "siammask-r50.safetensors"

    def put(file: Path, name: str) -> Path:
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
        return weights

    monkeypatch.setattr(registry, "import_weights", put)
    user.window.choosing.ask_file = lambda title, kinds: tmp_path / "SiamMask.pth"
    pick(user, "siammask-r50")
    user.qtbot.mouseClick(user.window.notices.answers[0], Qt.MouseButton.LeftButton)
    user.wait(lambda: user.session.tracker.name == "siammask-r50")
    panel = user.window.tracker_panel
    assert panel.tracker.currentText() == "siammask-r50"
    assert not user.window.notices.isVisible()


def test_weights_that_do_not_fit_are_told_and_change_nothing(user, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(file: Path, name: str) -> Path:
        raise TrackerError("SiamMask.pth does not fit siammask-r50; nothing was written.")

    monkeypatch.setattr(registry, "import_weights", refuse)
    user.window.choosing.ask_file = lambda title, kinds: tmp_path / "SiamMask.pth"
    user.window.choosing.bring_in("siammask-r50")
    user.wait(lambda: "does not fit" in user.window.notices.text.text())
    assert user.window.notices.isVisible()
    assert user.session.tracker == TrackerChoice("default")
