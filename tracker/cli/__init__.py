"""The researchers' half of the command line: one file per group of commands.

Each command returns its exit status and raises `TrackerError` for what a user can mend; main.py says it in one
sentence. What is slow to import is imported by the command that needs it.
"""

from __future__ import annotations

from cyclopts import App

from tracker.cli.ablating import ablate
from tracker.cli.benching import bench
from tracker.cli.calibrating import calibrate
from tracker.cli.effort import effort
from tracker.cli.evaluating import evaluate
from tracker.cli.importing import import_weights
from tracker.cli.listing import list_trackers
from tracker.cli.preparing import prepare
from tracker.cli.reporting import report
from tracker.cli.training import train
from tracker.cli.vot import vot

app = App(name="tracker", help="Trackers: list, evaluate, measure, train, import weights.")
app.command(list_trackers, name="trackers")
app.command(evaluate)
app.command(report)
app.command(effort)
app.command(bench)
app.command(prepare)
app.command(train)
app.command(calibrate)
app.command(ablate)
app.command(import_weights)
app.command(vot)
