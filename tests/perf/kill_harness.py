"""Kills a working session again and again, and says what that cost.

    python tests/perf/kill_harness.py [--kills 100] [--seed 0] [--folder FOLDER]

Every round a process goes on where the last one died, through the same doors as the window: it recovers what is
offered, or opens the project; then it draws, undoes, tracks and saves, and notes each state of the document before the
journal hears of it. At a random moment it gets SIGKILL. What is offered next must be one of the states that were there,
exactly; the loss is the time from the first change that is missing to the kill. The project must open after every kill.
Ends with status 1 when a project or more than a second was lost.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec
from session_fakes import FRAMES, FakeTrackers, write_clip

from app import diagnostics
from app.formats.project import load_project
from app.model.document import Document
from app.model.edits import Edit
from app.session import Session
from app.work.journal import leftovers, recover
from tracker.api import Box

LIMIT = 1.0
"""Seconds of work that a kill may cost."""

START = 60.0
"""Seconds that a process may take to begin."""


@dataclass
class Tally:
    """``lost``: seconds per kill; ``during``: what the killed processes were doing; ``wrong``: what must not be."""

    lost: list[float] = field(default_factory=list)
    during: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def digest(doc: Document) -> str:
    """The same for documents that hold the same, whatever the order in which it came, and whether 4 is a float yet."""
    doc = msgspec.msgpack.decode(msgspec.msgpack.encode(doc), type=Document)
    tracks = [
        msgspec.structs.replace(track, frames=dict(sorted(track.frames.items())))
        for _, track in sorted(doc.tracks.items())
    ]
    body = msgspec.msgpack.encode((doc.labels, tracks, sorted(doc.comments.items())))
    return f"{zlib.crc32(body):08x}-{len(body)}"


def labour(clip: Path, project: Path, notes: Path, seed: int, home: str) -> None:
    """What a killed process does: it never ends by itself. Each line of ``notes``: the time, a state, what goes on."""
    os.environ["SIAMLABEL_HOME"] = home
    dice = random.Random(seed)
    out = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    doing = ["opening"]
    session = Session(create_tracker=FakeTrackers())
    session.events.error.connect(lambda error: os.write(out, f"{time.monotonic()} error {error!r}\n".encode()))
    session.settings.tracker = "fake"

    def note() -> None:
        os.write(out, f"{time.monotonic()} {digest(session.document)} {doing[0]}\n".encode())

    left = session.leftovers()
    session.wait(session.recover(left[0]) if left else session.open(project if project.exists() else clip))
    journal = session.journal
    assert journal is not None
    for old in left[1:]:
        if journal.flush(START):
            session.forget(old)
    record = journal.record

    def watched(edit: Edit) -> None:
        note()
        record(edit)

    journal.record = watched  # type: ignore[method-assign]
    doing[0] = "editing"
    note()
    saving: Any = None
    while True:
        what = dice.random()
        if not session.document.tracks:
            session.add_object(Box(4, 20, 12, 12), "hand")
        first = min(session.document.tracks)
        if what < 0.9:
            doing[0] = "saving" if saving is not None and not saving.ended else "editing"
            doing[0] = "tracking" if session.run else doing[0]
            session.set_box(Box(dice.uniform(0, 80), dice.uniform(0, 50), 12, 12), first, dice.randrange(FRAMES))
            if dice.random() < 0.1:
                session.undo()
        elif what < 0.95:
            doing[0] = "saving"
            saving = session.save(project)
        elif session.run is None:
            doing[0] = "tracking"
            for track in sorted(session.document.tracks)[1:4] if len(session.document.tracks) > 6 else ():
                session.remove_track(track)
            session.seek(0)
            session.add_object(Box(4, 20, 12, 12), "run")
            session.track(1)
        time.sleep(dice.uniform(0, 0.02))
        session.pump()


def survived(project: Path) -> Document | None:
    """What is offered after a kill: unsaved work first, else the project; None when there is neither."""
    left = leftovers(diagnostics.paths().state)
    if left:
        return recover(left[0])
    return load_project(project) if project.exists() else None


def states(notes: Path) -> list[tuple[float, str, str]]:
    """The whole lines of the notes: when, which state, what went on."""
    if not notes.exists():
        return []
    lines = notes.read_text().split("\n")[:-1]
    return [(float(when), state, doing) for when, state, doing in (line.split(" ", 2) for line in lines)]


def run(folder: Path, kills: int, seed: int) -> Tally:
    """Kill so many times in ``folder``, which must be empty."""
    os.environ["SIAMLABEL_HOME"] = str(folder / "home")
    dice = random.Random(seed)
    clip, project = write_clip(folder / "clip.mkv"), folder / "work.siamlabel"
    # A server that has imported everything and has no threads forks each process at once; Windows has none.
    way = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context: Any = multiprocessing.get_context(way)
    if way == "forkserver":
        context.set_forkserver_preload(["session_fakes", "app.session", "app.media"])
    tally = Tally()
    before = ""
    existed = False
    for number in range(kills):
        notes = folder / f"notes-{number}"
        given = (clip, project, notes, dice.getrandbits(32), os.environ["SIAMLABEL_HOME"])
        process = context.Process(target=labour, args=given, daemon=True)
        process.start()
        until = time.monotonic() + START
        if dice.random() < 0.9:
            while not states(notes) and process.is_alive() and time.monotonic() < until:
                time.sleep(0.02)
        time.sleep(dice.uniform(0, 2))
        alive = process.is_alive()
        killed = time.monotonic()
        process.kill()
        process.join()
        _judge(tally, number, states(notes), before, killed, project)
        if not alive:
            tally.wrong.append(f"kill {number}: the process ended by itself (status {process.exitcode})")
        if existed and not project.exists():
            tally.wrong.append(f"kill {number}: the project is gone")
        existed = project.exists()
        left = survived(project)
        before = digest(left) if left is not None else ""
    return tally


def _judge(
    tally: Tally, number: int, seen: list[tuple[float, str, str]], before: str, killed: float, project: Path
) -> None:
    """Compare what survived with the states that were there."""
    tally.wrong.extend(f"kill {number}: {doing}" for _, state, doing in seen if state == "error")
    seen = [line for line in seen if line[1] != "error"]
    tally.during[seen[-1][2] if seen else "opening"] += 1
    try:
        if project.exists():
            load_project(project)
        doc = survived(project)
    except Exception as error:
        tally.wrong.append(f"kill {number}: {error}")
        return
    found = digest(doc) if doc is not None else ""
    known = [before, *(state for _, state, _ in seen)]
    if found not in known and not (doc is not None and not doc.tracks and not before):
        tally.wrong.append(f"kill {number}: what was offered was never there")
        return
    # The first match, not the last: undo brings a state back, and the loss is rather told too large.
    at = known.index(found) if found in known else 0
    tally.lost.append(killed - seen[at][0] if at < len(seen) and seen[at][1] != found else 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="an empty folder to work in; a temporary one unless given")
    arguments = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    with tempfile.TemporaryDirectory(prefix="siamlabel-kill-") as temporary:
        tally = run(arguments.folder or Path(temporary), arguments.kills, arguments.seed)
    lost = sorted(tally.lost) or [0.0]
    print(f"{arguments.kills} kills, during {dict(tally.during)}; load {load:.1f} on {os.cpu_count()} cores")
    print(f"lost: median {lost[len(lost) // 2]:.3f} s, worst {lost[-1]:.3f} s (at most {LIMIT} s)")
    for line in tally.wrong:
        print(line)
    return int(bool(tally.wrong) or lost[-1] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
