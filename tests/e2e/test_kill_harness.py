"""A few rounds of the harness that kills a session at random moments; ``tests/perf/kill_harness.py`` does a hundred."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_killed_sessions_lose_no_more_than_a_moment_and_never_a_project(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(str(root / "tests" / "perf"))
    import kill_harness

    tally = kill_harness.run(tmp_path, kills=3, seed=7)
    assert tally.wrong == []
    assert len(tally.lost) == 3
    assert (tmp_path / "clip.mkv").exists()
