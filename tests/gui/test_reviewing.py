"""Reviewing through the window: the list, the keys, the counter."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from session_fakes import square

from app.gui.panels.review import STRETCH
from app.model.edits import SetFrames
from app.model.tracks import Observation, Source, State


@pytest.fixture
def doubtful(user):
    """An object that the tracker lost at 10 to 12 and was not sure of at 24."""
    track = user.draw(square(0))
    said = {n: Observation(square(n), source=Source.TRACKER, score=0.95) for n in range(1, 36)}
    said |= {n: Observation(source=Source.TRACKER, state=State.LOST, score=0.05) for n in (10, 11, 12)}
    said[24] = Observation(square(24), source=Source.TRACKER, score=0.3)
    user.session.commit(SetFrames(track, dict(said)), "Track")
    return user


def test_the_list_shows_the_worst_first_with_pictures(doubtful):
    panel = doubtful.window.review_panel
    doubtful.window.side.above.show_panel("review")
    doubtful.wait(lambda: panel.model.rowCount() == 2)
    first = panel.model.index(0)
    assert first.data() == "object 1, frames 10 to 12, lost"
    assert panel.count.text() == "4 frames in 2 places"
    doubtful.wait(lambda: doubtful.window.thumbs.count == 2)
    panel.list.clicked.emit(panel.model.index(1))
    assert doubtful.session.frame == 24
    assert first.data(STRETCH).worst == 10


def test_brackets_walk_and_enter_verifies_and_goes_on(doubtful):
    session = doubtful.session
    doubtful.key(Qt.Key.Key_BracketRight)
    doubtful.wait(lambda: session.frame == 10)
    doubtful.key(Qt.Key.Key_BracketRight)
    doubtful.wait(lambda: session.frame == 24)
    doubtful.key(Qt.Key.Key_Return)
    assert session.document.tracks[1].at(24).verified
    doubtful.wait(lambda: session.frame == 10)  # the only place left
    doubtful.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert all(session.document.tracks[1].at(n).verified for n in (10, 11, 12))
    assert session.triage.left() == (0, 0)
    doubtful.key(Qt.Key.Key_BracketLeft)
    assert "No suspicious frames are left" in doubtful.window.notices.text.text()
    doubtful.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.triage.left()[0] == 1


def test_the_tab_counts_what_is_left(doubtful):
    doubtful.wait(lambda: "2" in doubtful.window.side.above.tabText(1))
