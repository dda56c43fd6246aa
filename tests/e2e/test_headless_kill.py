"""A session that is killed amid its work is offered to the next one, through the same doors as in the window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from session_fakes import square, write_clip

from app.session import Session
from tracker.api import Box

CHILD = """
import sys, time
from pathlib import Path
from app.session import Session
from tracker.api import Box

session = Session()
session.wait(session.open(Path(sys.argv[1])))
session.add_object(Box(4, 20, 12, 12), "cat")
session.wait(session.save(Path(sys.argv[2])))
gesture = session.new_gesture()
for frame in range(1, 20):
    session.set_box(Box(frame, 20, 12, 12), frame=frame, gesture=gesture)
session.undo()
session.redo()
assert session.journal.flush(60)
print("safe", flush=True)
time.sleep(600)
"""


def test_kill_9_loses_nothing_that_was_on_disk(tmp_path: Path, root: Path):
    clip = write_clip(tmp_path / "clip.mkv")
    project = tmp_path / "work.siamlabel"
    environment = os.environ | {"PYTHONPATH": str(root)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(clip), str(project)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "safe\n"
        child.kill()
        child.wait(60)

    session = Session()
    (left,) = session.leftovers()
    assert (left.project, left.edits) == (project, 21)
    session.wait(session.recover(left))
    track = session.document.tracks[1]
    assert track.label == "cat"
    assert {f: seen.box for f, seen in track.frames.items()} == {
        0: square(0), **{f: Box(f, 20, 12, 12) for f in range(1, 20)},
    }  # fmt: skip
    assert session.dirty
    session.wait(session.save())
    session.close()
    assert Session().leftovers() == []
