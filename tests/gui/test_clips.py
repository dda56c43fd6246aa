"""A collection of clips through the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from session_fakes import square, write_clip

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def collected(make_user, tmp_path: Path):
    folder = tmp_path / "day"
    folder.mkdir()
    for name in "abc":
        write_clip(folder / f"{name}.mkv", frames=8)
    user = make_user()
    user.window.documents.dropped([folder])
    user.wait(lambda: user.session.clip == 0 and user.session.shown is not None)
    return user


def at_clip(user, number: int) -> None:
    user.wait(lambda: user.session.clip == number and user.session.shown is not None)


def test_the_panel_lists_the_clips_and_keys_go_from_one_to_the_next(collected):
    panel = collected.window.clips_panel
    collected.window.side.above.show_panel("clips")
    assert [panel.list.item(n).text().split("\n")[0] for n in range(3)] == ["a.mkv", "b.mkv", "c.mkv"]
    collected.draw(square(0))
    collected.key(Qt.Key.Key_PageDown, CTRL)
    at_clip(collected, 1)
    assert panel.list.item(0).text().startswith("a.mkv *")
    assert panel.list.currentRow() == 1
    panel.list.itemActivated.emit(panel.list.item(2))
    at_clip(collected, 2)
    collected.key(Qt.Key.Key_Z, CTRL)
    at_clip(collected, 0)
    assert not collected.session.document.tracks
    assert not collected.session.dirty


def test_saving_shows_how_far_a_clip_is_and_a_tick_says_it_is_done(collected):
    panel = collected.window.clips_panel
    collected.draw(square(0))
    collected.key(Qt.Key.Key_S, CTRL)
    collected.wait(lambda: not collected.session.dirty)
    assert "12%" in panel.list.item(0).text()
    panel.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert collected.session.collection.clips[0].done
    assert panel.count.text() == "1 of 3 done"


def test_leaving_asks_once_for_all_clips(collected, clip):
    collected.draw(square(0))
    collected.key(Qt.Key.Key_PageDown, CTRL)
    at_clip(collected, 1)
    collected.draw(square(0))
    collected.window.documents.open(clip)
    collected.wait(lambda: collected.session.media is not None and collected.session.media.path == clip)
    assert collected.asked == ["unsaved"]
    assert collected.session.collection is None
    assert collected.window.clips_panel.hint.isVisibleTo(collected.window.clips_panel)
    assert collected.session.leftovers() == []
