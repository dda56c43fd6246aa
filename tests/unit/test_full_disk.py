"""A disk that is full, or a folder that may not be written to: said in words, and nothing is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from session_fakes import FakeTrackers, saved, write_clip

from app.formats.project import ProjectError, load_project
from app.session import Session
from app.settings import Settings
from tracker.api import Box


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_save_that_fails_loses_nothing_and_can_be_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    session = Session(Settings(retrack_on_correction=False), create_tracker=FakeTrackers())
    session.wait(session.open(write_clip(tmp_path / "clip.mkv")))
    session.add_object(Box(4, 20, 12, 12), "cat")
    project = saved(session)
    session.set_box(Box(9, 20, 12, 12), frame=3)
    failures: list[Exception] = []
    session.events.error.connect(failures.append)

    def refuse(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])  # as much as there was room for
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("app.formats.project.write_bytes", refuse)
        with pytest.raises(ProjectError, match=f"{os.strerror(number)}.*save under another name"):
            session.wait(session.save())
    assert [type(failure) for failure in failures] == [ProjectError]
    assert session.dirty
    assert set(load_project(project).tracks[1].frames) == {0}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mkv", "clip.siamlabel"]

    assert session.journal is not None
    assert session.journal.flush(10)
    elsewhere = saved(session, tmp_path / "elsewhere.siamlabel")
    assert set(load_project(elsewhere).tracks[1].frames) == {0, 3}
    assert not session.dirty
    session.close()
